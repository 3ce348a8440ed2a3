/* delta-silver-sink on tables with features that ask something of each append. */
#include "silver_table.h"

#define ROWS(...) (const char *const[]){__VA_ARGS__}, G_N_ELEMENTS(((const char *const[]){__VA_ARGS__}))
#define FIELD(name, type, metadata)                                                                                    \
    "{\"name\":\"" name "\",\"type\":\"" type "\",\"nullable\":true,\"metadata\":{" metadata "}}"
#define WRITER(features) "{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[" features "]}"
#define DOMAIN(name, text)                                                                                             \
    "{\"domainMetadata\":{\"domain\":\"" name "\",\"configuration\":\"" text "\",\"removed\":false}}\n"

static int64_t number_of(json_object *object, const char *name)
{
    json_object *number = delta_json_member(object, name, json_type_int);
    g_assert_nonnull(number);
    return json_object_get_int64(number);
}

static int64_t row_ids_of(const SilverTable *table, gint64 version, int64_t *mark)
{
    g_autoptr(GPtrArray) adds = silver_actions(table, version, "add");
    g_autoptr(GPtrArray) domains = silver_actions(table, version, "domainMetadata");
    g_assert_cmpuint(adds->len, ==, 1);
    g_assert_cmpuint(domains->len, ==, 1);
    g_assert_cmpint(number_of(adds->pdata[0], "defaultRowCommitVersion"), ==, version);
    g_assert_cmpstr(delta_json_text(domains->pdata[0], "domain"), ==, "delta.rowTracking");
    g_autoptr(json_object) state = json_tokener_parse(delta_json_text(domains->pdata[0], "configuration"));
    *mark = number_of(state, "rowIdHighWaterMark");
    return number_of(adds->pdata[0], "baseRowId");
}

/* Row ids follow each other, also behind a version that another writer has won, and through checkpoints. */
static void test_row_tracking(void)
{
    g_auto(SilverTable) table = {0};
    int64_t mark;
    silver_init(&table, "checkpoint_interval: 3");
    silver_put_table(&table, &(ForeignTable){.protocol = WRITER("\"rowTracking\",\"domainMetadata\""),
                                             .fields = "[" FIELD("id", "long", "") "]"});
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    silver_write_rows(h, "events/0", 0, ROWS("[1]", "[2]", "[3]"));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(row_ids_of(&table, 1, &mark), ==, 0);
    g_assert_cmpint(mark, ==, 2);
    silver_write_rows(h, "events/0", 3, ROWS("[4]", "[5]"));
    g_autofree char *path = silver_log_path(&table, 2);
    g_assert_true(g_file_set_contents(path, DOMAIN("delta.rowTracking", "{\\\"rowIdHighWaterMark\\\":99}"), -1, NULL));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(row_ids_of(&table, 3, &mark), ==, 100);
    g_assert_cmpint(mark, ==, 101);
    g_assert_cmpstr(harness_logs(h), ==, "");
    for (gint64 version = 0; version <= 3; version++) {
        g_autofree char *old = silver_log_path(&table, version);
        g_assert_cmpint(unlink(old), ==, 0);
    }
    harness_reopen(h);
    silver_write_rows(h, "events/0", 5, ROWS("[6]"));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(row_ids_of(&table, 4, &mark), ==, 102);
    g_assert_cmpint(mark, ==, 102);
}

