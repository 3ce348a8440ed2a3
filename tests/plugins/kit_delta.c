/* The Delta kit: paths, schemas, the log's replay and its checkpoints, on our own tables and on those of Spark and
 * delta-rs. */
#include "delta_place.h"
#include "tree.h"

#include <glib/gstdio.h>

static void fails(Place *place, const char *message)
{
    SfError err = {0};
    g_assert_cmpint(delta_log_load(place->log, &err), ==, SF_FATAL);
    if (!strstr(err.message, message))
        g_error("'%s' is not in '%s'", message, err.message);
}

static void test_paths(void)
{
    static const struct {
        const char *value;
        const char *dir;
        const char *path;
    } rows[] = {{"A/A", "x=A%2FA/", "x=A%252FA/"},
                {"/%20%f", "x=%2F%2520%25f/", "x=%252F%252520%2525f/"},
                {"😈", "x=😈/", "x=😈/"},
                {"a b", "x=a b/", "x=a%20b/"},
                {"\x01\x7F{[]^", "x=%01%7F%7B%5B%5D%5E/", "x=%2501%257F%257B%255B%255D%255E/"},
                {NULL, "x=__HIVE_DEFAULT_PARTITION__/", "x=__HIVE_DEFAULT_PARTITION__/"}};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) dir = g_string_new(NULL);
        g_autoptr(GString) path = g_string_new(NULL);
        delta_partition_dir("x", rows[i].value, dir);
        delta_path_encode(dir->str, path);
        g_autofree char *back = delta_path_decode(path->str);
        g_assert_cmpstr(dir->str, ==, rows[i].dir);
        g_assert_cmpstr(path->str, ==, rows[i].path);
        g_assert_cmpstr(back, ==, dir->str);
    }
    g_autofree char *longer = g_strnfill(300, 'a');
    g_autoptr(GString) none = g_string_new(NULL);
    delta_partition_dir("x", longer, none);
    g_assert_cmpstr(none->str, ==, "");
}

static void test_replay(void)
{
    g_auto(Place) place = {0};
    place_init(&place);
    place_loads(&place, -1);
    place_put_commit(&place, 0, PROTOCOL METADATA ADD("a") TXN("p/s/x", 5));
    place_put_commit(&place, 1, ADD("b") TXN("p/s/x", 9) TXN("p/s/y", 1) "{\"unknown\":{}}\n\n");
    place_put(&place, "_delta_log/00000000000000000007.json.tmp", "x", -1);
    place_put(&place, "_delta_log/_commits/x", "x", -1);
    place_loads(&place, 1);
    g_assert_cmpint(delta_log_txn(place.log, "p/s/x"), ==, 9);
    g_assert_cmpint(delta_log_txn(place.log, "p/s/y"), ==, 1);
    g_assert_cmpint(delta_log_txn(place.log, "p/s/z"), ==, -1);
    g_assert_cmpstr(delta_log_property(place.log, "own.key"), ==, "kept");
    DeltaNews news = {.txn_id = "mine"};
    SfError err = {0};
    place_put_commit(&place, 2, "{\"commitInfo\":{\"txnId\":\"mine\"}}\n" TXN("p/s/z", 3));
    g_assert_cmpint(delta_log_update(place.log, &news, &err), ==, SF_OK);
    g_assert_true(news.found);
    g_assert_false(news.schema);
    g_assert_cmpint(delta_log_txn(place.log, "p/s/z"), ==, 3);
}

static void test_broken_logs(void)
{
    g_auto(Place) place = {0};
    place_init(&place);
    place_put_commit(&place, 0, PROTOCOL ADD("a"));
    fails(&place, "the log has no metaData action");
    place_put_commit(&place, 0, PROTOCOL METADATA);
    place_put_commit(&place, 2, ADD("a"));
    fails(&place, "the log has a gap: version 1 is missing, 2 is there");
    place_put_commit(&place, 1, ADD("a") "{\"add\":{\"path\":\"b\",\"part");
    fails(&place, "00000000000000000001.json line 2: not a JSON object");
    place_put_commit(&place, 1, ADD("a\xff"));
    fails(&place, "line 1: not a JSON object: invalid UTF-8 in a string at byte 17");
    place_put_commit(&place, 1, "[1]\n");
    fails(&place, "line 1: not a JSON object");
    place_put_commit(&place, 1, "{\"txn\":{\"appId\":\"x\"}}\n");
    fails(&place, "a txn action without appId or version");
}

