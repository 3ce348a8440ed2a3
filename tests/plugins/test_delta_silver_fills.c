/* delta-silver-sink on tables that fill columns themselves: defaults, generated columns, identity columns. */
#include "silver_table.h"

#define ROWS(...) (const char *const[]){__VA_ARGS__}, G_N_ELEMENTS(((const char *const[]){__VA_ARGS__}))
#define FIELD(name, type, metadata)                                                                                    \
    "{\"name\":\"" name "\",\"type\":\"" type "\",\"nullable\":true,\"metadata\":{" metadata "}}"
#define WRITER(features) "{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[" features "]}"
#define EVERYTHING WRITER("\"allowColumnDefaults\",\"generatedColumns\",\"identityColumns\",\"checkConstraints\"")
#define NOW_MS INT64_C(1705314600123) /* 2024-01-15T10:30:00.123Z */

static char *quoted(const char *text)
{
    g_autoptr(json_object) json = json_object_new_string(text);
    return g_strdup(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* A table of columns that the rows have, and x, whose metadata says where it comes from. */
static void put_table(const SilverTable *table, const char *type, const char *key, const char *expression)
{
    g_autofree char *text = quoted(expression);
    g_autofree char *fields = g_strdup_printf(
        "[" FIELD("i", "integer", "") "," FIELD("s", "string", "") "," FIELD("day", "date", "") "," FIELD(
            "t", "timestamp", "") ",{\"name\":\"x\",\"type\":\"%s\",\"nullable\":true,\"metadata\":{"
                                  "\"%s\":%s}}]",
        type, key, text);
    silver_put_table(table, &(ForeignTable){.protocol = EVERYTHING, .fields = fields});
}

static Harness *open_sink(const SilverTable *table, const char *schema)
{
    Harness *h = silver_sink_new(table, schema);
    h->now_ms = NOW_MS;
    return h;
}

static char *words_of(const char *type)
{
    static const char *const words[][2] = {{"integer", "int"}, {"long", "bigint"},  {"byte", "int"},
                                           {"short", "int"},   {"float", "double"}, {"timestamp_ntz", "timestamp"},
                                           {"boolean", "bool"}};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(words[i][0], type) == 0)
            return g_strdup(words[i][1]);
    return g_strdup(type);
}

#define OTHERS "i int, s string, day date, t timestamp"

/* What x is in two rows, the second of nulls. */
static void gives(const char *type, const char *key, const char *expression, const char *first, const char *second)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    put_table(&table, type, key, expression);
    g_autoptr(Harness) h = open_sink(&table, OTHERS);
    silver_write_rows(
        h, "events/0", 0,
        ROWS("[7, \"äöü text\", \"2024-02-29\", \"2024-02-29T23:59:58.999999Z\"]", "[null, null, null, null]"));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpstr(harness_rejects(h), ==, "");
    g_autofree char *word = words_of(type);
    g_autofree char *columns = g_strdup_printf("x %s, i int", word);
    g_autofree char *text = silver_text(&table, columns);
    g_autofree char *one = g_strdup_printf("{\"x\":%s,\"i\":7}", first);
    g_autofree char *two = g_strdup_printf("{\"x\":%s,\"i\":null}", second);
    if (!strstr(text, one) || !strstr(text, two))
        g_error("%s: %s, %s are not in %s", expression, one, two, text);
}

#define GENERATED "delta.generationExpression"
#define DEFAULT "CURRENT_DEFAULT"

