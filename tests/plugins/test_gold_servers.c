/* What the gold sink says to PostgreSQL and Snowflake, and what it makes of their answers: without a server. The same
 * on real ones, and on an emulator of Snowflake: tests/e2e/test_gold_*.py. */
#include <stdio.h>
#include <string.h>
#include "gold_place.h"
#include "gold_server.h"

/* ---- a life, statement by statement ---- */

static char *life(const char *product)
{
    g_autoptr(Harness) h = gold_server_sink(product, "schema: gold\n" GOLD_DELETING);
    bool snowflake = strcmp(product, "Snowflake") == 0;
    gold_server_answer_times("CREATE TABLE",
                             snowflake ? GOLD_ERROR("02000", 2003, "Schema 'GOLD' does not exist")
                                       : GOLD_ERROR("3F000", 7, "schema \\\"gold\\\" does not exist"),
                             1);
    harness_recover(h, 0, "t/0");
    gold_server_write(h, 0, 2, "false");
    gold_server_write(h, 2, 1, "true");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    harness_close(h);
    return gold_server_sent();
}

static void test_life(gconstpointer data)
{
    const char *product = data;
    g_autofree char *name = g_ascii_strdown(product, -1);
    g_autofree char *path = g_strdup_printf(SF_SOURCE_DIR "/tests/plugins/gold_sql/%s-life.sql", name);
    g_autofree char *expected = NULL, *got = life(product);
    g_assert_true(g_file_get_contents(path, &expected, NULL, NULL));
    g_assert_cmpstr(got, ==, expected);
}

/* An update of Snowflake's locks the whole ledger: where nothing deletes, it is the last thing. */
static void test_the_ledger_is_last(void)
{
    g_autoptr(Harness) h = gold_server_sink("Snowflake", GOLD_FACT);
    gold_server_write(h, 0, 2, "false");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_server_assert_sent("INSERT INTO \"SF_STAGE_F\"", "autocommit off\n", "MERGE INTO \"F\"",
                            "UPDATE \"SF_LEDGER\"", "\nCOMMIT\nautocommit on\n", NULL);
    gold_server_answer("UPDATE \"SF_LEDGER\"", "{\"changed\": 0}");
    gold_server_write(h, 2, 1, "false");
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_FENCED);
    g_assert_cmpstr(h->err.message, ==,
                    "the ledger has moved on: another process commits for step 'snowflake-gold-sink'");
}

static void test_a_product_that_nobody_knows(void)
{
    g_autoptr(Harness) h = gold_server_sink("Oracle", GOLD_FACT);
    g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
    gold_assert_contains(h->err.message, "the driver connects to 'Oracle', which this sink does not support; it "
                                         "supports ");
    gold_assert_contains(h->err.message, "PostgreSQL");
    gold_assert_contains(h->err.message, "Snowflake");
    gold_assert_contains(h->err.message, "SQLite");
}

/* ---- DDL: what a person has to correct, what is tried again, and what is broken ---- */

typedef struct Refusal {
    const char *product, *options, *statement, *answer;
    SfStatus status;
    const char *message;
} Refusal;

#define TYPED "facts:\n  f: {key: id, columns: {name: {from: name, type: strange}}}"
#define F_EXISTS "{\"columns\": 2, \"rows\": [[\"id\", \"integer\"]]}"

