/* delta-silver-sink on tables that others made: what they ask for is done, or refused by name. */
#include "silver_table.h"

#include <glib/gstdio.h>

#define ROWS(...) (const char *const[]){__VA_ARGS__}, G_N_ELEMENTS(((const char *const[]){__VA_ARGS__}))
#define FIELD(name, type, nullable)                                                                                    \
    "{\"name\":\"" name "\",\"type\":\"" type "\",\"nullable\":" nullable ",\"metadata\":{}}"

static char *partition_of(const SilverTable *table, gint64 version)
{
    g_autoptr(GPtrArray) adds = silver_actions(table, version, "add");
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < adds->len; i++)
        g_string_append(
            text, json_object_to_json_string_ext(delta_json_member(adds->pdata[i], "partitionValues", json_type_object),
                                                 JSON_C_TO_STRING_PLAIN));
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* One rule compares names: a partition's value is never lost to a spelling. */
static void test_names(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "partition_by: [ÜNIT]");
    silver_put_table(&table,
                     &(ForeignTable){.fields = "[" FIELD("id", "long", "true") "," FIELD("Ünit", "string", "false") "]",
                                     .partitions = "[\"Ünit\"]"});
    g_autoptr(Harness) h = silver_sink_new(&table, "ID bigint, ünit string");
    silver_write_rows(h, "events/0", 0, ROWS("[1, \"a\"]", "[2, null]"));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpstr(harness_rejects(h), ==, "events/0@1: ünit: null, but the table's column is not null");
    g_autofree char *values = partition_of(&table, 1);
    g_assert_cmpstr(values, ==, "{\"Ünit\":\"a\"}");
    g_autofree char *text = silver_text(&table, "id bigint");
    g_assert_cmpstr(text, ==, "{\"id\":1}");
    g_assert_cmpuint(harness_n_rejects(h), ==, 1);
}

static void test_two_names(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "partition_by: [STRASSE]");
    g_autoptr(Harness) h = silver_sink_new(&table, "strasse string, straße string");
    silver_write_rows(h, "events/0", 0, ROWS("[\"a\", \"b\"]"));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *values = partition_of(&table, 0);
    g_assert_cmpstr(values, ==, "{\"strasse\":\"a\"}");
    g_autofree char *text = silver_text(&table, "straße string");
    g_assert_cmpstr(text, ==, "{\"straße\":\"b\"}");
}

static void test_equal(void)
{
    g_assert_true(delta_name_equal("", ""));
    g_assert_true(delta_name_equal("aΣ", "Aς")); /* both small sigmas have one capital */
    g_assert_true(delta_name_equal("STRAẞE", "straße"));
    g_assert_true(delta_name_equal("K", "k")); /* the Kelvin sign */
    g_assert_true(delta_name_equal("İ", "i"));
    g_assert_false(delta_name_equal("a", "ab"));
    g_assert_false(delta_name_equal("ß", "ss"));
    g_assert_false(delta_name_equal("ﬁ", "fi"));
    g_assert_false(delta_name_equal("é", "e\u0301"));
}

#define SPARK(name, type, real)                                                                                        \
    "{\"name\":\"" name "\",\"type\":" type ",\"nullable\":true,\"metadata\":{\"__CHAR_VARCHAR_TYPE_STRING\":\"" real  \
    "\"}}"
#define ARRAY "{\"type\":\"array\",\"elementType\":\"string\",\"containsNull\":true}"
#define STRUCT                                                                                                         \
    "{\"type\":\"struct\",\"fields\":[" FIELD("n", "integer", "true") "," FIELD("c", "string", "true") "," FIELD(      \
        "v", "string", "true") "]}"