/* Statistics of the columns that the table is clustered by, which may be any; the domain that says so stays. */
static void test_clustering(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "checkpoint_interval: 1");
    silver_put_table(
        &table, &(ForeignTable){.protocol = WRITER("\"clustering\",\"domainMetadata\""),
                                .fields = "[" FIELD("id", "long", "") "," FIELD("last", "long", "") "]",
                                .configuration = "{\"delta.dataSkippingNumIndexedCols\":\"1\"}",
                                .more = DOMAIN("delta.clustering", "{\\\"clusteringColumns\\\":[[\\\"last\\\"]]}")});
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint, last bigint");
    silver_write_rows(h, "events/0", 0, ROWS("[1, 7]"));
    harness_commit(h, SF_COMMIT_END);
    g_autoptr(GPtrArray) adds = silver_actions(&table, 1, "add");
    g_assert_nonnull(strstr(delta_json_text(adds->pdata[0], "stats"), "\"maxValues\":{\"id\":1,\"last\":7}"));
    g_assert_null(delta_json_member(adds->pdata[0], "baseRowId", json_type_int));
    g_autofree char *name = g_strdup_printf("%s/t/_delta_log/%020d.checkpoint.parquet", table.dir, 1);
    char *data;
    gsize size;
    SfError err = {0};
    g_assert_true(g_file_get_contents(name, &data, &size, NULL));
    g_autoptr(GBytes) file = g_bytes_new_take(data, size);
    struct ArrowSchema schema;
    struct ArrowArray rows;
    rows_schema("domainMetadata struct<domain string, configuration string>", &schema);
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, &schema, &err);
    g_assert_cmpint(parquet_reader_next(reader, 100, &rows, &err), ==, SF_OK);
    g_autoptr(GString) all = g_string_new(NULL);
    for (gint64 row = 0; row < rows.length; row++) {
        g_autofree char *text = rows_text(&schema, &rows, row);
        g_string_append(all, text);
    }
    g_assert_nonnull(strstr(all->str, "\"delta.clustering\",\"configuration\":\"{\\\"clusteringColumns\\\":[["));
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

