/* Delta logs that nobody should have written: read as delta-rs reads them, or refused in bounded memory. */
#include "delta_place.h"

#include <glib/gstdio.h>

static void fails(const Place *place, SfStatus expected, const char *message)
{
    SfError err = {0};
    SfStatus status = delta_log_load(place->log, &err);
    if (status != expected || !strstr(err.message, message))
        g_error("'%s' is not in %s '%s'", message, sf_status_name(status), err.message);
}

static char *nested(int depth)
{
    g_autoptr(GString) text = g_string_new("{\"commitInfo\":{\"x\":");
    for (int i = 0; i < depth; i++)
        g_string_append_c(text, '[');
    for (int i = 0; i < depth; i++)
        g_string_append_c(text, ']');
    g_string_append(text, ",\"txnId\":\"deep\"}}\n");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_blanks(void)
{
    static const char *const commits[] = {
        "\n\n" PROTOCOL "\n  \t\n" METADATA "\r\n\n",
        "  {\"txn\" : {\"appId\":\"a\",\n\"version\":7}}\n" TXN("b", 8) "   ",
        "{\"txn\":{\"appId\":\"a\",\"version\":9}}{\"txn\":{\"appId\":\"b\",\"version\":10}}",
        "",
        "\n",
        "{\"txn\":{\"appId\":\"a\",\"version\":11},\"commitInfo\":{},\"unknown\":{\"add\":1}}"};
    g_auto(Place) place = {0};
    place_init(&place);
    for (gsize i = 0; i < G_N_ELEMENTS(commits); i++)
        place_put_commit(&place, (gint64) i, commits[i]);
    place_loads(&place, G_N_ELEMENTS(commits) - 1);
    g_assert_cmpint(delta_log_txn(place.log, "a"), ==, 11);
    g_assert_cmpint(delta_log_txn(place.log, "b"), ==, 10);
    SfError err = {0};
    g_assert_cmpint(delta_checkpoint_write(place.log, &err), ==, SF_OK); /* which reads them once more */
}

static void test_depth(void)
{
    g_auto(Place) place = {0};
    place_init(&place);
    place_put_commit(&place, 0, PROTOCOL METADATA);
    g_autofree char *deep = nested(120);
    place_put_commit(&place, 1, deep);
    place_loads(&place, 1);
    g_autofree char *deeper = nested(100000);
    place_put_commit(&place, 2, deeper);
    fails(&place, SF_FATAL, "00000000000000000002.json line 1: not a JSON object: nesting deeper than 1024");
}

/* json-c would take hundreds of bytes for each three of these. */
static void test_values(void)
{
    g_auto(Place) place = {0};
    place_init(&place);
    place_put_commit(&place, 0, PROTOCOL METADATA);
    g_autoptr(GString) bomb = g_string_new("{\"commitInfo\":{\"x\":[{}");
    for (int i = 0; i < 1000000; i++)
        g_string_append(bomb, ",{}");
    g_string_append(bomb, "]}}\n");
    place_put_commit(&place, 1, bomb->str);
    fails(&place, SF_FATAL, "00000000000000000001.json line 1: a JSON object has too many values");
    /* Of files a writer needs nothing: whatever their size. */
    g_string_overwrite_len(bomb, 0, "{\"add\"       ", 13);
    place_put_commit(&place, 1, bomb->str);
    place_loads(&place, 1);
    g_autoptr(GString) long_name = g_string_new("{\"txn\":{\"version\":1,\"appId\":\"");
    for (int i = 0; i < 5000; i++)
        g_string_append_c(long_name, 'a');
    g_string_append(long_name, "\"}}");
    place_put_commit(&place, 2, long_name->str);
    fails(&place, SF_FATAL, "line 1: a txn action with an appId of 5000 bytes");
}

/* A page that unpacks to more than any writer makes, and a value that a dictionary repeats. */
static GBytes *txn_file(const char *app_id, int times, int64_t page_bytes)
{
    struct ArrowSchema schema;
    SfError err = {0};
    g_assert_cmpint(delta_checkpoint_schema(DELTA_COLUMNS_OF_STATE, &schema, &err), ==, SF_OK);
    ParquetOptions options = {.codec = PARQUET_ZSTD,
                              .level = 1,
                              .maps = delta_checkpoint_maps,
                              .page_bytes = page_bytes,
                              .dictionary_bytes = page_bytes};
    g_autoptr(ParquetWriter) writer = parquet_writer_new(&schema, &options, &err);
    SfBuilder *builder = sf_builder_new(&schema, &err);
    json_object *txn = json_object_new_object();
    json_object_object_add(txn, "appId", json_object_new_string(app_id));
    json_object_object_add(txn, "version", json_object_new_int(1));
    for (int i = 0; i < times; i++) {
        for (int64_t c = 0; c < schema.n_children; c++)
            delta_checkpoint_add(schema.children[c], c == 0 ? txn : NULL, sf_builder_column(builder, (size_t) c));
        g_assert_cmpint(sf_builder_end_row(builder, &err), ==, SF_OK);
        struct ArrowArray rows;
        g_assert_cmpint(sf_builder_finish(builder, &rows, &err), ==, SF_OK);
        parquet_writer_add(writer, (const struct ArrowArray *const *) rows.children, 0, NULL, 1, &err);
        sf_array_done(&rows);
    }
    GBytes *file = NULL;
    g_assert_cmpint(parquet_writer_finish(writer, &file, &err), ==, SF_OK);
    json_object_put(txn);
    sf_builder_free(builder);
    sf_schema_done(&schema);
    return file;
}

static void put_checkpoint(const Place *place, GBytes *file)
{
    gsize size;
    const char *data = g_bytes_get_data(file, &size);
    place_put(place, "_delta_log/00000000000000000001.checkpoint.parquet", data, (gssize) size);
}

static void test_checkpoint_bombs(void)
{
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *huge = g_strnfill(70 << 20, 'a');
    g_autoptr(GBytes) page = txn_file(huge, 1, 1 << 30);
    g_assert_cmpuint(g_bytes_get_size(page), <, 1 << 20);
    SfError err = {0};
    g_assert_cmpint(delta_checkpoint_read(place.log, "x.parquet", page, &err), ==, SF_FATAL);
    g_assert_nonnull(strstr(err.message, "column 'appId': a page of"));
    huge[8 << 20] = '\0';
    g_autoptr(GBytes) repeated = txn_file(huge, 100, 1 << 30);
    g_assert_cmpuint(g_bytes_get_size(repeated), <, 1 << 20);
    g_assert_cmpint(delta_checkpoint_read(place.log, "x.parquet", repeated, &err), ==, SF_FATAL);
    g_assert_nonnull(strstr(err.message, "a txn action with an appId of 8388608 bytes"));
    put_checkpoint(&place, repeated);
    fails(&place, SF_CONFIG, "there is a Delta log, but no version in it that can be read");
    g_assert_nonnull(strstr(harness_logs(place.h), "cannot be read (a txn action with an appId of"));
}

/* Nothing is written over a log that cannot be read. */
static void test_no_version_zero(void)
{
    static const char *const keys[] = {"_last_checkpoint",
                                       "00000000000000000003.crc",
                                       "00000000000000000003.checkpoint.parquet",
                                       "00000000000000000000.00000000000000000009.compacted.json",
                                       "00000000000000000003.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
                                       "00000000000000000003.checkpoint.0000000001.0000000002.parquet",
                                       "_staged_commits/00000000000000000001.x.json"};
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_auto(Place) place = {0};
        place_init(&place);
        g_autofree char *key = g_strconcat("_delta_log/", keys[i], NULL);
        place_put(&place, key, "{}", -1);
        fails(&place, SF_CONFIG, "nothing is written over it");
    }
    /* What a first commit leaves behind that was killed is no log. */
    g_auto(Place) place = {0};
    place_init(&place);
    place_put(&place, "_delta_log/_commit_5b0c2a3e.json.tmp", "{}", -1);
    place_put(&place, "_delta_log/.00000000000000000000.json.0ac2.tmp", "{}", -1);
    place_put(&place, "_delta_log/.00000000000000000000.json.crc", "{}", -1);
    place_loads(&place, -1);
}

