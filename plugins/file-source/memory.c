/* A small key file a step, written after commits. Where it is lost, files are told apart by their first lines alone. */
#include "memory.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>
#include "input.h"

enum { MOST_MARKS = 6, MOST_OTHERS = 1000, FILES_A_SECOND = 100 };

struct Memory {
    SfNode *node;
    char *file;
    GHashTable *pasts; /* name → Past * */
    guint n_used;
    bool told;
    gint64 saved_us;
};

void mark_set(Mark *mark, int64_t line, int64_t offset, const char *before, size_t size)
{
    *mark = (Mark){.line = line, .offset = offset, .size = (int64_t) size};
    g_autofree char *hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *) before, size);
    g_strlcpy(mark->hash, hash, sizeof mark->hash);
}

static Past *past_new(void)
{
    Past *past = g_new0(Past, 1);
    past->generation = 1;
    past->marks = g_array_new(FALSE, FALSE, sizeof(Mark));
    return past;
}

static void past_free(gpointer data)
{
    Past *past = data;
    g_array_unref(past->marks);
    g_free(past);
}

/* The first ones stay, for files that are short; of the others the newest counts. */
void past_add(Past *past, const Mark *mark)
{
    GArray *marks = past->marks;
    if (marks->len > 0 && g_array_index(marks, Mark, marks->len - 1).line >= mark->line)
        return;
    if (marks->len == MOST_MARKS)
        g_array_remove_index(marks, MOST_MARKS - 1);
    g_array_append_val(marks, *mark);
}

void past_next(Past *past)
{
    past->generation++;
    g_array_set_size(past->marks, 0);
}

static SfStatus compare_mark(const Mark *mark, const char *path, Likeness *out, SfError *err)
{
    g_autoptr(Input) input = NULL;
    char bytes[MARK_BYTES];
    size_t size = 0;
    SF_TRY(input_open(path, false, &input, err));
    SF_TRY(input_skip(input, mark->offset - mark->size, err));
    while (size < (size_t) mark->size) {
        size_t got = 0;
        SfStatus status = input_read(input, bytes + size, (size_t) mark->size - size, &got, err);
        if (status == SF_EMPTY) {
            *out = LIKE_SHORT;
            return SF_OK;
        }
        SF_TRY(status);
        size += got;
    }
    Mark found;
    mark_set(&found, mark->line, mark->offset, bytes, size);
    *out = strcmp(found.hash, mark->hash) == 0 ? LIKE_SAME : LIKE_OTHER;
    return SF_OK;
}

SfStatus past_compare(const Past *past, const char *path, Likeness *out, SfError *err)
{
    Likeness found = LIKE_SHORT;
    for (guint i = past->marks->len; i > 0 && found == LIKE_SHORT; i--)
        SF_TRY(compare_mark(&g_array_index(past->marks, Mark, i - 1), path, &found, err));
    *out = found;
    return SF_OK;
}

/* ---- on disk -------------------------------------------------------------------------------------------------- */

static char *default_directory(void)
{
    const char *state = g_getenv("XDG_STATE_HOME");
    if (state && g_path_is_absolute(state))
        return g_build_filename(state, "streamforge", NULL);
    return g_build_filename(g_get_home_dir(), ".local", "state", "streamforge", NULL);
}

static bool read_mark(const char *text, Mark *out)
{
    *out = (Mark){0};
    return sscanf(text, "%" SCNd64 ":%" SCNd64 ":%" SCNd64 ":%16[0-9a-f]", &out->line, &out->offset, &out->size,
                  out->hash) == 4 &&
           out->line > 0 && out->size > 0 && out->size <= MARK_BYTES && out->offset >= out->size;
}