static void refused(const char *protocol, const char *metadata, const char *message)
{
    g_auto(Place) place = {0};
    SfError err = {0};
    place_init(&place);
    g_autofree char *text = g_strconcat(protocol, metadata, NULL);
    place_put_commit(&place, 0, text);
    place_loads(&place, 0);
    SfStatus status = delta_log_check_features(place.log, &err);
    if (!message)
        g_assert_cmpstr(err.message, ==, "");
    else if (status != SF_CONFIG || !strstr(err.message, message))
        g_error("'%s' is not in '%s'", message, err.message);
}

#define FEATURES(reader, writer)                                                                                       \
    "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[" reader                         \
    "],\"writerFeatures\":[" writer "]}}\n"
#define COLUMN(metadata)                                                                                               \
    "{\"metaData\":{\"id\":\"x\",\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":"       \
    "\\\"id\\\","                                                                                                      \
    "\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{" metadata                                      \
    "}}]}\",\"partitionColumns\":[],\"configuration\":{}}}\n"
#define PROPERTY(key, value)                                                                                           \
    "{\"metaData\":{\"id\":\"x\",\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[]}\","                \
    "\"partitionColumns\":[],"                                                                                         \
    "\"configuration\":{\"" key "\":\"" value "\"}}}\n"

static void test_features(void)
{
    refused(PROTOCOL, METADATA, NULL);
    refused("{\"protocol\":{\"minReaderVersion\":2,\"minWriterVersion\":6}}\n", METADATA, NULL);
    refused(FEATURES("\"deletionVectors\"", "\"deletionVectors\",\"appendOnly\",\"invariants\""), METADATA, NULL);
    refused(FEATURES("\"v2Checkpoint\"", "\"v2Checkpoint\""), METADATA, NULL);
    refused(FEATURES("", "\"rowTracking\",\"domainMetadata\",\"clustering\",\"checkpointProtection\""), METADATA, NULL);
    refused(FEATURES("\"typeWidening\"", "\"typeWidening\""), COLUMN("\\\"delta.typeChanges\\\":[]"), NULL);
    refused(FEATURES("\"catalogManaged\"", "\"catalogManaged\",\"inCommitTimestamp\""), METADATA,
            "needs the feature 'catalogManaged'");
    refused(FEATURES("\"catalogOwned-preview\"", "\"catalogOwned-preview\""), METADATA,
            "needs the feature 'catalogOwned-preview'");
    refused(FEATURES("", "\"icebergCompatV2\""), METADATA, "needs the feature 'icebergCompatV2'");
    refused(FEATURES("\"magic\"", ""), METADATA, "needs the feature 'magic'");
    refused("{\"protocol\":{\"minReaderVersion\":4,\"minWriterVersion\":7}}\n", METADATA,
            "needs reader version 4 and writer version 7");
    refused("{\"protocol\":{}}\n", METADATA, "needs reader version 0");
    /* What the protocol does not mean yet is a note like others. */
    refused(PROTOCOL, COLUMN("\\\"delta.generationExpression\\\":\\\"1\\\""), NULL);
    refused(PROTOCOL, COLUMN("\\\"delta.identity.start\\\":1"), NULL);
    refused(FEATURES("", "\"appendOnly\""), COLUMN("\\\"delta.generationExpression\\\":\\\"1\\\""), NULL);
#define INNER(metadata)                                                                                                \
    "{\"metaData\":{\"id\":\"x\",\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":"       \
    "\\\"a\\\","                                                                                                       \
    "\\\"type\\\":{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"id\\\",\\\"type\\\":\\\"long\\\","    \
    "\\\"nullable\\\":true,\\\"metadata\\\":{" metadata "}}]}}]}\",\"partitionColumns\":[],\"configuration\":{}}}\n"
    refused(FEATURES("", "\"generatedColumns\""), INNER("\\\"delta.generationExpression\\\":\\\"1\\\""),
            "column 'id' within another uses the feature 'generatedColumns'");
    refused("{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":6}}\n", INNER("\\\"delta.identity.start\\\":1"),
            "column 'id' within another uses the feature 'identityColumns'");
    refused(PROTOCOL, INNER("\\\"delta.invariants\\\":\\\"1\\\""), "uses the feature 'invariants'");
    refused(PROTOCOL, PROPERTY("delta.columnMapping.mode", "name"), NULL);
    refused("{\"protocol\":{\"minReaderVersion\":2,\"minWriterVersion\":5}}\n",
            PROPERTY("delta.columnMapping.mode", "other"), "uses the feature 'columnMapping' in a mode 'other'");
    refused("{\"protocol\":{\"minReaderVersion\":2,\"minWriterVersion\":5}}\n",
            PROPERTY("delta.columnMapping.mode", "name"), NULL);
}

