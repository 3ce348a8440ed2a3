/* Services that format text: log lines and causes reach the host whole and valid. */
#include <glib.h>
#include <locale.h>
#include <string.h>
#include <sf/sf.h>

typedef struct Seen {
    char *text;
    gint64 number; /* level or row */
    const SfBatch *batch;
} Seen;

static void take_log(SfNode *node, SfLogLevel level, const char *message)
{
    Seen *seen = node->host_data;
    *seen = (Seen){.text = g_strdup(message), .number = level};
}

static void take_reject(SfNode *node, const SfBatch *batch, int64_t row, const char *cause)
{
    Seen *seen = node->host_data;
    *seen = (Seen){.text = g_strdup(cause), .number = row, .batch = batch};
}

static const SfHost host = {.size = sizeof(SfHost), .log = take_log, .reject = take_reject};

static void test_log_line_is_formatted(void)
{
    Seen seen = {0};
    SfNode node = {.host = &host, .host_data = &seen};
    sf_log(&node, SF_LOG_INFO, "assigned %s at %d", "sales_events/0", 100);
    g_assert_cmpstr(seen.text, ==, "assigned sales_events/0 at 100");
    g_assert_cmpint(seen.number, ==, SF_LOG_INFO);
    g_free(seen.text);
}

static void test_cause_of_any_length_stays_whole(void)
{
    Seen seen = {0};
    SfNode node = {.host = &host, .host_data = &seen};
    const SfBatch batch = {.start = 5};
    g_autofree char *value = g_strnfill(1 << 20, 'x');
    sf_reject(&node, &batch, 3, "sales: '%s' is no decimal(12,2)", value);
    g_assert_cmpuint(strlen(seen.text), ==, (1 << 20) + strlen("sales: '' is no decimal(12,2)"));
    g_assert_cmpint(seen.number, ==, 3);
    g_assert_true(seen.batch == &batch);
    g_free(seen.text);
}

static void test_cause_becomes_valid_utf8(void)
{
    Seen seen = {0};
    SfNode node = {.host = &host, .host_data = &seen};
    const SfBatch batch = {0};
    sf_reject(&node, &batch, 0, "name: '%s' is no UTF-8", "M\xfcller");
    g_assert_cmpstr(seen.text, ==, "name: 'M\xef\xbf\xbdller' is no UTF-8");
    g_free(seen.text);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/host/log line is formatted", test_log_line_is_formatted);
    g_test_add_func("/host/cause of any length stays whole", test_cause_of_any_length_stays_whole);
    g_test_add_func("/host/cause becomes valid UTF-8", test_cause_becomes_valid_utf8);
    return g_test_run();
}
