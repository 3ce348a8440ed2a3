/* The gold sink: values arrive exactly or are rejects; tables that are there already are used, widened or refused. */
#include <string.h>
#include "gold_place.h"

#define PROVENANCE ", _topic string not null, _partition int not null, _offset bigint not null, _timestamp timestamp"

/* A sink with one fact of all columns of the schema. */
static Harness *facts(GoldPlace *place, const char *schema, const char *options)
{
    g_autofree char *all = g_strdup_printf("facts: {f: {key: id}}\n%s", options);
    g_autofree char *columns = g_strconcat(schema, PROVENANCE, NULL);
    Harness *h = gold_harness(place, all);
    harness_input_text(h, "sales", columns);
    return h;
}

/* Rows without their closing part: provenance is added, offsets count from `first`. */
static void write_rows(Harness *h, gint64 first, const char *const *rows, gsize n)
{
    g_autoptr(GPtrArray) whole = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < n; i++)
        g_ptr_array_add(whole, g_strdup_printf("[%s, \"t\", 0, %d, \"2024-01-15T10:00:00Z\"]", rows[i],
                                               (int) (first + (gint64) i)));
    harness_write(h, 0, harness_rows(h, 0, "t/0", first, (const char *const *) whole->pdata, n));
}

#define WRITE(h, first, ...)                                                                                           \
    do {                                                                                                               \
        const char *rows_[] = {__VA_ARGS__};                                                                           \
        write_rows(h, first, rows_, G_N_ELEMENTS(rows_));                                                              \
    } while (0)

static void test_numbers(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = facts(
        place, "id bigint not null, small int, d20 decimal(20,8), d38 decimal(38,1), d15 decimal(15,2), yes bool", "");
    WRITE(h, 0,
          "9007199254740993, -2147483648, 169299987.35345112, \"9999999999999999999999999999999999999.9\", "
          "9999999999999.99, true",
          "-9223372036854775808, 2147483647, -0.00000001, \"-9999999999999999999999999999999999999.9\", -0.07, false",
          "3, null, null, null, null, null");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    bool sqlite = gold_is(place, "SQLite");
    gold_assert_query(place, "SELECT id, small, d20, d38 FROM f ORDER BY id",
                      "-9223372036854775808|2147483647|-0.00000001|-9999999999999999999999999999999999999.9\n"
                      "3|NULL|NULL|NULL\n"
                      "9007199254740993|-2147483648|169299987.35345112|9999999999999999999999999999999999999.9");
    gold_assert_query(place,
                      sqlite ? "SELECT printf('%.2f', d15), yes FROM f WHERE d15 IS NOT NULL ORDER BY id"
                             : "SELECT d15, CASE WHEN yes THEN 1 ELSE 0 END FROM f WHERE d15 IS NOT NULL ORDER BY id",
                      "-0.07|0\n9999999999999.99|1");
}

static void test_doubles(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = facts(place, "id int not null, x double", "");
    WRITE(h, 0, "1, 0.1", "2, 1e300", "3, 123456789.123456789", "4, 5e-324", "5, -2.5", "6, null");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(
        place,
        "SELECT id FROM f WHERE (id = 1 AND x = 0.1) OR (id = 2 AND x = 1e300) OR (id = 3 AND x = "
        "123456789.123456789) OR (id = 4 AND x > 0 AND x < 1e-320) OR (id = 5 AND x = -2.5) OR (id = 6 AND x IS NULL) "
        "ORDER BY id",
        "1\n2\n3\n4\n5\n6");
}

static void test_texts(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = facts(place, "id int not null, s string, v string view", "");
    WRITE(h, 0, "1, \"Zoë 日本 😀\", \"'single' \\\"double\\\"\"", "2, \"{a,b} NULL\", \"back\\\\slash\\\\\"",
          "3, \"\", \"null\"", "4, null, \"line\\nbreak\\ttab\"", "5, \"  spaces  \", \"? :x $1 %s\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT id, s, v FROM f ORDER BY id",
                      "1|Zoë 日本 😀|'single' \"double\"\n2|{a,b} NULL|back\\slash\\\n3||null\n4|NULL|line\nbreak\ttab\n"
                      "5|  spaces  |? :x $1 %s");
    gold_assert_query(place, "SELECT id, length(s) FROM f WHERE s IS NOT NULL ORDER BY id", "1|8\n2|10\n3|0\n5|10");
}

