/* file-source: which lines become which rows, where it goes on, and what it says of files that change under it. */
#include <locale.h>
#include <unistd.h>
#include "file_folder.h"

static void test_lines_become_rows(void)
{
    g_autoptr(Folder) folder = folder_new();
    put("sales.eu.jsonl", "{\"a\":1}\n\n{\"a\":22222222222222}\r\nlast");
    g_autoptr(Harness) h = bounded("path: sales.eu.jsonl");
    const SfBatch *batch = harness_poll(h, 0);
    g_assert_cmpstr(harness_text(h, batch), ==,
                    "{\"key\":null,\"value\":\"{\\\"a\\\":1}\",\"topic\":\"sales.eu\",\"partition\":0,\"offset\":0,"
                    "\"timestamp\":null,\"headers\":null}\n"
                    "{\"key\":null,\"value\":\"{\\\"a\\\":22222222222222}\",\"topic\":\"sales.eu\",\"partition\":0,"
                    "\"offset\":2,\"timestamp\":null,\"headers\":null}");
    g_assert_cmpint(batch->start, ==, 0);
    g_assert_cmpint(batch->end, ==, 3);
    assert_lines(h, 1, "3:last");
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->status, ==, SF_END);
}

static void test_byte_order_mark_is_no_part_of_the_first_line(void)
{
    g_autoptr(Folder) folder = folder_new();
    put("a.txt", "\xEF\xBB\xBF{}\n\xEF\xBB\xBFx\n");
    g_autoptr(Harness) h = bounded("path: a.txt");
    assert_lines(h, 2, "0:{} 1:\xEF\xBB\xBFx");
}

static void test_goes_on_at_the_line_that_the_sinks_need(void)
{
    g_autoptr(Folder) folder = folder_new();
    put("a.txt", "zero\none\ntwo\nthree\n");
    g_autoptr(Harness) first = bounded("path: a.txt");
    assert_lines(first, 4, "0:zero 1:one 2:two 3:three");
    g_autofree char *split = g_strdup(harness_assigned(first));
    g_assert_true(g_str_has_prefix(split, "a.txt#"));
    append("a.txt", "four\n");
    g_autoptr(Harness) again = bounded("path: a.txt");
    harness_answer(again, split, 3);
    assert_lines(again, 9, "3:three 4:four");
}

static void test_a_line_without_break_is_not_read_twice(void)
{
    g_autoptr(Folder) folder = folder_new();
    put("a.txt", "zero\non");
    g_autoptr(Harness) first = bounded("path: a.txt");
    assert_lines(first, 9, "0:zero 1:on");
    g_autofree char *split = g_strdup(harness_assigned(first));
    append("a.txt", "e\ntwo\n");
    g_autoptr(Harness) again = bounded("path: a.txt");
    harness_answer(again, split, 2);
    assert_lines(again, 9, "2:two");
}

/* A bounded run took the end of the file for its last line's; whoever follows the file meets the rest of it. */
static void test_the_rest_of_a_line_that_was_read_is_passed_over(void)
{
    g_autoptr(Folder) folder = folder_new();
    put("a.txt", "zero\non");
    g_autoptr(Harness) first = bounded("path: a.txt");
    assert_lines(first, 9, "0:zero 1:on");
    g_autofree char *split = g_strdup(harness_assigned(first));
    g_autoptr(Harness) again = harness_new("file-source", "{path: a.txt, interval: 10ms}");
    harness_answer(again, split, 2);
    g_assert_null(harness_poll(again, 0));
    append("a.txt", "e");
    g_assert_null(harness_poll(again, 30));
    append("a.txt", "\ntwo\nthree");
    assert_lines(again, 1, "2:two");
    append("a.txt", "\n");
    assert_lines(again, 1, "3:three");
}

static void test_directories_and_patterns(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_assert_cmpint(g_mkdir("in", 0700), ==, 0);
    put("in/b.jsonl", "b\n");
    put("in/a.jsonl", "a\n");
    put("in/.hidden", "h\n");
    put("in/_hidden", "h\n");
    put("in/c.tmp", "c\n");
    put("in/empty", "");
    g_autoptr(Harness) all = bounded("path: in");
    assert_lines(all, 9, "0:a 0:b");
    g_autoptr(Harness) some = bounded("path: 'in/b*.jsonl'");
    assert_lines(some, 9, "0:b");
    g_autoptr(Harness) none = bounded("path: 'in/z*'");
    g_assert_null(harness_poll(none, 0));
    g_assert_cmpint(none->status, ==, SF_END);
}