static void test_generated(void)
{
    gives("date", GENERATED, "CAST(t AS DATE)", "\"2024-02-29\"", "null");
    gives("date", GENERATED, "cast( `T` as date )", "\"2024-02-29\"", "null");
    gives("date", GENERATED, "DATE(t)", "\"2024-02-29\"", "null");
    gives("integer", GENERATED, "YEAR(t)", "2024", "null");
    gives("integer", GENERATED, "month(day)", "2", "null");
    gives("integer", GENERATED, "DAY(CAST(t AS DATE))", "29", "null");
    gives("long", GENERATED, "hour(t)", "23", "null");
    gives("integer", GENERATED, "minute(t)", "59", "null");
    gives("integer", GENERATED, "second(t)", "58", "null");
    gives("string", GENERATED, "date_format(t, 'yyyy-MM-dd-HH')", "\"2024-02-29-23\"", "null");
    gives("string", GENERATED, "DATE_FORMAT(day, \"yyyyMM\")", "\"202402\"", "null");
    gives("timestamp", GENERATED, "date_trunc('HOUR', t)", "\"2024-02-29T23:00:00Z\"", "null");
    gives("timestamp", GENERATED, "date_trunc('month', day)", "\"2024-02-01T00:00:00Z\"", "null");
    gives("string", GENERATED, "substring(s, 1, 2)", "\"äö\"", "null");
    gives("string", GENERATED, "SUBSTR(s, 0, 2)", "\"äö\"", "null");
    gives("string", GENERATED, "substring(s, -4)", "\"text\"", "null");
    gives("string", GENERATED, "substring(s, -10, 4)", "\"äö\"", "null");
    gives("string", GENERATED, "substring(s, 3, -1)", "\"\"", "null");
    gives("string", GENERATED, "substring(date_format(t, 'yyyy-MM-dd'), 6, 2)", "\"02\"", "null");
    gives("string", GENERATED, "CAST(i AS STRING)", "\"7\"", "null");
    gives("integer", GENERATED, "i + 1", "8", "null");
    gives("long", GENERATED, "(i - 10)", "-3", "null");
    gives("long", GENERATED, "i", "7", "null");
    gives("date", GENERATED, "CAST(now() AS DATE)", "\"2024-01-15\"", "\"2024-01-15\"");
}

static void test_defaults(void)
{
    gives("long", DEFAULT, "42", "42", "42");
    gives("byte", DEFAULT, "-128", "-128", "-128");
    gives("double", DEFAULT, "1.5", "1.5", "1.5");
    gives("float", DEFAULT, "-0.25", "-0.25", "-0.25");
    gives("decimal(12,3)", DEFAULT, "-12.5", "-12.500", "-12.500");
    gives("boolean", DEFAULT, "TRUE", "true", "true");
    gives("string", DEFAULT, "'it is'", "\"it is\"", "\"it is\"");
    gives("string", DEFAULT, "5", "\"5\"", "\"5\"");
    gives("date", DEFAULT, "DATE '2024-02-29'", "\"2024-02-29\"", "\"2024-02-29\"");
    gives("date", DEFAULT, "'2024-02-29'", "\"2024-02-29\"", "\"2024-02-29\"");
    gives("date", DEFAULT, "current_date()", "\"2024-01-15\"", "\"2024-01-15\"");
    gives("timestamp", DEFAULT, "TIMESTAMP '2024-02-29 10:00:00'", "\"2024-02-29T10:00:00Z\"",
          "\"2024-02-29T10:00:00Z\"");
    gives("timestamp", DEFAULT, "CAST('2024-02-29 10:00:00.5' AS TIMESTAMP)", "\"2024-02-29T10:00:00.500000Z\"",
          "\"2024-02-29T10:00:00.500000Z\"");
    gives("timestamp", DEFAULT, "current_timestamp()", "\"2024-01-15T10:30:00.123000Z\"",
          "\"2024-01-15T10:30:00.123000Z\"");
    gives("timestamp", DEFAULT, "CURRENT_TIMESTAMP", "\"2024-01-15T10:30:00.123000Z\"",
          "\"2024-01-15T10:30:00.123000Z\"");
    gives("long", DEFAULT, "CAST(0 AS BIGINT)", "0", "0");
    gives("long", DEFAULT, "CAST(NULL AS BIGINT)", "null", "null");
    gives("long", DEFAULT, "null", "null", "null");
}

static void lacks(const char *type, const char *key, const char *expression, const char *message)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    put_table(&table, type, key, expression);
    g_autoptr(Harness) h = open_sink(&table, OTHERS);
    g_assert_cmpint(harness_try_bind(h), ==, SF_OK);
    g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
    g_autofree char *start = g_strdup_printf(
        ": column 'x' is %s %s, which this sink lacks: ", key[0] == 'C' ? "by default" : "generated as", expression);
    if (!strstr(h->err.message, start) || !strstr(h->err.message, message))
        g_error("'%s' is not in '%s'", message, h->err.message);
}

