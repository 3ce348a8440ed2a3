/* file-sink: links in its way, modes, descriptors, and paths that are none. */
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>
#include "sink_folder.h"

/* Whoever may write to the directory could make the sink write elsewhere. */
static void test_temporary_files_follow_no_links(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    g_autofree char *text = NULL;
    write_rows(h, 0, 10);
    g_assert_true(g_file_set_contents("theirs", "precious", -1, NULL));
    g_assert_cmpint(symlink("../theirs", "out/.events+3.tmp"), ==, 0);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    write_rows(h, 10, 20);
    g_assert_cmpint(link("theirs", "out/.events+3.tmp"), ==, 0);
    harness_commit(h, SF_COMMIT_REVOKE);
    assert_contents("out",
                    "events+3+00000000000000000000-10.jsonl: " ROWS "\nevents+3+00000000000000000010-20.jsonl: " ROWS);
    g_assert_cmpint(g_unlink("out/_positions/events+3"), ==, 0);
    g_assert_cmpint(symlink("../../theirs", "out/_positions/events+3"), ==, 0);
    const char *row[] = {"[1, \"a\"]"};
    g_assert_cmpint(harness_try_write(h, 0, harness_rows(h, 0, "events/3", 20, row, 1)), ==, SF_RETRY);
    g_assert_cmpstr(h->err.message, ==,
                    "cannot open 'out/_positions/events+3': it is a symbolic link, which is not followed; remove it");
    g_assert_true(g_file_get_contents("theirs", &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "precious");
}

static guint mode_of(const char *path)
{
    GStatBuf info;
    g_assert_cmpint(g_stat(path, &info), ==, 0);
    return info.st_mode & 0777;
}

static void test_files_have_the_mode_that_is_asked_for(void)
{
    static const char *const wrong[] = {"rw-r-----", "0440", "888", "06400", "''"};
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = harness_new("file-sink", "{path: out, mode: 0666}");
    harness_input_text(h, "events", SCHEMA);
    write_rows(h, 0, 10);
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpuint(mode_of("out/events+3+00000000000000000000-10.jsonl"), ==, 0666); /* whatever the umask */
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *options = g_strdup_printf("{path: out, mode: %s}", wrong[i]);
        g_autoptr(Harness) bad = harness_new("file-sink", options);
        g_assert_cmpint(harness_try_bind(bad), ==, SF_CONFIG);
        g_assert_true(g_str_has_prefix(bad->err.message, "mode: '"));
    }
}

static guint descriptors(void)
{
    guint n = 0;
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    while (g_dir_read_name(dir))
        n++;
    return n;
}

/* Many splits, few descriptors: those of long ago are locked anew when they have rows again. */
static void test_many_splits_take_few_descriptors(void)
{
    enum { SPLITS = 300 };
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    harness_open(h);
    guint before = descriptors();
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < SPLITS; i++) {
            g_autofree char *split = g_strdup_printf("events/%d", i);
            const char *row[] = {"[1, \"a\"]"};
            harness_write(h, 0, harness_rows(h, 0, split, round, row, 1));
            g_assert_cmpuint(descriptors(), <, before + 150);
        }
        harness_commit(h, SF_COMMIT_CHECKPOINT);
    }
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 2);
    g_assert_cmpint(harness_committed(h, 0, "events/299"), ==, 2);
    g_assert_true(g_file_test("out/events+7+00000000000000000001-2.jsonl", G_FILE_TEST_EXISTS));
}

/* Large hidden files of splits that are not locked any more would be anybody's. */
static void test_large_files_of_many_splits_are_committed_early(void)
{
    enum { SPLITS = 80 };
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    g_autofree char *name = g_strnfill(300 << 10, 'x');
    g_autofree char *large = g_strdup_printf("[1, \"%s\"]", name);
    const char *row[] = {large};
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < SPLITS; i++) {
            g_autofree char *split = g_strdup_printf("events/%d", i);
            harness_write(h, 0, harness_rows(h, 0, split, round, row, 1));
        }
    }
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 2);
    harness_commit(h, SF_COMMIT_END);
    for (int i = 0; i < SPLITS; i++) {
        g_autofree char *split = g_strdup_printf("events/%d", i);
        g_assert_cmpint(harness_committed(h, 0, split), ==, 2);
    }
}

static void test_urls_are_no_paths(void)
{
    g_autoptr(Harness) h = harness_new("file-sink", "path: s3://raw/sales");
    g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
    g_assert_cmpstr(h->err.message, ==,
                    "path: 's3://raw/sales' is a URL, where a path of this machine's is taken; s3-bronze-sink and "
                    "delta-silver-sink write to object stores");
}

static void test_a_working_directory_that_is_gone(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    g_assert_cmpint(harness_try_bind(h), ==, SF_OK);
    g_assert_cmpint(g_mkdir("gone", 0700), ==, 0);
    g_assert_cmpint(g_chdir("gone"), ==, 0);
    g_assert_cmpint(g_rmdir("../gone"), ==, 0);
    g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
    g_assert_true(
        g_str_has_prefix(h->err.message, "path: 'out' is relative, but the working directory cannot be told"));
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/file-sink/temporary files follow no links", test_temporary_files_follow_no_links);
    g_test_add_func("/file-sink/files have the mode that is asked for", test_files_have_the_mode_that_is_asked_for);
    g_test_add_func("/file-sink/many splits take few descriptors", test_many_splits_take_few_descriptors);
    g_test_add_func("/file-sink/large files of many splits are committed early",
                    test_large_files_of_many_splits_are_committed_early);
    g_test_add_func("/file-sink/URLs are no paths", test_urls_are_no_paths);
    g_test_add_func("/file-sink/a working directory that is gone", test_a_working_directory_that_is_gone);
    return g_test_run();
}
