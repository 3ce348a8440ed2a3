/* delta-silver-sink as a black box over a directory: what is in the table, its log and its checkpoints after each
 * step. */
#include "silver_table.h"

#include <glib/gstdio.h>

#define ROWS(...) (const char *const[]){__VA_ARGS__}, G_N_ELEMENTS(((const char *const[]){__VA_ARGS__}))

static void test_create(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint not null, name string");
    silver_write_rows(h, "events/0", 100, ROWS("[1, \"a\"]", "[2, null]"));
    silver_write_rows(h, "events/1", 7, ROWS("[3, \"c\"]"));
    g_assert_cmpint(silver_last_version(&table), ==, -1);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(silver_last_version(&table), ==, 0);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 102);
    g_assert_cmpint(harness_committed(h, 0, "events/1"), ==, 8);
    g_autofree char *text = silver_text(&table, "id bigint, name string");
    g_assert_cmpstr(text, ==, "{\"id\":1,\"name\":\"a\"}\n{\"id\":2,\"name\":null}\n{\"id\":3,\"name\":\"c\"}");
    g_autoptr(GPtrArray) meta = silver_actions(&table, 0, "metaData");
    g_assert_cmpstr(
        delta_json_text(meta->pdata[0], "schemaString"), ==,
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":false,\"metadata\":{}},"
        "{\"name\":\"name\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]}");
    g_autoptr(GPtrArray) adds = silver_actions(&table, 0, "add");
    g_assert_cmpuint(adds->len, ==, 1);
    g_assert_cmpstr(delta_json_text(adds->pdata[0], "stats"), ==,
                    "{\"numRecords\":3,\"minValues\":{\"id\":1,\"name\":\"a\"},\"maxValues\":{\"id\":3,\"name\":\"c\"},"
                    "\"nullCount\":{\"id\":0,\"name\":1}}");
    g_autoptr(GPtrArray) info = silver_actions(&table, 0, "commitInfo");
    json_object *metrics = delta_json_member(info->pdata[0], "operationMetrics", json_type_object);
    g_assert_cmpstr(delta_json_text(metrics, "numFiles"), ==, "1");
    g_assert_cmpstr(delta_json_text(metrics, "numOutputRows"), ==, "3");
    g_assert_cmpint(g_ascii_strtoll(delta_json_text(metrics, "numOutputBytes"), NULL, 10), ==,
                    json_object_get_int64(delta_json_member(adds->pdata[0], "size", json_type_int)));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(silver_last_version(&table), ==, 0);
}

static void test_recover(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, SF_POSITION_NONE);
    silver_write_rows(h, "events/0", 0, ROWS("[1]", "[2]"));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    silver_write_rows(h, "events/0", 2, ROWS("[3]"));
    /* What was not committed is gone, and comes again. */
    gint64 committed_ms = h->now_ms;
    h->now_ms += 60000;
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, 2);
    g_assert_cmpint(harness_known_ms(h, 0, "events/0"), ==, committed_ms);
    g_assert_cmpint(harness_recover(h, 0, "events/1"), ==, SF_POSITION_NONE);
    silver_write_rows(h, "events/0", 2, ROWS("[3]"));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *text = silver_text(&table, "id bigint");
    g_assert_cmpstr(text, ==, "{\"id\":1}\n{\"id\":2}\n{\"id\":3}");
}

