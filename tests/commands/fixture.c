/* See fixture.h. */
#include "fixture.h"

#include <string.h>

#include "tree.h"

#define DATA SF_SOURCE_DIR "/tests/data/delta-tables.tgz"

void set_up_empty(Fixture *f, gconstpointer unused)
{
    (void) unused;
    f->root = g_dir_make_tmp("sf-command-XXXXXX", NULL);
    g_assert_nonnull(f->root);
}

void set_up_tables(Fixture *f, gconstpointer unused)
{
    set_up_empty(f, unused);
    expect(f, "sh -c 'tar xzf " DATA "'", 0, "", NULL);
}

void tear_down(Fixture *f, gconstpointer unused)
{
    (void) unused;
    remove_tree(f->root);
    g_free(f->root);
}

static Ran run_expecting(const Fixture *f, const char *words, int status, const char *err)
{
    Ran ran = run_program(f->root, words);
    g_test_message("%s: %s%s", words, ran.out, ran.err);
    g_assert_cmpint(ran.status, ==, status);
    if (err)
        g_assert_nonnull(strstr(ran.err, err));
    else
        g_assert_cmpstr(ran.err, ==, "");
    return ran;
}

void expect(const Fixture *f, const char *words, int status, const char *out, const char *err)
{
    g_auto(Ran) ran = run_expecting(f, words, status, err);
    if (out)
        g_assert_cmpstr(ran.out, ==, out);
}

void expect_part(const Fixture *f, const char *words, int status, const char *out, const char *err)
{
    g_auto(Ran) ran = run_expecting(f, words, status, err);
    if (out)
        g_assert_nonnull(strstr(ran.out, out));
}

char *rows_of(const Fixture *f, const char *table)
{
    g_autofree char *words = g_strdup_printf("sh -c '$SF_TEST_SFRUN table %s -n 100000 --json | sort'", table);
    g_auto(Ran) ran = run_expecting(f, words, 0, NULL);
    return g_steal_pointer(&ran.out);
}

char *first_path(const Fixture *f)
{
    g_autofree char *log = g_build_filename(f->root, "rs/types/_delta_log/00000000000000000000.json", NULL),
                    *text = NULL;
    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    char *start = strstr(text, "\"path\":\"") + strlen("\"path\":\"");
    return g_strndup(start, strcspn(start, "\""));
}

#ifdef HAS_S3
void upload(FakeS3 *fake, const Fixture *f, const char *folder, const char *bucket)
{
    g_autofree char *words = g_strdup_printf("sh -c 'cd %s && find . -type f'", folder);
    g_auto(Ran) ran = run_expecting(f, words, 0, NULL);
    g_auto(GStrv) files = g_strsplit(g_strchomp(ran.out), "\n", -1);
    for (char **file = files; *file; file++) {
        g_autofree char *path = g_build_filename(f->root, folder, *file + 2, NULL), *body = NULL;
        g_autofree char *key = g_strdup_printf("/%s/%s", bucket, *file + 2);
        gsize size;
        g_assert_true(g_file_get_contents(path, &body, &size, NULL));
        fake_s3_set_bytes(fake, key, body, size);
    }
}
#endif
