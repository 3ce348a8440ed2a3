/* delta-silver-sink on tables that others made: what they ask for is done, or refused by name. */
#include "silver_table.h"

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
    g_assert_cmpint(delta_schema_project(schema, &rows, leave_out, &projection, &err), ==, SF_OK);
    g_assert_cmpuint(projection.n, ==, 19999);
    g_autoptr(ParquetWriter) writer =
        parquet_writer_new(&projection.schema, &(ParquetOptions){.codec = PARQUET_SNAPPY}, &err);
    g_assert_nonnull(writer);
    delta_projection_done(&projection);
    sf_schema_done(&rows);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delta-silver-sink/foreign/names are compared by one rule", test_names);
    g_test_add_func("/delta-silver-sink/foreign/names of other characters are two columns", test_two_names);
    g_test_add_func("/delta-silver-sink/foreign/names are equal as Spark has it", test_equal);
    g_test_add_func("/delta-silver-sink/foreign/twenty thousand columns", test_wide);
    return g_test_run();
}