static void test_files_are_followed(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_assert_cmpint(g_mkdir("in", 0700), ==, 0);
    put("in/a", "one\ntw");
    g_autoptr(Harness) h = harness_new("file-source", "{path: in, interval: 10ms}");
    assert_lines(h, 1, "0:one");
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->status, ==, SF_EMPTY);
    append("in/a", "o\n");
    assert_lines(h, 1, "1:two");
    put("in/b", "begun");
    g_assert_null(harness_poll(h, 30));
    append("in/b", "\nand ended\n");
    assert_lines(h, 2, "0:begun 1:and ended");
}

static void test_a_missing_file_is_waited_for_or_named(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) once = bounded("path: nowhere.jsonl");
    g_assert_cmpint(harness_try_open(once), ==, SF_CONFIG);
    g_assert_cmpstr(once->err.message, ==, "there is no file 'nowhere.jsonl'");
    g_autoptr(Harness) h = harness_new("file-source", "{path: later.jsonl, interval: 10ms}");
    g_assert_null(harness_poll(h, 0));
    put("later.jsonl", "here\n");
    assert_lines(h, 1, "0:here");
}

static void test_a_rotated_file_is_read_to_its_end(void)
{
    g_autoptr(Folder) folder = folder_new();
    put("log", "old 0\n");
    g_autoptr(Harness) h = harness_new("file-source", "{path: log, interval: 10ms}");
    assert_lines(h, 1, "0:old 0");
    g_assert_cmpint(g_rename("log", "log.1"), ==, 0);
    append("log.1", "old 1\n");
    put("log", "new 0\n");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 2);
    g_autofree char *values = values_of(batches);
    g_assert_nonnull(strstr(values, "1:old 1"));
    g_assert_nonnull(strstr(values, "0:new 0"));
}

static void test_another_file_under_the_same_name_is_another_split(void)
{
    g_autoptr(Folder) folder = folder_new();
    put("a.txt", "monday 1\nmonday 2\n");
    g_autoptr(Harness) first = bounded("path: a.txt");
    assert_lines(first, 9, "0:monday 1 1:monday 2");
    put("a.txt", "tuesday 1\ntuesday 2\ntuesday 3\n");
    g_autoptr(Harness) next = bounded("path: a.txt");
    harness_answer(next, harness_assigned(first), 2);
    assert_lines(next, 9, "0:tuesday 1 1:tuesday 2 2:tuesday 3");
}

static void test_a_file_that_was_cut_short_stops_the_source(void)
{
    g_autoptr(Folder) folder = folder_new();
    put("a.txt", "one\ntwo\nthree\n");
    g_autoptr(Harness) first = bounded("path: a.txt");
    assert_lines(first, 9, "0:one 1:two 2:three");
    put("a.txt", "one\n");
    g_autoptr(Harness) h = bounded("path: a.txt");
    harness_answer(h, harness_assigned(first), 3);
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->status, ==, SF_FATAL);
    g_assert_cmpstr(
        h->err.message, ==,
        "a.txt: has 1 lines, but 3 were read from it before: it was cut short; put it back, or give it another "
        "name to read it anew");
}

/* A header that all of them have says nothing: what stands before the position does. */
static void test_another_file_with_the_same_first_line(void)
{
    g_autoptr(Folder) folder = folder_new();
    put("a.txt", "head\nmonday 1\nmonday 2\n");
    g_autoptr(Harness) first = bounded("path: a.txt");
    assert_lines(first, 9, "0:head 1:monday 1 2:monday 2");
    g_autofree char *split = g_strdup(harness_assigned(first));
    harness_publish(first, true);
    append("a.txt", "monday 3\n");
    g_autoptr(Harness) grown = bounded("path: a.txt");
    harness_answer(grown, split, 3);
    assert_lines(grown, 9, "3:monday 3");
    g_assert_cmpstr(harness_assigned(grown), ==, split);
    harness_close(grown);
    put("a.txt", "head\ntuesday 1\ntuesday 2\ntuesday 3 and more\n");
    g_autofree char *second = g_strconcat(split, "@2", NULL);
    for (int run = 0; run < 2; run++) {
        g_autoptr(Harness) next = bounded("path: a.txt");
        harness_answer(next, split, 4);
        harness_answer(next, second, run == 0 ? 0 : 4);
        assert_lines(next, 9, run == 0 ? "0:head 1:tuesday 1 2:tuesday 2 3:tuesday 3 and more" : "");
        g_assert_cmpstr(harness_assigned(next), ==, second);
    }
}