static void test_beyond(void)
{
    lacks("string", GENERATED, "upper(s)", "an unsupported function");
    lacks("string", GENERATED, "concat(s, 'x')", "an unsupported function");
    lacks("string", GENERATED, "s || 'x'", "something behind the expression at '|| 'x''");
    lacks("integer", GENERATED, "i * 2", "something behind the expression at '* 2'");
    lacks("integer", GENERATED, "i + i", "an unknown number at 'i'");
    lacks("integer", GENERATED, "none", "not a column of the table");
    lacks("integer", GENERATED, "hour(day)", "a date without a clock");
    lacks("date", GENERATED, "CAST(s AS DATE)", "an unsupported cast to a date or timestamp");
    lacks("string", GENERATED, "date_format(t, 'EEE')", "a pattern of other letters than yyyy, MM, dd, HH, mm, ss");
    lacks("string", GENERATED, "date_format(t, 'yyy')", "a pattern of other letters");
    lacks("timestamp", GENERATED, "date_trunc('week', t)", "a unit other than");
    lacks("string", GENERATED, "t", "an unsupported cast to a text");
    lacks("byte", GENERATED, "i", "a cast to an integer that is unsupported");
    lacks("integer", GENERATED, "year(t", "a missing closing bracket");
    lacks("integer", GENERATED, "((((((((((((((((((((((1))))))))))))))))))))))", "an expression nested too deep");
    lacks("integer", GENERATED, "", "not a column of the table");
    lacks("binary", DEFAULT, "X'00'", "its type is one that we cannot fill");
    lacks("byte", DEFAULT, "128", "a cast to an integer that is unsupported or does not fit");
    lacks("integer", DEFAULT, "1.5", "a cast to an integer that is unsupported");
    lacks("string", DEFAULT, "'it''s'", "a quoted text with escapes");
    lacks("string", DEFAULT, "uuid()", "an unsupported function");
    lacks("string", DEFAULT, "user", "let the rows have the column");
}

/* A row's own value must be the expression's; a default is for rows without the column only. */
static void test_own_values(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    silver_put_table(
        &table, &(ForeignTable){.protocol = EVERYTHING,
                                .fields = "[" FIELD("t", "timestamp", "") "," FIELD(
                                    "day", "date", "\"" GENERATED "\":\"CAST(t AS DATE)\"") "," FIELD("n", "long",
                                                                                                      "\"" DEFAULT
                                                                                                      "\":\"5\"") "]"});
    g_autoptr(Harness) h = open_sink(&table, "t timestamp, day date, n int");
    silver_write_rows(h, "events/0", 0,
                      ROWS("[\"2024-01-15T23:00:00Z\", \"2024-01-15\", 1]",
                           "[\"2024-01-15T23:00:00Z\", \"2024-01-16\", 2]", "[null, null, null]",
                           "[\"2024-01-15T23:00:00Z\", null, 4]", "[null, \"2024-01-15\", 5]"));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *text = silver_text(&table, "day date, n bigint");
    g_assert_cmpstr(text, ==, "{\"day\":\"2024-01-15\",\"n\":1}\n{\"day\":null,\"n\":null}");
    g_assert_cmpuint(harness_n_rejects(h), ==, 3);
    g_assert_nonnull(strstr(harness_rejects(h), "day: generated as CAST(t AS DATE): the row has another value"));
}

