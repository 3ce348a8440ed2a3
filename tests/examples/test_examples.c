/* The plugin guide's examples keep the checklist that the guide gives to authors. */
#include <glib/gstdio.h>
#include <locale.h>
#include "harness.h"

static void test_count_starts_where_the_sinks_stopped(void)
{
    g_autoptr(Harness) h = harness_new("count-source", "{rows: 2500, broken: 1000}");
    h->bounded = true;
    harness_answer(h, "count/0", 998);
    const SfBatch *batch = harness_poll(h, 0);
    g_assert_cmpint(batch->start, ==, 998);
    g_assert_cmpint(sf_rows(batch), ==, 1000);
    g_assert_true(
        g_str_has_prefix(harness_text(h, batch), "{\"text\":\"998\"}\n{\"text\":\"number 999\"}\n{\"text\":\"1000\"}"));
    g_autoptr(GPtrArray) rest = harness_poll_rows(h, 10000);
    g_assert_cmpint(h->status, ==, SF_END);
    g_assert_cmpint(harness_polled(h, "count/0"), ==, 2500);
    g_assert_cmpstr(harness_logs(h), ==, "info: counting from 998 to 2500");
}

static void test_count_without_end_waits_no_longer_than_told(void)
{
    g_autoptr(Harness) h = harness_new("count-source", "rows: 0");
    gint64 start = g_get_monotonic_time();
    g_assert_null(harness_poll(h, 1000));
    g_assert_cmpint(h->status, ==, SF_EMPTY);
    g_assert_cmpint(g_get_monotonic_time() - start, <, G_USEC_PER_SEC);
}

static void test_count_reopens(void)
{
    g_autoptr(Harness) h = harness_new("count-source", "rows: 10");
    g_assert_cmpint(sf_rows(harness_poll(h, 0)), ==, 10);
    harness_reopen(h);
    g_assert_cmpint(sf_rows(harness_poll(h, 0)), ==, 10);
}

static void test_numbers_are_read_or_rejected(void)
{
    g_autoptr(Harness) h = harness_new("parse-numbers", "column: text");
    harness_input_text(h, "count", "text string");
    const char *const rows[] = {
        "[\"7\"]", "[\"seven\"]", "[null]", "[\"\"]", "[\"999999999999999999\"]", "[\"1000000000000000000\"]",
        "[\"-1\"]"};
    const SfBatch *out = harness_apply(h, harness_rows(h, 0, "count/0", 40, rows, G_N_ELEMENTS(rows)));
    g_assert_cmpstr(harness_text(h, out), ==, "{\"number\":7}\n{\"number\":999999999999999999}");
    g_assert_cmpstr(harness_rejects(h), ==,
                    "count/0@41: text: 'seven' is not a number\n"
                    "count/0@42: text: null is not a number\n"
                    "count/0@43: text: '' is not a number\n"
                    "count/0@45: text: '1000000000000000000' is not a number\n"
                    "count/0@46: text: '-1' is not a number");
}

static void test_number_column_must_be_a_text(void)
{
    g_autoptr(Harness) h = harness_new("parse-numbers", "column: n");
    harness_input_text(h, "count", "n bigint");
    g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
    g_assert_cmpstr(h->err.message, ==, "column 'n' is bigint, not text");
}

static void test_length_is_a_column_more(void)
{
    static const char *const rows[] = {"[\"abc\", [1, 2], 1]", "[null, null, 2]", "[\"\", [], 3]"};
    g_autoptr(Harness) h = harness_new("text-length", "{column: text, to: size}");
    harness_input_text(h, "rows", "text string, list list<int>, n bigint");
    const SfBatch *out = harness_apply(h, harness_rows(h, 0, "count/0", 0, rows, 3));
    g_assert_cmpstr(harness_text(h, out), ==,
                    "{\"text\":\"abc\",\"list\":[1,2],\"n\":1,\"size\":3}\n"
                    "{\"text\":null,\"list\":null,\"n\":2,\"size\":null}\n"
                    "{\"text\":\"\",\"list\":[],\"n\":3,\"size\":0}");
    g_autoptr(Harness) twice = harness_new("text-length", "{column: text, to: n}");
    harness_input_text(twice, "rows", "text string, n bigint");
    g_assert_cmpint(harness_try_bind(twice), ==, SF_CONFIG);
}

/* In one step: the others get their column, whatever is rejected between them, and a batch may lose all its rows. */
static void test_rows_that_are_too_long_are_rejected(void)
{
    static const char *const rows[] = {"[\"abcd\", 1]", "[\"a\", 2]", "[\"abc\", 3]", "[null, 4]"};
    g_autoptr(Harness) h = harness_new("text-length", "{column: text, most: 2}");
    harness_input_text(h, "rows", "text string, n bigint");
    const SfBatch *out = harness_apply(h, harness_rows(h, 0, "count/0", 0, rows, 4));
    g_assert_cmpstr(harness_text(h, out), ==,
                    "{\"text\":\"a\",\"n\":2,\"length\":1}\n{\"text\":null,\"n\":4,\"length\":null}");
    g_assert_cmpstr(harness_rejects(h), ==,
                    "count/0@0: text: a text of 4 bytes, where 2 are the most\n"
                    "count/0@2: text: a text of 3 bytes, where 2 are the most");
    g_assert_cmpint(sf_rows(harness_apply(h, harness_rows(h, 0, "count/0", 4, rows, 1))), ==, 0);
}

