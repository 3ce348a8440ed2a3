/* The audit of a directory: positions by names and position files, rows by the lines. Files have no checksums; what is
 * not a whole line of JSON is told. */
#include "audit.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

/* A split by its key. */
typedef struct KeyAudit {
    char *key;
    char *split; /* NULL: the key does not say */
    int64_t position;
    int64_t end; /* of the last file */
    int64_t rows;
    GArray *files; /* of FileRange */
} KeyAudit;

typedef struct FileRange {
    int64_t start;
    int64_t end;
    char *name;
} FileRange;

static void file_range_clear(gpointer range)
{
    g_free(((FileRange *) range)->name);
}

static void audit_key_free(gpointer data)
{
    KeyAudit *key = data;
    g_array_unref(key->files);
    g_free(key->key);
    g_free(key->split);
    g_free(key);
}

/* The split of a key, see name_key(); NULL: it was too long for that. */
static char *split_of(const char *key)
{
    GString *split = g_string_new(NULL);
    const char *tilde = strrchr(key, '~');
    const char *plus = strrchr(key, '+');
    for (const char *p = key; *p; p++) {
        if (*p == '%' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
            g_string_append_c(split, (char) (g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2])));
            p += 2;
        } else {
            g_string_append_c(split, *p == '=' || p == plus ? '/' : *p);
        }
    }
    bool cut = tilde && strlen(tilde) == 17;
    return g_string_free(split, cut);
}

static KeyAudit *audit_key(GHashTable *keys, const char *name)
{
    KeyAudit *key = g_hash_table_lookup(keys, name);
    if (key)
        return key;
    key = g_new0(KeyAudit, 1);
    *key = (KeyAudit){.key = g_strdup(name),
                      .split = split_of(name),
                      .position = SF_POSITION_NONE,
                      .end = SF_POSITION_NONE,
                      .files = g_array_new(FALSE, FALSE, sizeof(FileRange))};
    g_array_set_clear_func(key->files, file_range_clear);
    g_hash_table_insert(keys, key->key, key);
    return key;
}

static SfStatus list_files(const FilesAudit *all, GHashTable *keys, SfError *err)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(all->files, 0, &error);
    if (!dir && g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return SF_OK; /* nothing was written yet */
    if (!dir)
        return sf_fail(err, SF_RETRY, "%s", error->message);
    for (const char *name; (name = g_dir_read_name(dir));) {
        FileRange range = {0};
        const char *end = g_strrstr(name, "+");
        g_autofree char *key = end && *name != '.' && *name != '_' ? g_strndup(name, (gsize) (end - name)) : NULL;
        if (!key || !name_parse(name, key, &range.start, &range.end))
            continue;
        range.name = g_strdup(name);
        KeyAudit *of = audit_key(keys, key);
        g_array_append_val(of->files, range);
        of->end = MAX(of->end, range.end);
    }
    return SF_OK;
}

static SfStatus list_positions(const FilesAudit *all, GHashTable *keys, SfAudit *audit)
{
    g_autoptr(GDir) dir = g_dir_open(all->positions, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(all->positions, name, NULL);
        g_autofree char *text = NULL;
        if (g_file_test(path, G_FILE_TEST_IS_DIR) || !g_file_get_contents(path, &text, NULL, NULL) || !*text)
            continue;
        char *end = NULL;
        guint64 position = g_ascii_strtoull(text, &end, 10);
        if (*end == '\n' && position <= INT64_MAX)
            audit_key(keys, name)->position = (int64_t) position;
        else
            sf_audit_fault(audit, path, "holds no position");
    }
    return SF_OK;
}

static json_object *member_of(json_object *row, const char *name, const char *other)
{
    json_object *value = NULL;
    if (!json_object_object_get_ex(row, name, &value))
        json_object_object_get_ex(row, other, &value);
    return value;
}

/* false: it does not say which event it is. */
static bool tell_line(const FilesAudit *all, SfAudit *audit, json_object *row)
{
    json_object *topic = member_of(row, "topic", "_topic"), *partition = member_of(row, "partition", "_partition");
    json_object *offset = member_of(row, "offset", "_offset");
    if (!topic || !partition || !offset)
        return false;
    int64_t position = json_object_get_int64(offset);
    sf_audit_rows(audit, all->input, json_object_get_string(topic), json_object_get_int(partition), &position, 1);
    return true;
}

