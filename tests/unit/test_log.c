/* Log lines: forms, levels, what is held back. Standard error goes to a file meanwhile. */
#include "runtime/log.h"

#include <fcntl.h>
#include <pty.h>
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What `speak` writes to standard error. */
static char *heard(void (*speak)(void))
{
    g_autofree char *path = NULL;
    char *text = NULL;
    int file = g_file_open_tmp("sf-log-XXXXXX", &path, NULL), saved = dup(STDERR_FILENO);
    g_assert_cmpint(dup2(file, STDERR_FILENO), >=, 0);
    speak();
    g_assert_true(log_flush(60 * 1000));
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(file);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_unlink(path);
    return text;
}

static void speak_human(void)
{
    log_setup(LOG_HUMAN, LEVEL_INFO);
    log_line(LEVEL_INFO, "sales", "gold", "committed %d rows\nin two lines", 3);
    log_line(LEVEL_DEBUG, NULL, NULL, "not shown");
}

static void test_human(void)
{
    g_autofree char *text = heard(speak_human);
    g_assert_true(
        g_regex_match_simple("^\\[\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\] INFO - committed 3 rows in two lines "
                             "pipeline=sales step=gold\n$",
                             text, 0, 0));
}

static void speak_plain(void)
{
    log_setup(LOG_PLAIN, LEVEL_INFO);
    log_line(LEVEL_INFO, "produce-17", "topic", "Event 1/100 produced - Order ID: ORD-123456");
}

static void test_plain(void)
{
    g_autofree char *text = heard(speak_plain);
    g_assert_true(g_regex_match_simple("^\\[\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\] INFO - "
                                       "Event 1/100 produced - Order ID: ORD-123456\n$",
                                       text, 0, 0));
}

static void speak_json(void)
{
    log_setup(LOG_JSON, LEVEL_INFO);
    log_line(LEVEL_WARNING, "sales", NULL, "a \"quoted\" word, a bad byte \xff");
}

static void test_json(void)
{
    g_autofree char *text = heard(speak_json);
    struct json_object *object = json_tokener_parse(text), *value = NULL;
    g_assert_nonnull(object);
    g_assert_true(json_object_object_get_ex(object, "message", &value));
    g_assert_cmpstr(json_object_get_string(value), ==, "a \"quoted\" word, a bad byte \xef\xbf\xbd");
    g_assert_true(json_object_object_get_ex(object, "level", &value));
    g_assert_cmpstr(json_object_get_string(value), ==, "WARN");
    g_assert_true(json_object_object_get_ex(object, "pipeline", &value));
    g_assert_false(json_object_object_get_ex(object, "step", &value));
    json_object_put(object);
}

static void speak_often(void)
{
    log_setup(LOG_HUMAN, LEVEL_INFO);
    for (int i = 0; i < 1000; i++)
        log_line(LEVEL_WARNING, NULL, NULL, "the broker is away");
    for (int i = 0; i < 3; i++)
        log_line(LEVEL_INFO, NULL, NULL, "said each time");
}

static void speak_of_two(void)
{
    log_setup(LOG_HUMAN, LEVEL_INFO);
    for (int i = 0; i < 10; i++) {
        log_line(LEVEL_ERROR, "one", NULL, "the deadline is over");
        log_line(LEVEL_ERROR, "two", NULL, "the deadline is over");
        log_line(LEVEL_WARNING, "two", "bronze", "the store is away");
        log_line(LEVEL_WARNING, "two", "silver", "the store is away");
    }
}

static guint lines_of(const char *text)
{
    guint lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    return lines;
}

static void test_held_back(void)
{
    g_autofree char *text = heard(speak_often);
    g_assert_cmpuint(lines_of(text), ==, 4);
}

/* Two pipelines or steps that have the same trouble say so both. */
static void test_held_back_by_step(void)
{
    g_autofree char *text = heard(speak_of_two);
    g_assert_cmpuint(lines_of(text), ==, 4);
}

/* A line that wraps could not be taken away by the next one. */
static void test_progress_fits_the_terminal(void)
{
    int terminal = -1, end = -1, saved = dup(STDERR_FILENO);
    struct winsize size = {.ws_row = 5, .ws_col = 12};
    char text[200] = "";
    g_assert_cmpint(openpty(&terminal, &end, NULL, NULL, &size), ==, 0);
    g_assert_cmpint(dup2(end, STDERR_FILENO), >=, 0);
    log_progress("sälés | events 1,000,000 (50 %)");
    g_assert_true(log_flush(60 * 1000));
    dup2(saved, STDERR_FILENO);
    gssize n = read(terminal, text, sizeof text - 1);
    g_assert_cmpint(n, >, 0);
    g_assert_cmpstr(text, ==, "\r\033[Ksälés | ev…");
    close(saved);
    close(end);
    close(terminal);
    log_progress("");
}

