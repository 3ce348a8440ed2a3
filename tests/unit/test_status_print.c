/* `sfrun status` as an operator sees it: on terminals of several widths, and in a pipe. */
#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/printable.h"
#include "program.h"
#include "runtime/status.h"

#define LONG_NAME "sales_of_the_north_and_the_south"
#define SINKS                                                                                                          \
    "\"sinks\": [{\"sink\": \"bronze\", \"input\": \"events\", \"committed\": 1234567880},"                            \
    " {\"sink\": \"rejects\", \"input\": \"sales.errors\", \"committed\": 1234567000},"                                \
    " {\"sink\": \"rejects\", \"input\": \"gold.errors\", \"committed\": 1234567890},"                                 \
    " {\"sink\": \"a_sink_with_a_name_that_is_too_long_for_this\", \"input\": \"sales\", \"committed\": -1}]"

static const char running[] =
    "{\"pid\": 7, \"peak_rss_bytes\": 1048576, \"pipelines\": ["
    "{\"pipeline\": \"" LONG_NAME "\", \"state\": \"running\", \"uptime_ms\": 8000000, \"attempts\": 1,"
    " \"file\": \"/etc/streamforge/pipelines/production/region-north/sales_of_the_north.yaml\","
    " \"last_restart\": \"another process took the transactional id of 'rejects' over\", \"steps\": ["
    "{\"name\": \"events_of_the_north_of_the_country\", \"kind\": \"source\", \"plugin\": \"kafka-source\","
    " \"rows_out\": 123456789, \"rows_per_s\": 45678},"
    "{\"name\": \"sales\", \"kind\": \"transform\", \"plugin\": \"json-decode\", \"rows_in\": 123456789,"
    " \"rows_out\": 123450000, \"rows_per_s\": 45678, \"rejected\": 6789,"
    " \"commonest_reject\": \"column 'quantity': '12,5' is not a valid int\"},"
    "{\"name\": \"bronze\", \"kind\": \"sink\", \"plugin\": \"s3-bronze-sink\", \"rows_in\": 123456789,"
    " \"rows_per_s\": 45678, \"rejected\": 0, \"commits\": 4321, \"last_commit_ms\": 1},"
    "{\"name\": \"rejects\", \"kind\": \"sink\", \"plugin\": \"kafka-sink\", \"rows_in\": 6801, \"rows_per_s\": 0,"
    " \"rejected\": 0, \"commits\": 9, \"trouble\": \"the broker at kafka-1.example.com:9092 is away\"}],"
    "\"splits\": [{\"source\": \"events_of_the_north_of_the_country\", \"split\": \"sales_events/0\","
    " \"read\": 1234567899, \"committed\": 1234567000, \"end\": 1234567990, \"lag\": 990, " SINKS "},"
    "{\"split\": \"\xe5\xa3\xb2\xe4\xb8\x8a/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\", \"read\": 5, \"committed\": 5,"
    " \"end\": 5, \"lag\": 0, \"sinks\": [{\"sink\": \"bronze\", \"committed\": 5}]}]},"
    "{\"pipeline\": \"copies\", \"state\": \"running\", \"uptime_ms\": 1000, \"steps\": [], \"splits\": []}]}";

static struct json_object *running_document(gpointer data, const char *asked, gsize size)
{
    (void) data, (void) asked, (void) size;
    return json_tokener_parse(running);
}

typedef struct Reader {
    int terminal;
    GString *text;
} Reader;

