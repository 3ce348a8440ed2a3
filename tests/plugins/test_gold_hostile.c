/* The gold sink among names, values, tables and rivals that were not made for it. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "gold_place.h"

#define PROVENANCE ", _topic string not null, _partition int not null, _offset bigint not null, _timestamp timestamp"

static Harness *sink(GoldPlace *place, const char *options, const char *schema)
{
    g_autofree char *columns = g_strconcat(schema, PROVENANCE, NULL);
    Harness *h = gold_harness(place, options);
    harness_input_text(h, "sales", columns);
    return h;
}

/* Rows of "t/<partition>" at the offsets from `first` on; a row "… @S" is S seconds past ten, without @ at ten. */
static void write_rows(Harness *h, int partition, gint64 first, const char *const *rows, gsize n)
{
    g_autoptr(GPtrArray) whole = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *split = g_strdup_printf("t/%d", partition);
    for (gsize i = 0; i < n; i++) {
        g_auto(GStrv) parts = g_strsplit(rows[i], " @", 2);
        g_autofree char *time = parts[1] && strcmp(parts[1], "null") == 0
                                    ? g_strdup("null")
                                    : g_strdup_printf("\"2024-01-15T10:00:%02dZ\"",
                                                      parts[1] ? (int) g_ascii_strtoll(parts[1], NULL, 10) : 0);
        g_ptr_array_add(whole,
                        g_strdup_printf("[%s, \"t\", %d, %d, %s]", parts[0], partition, (int) first + (int) i, time));
    }
    harness_write(h, 0, harness_rows(h, 0, split, first, (const char *const *) whole->pdata, n));
}

#define WRITE(h, partition, first, ...)                                                                                \
    do {                                                                                                               \
        const char *rows_[] = {__VA_ARGS__};                                                                           \
        write_rows(h, partition, first, rows_, G_N_ELEMENTS(rows_));                                                   \
    } while (0)

/* ---- names ---- */

/* A quote is written twice inside its own kind. */
static void append_quoting(GString *out, char c, char quote)
{
    if (c == quote)
        g_string_append_c(out, c);
    g_string_append_c(out, c);
}

static void test_names(void)
{
    static const char *const names[] = {"a?b",
                                        "{d '2024-01-01'}",
                                        "x; DROP TABLE f; --",
                                        "quo\"te",
                                        "back\\slash",
                                        "per%s %n",
                                        "dollar$1 $$",
                                        "Größe",
                                        "it's",
                                        ":colon @at",
                                        "/* c",
                                        "-- c"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GoldPlace) place = gold_place_new();
        if (gold_is(place, "Snowflake") && strchr(names[i], '\'')) /* the emulator takes it for a string */
            continue;
        g_autoptr(GString) yaml = g_string_new("'"), quoted = g_string_new("\"");
        for (const char *at = names[i]; *at; at++) {
            append_quoting(yaml, *at, '\'');
            append_quoting(quoted, *at, '"');
        }
        g_string_append_c(yaml, '\'');
        g_string_append_c(quoted, '"');
        g_autofree char *options = g_strdup_printf("ledger: %s\nfacts: {%s: {key: id, columns: {%s: name}}}",
                                                   names[i][0] == 'q' ? yaml->str : "sf_ledger",
                                                   names[i][0] == 'x' ? yaml->str : "f", yaml->str);
        g_autofree char *query =
            g_strdup_printf("SELECT id, %s FROM %s ORDER BY id", quoted->str, names[i][0] == 'x' ? quoted->str : "f");
        g_autoptr(Harness) h = sink(place, options, "id int not null, name string");
        WRITE(h, 0, 0, "1, \"one\"", "2, \"two\"");
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        WRITE(h, 0, 2, "1, \"three\"");
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        harness_reopen(h); /* the table is there now */
        g_assert_cmpint(harness_recover(h, 0, "t/0"), ==, 3);
        gold_assert_query(place, query, "1|three\n2|two");
    }
}