/* Lengths are characters, as in Spark; shorter texts of a fixed length are filled up, nothing is cut. */
static void test_lengths(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    silver_put_table(
        &table,
        &(ForeignTable){
            .fields = "[" SPARK("v", "\"string\"", "varchar(5)") "," SPARK("c", "\"string\"", "char(3)") "," SPARK(
                "l", ARRAY, "array<varchar(2)>") "," SPARK("s", STRUCT, "struct<n:int,c:char(2),v:varchar(1)>") "]"});
    g_autoptr(Harness) h =
        silver_sink_new(&table, "v string, c string view, l list<string>, s struct<v string, c string>");
    silver_write_rows(h, "events/0", 0,
                      ROWS("[\"ääääö\", \"ab\", [\"ab\", null], {\"v\": \"x\", \"c\": \"\"}]",
                           "[\"abcdef\", null, null, null]", "[null, \"abcd\", null, null]",
                           "[null, null, [\"ab\", \"abc\"], null]", "[null, null, null, {\"v\": \"xy\", \"c\": \"\"}]",
                           "[\"\", \"é\\u0000\", [], {\"v\": null, \"c\": null}]"));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpstr(harness_rejects(h), ==,
                    "events/0@1: v: 6 characters, the table's type is varchar(5)\n"
                    "events/0@2: c: 4 characters, the table's type is char(3)\n"
                    "events/0@3: l[]: 3 characters, the table's type is varchar(2)\n"
                    "events/0@4: s.v: 2 characters, the table's type is varchar(1)");
    g_autofree char *text = silver_text(&table, "v string, c string, l list<string>, s struct<v string, c string>");
    g_assert_cmpstr(text, ==,
                    "{\"v\":\"\",\"c\":\"é\\x00 \",\"l\":[],\"s\":{\"v\":null,\"c\":null}}\n"
                    "{\"v\":\"ääääö\",\"c\":\"ab \",\"l\":[\"ab\",null],\"s\":{\"v\":\"x\",\"c\":\"  \"}}");
}

static void refuse_spark_type(const char *type, const char *message)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    g_autofree char *fields = g_strdup_printf(
        "[{\"name\":\"v\",\"type\":\"string\",\"nullable\":true,\"metadata\":{\"__CHAR_VARCHAR_TYPE_STRING\":\"%s\"}}]",
        type);
    silver_put_table(&table, &(ForeignTable){.fields = fields});
    g_autoptr(Harness) h = silver_sink_new(&table, "v string");
    g_assert_cmpint(harness_try_bind(h), ==, SF_OK);
    g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
    if (!g_str_has_suffix(h->err.message, message))
        g_error("not the end of: %s", h->err.message);
}

static void test_unknown_lengths(void)
{
    refuse_spark_type("varchar(x)", "t: column 'v' is of Spark's type 'varchar(x)', which this sink cannot check");
    refuse_spark_type("array<char(3)>",
                      "t: column 'v' is of Spark's type 'array<char(3)>', which this sink cannot check");
    refuse_spark_type("char(1000000000)",
                      "t: column 'v' is of Spark's type 'char(1000000000)', which this sink cannot check");
    refuse_spark_type("varchar(5) x", "t: column 'v' is of Spark's type 'varchar(5) x', which this sink cannot check");
    refuse_spark_type("", "t: column 'v' is of Spark's type '', which this sink cannot check");
}

#define MAP "{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":\"float\",\"valueContainsNull\":false}"
#define OTHER_TYPES                                                                                                    \
    "[" FIELD("b", "byte", "true") "," FIELD("s", "short", "true") "," FIELD("l", "long", "true") "," FIELD(           \
        "f", "float", "true") "," FIELD("t", "timestamp_ntz", "true") ",{\"name\":\"m\",\"type\":" MAP                 \
                                                                      ",\"nullable\":true,\"metadata\":{}}]"

