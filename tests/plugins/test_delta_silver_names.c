/* delta-silver-sink and rows that the table has under another pipeline's or step's name: never twice in silence. */
#include <glib/gstdio.h>

#include "silver_table.h"

#define ROWS(...) (const char *const[]){__VA_ARGS__}, G_N_ELEMENTS(((const char *const[]){__VA_ARGS__}))
#define FIELDS "[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]"
#define TXN(app, version) "{\"txn\":{\"appId\":\"" app "\",\"version\":" #version "}}\n"

static void put_table(SilverTable *table, const char *options, const char *txns)
{
    silver_init(table, options);
    silver_put_table(table, &(ForeignTable){.fields = FIELDS, .more = txns});
}

static void assert_refused(const char *txns, const char *options, const char *writer)
{
    g_auto(SilverTable) table = {0};
    put_table(&table, options, txns);
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    g_assert_cmpint(harness_try_recover(h, 0, "events/0"), ==, SF_CONFIG);
    g_autofree char *known = g_strdup_printf("'%s' has written 'events/0' to this table already", writer);
    g_autofree char *choice = g_strdup_printf("set 'adopt: %s' if", writer);
    g_assert_nonnull(strstr(h->err.message, known));
    g_assert_nonnull(strstr(h->err.message, choice));
    g_assert_nonnull(strstr(h->err.message, "'start: anew'"));
}

static void assert_position(const char *txns, const char *options, gint64 position)
{
    g_auto(SilverTable) table = {0};
    put_table(&table, options, txns);
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, position);
}

static void test_refused(void)
{
    assert_refused(TXN("old/delta-silver-sink/events/0", 5), "", "old/delta-silver-sink");
    assert_refused(TXN("test/silver/events/0", 5), "", "test/silver");
    assert_refused(TXN("test/delta-silver-sink/clean/events/0", 5), "",
                   "test/delta-silver-sink/clean"); /* had several inputs */
    assert_refused(TXN("old/delta-silver-sink/events/0", 5), "start: known", "old/delta-silver-sink");
    assert_refused(TXN("old/delta-silver-sink/events/0", 5) TXN("older/x/events/1", 5), "adopt: older/x",
                   "old/delta-silver-sink");
}

/* Other splits, and what others put into the table's transactions, are no rows of ours. */
static void test_strangers(void)
{
    assert_position(TXN("old/delta-silver-sink/events/1", 5), "", SF_POSITION_NONE);
    assert_position(TXN("old/delta-silver-sink/my-events/0", 5), "", SF_POSITION_NONE);
    assert_position(TXN("events/0", 5), "", SF_POSITION_NONE);
    assert_position(TXN("/x/events/0", 5), "", SF_POSITION_NONE);
    assert_position(TXN("3518d1c0-29e2-48bb-a0bc-4172fd19a2ca", 5), "", SF_POSITION_NONE);
    assert_position(TXN("test/delta-silver-sink/events/0", 7) TXN("old/delta-silver-sink/events/0", 5), "", 7);
}

static void test_anew(void)
{
    assert_position(TXN("old/delta-silver-sink/events/0", 5), "start: anew", SF_POSITION_NONE);
}

static void test_adopted_names(void)
{
    assert_position(TXN("old/silver/events/0", 5), "adopt: old/silver", 5);
    assert_position(TXN("old/delta-silver-sink/events/0", 5), "adopt: old", 5);
    assert_position(TXN("test/silver/events/0", 5), "adopt: silver", 5);
    assert_position(TXN("old/silver/clean/events/0", 5), "adopt: old/silver/clean", 5);
    assert_position(TXN("test/delta-silver-sink/events/0", 7) TXN("old/silver/events/0", 5), "adopt: old/silver", 7);
}

static void expect_origin(Harness *h, const char *want)
{
    harness_reopen(h);
    harness_recover(h, 0, "events/0");
    g_assert_cmpstr(harness_recovered_origin(h, 0, "events/0"), ==, want);
}

/* The newest is kept beside the position, once, and survives the log's cleanup as positions do. */
static void test_origins(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "checkpoint_interval: 3");
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    silver_write_rows(h, "events/0", 0, ROWS("[1]"));
    harness_commit(h, SF_COMMIT_END);
    expect_origin(h, NULL); /* of an earlier version */
    gint64 end = 1;
    const char *const origins[] = {"topic-id:one", "topic-id:one", "topic-id:two", "topic-id:two", "topic-id:one2"};
    for (gsize i = 0; i < G_N_ELEMENTS(origins); i++) {
        harness_set_origin(h, "events/0", origins[i]);
        silver_write_rows(h, "events/0", end++, ROWS("[1]"));
        harness_commit(h, SF_COMMIT_END);
        g_autoptr(GPtrArray) txns = silver_actions(&table, silver_last_version(&table), "txn");
        g_assert_cmpuint(txns->len, ==, i % 2 == 0 ? 2 : 1);
        expect_origin(h, origins[i]);
        g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, end);
    }
    for (gint64 version = 0; version < 3; version++) { /* a checkpoint has what was before it */
        g_autofree char *path = silver_log_path(&table, version);
        g_unlink(path);
    }
    expect_origin(h, "topic-id:one2");
}

