/* file-sink: what lies in which files after which commits, and that a crash at any point loses and doubles nothing. */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sink_folder.h"

static void test_names_say_the_range(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    write_rows(h, 100, 110);
    write_rows(h, 110, 112);
    assert_contents("out", "");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(harness_committed(h, 0, "events/3"), ==, 112);
    write_rows(h, 112, 120);
    harness_commit(h, SF_COMMIT_END);
    assert_contents("out", "events+3+00000000000000000100-112.jsonl: " ROWS " " ROWS
                           "\nevents+3+00000000000000000112-120.jsonl: " ROWS);
}

static void test_a_new_attempt_goes_on_where_files_end(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    g_assert_cmpint(harness_recover(h, 0, "events/3"), ==, SF_POSITION_NONE);
    write_rows(h, 0, 10);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    write_rows(h, 10, 20);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/3"), ==, 10);
    write_rows(h, 10, 15);
    harness_commit(h, SF_COMMIT_END);
    assert_contents("out",
                    "events+3+00000000000000000000-10.jsonl: " ROWS "\nevents+3+00000000000000000010-15.jsonl: " ROWS);
}

static void test_ranges_without_rows_leave_no_files(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    write_nothing(h, 0, 1000);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(harness_committed(h, 0, "events/3"), ==, 1000);
    assert_contents("out", "");
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/3"), ==, 1000);
    write_nothing(h, 1000, 1500);
    write_rows(h, 1500, 1600);
    write_nothing(h, 1600, 2000);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    assert_contents("out", "events+3+00000000000000001000-2000.jsonl: " ROWS);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/3"), ==, 2000);
}

static void test_files_that_are_taken_away_are_not_written_again(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    write_rows(h, 0, 10);
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(g_unlink("out/events+3+00000000000000000000-10.jsonl"), ==, 0);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/3"), ==, 10);
}

static void test_splits_and_inputs_are_kept_apart(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = harness_new("file-sink", "path: out");
    harness_input_text(h, "bronze.errors", SCHEMA);
    harness_input_text(h, "sales.errors", "n int");
    const char *sales[] = {"[1, \"a\"]"}, *errors[] = {"[7]"};
    harness_write(h, 0, harness_rows(h, 0, "events/0", 5, sales, 1));
    harness_write(h, 0, harness_rows(h, 0, "in/Müll.jsonl#12ab", 5, sales, 1));
    harness_write(h, 1, harness_rows(h, 1, "events/0", 5, errors, 1));
    harness_commit(h, SF_COMMIT_END);
    assert_contents("out/bronze.errors",
                    "events+0+00000000000000000005-6.jsonl: {\"id\":1,\"name\":\"a\"}\n"
                    "in=M%C3%BCll.jsonl#12ab+00000000000000000005-6.jsonl: {\"id\":1,\"name\":\"a\"}");
    assert_contents("out/sales.errors", "events+0+00000000000000000005-6.jsonl: {\"n\":7}");
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 1, "events/0"), ==, 6);
    g_assert_cmpint(harness_recover(h, 1, "events/1"), ==, SF_POSITION_NONE);
}

static void test_very_long_names(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autofree char *fill = g_strnfill(3000, 'x');
    g_autofree char *split = g_strdup_printf("%s.a/0", fill), *other = g_strdup_printf("%s.b/0", fill);
    g_autoptr(Harness) h = sink();
    const char *row[] = {"[1, \"a\"]"};
    harness_write(h, 0, harness_rows(h, 0, split, 0, row, 1));
    harness_write(h, 0, harness_rows(h, 0, other, 0, row, 1));
    harness_commit(h, SF_COMMIT_END);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, split), ==, 1);
    g_assert_cmpint(harness_recover(h, 0, other), ==, 1);
}

static void test_big_files_are_committed_before_the_checkpoint(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = harness_new("file-sink", "{path: out, file_size: 1KiB}");
    harness_input_text(h, "sales", SCHEMA);
    g_autofree char *fill = g_strnfill(2 << 20, 'x');
    g_autofree char *row = g_strdup_printf("[1, \"%s\"]", fill);
    for (int i = 0; i < 4; i++)
        harness_write(h, 0, harness_rows(h, 0, "events/3", i, (const char *[]){row}, 1));
    g_assert_cmpint(harness_committed(h, 0, "events/3"), ==, 3);
}