static void test_partitions(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "partition_by: [day, place]\nmax_open_files: 2");
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint, day date, place string");
    silver_write_rows(h, "events/0", 0,
                      ROWS("[1, \"2024-01-15\", \"A/A %\"]", "[2, null, \"Ö st\"]", "[3, \"2024-01-15\", \"A/A %\"]",
                           "[4, \"2024-01-16\", \"\"]", "[5, \"2024-01-15\", \"😈\"]", "[6, null, \"Ö st\"]"));
    harness_commit(h, SF_COMMIT_END);
    g_autoptr(GPtrArray) adds = silver_actions(&table, 0, "add");
    g_autoptr(GPtrArray) seen = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < adds->len; i++) {
        g_autofree char *folder = g_path_get_dirname(delta_json_text(adds->pdata[i], "path"));
        json_object *values = delta_json_member(adds->pdata[i], "partitionValues", json_type_object);
        g_ptr_array_add(seen, g_strdup_printf("%s %s", folder,
                                              json_object_to_json_string_ext(
                                                  values, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
    }
    g_ptr_array_sort(seen, silver_compare_lines);
    g_ptr_array_add(seen, NULL);
    g_autofree char *text = g_strjoinv("\n", (char **) seen->pdata);
    /* Two files at once: the third partition closed the first, the second opened again. */
    g_assert_cmpstr(text, ==,
                    "day=2024-01-15/place=A%252FA%20%2525 {\"day\":\"2024-01-15\",\"place\":\"A/A %\"}\n"
                    "day=2024-01-15/place=😈 {\"day\":\"2024-01-15\",\"place\":\"😈\"}\n"
                    "day=2024-01-16/place=__HIVE_DEFAULT_PARTITION__ {\"day\":\"2024-01-16\",\"place\":null}\n"
                    "day=__HIVE_DEFAULT_PARTITION__/place=Ö%20st {\"day\":null,\"place\":\"Ö st\"}\n"
                    "day=__HIVE_DEFAULT_PARTITION__/place=Ö%20st {\"day\":null,\"place\":\"Ö st\"}");
    g_autofree char *rows = silver_text(&table, "id bigint, day date");
    g_assert_cmpstr(rows, ==,
                    "{\"id\":1,\"day\":null}\n{\"id\":2,\"day\":null}\n{\"id\":3,\"day\":null}\n"
                    "{\"id\":4,\"day\":null}\n{\"id\":5,\"day\":null}\n{\"id\":6,\"day\":null}");
}

/* Values of partitions that together are longer than a key may be stop nothing: directories are only for people. */
static void test_long_partitions(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "partition_by: [a, b, c, d, e, f]");
    g_autoptr(Harness) h =
        silver_sink_new(&table, "id bigint, a string, b string, c string, d string, e string, f string");
    g_autofree char *value = g_strnfill(190, 'x');
    g_autofree char *row = g_strdup_printf("[1, \"%s\", \"%s\", \"%s\", \"%s\", \"%s\", \"%s\"]", value, value, value,
                                           value, value, value);
    const char *json = row;
    silver_write_rows(h, "events/0", 0, &json, 1);
    harness_commit(h, SF_COMMIT_END);
    g_autoptr(GPtrArray) adds = silver_actions(&table, 0, "add");
    json_object *values = delta_json_member(adds->pdata[0], "partitionValues", json_type_object);
    g_assert_cmpstr(delta_json_text(values, "f"), ==, value);
    g_assert_true(g_str_has_prefix(delta_json_text(adds->pdata[0], "path"), "part-00000-"));
    g_autofree char *text = silver_text(&table, "id bigint");
    g_assert_cmpstr(text, ==, "{\"id\":1}");
}

static void test_evolve(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    g_autoptr(Harness) old = silver_sink_new(&table, "id bigint, name string");
    silver_write_rows(old, "events/0", 0, ROWS("[1, \"a\"]"));
    harness_commit(old, SF_COMMIT_END);
    g_autoptr(Harness) h =
        silver_sink_new(&table, "name string, ID bigint, more struct<x int not null>, n int not null");
    silver_write_rows(h, "events/0", 1, ROWS("[\"b\", 2, {\"x\": 5}, 6]"));
    harness_commit(h, SF_COMMIT_END);
    g_autoptr(GPtrArray) meta = silver_actions(&table, 1, "metaData");
    g_assert_cmpuint(meta->len, ==, 1);
    g_assert_cmpstr(
        delta_json_text(meta->pdata[0], "schemaString"), ==,
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},"
        "{\"name\":\"name\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}},"
        "{\"name\":\"more\",\"type\":{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",\"type\":\"integer\","
        "\"nullable\":true,"
        "\"metadata\":{}}]},\"nullable\":true,\"metadata\":{}},"
        "{\"name\":\"n\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{}}]}");
    g_autofree char *text = silver_text(&table, "id bigint, name string, more struct<x int>, n int");
    g_assert_cmpstr(
        text, ==,
        "{\"id\":1,\"name\":\"a\",\"more\":null,\"n\":null}\n{\"id\":2,\"name\":\"b\",\"more\":{\"x\":5},\"n\":6}");
    silver_write_rows(h, "events/0", 2, ROWS("[\"c\", 3, null, 7]"));
    harness_commit(h, SF_COMMIT_END);
    g_autoptr(GPtrArray) again = silver_actions(&table, 2, "metaData");
    g_assert_cmpuint(again->len, ==, 0);
}