/* Filled columns are columns: of partitions, of constraints, not null. A sum beyond its type is a reject. */
static void test_filled_columns_count(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    silver_put_table(&table,
                     &(ForeignTable){.protocol = EVERYTHING,
                                     .fields = "[" FIELD("i", "integer",
                                                         "") ",{\"name\":\"p\",\"type\":\"integer\",\"nullable\":false,"
                                                             "\"metadata\":{\"" GENERATED "\":\"i + 1\"}}," FIELD(
                                                                 "d", "long", "\"" DEFAULT "\":\"5\"") "]",
                                     .partitions = "[\"p\"]",
                                     .configuration = "{\"delta.constraints.rule\":\"d = 5 AND p <> 3\"}"});
    g_autoptr(Harness) h = open_sink(&table, "i int");
    silver_write_rows(h, "events/0", 0, ROWS("[1]", "[2]", "[2147483647]", "[null]", "[4]"));
    harness_commit(h, SF_COMMIT_END);
    g_autoptr(GPtrArray) adds = silver_actions(&table, 1, "add");
    g_assert_cmpuint(adds->len, ==, 2);
    g_autofree char *text = silver_text(&table, "i int, d bigint");
    g_assert_cmpstr(text, ==, "{\"i\":1,\"d\":5}\n{\"i\":4,\"d\":5}");
    g_assert_cmpuint(harness_n_rejects(h), ==, 3);
    g_assert_nonnull(strstr(harness_rejects(h), "the table's constraint 'rule'"));
    g_assert_nonnull(strstr(harness_rejects(h), "p: generated as i + 1: the sum is beyond its type"));
    g_assert_nonnull(strstr(harness_rejects(h), "p: null, but the table's column is not null"));
}

/* Spark adds integers as what they are, and widens the sum. */
static void test_sums_are_of_their_own_type(void)
{
    static const char *const expressions[] = {"i + 1", "CAST(i + 1 AS BIGINT)", "CAST(i + 1 AS BIGINT) + 1"};
    for (gsize i = 0; i < G_N_ELEMENTS(expressions); i++) {
        g_auto(SilverTable) table = {0};
        silver_init(&table, "");
        put_table(&table, "long", GENERATED, expressions[i]);
        g_autoptr(Harness) h = open_sink(&table, "i int");
        silver_write_rows(h, "events/0", 0, ROWS("[2147483647]", "[2147483645]"));
        harness_commit(h, SF_COMMIT_END);
        g_autofree char *text = silver_text(&table, "i int");
        g_assert_cmpstr(text, ==, "{\"i\":2147483645}");
        g_assert_nonnull(strstr(harness_rejects(h), "the sum is beyond its type"));
    }
    gives("long", GENERATED, "CAST(i AS BIGINT) + 2147483647", "2147483654", "null");
}

#define IDENTITY(start, step, more)                                                                                    \
    "\"delta.identity.start\":" #start ",\"delta.identity.step\":" #step ",\"delta.identity."                          \
    "allowExplicitInsert\":" more

static json_object *mark_of(const SilverTable *table, gint64 version, json_object **metadata)
{
    g_autoptr(GPtrArray) actions = silver_actions(table, version, "metaData");
    g_assert_cmpuint(actions->len, ==, 1);
    SfError err = {0};
    json_object *schema = delta_schema_parse(actions->pdata[0], &err);
    g_assert_nonnull(schema);
    *metadata = schema;
    return delta_json_member(delta_json_member(delta_schema_field(schema, "id"), "metadata", json_type_object),
                             "delta.identity.highWaterMark", json_type_int);
}

static void mark_is(const SilverTable *table, gint64 version, int64_t mark)
{
    g_autoptr(json_object) schema = NULL;
    g_assert_cmpint(json_object_get_int64(mark_of(table, version, &schema)), ==, mark);
}

/* Numbers go on over commits and restarts, downwards too; the mark is in the same commit as its rows. */
static void test_identity(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    silver_put_table(&table, &(ForeignTable){.protocol = EVERYTHING,
                                             .fields = "[" FIELD("id", "long", IDENTITY(10, -3, "false")) "," FIELD(
                                                 "s", "string", "") "]"});
    g_autoptr(Harness) h = open_sink(&table, "s string");
    silver_write_rows(h, "events/0", 0, ROWS("[\"a\"]", "[\"b\"]"));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    mark_is(&table, 1, 7);
    silver_write_rows(h, "events/0", 2, ROWS("[\"c\"]"));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    mark_is(&table, 2, 4);
    harness_reopen(h);
    silver_write_rows(h, "events/0", 3, ROWS("[\"d\"]"));
    harness_commit(h, SF_COMMIT_END);
    mark_is(&table, 3, 1);
    g_autofree char *text = silver_text(&table, "s string, id bigint");
    g_assert_cmpstr(text, ==,
                    "{\"s\":\"a\",\"id\":10}\n{\"s\":\"b\",\"id\":7}\n{\"s\":\"c\",\"id\":4}\n{\"s\":\"d\",\"id\":1}");
}