static void test_memory_is_charged(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    g_autofree char *fill = g_strnfill(2 << 20, 'x');
    g_autofree char *row = g_strdup_printf("[1, \"%s\"]", fill);
    harness_write(h, 0, harness_rows(h, 0, "events/3", 0, (const char *[]){row}, 1));
    g_assert_cmpint(h->charged, >, 2 << 20);
    harness_commit(h, SF_COMMIT_MEMORY);
    g_assert_cmpint(h->charged, <, 1024);
    harness_close(h);
    g_assert_cmpint(h->charged, ==, 0);
}

static void test_overlapping_files_stop_the_sink(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    write_rows(h, 0, 10);
    harness_commit(h, SF_COMMIT_END);
    g_assert_true(g_file_set_contents("out/events+3+00000000000000000005-20.jsonl", "", 0, NULL));
    harness_reopen(h);
    SfRecovery chain = {.input = 0, .split = harness_split(h, "events/3"), .hint = SF_POSITION_NONE};
    const SfSink *plugin = &h->instance->plugin->sink;
    g_assert_cmpint(plugin->recover(h->node, &chain, 1, &h->err), ==, SF_FATAL);
    g_assert_cmpstr(h->err.message, ==,
                    "files of 'events+3' in 'out' overlap at 5: one of them is not ours; move it away");
}

static void test_other_steps_are_kept_out(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_assert_cmpint(g_mkdir("out", 0700), ==, 0);
    g_assert_true(g_file_set_contents("out/_streamforge", "step a of pipeline b\none input\n", -1, NULL));
    g_autoptr(Harness) h = sink();
    g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
    g_assert_cmpstr(h->err.message, ==,
                    "directory 'out' belongs to step a of pipeline b; every step needs a directory of its own");
}

static void test_more_inputs_need_a_new_directory(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) one = sink();
    harness_open(one);
    harness_close(one);
    g_autoptr(Harness) two = harness_new("file-sink", "path: out");
    harness_input_text(two, "a", SCHEMA);
    harness_input_text(two, "b", SCHEMA);
    g_assert_cmpint(harness_try_open(two), ==, SF_CONFIG);
    g_assert_cmpstr(two->err.message, ==,
                    "directory 'out' was begun with one input; a step that gets more or fewer needs a new directory");
}

static void test_a_split_has_one_writer_at_a_time(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    harness_open(h);
    int fd = g_open("out/_positions/events+3", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(flock(fd, LOCK_EX | LOCK_NB), ==, 0);
    SfRecovery chain = {.input = 0, .split = harness_split(h, "events/3"), .hint = SF_POSITION_NONE};
    const SfSink *plugin = &h->instance->plugin->sink;
    g_assert_cmpint(plugin->recover(h->node, &chain, 1, &h->err), ==, SF_RETRY);
    g_assert_cmpstr(h->err.message, ==, "another process is writing files of split 'events/3' to 'out'");
    g_assert_cmpint(close(fd), ==, 0);
    g_assert_cmpint(plugin->recover(h->node, &chain, 1, &h->err), ==, SF_OK);
}

static void test_a_split_that_moved_on_elsewhere_fences(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    write_rows(h, 0, 10);
    harness_commit(h, SF_COMMIT_REVOKE);
    g_assert_true(g_file_set_contents("out/events+3+00000000000000000010-20.jsonl", "", 0, NULL));
    const char *row[] = {"[1, \"a\"]"};
    g_assert_cmpint(harness_try_write(h, 0, harness_rows(h, 0, "events/3", 10, row, 1)), ==, SF_FENCED);
    g_assert_cmpstr(h->err.message, ==, "another process has moved split 'events/3' in 'out' on to 20");
}

static void test_disk_errors_are_retried_without_loss(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    write_rows(h, 0, 10);
    g_assert_cmpint(g_mkdir("out/.events+3.tmp", 0700), ==, 0); /* in the way of the hidden file */
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    g_assert_true(g_str_has_prefix(h->err.message, "cannot create 'out/.events+3.tmp': "));
    g_assert_cmpint(g_rmdir("out/.events+3.tmp"), ==, 0);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    assert_contents("out", "events+3+00000000000000000000-10.jsonl: " ROWS);
}

static void test_rejects_are_durable_first(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = sink();
    write_rows(h, 0, 10);
    h->settle_answer = SF_RETRY;
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    assert_contents("out", "");
    h->settle_answer = SF_OK;
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    assert_contents("out", "events+3+00000000000000000000-10.jsonl: " ROWS);
}

static void test_values_as_they_are(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = harness_new("file-sink", "{path: out, format: value}");
    const char *values[] = {"{\"a\": 1}", NULL, "two\nlines", ""};
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 4));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents("out/events+0+00000000000000000000-4.jsonl", &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "{\"a\": 1}\n\n");
    g_assert_cmpstr(harness_rejects(h), ==,
                    "events/0@1: no value, where format value writes it as a line\n"
                    "events/0@2: a line break in the value would make two lines of it; format json escapes it");
}