static void remove_key(Place *place, const char *key)
{
    SfError err = {0};
    g_assert_cmpint(store_delete(place->store, key, &err), ==, SF_OK);
}

static char *checkpoint_key(gint64 version)
{
    return g_strdup_printf("_delta_log/%020" G_GINT64_FORMAT ".checkpoint.parquet", version);
}

static void test_checkpoint_merge(void)
{
    g_auto(Place) place = {0};
    SfError err = {0};
    place_init(&place);
    place_put_commit(&place, 0, PROTOCOL METADATA ADD("a") ADD("b%20c") ADD("d") TXN("p/s/x", 5));
    place_put_commit(&place, 1, "{\"remove\":{\"path\":\"a\",\"deletionTimestamp\":1,\"dataChange\":true}}\n" ADD("e"));
    place_loads(&place, 1);
    g_assert_cmpint(delta_checkpoint_write(place.log, &err), ==, SF_OK);
    g_autofree char *first = place_checkpoint_paths(&place, 1);
    g_assert_cmpstr(first, ==, "e b%20c d ");
    place_put_commit(
        &place, 2,
        "{\"remove\":{\"path\":\"b%20c\",\"deletionTimestamp\":99999999999999,\"dataChange\":true}}\n" ADD("a"));
    place_put_commit(
        &place, 3,
        TXN("p/s/x", 6) "{\"domainMetadata\":{\"domain\":\"dom\",\"configuration\":\"{}\",\"removed\":false}}\n");
    place_loads(&place, 3);
    g_assert_cmpint(delta_checkpoint_write(place.log, &err), ==, SF_OK);
    g_autofree char *second = place_checkpoint_paths(&place, 3);
    g_assert_cmpstr(second, ==, "a e d ");
    for (gint64 version = 0; version <= 3; version++) {
        g_autofree char *key = delta_commit_key(version);
        remove_key(&place, key);
    }
    place_loads(&place, 3);
    g_assert_cmpint(delta_log_txn(place.log, "p/s/x"), ==, 6);
    g_assert_cmpstr(delta_log_property(place.log, "own.key"), ==, "kept");
    g_assert_cmpint(place.log->checkpoint, ==, 3);
}

static void test_checkpoint_fall_back(void)
{
    g_auto(Place) place = {0};
    SfError err = {0};
    place_init(&place);
    place_put_commit(&place, 0, PROTOCOL METADATA TXN("p/s/x", 5));
    place_loads(&place, 0);
    place_put_commit(&place, 1, TXN("p/s/x", 6));
    place_loads(&place, 1);
    g_assert_cmpint(delta_checkpoint_write(place.log, &err), ==, SF_OK);
    place_put_commit(&place, 2, TXN("p/s/x", 7));
    g_autofree char *broken = checkpoint_key(2);
    place_put(&place, broken, "PAR1 this is no Parquet file PAR1", -1);
    place_put(&place, "_delta_log/_last_checkpoint", "{\"version\":2}", -1);
    place_loads(&place, 2);
    g_assert_cmpint(place.log->checkpoint, ==, 1);
    g_assert_cmpint(delta_log_txn(place.log, "p/s/x"), ==, 7);
    g_assert_nonnull(strstr(harness_logs(place.h), "the checkpoint of version 2 cannot be read"));
    /* A part that is missing makes a checkpoint in parts none. */
    place_put(&place, "_delta_log/00000000000000000002.checkpoint.0000000001.0000000002.parquet", "x", -1);
    place_loads(&place, 2);
    place_put(&place, "_delta_log/_last_checkpoint", "garbage", -1);
    place_loads(&place, 2);
}