/* The new file is shorter than the old one: the first two lines tell. */
static void test_a_shorter_file_with_the_same_first_line(void)
{
    g_autoptr(Folder) folder = folder_new();
    put("a.txt", "head\nmonday 1\nmonday 2\nmonday 3\n");
    g_autoptr(Harness) first = bounded("path: a.txt");
    assert_lines(first, 9, "0:head 1:monday 1 2:monday 2 3:monday 3");
    harness_close(first);
    put("a.txt", "head\ntuesday 1\n");
    g_autoptr(Harness) next = bounded("path: a.txt");
    harness_answer(next, harness_assigned(first), 4);
    assert_lines(next, 9, "0:head 1:tuesday 1");
}

static void test_a_memory_that_cannot_be_kept_is_said(void)
{
    g_autoptr(Folder) folder = folder_new();
    put("a.txt", "one\n");
    put("file", "");
    g_autoptr(Harness) h = bounded("{path: a.txt, state_dir: file/below}");
    assert_lines(h, 9, "0:one");
    harness_publish(h, true);
    g_assert_nonnull(strstr(harness_logs(h), "warning: cannot write 'file/below/"));
}

/* Polls until the log says it, or the source stops. */
static void poll_until_said(Harness *h, const char *text)
{
    g_autoptr(GTimer) timer = g_timer_new();
    while (!strstr(harness_logs(h), text) && h->status != SF_FATAL && g_timer_elapsed(timer, NULL) < 60)
        harness_poll(h, 10);
    g_assert_nonnull(strstr(harness_logs(h), text));
}

static void test_a_replacement_that_begins_alike_is_told_apart_while_it_runs(void)
{
    g_autoptr(Folder) folder = folder_new();
    put("a.txt", "same\ntwo\n");
    g_autoptr(Harness) h = harness_new("file-source", "{path: a.txt, interval: 10ms}");
    assert_lines(h, 2, "0:same 1:two");
    put("b.txt", "same\n");
    g_assert_cmpint(g_rename("b.txt", "a.txt"), ==, 0);
    poll_until_said(h, "a.txt: is shorter than what was read of it; waiting for more lines");
    append("a.txt", "other\n");
    assert_lines(h, 2, "0:same 1:other");
}

/* An editor that writes the file anew with a line more, or somebody who copies it back. */
static void test_the_same_lines_in_a_new_file_go_on(void)
{
    g_autoptr(Folder) folder = folder_new();
    put("a.txt", "one\ntwo\n");
    g_autoptr(Harness) h = harness_new("file-source", "{path: a.txt, interval: 10ms}");
    assert_lines(h, 2, "0:one 1:two");
    put("b.txt", "one\ntwo\nthree\n");
    g_assert_cmpint(g_rename("b.txt", "a.txt"), ==, 0);
    assert_lines(h, 1, "2:three");
}

static void test_long_lines(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autofree char *line = g_strnfill(3 << 20, 'x');
    put("a.txt", "short\n");
    append("a.txt", line);
    append("a.txt", "\nend\n");
    g_autoptr(Harness) h = bounded("path: a.txt");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 3);
    g_autofree char *values = values_of(batches);
    g_assert_cmpuint(strlen(values), ==, (3 << 20) + strlen("0:short 1: 2:end"));
    g_autoptr(Harness) small = bounded("{path: a.txt, max_line: 1MiB}");
    harness_poll(small, 0);
    while (small->status == SF_OK)
        harness_poll(small, 0);
    g_assert_cmpint(small->status, ==, SF_FATAL);
    g_assert_cmpstr(small->err.message, ==, "a.txt:2: line of more than 1048576 bytes; raise 'max_line'");
}