static gpointer read_terminal(gpointer data)
{
    Reader *reader = data;
    char piece[4096];
    for (gssize n; (n = read(reader->terminal, piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR);)
        g_string_append_len(reader->text, piece, MAX(n, 0));
    return NULL;
}

/* What the command prints on a terminal of so many columns, without the carriage returns. */
static char *on_terminal(const char *words, guint columns)
{
    int terminal = -1, end = -1;
    char name[128];
    struct winsize size = {.ws_row = 25, .ws_col = (unsigned short) columns};
    g_assert_cmpint(openpty(&terminal, &end, name, NULL, &size), ==, 0);
    Reader reader = {.terminal = terminal, .text = g_string_new(NULL)};
    GThread *thread = g_thread_new("terminal", read_terminal, &reader);
    g_autofree char *line = g_strdup_printf("sh -c '\"$SF_TEST_SFRUN\" %s >%s'", words, name);
    g_auto(Ran) ran = run_program(NULL, line);
    g_assert_cmpint(ran.status, ==, 0);
    close(end); /* the last writer: now the reader comes to the end */
    g_thread_join(thread);
    close(terminal);
    g_string_replace(reader.text, "\r", "", 0);
    return g_string_free(reader.text, FALSE);
}

static char *status_on_terminal(guint columns)
{
    g_autofree char *dir = g_dir_make_tmp("sf-cli-XXXXXX", NULL);
    g_autofree char *words = g_strdup_printf("status --state-dir %s", dir);
    char *text = NULL;
    {
        g_autoptr(StatusServer) server = status_server_new(dir, running_document, NULL);
        text = on_terminal(words, columns);
    }
    g_assert_cmpint(g_rmdir(dir), ==, 0);
    return text;
}

static char *status_in_pipe(void)
{
    g_autofree char *dir = g_dir_make_tmp("sf-cli-XXXXXX", NULL);
    g_autofree char *words = g_strdup_printf("status --state-dir %s", dir);
    char *text = NULL;
    {
        g_autoptr(StatusServer) server = status_server_new(dir, running_document, NULL);
        g_auto(Ran) ran = run_program(NULL, words);
        text = g_steal_pointer(&ran.out);
    }
    g_assert_cmpint(g_rmdir(dir), ==, 0);
    return text;
}

static void every_line_fits(void)
{
    static const guint widths[] = {60, 72, 80, 100, 132};
    for (gsize i = 0; i < G_N_ELEMENTS(widths); i++) {
        g_autofree char *text = status_on_terminal(widths[i]);
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line; line++) {
            g_test_message("%3u %s", widths[i], *line);
            g_assert_cmpuint(printable_width(*line), <=, widths[i]);
        }
    }
}

static void nothing_that_matters_is_lost_at_60_columns(void)
{
    static const char *const shown[] = {"is in trouble:",
                                        "sales rejects, mostly:",
                                        "started anew after:",
                                        "sales_of_the_north.yaml\n",
                                        "  STEP                 ROWS  ROWS/S  REJECTED   COMMIT   LAG\n",
                                        "  sales                123M     46k      6.8k        -     -\n",
                                        "    bronze                       1234567880              110\n",
                                        "    rejects < sales.errors       1234567000              990\n",
                                        "    rejects < gold.errors        1234567890              100\n",
                                        "    a_sink_with_…_long_for_this           -                -\n"};
    g_autofree char *coloured = status_on_terminal(60), *text = printable_plain(coloured);
    g_test_message("%s", text);
    for (gsize i = 0; i < G_N_ELEMENTS(shown); i++) {
        g_test_message("%s", shown[i]);
        g_assert_nonnull(strstr(text, shown[i]));
    }
}

/* The trouble stands before the tables, and the overview of all pipelines at the end. */
static void troubles_come_first(void)
{
    g_autofree char *text = status_in_pipe();
    const char *trouble = strstr(text, "  ! rejects is in trouble: the broker at kafka-1.example.com:9092 is away\n");
    const char *steps = strstr(text, "  STEP "), *second = strstr(text, "copies: running for 1 s");
    const char *overview = strstr(text, "  PIPELINE ");
    g_assert_nonnull(trouble);
    g_assert_true(trouble < steps && steps < second && second < overview);
    g_assert_nonnull(strstr(overview, " running  2 h  45,678     6,789  990  rejects\n"));
}

/* A pipe has no width: all digits, all columns, no colours. */
static void pipe_gets_all(void)
{
    g_autofree char *text = status_in_pipe();
    g_assert_null(strchr(text, '\033'));
    g_assert_nonnull(strstr(text, "  events_of_the_north_of_the_country  kafka-source    123,456,789 "));
    g_assert_nonnull(strstr(text, "    a_sink_with_a_name_that_is_too_long_for_this  "));
    g_assert_nonnull(strstr(text, "/etc/streamforge/pipelines/production/region-north/sales_of_the_north.yaml\n"));
}

static void colours_where_a_terminal_is(void)
{
    g_autofree char *coloured = status_on_terminal(80);
    g_setenv("NO_COLOR", "1", TRUE);
    g_autofree char *plain = status_on_terminal(80);
    g_unsetenv("NO_COLOR");
    g_autofree char *stripped = printable_plain(coloured);
    g_assert_nonnull(strstr(coloured, "\033[31m"));
    g_assert_null(strchr(plain, '\033'));
    g_assert_cmpstr(stripped, ==, plain);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_unsetenv("COLUMNS");
    g_unsetenv("NO_COLOR");
    g_setenv("TERM", "xterm", TRUE);
    g_test_add_func("/status-print/every-line-fits", every_line_fits);
    g_test_add_func("/status-print/nothing-that-matters-is-lost-at-60-columns",
                    nothing_that_matters_is_lost_at_60_columns);
    g_test_add_func("/status-print/troubles-come-first", troubles_come_first);
    g_test_add_func("/status-print/pipe-gets-all", pipe_gets_all);
    g_test_add_func("/status-print/colours-where-a-terminal-is", colours_where_a_terminal_is);
    return g_test_run();
}