static void test_splits(void)
{
    static const char *const splits[] = {"it's/0",  "what?/1",           "{d '2024-01-01'}/2", "back\\slash\\/3",
                                         "\"q\"/4", "'; DROP TABLE f/5", "Größe %s/6",         "\\'/7"};
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = sink(place, "facts: {f: {key: id}}", "id int not null");
    for (int round = 0; round < 2; round++) {
        for (gsize i = 0; i < G_N_ELEMENTS(splits); i++) {
            g_autofree char *row = g_strdup_printf("[%d, \"t\", 0, %d, null]", (int) i, round);
            harness_write(h, 0, harness_rows(h, 0, splits[i], round, (const char *const[]){row}, 1));
        }
        harness_commit(h, SF_COMMIT_CHECKPOINT);
    }
    harness_reopen(h);
    for (gsize i = 0; i < G_N_ELEMENTS(splits); i++)
        g_assert_cmpint(harness_recover(h, 0, splits[i]), ==, 2);
    gold_assert_query(place, "SELECT count(*), min(end_position), max(end_position) FROM sf_ledger", "8|2|2");
}

/* Each database has a length from which on it cuts names, in silence. */
static void test_long_names(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autofree char *name = g_strnfill(70, 'n');
    g_autofree char *options = g_strdup_printf("facts: {f: {key: id, columns: {%s: name}}}", name);
    g_autofree char *query = g_strdup_printf("SELECT id, %s FROM f", name);
    g_autoptr(Harness) h = sink(place, options, "id int not null, name string");
    if (gold_is(place, "PostgreSQL")) {
        g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
        gold_assert_contains(h->err.message, "longer than the 63 bytes that PostgreSQL keeps of a name");
        return;
    }
    WRITE(h, 0, 0, "1, \"one\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    harness_reopen(h);
    gold_assert_query(place, query, "1|one");
}

static void test_other_case(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    gold_exec(place, "CREATE TABLE F (ID INTEGER PRIMARY KEY, Name VARCHAR(20), OLD VARCHAR(9))");
    gold_exec(place, "INSERT INTO F VALUES (1, 'before', 'kept')");
    g_autoptr(Harness) h = sink(place, "facts: {f: {key: id, columns: {name: name}}}", "id int not null, name string");
    WRITE(h, 0, 0, "1, \"after\"", "2, \"two\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT id, name, old FROM f ORDER BY id", "1|after|kept\n2|two|NULL");
}

/* ---- the winner ---- */

static void test_nulls_and_ties(void)
{
    static const char *const options = "facts: {f: {key: k, latest_by: [a, b], columns: [v]}}";
    static const char *const rows[] = {"\"n\", null, null, 1",  "\"n\", null, 5, 2",    "\"n\", null, null, 3",
                                       "\"a\", 1, null, 4",     "\"a\", null, 9, 5",    "\"a\", 1, 0, 6",
                                       "\"t\", 2, 2, 7",        "\"t\", 2, 2, 8",       "\"t\", 2, 1, 9",
                                       "\"z\", null, null, 10", "\"z\", null, null, 11"};
    g_autofree char *first = NULL;
    for (int how = 0; how < 6; how++) {
        g_autoptr(GoldPlace) place = gold_place_new();
        if (gold_is(place, "Snowflake") && how > 2) /* the emulator is slow */
            continue;
        g_autoptr(Harness) h = sink(place, options, "k string not null, a int, b double, v int");
        /* the same events in the same partitions; how many a commit, and which partition comes first, differs */
        for (int pass = 0; pass < 2; pass++) {
            int partition = pass ^ (how & 1);
            for (gsize i = (gsize) partition, n = 0; i < G_N_ELEMENTS(rows); i += 2, n++) {
                write_rows(h, partition, (gint64) n, &rows[i], 1);
                if (how >= 2 && n % (gsize) (how / 2) == 0)
                    harness_commit(h, SF_COMMIT_CHECKPOINT);
            }
        }
        harness_commit(h, SF_COMMIT_END);
        g_autofree char *got = gold_query(place, "SELECT k, a, v, _partition, _offset FROM f ORDER BY k");
        if (!first)
            first = g_strdup(got);
        g_assert_cmpstr(got, ==, first);
    }
    gold_assert_contains(first, "a|1|6|1|2\nn|NULL|2|1|0\nt|2|8|1|3\nz|NULL|10|1|4");
}

static void test_keys_that_look_alike(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = sink(place, "facts: {f: {key: k}}", "k string not null");
    WRITE(h, 0, 0, "\"a\"", "\"A\"", "\"a \"", "\" a\"", "\"\"", "\" \"", "\"e\\u0301\"", "\"\\u00e9\"", "\"a\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    WRITE(h, 0, 9, "\"A\"", "\"a \"", "\"\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT count(*), max(_offset) FROM f", "8|11");
    gold_assert_query(place, "SELECT _offset FROM f WHERE k = ''", "11");
}

/* ---- values ---- */

static void test_infinite(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = sink(place, "facts: {f: {key: id, latest_by: x}}", "id int not null, x double");
    WRITE(h, 0, 0, "1, 1e999", "1, 5", "2, -1e999", "3, 7");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    WRITE(h, 0, 4, "1, 1e300", "2, -1e300", "3, 1e999");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place,
                      "SELECT id, CASE WHEN x > 1e305 THEN 'inf' WHEN x < -1e305 THEN '-inf' ELSE 'finite' END FROM f "
                      "ORDER BY id",
                      "1|inf\n2|finite\n3|inf");
}

