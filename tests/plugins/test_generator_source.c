/* generator-source: events are a function of seed and number; pace, positions, shares of what is wrong. */
#include "harness.h"

#include <string.h>

static char *all_text(const char *options, gint64 answer)
{
    g_autoptr(Harness) h = harness_new("generator-source", options);
    GString *text = g_string_new(NULL);
    h->bounded = true;
    if (answer > 0)
        harness_answer(h, "generator/0", answer);
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, G_MAXINT64);
    for (guint i = 0; i < batches->len && batches->pdata[i]; i++)
        g_string_append_printf(text, "%s\n", harness_text(h, batches->pdata[i]));
    return g_string_free(text, FALSE);
}

static void test_same_seed_gives_same_events(void)
{
    const char *options =
        "{events: 3000, interval: 0s, start_date: 2024-01-15, duplicates: 0.1, late: 0.1, broken: 0.05}";
    g_autofree char *one = all_text(options, 0), *two = all_text(options, 0);
    g_assert_cmpstr(one, ==, two);
    g_autofree char *other = all_text("{events: 3000, interval: 0s, start_date: 2024-01-15, seed: 43}", 0);
    g_assert_cmpstr(one, !=, other);
}

static void test_goes_on_from_any_position(void)
{
    const char *options = "{events: 2500, interval: 0s, start_date: 2024-01-15, duplicates: 0.2, broken: 0.1}";
    g_autofree char *whole = all_text(options, 0), *rest = all_text(options, 2300);
    g_assert_true(g_str_has_suffix(whole, rest));
    g_auto(GStrv) lines = g_strsplit(rest, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 201);
}

static void test_event_has_the_shape_of_the_reference(void)
{
    g_autofree char *text = all_text("{events: 1, interval: 0s, start_date: 2024-01-15}", 0);
    GRegex *shape = g_regex_new(
        "^\\{\"key\":\"ORD-208962\",\"value\":\"\\{\\\\\"order_id\\\\\": \\\\\"ORD-208962\\\\\", "
        "\\\\\"order_date\\\\\": "
        "\\\\\"2024-01-15\\\\\", \\\\\"customer_id\\\\\": \\\\\"C\\d{3}\\\\\", \\\\\"customer_name\\\\\": "
        "\\\\\"[A-Za-z ]+\\\\\", "
        "\\\\\"product_id\\\\\": \\\\\"P\\d{3}\\\\\", \\\\\"product_name\\\\\": \\\\\"[^\\\\]+\\\\\", "
        "\\\\\"category\\\\\": "
        "\\\\\"[^\\\\]+\\\\\", \\\\\"region\\\\\": \\\\\"[A-Z][a-z]+\\\\\", \\\\\"sales\\\\\": \\d+\\.\\d\\d, "
        "\\\\\"quantity\\\\\": \\d+, \\\\\"discount\\\\\": 0\\.\\d\\d, \\\\\"profit\\\\\": "
        "-?\\d+\\.\\d\\d\\}\",\"topic\":"
        "\"sales_events\",\"partition\":0,\"offset\":0,\"timestamp\":\"2024-01-15T00:00:00",
        0, 0, NULL);
    g_assert_nonnull(shape);
    if (!g_regex_match(shape, text, 0, NULL))
        g_error("%s", text);
    g_regex_unref(shape);
}

/* Distinct orders, and values that are no whole JSON object. */
static void count(const char *options, guint *orders, guint *truncated, guint *lines)
{
    g_autoptr(Harness) h = harness_new("generator-source", options);
    g_autoptr(GHashTable) keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    h->bounded = true;
    *truncated = *lines = 0;
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, G_MAXINT64);
    for (guint i = 0; i < batches->len && batches->pdata[i]; i++) {
        const SfBatch *batch = batches->pdata[i];
        SfColumn key, value;
        SfError err;
        g_assert_cmpint(sf_column(batch, "key", SF_BINARY, &key, &err), ==, SF_OK);
        g_assert_cmpint(sf_column(batch, "value", SF_BINARY, &value, &err), ==, SF_OK);
        for (gint64 row = 0; row < sf_rows(batch); row++) {
            SfBytes name = sf_bytes(&key, row), text = sf_bytes(&value, row);
            g_hash_table_add(keys, g_strndup(name.data, (gsize) name.size));
            *truncated += text.data[text.size - 1] != '}';
            ++*lines;
        }
    }
    *orders = g_hash_table_size(keys);
}