static void refuse(const char *options, const char *schema, const SilverTable *table, const char *message)
{
    g_autofree char *all = g_strdup_printf("url: file://%s/t\n%s", table->dir, options);
    g_autoptr(Harness) h = harness_new("delta-silver-sink", all);
    harness_input_text(h, "sales", schema);
    SfStatus status = harness_try_bind(h);
    if (status == SF_OK)
        status = harness_try_open(h);
    g_assert_cmpint(status, ==, SF_CONFIG);
    g_autofree char *expected = g_strdup_printf(message, table->dir);
    g_assert_cmpstr(h->err.message, ==, expected);
}

static void test_refusals(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "partition_by: day");
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint not null, day date");
    silver_write_rows(h, "events/0", 0, ROWS("[1, null]"));
    harness_commit(h, SF_COMMIT_END);
    refuse("", "id string, day date", &table,
           "file://%s/t: column 'id' is long in the table, but string in the rows; cast it, or write to another table");
    refuse("merge_schema: false", "id bigint, day date, new int", &table,
           "file://%s/t: column 'new' is not in the table; allow 'merge_schema', or leave it out");
    refuse("", "day date", &table, "file://%s/t: column 'id' is not null in the table, but the rows do not have it");
    refuse(
        "partition_by: [id]", "id bigint, day date", &table,
        "partition_by differs from file://%s/t, which is partitioned by [day]; a table's partitioning cannot change");
    refuse("partition_by: [dya]", "id bigint, day date", &table,
           "partition_by: there is no column 'dya' in the rows (a table that is there keeps its own partitioning "
           "without the option)");
    refuse("partition_by: [dya, id, ID, nor]\ntable_properties: {delta.enableX: true, delta.y: z}",
           "id bigint, day date, a list<int>", &table,
           "table property 'delta.enableX: true' needs a feature that this sink does not have, or is unknown\n"
           "table property 'delta.y: z' needs a feature that this sink does not have, or is unknown\n"
           "partition_by: there is no column 'dya' in the rows (a table that is there keeps its own partitioning "
           "without the option)\n"
           "partition_by: column 'ID' is there twice\n"
           "partition_by: there is no column 'nor' in the rows (a table that is there keeps its own partitioning "
           "without the option)");
    refuse("", "a list<int>, b struct<c int>", &table,
           "file://%s/t: column 'id' is not null in the table, but the rows do not have it");
    refuse("table_properties: {delta.enableIcebergCompatV2: true}", "id bigint, day date", &table,
           "table property 'delta.enableIcebergCompatV2: true' needs a feature that this sink does not have, or is "
           "unknown");
}

static void test_not_null(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    g_autoptr(Harness) old = silver_sink_new(&table, "id bigint not null, name string");
    silver_write_rows(old, "events/0", 0, ROWS("[1, \"a\"]"));
    harness_commit(old, SF_COMMIT_END);
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint, name string");
    silver_write_rows(h, "events/0", 1, ROWS("[2, \"b\"]", "[null, \"c\"]", "[4, null]"));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpstr(harness_rejects(h), ==, "events/0@2: id: null, but the table's column is not null");
    g_assert_cmpuint(h->settled, ==, 1);
    g_autofree char *text = silver_text(&table, "id bigint not null, name string");
    g_assert_cmpstr(text, ==, "{\"id\":1,\"name\":\"a\"}\n{\"id\":2,\"name\":\"b\"}\n{\"id\":4,\"name\":null}");
}

