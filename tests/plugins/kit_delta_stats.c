/* Statistics of files through checkpoints: as texts, as structs, and from one to the other. */
#include "delta_place.h"

#include <glib/gstdio.h>

#define BOUNDS "struct<i int, f double, d decimal(10,2), s string, day date, t timestamp, st struct<l bigint>>"
#define STATS                                                                                                          \
    "struct<numRecords bigint, minValues " BOUNDS ", maxValues " BOUNDS                                                \
    ", nullCount struct<i bigint, b bigint, a bigint, st struct<l bigint>>>"
#define TEXT                                                                                                           \
    "{\"numRecords\":3,\"minValues\":{\"i\":-1,\"f\":-0.5,\"d\":-12.50,\"s\":\"ä\",\"day\":\"1582-10-04\","           \
    "\"t\":\"1969-12-31T23:59:59.999000Z\",\"st\":{\"l\":-9223372036854775808}},"                                      \
    "\"maxValues\":{\"i\":2147483647,\"f\":1e+300,\"d\":12345678.90,\"s\":\"😈\",\"day\":\"9999-12-31\","            \
    "\"t\":\"2024-01-15T10:30:01.500000Z\",\"st\":{\"l\":9223372036854775807}},"                                       \
    "\"nullCount\":{\"i\":0,\"b\":3,\"a\":1,\"st\":{\"l\":2}}}"

static char *table_line(const char *property)
{
    static const char *const columns[][2] = {
        {"i", "\"integer\""},
        {"f", "\"double\""},
        {"d", "\"decimal(10,2)\""},
        {"s", "\"string\""},
        {"day", "\"date\""},
        {"t", "\"timestamp\""},
        {"b", "\"boolean\""},
        {"p", "\"string\""},
        {"a", "{\"type\":\"array\",\"elementType\":\"string\",\"containsNull\":true}"},
        {"st", "{\"type\":\"struct\",\"fields\":[{\"name\":\"l\",\"type\":\"long\",\"nullable\":true}]}"}};
    g_autoptr(GString) schema = g_string_new("{\"type\":\"struct\",\"fields\":[");
    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
        g_string_append_printf(schema, "%s{\"name\":\"%s\",\"type\":%s,\"nullable\":true,\"metadata\":{}}",
                               i > 0 ? "," : "", columns[i][0], columns[i][1]);
    g_string_append(schema, "]}");
    g_autoptr(json_object) text = json_object_new_string(schema->str);
    return g_strdup_printf("{\"metaData\":{\"id\":\"x\",\"schemaString\":%s,\"partitionColumns\":[\"p\"],"
                           "\"configuration\":{%s}}}\n",
                           json_object_to_json_string_ext(text, JSON_C_TO_STRING_PLAIN), property);
}

static char *checkpoint_path(const Place *place, gint64 version)
{
    return g_strdup_printf("%s/_delta_log/%020" G_GINT64_FORMAT ".checkpoint.parquet", place->dir, version);
}