static void test_long_texts(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = facts(place, "id int not null, s string", "");
    g_autofree char *fill = g_strnfill(1 << 20, 'x');
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < 200; i++)
        g_ptr_array_add(rows, g_strdup_printf("%d, \"%s\"", i, i == 77 || i == 150 ? fill : "short"));
    write_rows(h, 0, (const char *const *) rows->pdata, rows->len);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT count(*), CAST(sum(length(s)) AS BIGINT) FROM f", "200|2098142");
}

static void test_dates(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = facts(place, "id int not null, d date, t timestamp", "");
    WRITE(h, 0, "1, \"0001-01-01\", \"0001-01-01T00:00:00Z\"", "2, \"9999-12-31\", \"9999-12-31T23:59:59.999999Z\"",
          "3, \"1969-12-31\", \"1969-12-31T23:59:59.999999Z\"", "4, \"2024-02-29\", \"2024-02-29T12:34:56.789012Z\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    const char *to_text =
        gold_is(place, "PostgreSQL")
            ? "SELECT id, d, to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') FROM f ORDER BY id"
            : "SELECT id, d, t FROM f ORDER BY id";
    gold_assert_query(place, to_text,
                      "1|0001-01-01|0001-01-01 00:00:00.000000\n2|9999-12-31|9999-12-31 23:59:59.999999\n"
                      "3|1969-12-31|1969-12-31 23:59:59.999999\n4|2024-02-29|2024-02-29 12:34:56.789012");
}

static void test_binary(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = facts(place, "id int not null, b binary", "");
    WRITE(h, 0, "1, \"\\u0000\\u0001ab\"", "2, \"\"", "3, null");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place,
                      gold_is(place, "PostgreSQL")
                          ? "SELECT id, encode(b, 'hex') FROM f ORDER BY id"
                          : "SELECT id, lower(CASE WHEN b IS NOT NULL THEN hex(b) END) FROM f ORDER BY id",
                      "1|00016162\n2|\n3|NULL");
}

/* Statements run again and again with other sizes; SQLite's driver remembers a binary parameter's first one. */
static void test_binary_of_every_size(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = facts(place, "id int not null, b binary", "");
    g_autofree char *fill = g_strnfill(1000, 'x');
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < 1000; i++)
        g_ptr_array_add(rows, g_strdup_printf("%d, \"%.*s\"", i, i, fill));
    write_rows(h, 0, (const char *const *) rows->pdata, rows->len);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place,
                      gold_is(place, "SQLite") ? "SELECT id FROM f WHERE length(b) <> id OR trim(b, 'x') <> ''"
                                               : "SELECT id FROM f WHERE length(b) <> id",
                      "");
}

static void test_keys_of_every_type(void)
{
    static const char *const keys[][2] = {{"string", "\"a\""},
                                          {"int", "1"},
                                          {"bigint", "5000000000"},
                                          {"decimal(12,2)", "1.50"},
                                          {"date", "\"2024-01-15\""},
                                          {"bool", "true"},
                                          {"timestamp", "\"2024-01-15T10:00:00.5Z\""},
                                          {"binary", "\"xyz\""}};
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autoptr(GoldPlace) place = gold_place_new();
        g_autofree char *schema = g_strdup_printf("id %s not null, x int", keys[i][0]);
        g_autofree char *one = g_strdup_printf("%s, 1", keys[i][1]);
        g_autofree char *two = g_strdup_printf("%s, 2", keys[i][1]);
        g_autofree char *three = g_strdup_printf("%s, 3", keys[i][1]);
        g_autoptr(Harness) h = facts(place, schema, "");
        WRITE(h, 0, one, two);
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        WRITE(h, 2, three);
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        gold_assert_query(place, "SELECT count(*), max(x) FROM f", "1|3");
    }
}