/* Two sinks of other pipelines' splits share a table: the loser rebases. */
static void test_conflict(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    g_autoptr(Harness) a = silver_sink_new(&table, "id bigint");
    g_autoptr(Harness) b = silver_sink_new(&table, "id bigint, extra string");
    silver_write_rows(a, "events/0", 0, ROWS("[1]"));
    silver_write_rows(b, "events/1", 0, ROWS("[2, \"x\"]"));
    harness_commit(a, SF_COMMIT_CHECKPOINT);
    harness_commit(b, SF_COMMIT_CHECKPOINT);
    silver_write_rows(a, "events/0", 1, ROWS("[3]"));
    harness_commit(a, SF_COMMIT_CHECKPOINT);
    silver_write_rows(b, "events/1", 1, ROWS("[4, \"y\"]"));
    harness_commit(b, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(silver_last_version(&table), ==, 3);
    g_autofree char *text = silver_text(&table, "id bigint, extra string");
    g_assert_cmpstr(
        text, ==,
        "{\"id\":1,\"extra\":null}\n{\"id\":2,\"extra\":\"x\"}\n{\"id\":3,\"extra\":null}\n{\"id\":4,\"extra\":\"y\"}");
}

static void test_fenced(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    g_autoptr(Harness) a = silver_sink_new(&table, "id bigint");
    g_autoptr(Harness) b = silver_sink_new(&table, "id bigint");
    silver_write_rows(a, "events/0", 0, ROWS("[1]", "[2]"));
    silver_write_rows(b, "events/0", 0, ROWS("[1]"));
    harness_commit(a, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(harness_try_commit(b, SF_COMMIT_CHECKPOINT), ==, SF_FENCED);
    g_assert_true(g_str_has_suffix(b->err.message, "events/0 to 2 (from -1 here)"));
    harness_reopen(b);
    g_assert_cmpint(harness_recover(b, 0, "events/0"), ==, 2);
    g_autofree char *text = silver_text(&table, "id bigint");
    g_assert_cmpstr(text, ==, "{\"id\":1}\n{\"id\":2}");
}

/* Files that were closed name their partition columns as the table did then. */
static void test_renamed_partition(void)
{
    static const char *const renamed =
        "{\"metaData\":{\"id\":\"x\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":\"{"
        "\\\"type\\\":\\\"struct\\\",\\\"fields\\\":["
        "{\\\"name\\\":\\\"id\\\",\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}},"
        "{\\\"name\\\":\\\"P\\\",\\\"type\\\":\\\"string\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\","
        "\"partitionColumns\":[\"P\"],\"configuration\":{}}}\n";
    g_auto(SilverTable) table = {0};
    silver_init(&table, "partition_by: [p]");
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint, p string");
    silver_write_rows(h, "events/0", 0, ROWS("[1, \"a\"]"));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    silver_write_rows(h, "events/0", 1, ROWS("[2, \"a\"]"));
    g_autofree char *path = silver_log_path(&table, 1);
    g_assert_true(g_file_set_contents(path, renamed, -1, NULL));
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_FENCED);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, 1);
    silver_write_rows(h, "events/0", 1, ROWS("[2, \"a\"]"));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_autoptr(GPtrArray) adds = silver_actions(&table, 2, "add");
    json_object *values = delta_json_member(adds->pdata[0], "partitionValues", json_type_object);
    g_assert_cmpstr(delta_json_text(values, "P"), ==, "a");
}

/* Another table in the same place, or a log that has been cleaned since: the next version there is not ours. */
static void test_replaced(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    for (int i = 0; i < 2; i++) {
        silver_write_rows(h, "events/0", i, ROWS("[1]"));
        harness_commit(h, SF_COMMIT_CHECKPOINT);
    }
    for (int i = 0; i < 2; i++) {
        g_autofree char *path = silver_log_path(&table, i);
        g_assert_cmpint(g_remove(path), ==, 0);
    }
    silver_write_rows(h, "events/0", 2, ROWS("[3]"));
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_FENCED);
    g_assert_true(g_str_has_suffix(h->err.message, "version 1 is missing; the table was created anew, or its log was "
                                                   "cleaned since"));
    g_assert_cmpint(silver_last_version(&table), ==, -1);
    g_autoptr(Harness) again = silver_sink_new(&table, "id bigint");
    g_assert_cmpint(harness_recover(again, 0, "events/0"), ==, SF_POSITION_NONE);
    silver_write_rows(again, "events/0", 0, ROWS("[1]"));
    harness_commit(again, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(silver_last_version(&table), ==, 0);
}

