/* What a database does not take of the gold sink's tables is told with its place in the pipeline file, before a
 * connection where the connection string names the database; and nothing that is somebody else's is changed. */
#include <string.h>
#include "gold_place.h"

#define PROVENANCE ", _topic string not null, _partition int not null, _offset bigint not null, _timestamp timestamp"
#define SQLITE "connection: Driver=SQLite3;Database=x.db\n"
#define POSTGRESQL "connection: Driver=PostgreSQL Unicode;Server=nowhere.invalid\n"

static Harness *bound(const char *options, const char *schema)
{
    Harness *h = harness_new("snowflake-gold-sink", options);
    harness_input_text(h, "rows", schema);
    return h;
}

/* "id int, c0 int, c1 int, …" and the place in a topic: so many columns. */
static char *wide_schema(guint columns)
{
    GString *schema = g_string_new("id int");
    for (guint i = 5; i < columns; i++)
        g_string_append_printf(schema, ", c%u int", i);
    g_string_append(schema, PROVENANCE);
    return g_string_free(schema, FALSE);
}

static void test_columns(void)
{
    static const struct {
        const char *options;
        guint most;
        const char *message;
    } cases[] = {
        {SQLITE "facts:\n  f: {key: id}\n", 2000,
         "options.yaml:3:3: table 'f' has 2001 columns, and SQLite takes 2000 at most; name those that it needs in "
         "'columns'"},
        {POSTGRESQL "facts:\n  f: {key: id}\n", 1600,
         "options.yaml:3:3: table 'f' has 1601 columns, and PostgreSQL takes 1600 at most; name those"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *fits = wide_schema(cases[i].most), *wider = wide_schema(cases[i].most + 1);
        g_autoptr(Harness) good = bound(cases[i].options, fits);
        g_assert_cmpint(harness_try_bind(good), ==, SF_OK);
        g_autoptr(Harness) bad = bound(cases[i].options, wider);
        g_assert_cmpint(harness_try_bind(bad), ==, SF_CONFIG);
        gold_assert_contains(bad->err.message, cases[i].message);
    }
    g_autofree char *wide = wide_schema(3000);
    g_autoptr(Harness) other =
        bound("connection: DSN=whatever\nfacts: {f: {key: id}}", wide); /* the database is not known yet */
    g_assert_cmpint(harness_try_bind(other), ==, SF_OK);
}

/* The widest table is made and filled. */
static void test_the_widest_table(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (!gold_is(place, "SQLite")) {
        g_test_skip("SQLite only");
        return;
    }
    g_autoptr(Harness) h = gold_harness(place, "facts: {f: {key: id}}");
    g_autofree char *schema = wide_schema(2000);
    harness_input_text(h, "rows", schema);
    g_autoptr(GString) row = g_string_new("[1");
    for (guint i = 5; i < 2000; i++)
        g_string_append_printf(row, ", %u", i);
    g_string_append(row, ", \"t\", 0, 0, null]");
    harness_recover(h, 0, "t/0");
    harness_write(h, 0, harness_rows(h, 0, "t/0", 0, (const char *const[]){row->str}, 1));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT id, c5, c1999, _offset FROM f", "1|5|1999|0");
}

#define SNOWFLAKE "connection: Driver=SnowflakeDSIIDriver;Server=nowhere.invalid\n"

/* A temporary table is there for the session only, and hides the one of its name meanwhile. */
static void test_stages(void)
{
    g_autofree char *name = g_strnfill(247, 'n'), *shorter = g_strnfill(246, 'n');
    g_autofree char *longer = g_strdup_printf(SNOWFLAKE "facts:\n  %s: {key: id, columns: []}", name);
    g_autofree char *fits = g_strdup_printf(SNOWFLAKE "facts:\n  %s: {key: id, columns: []}", shorter);
    g_autofree char *deleted =
        g_strdup_printf(SNOWFLAKE "facts:\n  %s: {key: id, columns: [], delete_when: {v: 1}}", name + 10);
    const struct {
        const char *options, *message; /* NULL: fine */
    } cases[] = {
        {longer, "options.yaml:3:3: table 'nnn"},
        {longer, "the name 'sf_stage_nnn"},
        {fits, NULL},
        {deleted, "the name 'sf_stage_sf_deleted_nnn"},
        {SNOWFLAKE "facts:\n  a: {key: id, columns: []}\n  SF_Stage_A: {key: id, columns: []}",
         "options.yaml:4:3: rows of table 'a' go through a temporary table 'sf_stage_a', which would hide this one; "
         "rename it"},
        {SNOWFLAKE "facts:\n  a: {key: id, columns: [], delete_when: {v: 1}}\n  sf_stage_sf_deleted_a: {key: id}",
         "options.yaml:4:3: rows of table 'sf_deleted_a' go through"},
        {SNOWFLAKE "ledger: sf_stage_A\nfacts:\n  a: {key: id, columns: []}",
         "options.yaml:4:3: rows of table 'a' go through a temporary table 'sf_stage_a', which would hide the ledger; "
         "set 'ledger' to another name"},
        {SNOWFLAKE "ledger: sf_stage\nfacts:\n  columns: {key: id, columns: []}", "would hide the ledger"},
        {POSTGRESQL "facts:\n  a: {key: id, columns: []}\n  sf_stage_a: {key: id, columns: []}", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Harness) h = bound(cases[i].options, "id int, v int" PROVENANCE);
        if (harness_try_bind(h) != (cases[i].message ? SF_CONFIG : SF_OK))
            g_error("%s: %s", cases[i].options, h->err.message);
        if (cases[i].message)
            gold_assert_contains(h->err.message, cases[i].message);
    }
}

static void test_before_a_connection(void)
{
    g_autofree char *name = g_strnfill(64, 'n');
    g_autofree char *table = g_strdup_printf(POSTGRESQL "facts: {%s: {key: id, columns: []}}", name);
    g_autofree char *column = g_strdup_printf(POSTGRESQL "facts: {f: {key: id, columns: {%s: v}}}", name);
    g_autofree char *ledger = g_strdup_printf(POSTGRESQL "ledger: %s\nfacts: {f: {key: id, columns: []}}", name);
    g_autofree char *schema = g_strdup_printf(POSTGRESQL "schema: %s\nfacts: {f: {key: id, columns: []}}", name);
    g_autofree char *deleted = g_strdup_printf(POSTGRESQL "facts: {%s: {key: id, columns: [], delete_when: {v: 1}}}",
                                               name + 5); /* sf_deleted_… */
    const struct {
        const char *options, *message; /* NULL: fine */
    } cases[] = {
        {table, "options.yaml:2:9: table 'nnnn"},
        {table, "is longer than the 63 bytes that PostgreSQL keeps of a name"},
        {column, "options.yaml:2:9: table 'f': the name 'nnnn"},
        {ledger, "is longer than the 63 bytes"},
        {schema, "is longer than the 63 bytes"},
        {deleted, "the name 'sf_deleted_nnnn"},
        {SQLITE "schema: gold\nfacts: {f: {key: id, columns: []}}", "SQLite has no schemas; leave out 'schema: gold'"},
        {SQLITE "facts:\n  f: {key: id, latest_by: d, columns: []}",
         "options.yaml:3:3: table 'f': 'latest_by' cannot be 'd': SQLite keeps a decimal(20,2) as text"},
        {SQLITE "schema: gold\nfacts: {f: {key: id, latest_by: d, columns: []}}", "cannot be 'd'"}, /* both are told */
        {POSTGRESQL "facts: {f: {key: id, latest_by: d, columns: []}}", NULL},
        {"connection: DSN=whatever\nschema: gold\nfacts: {f: {key: id, latest_by: d, columns: []}}", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Harness) h = bound(cases[i].options, "id int, v int, d decimal(20,2)" PROVENANCE);
        if (harness_try_bind(h) != (cases[i].message ? SF_CONFIG : SF_OK))
            g_error("%s: %s", cases[i].options, h->err.message);
        if (cases[i].message)
            gold_assert_contains(h->err.message, cases[i].message);
    }
}

/* A type that may be written and means something else there. */
static void test_refused_tables(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (!gold_is(place, "SQLite")) {
        g_test_skip("each database says other words");
        return;
    }
    static const char options[] = "facts:\n  f: {key: id, columns: {note: {from: v, type: primary key}}}";
    g_autoptr(Harness) h = gold_harness(place, options);
    harness_input_text(h, "rows", "id int, v int" PROVENANCE);
    g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
    gold_assert_contains(h->err.message, "options.yaml:");
    gold_assert_contains(h->err.message, "table 'f' cannot be created: table \"f\" has more than one primary key");
    gold_exec(place, "CREATE TABLE f (id INTEGER PRIMARY KEY, _topic TEXT, _partition INTEGER, _offset BIGINT, "
                     "_timestamp TIMESTAMP)");
    g_autoptr(Harness) again = gold_harness(place, options);
    harness_input_text(again, "rows", "id int, v int" PROVENANCE);
    g_assert_cmpint(harness_try_open(again), ==, SF_CONFIG);
    gold_assert_contains(again->err.message, "options.yaml:");
    gold_assert_contains(again->err.message, "table 'f': column 'note' cannot be added: Cannot add a PRIMARY KEY");
}

static void test_a_table_that_is_not_a_ledger(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    gold_exec(place, "CREATE TABLE book (pipeline VARCHAR(9), step VARCHAR(9), amount INTEGER)");
    g_autoptr(Harness) h = gold_harness(place, "ledger: book\nfacts: {f: {key: id, columns: []}}");
    harness_input_text(h, "rows", "id int" PROVENANCE);
    g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
    gold_assert_contains(h->err.message, "table 'book' exists and is not a ledger that this version knows: it has no "
                                         "column 'input'; set 'ledger' to another name");
    gold_exec(place, "INSERT INTO book VALUES ('p', 's', 1)"); /* no column was added to it */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gold/bounds/a table has as many columns as the database takes", test_columns);
    g_test_add_func("/gold/bounds/the widest table is filled", test_the_widest_table);
    g_test_add_func("/gold/bounds/what a database does not take is told before a connection", test_before_a_connection);
    g_test_add_func("/gold/bounds/temporary tables hide none", test_stages);
    g_test_add_func("/gold/bounds/a table that is refused has its place", test_refused_tables);
    g_test_add_func("/gold/bounds/a table that is not a ledger is left alone", test_a_table_that_is_not_a_ledger);
    return g_test_run();
}