/* Adopted once, the position is ours: in the log by the next commit, without rows too. */
static void test_adopt(void)
{
    g_auto(SilverTable) table = {0};
    put_table(&table, "adopt: old/silver", TXN("old/silver/events/0", 5) TXN("old/silver/events/1", 9));
    {
        g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
        g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, 5);
        g_assert_cmpint(harness_recover(h, 0, "events/1"), ==, 9);
        silver_write_rows(h, "events/0", 5, ROWS("[1]", "[2]"));
        harness_commit(h, SF_COMMIT_END);
        g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 7);
        g_autoptr(GPtrArray) txns = silver_actions(&table, 1, "txn");
        g_assert_cmpuint(txns->len, ==, 2);
        harness_commit(h, SF_COMMIT_END);
        g_assert_cmpint(silver_last_version(&table), ==, 1);
    }
    g_free(table.options);
    table.options = g_strdup_printf("url: file://%s/t", table.dir);
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, 7);
    g_assert_cmpint(harness_recover(h, 0, "events/1"), ==, 9);
    g_autofree char *text = silver_text(&table, "id bigint");
    g_assert_cmpstr(text, ==, "{\"id\":1}\n{\"id\":2}");
}

/* The one that was adopted still runs: its rows were not ours to go on from. */
static void test_adopted_runs(void)
{
    g_auto(SilverTable) table = {0};
    put_table(&table, "adopt: old/silver", TXN("old/silver/events/0", 5));
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    silver_write_rows(h, "events/0", 5, ROWS("[1]"));
    g_autofree char *path = silver_log_path(&table, 1);
    g_assert_true(g_file_set_contents(path, TXN("old/silver/events/0", 6), -1, NULL));
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_FENCED);
    g_assert_nonnull(strstr(h->err.message, "another process has moved old/silver/events/0 to 6 (from 5 here)"));
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, 6);
}

/* A second input changes the name of the first: no less a rename. */
static void test_inputs(void)
{
    g_auto(SilverTable) table = {0};
    put_table(&table, "", TXN("test/delta-silver-sink/events/0", 5));
    {
        g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
        harness_input_text(h, "more", "id bigint");
        g_assert_cmpint(harness_try_recover(h, 1, "events/0"), ==, SF_CONFIG);
        g_assert_nonnull(
            strstr(h->err.message, "'test/delta-silver-sink' has written 'events/0' to this table already"));
    }
    g_autofree char *path = silver_log_path(&table, 1);
    g_assert_true(g_file_set_contents(path, TXN("test/delta-silver-sink/sales/events/1", 8), -1, NULL));
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    harness_input_text(h, "more", "id bigint");
    g_assert_cmpint(harness_recover(h, 0, "events/1"), ==, 8);
    g_assert_cmpint(harness_recover(h, 1, "events/1"), ==, SF_POSITION_NONE);
}

/* A table that forgets positions after a while would have us read anew what it holds. */
static void test_retention(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    silver_put_table(
        &table, &(ForeignTable){.fields = FIELDS,
                                .configuration = "{\"delta.setTransactionRetentionDuration\":\"interval 7 days\"}"});
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    g_assert_cmpint(harness_try_bind(h), ==, SF_OK);
    g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
    g_assert_nonnull(strstr(h->err.message, "with 'delta.setTransactionRetentionDuration' (interval 7 days)"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delta-silver-sink/names/rows under another name stop the start", test_refused);
    g_test_add_func("/delta-silver-sink/names/positions of strangers do not", test_strangers);
    g_test_add_func("/delta-silver-sink/names/start: anew reads them again", test_anew);
    g_test_add_func("/delta-silver-sink/names/origins are kept beside positions", test_origins);
    g_test_add_func("/delta-silver-sink/names/adopt finds what was renamed", test_adopted_names);
    g_test_add_func("/delta-silver-sink/names/adopt goes on from there", test_adopt);
    g_test_add_func("/delta-silver-sink/names/adopt of one that still runs is fenced", test_adopted_runs);
    g_test_add_func("/delta-silver-sink/names/a second input is a new name", test_inputs);
    g_test_add_func("/delta-silver-sink/names/a table that forgets positions is refused", test_retention);
    return g_test_run();
}
