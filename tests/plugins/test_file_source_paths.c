/* file-source: which files a path leads to, what it says where there are none, and files that are packed. */
#include <locale.h>
#include <zlib.h>
#include "file_folder.h"

static void test_topics(void)
{
    static const struct {
        const char *path, *options, *topic;
    } files[] = {{"sales.jsonl", "path: sales.jsonl", "sales"},
                 {"sales.eu.log", "path: sales.eu.log", "sales.eu"},
                 {"sales", "path: sales", "sales"},
                 {"x.jsonl", "{path: x.jsonl, topic: orders.v2}", "orders.v2"}};
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(Folder) folder = folder_new();
        put(files[i].path, "one\n");
        g_autoptr(Harness) h = bounded(files[i].options);
        g_autofree char *expected = g_strdup_printf("\"topic\":\"%s\"", files[i].topic);
        g_assert_nonnull(strstr(harness_text(h, harness_poll(h, 0)), expected));
    }
}

/* XDG Base Directory Specification: $XDG_STATE_HOME where it is absolute, else ~/.local/state. GLib asks for the home
 * directory once a process. */
static void test_where_memories_are_kept(void)
{
    static const char *const states[] = {NULL, "", "state", "/"};
    g_autoptr(Folder) home = g_dir_make_tmp("home-XXXXXX", NULL);
    g_setenv("HOME", home, TRUE);
    g_assert_cmpstr(g_get_home_dir(), ==, home);
    for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autoptr(Folder) folder = folder_new();
        put("a.txt", "one\n");
        bool absolute = states[i] && g_path_is_absolute(states[i]);
        g_autofree char *state = absolute ? g_build_filename(folder, "state", NULL) : g_strdup(states[i]);
        if (state)
            g_setenv("XDG_STATE_HOME", state, TRUE);
        else
            g_unsetenv("XDG_STATE_HOME");
        g_autoptr(Harness) h = bounded("path: a.txt");
        assert_lines(h, 9, "0:one");
        harness_publish(h, true);
        g_autofree char *place = absolute ? g_build_filename(state, "streamforge", NULL)
                                          : g_build_filename(home, ".local", "state", "streamforge", NULL);
        g_autoptr(GDir) kept = g_dir_open(place, 0, NULL);
        g_assert_nonnull(kept);
        guint files = 0;
        for (const char *name; (name = g_dir_read_name(kept));)
            files += g_str_has_suffix(name, ".files");
        g_assert_cmpuint(files, ==, absolute ? 1 : i + 1);
    }
}

/* ---- packed ---------------------------------------------------------------------------------------------------- */

static void put_packed(const char *path, const char *mode, const char *text)
{
    gzFile file = gzopen(path, mode);
    g_assert_nonnull(file);
    g_assert_cmpint(gzwrite(file, text, (unsigned) strlen(text)), ==, (int) strlen(text));
    g_assert_cmpint(gzclose(file), ==, Z_OK);
}

static void test_gzip_is_read_as_what_is_in_it(void)
{
    g_autoptr(Folder) folder = folder_new();
    put_packed("sales.jsonl.gz", "w", "{\"a\":1}\n{\"a\":2}\n");
    put_packed("sales.jsonl.gz", "a", "{\"a\":3}"); /* a second member */
    g_autoptr(Harness) h = bounded("path: '*.gz'");
    const SfBatch *batch = harness_poll(h, 0);
    g_assert_nonnull(strstr(harness_text(h, batch), "\"value\":\"{\\\"a\\\":1}\",\"topic\":\"sales\""));
    g_assert_cmpint(batch->end, ==, 2);
    assert_lines(h, 9, "2:{\"a\":3}");
    g_autoptr(Harness) again = bounded("path: '*.gz'");
    harness_answer(again, harness_assigned(h), 1);
    assert_lines(again, 9, "1:{\"a\":2} 2:{\"a\":3}");
}

static void test_gzip_that_grows_is_followed(void)
{
    g_autoptr(Folder) folder = folder_new();
    put_packed("a.gz", "w", "one\n");
    g_autoptr(Harness) h = harness_new("file-source", "{path: a.gz, interval: 10ms}");
    assert_lines(h, 1, "0:one");
    put_packed("a.gz", "a", "two\n");
    assert_lines(h, 1, "1:two");
}