static void refuse_table(const char *columns, const char *message)
{
    g_autofree char *log = g_strdup_printf(
        "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
        "{\"metaData\":{\"id\":\"x\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":\"{"
        "\\\"type\\\":\\\"struct\\\",\\\"fields\\\":["
        "{\\\"name\\\":\\\"id\\\",\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\","
        "\"partitionColumns\":%s,\"configuration\":{}}}\n",
        columns);
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    g_autofree char *path = silver_log_path(&table, 0);
    g_autofree char *folder = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0777), ==, 0);
    g_assert_true(g_file_set_contents(path, log, -1, NULL));
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    g_assert_cmpint(harness_try_bind(h), ==, SF_OK);
    g_assert_cmpint(harness_try_open(h), ==, SF_FATAL);
    g_assert_true(g_str_has_suffix(h->err.message, message));
}

static void test_broken_partitions(void)
{
    refuse_table("[null]", "t: the table is partitioned by 'null', which its schema does not have");
    refuse_table("[\"ghost\"]", "t: the table is partitioned by 'ghost', which its schema does not have");
}

/* Positions that move without rows are not worth a commit each. */
static void test_holes(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "");
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    silver_write_rows(h, "events/0", 0, ROWS("[1]"));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    for (int i = 0; i < 40; i++) {
        const SfBatch *empty = harness_rows(h, 0, "events/0", 1 + i, NULL, 0);
        harness_write(h, 0, harness_with_range(h, empty, 1 + i, 2 + i));
        harness_try_commit(h, SF_COMMIT_CHECKPOINT);
    }
    g_assert_cmpint(silver_last_version(&table), ==, 1);
    harness_commit(h, SF_COMMIT_REVOKE);
    g_assert_cmpint(silver_last_version(&table), ==, 2);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 41);
    g_autoptr(GPtrArray) adds = silver_actions(&table, 2, "add");
    g_autoptr(GPtrArray) txns = silver_actions(&table, 2, "txn");
    g_assert_cmpuint(adds->len, ==, 0);
    g_assert_cmpuint(txns->len, ==, 1);
}

/* Readers need no commit before a checkpoint: positions and files are in it. */
static void test_checkpoint(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "table_properties: {delta.checkpointInterval: 4}\npartition_by: [p]");
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint, p string");
    gint64 next[2] = {0};
    for (int i = 0; i < 10; i++) {
        g_autofree char *row = g_strdup_printf("[%d, \"p%d\"]", i, i % 2);
        const char *json = row;
        silver_write_rows(h, i % 3 ? "events/0" : "events/1", next[i % 3 == 0]++, &json, 1);
        harness_commit(h, SF_COMMIT_CHECKPOINT);
    }
    g_assert_cmpstr(harness_logs(h), ==, "");
    for (gint64 version = 0; version <= 7; version++) {
        g_autofree char *path = silver_log_path(&table, version);
        g_assert_cmpint(g_remove(path), ==, 0);
    }
    g_autofree char *older = g_strdup_printf("%s/t/_delta_log/%020d.checkpoint.parquet", table.dir, 4);
    g_assert_cmpint(g_remove(older), ==, 0);
    g_autofree char *newest = g_strdup_printf("%s/t/_delta_log/%020d.checkpoint.parquet", table.dir, 8);
    char *data;
    gsize size;
    g_assert_true(g_file_get_contents(newest, &data, &size, NULL));
    g_autoptr(GBytes) file = g_bytes_new_take(data, size);
    SfError err = {0};
    struct ArrowSchema schema;
    struct ArrowArray rows;
    rows_schema(
        "add struct<path string, size bigint, dataChange bool, stats string>, txn struct<appId string, version bigint>",
        &schema);
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, &schema, &err);
    g_assert_cmpint(parquet_reader_next(reader, 100, &rows, &err), ==, SF_OK);
    g_assert_cmpint(rows.length, ==, 2 + 2 + 9);
    sf_array_done(&rows);
    sf_schema_done(&schema);
    g_autofree char *hint = g_strdup_printf("%s/t/_delta_log/_last_checkpoint", table.dir);
    g_assert_true(g_file_get_contents(hint, &data, &size, NULL));
    g_assert_true(g_str_has_prefix(data, "{\"version\":8,\"size\":13,"));
    g_assert_true(g_str_has_suffix(data, "\"numOfAddFiles\":9}"));
    g_free(data);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, 6);
    g_assert_cmpint(harness_recover(h, 0, "events/1"), ==, 4);
    /* Without the hint too, and with a hint to nowhere. */
    g_remove(hint);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/1"), ==, 4);
    g_assert_true(g_file_set_contents(hint, "{\"version\":99}", -1, NULL));
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/1"), ==, 4);
}