static void test_values_that_no_warehouse_takes(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = sink(place, "dimensions: {d: {key: k}}\nfacts: {f: {key: id}}",
                                "id int not null, k string, day date, at timestamp");
    WRITE(h, 0, 0, "1, \"fine\", \"2024-01-15\", null", "2, \"nul\\u0000key\", null, null",
          "3, \"fine\", -719163, null", "4, \"x\", null, -62135596800000001", "5, \"\\u0000\", null, null",
          "6, \"last\", \"9999-12-31\", \"9999-12-31T23:59:59.999999Z\"", "7, \"y\", 2932897, null",
          "8, \"z\", null, 253402300800000000", "9, \"z\", -2147483648, null", "10, \"z\", null, -9223372036854775808");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpuint(harness_n_rejects(h), ==, 8);
    gold_assert_contains(harness_rejects(h), "t/0@1: table 'd': k: the text has a NUL character in it");
    gold_assert_contains(harness_rejects(h), "t/0@2: table 'f': day: the year 0 is outside of 1 to 9999");
    gold_assert_contains(harness_rejects(h), "t/0@3: table 'f': at: the year 0 is outside of 1 to 9999");
    gold_assert_contains(harness_rejects(h), "t/0@7: table 'f': at: the year 10000 is outside of 1 to 9999");
    gold_assert_query(place, "SELECT id FROM f ORDER BY id", "1\n6");
    gold_assert_query(place, "SELECT k FROM d ORDER BY k", "fine\nlast");
    gold_assert_query(place, "SELECT end_position, rows_in, rows_rejected FROM sf_ledger", "10|10|8");
}

/* Texts are looked at by words of eight bytes, long ones otherwise. */
static void test_nul_anywhere(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = sink(place, "facts: {f: {key: id}}", "id int not null, s string");
    g_autofree char *fill = g_strnfill(200, 'x');
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
    for (int size = 0; size < 100; size++)
        g_ptr_array_add(rows, g_strdup_printf("%d, \"%.*s\"", size, size, fill));
    static const int sizes[] = {1, 7, 8, 9, 15, 17, 64, 65};
    guint good = rows->len;
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
        for (int at = 0; at < sizes[i]; at += MAX(1, sizes[i] / 4))
            g_ptr_array_add(
                rows, g_strdup_printf("%d, \"%.*s\\u0000%.*s\"", (int) rows->len, at, fill, sizes[i] - at - 1, fill));
    write_rows(h, 0, 0, (const char *const *) rows->pdata, rows->len);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpuint(harness_n_rejects(h), ==, rows->len - good);
    gold_assert_query(place, "SELECT count(*), min(id), max(id) FROM f", "100|0|99");
    gold_assert_query(place, "SELECT id FROM f WHERE length(s) <> id OR replace(s, 'x', '') <> ''", "");
}

/* Whether a day is the one before it is asked of each column by itself. */
static void test_days_in_turn(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = sink(place, "facts: {f: {key: id}}", "id int not null, d date, t timestamp, u timestamp");
    WRITE(h, 0, 0, "1, \"2024-02-29\", \"2024-02-29T00:00:00Z\", \"2024-02-28T23:59:59.999999Z\"",
          "2, \"2024-02-29\", null, \"1970-01-01T00:00:00.000001Z\"", "3, null, \"2024-03-01T09:08:07.060504Z\", null",
          "4, \"2024-03-01\", \"1969-12-31T12:00:00Z\", \"2024-02-28T23:59:59.1Z\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place,
                      gold_is(place, "PostgreSQL")
                          ? "SELECT id, d, to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), to_char(u AT "
                            "TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') FROM f ORDER BY id"
                          : "SELECT id, d, t, u FROM f ORDER BY id",
                      "1|2024-02-29|2024-02-29 00:00:00.000000|2024-02-28 23:59:59.999999\n"
                      "2|2024-02-29|NULL|1970-01-01 00:00:00.000001\n"
                      "3|NULL|2024-03-01 09:08:07.060504|NULL\n"
                      "4|2024-03-01|1969-12-31 12:00:00.000000|2024-02-28 23:59:59.100000");
}