static void read_past(Memory *memory, GKeyFile *file, const char *group)
{
    g_autofree char *name = g_key_file_get_string(file, group, "file", NULL);
    g_auto(GStrv) marks = g_key_file_get_string_list(file, group, "before", NULL, NULL);
    gint64 generation = g_key_file_get_int64(file, group, "generation", NULL);
    if (!name || generation < 1)
        return;
    Past *past = past_new();
    past->generation = generation;
    for (char **text = marks; text && *text; text++) {
        Mark mark;
        if (read_mark(*text, &mark))
            past_add(past, &mark);
    }
    g_hash_table_insert(memory->pasts, g_steal_pointer(&name), past);
}

Memory *memory_new(SfNode *node, const char *directory, const char *path)
{
    Memory *memory = g_new0(Memory, 1);
    memory->node = node;
    memory->pasts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, past_free);
    g_autofree char *parent = directory ? g_strdup(directory) : default_directory();
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, path, -1);
    g_autofree char *name = g_strdup_printf("%s.%s.%.8s.files", node->pipeline, node->step, hash);
    memory->file = g_build_filename(parent, name, NULL);
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (!g_key_file_load_from_file(file, memory->file, G_KEY_FILE_NONE, NULL))
        return memory;
    g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
    for (char **group = groups; *group; group++)
        read_past(memory, file, *group);
    return memory;
}

void memory_free(Memory *memory)
{
    if (!memory)
        return;
    g_hash_table_unref(memory->pasts);
    g_free(memory->file);
    g_free(memory);
}

Past *memory_find(Memory *memory, const char *name)
{
    Past *past = g_hash_table_lookup(memory->pasts, name);
    if (!past) {
        past = past_new();
        g_hash_table_insert(memory->pasts, g_strdup(name), past);
    }
    memory->n_used += !past->used;
    past->used = true;
    return past;
}

static void write_past(GKeyFile *file, const char *name, const Past *past)
{
    g_autoptr(GPtrArray) marks = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *group = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
    for (guint i = 0; i < past->marks->len; i++) {
        const Mark *mark = &g_array_index(past->marks, Mark, i);
        g_ptr_array_add(marks, g_strdup_printf("%" PRId64 ":%" PRId64 ":%" PRId64 ":%s", mark->line, mark->offset,
                                               mark->size, mark->hash));
    }
    g_key_file_set_string(file, group, "file", name);
    g_key_file_set_int64(file, group, "generation", past->generation);
    g_key_file_set_string_list(file, group, "before", (const gchar *const *) marks->pdata, marks->len);
}

/* The files of this run, and as many of earlier ones as there is room for. */
static GKeyFile *to_file(const Memory *memory)
{
    GKeyFile *file = g_key_file_new();
    g_key_file_set_comment(file, NULL, NULL, " Streamforge's file-source: what stood before its positions", NULL);
    GHashTableIter iter;
    gpointer name = NULL, past = NULL;
    guint others = 0;
    g_hash_table_iter_init(&iter, memory->pasts);
    while (g_hash_table_iter_next(&iter, &name, &past))
        if (((const Past *) past)->used || others++ < MOST_OTHERS)
            write_past(file, name, past);
    return file;
}

void memory_save(Memory *memory, bool last)
{
    gint64 now_us = g_get_monotonic_time();
    gint64 pause_us = (gint64) memory->n_used / FILES_A_SECOND * G_USEC_PER_SEC;
    if (memory->n_used == 0 || (!last && memory->saved_us > 0 && now_us - memory->saved_us < pause_us))
        return;
    g_autoptr(GKeyFile) file = to_file(memory);
    g_autoptr(GError) error = NULL;
    g_autofree char *directory = g_path_get_dirname(memory->file);
    memory->saved_us = now_us;
    if (g_mkdir_with_parents(directory, 0700) == 0 && g_key_file_save_to_file(file, memory->file, &error))
        return;
    if (!memory->told)
        sf_log(memory->node, SF_LOG_WARNING,
               "cannot write '%s' (%s): a file that begins with the same line as its predecessor will be taken for it; "
               "name a directory by 'state_dir'",
               memory->file, error ? error->message : g_strerror(errno));
    memory->told = true;
}
