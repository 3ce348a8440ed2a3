/* The harness itself: a plugin that breaks a rule ends the test program, with words that say which; a good one
 * passes. */
#include <locale.h>
#include "harness.h"

typedef struct Rule {
    const char *mode;
    const char *says; /* a pattern; NULL: passes */
} Rule;

static const Rule source_rules[] = {
    {"good", NULL},
    {"gap", "*range ?1, 3) of 't/0' follows 0*"},
    {"back", "*range ?0, -1) of 't/0' follows 0*"},
    {"stranger", "*poll gave rows of 't/0', which is not assigned*"},
    {"rows and empty", "*poll gave rows and said empty*"},
    {"outside", "*position 3 in row 2 of range ?0, 3)*"},
    {"nulls", "*column 'text': 1 nulls are said to be there, without a bitmap*"},
    {"utf8", "*column 'text': no UTF-8 in row 0*"},
    {"twice", "*split 't/0' is assigned twice*"},
    {"ends", "*column 'text': end 2 follows 7 in row 1*"},
};

static const Rule sink_rules[] = {
    {"good", NULL},
    {"leaves", "*commit said ok and left 't/0' at -1, written up to 2*"},
    {"ahead", "*committed 't/0' up to 3; it was at -1, written up to 2*"},
    {"forgets", "*has 't/0' up to -1, although it had committed up to 2*"},
    {"overpaid", "*has given back more memory than it was charged*"},
    {"rejects nothing", "*row 2 is rejected, of 2*"},
};

static void drive_source(gconstpointer data)
{
    g_autofree char *options = g_strdup_printf("mode: %s", ((const Rule *) data)->mode);
    g_autoptr(Harness) h = harness_new("rogue-source", options);
    harness_poll(h, 0);
    g_assert_cmpint(sf_rows(harness_poll(h, 0)), ==, 3);
    g_assert_cmpint(harness_polled(h, "t/0"), ==, 6);
    g_assert_cmpstr(harness_assigned(h), ==, "t/0");
}

static void drive_sink(gconstpointer data)
{
    g_autofree char *options = g_strdup_printf("mode: %s", ((const Rule *) data)->mode);
    g_autoptr(Harness) h = harness_new("rogue-sink", options);
    harness_write(h, 0, harness_raw(h, "t/0", 0, (const char *[]){"a", "b"}, 2));
    harness_commit(h, SF_COMMIT_END);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "t/0"), ==, 2);
}

static void check(const Rule *rule, void (*drive)(gconstpointer))
{
    if (g_test_subprocess()) {
        drive(rule);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    if (rule->says) {
        g_test_trap_assert_failed();
        g_test_trap_assert_stderr(rule->says);
    } else {
        g_test_trap_assert_passed();
    }
}

static void check_source(gconstpointer data)
{
    check(data, drive_source);
}

static void check_sink(gconstpointer data)
{
    check(data, drive_sink);
}

static void test_rejected_batch_counts_as_written(void)
{
    g_autoptr(Harness) h = harness_new("rogue-sink", "mode: rejects batch");
    const SfBatch *batch = harness_raw(h, "t/0", 5, (const char *[]){"a", NULL}, 2);
    g_assert_cmpint(harness_try_write(h, 0, batch), ==, SF_REJECT);
    g_assert_cmpstr(harness_rejects(h), ==, "t/0@5: not these\nt/0@6: not these");
    g_assert_cmpint(harness_try_write(h, 0, harness_raw(h, "t/0", 7, (const char *[]){"c"}, 1)), ==, SF_REJECT);
}

static void test_rows_go_in_and_come_back_as_texts(void)
{
    static const char *const rows[] = {
        "[true, -7, 9007199254740993, 0.1, \"-0.05\", \"a\\\"b\", \"x\", \"2024-02-29\", "
        "\"1969-12-31T23:59:59.999999Z\", [1, null], "
        "{\"s\": \"t\"}]",
        "[null, null, null, null, null, null, null, null, null, null, null]",
        "[false, 0, 0, 1e300, 12345678901234567890, \"\", \"\", \"0001-01-01\", \"9999-12-31T00:00:00Z\", [], {\"s\": "
        "null}]",
    };
    static const char want[] = "{\"a\":true,\"b\":-7,\"c\":9007199254740993,\"d\":0.1,\"e\":-0.05,\"f\":\"a\\\"b\","
                               "\"g\":\"x\",\"h\":\"2024-02-29\","
                               "\"i\":\"1969-12-31T23:59:59.999999Z\",\"j\":[1,null],\"k\":{\"s\":\"t\"}}\n"
                               "{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":null,\"f\":null,\"g\":null,\"h\":"
                               "null,\"i\":null,\"j\":null,\"k\":null}\n"
                               "{\"a\":false,\"b\":0,\"c\":0,\"d\":1e+300,\"e\":12345678901234567890.00,\"f\":\"\","
                               "\"g\":\"\",\"h\":\"0001-01-01\","
                               "\"i\":\"9999-12-31T00:00:00Z\",\"j\":[],\"k\":{\"s\":null}}";
    g_auto(ArrowSchema) schema = {0};
    g_auto(SfBatch) batch = {.schema = &schema};
    rows_schema("a bool, b int, c bigint, d double, e decimal(38,2), f string, g binary view, h date, i timestamp, "
                "j list<int>, k struct<s string>",
                &schema);
    rows_from_json(&schema, rows, G_N_ELEMENTS(rows), &batch.rows);
    rows_assert_valid(&schema, &batch.rows);
    g_autofree char *text = batch_text(&batch);
    g_assert_cmpstr(text, ==, want);
}

static void add(const char *kind, const Rule *rules, gsize n, GTestDataFunc test)
{
    for (gsize i = 0; i < n; i++) {
        g_autofree char *path = g_strdup_printf("/harness/%s/%s", kind, rules[i].mode);
        g_test_add_data_func(path, &rules[i], test);
    }
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    add("source", source_rules, G_N_ELEMENTS(source_rules), check_source);
    add("sink", sink_rules, G_N_ELEMENTS(sink_rules), check_sink);
    g_test_add_func("/harness/rejected batch counts as written", test_rejected_batch_counts_as_written);
    g_test_add_func("/harness/rows go in and come back as texts", test_rows_go_in_and_come_back_as_texts);
    return g_test_run();
}