/* ---- rows that the database refuses, and a connection that goes ---- */

static void test_duplicates_a_bad_row_and_a_cut(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (gold_is(place, "Snowflake")) {
        g_test_skip("it has no constraints");
        return;
    }
    gold_exec(place, "CREATE TABLE f (id INTEGER PRIMARY KEY, amount INTEGER CHECK (amount < 100))");
    g_autoptr(Harness) h = sink(place, "dimensions: {d: {key: k}}\nfacts: {f: {key: id, columns: [amount]}}",
                                "id int not null, k string, amount int");
    WRITE(h, 0, 0, "1, \"a\", 1", "1, \"b\", 2", "2, \"c\", 100", "1, \"a\", 3", "3, \"d\", 4");
    h->settle_answer = SF_RETRY; /* between MERGE and COMMIT; the session is dropped */
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
        gold_assert_query(place, "SELECT count(*) FROM f", "0");
    }
    h->settle_answer = SF_OK;
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpuint(harness_n_rejects(h), ==, 1);
    gold_assert_contains(harness_rejects(h), "t/0@2: table 'f': ");
    gold_assert_query(place, "SELECT id, amount, _offset FROM f ORDER BY id", "1|3|3\n3|4|4");
    gold_assert_query(place, "SELECT k FROM d ORDER BY k", "a\nb\nd");
    gold_assert_query(place, "SELECT end_position, rows_in, rows_rejected FROM sf_ledger", "5|5|1");
}

/* ---- several processes ---- */

#define PROCESSES 3
#define COMMITS 12
#define KEYS 200

/* Events of one partition, whose keys all processes have; the times go up and down. */
static int run_process(GoldPlace *place, int partition)
{
    g_autoptr(Harness) h = sink(place, "dimensions: {d: {key: k}}\nfacts: {f: {key: id, columns: [v]}}",
                                "id int not null, k string, v int");
    g_autofree char *split = g_strdup_printf("t/%d", partition);
    while (harness_try_open(h) != SF_OK) /* the tables are made by all in the same moment */
        g_assert_cmpint(h->status, ==, SF_RETRY);
    while (harness_try_recover(h, 0, split) != SF_OK)
        g_assert_cmpint(h->status, ==, SF_RETRY);
    for (int commit = 0, offset = 0; commit < COMMITS; commit++) {
        for (int i = 0; i < KEYS; i++, offset++) {
            g_autofree char *row = g_strdup_printf("%d, \"c%d\", %d @%d", (i * 7 + partition * 11) % KEYS, i % 5,
                                                   partition * 100000 + offset, (offset * 31 + partition) % 59);
            write_rows(h, partition, offset, (const char *const[]){row}, 1);
        }
        for (int i = 0; harness_try_commit(h, SF_COMMIT_CHECKPOINT) != SF_OK; i++) {
            if (h->status != SF_RETRY || i > 200)
                g_error("%s: %s", sf_status_name(h->status), h->err.message);
        }
    }
    return 0;
}

/* The winner of a key by its own definition: greatest time, then partition, then offset. */
static char *expected_winners(void)
{
    GString *out = g_string_new(NULL);
    for (int id = 0; id < KEYS; id++) {
        int best = -1, best_time = -1;
        for (int partition = 0; partition < PROCESSES; partition++)
            for (int offset = 0; offset < COMMITS * KEYS; offset++) {
                int time = (offset * 31 + partition) % 59;
                if ((offset % KEYS * 7 + partition * 11) % KEYS != id || time < best_time)
                    continue;
                best_time = time;
                best = partition * 100000 + offset;
            }
        g_string_append_printf(out, "%s%d|%d", id > 0 ? "\n" : "", id, best);
    }
    return g_string_free(out, FALSE);
}

static void test_processes(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (!gold_processes(place, PROCESSES, run_process))
        return;
    g_autofree char *expected = expected_winners();
    gold_assert_query(place, "SELECT id, v FROM f ORDER BY id", expected);
    gold_assert_query(place, "SELECT count(*) FROM d", "5");
    gold_assert_query(place, "SELECT count(*), min(end_position), max(end_position) FROM sf_ledger", "3|2400|2400");
}

/* ---- the session ---- */

