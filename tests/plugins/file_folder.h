/* A directory for a test of file-source, which is the working directory meanwhile, and what the source reads there. */
#ifndef TEST_FILE_FOLDER_H
#define TEST_FILE_FOLDER_H

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include "harness.h"

typedef char Folder;

static inline Folder *folder_new(void)
{
    Folder *folder = g_dir_make_tmp("file-source-XXXXXX", NULL);
    g_assert_nonnull(folder);
    g_assert_cmpint(g_chdir(folder), ==, 0);
    g_setenv("XDG_STATE_HOME", folder, TRUE);
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

static inline void put(const char *path, const char *text)
{
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static inline void append(const char *path, const char *text)
{
    FILE *file = g_fopen(path, "ae");
    g_assert_nonnull(file);
    g_assert_cmpuint(fwrite(text, 1, strlen(text), file), ==, strlen(text));
    g_assert_cmpint(fclose(file), ==, 0);
}

static inline Harness *bounded(const char *options)
{
    Harness *h = harness_new("file-source", options);
    h->bounded = true;
    return h;
}

/* "offset:value" of all rows up to the end, joined by blanks. */
static inline char *values_of(const GPtrArray *batches)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; i < batches->len && batches->pdata[i]; i++) {
        const SfBatch *batch = batches->pdata[i];
        SfColumn value, offset;
        g_assert_cmpint(sf_column(batch, "value", SF_BINARY, &value, NULL), ==, SF_OK);
        g_assert_cmpint(sf_column(batch, "offset", SF_INT64, &offset, NULL), ==, SF_OK);
        for (int64_t row = 0; row < sf_rows(batch); row++) {
            SfBytes bytes = sf_bytes(&value, row);
            g_string_append_printf(out, "%s%d:%.*s", out->len ? " " : "", (int) sf_i64(&offset, row), (int) bytes.size,
                                   bytes.data);
        }
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static inline void assert_lines(Harness *h, gint64 rows, const char *expected)
{
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, rows);
    g_autofree char *values = values_of(batches);
    g_assert_cmpstr(values, ==, expected);
}

#endif