static void test_format_value_needs_its_column(void)
{
    g_autoptr(Harness) h = harness_new("file-sink", "{path: out, format: value}");
    harness_input_text(h, "sales", SCHEMA);
    g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
    g_assert_cmpstr(h->err.message, ==, "the input has no column 'value'; name the one to write by 'column'");
    g_autoptr(Harness) wrong = harness_new("file-sink", "{path: out, format: value, column: id}");
    harness_input_text(wrong, "sales", SCHEMA);
    g_assert_cmpint(harness_try_bind(wrong), ==, SF_CONFIG);
    g_assert_cmpstr(wrong->err.message, ==, "column 'id' is int; format value writes binary or string");
}

static void test_all_types_as_json(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = harness_new("file-sink", "path: out");
    harness_input_text(h, "sales",
                       "b bool, i int, l bigint, d double, m decimal(38,2), s string, v string view, x binary, y date, "
                       "t timestamp, n list<int>, o struct<a int, p list<string>>");
    const char *rows[] = {"[true, -5, 9007199254740993, 0.1, 123456789012345678901234567890.12, \"a\\\"\\n\", \"a view "
                          "longer than twelve\", "
                          "\"xyz\", \"2024-02-29\", \"2024-01-15T10:30:01.5Z\", [1, null], {\"a\": 1, \"p\": [\"q\"]}]",
                          "[null, null, null, null, null, null, null, null, null, null, null, null]"};
    harness_write(h, 0, harness_rows(h, 0, "e/0", 0, rows, 2));
    harness_commit(h, SF_COMMIT_END);
    assert_contents(
        "out", "e+0+00000000000000000000-2.jsonl: "
               "{\"b\":true,\"i\":-5,\"l\":9007199254740993,\"d\":0.1,\"m\":123456789012345678901234567890.12,"
               "\"s\":\"a\\\"\\n\",\"v\":\"a view longer than twelve\",\"x\":\"eHl6\",\"y\":\"2024-02-29\","
               "\"t\":\"2024-01-15T10:30:01.500000Z\",\"n\":[1,null],\"o\":{\"a\":1,\"p\":[\"q\"]}} "
               "{\"b\":null,\"i\":null,\"l\":null,\"d\":null,\"m\":null,\"s\":null,\"v\":null,\"x\":null,\"y\":null,"
               "\"t\":null,\"n\":null,\"o\":null}");
}

static void test_raw_rows_as_json(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = harness_new("file-sink", "path: out");
    static const char *const headers[] = {"source", "web", NULL};
    RawRow rows[] = {{.key = "k", .value = "{\"a\":1}", .timestamp_us = 1705314601000000, .headers = headers},
                     {.value = "\xff\xfe", .offset = 1}};
    harness_write(h, 0, harness_raw_rows(h, "events/0", rows, 2));
    harness_commit(h, SF_COMMIT_END);
    assert_contents(
        "out", "events+0+00000000000000000000-2.jsonl: "
               "{\"key\":\"k\",\"value\":\"{\\\"a\\\":1}\",\"topic\":\"events\",\"partition\":0,\"offset\":0,"
               "\"timestamp\":\"2024-01-15T10:30:01.000000Z\",\"headers\":[{\"key\":\"source\",\"value\":\"web\"}]} "
               "{\"key\":null,\"value_base64\":\"//4=\",\"topic\":\"events\",\"partition\":0,\"offset\":1,"
               "\"timestamp\":null,\"headers\":null}");
}