#define MAPPED(name, type, id, physical)                                                                               \
    FIELD(name, type, "\"delta.columnMapping.id\":" #id ",\"delta.columnMapping.physicalName\":\"" physical "\"")

/* Files, statistics and partition values have the physical names; new columns get some, at any depth. */
static void test_mapping(const char *mode, const char *protocol)
{
    static const SfField members[] = {{.name = "x y", .type = SF_INT32, .nullable = true}};
    static const SfField fields[] = {
        {.name = "order id", .type = SF_INT64, .nullable = true},
        {.name = "p", .type = SF_UTF8, .nullable = true},
        {.name = "new, too", .type = SF_STRUCT, .nullable = true, .n_children = 1, .children = members}};
    g_auto(SilverTable) table = {0};
    g_autofree char *configuration =
        g_strdup_printf("{\"delta.columnMapping.mode\":\"%s\",\"delta.columnMapping.maxColumnId\":\"7\"}", mode);
    silver_init(&table, "");
    silver_put_table(&table, &(ForeignTable){.protocol = protocol,
                                             .fields = "[" MAPPED("Order Id", "long", 1,
                                                                  "col_a") "," MAPPED("P", "string", 2, "col_p") "]",
                                             .partitions = "[\"P\"]",
                                             .configuration = configuration});
    struct ArrowSchema schema;
    SfError err = {0};
    g_assert_cmpint(sf_schema_make(fields, G_N_ELEMENTS(fields), &schema, &err), ==, SF_OK);
    g_autoptr(Harness) h = harness_new("delta-silver-sink", table.options);
    harness_input(h, "sales", &schema);
    sf_schema_done(&schema);
    silver_write_rows(h, "events/0", 0, ROWS("[5, \"a\", {\"x y\": 6}]"));
    harness_commit(h, SF_COMMIT_END);
    g_autoptr(GPtrArray) adds = silver_actions(&table, 1, "add");
    json_object *values = delta_json_member(adds->pdata[0], "partitionValues", json_type_object);
    g_assert_cmpstr(json_object_to_json_string_ext(values, JSON_C_TO_STRING_PLAIN), ==, "{\"col_p\":\"a\"}");
    g_assert_nonnull(strstr(delta_json_text(adds->pdata[0], "stats"), "\"minValues\":{\"col_a\":5,\"col-"));
    g_assert_true(g_str_has_prefix(delta_json_text(adds->pdata[0], "path"), "col_p=a/part-"));
    g_autoptr(GPtrArray) meta = silver_actions(&table, 1, "metaData");
    json_object *properties = delta_json_member(meta->pdata[0], "configuration", json_type_object);
    g_assert_cmpstr(delta_json_text(properties, "delta.columnMapping.maxColumnId"), ==, "9");
    g_autoptr(json_object) grown = delta_schema_parse(meta->pdata[0], &err);
    g_assert_cmpint(delta_mapping_check(grown, &err), ==, SF_OK);
    g_assert_cmpint(delta_field_id(delta_schema_field(grown, "new, too"), true), ==, 8);
    g_autofree char *text = silver_text(&table, "col_a bigint");
    g_assert_cmpstr(text, ==, "{\"col_a\":5}");
}

static void test_column_mapping(void)
{
    test_mapping("name", "{\"minReaderVersion\":2,\"minWriterVersion\":5}");
    test_mapping("id", "{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"columnMapping\"],"
                       "\"writerFeatures\":[\"columnMapping\"]}");
}

static void test_unmapped(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    silver_put_table(&table, &(ForeignTable){.protocol = "{\"minReaderVersion\":2,\"minWriterVersion\":5}",
                                             .fields = "[" FIELD("id", "long", "") "]",
                                             .configuration = "{\"delta.columnMapping.mode\":\"name\"}"});
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    g_assert_cmpint(harness_try_bind(h), ==, SF_OK);
    g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
    g_assert_nonnull(strstr(h->err.message, "column 'id' has no physical name or id"));
}

#define CHECKED                                                                                                        \
    "[" FIELD("i", "long", "") "," FIELD("f", "float", "") "," FIELD("d", "decimal(9,2)", "") "," FIELD(               \
        "s", "string", "") "," FIELD("day", "date", "") "," FIELD("b", "boolean", "") "," FIELD("left out", "string",  \
                                                                                                "") "]"

/* Which of the rows a condition lets pass, as a text of their numbers; and what is said of the others. */
static void passes(const char *condition, const char *numbers)
{
    static const char *const rows[] = {
        "[0, 0.5, 1.50, \"abc\", \"2024-01-15\", true]", "[1, -0.0, -1.50, \"\", \"1969-12-31\", false]",
        "[2, \"NaN\", 0.00, \"äöü\", \"2024-02-29\", true]", "[3, null, null, null, null, null]"};
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    g_autoptr(json_object) text = json_object_new_string(condition);
    g_autofree char *configuration = g_strdup_printf("{\"delta.constraints.rule\":%s}",
                                                     json_object_to_json_string_ext(text, JSON_C_TO_STRING_PLAIN));
    silver_put_table(&table, &(ForeignTable){.protocol = "{\"minReaderVersion\":1,\"minWriterVersion\":3}",
                                             .fields = CHECKED,
                                             .configuration = configuration});
    g_autoptr(Harness) h = silver_sink_new(&table, "i int, f double, d decimal(9,2), s string, day date, b bool");
    silver_write_rows(h, "events/0", 0, rows, G_N_ELEMENTS(rows));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *kept = silver_last_version(&table) > 0 ? silver_text(&table, "i bigint") : g_strdup("");
    g_autoptr(GString) found = g_string_new(NULL);
    for (const char *at = kept; (at = strstr(at, ":")); at++)
        g_string_append_c(found, at[1]);
    if (strcmp(found->str, numbers) != 0)
        g_error("'%s' lets '%s' pass, not '%s'", condition, found->str, numbers);
    g_assert_cmpuint(harness_n_rejects(h), ==, 4 - strlen(numbers));
    g_autofree char *why = g_strdup_printf(": the table's constraint 'rule' (%s) is not met", condition);
    if (strlen(numbers) < 4)
        g_assert_nonnull(strstr(harness_rejects(h), why));
}

static void test_constraints(void)
{
    passes("i >= 0", "0123");
    passes("I > 1", "23");
    passes("i <> 1 AND i != 2", "03");
    passes("NOT (i = 1 OR i = 2)", "03");
    passes("i BETWEEN 1 AND 2", "12");
    passes("i NOT BETWEEN 1 AND 2", "03");
    passes("i IN (0, 2) or `i` = 3", "023");
    passes("i not in (0, -2)", "123");
    passes("1.5 < i", "23");
    passes("d >= 1.5", "0");
    passes("d = -1.500", "1");
    passes("d < 0 OR d IS NULL", "13");
    passes("f >= 0", "012"); /* NaN is above all numbers, the zeros are equal */
    passes("f <= 0.5", "01");
    passes("f = f", "012");
    passes("s = 'abc'", "0");
    passes("s >= 'a'", "02");
    passes("length(s) > 2", "02");
    passes("s is not null", "012");
    passes("s IS NULL OR s <> ''", "023");
    passes("day >= '2024-01-15'", "02");
    passes("DATE '1970-01-01' > day", "1");
    passes("b", "02");
    passes("not b", "1");
    passes("b = false", "1");
    passes("b <=> b", "0123");
    passes("`left out` IS NULL", "0123");
    passes("`left out` = 'x'", "");
    passes("i < d", "0");
    passes("true", "0123");
}

static void cannot_check(const char *condition, const char *message)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    g_autoptr(json_object) text = json_object_new_string(condition);
    g_autofree char *configuration = g_strdup_printf("{\"delta.constraints.rule\":%s}",
                                                     json_object_to_json_string_ext(text, JSON_C_TO_STRING_PLAIN));
    silver_put_table(&table, &(ForeignTable){.fields = CHECKED, .configuration = configuration});
    g_autoptr(Harness) h = silver_sink_new(&table, "i int");
    g_assert_cmpint(harness_try_bind(h), ==, SF_OK);
    g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
    if (!strstr(h->err.message, "the table has the constraint 'rule'") || !strstr(h->err.message, message))
        g_error("'%s' is not in '%s'", message, h->err.message);
}