/* Another writer has given out the same numbers before our commit: the rows are read again, and get others. */
static void test_identity_conflict(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    silver_put_table(&table, &(ForeignTable){.protocol = EVERYTHING,
                                             .fields = "[" FIELD("id", "long", IDENTITY(1, 1, "false")) "," FIELD(
                                                 "s", "string", "") "]"});
    g_autoptr(Harness) h = open_sink(&table, "s string");
    silver_write_rows(h, "events/0", 0, ROWS("[\"a\"]"));
    g_autofree char *first = silver_log_path(&table, 0);
    g_autofree char *second = silver_log_path(&table, 1);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(first, &text, NULL, NULL));
    g_autoptr(GString) other = g_string_new(text);
    g_string_replace(other, "\\\"delta.identity.start\\\":1",
                     "\\\"delta.identity.highWaterMark\\\":5,\\\"delta.identity.start\\\":1", 0);
    g_assert_true(g_file_set_contents(second, other->str, -1, NULL));
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_FENCED);
    g_assert_nonnull(strstr(h->err.message, "numbers of the identity column 'id'"));
    harness_reopen(h);
    silver_write_rows(h, "events/0", 0, ROWS("[\"a\"]"));
    harness_commit(h, SF_COMMIT_END);
    mark_is(&table, 2, 6);
}

static void test_own_identities(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    silver_put_table(&table, &(ForeignTable){.protocol = EVERYTHING,
                                             .fields = "[" FIELD("id", "long", IDENTITY(1, 1, "false")) "," FIELD(
                                                 "other", "long", IDENTITY(1, 1, "true")) "]"});
    {
        g_autoptr(Harness) h = open_sink(&table, "id bigint");
        g_assert_cmpint(harness_try_bind(h), ==, SF_OK);
        g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
        g_assert_nonnull(strstr(h->err.message, "column 'id' is an identity column, whose values the table gives"));
    }
    g_autoptr(Harness) h = open_sink(&table, "other bigint");
    silver_write_rows(h, "events/0", 0, ROWS("[50]"));
    harness_commit(h, SF_COMMIT_END);
    mark_is(&table, 1, 1);
    g_autofree char *text = silver_text(&table, "id bigint, other bigint");
    g_assert_cmpstr(text, ==, "{\"id\":1,\"other\":50}");
}

static void test_no_numbers_left(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    silver_put_table(
        &table, &(ForeignTable){.protocol = EVERYTHING,
                                .fields = "[" FIELD("id", "long", IDENTITY(9223372036854775807, 1, "false")) "," FIELD(
                                    "s", "string", "") "]"});
    g_autoptr(Harness) h = open_sink(&table, "s string");
    silver_write_rows(h, "events/0", 0, ROWS("[\"a\"]"));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    const SfBatch *batch = harness_rows(h, 0, "events/0", 1, ROWS("[\"b\"]"));
    g_assert_cmpint(harness_try_write(h, 0, batch), ==, SF_FATAL);
    g_assert_nonnull(strstr(h->err.message, "no numbers left after 9223372036854775807"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delta-silver-sink/fills/generated columns", test_generated);
    g_test_add_func("/delta-silver-sink/fills/defaults", test_defaults);
    g_test_add_func("/delta-silver-sink/fills/expressions beyond us are refused", test_beyond);
    g_test_add_func("/delta-silver-sink/fills/a row's own value must be the expression's", test_own_values);
    g_test_add_func("/delta-silver-sink/fills/filled columns are columns", test_filled_columns_count);
    g_test_add_func("/delta-silver-sink/fills/sums are of their own type", test_sums_are_of_their_own_type);
    g_test_add_func("/delta-silver-sink/fills/identity columns count on", test_identity);
    g_test_add_func("/delta-silver-sink/fills/numbers that another writer has given out", test_identity_conflict);
    g_test_add_func("/delta-silver-sink/fills/rows with identities of their own", test_own_identities);
    g_test_add_func("/delta-silver-sink/fills/no numbers left", test_no_numbers_left);
    return g_test_run();
}
