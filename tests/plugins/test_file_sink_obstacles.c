/* file-sink: what others have put into its directory, and names that readers would not see. */
#include "sink_folder.h"

#define FIRST "out/events+3+00000000000000000000-10.jsonl"

static void test_names_that_readers_would_not_see(void)
{
    static const char *const splits[][2] = {{".events/3", "%2Eevents+3"},
                                            {"_events/3", "%5Fevents+3"},
                                            {"e_v.e-n#t/s/", "e_v.e-n#t=s="},
                                            {"a b/3x", "a%20b=3x"}};
    const char *row[] = {"[1, \"a\"]"};
    for (gsize i = 0; i < G_N_ELEMENTS(splits); i++) {
        g_autoptr(Folder) folder = folder_new();
        g_autoptr(Harness) h = sink();
        harness_write(h, 0, harness_rows(h, 0, splits[i][0], 0, row, 1));
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        g_autofree char *expected =
            g_strdup_printf("%s+00000000000000000000-1.jsonl: {\"id\":1,\"name\":\"a\"}", splits[i][1]);
        assert_contents("out", expected);
        harness_reopen(h);
        g_assert_cmpint(harness_recover(h, 0, splits[i][0]), ==, 1);
    }
}

/* Names that are like ours but for something are nobody's positions. */
static void test_files_of_others(void)
{
    static const char *const names[] = {"events+3+00000000000000000000-10.json",
                                        "events+3+000-10.jsonl",
                                        "events+3+00000000000000000010-5.jsonl",
                                        "events+3+00000000000000000000-x.jsonl",
                                        "events+3+00000000000000000000+10.jsonl",
                                        "events+3+00000000000000000000-10.jsonl.gz",
                                        "events+3+00000000000000000000-9223372036854775808.jsonl",
                                        "events+3+x",
                                        "events+3",
                                        "events+33+00000000000000000000-10.jsonl"};
    g_autoptr(Folder) folder = folder_new();
    g_assert_cmpint(g_mkdir("out", 0777), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename("out", names[i], NULL);
        g_assert_true(g_file_set_contents(path, "", 0, NULL));
    }
    g_autoptr(Harness) h = sink();
    g_assert_cmpint(harness_recover(h, 0, "events/3"), ==, SF_POSITION_NONE);
    g_assert_true(g_file_set_contents("out/events+3+00000000000000000007-7.jsonl", "", 0, NULL)); /* a range of none */
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/3"), ==, 7);
    g_assert_cmpint(g_unlink("out/events+3+00000000000000000007-7.jsonl"), ==, 0);
    g_assert_true(g_file_set_contents("out/events+3+00000000000000000007-9223372036854775807.jsonl", "", 0, NULL));
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/3"), ==, INT64_MAX);
}

static void test_a_name_that_is_taken(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    write_rows(h, 0, 10);
    g_assert_cmpint(g_mkdir(FIRST, 0777), ==, 0);
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    g_assert_cmpstr(h->err.message, ==, "cannot rename to '" FIRST "': Is a directory");
    g_assert_cmpint(harness_committed(h, 0, "events/3"), ==, SF_POSITION_NONE);
    g_assert_cmpint(g_rmdir(FIRST), ==, 0);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    assert_contents("out", "events+3+00000000000000000000-10.jsonl: " ROWS);
}

static void test_positions_that_are_none(void)
{
    static const char *const texts[] = {"12", "x\n", "\n", "12 \n", "9223372036854775808\n", "-1\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(Folder) folder = folder_new();
        g_autoptr(Harness) h = sink();
        harness_open(h);
        g_assert_true(g_file_set_contents("out/_positions/events+3", texts[i], -1, NULL));
        g_assert_cmpint(harness_try_recover(h, 0, "events/3"), ==, SF_FATAL);
        g_assert_cmpstr(h->err.message, ==,
                        "'out/_positions/events+3' holds no position; put it back, or remove it to go on behind the "
                        "last file");
    }
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    harness_open(h);
    g_assert_true(g_file_set_contents("out/_positions/events+3", "00000000000000000012\n", -1, NULL));
    g_assert_cmpint(harness_recover(h, 0, "events/3"), ==, 12);
}

static void test_places_that_are_taken(void)
{
    static const struct {
        const char *file, *directory, *message;
    } cases[] = {{"out", NULL, "cannot create directory 'out': "},
                 {NULL, "out/_streamforge", "cannot read 'out/_streamforge': "},
                 {"out/_positions", NULL, "cannot create directory 'out/_positions': "}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Folder) folder = folder_new();
        if (cases[i].directory)
            g_assert_cmpint(g_mkdir_with_parents(cases[i].directory, 0777), ==, 0);
        if (cases[i].file && strchr(cases[i].file, '/'))
            g_assert_cmpint(g_mkdir("out", 0777), ==, 0);
        if (cases[i].file)
            g_assert_true(g_file_set_contents(cases[i].file, "theirs", -1, NULL));
        g_autoptr(Harness) h = sink();
        SfStatus status = harness_try_open(h);
        if (status == SF_OK)
            status = harness_try_recover(h, 0, "events/3");
        g_assert_cmpint(status, ==, SF_RETRY);
        if (!g_str_has_prefix(h->err.message, cases[i].message))
            g_error("'%s' does not begin '%s'", cases[i].message, h->err.message);
    }
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    harness_open(h);
    g_assert_cmpint(g_mkdir("out/_positions/events+3", 0777), ==, 0);
    g_assert_cmpint(harness_try_recover(h, 0, "events/3"), ==, SF_RETRY);
    g_assert_cmpstr(h->err.message, ==, "cannot open 'out/_positions/events+3': Is a directory");
    g_assert_cmpint(g_rmdir("out/_positions/events+3"), ==, 0);
    g_assert_cmpint(harness_recover(h, 0, "events/3"), ==, SF_POSITION_NONE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/file-sink/names that readers would not see", test_names_that_readers_would_not_see);
    g_test_add_func("/file-sink/files of others are passed over", test_files_of_others);
    g_test_add_func("/file-sink/a name that is taken is waited for", test_a_name_that_is_taken);
    g_test_add_func("/file-sink/positions that are none stop it", test_positions_that_are_none);
    g_test_add_func("/file-sink/places that are taken are told", test_places_that_are_taken);
    return g_test_run();
}