static void test_unknown_constraints(void)
{
    static const char *const conditions[] = {"",
                                             "i",
                                             "i > ",
                                             "i + 1 > 0",
                                             "upper(s) = 'X'",
                                             "s like 'a%'",
                                             "i > '1'",
                                             "s > 1",
                                             "nothere = 1",
                                             "i > 0 extra",
                                             "(i > 0",
                                             "s = 'a''b'",
                                             "s = 'a\\n'",
                                             "i > 1e3",
                                             "i > 12345678901234567890",
                                             "i in (select 1)",
                                             "day > 'yesterday'",
                                             "length(i) > 1",
                                             "i is true",
                                             "i > 5L",
                                             "a.b = 1"};
    for (gsize i = 0; i < G_N_ELEMENTS(conditions); i++)
        cannot_check(conditions[i], "which this sink cannot check: ");
    g_autofree char *deep = g_strnfill(5000, '(');
    cannot_check(deep, "a condition nested too deep");
}

static void test_invariants(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    silver_put_table(
        &table,
        &(ForeignTable){.fields = "[" FIELD(
                            "id", "long",
                            "\"delta.invariants\":\"{\\\"expression\\\":{\\\"expression\\\":\\\"id > 3\\\"}}\"") "]"});
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    silver_write_rows(h, "events/0", 0, ROWS("[3]", "[4]"));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpstr(harness_rejects(h), ==, "events/0@0: the table's constraint 'id' (id > 3) is not met");
}

static char *protocol_of(const char *properties, const char *first_member)
{
    g_auto(SilverTable) table = {0};
    g_autofree char *options = g_strdup_printf("table_properties: {%s}", properties);
    silver_init(&table, options);
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint not null, s string");
    for (int i = 0; i < 2; i++) { /* creates it, then appends to what it is */
        silver_write_rows(h, "events/0", i, ROWS("[1, \"x\"]"));
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        g_autoptr(GPtrArray) info = silver_actions(&table, i, "commitInfo");
        json_object_object_foreach(info->pdata[0], key, value)
        {
            (void) value;
            g_assert_cmpstr(key, ==, first_member);
            break;
        }
    }
    g_autoptr(GPtrArray) actions = silver_actions(&table, 0, "protocol");
    return g_strdup(json_object_to_json_string_ext(actions->pdata[0], JSON_C_TO_STRING_PLAIN));
}