/* Lines around the chunks' ends come out whole, in small and large batches alike. */
static void test_chunks_cut_no_lines(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < 60000; i++)
        g_string_append_printf(
            text, "%d:%.*s\n", i, i % 97,
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs");
    put("a.txt", text->str);
    g_autoptr(Harness) h = bounded("{path: a.txt, batch_rows: 1000}");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 60000);
    int next = 0;
    for (guint i = 0; i < batches->len && batches->pdata[i]; i++) {
        SfColumn value;
        g_assert_cmpint(sf_column(batches->pdata[i], "value", SF_BINARY, &value, NULL), ==, SF_OK);
        for (int64_t row = 0; row < sf_rows(batches->pdata[i]); row++, next++) {
            SfBytes bytes = sf_bytes(&value, row);
            g_autofree char *copy = g_strndup(bytes.data, (gsize) bytes.size);
            g_assert_cmpint(g_ascii_strtoll(copy, NULL, 10), ==, next);
            g_assert_cmpint((int) (strchr(copy, ':') + 1 - copy) + next % 97, ==, bytes.size);
        }
    }
    g_assert_cmpint(next, ==, 60000);
}

static void test_interrupt_ends_a_wait(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) h = harness_new("file-source", "{path: ., interval: 1h}");
    harness_open(h);
    g_autoptr(GTimer) timer = g_timer_new();
    harness_interrupt_after(h, 50);
    g_assert_null(harness_poll(h, 60000));
    g_assert_cmpint(h->status, ==, SF_EMPTY);
    g_assert_cmpfloat(g_timer_elapsed(timer, NULL), <, 30);
}

static void test_wrong_paths(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autoptr(Harness) stdin_path = harness_new("file-source", "path: '-'");
    g_assert_cmpint(harness_try_bind(stdin_path), ==, SF_CONFIG);
    g_assert_cmpstr(stdin_path->err.message, ==,
                    "path '-': standard input cannot be read again after a failure; write it to a file");
    g_autoptr(Harness) device = bounded("path: /dev/null");
    g_assert_null(harness_poll(device, 0));
    g_assert_cmpint(device->status, ==, SF_CONFIG);
    g_assert_cmpstr(device->err.message, ==,
                    "'/dev/null' is not a regular file; lines are read from files that can be read again");
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/file-source/lines become rows", test_lines_become_rows);
    g_test_add_func("/file-source/a byte order mark is no part of the first line",
                    test_byte_order_mark_is_no_part_of_the_first_line);
    g_test_add_func("/file-source/goes on at the line that the sinks need",
                    test_goes_on_at_the_line_that_the_sinks_need);
    g_test_add_func("/file-source/a line without break is not read twice", test_a_line_without_break_is_not_read_twice);
    g_test_add_func("/file-source/the rest of a line that was read is passed over",
                    test_the_rest_of_a_line_that_was_read_is_passed_over);
    g_test_add_func("/file-source/directories and patterns", test_directories_and_patterns);
    g_test_add_func("/file-source/files are followed", test_files_are_followed);
    g_test_add_func("/file-source/a missing file is waited for or named", test_a_missing_file_is_waited_for_or_named);
    g_test_add_func("/file-source/a rotated file is read to its end", test_a_rotated_file_is_read_to_its_end);
    g_test_add_func("/file-source/another file under the same name is another split",
                    test_another_file_under_the_same_name_is_another_split);
    g_test_add_func("/file-source/a file that was cut short stops the source",
                    test_a_file_that_was_cut_short_stops_the_source);
    g_test_add_func("/file-source/another file with the same first line", test_another_file_with_the_same_first_line);
    g_test_add_func("/file-source/a shorter file with the same first line",
                    test_a_shorter_file_with_the_same_first_line);
    g_test_add_func("/file-source/a memory that cannot be kept is said", test_a_memory_that_cannot_be_kept_is_said);
    g_test_add_func("/file-source/a replacement that begins alike is told apart while it runs",
                    test_a_replacement_that_begins_alike_is_told_apart_while_it_runs);
    g_test_add_func("/file-source/the same lines in a new file go on", test_the_same_lines_in_a_new_file_go_on);
    g_test_add_func("/file-source/long lines", test_long_lines);
    g_test_add_func("/file-source/chunks cut no lines", test_chunks_cut_no_lines);
    g_test_add_func("/file-source/interrupt ends a wait", test_interrupt_ends_a_wait);
    g_test_add_func("/file-source/wrong paths", test_wrong_paths);
    return g_test_run();
}