typedef struct Folder {
    char *path;
    char *options;
} Folder;

static void folder_set_up(Folder *f, gconstpointer data)
{
    (void) data;
    f->path = g_dir_make_tmp("sf-lines-XXXXXX", NULL);
    f->options = g_strdup_printf("path: %s/out", f->path);
}

static void empty(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        empty(file);
        g_remove(file);
    }
}

static void folder_tear_down(Folder *f, gconstpointer data)
{
    (void) data;
    empty(f->path);
    g_rmdir(f->path);
    g_free(f->path);
    g_free(f->options);
}

static void assert_file(const Folder *f, const char *name, const char *want)
{
    g_autofree char *path = g_build_filename(f->path, "out", name, NULL), *got = NULL;
    g_assert_true(g_file_get_contents(path, &got, NULL, NULL));
    g_assert_cmpstr(got, ==, want);
}

static Harness *lines_new(const Folder *f)
{
    Harness *h = harness_new("lines-sink", f->options);
    harness_input_text(h, "numbers", "number bigint");
    return h;
}

static const char *const numbers[] = {"[5]", "[null]", "[6]"};

static void test_file_is_named_by_its_range(Folder *f, gconstpointer data)
{
    (void) data;
    g_autoptr(Harness) h = lines_new(f);
    harness_write(h, 0, harness_rows(h, 0, "count/0", 5, numbers, 3));
    harness_write(h, 0, harness_rows(h, 0, "count/2", 0, numbers, 1));
    harness_commit(h, SF_COMMIT_END);
    assert_file(f, "count+0+5-8.txt", "5\n6\n");
    assert_file(f, "count+2+0-1.txt", "5\n");
    g_assert_cmpint(harness_committed(h, 0, "count/0"), ==, 8);
}

static void test_second_commit_changes_nothing(Folder *f, gconstpointer data)
{
    (void) data;
    g_autoptr(Harness) h = lines_new(f);
    harness_write(h, 0, harness_rows(h, 0, "count/0", 0, numbers, 3));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    assert_file(f, "count+0+0-3.txt", "5\n6\n");
}

static void test_what_was_not_committed_comes_again(Folder *f, gconstpointer data)
{
    (void) data;
    g_autoptr(Harness) h = lines_new(f);
    harness_write(h, 0, harness_rows(h, 0, "count/0", 0, numbers, 2));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    harness_write(h, 0, harness_rows(h, 0, "count/0", 2, numbers, 3));
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "count/0"), ==, 2);
    g_assert_cmpint(harness_recover(h, 0, "other/0"), ==, SF_POSITION_NONE);
    harness_write(h, 0, harness_rows(h, 0, "count/0", 0, numbers, 3)); /* of which the host cuts two off */
    harness_commit(h, SF_COMMIT_END);
    assert_file(f, "count+0+0-2.txt", "5\n");
    assert_file(f, "count+0+2-3.txt", "6\n");
}

static void test_directory_that_cannot_be_made_is_retried(Folder *f, gconstpointer data)
{
    (void) data;
    g_autofree char *options = g_strdup_printf("path: %s/not/there", f->path);
    g_autoptr(Harness) h = harness_new("lines-sink", options);
    harness_input_text(h, "numbers", "number bigint");
    g_assert_cmpint(harness_try_open(h), ==, SF_RETRY);
    g_assert_true(g_str_has_prefix(h->err.message, "cannot make directory '"));
}

static void test_sink_takes_one_input_of_bigints(void)
{
    g_autoptr(Harness) two = harness_new("lines-sink", "path: x");
    harness_input_text(two, "a", "number bigint");
    harness_input_text(two, "b", "number bigint");
    g_assert_cmpint(harness_try_bind(two), ==, SF_CONFIG);
    g_assert_cmpstr(two->err.message, ==, "lines-sink takes one input");
    g_autoptr(Harness) other = harness_new("lines-sink", "{path: x, column: name}");
    harness_input_text(other, "a", "name string");
    g_assert_cmpint(harness_try_bind(other), ==, SF_CONFIG);
    g_assert_cmpstr(other->err.message, ==, "column 'name' is string, not bigint");
}

static void add(const char *name, void (*test)(Folder *, gconstpointer))
{
    g_autofree char *path = g_strconcat("/examples/", name, NULL);
    g_test_add(path, Folder, NULL, folder_set_up, test, folder_tear_down);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/examples/count starts where the sinks stopped", test_count_starts_where_the_sinks_stopped);
    g_test_add_func("/examples/count without end waits no longer than told",
                    test_count_without_end_waits_no_longer_than_told);
    g_test_add_func("/examples/count reopens", test_count_reopens);
    g_test_add_func("/examples/numbers are read or rejected", test_numbers_are_read_or_rejected);
    g_test_add_func("/examples/number column must be a text", test_number_column_must_be_a_text);
    g_test_add_func("/examples/length is a column more", test_length_is_a_column_more);
    g_test_add_func("/examples/rows that are too long are rejected", test_rows_that_are_too_long_are_rejected);
    add("file is named by its range", test_file_is_named_by_its_range);
    add("second commit changes nothing", test_second_commit_changes_nothing);
    add("what was not committed comes again", test_what_was_not_committed_comes_again);
    add("directory that cannot be made is retried", test_directory_that_cannot_be_made_is_retried);
    g_test_add_func("/examples/sink takes one input of bigints", test_sink_takes_one_input_of_bigints);
    return g_test_run();
}