static void assert_protocol(const char *properties, const char *expected)
{
    bool timed = strstr(properties, "CommitTimestamps") != NULL;
    g_autofree char *protocol = protocol_of(properties, timed ? "inCommitTimestamp" : "timestamp");
    g_assert_cmpstr(protocol, ==, expected);
}

static void test_properties(void)
{
    assert_protocol("delta.appendOnly: true, delta.enableDeletionVectors: false, own: x",
                    "{\"minReaderVersion\":1,\"minWriterVersion\":2}");
    assert_protocol("delta.enableChangeDataFeed: true, delta.enableInCommitTimestamps: true",
                    "{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[\"changeDataFeed\","
                    "\"inCommitTimestamp\",\"appendOnly\",\"invariants\"]}");
    assert_protocol("delta.columnMapping.mode: name, delta.checkpointPolicy: v2, delta.feature.timestampNtz: supported",
                    "{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"columnMapping\","
                    "\"v2Checkpoint\",\"timestampNtz\"],\"writerFeatures\":[\"columnMapping\",\"v2Checkpoint\","
                    "\"appendOnly\",\"invariants\",\"timestampNtz\"]}");
}

/* A table that is created with row tracking: its first rows have ids, too. */
static void test_created_tracked(void)
{
    g_auto(SilverTable) table = {0};
    int64_t mark;
    assert_protocol("delta.enableRowTracking: true",
                    "{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[\"rowTracking\",\"appendOnly\","
                    "\"invariants\",\"domainMetadata\"]}");
    silver_init(&table, "table_properties: {delta.enableRowTracking: true}");
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    silver_write_rows(h, "events/0", 0, ROWS("[1]", "[2]", "[3]"));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(row_ids_of(&table, 0, &mark), ==, 0);
    g_assert_cmpint(mark, ==, 2);
    silver_write_rows(h, "events/0", 3, ROWS("[4]"));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(row_ids_of(&table, 1, &mark), ==, 3);
    g_autoptr(GPtrArray) actions = silver_actions(&table, 0, "metaData");
    json_object *configuration = delta_json_member(actions->pdata[0], "configuration", json_type_object);
    g_assert_cmpstr(delta_json_text(configuration, "delta.enableRowTracking"), ==, "true");
    g_assert_true(g_str_has_prefix(delta_json_text(configuration, "delta.rowTracking.materializedRowIdColumnName"),
                                   "_row-id-col-"));
    g_assert_true(
        g_str_has_prefix(delta_json_text(configuration, "delta.rowTracking.materializedRowCommitVersionColumnName"),
                         "_row-commit-version-col-"));
}

/* What no partition's name can hold is a reject, and stops nothing. */
static void test_partition_values(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    silver_put_table(&table, &(ForeignTable){.fields = "[" FIELD("id", "long", "") "," FIELD("p", "binary", "") "]",
                                             .partitions = "[\"p\"]"});
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint, p binary");
    silver_write_rows(h, "events/0", 0, ROWS("[1, \"a\\u0000b\"]", "[2, \"ab\"]"));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *text = silver_text(&table, "id bigint");
    g_assert_cmpstr(text, ==, "{\"id\":2}");
    g_assert_nonnull(strstr(harness_rejects(h), "p: a partition's value must be UTF-8 without NUL characters"));
}