/* What stands before the position tells a packed file from another one, too, however far into it that is. */
static void test_gzip_that_another_took_the_place_of(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(GString) monday = g_string_new("head\n"), tuesday = g_string_new("head\n");
    for (int i = 0; i < 20000; i++) {
        g_string_append_printf(monday, "monday %d\n", i);
        g_string_append_printf(tuesday, "tuesday %d\n", i);
    }
    put_packed("a.gz", "w", monday->str);
    g_autoptr(Harness) first = bounded("path: a.gz");
    g_autoptr(GPtrArray) read = harness_poll_rows(first, 20001);
    harness_publish(first, true);
    g_autofree char *split = g_strdup(harness_assigned(first));
    put_packed("a.gz", "a", "monday again\n");
    g_autoptr(Harness) grown = bounded("path: a.gz");
    harness_answer(grown, split, 20001);
    assert_lines(grown, 9, "20001:monday again");
    harness_close(grown);
    put_packed("a.gz", "w", tuesday->str);
    g_autoptr(Harness) other = bounded("path: a.gz");
    harness_answer(other, split, 20002);
    g_autoptr(GPtrArray) anew = harness_poll_rows(other, 20001);
    g_assert_cmpint(((const SfBatch *) anew->pdata[0])->start, ==, 0);
    g_autofree char *second = g_strconcat(split, "@2", NULL);
    g_assert_cmpstr(harness_assigned(other), ==, second);
}

static void test_gzip_that_is_cut_or_damaged_stops(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autofree char *packed = NULL;
    gsize size = 0;
    put_packed("a.gz", "w", "one\ntwo\n");
    g_assert_true(g_file_get_contents("a.gz", &packed, &size, NULL));
    g_assert_true(g_file_set_contents("a.gz", packed, (gssize) size - 9, NULL));
    g_autoptr(Harness) cut = bounded("path: a.gz");
    while (harness_poll(cut, 0))
        ;
    g_assert_cmpint(cut->status, ==, SF_FATAL);
    g_assert_nonnull(strstr(cut->err.message, "the gzip data ends too early; wait until the file is complete"));
    packed[size - 7] = (char) ~packed[size - 7]; /* of the checksum */
    g_assert_true(g_file_set_contents("a.gz", packed, (gssize) size, NULL));
    g_autoptr(Harness) damaged = bounded("path: a.gz");
    while (harness_poll(damaged, 0))
        ;
    g_assert_cmpint(damaged->status, ==, SF_FATAL);
    g_assert_nonnull(strstr(damaged->err.message, "the gzip data is damaged (incorrect data check)"));
}

#ifdef HAS_ZSTD
/* "one\ntwo\n" and "three\n" by zstd(1) 1.5, a frame each. */
static const char by_zstd[] = "\x28\xb5\x2f\xfd\x04\x58\x41\x00\x00one\ntwo\n\xe6\xa6\x0e\x40"
                              "\x28\xb5\x2f\xfd\x04\x58\x31\x00\x00"
                              "three\n\xd7\x06\xfd\x28";

static void test_zstd_is_read(void)
{
    g_autoptr(Folder) folder = folder_new();
    gsize size = sizeof by_zstd - 1;
    g_assert_true(g_file_set_contents("a.jsonl.zst", by_zstd, (gssize) size, NULL));
    g_autoptr(Harness) h = bounded("path: a.jsonl.zst");
    assert_lines(h, 9, "0:one 1:two 2:three");
    g_assert_true(g_file_set_contents("a.jsonl.zst", by_zstd, (gssize) size - 2, NULL));
    g_autoptr(Harness) cut = bounded("path: a.jsonl.zst");
    while (harness_poll(cut, 0))
        ;
    g_assert_cmpint(cut->status, ==, SF_FATAL);
    g_assert_nonnull(strstr(cut->err.message, "the zstd data ends too early; wait until the file is complete"));
}
#endif

static void test_other_packings_are_refused_by_name(void)
{
    static const struct {
        const char *bytes;
        const char *message;
    } cases[] = {
        {"BZh91AY&SY", "'a' is packed by bzip2; unpack it, or pack it by gzip or zstd"},
        {"PK\x03\x04____", "'a' is a zip archive; unpack it, or pack each file by gzip or zstd"},
        {"PAR1____PAR1", "'a' is a Parquet file, which has no lines"},
        {"\xFE\xFF_{_}", "'a' is UTF-16; convert it to UTF-8 (iconv)"},
    };
    g_autoptr(Folder) folder = folder_new();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        put("a", cases[i].bytes);
        g_autoptr(Harness) h = bounded("path: a");
        g_assert_null(harness_poll(h, 0));
        g_assert_cmpint(h->status, ==, SF_CONFIG);
        g_assert_cmpstr(h->err.message, ==, cases[i].message);
    }
}

/* ---- nothing there --------------------------------------------------------------------------------------------- */

static void assert_open_fails(const char *options, const char *message)
{
    g_autoptr(Harness) h = bounded(options);
    g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
    g_assert_cmpstr(h->err.message, ==, message);
}

