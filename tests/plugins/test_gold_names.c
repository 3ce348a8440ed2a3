/* The gold sink after a rename: positions under other names are told, adopted, or left alone; and the origins
 * beside positions. */
#include <string.h>
#include "gold_place.h"

#define TABLE "facts: {f: {key: id}}\n"
#define SCHEMA                                                                                                         \
    "id int not null, name string, _topic string not null, _partition int not null, _offset bigint not null, "         \
    "_timestamp timestamp"

static Harness *sink(GoldPlace *place, const char *options, gboolean two_inputs)
{
    Harness *h = gold_harness(place, options);
    harness_input_text(h, "sales", SCHEMA);
    if (two_inputs)
        harness_input_text(h, "returns", SCHEMA);
    return h;
}

static void write_row(Harness *h, gint64 offset, const char *name)
{
    g_autofree char *row =
        g_strdup_printf("[%d, \"%s\", \"t\", 0, %d, \"2024-01-15T10:00:00Z\"]", (int) offset, name, (int) offset);
    harness_write(h, 0, harness_rows(h, 0, "t/0", offset, (const char *const *) &row, 1));
}

/* What a pipeline `old` with a step `gold` has left: a table, its columns' record and the ledger at 3. */
static GoldPlace *place_of_old(void)
{
    GoldPlace *place = gold_place_new();
    g_autoptr(Harness) h = sink(place, TABLE, false);
    for (int i = 0; i < 3; i++)
        write_row(h, i, "old");
    harness_commit(h, SF_COMMIT_END);
    harness_close(h);
    gold_exec(place, "UPDATE sf_ledger SET pipeline = 'old', step = 'gold'");
    gold_exec(place, "UPDATE sf_ledger_columns SET pipeline = 'old', step = 'gold'");
    return place;
}

static void test_refused(void)
{
    g_autoptr(GoldPlace) place = place_of_old();
    g_autoptr(Harness) h = sink(place, TABLE, false);
    g_assert_cmpint(harness_try_recover(h, 0, "t/0"), ==, SF_CONFIG);
    g_assert_cmpstr(h->err.message, ==,
                    "'old/gold' has written 't/0' to these tables already; set 'adopt: old/gold' if "
                    "'snowflake-gold-sink' takes over from it (a pipeline, step or input that was renamed), or 'start: "
                    "anew' to read it from the beginning");
    gold_assert_query(place, "SELECT pipeline, step, end_position FROM sf_ledger", "old|gold|3"); /* no row of ours */
    /* a split of its own is nobody else's */
    g_assert_cmpint(harness_recover(h, 0, "t/1"), ==, SF_POSITION_NONE);
}

static void assert_position(const char *change, const char *options, gint64 position)
{
    g_autoptr(GoldPlace) place = place_of_old();
    gold_exec(place, change);
    g_autofree char *all = g_strconcat(TABLE, options, NULL);
    g_autoptr(Harness) h = sink(place, all, false);
    gint64 got = harness_recover(h, 0, "t/0");
    if (got != position)
        g_error("%s, %s: %d, not %d", change, options, (int) got, (int) position);
}

static void test_positions(void)
{
    static const char as_it_is[] = "UPDATE sf_ledger SET end_position = 3";
    assert_position(as_it_is, "start: anew", SF_POSITION_NONE);
    assert_position(as_it_is, "adopt: old/gold", 3);
    assert_position(as_it_is, "adopt: old/gold\nstart: anew", 3);
    assert_position("UPDATE sf_ledger SET step = 'snowflake-gold-sink'", "adopt: old", 3);
    assert_position("UPDATE sf_ledger SET pipeline = 'test'", "adopt: gold", 3);
    assert_position("UPDATE sf_ledger SET input = 'clean'", "adopt: old/gold/clean", 3);
    assert_position("UPDATE sf_ledger SET split = 't/9'", "adopt: old/gold", SF_POSITION_NONE);
    assert_position("UPDATE sf_ledger SET end_position = -1", "", SF_POSITION_NONE); /* it never committed anything */
}

