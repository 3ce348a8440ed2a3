/* file-source: in which order files are read, and what it keeps of those that are not read at the moment; and a
 * file that goes while it is audited. */
#include <dlfcn.h>
#include <locale.h>
#include <stdarg.h>
#include "file_folder.h"

#define EXPORTED __attribute__((visibility("default")))

/* A file that is removed when it has been opened so many times. */
static const char *going;
static int opens_left;

EXPORTED int open64(const char *path, int flags, ...);

EXPORTED int open64(const char *path, int flags, ...)
{
    int (*real)(const char *, int, ...) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "open64");
    va_list rest;
    va_start(rest, flags);
    unsigned mode = va_arg(rest, unsigned);
    va_end(rest);
    if (going && strcmp(path, going) == 0 && opens_left-- == 0)
        g_assert_cmpint(g_unlink(path), ==, 0);
    return real(path, flags, mode);
}

/* `lines` lines of 100 bytes, each with its number and the file's name. */
static void put_lines(const char *path, int lines)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < lines; i++)
        g_string_append_printf(text, "%s %-*d\n", path, 98 - (int) strlen(path), i);
    put(path, text->str);
}

/* Topics of the batches in their order, repeated ones once. */
static char *order_of(const GPtrArray *batches)
{
    g_autoptr(GString) order = g_string_new(NULL);
    const SfSplit *before = NULL;
    for (guint i = 0; batches->pdata[i]; i++) {
        const SfBatch *batch = batches->pdata[i];
        if (batch->split != before)
            g_string_append_printf(order, "%s%s", before ? " " : "", batch->split->topic);
        before = batch->split;
    }
    return g_string_free(g_steal_pointer(&order), FALSE);
}

static void test_one_file_after_the_other(void)
{
    g_autoptr(Folder) folder = folder_new();
    put_lines("a.txt", 30000);
    put_lines("b.txt", 30000);
    put_lines("c.txt", 1);
    g_autoptr(Harness) h = bounded("path: .");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 60002);
    g_autofree char *order = order_of(batches);
    g_assert_cmpstr(order, ==, "a b c");
    g_assert_cmpint(h->status, ==, SF_END);
    g_assert_cmpint(h->charged_peak, <, 2048);
    g_assert_cmpint(h->charged, ==, 0);
}

/* Numbers of the lines of topic `a` are 0, 1, 2 … */
static int check_lines(const GPtrArray *batches)
{
    int next = 0;
    for (guint i = 0; batches->pdata[i]; i++) {
        const SfBatch *batch = batches->pdata[i];
        SfColumn value;
        g_assert_cmpint(sf_column(batch, "value", SF_BINARY, &value, NULL), ==, SF_OK);
        for (int64_t row = 0; row < sf_rows(batch) && g_str_equal(batch->split->topic, "a"); row++, next++) {
            SfBytes bytes = sf_bytes(&value, row);
            g_assert_cmpint(bytes.size, ==, 99);
            g_assert_cmpint(g_ascii_strtoll(bytes.data + strlen("a.txt"), NULL, 10), ==, next);
        }
    }
    return next;
}

/* One that is longer than a turn does not keep the others waiting for its end, and nothing of it is lost or doubled. */
static void test_long_files_take_turns(void)
{
    g_autoptr(Folder) folder = folder_new();
    put_lines("a.txt", 100000);
    put_lines("b.txt", 100);
    g_autoptr(Harness) h = bounded("path: .");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 100101);
    g_autofree char *order = order_of(batches);
    g_assert_cmpstr(order, ==, "a b a");
    g_assert_cmpint(check_lines(batches), ==, 100000);
    g_assert_cmpint(h->charged, ==, 0);
}

/* Hundreds of logs that are followed, each with a line that is still being written. */
static void test_files_that_wait_for_more_keep_little(void)
{
    enum { FILES = 300 };
    g_autoptr(Folder) folder = folder_new();
    for (int i = 0; i < FILES; i++) {
        g_autofree char *path = g_strdup_printf("%d.log", i);
        put_lines(path, 100);
        append(path, "beg");
    }
    g_autoptr(Harness) h = harness_new("file-source", "{path: ., interval: 10ms}");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, FILES * 100);
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->charged, >, 0);
    g_assert_cmpint(h->charged, <, FILES * 2048);
    append("7.log", "un\n");
    assert_lines(h, 1, "100:begun");
    g_assert_cmpint(h->charged, <, FILES * 2048);
}

static void test_a_long_line_is_kept_no_longer_than_it_is_needed(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_autofree char *line = g_strnfill(5 << 20, 'x');
    put("a.log", line);
    g_autoptr(Harness) h = harness_new("file-source", "{path: a.log, interval: 10ms}");
    append("a.log", "x"); /* without a line break there is no first line to know the file by */
    append("a.log", "\nsecond ");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 1);
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->charged_peak, >, 5 << 20);
    g_assert_cmpint(h->charged, <, 2048);
    append("a.log", "line\n");
    assert_lines(h, 1, "1:second line");
}

/* What is read again after a rotation is told apart by up to 1 KiB, however few lines came at a time. */
static void test_marks_reach_back_over_batches(void)
{
    g_autoptr(Folder) folder = folder_new();
    put("a.log", "first\n");
    g_autoptr(Harness) h = harness_new("file-source", "{path: a.log, interval: 10ms}");
    assert_lines(h, 1, "0:first");
    for (int i = 1; i < 5; i++) {
        append("a.log", i == 1 ? "mine\n" : "same\n");
        g_autoptr(GPtrArray) batches = harness_poll_rows(h, 1);
        g_assert_null(harness_poll(h, 0));
    }
    harness_publish(h, true);
    put("b.log", "first\nours\nsame\nsame\nsame\n");
    g_assert_cmpint(g_rename("b.log", "a.log"), ==, 0);
    g_autoptr(Harness) again = bounded("path: a.log");
    g_autofree char *split = g_strdup(harness_assigned(h));
    harness_answer(again, split, 5);
    assert_lines(again, 5, "0:first 1:ours 2:same 3:same 4:same");
}

/* A deep audit looks twice: it identifies the file and reads it, then both again. */
static void test_a_file_that_goes_does_not_end_an_audit(void)
{
    g_autoptr(Folder) folder = folder_new();
    g_assert_cmpint(g_mkdir("in", 0700), ==, 0);
    put("in/a", "one\n");
    put("in/b", "two\n");
    g_autoptr(Harness) h = bounded("path: in");
    going = "in/a";
    opens_left = 2;
    const char *said = harness_audit(h, SF_AUDIT_DEEP);
    going = NULL;
    g_assert_false(g_file_test("in/a", G_FILE_TEST_EXISTS));
    g_assert_nonnull(strstr(said, "unknown in/a: it went while it was read\n"));
    g_assert_nonnull(strstr(said, "[0, 1) rows 1 rejected ?: in/b\n"));
    g_assert_null(strstr(said, "status"));
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/file-source-turns/one file after the other", test_one_file_after_the_other);
    g_test_add_func("/file-source-turns/long files take turns", test_long_files_take_turns);
    g_test_add_func("/file-source-turns/files that wait for more keep little",
                    test_files_that_wait_for_more_keep_little);
    g_test_add_func("/file-source-turns/a long line is kept no longer than it is needed",
                    test_a_long_line_is_kept_no_longer_than_it_is_needed);
    g_test_add_func("/file-source-turns/marks reach back over batches", test_marks_reach_back_over_batches);
    g_test_add_func("/file-source-turns/a file that goes does not end an audit",
                    test_a_file_that_goes_does_not_end_an_audit);
    return g_test_run();
}