static void speak_controls(void)
{
    log_setup(LOG_HUMAN, LEVEL_INFO);
    log_line(LEVEL_INFO, NULL, NULL,
             "a\033]0;owned\007b\177c\xc2\x9b"
             "31md\te");
}

/* Text of servers and files neither moves the cursor nor sets the title. */
static void test_control_characters_are_shown(void)
{
    g_autofree char *text = heard(speak_controls);
    g_assert_nonnull(strstr(text, " - a\\x1b]0;owned\\x07b\\x7fc\\x9b31md e\n"));
}

/* A pipe that is full to its last byte. */
static void fill(int end)
{
    char zeros[4096] = {0};
    g_assert_cmpint(fcntl(end, F_SETFL, O_NONBLOCK), ==, 0);
    for (gsize size = sizeof zeros; size > 0; size /= 2) {
        while (write(end, zeros, size) > 0)
            continue;
    }
    g_assert_cmpint(fcntl(end, F_SETFL, 0), ==, 0);
}

static gpointer read_rest(gpointer data)
{
    GString *text = g_string_new(NULL);
    char piece[4096];
    for (gssize n; (n = read(GPOINTER_TO_INT(data), piece, sizeof piece)) > 0;) {
        for (gssize i = 0; i < n; i++)
            if (piece[i])
                g_string_append_c(text, piece[i]);
    }
    return g_string_free(text, FALSE);
}

/* Nobody waits for a reader that stands still; when it goes on, it learns how much it has missed. */
static void test_reader_that_stands_still(void)
{
    int ends[2], saved = dup(STDERR_FILENO);
    const int lines = 20000;
    guint missed = 0;
    g_assert_cmpint(pipe(ends), ==, 0);
    fill(ends[1]);
    g_assert_cmpint(dup2(ends[1], STDERR_FILENO), >=, 0);
    close(ends[1]);
    log_setup(LOG_HUMAN, LEVEL_INFO);
    for (int i = 0; i < lines; i++)
        log_line(LEVEL_INFO, NULL, NULL, "line %d of many", i);
    g_assert_false(log_flush(1));
    GThread *reader = g_thread_new("reader", read_rest, GINT_TO_POINTER(ends[0]));
    g_assert_true(log_flush(60 * 1000));
    dup2(saved, STDERR_FILENO); /* the pipe's last writer goes */
    g_autofree char *text = g_thread_join(reader);
    const char *gap = strstr(text, " log lines were not written");
    g_assert_nonnull(gap);
    while (gap > text && g_ascii_isdigit(gap[-1]))
        gap--;
    missed = (guint) g_ascii_strtoull(gap, NULL, 10);
    g_assert_cmpuint(missed, >, 0);
    g_assert_cmpuint(lines_of(text) - 1 + missed, ==, lines);
    close(saved);
    close(ends[0]);
}

static void speak_later(void)
{
    log_setup(LOG_HUMAN, LEVEL_INFO);
    log_hold_back(G_MAXINT64);
    for (int i = 0; i < 3; i++)
        log_line(LEVEL_WARNING, NULL, NULL, "the store is slow");
    for (int i = 0; i < 2; i++)
        log_line(LEVEL_WARNING, NULL, NULL, "the disk is full");
    log_hold_back(0);
    log_line(LEVEL_WARNING, NULL, NULL, "the store is slow");
    log_line(LEVEL_WARNING, NULL, NULL, "the disk is full");
    log_line(LEVEL_WARNING, NULL, NULL, "the store is slow");
    log_hold_back(10 * G_USEC_PER_SEC);
}

/* The next one that is written says how many were not. */
static void test_held_back_are_counted(void)
{
    g_autofree char *text = heard(speak_later);
    g_assert_cmpuint(lines_of(text), ==, 5);
    g_assert_nonnull(strstr(text, "the store is slow (2 more like this were not written)\n"));
    g_assert_nonnull(strstr(text, "the disk is full (1 more like this was not written)\n"));
    g_assert_true(g_str_has_suffix(text, " - the store is slow\n"));
}

static void speak_of_many(void)
{
    log_setup(LOG_HUMAN, LEVEL_INFO);
    for (int i = 0; i < 2; i++)
        log_line(LEVEL_WARNING, NULL, NULL, "the first of many");
    for (int i = 0; i < 300; i++)
        log_line(LEVEL_WARNING, NULL, NULL, "trouble number %d", i);
    log_line(LEVEL_WARNING, NULL, NULL, "the first of many");
}

/* What is remembered is bounded: after so many others a warning is told again. */
static void test_many_warnings_are_forgotten(void)
{
    g_autofree char *text = heard(speak_of_many);
    g_assert_cmpuint(lines_of(text), ==, 302);
}