static const Refusal refusals[] = {
    {"PostgreSQL", TYPED, "CREATE TABLE IF NOT EXISTS \"f\"",
     GOLD_ERROR("42704", 7, "type \\\"strange\\\" does not exist"), SF_CONFIG,
     "options.yaml:3:3: table 'f' cannot be created: type \"strange\" does not exist"},
    {"PostgreSQL", TYPED, "CREATE TABLE IF NOT EXISTS \"f\"", GOLD_ERROR("22023", 7, "length must be at least 1"),
     SF_CONFIG, "table 'f' cannot be created: length must be at least 1"},
    {"PostgreSQL", TYPED, "CREATE TABLE IF NOT EXISTS \"f\"", GOLD_ERROR("0A000", 7, "not supported"), SF_CONFIG,
     "table 'f' cannot be created: not supported"},
    {"PostgreSQL", TYPED, "CREATE TABLE IF NOT EXISTS \"f\"", GOLD_ERROR("23505", 7, "made by another in this moment"),
     SF_RETRY, "made by another in this moment"},
    {"PostgreSQL", TYPED, "CREATE TABLE IF NOT EXISTS \"f\"", GOLD_ERROR("42P07", 7, "relation already exists"),
     SF_RETRY, "relation already exists"},
    {"PostgreSQL", TYPED, "CREATE TABLE IF NOT EXISTS \"f\"",
     GOLD_ERROR("42501", 7, "permission denied for schema public"), SF_RETRY, "permission denied for schema public"},
    {"PostgreSQL", TYPED, "CREATE TABLE IF NOT EXISTS \"f\"", GOLD_ERROR("XX000", 7, "tuple concurrently updated"),
     SF_RETRY, "tuple concurrently updated"},
    {"PostgreSQL", TYPED, "CREATE TABLE IF NOT EXISTS \"f\"", GOLD_ERROR("XX001", 7, "invalid page in block 3"),
     SF_FATAL, "invalid page in block 3"},
    {"PostgreSQL", TYPED, "ALTER TABLE \"f\"", GOLD_ERROR("XX000", 7, "cache lookup failed"), SF_RETRY,
     "cache lookup failed"},
    {"PostgreSQL", TYPED, "ALTER TABLE \"f\"", GOLD_ERROR("XX002", 7, "index is corrupt"), SF_FATAL,
     "index is corrupt"},
    {"PostgreSQL", TYPED, "ALTER TABLE \"f\"", GOLD_ERROR("42704", 7, "type \\\"strange\\\" does not exist"), SF_CONFIG,
     "options.yaml:3:3: table 'f': column 'name' cannot be added: type \"strange\" does not exist"},
    {"PostgreSQL", "create: false\n" GOLD_FACT, "ALTER TABLE \"f\"", GOLD_ERROR("XX000", 7, "never sent"), SF_CONFIG,
     "table 'f' has no column 'name', and 'create' is false"},
    {"PostgreSQL", "create: false\n" GOLD_FACT, "to_regclass('\"f\"')", "{\"columns\": 2, \"rows\": []}", SF_CONFIG,
     "table 'f' does not exist, and 'create' is false"},
    {"PostgreSQL", "facts: {f: {key: name, columns: [id]}}", "ALTER TABLE \"f\"", GOLD_ERROR("XX000", 7, "never sent"),
     SF_CONFIG, "table 'f' exists and has no column 'name', which is its key here; correct 'key', or drop the table"},
    {"Snowflake", TYPED, "CREATE TABLE IF NOT EXISTS \"F\"",
     GOLD_ERROR("42601", 2040, "Unsupported data type 'STRANGE'"), SF_CONFIG,
     "table 'f' cannot be created: (2040) Unsupported data type 'STRANGE'"},
    {"Snowflake", TYPED, "CREATE TABLE IF NOT EXISTS \"F\"", GOLD_ERROR("XX000", 300010, "internal error"), SF_RETRY,
     "internal error"},
    {"PostgreSQL", GOLD_FACT, "to_regclass('\"f\"')", GOLD_ERROR("57P01", 7, "terminating connection"), SF_RETRY,
     "terminating connection"},
    {"PostgreSQL", GOLD_FACT, "SET lock_timeout", GOLD_ERROR("22023", 7, "no such parameter"), SF_RETRY,
     "no such parameter"},
    {"PostgreSQL", GOLD_FACT, "application_name", GOLD_ERROR("53200", 7, "out of memory"), SF_RETRY, "out of memory"},
    {"PostgreSQL", GOLD_FACT, "LOGIN", GOLD_ERROR("28P01", 7, "password authentication failed"), SF_RETRY,
     "password authentication failed"},
};

static void test_refusals(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
        const Refusal *one = &refusals[i];
        g_autoptr(Harness) h = gold_server_sink(one->product, one->options);
        if (strstr(one->statement, "ALTER"))
            gold_server_answer("to_regclass('\"f\"')", F_EXISTS);
        gold_server_answer(one->statement, one->answer);
        if (harness_try_open(h) != one->status)
            g_error("%s: %s: %s", one->answer, sf_status_name(h->status), h->err.message);
        gold_assert_contains(h->err.message, one->message);
        g_assert_cmpint(one->status != SF_CONFIG && strstr(h->err.message, "options.yaml") != NULL, ==, false);
    }
}