static void test_a_path_that_leads_to_no_file_says_so(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_assert_cmpint(g_mkdir_with_parents("bronze/_sf/p", 0700), ==, 0);
    put("bronze/_sf/p/0.json", "{}\n");
    g_assert_cmpint(g_mkdir_with_parents("bronze/sales/day=1", 0700), ==, 0);
    put("bronze/sales/day=1/a.json", "{}\n");
    assert_open_fails("path: 'nothere/*.json'",
                      "path: there is no directory 'nothere', so no file matches 'nothere/*.json'");
    assert_open_fails(
        "path: bronze",
        "path: directory 'bronze' has directories only, and files in those, such as 'sales/day=1/a.json'; "
        "write a pattern such as 'bronze/sales/*/*.json'");
    assert_open_fails("path: 'bronze/sales/d*'",
                      "path: 'bronze/sales/d*' matches no file, only others, such as directory 'bronze/sales/day=1'; "
                      "write 'bronze/sales/d*/*'");
    g_autoptr(Harness) right = bounded("path: 'bronze/sales/*/*.json'");
    assert_lines(right, 9, "0:{}");
    g_autoptr(Harness) waits = harness_new("file-source", "path: 'nothere/*.json'");
    harness_open(waits);
    g_assert_cmpstr(harness_logs(waits), ==,
                    "warning: path: there is no directory 'nothere', so no file matches 'nothere/*.json'; waiting "
                    "for files");
}

static void test_nothing_to_read_is_said(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_assert_cmpint(g_mkdir("in", 0700), ==, 0);
    g_autoptr(Harness) none = bounded("path: 'in/*.json'");
    g_assert_null(harness_poll(none, 0));
    g_assert_cmpint(none->status, ==, SF_END);
    g_assert_cmpstr(harness_logs(none), ==, "warning: no file matches 'in/*.json'; nothing is read");
    put("in/empty.json", "");
    g_autoptr(Harness) empty = bounded("path: in");
    g_assert_null(harness_poll(empty, 0));
    g_assert_cmpint(empty->status, ==, SF_END);
    g_assert_cmpstr(harness_logs(empty), ==, "warning: every file of 'in' is empty; nothing is read");
}

static void test_urls_are_no_paths(void)
{
    static const char *const paths[] = {"s3://raw/sales", "S3A://raw", "https://host/x.json", "gs://b/c"};
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *options = g_strdup_printf("path: '%s'", paths[i]);
        g_autofree char *expected =
            g_strdup_printf("path: '%s' is a URL, where a path of this machine's is taken; copy "
                            "the objects to a directory, or read the topic they came from",
                            paths[i]);
        g_autoptr(Harness) h = bounded(options);
        g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
        g_assert_cmpstr(h->err.message, ==, expected);
    }
    g_autoptr(Harness) file = bounded("path: file:///tmp/x");
    g_assert_cmpint(harness_try_bind(file), ==, SF_CONFIG);
    g_assert_cmpstr(file->err.message, ==, "path: 'file:///tmp/x' is a URL; write the path alone: /tmp/x");
}

static void test_a_working_directory_that_is_gone(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_assert_cmpint(g_mkdir("gone", 0700), ==, 0);
    g_assert_cmpint(g_chdir("gone"), ==, 0);
    g_assert_cmpint(g_rmdir("../gone"), ==, 0);
    assert_open_fails("path: in",
                      "path: 'in' is relative, but the working directory cannot be told (No such file or directory); "
                      "start in a directory that is there, or write a path that begins with '/'");
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/file-source-paths/where memories are kept", test_where_memories_are_kept);
    g_test_add_func("/file-source/gzip is read as what is in it", test_gzip_is_read_as_what_is_in_it);
    g_test_add_func("/file-source/gzip that grows is followed", test_gzip_that_grows_is_followed);
    g_test_add_func("/file-source/gzip that is cut or damaged stops", test_gzip_that_is_cut_or_damaged_stops);
#ifdef HAS_ZSTD
    g_test_add_func("/file-source/zstd is read", test_zstd_is_read);
#endif
    g_test_add_func("/file-source/other packings are refused by name", test_other_packings_are_refused_by_name);
    g_test_add_func("/file-source/a path that leads to no file says so", test_a_path_that_leads_to_no_file_says_so);
    g_test_add_func("/file-source/nothing to read is said", test_nothing_to_read_is_said);
    g_test_add_func("/file-source/URLs are no paths", test_urls_are_no_paths);
    g_test_add_func("/file-source/a working directory that is gone", test_a_working_directory_that_is_gone);
    g_test_add_func("/file-source-paths/gzip that another took the place of", test_gzip_that_another_took_the_place_of);
    g_test_add_func("/file-source-paths/topics", test_topics);
    return g_test_run();
}