static void speak_last_words(void)
{
    g_autofree char *longer = g_strnfill(2000, 'x');
    log_setup(LOG_HUMAN, LEVEL_INFO);
    log_last_words("memory ran out\n\033[2Jof the \"store\" \\ \x7f");
    log_last_words(longer);
    log_setup(LOG_JSON, LEVEL_INFO);
    log_last_words("memory ran out\n\033[2Jof the \"store\" \\ \x7f");
    log_last_words(longer);
}

/* One line each, whatever is in it; in JSON without what would have to be escaped. */
static void test_last_words(void)
{
    g_autofree char *text = heard(speak_last_words);
    g_autofree char *cut = g_strnfill(800, 'x'), *end = g_strconcat(" - ", cut, NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 5);
    g_assert_true(g_regex_match_simple("^\\[\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\] ERROR - "
                                       "memory ran out  \\[2Jof the \"store\" \\\\  $",
                                       lines[0], 0, 0));
    g_assert_true(g_str_has_suffix(lines[1], end));
    for (guint i = 2; i < 4; i++) {
        struct json_object *object = json_tokener_parse(lines[i]), *value = NULL;
        g_assert_nonnull(object);
        g_assert_true(json_object_object_get_ex(object, "message", &value));
        g_assert_cmpstr(json_object_get_string(value), ==, i == 2 ? "memory ran out  [2Jof the  store     " : cut);
        g_assert_true(json_object_object_get_ex(object, "level", &value));
        g_assert_cmpstr(json_object_get_string(value), ==, "ERROR");
        g_assert_true(json_object_object_get_ex(object, "time", &value));
        g_assert_true(
            g_regex_match_simple("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$", json_object_get_string(value), 0, 0));
        json_object_put(object);
    }
}

/* Warnings are yellow and errors red, where a terminal shows them. */
static void test_colours(void)
{
    int terminal = -1, end = -1, saved = dup(STDERR_FILENO);
    struct winsize size = {.ws_row = 5, .ws_col = 80};
    char text[500] = "";
    g_setenv("TERM", "xterm", TRUE);
    g_unsetenv("NO_COLOR");
    g_assert_cmpint(openpty(&terminal, &end, NULL, NULL, &size), ==, 0);
    g_assert_cmpint(dup2(end, STDERR_FILENO), >=, 0);
    log_setup(LOG_HUMAN, LEVEL_INFO);
    log_line(LEVEL_INFO, NULL, NULL, "one");
    log_line(LEVEL_WARNING, NULL, NULL, "two");
    log_line(LEVEL_ERROR, NULL, NULL, "three");
    log_setup(LOG_PLAIN, LEVEL_INFO);
    log_line(LEVEL_ERROR, NULL, NULL, "four");
    g_assert_true(log_flush(60 * 1000));
    g_assert_true(log_colours());
    g_assert_cmpuint(log_columns(), ==, 80);
    g_setenv("NO_COLOR", "1", TRUE);
    g_assert_false(log_colours());
    g_setenv("NO_COLOR", "", TRUE);
    g_assert_true(log_colours());
    g_setenv("TERM", "dumb", TRUE);
    g_assert_false(log_colours());
    g_setenv("TERM", "xterm", TRUE);
    dup2(saved, STDERR_FILENO);
    gsize length = 0;
    while (!strstr(text, "four")) {
        gssize n = read(terminal, text + length, sizeof text - 1 - length);
        g_assert_cmpint(n, >, 0);
        length += (gsize) n;
    }
    g_assert_nonnull(strstr(text, "] INFO - one"));
    g_assert_nonnull(strstr(text, "] \033[33mWARN\033[0m - two"));
    g_assert_nonnull(strstr(text, "] \033[31mERROR\033[0m - three"));
    g_assert_nonnull(strstr(text, "] ERROR - four"));
    close(saved);
    close(end);
    close(terminal);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log/plain", test_plain);
    g_test_add_func("/log/human", test_human);
    g_test_add_func("/log/json", test_json);
    g_test_add_func("/log/same-warning-is-held-back", test_held_back);
    g_test_add_func("/log/held-back-for-each-step", test_held_back_by_step);
    g_test_add_func("/log/progress-fits-the-terminal", test_progress_fits_the_terminal);
    g_test_add_func("/log/control-characters-are-shown", test_control_characters_are_shown);
    g_test_add_func("/log/reader-that-stands-still", test_reader_that_stands_still);
    g_test_add_func("/log/held-back-are-counted", test_held_back_are_counted);
    g_test_add_func("/log/many-warnings-are-forgotten", test_many_warnings_are_forgotten);
    g_test_add_func("/log/last-words", test_last_words);
    g_test_add_func("/log/colours", test_colours);
    return g_test_run();
}
