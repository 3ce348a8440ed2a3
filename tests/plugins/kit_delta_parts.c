/* Parts of the Delta kit by themselves: what a protocol implies, how files are stored, what a checkpoint keeps. */
#include "delta_place.h"

/* PROTOCOL.md, "Valid Feature Names in Table Features": the writer versions that stand for features. */
static void test_implied(void)
{
    static const struct {
        const char *feature;
        int version;
    } rows[] = {{"appendOnly", 2},       {"invariants", 2},    {"checkConstraints", 3}, {"changeDataFeed", 4},
                {"generatedColumns", 4}, {"columnMapping", 5}, {"identityColumns", 6}};
    for (int version = 1; version <= 7; version++) {
        g_auto(Place) place = {0};
        place_init(&place);
        g_autofree char *protocol = g_strdup_printf(
            "{\"protocol\":{\"minReaderVersion\":%d,\"minWriterVersion\":%d%s}}\n", version == 7 ? 3 : 1, version,
            version == 7 ? ",\"readerFeatures\":[],\"writerFeatures\":[\"appendOnly\",\"domainMetadata\"]" : "");
        g_autofree char *commit = g_strconcat(protocol, METADATA, NULL);
        place_put_commit(&place, 0, commit);
        place_loads(&place, 0);
        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
            bool expected = version == 7 ? i == 0 : version >= rows[i].version;
            g_assert_cmpint(delta_log_supports(place.log, rows[i].feature), ==, expected);
        }
        g_assert_cmpint(delta_log_supports(place.log, "domainMetadata"), ==, version == 7);
    }
}

static void test_hints(void)
{
    struct ArrowSchema schema;
    ParquetHint inner = {.as = PARQUET_AS_INT8}, same = inner, other = {.as = PARQUET_AS_INT16};
    const ParquetHint base[] = {{.field_id = 1, .pad = 2}, {.children = &inner}};
    const struct {
        ParquetHint hints[2];
        bool equal;
    } cases[] = {
        {{{.field_id = 1, .pad = 2}, {.children = &same}}, true},
        {{{.field_id = 2, .pad = 2}, {.children = &same}}, false},
        {{{.field_id = 1, .pad = 3}, {.children = &same}}, false},
        {{{.field_id = 1, .pad = 2, .as = PARQUET_AS_LOCAL_TIME}, {.children = &same}}, false},
        {{{.field_id = 1, .pad = 2}, {.children = &other}}, false},
        {{{.field_id = 1, .pad = 2}, {0}}, false},
        {{{.field_id = 1, .pad = 2}, {.children = &same, .field_id = 1}}, false},
    };
    rows_schema("a string, b struct<c int>", &schema);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpint(delta_hints_equal(&schema, base, cases[i].hints), ==, cases[i].equal);
        g_assert_cmpint(delta_hints_equal(&schema, cases[i].hints, base), ==, cases[i].equal);
    }
    g_assert_true(delta_hints_equal(&schema, NULL, NULL));
    g_assert_false(delta_hints_equal(&schema, base, NULL));
    g_assert_false(delta_hints_equal(&schema, NULL, base));
    sf_schema_done(&schema);
}

static GBytes *checkpoint_of(const Place *place, gint64 version)
{
    g_autofree char *path =
        g_strdup_printf("%s/_delta_log/%020" G_GINT64_FORMAT ".checkpoint.parquet", place->dir, version);
    char *data;
    gsize size;
    g_assert_true(g_file_get_contents(path, &data, &size, NULL));
    return g_bytes_new_take(data, size);
}

static gint by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Rows of a checkpoint by these columns, sorted, those that are null in all of them left out. */
static char *checkpoint_rows(const Place *place, gint64 version, const char *columns, const char *nothing)
{
    SfError err = {0};
    struct ArrowSchema schema;
    struct ArrowArray rows;
    g_autoptr(GBytes) file = checkpoint_of(place, version);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    rows_schema(columns, &schema);
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, &schema, &err);
    g_assert_cmpstr(err.message, ==, "");
    while (parquet_reader_next(reader, 100, &rows, &err) == SF_OK) {
        for (gint64 row = 0; row < rows.length; row++) {
            g_autofree char *text = rows_text(&schema, &rows, row);
            if (strcmp(text, nothing) != 0)
                g_ptr_array_add(texts, g_steal_pointer(&text));
        }
        sf_array_done(&rows);
    }
    sf_schema_done(&schema);
    g_ptr_array_sort(texts, by_text);
    g_ptr_array_add(texts, NULL);
    return g_strjoinv(" ", (char **) texts->pdata);
}

static void write_checkpoint(const Place *place)
{
    SfError err = {0};
    g_assert_cmpint(delta_checkpoint_write(place->log, &err), ==, SF_OK);
    g_assert_cmpstr(err.message, ==, "");
}

#define STRUCTS                                                                                                        \
    "{\"metaData\":{\"id\":\"x\",\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":"       \
    "\\\"id\\\",\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\",\"partitionColumns\":[],"     \
    "\"configuration\":{\"delta.checkpoint.writeStatsAsStruct\":\"true\"}}}\n"

/* Files without statistics, removes and domains of a checkpoint with texts go on into one with structs, which has a
 * column more. */
static void test_kept(void)
{
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *removed = g_strdup_printf("{\"remove\":{\"path\":\"gone\",\"deletionTimestamp\":%" G_GINT64_FORMAT
                                               ",\"dataChange\":true}}\n",
                                               g_get_real_time() / 1000);
    g_autofree char *first =
        g_strconcat(PROTOCOL, METADATA, ADD("one"), ADD("two"), ADD("gone"),
                    "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"{}\",\"removed\":false}}\n", NULL);
    place_put_commit(&place, 0, first);
    place_put_commit(&place, 1, removed);
    place_loads(&place, 1);
    write_checkpoint(&place);
    place_put_commit(&place, 2, STRUCTS ADD("three"));
    place_loads(&place, 2);
    write_checkpoint(&place);
    for (gint64 version = 2; version <= 3; version++) {
        g_autofree char *adds = checkpoint_rows(&place, version, "add struct<path string>", "{\"add\":null}");
        g_autofree char *removes = checkpoint_rows(&place, version, "remove struct<path string>", "{\"remove\":null}");
        g_autofree char *domains =
            checkpoint_rows(&place, version, "domainMetadata struct<domain string>", "{\"domainMetadata\":null}");
        g_assert_cmpstr(adds, ==,
                        "{\"add\":{\"path\":\"one\"}} {\"add\":{\"path\":\"three\"}} {\"add\":{\"path\":\"two\"}}");
        g_assert_cmpstr(removes, ==, "{\"remove\":{\"path\":\"gone\"}}");
        g_assert_cmpstr(domains, ==, "{\"domainMetadata\":{\"domain\":\"d\"}}");
        if (version == 2) {
            place_put_commit(&place, 3, TXN("a", 1));
            place_loads(&place, 3);
            write_checkpoint(&place);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delta/parts/versions stand for features", test_implied);
    g_test_add_func("/delta/parts/files are stored alike or not", test_hints);
    g_test_add_func("/delta/parts/a checkpoint keeps what has no statistics", test_kept);
    return g_test_run();
}