static void test_compound_key(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = gold_harness(place, "facts: {f: {key: [a, b], latest_by: v, columns: [v]}}");
    harness_input_text(h, "sales", "a string, b int, v int" PROVENANCE);
    WRITE(h, 0, "\"x\", 1, 5", "\"x\", 2, 1", "\"x\", 1, 9", "\"x\", 1, null");
    WRITE(h, 4, "\"x\", 1, 7", "\"y\", 1, null");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    WRITE(h, 6, "\"x\", 1, 8", "\"x\", 2, null", "\"y\", 1, -5");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT a, b, v FROM f ORDER BY a, b", "x|1|9\nx|2|1\ny|1|-5"); /* null loses */
}

/* ---- tables that are there ---- */

static void test_new_columns(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    gold_exec(place, "CREATE TABLE f (id INTEGER PRIMARY KEY, mine VARCHAR(20))");
    gold_exec(place, "INSERT INTO f VALUES (1, 'kept')");
    g_autoptr(Harness) h = facts(place, "id int not null, name string, amount decimal(12,2)", "");
    WRITE(h, 0, "1, \"new\", 1.00", "2, \"two\", 2.00");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT id, mine, name, _offset FROM f ORDER BY id", "1|kept|new|0\n2|NULL|two|1");
    gold_assert_contains(harness_logs(h), "info: table 'f': column 'amount' added");
}