/* Every byte of a log may be wrong: an error or another state, never a crash. */
static void test_damaged_logs(void)
{
    g_auto(Place) place = {0};
    SfError err = {0};
    place_init(&place);
    place_put_commit(&place, 0,
                     PROTOCOL METADATA ADD("a") ADD("b")
                         TXN("p/s/x", 5) "{\"commitInfo\":{\"txnId\":\"t\",\"inCommitTimestamp\":5}}\n");
    place_loads(&place, 0);
    place_put_commit(&place, 1, TXN("p/s/x", 6));
    place_loads(&place, 1);
    g_assert_cmpint(delta_checkpoint_write(place.log, &err), ==, SF_OK);
    g_autofree char *key = checkpoint_key(1);
    const char *const keys[] = {"_delta_log/00000000000000000000.json", "_delta_log/00000000000000000001.json", key};
    GBytes *bodies[3] = {NULL};
    for (gsize i = 0; i < 3; i++)
        g_assert_cmpint(store_get(place.store, keys[i], 1 << 30, &bodies[i], &err), ==, SF_OK);
    for (int round = 0; round < 600; round++) {
        gsize which = (gsize) g_test_rand_int_range(0, 3);
        gsize size;
        g_autofree char *data = g_bytes_unref_to_data(g_bytes_ref(bodies[which]), &size);
        for (int n = g_test_rand_int_range(1, 5); n > 0; n--)
            data[g_test_rand_int_range(0, (gint32) size)] = (char) g_test_rand_int();
        place_put(&place, keys[which], data, (gssize) (round % 5 ? size : size / 2));
        if (delta_log_load(place.log, &err) == SF_OK && place.log->version >= 0) {
            delta_log_check_features(place.log, &err);
            delta_checkpoint_write(place.log, &err);
        }
        for (gsize i = 0; i < 3; i++)
            place_put(&place, keys[i], g_bytes_get_data(bodies[i], NULL), (gssize) g_bytes_get_size(bodies[i]));
        place_put(&place, "_delta_log/_last_checkpoint", "{\"version\":1}", -1);
    }
    for (gsize i = 0; i < 3; i++)
        g_bytes_unref(bodies[i]);
}