static void test_goes_on(void)
{
    g_autoptr(GoldPlace) place = place_of_old();
    g_autoptr(Harness) h = sink(place, TABLE "adopt: old/gold", false);
    g_assert_cmpint(harness_recover(h, 0, "t/0"), ==, 3);
    g_assert_cmpint(harness_known_ms(h, 0, "t/0"), >, 0);
    harness_reopen(h); /* before it has committed anything */
    g_assert_cmpint(harness_recover(h, 0, "t/0"), ==, 3);
    write_row(h, 3, "new");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    write_row(h, 4, "new");
    harness_commit(h, SF_COMMIT_END);
    harness_reopen(h); /* `adopt` stays: now its own position counts */
    g_assert_cmpint(harness_recover(h, 0, "t/0"), ==, 5);
    gold_assert_query(place, "SELECT pipeline, end_position, rows_in FROM sf_ledger ORDER BY 1", "old|3|3\ntest|5|2");
    gold_assert_query(place, "SELECT id, name FROM f ORDER BY id", "0|old\n1|old\n2|old\n3|new\n4|new");
}

/* Another pipeline may keep other tables of the same splits in the same database. */
static void test_other_tables(void)
{
    g_autoptr(GoldPlace) place = place_of_old();
    g_autoptr(Harness) h = sink(place, "facts: {g: {key: id}}", false);
    g_assert_cmpint(harness_recover(h, 0, "t/0"), ==, SF_POSITION_NONE);
}

/* A second input brings the inputs' names into the ledger, so that the first one's position is under another name. */
static void test_second_input(void)
{
    g_autoptr(GoldPlace) place = place_of_old();
    gold_exec(place, "UPDATE sf_ledger SET pipeline = 'test', step = 'snowflake-gold-sink'");
    gold_exec(place, "UPDATE sf_ledger_columns SET pipeline = 'test', step = 'snowflake-gold-sink'");
    {
        g_autoptr(Harness) h = sink(place, TABLE, true);
        g_assert_cmpint(harness_try_recover(h, 0, "t/0"), ==, SF_CONFIG);
        gold_assert_contains(h->err.message, "set 'adopt: test/snowflake-gold-sink' if");
    }
    {
        g_autoptr(Harness) h = sink(place, TABLE "adopt: test/snowflake-gold-sink", true);
        g_assert_cmpint(harness_recover(h, 0, "t/0"), ==, 3);
        g_assert_cmpint(harness_recover(h, 1, "t/0"), ==, SF_POSITION_NONE);
    }
    g_autoptr(Harness) h = sink(place, TABLE "start: anew", true);
    g_assert_cmpint(harness_recover(h, 0, "t/0"), ==, SF_POSITION_NONE);
}

/* ---- what splits come from ---- */

static void commit_from(Harness *h, gint64 offset, const char *origin)
{
    harness_set_origin(h, "t/0", origin);
    write_row(h, offset, "new");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
}

/* By a sink that has told nothing before. */
static void assert_recovers(GoldPlace *place, const char *options, gint64 position, const char *origin)
{
    g_autofree char *all = g_strconcat(TABLE, options, NULL);
    g_autoptr(Harness) h = sink(place, all, false);
    g_assert_cmpint(harness_recover(h, 0, "t/0"), ==, position);
    g_assert_cmpstr(harness_recovered_origin(h, 0, "t/0"), ==, origin);
}

static void test_origins(void)
{
    static const char *const origins[] = {NULL, "topic-id:one", "topic-id:one", "topic-id:it's", NULL};
    static const char *const kept[] = {NULL, "topic-id:one", "topic-id:one", "topic-id:it's", "topic-id:it's"};
    g_autoptr(GoldPlace) place = gold_place_new();
    for (gsize i = 0; i < G_N_ELEMENTS(origins); i++) {
        g_autoptr(Harness) h = sink(place, TABLE, false);
        harness_recover(h, 0, "t/0");
        commit_from(h, (gint64) i, origins[i]);
        assert_recovers(place, "", (gint64) i + 1, kept[i]);
    }
    gold_exec(place, "UPDATE sf_ledger SET pipeline = 'old', step = 'gold'");
    assert_recovers(place, "adopt: old/gold", G_N_ELEMENTS(origins), "topic-id:it's");
    assert_recovers(place, "start: anew", SF_POSITION_NONE, NULL);
}

/* As an earlier version has left it, at 3. */
static GoldPlace *place_without_origins(void)
{
    GoldPlace *place = place_of_old();
    gold_exec(place, "UPDATE sf_ledger SET pipeline = 'test', step = 'snowflake-gold-sink'");
    gold_exec(place, "UPDATE sf_ledger_columns SET pipeline = 'test', step = 'snowflake-gold-sink'");
    gold_exec(place, "ALTER TABLE sf_ledger DROP COLUMN origin");
    return place;
}

