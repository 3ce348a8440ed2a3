/* A directory for a test of file-sink, which is the working directory meanwhile, and what the sink wrote there. */
#ifndef TEST_SINK_FOLDER_H
#define TEST_SINK_FOLDER_H

#include <glib/gstdio.h>
#include <string.h>
#include "harness.h"

#define SCHEMA "id int, name string"

typedef char Folder;

static inline Folder *folder_new(void)
{
    Folder *folder = g_dir_make_tmp("file-sink-XXXXXX", NULL);
    g_assert_nonnull(folder);
    g_assert_cmpint(g_chdir(folder), ==, 0);
    return folder;
}

static inline void folder_free(Folder *folder)
{
    const char *argv[] = {"rm", "-rf", folder, NULL};
    g_assert_cmpint(g_chdir("/"), ==, 0);
    g_assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
    g_free(folder);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Folder, folder_free)

static inline gint compare(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(*(char *const *) a, *(char *const *) b);
}

/* "name: content" of all files in a directory that readers see, sorted; line breaks as blanks. */
static inline char *contents(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        g_autofree char *text = NULL;
        if (name[0] == '.' || name[0] == '_' || !g_file_get_contents(file, &text, NULL, NULL))
            continue;
        g_ptr_array_add(files, g_strdup_printf("%s: %s", name, g_strdelimit(g_strchomp(text), "\n", ' ')));
    }
    g_ptr_array_sort(files, compare);
    g_ptr_array_add(files, NULL);
    return g_strjoinv("\n", (char **) files->pdata);
}

static inline void assert_contents(const char *path, const char *expected)
{
    g_autofree char *got = contents(path);
    g_assert_cmpstr(got, ==, expected);
}

static inline Harness *sink(void)
{
    Harness *h = harness_new("file-sink", "path: out");
    harness_input_text(h, "sales", SCHEMA);
    return h;
}

static inline void write_rows(Harness *h, gint64 start, gint64 end)
{
    static const char *const row[] = {"[1, \"a\"]", "[2, null]"};
    const SfBatch *batch = harness_rows(h, 0, "events/3", start, row, 2);
    harness_write(h, 0, harness_with_range(h, batch, start, end));
}

static inline void write_nothing(Harness *h, gint64 start, gint64 end)
{
    harness_write(h, 0, harness_with_range(h, harness_rows(h, 0, "events/3", start, NULL, 0), start, end));
}

#define ROWS "{\"id\":1,\"name\":\"a\"} {\"id\":2,\"name\":null}"

#endif