/* Another process adds the column in the same moment: the catalogue tells so, not the error. */
static void test_a_column_of_another_process(void)
{
    g_autoptr(Harness) h = gold_server_sink("PostgreSQL", GOLD_FACT);
    gold_server_answer("to_regclass('\"f\"')",
                       "{\"columns\": 2, \"rows\": [[\"id\", \"integer\"], [\"name\", \"text\"], [\"_topic\", "
                       "\"text\"], [\"_partition\", \"integer\"], [\"_offset\", \"bigint\"], [\"_timestamp\", "
                       "\"timestamp with time zone\"]]}");
    gold_server_answer_times("to_regclass('\"f\"')",
                             "{\"columns\": 2, \"rows\": [[\"id\", \"integer\"], [\"_topic\", \"text\"], "
                             "[\"_partition\", \"integer\"], [\"_offset\", \"bigint\"], [\"_timestamp\", \"timestamp "
                             "with time zone\"]]}",
                             1);
    gold_server_answer("ADD COLUMN \"name\"", GOLD_ERROR("42701", 7, "column already exists"));
    harness_open(h);
    g_assert_null(strstr(harness_logs(h), "added"));
}

/* A text goes into uuid or jsonb by a cast; into types of texts without one, which would cut it. */
static void test_casts(void)
{
    static const struct {
        const char *type, *part;
    } cases[] = {{"uuid", "SELECT c0::uuid, c1"},
                 {"jsonb", "SELECT c0::jsonb, c1"},
                 {"character varying(5)", "SELECT c0, c1"},
                 {"Text", "SELECT c0, c1"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *options =
            g_strdup_printf("facts: {f: {key: id, columns: {name: {from: name, type: %s}, id: }}}", cases[i].type);
        g_autoptr(Harness) h = gold_server_sink("PostgreSQL", options);
        gold_server_write(h, 0, 1, "false");
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        gold_server_assert_sent(cases[i].part, NULL);
    }
}

/* Whoever waits for the database can be woken; the next call fails where none waits. */
static void test_interrupts(void)
{
    g_autoptr(Harness) h = gold_server_sink("PostgreSQL", GOLD_FACT);
    harness_recover(h, 0, "t/0");
    harness_interrupt_after(h, 0);
    gint64 offset = 0;
    do
        gold_server_write(h, offset++, 1, "false");
    while (harness_try_commit(h, SF_COMMIT_CHECKPOINT) == SF_OK);
    g_assert_cmpstr(h->err.message, ==, "interrupted");
    g_assert_cmpint(h->status, ==, SF_RETRY);
    g_autofree char *there = g_strdup_printf("{\"columns\": 5, \"rows\": [[\"\", \"t/0\", %d, null, null]]}",
                                             offset > 1 ? (int) offset - 1 : -1); /* -1: nothing yet */
    gold_server_answer(GOLD_LEDGER, there);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
}

/* What drivers say: without their prefixes, once, in one line. */
static void test_words_of_drivers(void)
{
    static const struct {
        const char *error, *message;
    } cases[] = {
        {"{\"error\": {\"state\": \"53200\", \"code\": 7}}", "the driver gives no reason (HY000 0)"},
        {"{\"error\": {\"state\": \"53200\", \"code\": 7, \"message\": \"out of memory\", \"more\": \"[a][b] of the "
         "server \"}}",
         "out of memory; of the server (53200 7)"},
        {"{\"error\": {\"state\": \"53200\", \"code\": 7, \"message\": \"out of memory\", \"more\": \"out of "
         "memory\"}}",
         "out of memory (53200 7)"},
        {"{\"error\": {\"state\": \"53200\", \"code\": 7, \"message\": \"out of\\tmemory;\\nError while executing the "
         "query\"}}",
         "out of memory (53200 7)"},
        {"{\"error\": {\"state\": \"53200\", \"code\": 7, \"message\": \"a\\n\\n  b  c\"}}", "a; b c (53200 7)"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Harness) h = gold_server_sink("PostgreSQL", GOLD_FACT);
        gold_server_answer("SET lock_timeout", cases[i].error);
        g_assert_cmpint(harness_try_open(h), ==, SF_RETRY);
        g_assert_cmpstr(h->err.message, ==, cases[i].message);
    }
}

/* ---- the ledger and the record of columns ---- */

static void test_a_ledger_that_is_missing(void)
{
    g_autoptr(Harness) h = gold_server_sink("PostgreSQL", "create: false\n" GOLD_FACT);
    gold_server_answer("to_regclass('\"f\"')",
                       "{\"columns\": 2, \"rows\": [[\"id\", \"integer\"], [\"name\", \"text\"], [\"_topic\", "
                       "\"text\"], [\"_partition\", \"integer\"], [\"_offset\", \"bigint\"], [\"_timestamp\", "
                       "\"timestamp with time zone\"]]}");
    g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
    gold_assert_contains(h->err.message,
                         "table 'sf_ledger' does not exist, and 'create' is false; create it by: CREATE "
                         "TABLE IF NOT EXISTS \"sf_ledger\" (pipeline text NOT NULL, ");
    gold_server_assert_not_sent("CREATE");
}

#define LEDGER_COLUMNS                                                                                                 \
    "{\"columns\": 2, \"rows\": [[\"pipeline\", \"text\"], [\"step\", \"text\"], [\"input\", \"text\"], [\"split\", "  \
    "\"text\"], [\"end_position\", \"bigint\"], [\"rows_in\", \"bigint\"], [\"rows_rejected\", \"bigint\"], "          \
    "[\"updated_at\", \"timestamp with time zone\"]]}"

/* A ledger of an earlier version: its column for origins is added, or it goes on without. */
static void test_an_old_ledger(void)
{
    static const struct {
        const char *answer;
        SfStatus status;
        const char *log, *query;
    } cases[] = {
        {"{\"changed\": 0}", SF_OK, "warning: table 'sf_ledger' has no column 'origin' ()", "updated_at, '' FROM"},
        {GOLD_ERROR("42501", 7, "must be owner of table sf_ledger"), SF_OK,
         "warning: table 'sf_ledger' has no column 'origin' (must be owner of table sf_ledger (42501 7)): a topic",
         "updated_at, '' FROM"},
        {GOLD_ERROR("57014", 7, "cancelled"), SF_RETRY, NULL, NULL},
        {GOLD_ERROR("XX000", 7, "tuple concurrently updated"), SF_RETRY, NULL, NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Harness) h = gold_server_sink("PostgreSQL", GOLD_FACT);
        gold_server_answer("to_regclass('\"sf_ledger\"')", LEDGER_COLUMNS);
        gold_server_answer("ADD COLUMN origin", cases[i].answer);
        g_assert_cmpint(harness_try_open(h), ==, cases[i].status);
        if (cases[i].status != SF_OK)
            continue;
        harness_recover(h, 0, "t/0");
        gold_assert_contains(harness_logs(h), cases[i].log);
        gold_server_assert_sent("ADD COLUMN origin text\n", GOLD_LEDGER, cases[i].query, NULL);
        gold_server_write(h, 0, 1, "false");
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        gold_server_assert_sent("rows_rejected + v.more_rejects, updated_at", NULL);
    }
}

/* A log-in that may write into tables but make none: without the record, and it is said once. */
static void test_a_record_that_may_not_be_made(void)
{
    g_autoptr(Harness) h = gold_server_sink("PostgreSQL", GOLD_FACT);
    gold_server_answer("CREATE TABLE IF NOT EXISTS \"sf_ledger_columns\"",
                       GOLD_ERROR("42501", 7, "permission denied for schema public"));
    harness_open(h);
    gold_assert_contains(harness_logs(h), "warning: no record of the columns that are written: permission denied "
                                          "for schema public (42501 7); a column that is taken out");
    gold_server_assert_not_sent("INSERT INTO \"sf_ledger_columns\"");
    g_assert_cmpint(harness_recover(h, 0, "t/0"), ==, SF_POSITION_NONE);
    gold_server_assert_not_sent("SELECT DISTINCT");

    g_autoptr(Harness) busy = gold_server_sink("PostgreSQL", GOLD_FACT);
    gold_server_answer("CREATE TABLE IF NOT EXISTS \"sf_ledger_columns\"", GOLD_ERROR("53200", 7, "out of memory"));
    g_assert_cmpint(harness_try_open(busy), ==, SF_RETRY);
}

/* A name of 63 bytes leaves no room for `_columns` behind it. */
static void test_a_ledger_with_a_long_name(void)
{
    g_autofree char *name = g_strnfill(60, 'n'), *options = g_strdup_printf("ledger: %s\n" GOLD_FACT, name);
    g_autoptr(Harness) h = gold_server_sink("PostgreSQL", options);
    harness_recover(h, 0, "t/0");
    gold_server_assert_not_sent("_columns");
}

static void test_positions(void)
{
    static const struct {
        const char *position;
        SfStatus status;
        int64_t there;
        const char *message;
    } cases[] = {{"\"42\"", SF_OK, 42, NULL},
                 {"-1", SF_OK, SF_POSITION_NONE, NULL},
                 {"null", SF_OK, SF_POSITION_NONE, NULL},
                 {"0", SF_OK, 0, NULL},
                 {"\"4.5\"", SF_FATAL, 0, "the database gives '4.5' where a whole number is expected"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Harness) h = gold_server_sink("PostgreSQL", GOLD_FACT);
        g_autofree char *row = g_strdup_printf("{\"columns\": 5, \"rows\": [[\"\", \"t/0\", %s, null, null], [\"\", "
                                               "\"t/1\", 7, \"soon\", null], [null, null, 8, \"2024-01-15 10:30:00\", "
                                               "\"\"]]}",
                                               cases[i].position);
        gold_server_answer(GOLD_LEDGER, row);
        g_assert_cmpint(harness_try_recover(h, 0, "t/0"), ==, cases[i].status);
        if (cases[i].message)
            g_assert_cmpstr(h->err.message, ==, cases[i].message);
        else
            g_assert_cmpint(harness_recover(h, 0, "t/0"), ==, cases[i].there);
        g_assert_cmpint(harness_known_ms(h, 0, "t/0"), ==, 0);
    }
}

static void test_times(void)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"2024-01-15 10:30:00.25", 1705314600250},
                 {"2024-01-15 10:30:00+00", 1705314601000},
                 {"2024-01-15 10:30:00.250000+00", 1705314600250},
                 {"2024-01-15T10:30:00", 1705314601000},
                 {"2024-01-15", 0},
                 {"yesterday at noon", 0}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Harness) h = gold_server_sink("PostgreSQL", GOLD_FACT);
        g_autofree char *row =
            g_strdup_printf("{\"columns\": 5, \"rows\": [[\"\", \"t/0\", 1, \"%s\", null]]}", cases[i].text);
        gold_server_answer(GOLD_LEDGER, row);
        harness_recover(h, 0, "t/0");
        g_assert_cmpint(harness_known_ms(h, 0, "t/0"), ==, cases[i].ms);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--print") == 0) {
        g_autofree char *text = life(argv[2]);
        fputs(text, stdout);
        return 0;
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/gold/servers/a life with PostgreSQL, statement by statement", "PostgreSQL", test_life);
    g_test_add_data_func("/gold/servers/a life with Snowflake, statement by statement", "Snowflake", test_life);
    g_test_add_func("/gold/servers/Snowflake's ledger is moved last", test_the_ledger_is_last);
    g_test_add_func("/gold/servers/another database is refused by name", test_a_product_that_nobody_knows);
    g_test_add_func("/gold/servers/DDL that is refused is told as what it is", test_refusals);
    g_test_add_func("/gold/servers/a column may be another process's", test_a_column_of_another_process);
    g_test_add_func("/gold/servers/a ledger that is missing is not made against the option",
                    test_a_ledger_that_is_missing);
    g_test_add_func("/gold/servers/a ledger of an earlier version", test_an_old_ledger);
    g_test_add_func("/gold/servers/a record that may not be made", test_a_record_that_may_not_be_made);
    g_test_add_func("/gold/servers/a ledger whose record has no name", test_a_ledger_with_a_long_name);
    g_test_add_func("/gold/servers/positions are whole numbers", test_positions);
    g_test_add_func("/gold/servers/the ledger's times are read as databases write them", test_times);
    g_test_add_func("/gold/servers/texts are cast where a type needs it", test_casts);
    g_test_add_func("/gold/servers/an interrupt is heard", test_interrupts);
    g_test_add_func("/gold/servers/the words of drivers", test_words_of_drivers);
    return g_test_run();
}