static void test_statistics(void)
{
    static const char *const json[] = {
        "[\"0123456789012345678901234567890123\", \"2024-01-15T10:30:01.500001Z\", 1.5, -0.05, {\"a\": 3}, [1]]",
        "[\"ä0123456789012345678901234567890ää\", \"2024-01-15T10:30:02.5Z\", null, 12.00, {\"a\": null}, null]"};
    struct ArrowSchema schema;
    struct ArrowArray rows;
    SfError err = {0};
    rows_schema("s string, t timestamp, f double, d decimal(30,2), st struct<a int>, l list<int>", &schema);
    rows_from_json(&schema, json, 2, &rows);
    g_autoptr(ParquetWriter) writer = parquet_writer_new(&schema, &(ParquetOptions){.codec = PARQUET_SNAPPY}, &err);
    g_assert_cmpint(parquet_writer_add(writer, (const struct ArrowArray *const *) rows.children, 0, NULL, 2, &err), ==,
                    SF_OK);
    g_autoptr(GBytes) file = NULL;
    g_assert_cmpint(parquet_writer_finish(writer, &file, &err), ==, SF_OK);
    g_autofree char *all = delta_stats(writer, 2, 32);
    g_assert_cmpstr(
        all, ==,
        "{\"numRecords\":2,\"minValues\":{\"s\":\"01234567890123456789012345678901\",\"t\":\"2024-01-15T10:30:01."
        "500Z\","
        "\"f\":1.5,\"d\":-0.05,\"st\":{\"a\":3}},\"maxValues\":{\"s\":\"ä0123456789012345678901234567890\U0010FFFF\","
        "\"t\":\"2024-01-15T10:30:02.500Z\",\"f\":1.5,\"d\":12.00,\"st\":{\"a\":3}},"
        "\"nullCount\":{\"s\":0,\"t\":0,\"f\":1,\"d\":0,\"st\":{\"a\":1}}}");
    g_autofree char *one = delta_stats(writer, 2, 1);
    g_assert_true(g_str_has_suffix(one, "\"nullCount\":{\"s\":0}}"));
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

static char *stats_of(const char *columns, const char *const *json, gsize n)
{
    struct ArrowSchema schema;
    struct ArrowArray rows;
    SfError err = {0};
    rows_schema(columns, &schema);
    rows_from_json(&schema, json, (gint64) n, &rows);
    g_autoptr(ParquetWriter) writer = parquet_writer_new(&schema, &(ParquetOptions){.codec = PARQUET_SNAPPY}, &err);
    g_assert_cmpint(
        parquet_writer_add(writer, (const struct ArrowArray *const *) rows.children, 0, NULL, (gint64) n, &err), ==,
        SF_OK);
    g_autoptr(GBytes) file = NULL;
    g_assert_cmpint(parquet_writer_finish(writer, &file, &err), ==, SF_OK);
    sf_array_done(&rows);
    sf_schema_done(&schema);
    return delta_stats(writer, (gint64) n, 32);
}

/* U+0000 is a character like others, in front of the place where a long bound is cut too. */
static void test_statistics_with_nul(void)
{
    static const char *const json[] = {"[\"\\u0000bcdefghijklmnopqrstuvwxyzabcdefgh\"]"};
    g_autofree char *stats = stats_of("s string", json, 1);
    g_assert_cmpstr(stats, ==,
                    "{\"numRecords\":1,\"minValues\":{\"s\":\"\\u0000bcdefghijklmnopqrstuvwxyzabcdef\"},"
                    "\"maxValues\":{\"s\":\"\\u0000bcdefghijklmnopqrstuvwxyzabcdef\x7f\"},"
                    "\"nullCount\":{\"s\":0}}");
}

/* A copy, in which the checkpoint is made anew and the commits before it are taken away. */
static void judge_table(const char *name, const char *dir)
{
    g_auto(Place) place = {0};
    SfError err = {0};
    place_at(&place, dir);
    g_assert_cmpint(delta_log_load(place.log, &err), ==, SF_OK);
    gint64 version = place.log->version;
    g_assert_cmpint(version, >=, 0);
    guint txns = g_hash_table_size(place.log->txns);
    g_autofree char *metadata = g_strdup(delta_json_text(place.log->metadata, "schemaString"));
    SfStatus features = delta_log_check_features(place.log, &err);
    g_test_message("%s: version %" G_GINT64_FORMAT ", %u txns, %s", name, version, txns,
                   features == SF_OK ? "can be appended to" : err.message);
    err.message[0] = '\0';
    g_assert_cmpint(delta_checkpoint_write(place.log, &err), ==, SF_OK);
    for (gint64 old = 0; old <= version; old++) {
        g_autofree char *key = delta_commit_key(old);
        remove_key(&place, key);
    }
    place_loads(&place, version);
    g_assert_cmpint(place.log->checkpoint, ==, version);
    g_assert_cmpuint(g_hash_table_size(place.log->txns), ==, txns);
    g_assert_cmpstr(delta_json_text(place.log->metadata, "schemaString"), ==, metadata);
    g_assert_cmpint(delta_log_check_features(place.log, NULL), ==, features);
}

static void test_foreign_tables(void)
{
    static const char *const names[] = {"rs/plain", "rs/types", "sp/dv",      "sp/stream", "sp/types",
                                        "sp4/dv",   "sp4/ict",  "sp4/stream", "sp4/types"};
    g_autofree char *archive = g_build_filename(SF_SOURCE_DIR, "tests/data/delta-tables.tgz", NULL);
    g_autofree char *dir = g_dir_make_tmp("delta-tables-XXXXXX", NULL);
    char *argv[] = {(char *) "tar", (char *) "xzf", archive, (char *) "-C", dir, NULL};
    int status = -1;
    g_assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *table = g_build_filename(dir, names[i], NULL);
        judge_table(names[i], table);
    }
    remove_tree(dir);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delta/paths are escaped twice", test_paths);
    g_test_add_func("/delta/the log is replayed in order", test_replay);
    g_test_add_func("/delta/broken logs say what is wrong", test_broken_logs);
    g_test_add_func("/delta/features that we lack are refused by name", test_features);
    g_test_add_func("/delta/a checkpoint merges the one before and the commits since", test_checkpoint_merge);
    g_test_add_func("/delta/a damaged checkpoint is passed over", test_checkpoint_fall_back);
    g_test_add_func("/delta/damaged logs are errors", test_damaged_logs);
    g_test_add_func("/delta/statistics are bounds", test_statistics);
    g_test_add_func("/delta/statistics hold U+0000", test_statistics_with_nul);
    g_test_add_func("/delta/tables of Spark and delta-rs", test_foreign_tables);
    return g_test_run();
}