/* The rows of adds by these columns, joined. */
static char *adds_of(const Place *place, gint64 version, const char *columns)
{
    g_autofree char *path = checkpoint_path(place, version);
    char *data;
    gsize size;
    SfError err = {0};
    struct ArrowSchema schema;
    struct ArrowArray rows;
    g_assert_true(g_file_get_contents(path, &data, &size, NULL));
    g_autoptr(GBytes) file = g_bytes_new_take(data, size);
    rows_schema(columns, &schema);
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, &schema, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpint(parquet_reader_next(reader, 1000, &rows, &err), ==, SF_OK);
    g_autoptr(GString) out = g_string_new(NULL);
    for (gint64 row = 0; row < rows.length; row++) {
        g_autofree char *text = rows_text(&schema, &rows, row);
        if (strcmp(text, "{\"add\":null}") != 0)
            g_string_append_printf(out, "%s\n", text);
    }
    sf_array_done(&rows);
    sf_schema_done(&schema);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void checkpoint(const Place *place)
{
    SfError err = {0};
    SfStatus status = delta_checkpoint_write(place->log, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpint(status, ==, SF_OK);
}

static char *add_line(const char *path, const char *stats)
{
    g_autoptr(json_object) line = json_tokener_parse("{\"add\":{\"partitionValues\":{\"p\":null},\"size\":1}}");
    json_object *add = delta_json_member(line, "add", json_type_object);
    json_object_object_add(add, "path", json_object_new_string(path));
    if (stats)
        json_object_object_add(add, "stats", json_object_new_string(stats));
    return g_strdup_printf("%s\n", json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
}

/* Written where the table wants it: from commits, and from checkpoints that have texts only. */
static void test_written(void)
{
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *first = add_line("one", TEXT);
    g_autofree char *second =
        add_line("two", "{\"numRecords\":1,\"minValues\":{\"i\":\"x\",\"f\":\"NaN\",\"d\":1e3,\"day\":\"2024-02-30\","
                        "\"t\":\"yesterday\"},\"maxValues\":{\"f\":10000000000000000000000000,"
                        "\"d\":99999999999999999999}}");
    g_autofree char *third = add_line("three", NULL);
    g_autofree char *table = table_line("");
    g_autofree char *changed = table_line("\"delta.checkpoint.writeStatsAsStruct\":\"true\"");
    g_autofree char *text = g_strconcat(PROTOCOL, table, first, NULL);
    place_put_commit(&place, 0, text);
    place_loads(&place, 0);
    checkpoint(&place);
    g_autofree char *more = g_strconcat(changed, second, third, NULL);
    place_put_commit(&place, 1, more);
    place_loads(&place, 1);
    checkpoint(&place);
    g_autofree char *adds = adds_of(&place, 1, "add struct<path string, stats_parsed " STATS ">");
    g_auto(GStrv) lines = g_strsplit(adds, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 4);
    g_assert_nonnull(strstr(lines[0],
                            "\"path\":\"two\",\"stats_parsed\":{\"numRecords\":1,\"minValues\":{\"i\":null,\"f\":null,"
                            "\"d\":null,\"s\":null,\"day\":null,\"t\":null"));
    g_assert_nonnull(strstr(lines[0], "\"maxValues\":{\"i\":null,\"f\":null,\"d\":null,")); /* beyond 64 bits */
    g_assert_cmpstr(lines[1], ==, "{\"add\":{\"path\":\"three\",\"stats_parsed\":null}}");
    g_assert_cmpstr(lines[2], ==, "{\"add\":{\"path\":\"one\",\"stats_parsed\":" TEXT "}}");
}

/* A checkpoint with structs only, as writeStatsAsJson=false makes it: the next one has the texts. */
static void test_converted(void)
{
    static const char *const columns =
        "protocol struct<minReaderVersion int, minWriterVersion int>, metaData struct<id string, schemaString string>, "
        "add struct<path string, size bigint, stats_parsed " STATS ">";
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *table = table_line("");
    g_autofree char *first = g_strconcat(PROTOCOL, table, NULL);
    place_put_commit(&place, 0, first);
    place_loads(&place, 0);
    g_autoptr(json_object) schema_text = json_object_new_string(delta_json_text(place.log->metadata, "schemaString"));
    g_autofree char *state =
        g_strdup_printf("[{\"minReaderVersion\":1,\"minWriterVersion\":2}, {\"id\":\"x\",\"schemaString\":%s}, null]",
                        json_object_to_json_string_ext(schema_text, JSON_C_TO_STRING_PLAIN));
    const char *json[] = {state, "[null, null, {\"path\": \"one\", \"size\": 1, \"stats_parsed\": " TEXT "}]",
                          "[null, null, {\"path\": \"two\", \"size\": 1, \"stats_parsed\": null}]"};
    struct ArrowSchema schema;
    struct ArrowArray rows;
    SfError err = {0};
    rows_schema(columns, &schema);
    rows_from_json(&schema, json, G_N_ELEMENTS(json), &rows);
    g_autoptr(ParquetWriter) writer = parquet_writer_new(&schema, &(ParquetOptions){.codec = PARQUET_SNAPPY}, &err);
    g_assert_cmpint(
        parquet_writer_add(writer, (const struct ArrowArray *const *) rows.children, 0, NULL, rows.length, &err), ==,
        SF_OK);
    g_autoptr(GBytes) file = NULL;
    g_assert_cmpint(parquet_writer_finish(writer, &file, &err), ==, SF_OK);
    sf_array_done(&rows);
    sf_schema_done(&schema);
    gsize size;
    const char *data = g_bytes_get_data(file, &size);
    place_put(&place, "_delta_log/00000000000000000000.checkpoint.parquet", data, (gssize) size);
    place_put_commit(&place, 1, TXN("a", 1));
    place_loads(&place, 1);
    g_assert_cmpint(place.log->checkpoint, ==, 0);
    checkpoint(&place);
    g_autofree char *adds = adds_of(&place, 1, "add struct<path string, stats string>");
    g_autoptr(json_object) text = json_object_new_string(TEXT);
    g_autofree char *expected =
        g_strdup_printf("{\"add\":{\"path\":\"one\",\"stats\":%s}}\n{\"add\":{\"path\":\"two\",\"stats\":null}}\n",
                        json_object_to_json_string_ext(text, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    g_auto(GStrv) lines = g_strsplit(adds, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 3);
    g_autofree char *sorted = g_strcmp0(lines[0], lines[1]) < 0 ? g_strdup_printf("%s\n%s\n", lines[0], lines[1])
                                                                : g_strdup_printf("%s\n%s\n", lines[1], lines[0]);
    g_assert_cmpstr(sorted, ==, expected);
}

/* Structs alone, where the table says so: from commits, and from a checkpoint that had both; a file without any stays
 * without. */
static void test_structs_alone(void)
{
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *table = table_line("\"delta.checkpoint.writeStatsAsStruct\":\"true\"");
    g_autofree char *changed = table_line("\"delta.checkpoint.writeStatsAsJson\":\"false\"");
    g_autofree char *one = add_line("one", TEXT);
    g_autofree char *none = add_line("none", NULL);
    g_autofree char *two = add_line("two", TEXT);
    g_autofree char *broken = add_line("broken", "no JSON");
    g_autofree char *first = g_strconcat(PROTOCOL, table, one, none, NULL);
    g_autofree char *second = g_strconcat(changed, two, broken, NULL);
    place_put_commit(&place, 0, first);
    place_loads(&place, 0);
    checkpoint(&place);
    place_put_commit(&place, 1, second);
    for (gint64 version = 1; version <= 2; version++) { /* the second time from one that has structs alone */
        place_loads(&place, version);
        checkpoint(&place);
        g_autofree char *adds =
            adds_of(&place, version, "add struct<path string, stats string, stats_parsed " STATS ">");
        for (int i = 0; i < 2; i++) {
            g_autofree char *line = g_strdup_printf("{\"add\":{\"path\":\"%s\",\"stats\":null,\"stats_parsed\":%s}}\n",
                                                    i ? "two" : "one", TEXT);
            g_assert_nonnull(strstr(adds, line));
        }
        g_assert_nonnull(strstr(adds, "{\"add\":{\"path\":\"none\",\"stats\":null,\"stats_parsed\":null}}\n"));
        g_assert_nonnull(strstr(adds, "{\"add\":{\"path\":\"broken\",\"stats\":\"no JSON\",\"stats_parsed\":null}}\n"));
        place_put_commit(&place, 2, TXN("a", 1));
    }
}

/* A table whose statistics no schema of ours can hold: they stay texts, whatever the table wants. */
static void test_too_deep(void)
{
    g_auto(Place) place = {0};
    place_init(&place);
    g_autoptr(GString) type = g_string_new("\"long\"");
    for (int i = 0; i < 100; i++) {
        g_string_prepend(type, "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":");
        g_string_append(type, ",\"nullable\":true,\"metadata\":{}}]}");
    }
    g_autoptr(json_object) text = json_object_new_string(type->str);
    g_autofree char *table =
        g_strdup_printf("{\"metaData\":{\"id\":\"x\",\"schemaString\":%s,\"partitionColumns\":[],\"configuration\":{"
                        "\"delta.checkpoint.writeStatsAsJson\":\"false\"}}}\n",
                        json_object_to_json_string_ext(text, JSON_C_TO_STRING_PLAIN));
    g_autofree char *add = add_line("one", "{\"numRecords\":1}");
    g_autofree char *first = g_strconcat(PROTOCOL, table, add, NULL);
    place_put_commit(&place, 0, first);
    for (gint64 version = 0; version < 2; version++) {
        place_loads(&place, version);
        checkpoint(&place);
        g_autofree char *adds = adds_of(&place, version, "add struct<path string, stats string>");
        g_assert_cmpstr(adds, ==, "{\"add\":{\"path\":\"one\",\"stats\":\"{\\\"numRecords\\\":1}\"}}\n");
        place_put_commit(&place, version + 1, TXN("a", 1));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delta/statistics/structs are written where they are wanted", test_written);
    g_test_add_func("/delta/statistics/structs become texts", test_converted);
    g_test_add_func("/delta/statistics/structs alone are written where they are wanted", test_structs_alone);
    g_test_add_func("/delta/statistics/a table too deep for structs keeps texts", test_too_deep);
    return g_test_run();
}