static void test_shares_are_kept(void)
{
    guint orders, truncated, lines;
    count("{events: 20000, interval: 0s}", &orders, &truncated, &lines);
    g_assert_cmpuint(lines, ==, 20000);
    g_assert_cmpuint(orders, ==, 20000);
    g_assert_cmpuint(truncated, ==, 0);
    count("{events: 20000, interval: 0s, duplicates: 0.1}", &orders, &truncated, &lines);
    g_assert_cmpuint(orders, >, 17700);
    g_assert_cmpuint(orders, <, 18300);
    count("{events: 20000, interval: 0s, broken: 0.1}", &orders, &truncated, &lines);
    g_assert_cmpuint(truncated, >, 300); /* one of five kinds */
    g_assert_cmpuint(truncated, <, 500);
}

static void test_late_events_lie_back(void)
{
    g_autofree char *text = all_text("{events: 2000, interval: 0s, late: 0.5, start_date: 2024-01-15}", 0);
    g_assert_nonnull(strstr(text, "\"timestamp\":\"2024-01-15"));
    g_assert_nonnull(strstr(text, "\"timestamp\":\"2024-01-13"));
    g_assert_nonnull(strstr(text, "\\\"order_date\\\": \\\"2024-01-13\\\""));
    g_assert_null(strstr(text, "\"timestamp\":\"2024-01-11"));
}

static void test_dates_are_today_by_default(void)
{
    g_autofree char *text = all_text("{events: 5, interval: 0s}", 0); /* the harness's clock */
    g_assert_nonnull(strstr(text, "\\\"order_date\\\": \\\"2024-01-15\\\""));
    g_assert_nonnull(strstr(text, "\"timestamp\":\"2024-01-15T10:30:00"));
}

static void test_keeps_the_pace(void)
{
    g_autoptr(Harness) h = harness_new("generator-source", "{interval: 50ms}");
    gint64 begun = g_get_monotonic_time();
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 5);
    gint64 passed = g_get_monotonic_time() - begun;
    g_assert_cmpint(harness_polled(h, "generator/0"), >=, 5);
    g_assert_cmpint(passed, >=, 200 * 1000);
    g_assert_cmpint(h->expected, <, 0);
}

static void test_poll_is_interrupted(void)
{
    g_autoptr(Harness) h = harness_new("generator-source", "{interval: 1h}");
    g_assert_nonnull(harness_poll(h, 0)); /* the first is due at once */
    harness_interrupt_after(h, 50);
    gint64 begun = g_get_monotonic_time();
    g_assert_null(harness_poll(h, 30000));
    g_assert_cmpint(h->status, ==, SF_EMPTY);
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 10 * 1000 * 1000);
}

static void test_says_what_is_durable(void)
{
    g_autoptr(Harness) h = harness_new("generator-source", "{events: 3, interval: 100ms}");
    h->bounded = true;
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 3);
    g_assert_null(strstr(harness_logs(h), "produced"));
    harness_publish(h, false);
    g_assert_nonnull(strstr(harness_logs(h), "info: Event 1/3 produced - Order ID: ORD-208962"));
    g_assert_nonnull(strstr(harness_logs(h), "info: Event 3/3 produced - Order ID: ORD-208964"));
}

static void test_wrong_options(void)
{
    g_autoptr(Harness) day = harness_new("generator-source", "{start_date: tomorrow}");
    g_assert_cmpint(harness_try_bind(day), ==, SF_CONFIG);
    g_assert_cmpstr(day->err.message, ==,
                    "start_date: 'tomorrow' is not a valid date from 1970-01-05 on, such as 2024-01-15");
    g_autoptr(Harness) endless = harness_new("generator-source", "");
    endless->bounded = true;
    g_assert_cmpint(harness_try_open(endless), ==, SF_CONFIG);
    g_assert_cmpstr(endless->err.message, ==, "an endless generator never ends with trigger 'once'; set 'events'");
    g_autofree char *share = harness_check("generator-source", "{broken: 1.5}");
    g_assert_nonnull(strstr(share, "broken"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/generator-source/same-seed-same-events", test_same_seed_gives_same_events);
    g_test_add_func("/generator-source/goes-on-from-any-position", test_goes_on_from_any_position);
    g_test_add_func("/generator-source/shape-of-the-reference", test_event_has_the_shape_of_the_reference);
    g_test_add_func("/generator-source/shares-are-kept", test_shares_are_kept);
    g_test_add_func("/generator-source/late-events-lie-back", test_late_events_lie_back);
    g_test_add_func("/generator-source/dates-are-today", test_dates_are_today_by_default);
    g_test_add_func("/generator-source/keeps-the-pace", test_keeps_the_pace);
    g_test_add_func("/generator-source/poll-is-interrupted", test_poll_is_interrupted);
    g_test_add_func("/generator-source/says-what-is-durable", test_says_what_is_durable);
    g_test_add_func("/generator-source/wrong-options", test_wrong_options);
    return g_test_run();
}