static void test_other_types(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    silver_put_table(&table,
                     &(ForeignTable){.protocol = "{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":["
                                                 "\"timestampNtz\"],\"writerFeatures\":[\"timestampNtz\"]}",
                                     .fields = OTHER_TYPES});
    g_autoptr(Harness) h = silver_sink_new(&table, "b int, s int, l int, f double, t timestamp, m list<struct<key "
                                                   "string, value double>>");
    silver_write_rows(
        h, "events/0", 0,
        ROWS("[-128, 32767, -2147483648, 0.1, \"2024-01-15T10:30:01.000001Z\", [{\"key\": \"a\", \"value\": 1.5}]]",
             "[128, 0, 0, 0, null, null]", "[0, -32769, 0, 0, null, null]", "[0, 0, 0, 1e39, null, null]",
             "[0, 0, 0, 0, null, [null]]", "[0, 0, 0, 0, null, [{\"key\": null, \"value\": 1}]]",
             "[0, 0, 0, 0, null, [{\"key\": \"a\", \"value\": null}]]",
             "[0, 0, 0, 0, null, [{\"key\": \"a\", \"value\": 1}, {\"key\": \"a\", \"value\": 2}]]",
             "[null, null, null, \"NaN\", null, []]"));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpstr(harness_rejects(h), ==,
                    "events/0@1: b: 128 does not fit the table's type byte\n"
                    "events/0@2: s: -32769 does not fit the table's type short\n"
                    "events/0@3: f: 1e+39 does not fit the table's type float\n"
                    "events/0@4: m[]: null, but the table's column is not null\n"
                    "events/0@5: m[].key: null, but the table's column is not null\n"
                    "events/0@6: m[].value: null, but the table's column is not null\n"
                    "events/0@7: m: the map has the key 'a' twice");
    g_autoptr(GPtrArray) adds = silver_actions(&table, 1, "add");
    g_assert_cmpstr(delta_json_text(adds->pdata[0], "stats"), ==,
                    "{\"numRecords\":2,\"minValues\":{\"b\":-128,\"s\":32767,\"l\":-2147483648,"
                    "\"t\":\"2024-01-15T10:30:01.000\"},\"maxValues\":{\"b\":-128,\"s\":32767,\"l\":-2147483648,"
                    "\"t\":\"2024-01-15T10:30:01.001\"},\"nullCount\":{\"b\":1,\"s\":1,\"l\":1,\"f\":0,\"t\":1}}");
    g_autofree char *text = silver_text(&table, "b int, s int, l bigint, f double");
    g_assert_cmpstr(text, ==,
                    "{\"b\":-128,\"s\":32767,\"l\":-2147483648,\"f\":0.10000000149011612}\n"
                    "{\"b\":null,\"s\":null,\"l\":null,\"f\":nan}");
}

/* So many columns that a search by all of them for each would not end within the test's time. */
static void test_wide(void)
{
    g_autoptr(GString) columns = g_string_new("c0 int");
    for (int i = 1; i < 20000; i++)
        g_string_append_printf(columns, ", c%d int", i);
    struct ArrowSchema rows;
    rows_schema(columns->str, &rows);
    g_autoptr(json_object) schema = delta_schema_new();
    SfError err = {0};
    bool changed = false;
    g_assert_cmpint(delta_schema_merge(schema, &rows, DELTA_MERGE_CREATE, &changed, &err), ==, SF_OK);
    g_assert_true(changed);
    changed = false;
    g_assert_cmpint(delta_schema_merge(schema, &rows, DELTA_MERGE_CHECK, &changed, &err), ==, SF_OK);
    g_assert_false(changed);
    DeltaProjection projection = {0};
    char *leave_out[] = {(char *) "C7", NULL};
    g_assert_cmpint(delta_schema_project(schema, false, &rows, leave_out, &projection, &err), ==, SF_OK);
    g_assert_cmpuint(projection.n, ==, 19999);
    g_autoptr(ParquetWriter) writer =
        parquet_writer_new(&projection.schema, &(ParquetOptions){.codec = PARQUET_SNAPPY}, &err);
    g_assert_nonnull(writer);
    delta_projection_done(&projection);
    sf_schema_done(&rows);
}

/* Whatever is called like the next version and is none ends the run, with its name. */
static void test_in_the_way(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    silver_put_table(&table, &(ForeignTable){.fields = "[" FIELD("id", "long", "true") "]"});
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    silver_write_rows(h, "events/0", 0, ROWS("[1]"));
    g_autofree char *path = silver_log_path(&table, 1);
    g_assert_cmpint(g_mkdir(path, 0777), ==, 0);
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_END), ==, SF_FATAL);
    g_assert_nonnull(strstr(h->err.message, "'_delta_log/00000000000000000001.json' exists, but is not a commit"));
    g_assert_cmpint(g_rmdir(path), ==, 0);
    harness_reopen(h);
    silver_write_rows(h, "events/0", 0, ROWS("[1]"));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *text = silver_text(&table, "id bigint");
    g_assert_cmpstr(text, ==, "{\"id\":1}");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delta-silver-sink/foreign/names are compared by one rule", test_names);
    g_test_add_func("/delta-silver-sink/foreign/names of other characters are two columns", test_two_names);
    g_test_add_func("/delta-silver-sink/foreign/names are equal as Spark has it", test_equal);
    g_test_add_func("/delta-silver-sink/foreign/varchar and char are kept", test_lengths);
    g_test_add_func("/delta-silver-sink/foreign/types of Spark that cannot be checked are refused",
                    test_unknown_lengths);
    g_test_add_func("/delta-silver-sink/foreign/byte, short, bigint, float, timestamp_ntz and map are filled",
                    test_other_types);
    g_test_add_func("/delta-silver-sink/foreign/what is in the next version's place is named", test_in_the_way);
    g_test_add_func("/delta-silver-sink/foreign/twenty thousand columns", test_wide);
    return g_test_run();
}