typedef struct LineCount {
    int64_t rows;
    int64_t nameless;
    int64_t bytes;
} LineCount;

static void audit_line(const FilesAudit *all, SfAudit *audit, const char *path, const char *line, size_t size,
                       LineCount *count)
{
    count->rows++;
    count->bytes += (int64_t) size;
    if (line[size - 1] != '\n')
        sf_audit_fault(audit, path, "line %" PRId64 " has no end: the file was cut", count->rows);
    json_object *row = all->json ? json_tokener_parse(line) : NULL;
    if (all->json && !json_object_is_type(row, json_type_object))
        sf_audit_fault(audit, path, "line %" PRId64 " is not a JSON object", count->rows);
    else
        count->nameless += !row || !tell_line(all, audit, row);
    json_object_put(row);
}

static SfStatus audit_lines(const FilesAudit *all, SfAudit *audit, const FileRange *range, KeyAudit *key, SfError *err)
{
    g_autofree char *path = g_build_filename(all->files, range->name, NULL);
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    LineCount count = {0};
    if (!file)
        return sf_fail(err, SF_RETRY, "cannot read '%s': %s", path, g_strerror(errno));
    for (ssize_t size; (size = getline(&line, &room, file)) > 0;)
        audit_line(all, audit, path, line, (size_t) size, &count);
    bool failed = ferror(file);
    free(line);
    (void) fclose(file);
    if (failed)
        return sf_fail(err, SF_RETRY, "cannot read '%s': %s", path, g_strerror(errno));
    if (count.rows > range->end - range->start)
        sf_audit_fault(audit, path, "has %" PRId64 " lines, more than the %" PRId64 " positions of its name",
                       count.rows, range->end - range->start);
    if (count.nameless > 0 && audit->depth == SF_AUDIT_DEEP)
        sf_audit_unknown(audit, path, "%" PRId64 " lines do not say which events they are", count.nameless);
    key->rows += count.rows;
    sf_audit_checked(audit, "files", 1, count.bytes);
    return SF_OK;
}

static gint by_start(gconstpointer a, gconstpointer b)
{
    const FileRange *one = a, *other = b;
    return (one->start > other->start) - (one->start < other->start);
}

/* Gaps are ranges without rows; an overlap is a file that is not ours. */
static void check_overlaps(const FilesAudit *all, SfAudit *audit, const KeyAudit *key)
{
    for (guint i = 1; i < key->files->len; i++) {
        const FileRange *range = &g_array_index(key->files, FileRange, i);
        const FileRange *before = &g_array_index(key->files, FileRange, i - 1);
        g_autofree char *path = g_build_filename(all->files, range->name, NULL);
        if (range->start < before->end)
            sf_audit_fault(audit, path, "overlaps with '%s'", before->name);
    }
}

static void tell_range(const FilesAudit *all, SfAudit *audit, const KeyAudit *key)
{
    if (!key->split) {
        sf_audit_unknown(audit, key->key, "which split it is cannot be told: its name is too long");
        return;
    }
    SfAuditRange range = sf_audit_range_new(all->input, key->split, SF_POSITION_NONE, MAX(key->position, key->end));
    range.rows = all->json && key->files->len > 0 ? -1 : key->rows; /* its lines are told one by one */
    range.place = all->files;
    sf_audit_range(audit, &range);
}

SfStatus files_audit(const FilesAudit *all, SfAudit *audit, SfError *err)
{
    g_autoptr(GHashTable) keys = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, audit_key_free);
    SF_TRY(list_files(all, keys, err));
    SF_TRY(list_positions(all, keys, audit));
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, keys);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        KeyAudit *key = value;
        g_array_sort(key->files, by_start);
        check_overlaps(all, audit, key);
        if (all->json)
            tell_range(all, audit, key);
        for (guint i = 0; i < key->files->len; i++)
            SF_TRY(audit_lines(all, audit, &g_array_index(key->files, FileRange, i), key, err));
        if (!all->json)
            tell_range(all, audit, key);
    }
    return SF_OK;
}