/* A table that is created with mapped columns has them all, and its names may have blanks. */
static void test_created_mapped(void)
{
    static const SfField fields[] = {{.name = "order id", .type = SF_INT64}, {.name = "p", .type = SF_UTF8}};
    g_auto(SilverTable) table = {0};
    silver_init(&table, "table_properties: {delta.columnMapping.mode: name}");
    struct ArrowSchema schema;
    SfError err = {0};
    g_assert_cmpint(sf_schema_make(fields, G_N_ELEMENTS(fields), &schema, &err), ==, SF_OK);
    g_autoptr(Harness) h = harness_new("delta-silver-sink", table.options);
    harness_input(h, "sales", &schema);
    sf_schema_done(&schema);
    silver_write_rows(h, "events/0", 0, ROWS("[5, \"a\"]"));
    harness_commit(h, SF_COMMIT_END);
    g_autoptr(GPtrArray) meta = silver_actions(&table, 0, "metaData");
    json_object *properties = delta_json_member(meta->pdata[0], "configuration", json_type_object);
    g_assert_cmpstr(json_object_to_json_string_ext(properties, JSON_C_TO_STRING_PLAIN), ==,
                    "{\"delta.columnMapping.mode\":\"name\",\"delta.columnMapping.maxColumnId\":\"2\"}");
    g_autoptr(json_object) made = delta_schema_parse(meta->pdata[0], &err);
    g_assert_cmpint(delta_mapping_check(made, &err), ==, SF_OK);
    g_assert_false(delta_field_nullable(delta_schema_field(made, "order id")));
    silver_write_rows(h, "events/0", 1, ROWS("[6, \"b\"]"));
    harness_commit(h, SF_COMMIT_END);
    g_autoptr(GPtrArray) again = silver_actions(&table, 1, "metaData");
    g_assert_cmpuint(again->len, ==, 0);
}

/* What the widened column was is noted in the schema, and stays there when it grows. */
static void test_type_widening(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    silver_put_table(
        &table, &(ForeignTable){
                    .protocol = "{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":["
                                "\"typeWidening\"],\"writerFeatures\":[\"typeWidening\"]}",
                    .fields = "[" FIELD("id", "long",
                                        "\"delta.typeChanges\":[{\"fromType\":\"integer\",\"toType\":\"long\"}]") "]"});
    g_autoptr(Harness) h = silver_sink_new(&table, "id int, more string");
    silver_write_rows(h, "events/0", 0, ROWS("[1, \"x\"]"));
    harness_commit(h, SF_COMMIT_END);
    g_autoptr(GPtrArray) meta = silver_actions(&table, 1, "metaData");
    g_assert_nonnull(
        strstr(delta_json_text(meta->pdata[0], "schemaString"), "\"delta.typeChanges\":[{\"fromType\":\"integer\""));
    g_autofree char *text = silver_text(&table, "id bigint, more string");
    g_assert_cmpstr(text, ==, "{\"id\":1,\"more\":\"x\"}");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delta-silver-sink/features/row ids follow each other", test_row_tracking);
    g_test_add_func("/delta-silver-sink/features/a clustered table has its statistics and its domain", test_clustering);
    g_test_add_func("/delta-silver-sink/features/type changes stay noted", test_type_widening);
    g_test_add_func("/delta-silver-sink/features/mapped columns have their physical names", test_column_mapping);
    g_test_add_func("/delta-silver-sink/features/a mapped table without names is refused", test_unmapped);
    g_test_add_func("/delta-silver-sink/features/constraints are asked of each row", test_constraints);
    g_test_add_func("/delta-silver-sink/features/constraints beyond us are refused", test_unknown_constraints);
    g_test_add_func("/delta-silver-sink/features/invariants are constraints", test_invariants);
    g_test_add_func("/delta-silver-sink/features/properties switch features on", test_properties);
    g_test_add_func("/delta-silver-sink/features/a table may be created with row tracking", test_created_tracked);
    g_test_add_func("/delta-silver-sink/features/values that no partition can have", test_partition_values);
    g_test_add_func("/delta-silver-sink/features/a table may be created with mapped columns", test_created_mapped);
    return g_test_run();
}