static void test_no_schemas(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (!gold_is(place, "SQLite")) {
        g_test_skip("SQLite only");
        return;
    }
    g_autoptr(Harness) h = sink(place, "schema: gold\nfacts: {f: {key: id}}", "id int not null");
    g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
    gold_assert_contains(h->err.message, "SQLite has no schemas; leave out 'schema: gold'");
}

static void test_no_working_directory(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (!gold_is(place, "SQLite")) {
        g_test_skip("SQLite only");
        return;
    }
    g_autofree char *back = g_get_current_dir();
    g_autofree char *gone = g_build_filename(place->directory, "gone", NULL);
    g_assert_cmpint(g_mkdir(gone, 0700), ==, 0);
    g_autoptr(Harness) h =
        harness_new("snowflake-gold-sink", "connection: Driver=SQLite3;Database=sub/gold.db\nfacts: {f: {key: id}}");
    harness_input_text(h, "sales", "id int not null" PROVENANCE);
    g_assert_cmpint(g_chdir(gone), ==, 0);
    g_assert_cmpint(g_rmdir(gone), ==, 0);
    SfStatus status = harness_try_open(h);
    g_assert_cmpint(g_chdir(back), ==, 0);
    g_assert_cmpint(status, ==, SF_RETRY);
    gold_assert_contains(h->err.message, "database 'sub/gold.db' is relative to the working directory, which cannot");
}

/* In the session that commits: what an operator sees of it. */
static void test_label(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (!gold_is(place, "PostgreSQL")) {
        g_test_skip("the emulator refuses a MERGE without; SQLite has no sessions");
        return;
    }
    g_autoptr(Harness) h = sink(place, "facts: {f: {key: id}}", "id int not null");
    harness_open(h);
    gold_assert_query(place,
                      "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'streamforge "
                      "test/snowflake-gold-sink'",
                      "1");
}

/* A trigger of somebody else's says itself what a conflict of its own rows means. */
static void test_triggers_keep_their_rules(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (!gold_is(place, "SQLite")) {
        g_test_skip("of SQLite");
        return;
    }
    gold_exec(place, "CREATE TABLE audit (what TEXT PRIMARY KEY)");
    gold_exec(place, "CREATE TABLE f (id INTEGER PRIMARY KEY, name TEXT)");
    gold_exec(place, "CREATE TRIGGER seen AFTER INSERT ON f BEGIN INSERT OR IGNORE INTO audit VALUES ('f'); END");
    g_autoptr(Harness) h = sink(place, "facts: {f: {key: id, columns: [name]}}", "id int, name string");
    WRITE(h, 0, 0, "1, \"a\"", "2, \"b\"", "3, \"c\"");
    harness_commit(h, SF_COMMIT_END);
    gold_assert_query(place, "SELECT id, name FROM f ORDER BY id", "1|a\n2|b\n3|c");
    gold_assert_query(place, "SELECT what FROM audit", "f");
    g_assert_cmpuint(harness_n_rejects(h), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gold/hostile/triggers keep their rules", test_triggers_keep_their_rules);
    g_test_add_func("/gold/hostile/any name can be a table's, a column's, the ledger's", test_names);
    g_test_add_func("/gold/hostile/any split has its row in the ledger", test_splits);
    g_test_add_func("/gold/hostile/names that the database would cut", test_long_names);
    g_test_add_func("/gold/hostile/a table with its names in another case", test_other_case);
    g_test_add_func("/gold/hostile/nulls and ties have one winner in any order", test_nulls_and_ties);
    g_test_add_func("/gold/hostile/keys that look alike are apart", test_keys_that_look_alike);
    g_test_add_func("/gold/hostile/infinity is above all numbers", test_infinite);
    g_test_add_func("/gold/hostile/values that no warehouse takes are rejects", test_values_that_no_warehouse_takes);
    g_test_add_func("/gold/hostile/a NUL is found anywhere in a text", test_nul_anywhere);
    g_test_add_func("/gold/hostile/days one after the other and again", test_days_in_turn);
    g_test_add_func("/gold/hostile/duplicates, a bad row and a cut in one commit", test_duplicates_a_bad_row_and_a_cut);
    g_test_add_func("/gold/hostile/several processes write the same keys", test_processes);
    g_test_add_func("/gold/hostile/the session says whose it is", test_label);
    g_test_add_func("/gold/hostile/a schema where there are none is told", test_no_schemas);
    g_test_add_func("/gold/hostile/a relative file needs a working directory", test_no_working_directory);
    return g_test_run();
}