static void test_upgrade(void)
{
    g_autoptr(GoldPlace) place = place_without_origins();
    g_autoptr(Harness) h = sink(place, TABLE, false);
    g_assert_cmpint(harness_recover(h, 0, "t/0"), ==, 3);
    gold_assert_contains(harness_logs(h), "table 'sf_ledger': column 'origin' added");
    assert_recovers(place, "", 3, NULL);
    gold_assert_query(place, "SELECT end_position, rows_in, origin FROM sf_ledger", "3|3|NULL");
    g_assert_cmpint(harness_recover(h, 0, "t/1"), ==, SF_POSITION_NONE); /* a row that is added to the old ones */
    commit_from(h, 3, "topic-id:one");
    gold_assert_query(place, "SELECT split, end_position, rows_in, origin FROM sf_ledger ORDER BY split",
                      "t/0|4|4|topic-id:one\nt/1|-1|0|NULL");
    assert_recovers(place, "", 4, "topic-id:one");
}

static void assert_warned_once(Harness *h, const char *why)
{
    const char *logs = harness_logs(h);
    g_autofree char *text = g_strdup_printf("table 'sf_ledger' has no column 'origin' (%s", why);
    gold_assert_contains(logs, text);
    g_assert_null(strstr(strstr(logs, text) + 1, text));
    gold_assert_contains(logs, "add it by: ALTER TABLE ");
}

/* Positions go on, and what another name had is adopted. */
static void test_not_allowed(void)
{
    g_autoptr(GoldPlace) place = place_without_origins();
    g_autoptr(Harness) h = sink(place, TABLE "create: false", false);
    g_assert_cmpint(harness_recover(h, 0, "t/0"), ==, 3);
    commit_from(h, 3, "topic-id:one");
    h->settle_answer = SF_RETRY; /* it logs in once more */
    write_row(h, 4, "new");
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    h->settle_answer = SF_OK;
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    assert_warned_once(h, "'create' is false)");
    gold_assert_query(place, "SELECT end_position, rows_in FROM sf_ledger", "5|5");
    assert_recovers(place, "create: false", 5, NULL);
    gold_exec(place, "UPDATE sf_ledger SET pipeline = 'old', step = 'gold'");
    assert_recovers(place, "create: false\nadopt: old/gold", 5, NULL);
}

/* The database refuses, for it is a view here. */
static void test_refused_column(void)
{
    g_autoptr(GoldPlace) place = place_without_origins();
    if (gold_is(place, "Snowflake")) {
        g_test_skip("the emulator says other words");
        return;
    }
    gold_exec(place, "ALTER TABLE sf_ledger RENAME TO kept");
    gold_exec(place, "CREATE VIEW sf_ledger AS SELECT * FROM kept");
    g_autoptr(Harness) h = sink(place, TABLE, false);
    g_assert_cmpint(harness_recover(h, 0, "t/0"), ==, 3);
    assert_warned_once(h, "");
}

#define PROCESSES 4

static int run_process(GoldPlace *place, int number)
{
    g_autoptr(Harness) h = sink(place, TABLE, false);
    g_autofree char *split = g_strdup_printf("t/%d", number);
    while (harness_try_open(h) != SF_OK)
        g_assert_cmpint(h->status, ==, SF_RETRY);
    while (harness_try_recover(h, 0, split) != SF_OK)
        g_assert_cmpint(h->status, ==, SF_RETRY);
    return h->node && !strstr(harness_logs(h), "has no column") ? 0 : 1;
}

static void test_upgrade_by_several(void)
{
    g_autoptr(GoldPlace) place = place_without_origins();
    if (!gold_processes(place, PROCESSES, run_process))
        return;
    gold_assert_query(place, "SELECT split, end_position, origin FROM sf_ledger ORDER BY split",
                      "t/0|3|NULL\nt/1|-1|NULL\nt/2|-1|NULL\nt/3|-1|NULL");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gold/names/another name's rows are told", test_refused);
    g_test_add_func("/gold/names/what adopt and start mean", test_positions);
    g_test_add_func("/gold/names/adopt goes on", test_goes_on);
    g_test_add_func("/gold/names/other tables are no concern", test_other_tables);
    g_test_add_func("/gold/names/a second input", test_second_input);
    g_test_add_func("/gold/origins/are kept beside positions", test_origins);
    g_test_add_func("/gold/origins/a ledger of an earlier version gets the column", test_upgrade);
    g_test_add_func("/gold/origins/a ledger may stay without it", test_not_allowed);
    g_test_add_func("/gold/origins/a database may refuse it", test_refused_column);
    g_test_add_func("/gold/origins/several processes add it at once", test_upgrade_by_several);
    return g_test_run();
}