static void test_hint_repaired(void)
{
    g_auto(Place) place = {0};
    SfError err = {0};
    place_init(&place);
    place_put_commit(&place, 0, PROTOCOL METADATA);
    place_put_commit(&place, 1, TXN("a", 3));
    place_put(&place, "_delta_log/_last_checkpoint", "{\"version\":99,\"size\":1}", -1);
    place_loads(&place, 1);
    g_assert_cmpint(delta_checkpoint_write(place.log, &err), ==, SF_OK);
    int64_t hint;
    g_assert_cmpint(delta_checkpoint_last(place.log, &hint, &err), ==, SF_OK);
    g_assert_cmpint(hint, ==, 1);
    /* Where another process is really further, its hint stays. */
    g_autofree char *from = g_build_filename(place.dir, "_delta_log/00000000000000000001.checkpoint.parquet", NULL);
    char *data;
    gsize size;
    g_assert_true(g_file_get_contents(from, &data, &size, NULL));
    place_put(&place, "_delta_log/00000000000000000005.checkpoint.parquet", data, (gssize) size);
    place_put(&place, "_delta_log/_last_checkpoint", "{\"version\":5,\"size\":1}", -1);
    g_assert_cmpint(delta_checkpoint_write(place.log, &err), ==, SF_OK);
    g_assert_cmpint(delta_checkpoint_last(place.log, &hint, &err), ==, SF_OK);
    g_assert_cmpint(hint, ==, 5);
    g_free(data);
}

/* A server may list what it likes. */
static void test_keys(void)
{
    static const char *const keys[] = {"",
                                       "x",
                                       "_delta_lo",
                                       "_delta_log/",
                                       "_delta_log/0000000000000000000",
                                       "delta_log/00000000000000000001.json",
                                       "_delta_log/99999999999999999999.json"};
    int64_t version;
    const char *rest;
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *exact = g_strdup(keys[i]); /* for the sanitizer */
        g_assert_false(delta_log_key(exact, &version, &rest));
    }
    g_assert_true(delta_log_key("_delta_log/00000000000000000012.json", &version, &rest));
    g_assert_cmpint(version, ==, 12);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delta/hostile/blanks between actions", test_blanks);
    g_test_add_func("/delta/hostile/deep nesting", test_depth);
    g_test_add_func("/delta/hostile/more values than memory", test_values);
    g_test_add_func("/delta/hostile/checkpoints that unpack to anything", test_checkpoint_bombs);
    g_test_add_func("/delta/hostile/a log that cannot be read gets no version 0", test_no_version_zero);
    g_test_add_func("/delta/hostile/a hint to nowhere is repaired", test_hint_repaired);
    g_test_add_func("/delta/hostile/keys that are none", test_keys);
    return g_test_run();
}