static void test_big_files(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "target_file_size: 4KiB\ncompression: zstd");
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint, name string");
    g_autoptr(GPtrArray) json = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < 3000; i++)
        g_ptr_array_add(json, g_strdup_printf("[%d, \"%08x\"]", i, (guint) i * 2654435761u));
    for (int i = 0; i < 3; i++)
        silver_write_rows(h, "events/0", 1000 * i, (const char *const *) json->pdata + 1000 * i, 1000);
    g_assert_cmpint(h->charged, >, 4096);
    harness_commit(h, SF_COMMIT_MEMORY);
    g_assert_cmpint(h->charged, ==, 0);
    g_autoptr(GPtrArray) adds = silver_actions(&table, 0, "add");
    g_assert_cmpuint(adds->len, ==, 3);
    g_autofree char *text = silver_text(&table, "id bigint");
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 3000);
}

static void test_fault_points(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "checkpoint_interval: 1");
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    silver_write_rows(h, "events/0", 0, ROWS("[1]"));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    silver_write_rows(h, "events/0", 1, ROWS("[2]"));
    harness_forget(h);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
#ifdef SF_FAULTS
    g_assert_cmpstr(harness_faults(h), ==,
                    "silver-data silver-commit silver-committed silver-checkpoint silver-last-checkpoint");
#endif
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delta-silver-sink/the first commit creates the table", test_create);
    g_test_add_func("/delta-silver-sink/positions are in the log", test_recover);
    g_test_add_func("/delta-silver-sink/partitions have escaped directories and true values", test_partitions);
    g_test_add_func("/delta-silver-sink/long values of many partition columns stop nothing", test_long_partitions);
    g_test_add_func("/delta-silver-sink/new columns come at the end, with the rows", test_evolve);
    g_test_add_func("/delta-silver-sink/what cannot be is refused with names", test_refusals);
    g_test_add_func("/delta-silver-sink/rows that lack a needed value are rejects", test_not_null);
    g_test_add_func("/delta-silver-sink/a lost version is made again on top", test_conflict);
    g_test_add_func("/delta-silver-sink/another process on the same split fences", test_fenced);
    g_test_add_func("/delta-silver-sink/a partition column that is renamed ends the attempt", test_renamed_partition);
    g_test_add_func("/delta-silver-sink/a log that went away takes no commit", test_replaced);
    g_test_add_func("/delta-silver-sink/partition columns that are none are refused", test_broken_partitions);
    g_test_add_func("/delta-silver-sink/holes are recorded now and then", test_holes);
    g_test_add_func("/delta-silver-sink/a checkpoint stands for all before it", test_checkpoint);
    g_test_add_func("/delta-silver-sink/files close at their target size", test_big_files);
    g_test_add_func("/delta-silver-sink/side effects have fault points between them", test_fault_points);
    return g_test_run();
}