static void test_standard_output(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = harness_new("file-sink", "path: '-'");
    harness_input_text(h, "sales", SCHEMA);
    harness_open(h);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    int fd = g_open("printed", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(dup2(fd, STDOUT_FILENO), ==, STDOUT_FILENO);
    write_rows(h, 0, 10);
    g_assert_cmpint(dup2(saved, STDOUT_FILENO), ==, STDOUT_FILENO);
    close(saved);
    close(fd);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(harness_committed(h, 0, "events/3"), ==, 10);
    g_autofree char *printed = NULL;
    g_assert_true(g_file_get_contents("printed", &printed, NULL, NULL));
    g_assert_cmpstr(printed, ==, "{\"id\":1,\"name\":\"a\"}\n{\"id\":2,\"name\":null}\n");
}

#ifdef SF_FAULTS
/* Where the child dies. */
static const char *fatal_point;
static int fatal_passage;

static void die_there(SfNode *node, const char *point)
{
    (void) node;
    if (g_str_equal(point, fatal_point) && --fatal_passage == 0)
        raise(SIGKILL);
}

static void write_all(bool dies)
{
    g_autoptr(Harness) h = sink();
    gint64 start = MAX(harness_recover(h, 0, "events/3"), 0);
    SfHost host = *h->node->host;
    host.fault = die_there;
    if (dies)
        h->node->host = &host;
    for (gint64 i = start; i < 60; i++) {
        g_autofree char *row = g_strdup_printf("[%d, null]", (int) i);
        if (i % 10 < 5)
            write_nothing(h, i, i + 1);
        else
            harness_write(h, 0, harness_rows(h, 0, "events/3", i, (const char *[]){row}, 1));
        if (i % 4 == 3)
            harness_commit(h, SF_COMMIT_CHECKPOINT);
    }
    harness_commit(h, SF_COMMIT_END);
}

static void assert_all_there_once(void)
{
    g_autofree char *got = contents("out");
    g_autoptr(GString) ids = g_string_new(NULL);
    for (const char *p = got; (p = strstr(p, "\"id\":")); p++)
        g_string_append_printf(ids, "%d ", (int) g_ascii_strtoll(p + 5, NULL, 10));
    g_autoptr(GString) expected = g_string_new(NULL);
    for (int i = 0; i < 60; i++)
        if (i % 10 >= 5)
            g_string_append_printf(expected, "%d ", i);
    g_assert_cmpstr(ids->str, ==, expected->str);
}

static void test_killed_anywhere(void)
{
    static const char *const points[] = {"file-sink:written", "file-sink:synced", "file-sink:renamed",
                                         "file-sink:positioned"};
    for (gsize i = 0; i < G_N_ELEMENTS(points) * 6; i++) {
        g_autoptr(Folder) folder = folder_new();
        fatal_point = points[i / 6];
        fatal_passage = (int) (i % 6) + 1;
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            write_all(true);
            _exit(0);
        }
        g_assert_cmpint(waitpid(child, &status, 0), ==, child);
        g_assert_true(WIFSIGNALED(status));
        g_assert_cmpint(WTERMSIG(status), ==, SIGKILL);
        write_all(false);
        assert_all_there_once();
    }
}
#endif

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/file-sink/names say the range", test_names_say_the_range);
    g_test_add_func("/file-sink/a new attempt goes on where files end", test_a_new_attempt_goes_on_where_files_end);
    g_test_add_func("/file-sink/ranges without rows leave no files", test_ranges_without_rows_leave_no_files);
    g_test_add_func("/file-sink/files that are taken away are not written again",
                    test_files_that_are_taken_away_are_not_written_again);
    g_test_add_func("/file-sink/splits and inputs are kept apart", test_splits_and_inputs_are_kept_apart);
    g_test_add_func("/file-sink/very long names", test_very_long_names);
    g_test_add_func("/file-sink/big files are committed before the checkpoint",
                    test_big_files_are_committed_before_the_checkpoint);
    g_test_add_func("/file-sink/memory is charged", test_memory_is_charged);
    g_test_add_func("/file-sink/overlapping files stop the sink", test_overlapping_files_stop_the_sink);
    g_test_add_func("/file-sink/other steps are kept out", test_other_steps_are_kept_out);
    g_test_add_func("/file-sink/more inputs need a new directory", test_more_inputs_need_a_new_directory);
    g_test_add_func("/file-sink/a split has one writer at a time", test_a_split_has_one_writer_at_a_time);
    g_test_add_func("/file-sink/a split that moved on elsewhere fences", test_a_split_that_moved_on_elsewhere_fences);
    g_test_add_func("/file-sink/disk errors are retried without loss", test_disk_errors_are_retried_without_loss);
    g_test_add_func("/file-sink/rejects are durable first", test_rejects_are_durable_first);
    g_test_add_func("/file-sink/values as they are", test_values_as_they_are);
    g_test_add_func("/file-sink/format value needs its column", test_format_value_needs_its_column);
    g_test_add_func("/file-sink/all types as JSON", test_all_types_as_json);
    g_test_add_func("/file-sink/raw rows as JSON", test_raw_rows_as_json);
    g_test_add_func("/file-sink/standard output", test_standard_output);
#ifdef SF_FAULTS
    g_test_add_func("/file-sink/killed anywhere", test_killed_anywhere);
#endif
    return g_test_run();
}