/* A row that has changed shows nothing that its event did not say, and a row that has not keeps what it had. */
static void test_columns_that_go(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    static const char schema[] = "id int not null, name string, city string" PROVENANCE;
    g_autoptr(Harness) h = gold_harness(place, "facts: {f: {key: id, columns: [name, city]}}");
    harness_input_text(h, "sales", schema);
    WRITE(h, 0, "1, \"Ann\", \"Rome\"", "2, \"Bob\", \"Oslo\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_exec(place, "ALTER TABLE f ADD COLUMN mine VARCHAR(9)");
    gold_exec(place, "UPDATE f SET mine = 'kept'");
    g_autoptr(Harness) renamed = gold_harness(place, "facts: {f: {key: id, columns: [{Town: city}]}}");
    harness_input_text(renamed, "sales", schema);
    WRITE(renamed, 2, "1, \"Ada\", \"Bonn\"", "3, \"Cid\", \"Kiel\"");
    harness_commit(renamed, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT id, name, city, town, mine FROM f ORDER BY id",
                      "1|NULL|NULL|Bonn|kept\n2|Bob|Oslo|NULL|kept\n3|NULL|NULL|Kiel|NULL");
    gold_assert_contains(harness_logs(renamed),
                         "warning: table 'f': columns 'city', 'name' are no longer written, and will be NULL");
    g_autoptr(Harness) again = gold_harness(place, "facts: {f: {key: id, columns: [name, {TOWN: city}]}}");
    harness_input_text(again, "sales", schema);
    WRITE(again, 4, "2, \"Eve\", \"Lima\"");
    harness_commit(again, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT name, city, town FROM f WHERE id = 2", "Eve|NULL|Lima");
    gold_assert_contains(harness_logs(again), "warning: table 'f': column 'city' is no longer written");
}

static void test_provenance_that_goes(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    static const char schema[] = "id int not null, v int" PROVENANCE;
    gold_exec(place, "CREATE TABLE f (id INTEGER PRIMARY KEY, v INTEGER, _topic VARCHAR(9), _offset BIGINT)");
    gold_exec(place, "INSERT INTO f VALUES (1, 5, 'old', 7), (2, 5, 'old', 8)");
    g_autoptr(Harness) h = gold_harness(place, "provenance: false\nfacts: {f: {key: id, columns: [v], latest_by: v}}");
    harness_input_text(h, "sales", schema);
    WRITE(h, 0, "1, 6", "2, 4");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT id, v, _topic, _offset FROM f ORDER BY id", "1|6|NULL|NULL\n2|5|old|8");
    gold_assert_contains(harness_logs(h), "columns '_offset', '_topic' are no longer written");
}

/* The same events once more, by a step that has no ledger yet: what the rows lack now is filled. */
static void test_replay_fills_new_columns(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    static const char schema[] = "id int not null, name string, v int" PROVENANCE;
    g_autoptr(Harness) h = gold_harness(place, "facts: {f: {key: id, columns: [v]}}");
    harness_input_text(h, "sales", schema);
    WRITE(h, 0, "1, \"a\", 1", "2, \"b\", 2", "1, \"c\", 3");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_exec(place, "DELETE FROM sf_ledger");
    g_autoptr(Harness) again = gold_harness(place, "facts: {f: {key: id, columns: [v, name]}}");
    harness_input_text(again, "sales", schema);
    WRITE(again, 0, "1, \"a\", 1");
    harness_commit(again, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT v, name FROM f ORDER BY id", "3|NULL\n2|NULL"); /* older ones change nothing */
    WRITE(again, 1, "2, \"b\", 2", "1, \"c\", 3");
    harness_commit(again, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT v, name FROM f ORDER BY id", "3|c\n2|b");
}

static void test_second_run_changes_nothing(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h =
        facts(place,
              "id int not null, a bool, b bigint, c double, d decimal(12,2), e decimal(30,2), f string, "
              "g binary, h date, i timestamp",
              "");
    harness_open(h);
    harness_forget(h);
    harness_reopen(h);
    g_assert_cmpstr(harness_faults(h), ==, "");
    g_assert_cmpstr(harness_logs(h), ==, "");
}

static void assert_open_fails(Harness *h, SfStatus status, const char *message)
{
    g_assert_cmpstr(sf_status_name(harness_try_open(h)), ==, sf_status_name(status));
    gold_assert_contains(h->err.message, message);
}

static void test_wrong_types(void)
{
    static const struct {
        const char *created, *schema, *message;
    } cases[] = {
        {"name DATE", "name string", "column 'name' is"},
        {"name DOUBLE PRECISION", "name bigint", "column 'name' is"},
        {"name VARCHAR(10)", "name date", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GoldPlace) place = gold_place_new();
        g_autofree char *create = g_strdup_printf("CREATE TABLE f (id INTEGER PRIMARY KEY, %s)", cases[i].created);
        g_autofree char *schema = g_strdup_printf("id int not null, %s", cases[i].schema);
        gold_exec(place, create);
        g_autoptr(Harness) h = facts(place, schema, "");
        if (cases[i].message)
            assert_open_fails(h, SF_CONFIG, cases[i].message);
        else if (gold_is(place, "SQLite"))
            harness_open(h); /* it keeps dates as texts */
        else
            assert_open_fails(h, SF_CONFIG, "'name'");
    }
}

static void test_meant_types(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h =
        gold_harness(place, "facts: {f: {key: id, columns: {short: {from: name, type: varchar(5)}}}}");
    harness_input_text(h, "sales", "id int not null, name string" PROVENANCE);
    WRITE(h, 0, "1, \"fine\"", "2, \"too long\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    if (gold_is(place, "SQLite")) { /* it does not enforce lengths */
        gold_assert_query(place, "SELECT type FROM pragma_table_info('f') WHERE name = 'short'", "varchar(5)");
        return;
    }
    if (gold_is(place, "Snowflake")) {
        g_test_skip("the emulator does not enforce lengths");
        return;
    }
    gold_assert_query(place, "SELECT id, short FROM f", "1|fine");
    gold_assert_contains(harness_rejects(h), "t/0@1: table 'f': ");
    gold_assert_contains(harness_rejects(h), "too long");
}

static void test_texts_of_other_types(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (!gold_is(place, "PostgreSQL")) {
        g_test_skip("PostgreSQL only: elsewhere a text is converted by itself");
        return;
    }
    g_autoptr(Harness) h = gold_harness(
        place, "facts: {f: {key: id, columns: {u: {from: u, type: uuid}, j: {from: j, type: jsonb}, d: {from: d, type: "
               "date}, n: {from: n, type: 'numeric(4,1)'}, c: {from: c, type: char(3)}}}}");
    harness_input_text(h, "sales", "id int not null, u string, j string, d string, n string, c string" PROVENANCE);
    WRITE(h, 0,
          "1, \"0F8FAD5B-d9cb-469f-a165-70867728950e\", \"{\\\"b\\\": 1, \\\"a\\\": 2}\", \"2024-01-15\", \"7.5\", "
          "\"abc\"",
          "2, \"no\", null, null, null, null", "3, null, \"{\", null, null, null",
          "4, null, null, \"2024-02-30\", null, null", "5, null, null, null, \"1e9\", null",
          "6, null, null, null, null, \"abcd\"", "7, null, null, null, null, null");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpuint(harness_n_rejects(h), ==, 5);
    gold_assert_query(place, "SELECT id, CAST(u AS TEXT), j, d, n, c FROM f ORDER BY id",
                      "1|0f8fad5b-d9cb-469f-a165-70867728950e|{\"a\": 2, \"b\": 1}|2024-01-15|7.5|abc\n"
                      "7|NULL|NULL|NULL|NULL|NULL");
}

/* Names of types that SQLite takes for numbers. */
static void test_texts_stay_texts(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (!gold_is(place, "SQLite")) {
        g_test_skip("SQLite only: elsewhere a type is there or not");
        return;
    }
    g_autoptr(Harness) h =
        gold_harness(place, "facts: {f: {key: id, columns: {s: {from: t, type: string}, u: {from: t, type: uuid}, j: "
                            "{from: t, type: jsonb}, n: {from: t, type: 'numeric(9,2)'}, i: {from: t, type: int}}}}");
    harness_input_text(h, "sales", "id int not null, t string" PROVENANCE);
    WRITE(h, 0, "1, \"007\"", "2, \"1e5\"", "3, \"x\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT id, s, u, j, n, i FROM f ORDER BY id",
                      "1|007|007|007|7|7\n2|1e5|1e5|1e5|100000|100000\n3|x|x|x|x|x");
}

static void test_blanks_are_not_cut_off(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (!gold_is(place, "PostgreSQL")) {
        g_test_skip("PostgreSQL only: others refuse them, or have no limits");
        return;
    }
    gold_exec(place, "CREATE TABLE f (id INTEGER PRIMARY KEY, a VARCHAR(3))");
    g_autoptr(Harness) h =
        gold_harness(place, "facts: {f: {key: id, columns: {a: t, b: {from: t, type: varchar(3)}}}}");
    harness_input_text(h, "sales", "id int not null, t string" PROVENANCE);
    WRITE(h, 0, "1, \"ab \"", "2, \"abc \"", "3, \"\\u00e9\\u00e9 \"", "4, \"\\u00e9\\u00e9\\u00e9 \"", "5, \"    \"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT id, a, b FROM f ORDER BY id", "1|ab |ab \n3|éé |éé ");
    gold_assert_contains(harness_rejects(h), "t/0@1: table 'f': t: value too long for type character varying(3)");
    g_assert_cmpuint(harness_n_rejects(h), ==, 3);
}

static void test_create_is_off(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = facts(place, "id int not null", "create: false\n");
    assert_open_fails(h, SF_CONFIG, "table 'f' does not exist, and 'create' is false");
    gold_exec(place, "CREATE TABLE f (id INTEGER PRIMARY KEY)");
    g_autoptr(Harness) again = facts(place, "id int not null", "create: false\n");
    assert_open_fails(again, SF_CONFIG, "table 'f' has no column '_timestamp', and 'create' is false");
}

static void test_no_key_constraint(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (gold_is(place, "Snowflake")) {
        g_test_skip("keys are not enforced there");
        return;
    }
    gold_exec(place, "CREATE TABLE f (id INTEGER)");
    g_autoptr(Harness) h = facts(place, "id int not null", "");
    WRITE(h, 0, "1");
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_CONFIG);
    gold_assert_contains(h->err.message,
                         "table 'f' has no unique index over its key; create one: CREATE UNIQUE INDEX \"f_key\" ON ");
    /* the advice works as it stands */
    gold_exec(place, strstr(h->err.message, "CREATE UNIQUE INDEX"));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT id FROM f", "1");
}

static void test_reserved_words_and_case(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h =
        gold_harness(place, "facts: {Fact_Sales: {key: order, columns: {Group: name, 'with space': name}}}");
    harness_input_text(h, "sales", "order string, name string" PROVENANCE);
    WRITE(h, 0, "\"o\", \"n\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place,
                      gold_is(place, "Snowflake") ? "SELECT \"ORDER\", \"GROUP\", \"with space\" FROM fact_sales"
                                                  : "SELECT \"order\", \"group\", \"with space\" FROM fact_sales",
                      "o|n|n");
}

static void test_missing_directory(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (!gold_is(place, "SQLite")) {
        g_test_skip("SQLite only");
        return;
    }
    g_autofree char *inside = g_strdup_printf("%s/file/x", place->directory);
    g_autofree char *file = g_strdup_printf("%s/file", place->directory);
    g_assert_true(g_file_set_contents(file, "", 0, NULL));
    g_autofree char *options = g_strdup_printf("connection: Driver=SQLite3;Database=%s\nfacts: {f: {key: id}}", inside);
    g_autoptr(Harness) h = harness_new("snowflake-gold-sink", options);
    harness_input_text(h, "sales", "id int" PROVENANCE);
    assert_open_fails(h, SF_RETRY, "cannot create directory");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gold/values/whole numbers and decimals are exact to the last digit", test_numbers);
    g_test_add_func("/gold/values/doubles are the same doubles", test_doubles);
    g_test_add_func("/gold/values/texts are the same characters", test_texts);
    g_test_add_func("/gold/values/a megabyte beside short texts", test_long_texts);
    g_test_add_func("/gold/values/dates and timestamps to the microsecond, years 1 to 9999", test_dates);
    g_test_add_func("/gold/values/binary", test_binary);
    g_test_add_func("/gold/values/binary of every size, statement after statement", test_binary_of_every_size);
    g_test_add_func("/gold/values/every type can be a key", test_keys_of_every_type);
    g_test_add_func("/gold/values/a key of two columns, null loses in latest_by", test_compound_key);
    g_test_add_func("/gold/tables/new columns are added, foreign ones kept", test_new_columns);
    g_test_add_func("/gold/tables/a second run finds its own tables right", test_second_run_changes_nothing);
    g_test_add_func("/gold/tables/a column that would change values is refused", test_wrong_types);
    g_test_add_func("/gold/tables/a type that is given is taken", test_meant_types);
    g_test_add_func("/gold/tables/a text goes into a type of another kind, or is a reject", test_texts_of_other_types);
    g_test_add_func("/gold/tables/a text stays a text whatever its type is called", test_texts_stay_texts);
    g_test_add_func("/gold/tables/blanks are not cut off", test_blanks_are_not_cut_off);
    g_test_add_func("/gold/tables/columns that are taken out are null in rows that change", test_columns_that_go);
    g_test_add_func("/gold/tables/provenance that is switched off is null in rows that change",
                    test_provenance_that_goes);
    g_test_add_func("/gold/tables/a replay fills new columns of rows that are the latest",
                    test_replay_fills_new_columns);
    g_test_add_func("/gold/tables/nothing is created where create is false", test_create_is_off);
    g_test_add_func("/gold/tables/a table without a unique key is refused with the remedy", test_no_key_constraint);
    g_test_add_func("/gold/tables/reserved words and capitals work unquoted", test_reserved_words_and_case);
    g_test_add_func("/gold/tables/a directory that cannot be made is named", test_missing_directory);
    return g_test_run();
}
