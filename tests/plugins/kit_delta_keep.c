/* What of a Delta log is kept, and what is taken away: positions of others through checkpoints, files that have
 * expired. */
#include "delta_place.h"

#include <glib/gstdio.h>
#include <utime.h>

#define DAY_MS INT64_C(86400000)
#define CLEANUP(value)                                                                                                 \
    "{\"metaData\":{\"id\":\"x\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":\"{"            \
    "\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[]}\",\"partitionColumns\":[],\"configuration\":{" value "}}}\n"

static void checkpoint(const Place *place)
{
    SfError err = {0};
    SfStatus status = delta_checkpoint_write(place->log, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpint(status, ==, SF_OK);
}

static void clean(const Place *place)
{
    SfError err = {0};
    SfStatus status = delta_log_clean(place->log, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpint(status, ==, SF_OK);
}

static char *path_of(const Place *place, const char *key)
{
    return g_build_filename(place->dir, key, NULL);
}

static void test_last_updated(void)
{
    g_auto(Place) place = {0};
    place_init(&place);
    place_put_commit(&place, 0,
                     PROTOCOL METADATA "{\"txn\":{\"appId\":\"a\",\"version\":5,\"lastUpdated\":1700000000123}}\n"
                                       "{\"txn\":{\"appId\":\"b\",\"version\":6}}\n");
    place_loads(&place, 0);
    for (int round = 0; round < 2; round++) { /* from the commit, then from the checkpoint */
        checkpoint(&place);
        g_autofree char *path = path_of(&place, "_delta_log/00000000000000000000.json");
        g_remove(path);
        place_loads(&place, 0);
        const DeltaTxn *a = g_hash_table_lookup(place.log->txns, "a");
        const DeltaTxn *b = g_hash_table_lookup(place.log->txns, "b");
        g_assert_cmpint(a->version, ==, 5);
        g_assert_cmpint(a->updated_ms, ==, INT64_C(1700000000123));
        g_assert_cmpint(b->version, ==, 6);
        g_assert_cmpint(b->updated_ms, ==, DELTA_NEVER);
    }
}

/* What another process has left behind and nobody can read is no reason to have no checkpoint ever again. */
static void test_past_a_damaged_one(void)
{
    g_auto(Place) place = {0};
    place_init(&place);
    place_put_commit(&place, 0, PROTOCOL METADATA TXN("p/s/x", 5));
    place_loads(&place, 0);
    checkpoint(&place);
    place_put_commit(&place, 1, TXN("p/s/x", 6));
    place_put(&place, "_delta_log/00000000000000000001.checkpoint.parquet", "PAR1 this is no Parquet file PAR1", -1);
    place_put(&place, "_delta_log/_last_checkpoint", "{\"version\":1}", -1);
    place_put_commit(&place, 2, ADD("a"));
    place_loads(&place, 2);
    g_assert_cmpint(place.log->checkpoint, ==, 0);
    checkpoint(&place);
    g_assert_cmpint(place.log->checkpoint, ==, 2);
    place_loads(&place, 2);
    g_assert_cmpint(place.log->checkpoint, ==, 2);
    g_assert_cmpint(delta_log_txn(place.log, "p/s/x"), ==, 6);
}

/* Of another process, that counts for when ours is due, though ours cannot be written on top of it. */
static void test_past_a_damaged_one_of_others(void)
{
    g_auto(Place) place = {0};
    place_init(&place);
    place_put_commit(&place, 0, PROTOCOL METADATA);
    for (gint64 version = 1; version <= 20; version++)
        place_put_commit(&place, version, version < 20 ? ADD("a") : ADD("b"));
    place_loads(&place, 20);
    place_put(&place, "_delta_log/00000000000000000010.checkpoint.parquet", "not Parquet", -1);
    place_put(&place, "_delta_log/_last_checkpoint", "{\"version\":10,\"size\":2}", -1);
    g_assert_true(delta_checkpoint_due(place.log, 5));
    g_assert_cmpint(place.log->noted, ==, 10);
    checkpoint(&place);
    place_loads(&place, 20);
    g_assert_cmpint(place.log->checkpoint, ==, 20);
    g_autofree char *paths = place_checkpoint_paths(&place, 20);
    g_assert_cmpstr(paths, ==, "b a ");
}

/* An absolute path is one file, however it is spelled; its removal goes through checkpoints. */
static void test_spelled_paths(void)
{
    static const char *const spellings[] = {"/t/x%20y", "file:/t/x%20y", "file:///t/x%20y", "file:///t/x y"};
    for (gsize i = 0; i < G_N_ELEMENTS(spellings); i++)
        for (gsize j = 0; j < G_N_ELEMENTS(spellings); j++) {
            g_auto(Place) place = {0};
            place_init(&place);
            g_autofree char *first = g_strdup_printf(PROTOCOL METADATA ADD("t/x%%20y") ADD("%s"), spellings[i]);
            g_autofree char *second =
                g_strdup_printf("{\"remove\":{\"path\":\"%s\",\"dataChange\":true}}\n", spellings[j]);
            place_put_commit(&place, 0, first);
            place_loads(&place, 0);
            if (j % 2 == 1) /* the file is among the checkpoint's rows, or in a commit */
                checkpoint(&place);
            place_put_commit(&place, 1, second);
            place_loads(&place, 1);
            checkpoint(&place);
            g_autofree char *paths = place_checkpoint_paths(&place, 1);
            g_assert_cmpstr(paths, ==, "t/x%20y ");
        }
}

#define V2 "_delta_log/00000000000000000007.checkpoint.a8f3c3f4-1b7c-4d1e-9f4e-0c4b7d1e2f3a"

#define CLASSIC                                                                                                        \
    "{\"metaData\":{\"id\":\"x\",\"format\":{\"provider\":\"parquet\"},\"schemaString\":"                              \
    "\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[]}\",\"partitionColumns\":[],"                                     \
    "\"configuration\":{\"delta.checkpointPolicy\":\"classic\"}}}\n"

/* A V2 checkpoint, as a text with its files in a sidecar: what Spark 4 writes by the policy v2. */
static void test_v2(void)
{
    g_auto(Place) place = {0};
    SfError err = {0};
    place_init(&place);
    /* the sidecar: the files of a checkpoint of another table */
    place_put_commit(&place, 0, PROTOCOL METADATA ADD("x%20y") ADD("gone") ADD("kept"));
    place_loads(&place, 0);
    checkpoint(&place);
    g_autofree char *from = path_of(&place, "_delta_log/00000000000000000000.checkpoint.parquet");
    g_autofree char *to = path_of(&place, "_delta_log/_sidecars/one two.parquet");
    g_autofree char *folder = g_path_get_dirname(to);
    g_autofree char *commit = path_of(&place, "_delta_log/00000000000000000000.json");
    g_autofree char *hint = path_of(&place, "_delta_log/_last_checkpoint");
    g_assert_cmpint(g_mkdir(folder, 0777), ==, 0);
    g_assert_cmpint(g_rename(from, to), ==, 0);
    g_assert_cmpint(g_unlink(commit) + g_unlink(hint), ==, 0);
    place_put(
        &place, V2 ".json",
        "{\"checkpointMetadata\":{\"version\":7}}\n"
        "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"v2Checkpoint\"],"
        "\"writerFeatures\":[\"v2Checkpoint\",\"domainMetadata\"]}}\n" CLASSIC TXN(
            "p/s/x", 6) "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"c\",\"removed\":false}}\n"
                        "{\"sidecar\":{\"path\":\"one%20two.parquet\",\"sizeInBytes\":1,\"modificationTime\":1}}\n",
        -1);
    place_put_commit(&place, 8, ADD("b") "{\"remove\":{\"path\":\"gone\",\"dataChange\":true}}\n");
    place_loads(&place, 8);
    g_assert_cmpint(place.log->checkpoint, ==, 7);
    g_assert_cmpint(delta_log_txn(place.log, "p/s/x"), ==, 6);
    g_assert_cmpint(delta_log_check_features(place.log, &err), ==, SF_OK);
    /* Ours on top of it has all of that, by itself. */
    checkpoint(&place);
    g_autofree char *v2 = path_of(&place, V2 ".json");
    g_assert_cmpint(g_unlink(v2), ==, 0);
    place_loads(&place, 8);
    g_assert_cmpint(delta_log_txn(place.log, "p/s/x"), ==, 6);
    g_assert_cmpstr(g_hash_table_lookup(place.log->domains, "d"), ==, "c");
    g_autofree char *paths = place_checkpoint_paths(&place, 8);
    g_assert_cmpstr(paths, ==, "b x%20y kept ");
    /* A sidecar elsewhere is none. */
    place_put(&place, "_delta_log/00000000000000000009.checkpoint.a8f3c3f4-1b7c-4d1e-9f4e-0c4b7d1e2f3a.json",
              "{\"sidecar\":{\"path\":\"../../x.parquet\"}}\n" PROTOCOL METADATA, -1);
    place_put_commit(&place, 10, ADD("c"));
    place_loads(&place, 10);
    g_assert_cmpint(delta_checkpoint_write(place.log, &err), ==, SF_FATAL);
    g_assert_nonnull(strstr(err.message, "a sidecar of the checkpoint is called '../../x.parquet'"));
}

/* Versions 0 … 29 with checkpoints of 10 and 20; what is there was last changed a day apart, version 0 `oldest` days
 * before now. */
static void put_history(Place *place, const char *configuration, int oldest)
{
    g_autofree char *first = g_strconcat(PROTOCOL, configuration, NULL);
    place_init(place);
    place->h->now_ms = INT64_C(1800000000000);
    for (int version = 0; version < 30; version++) {
        place_put_commit(place, version, version ? TXN("p/s/x", 1) : first);
        place_loads(place, version);
        if (version % 10 == 0 && version > 0)
            checkpoint(place);
    }
    place_put(place, "_delta_log/00000000000000000003.crc", "{}", -1);
    place_put(place, "_delta_log/00000000000000000003.somebody-elses", "x", -1);
    g_autofree char *log = path_of(place, "_delta_log");
    g_autoptr(GDir) dir = g_dir_open(log, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir))) {
        gint64 version = g_ascii_strtoll(name, NULL, 10);
        time_t time = (time_t) ((place->h->now_ms - (oldest - version) * DAY_MS) / 1000);
        g_autofree char *path = g_build_filename(log, name, NULL);
        g_assert_cmpint(g_utime(path, &(struct utimbuf){time, time}), ==, 0);
    }
}

/* Versions whose commits are there, and "c" for checkpoints: "10c 11 12". */
static char *history(const Place *place)
{
    GString *out = g_string_new(NULL);
    for (int version = 0; version < 30; version++) {
        g_autofree char *key = delta_commit_key(version);
        g_autofree char *commit = path_of(place, key);
        g_autofree char *name = g_strdup_printf("_delta_log/%020d.checkpoint.parquet", version);
        g_autofree char *path = path_of(place, name);
        bool file = g_file_test(path, G_FILE_TEST_EXISTS);
        if (g_file_test(commit, G_FILE_TEST_EXISTS))
            g_string_append_printf(out, "%d%s ", version, file ? "c" : "");
        else if (file)
            g_string_append_printf(out, "(%dc) ", version);
    }
    return g_string_free(out, FALSE);
}

#define ALL "0 1 2 3 4 5 6 7 8 9 "
#define TENS "10c 11 12 13 14 15 16 17 18 19 "
#define TWENTIES "20c 21 22 23 24 25 26 27 28 29 "

static void expect_history(const char *configuration, int oldest, const char *expected)
{
    g_auto(Place) place = {0};
    put_history(&place, configuration, oldest);
    place_loads(&place, 29);
    clean(&place);
    g_autofree char *left = history(&place);
    g_assert_cmpstr(left, ==, expected);
    g_autofree char *crc = path_of(&place, "_delta_log/00000000000000000003.crc");
    g_autofree char *other = path_of(&place, "_delta_log/00000000000000000003.somebody-elses");
    g_assert_cmpint(g_file_test(crc, G_FILE_TEST_EXISTS), ==, g_str_has_prefix(expected, "0"));
    g_assert_true(g_file_test(other, G_FILE_TEST_EXISTS));
    place_loads(&place, 29);
    g_assert_cmpint(delta_log_txn(place.log, "p/s/x"), ==, 1);
}

/* Every version since the retention began can still be read: by the newest checkpoint before it. */
static void test_clean(void)
{
    expect_history(METADATA, 29, ALL TENS TWENTIES);
    expect_history(METADATA, 39, ALL TENS TWENTIES); /* version 10 has not expired yet: 29 days old */
    expect_history(METADATA, 45, TENS TWENTIES);
    expect_history(METADATA, 300, TWENTIES);
    expect_history(CLEANUP("\"delta.logRetentionDuration\":\"interval 2 weeks\""), 29, TENS TWENTIES);
    expect_history(CLEANUP("\"delta.logRetentionDuration\":\"interval 1 blue moon\""), 300, ALL TENS TWENTIES);
    expect_history(CLEANUP("\"delta.enableExpiredLogCleanup\":\"false\""), 300, ALL TENS TWENTIES);
    expect_history(METADATA "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":["
                            "\"checkpointProtection\"]}}\n",
                   300, ALL TENS TWENTIES);
}

/* Once a day: what expires later waits for the next one. */
static void test_clean_once_a_day(void)
{
    g_auto(Place) place = {0};
    put_history(&place, METADATA, 45);
    clean(&place);
    place.h->now_ms += 10 * DAY_MS;
    clean(&place);
    g_autofree char *left = history(&place);
    g_assert_cmpstr(left, ==, TWENTIES);
    g_autofree char *key = path_of(&place, "_delta_log/00000000000000000019.json");
    g_assert_true(g_file_set_contents(key, "", 0, NULL));
    g_assert_cmpint(g_utime(key, &(struct utimbuf){0, 0}), ==, 0);
    clean(&place);
    g_assert_true(g_file_test(key, G_FILE_TEST_EXISTS));
}

/* PROTOCOL.md, "Valid Feature Names in Table Features": which writer version brings each. */
static void test_versions_imply_features(void)
{
    static const struct {
        const char *feature;
        int writer;
    } implied[] = {{"appendOnly", 2},       {"invariants", 2},    {"checkConstraints", 3}, {"changeDataFeed", 4},
                   {"generatedColumns", 4}, {"columnMapping", 5}, {"identityColumns", 6},  {"rowTracking", 7}};
    for (int writer = 1; writer < 7; writer++) {
        g_auto(Place) place = {0};
        place_init(&place);
        g_autofree char *commit =
            g_strdup_printf("{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":%d}}\n%s", writer, METADATA);
        place_put_commit(&place, 0, commit);
        place_loads(&place, 0);
        for (gsize i = 0; i < G_N_ELEMENTS(implied); i++)
            g_assert_cmpint(delta_log_supports(place.log, implied[i].feature), ==, writer >= implied[i].writer);
    }
}

static void test_hints_are_compared(void)
{
    struct ArrowSchema schema;
    SfError err = {0};
    const SfField one = {.name = "a", .type = SF_INT32, .nullable = true};
    g_assert_cmpint(sf_schema_make(&one, 1, &schema, &err), ==, SF_OK);
    const ParquetHint plain[] = {{0}}, other[] = {{.field_id = 1}};
    g_assert_true(delta_hints_equal(&schema, NULL, NULL));
    g_assert_true(delta_hints_equal(&schema, plain, plain));
    g_assert_false(delta_hints_equal(&schema, plain, other));
    g_assert_false(delta_hints_equal(&schema, plain, NULL));
    g_assert_false(delta_hints_equal(&schema, NULL, plain));
    sf_schema_done(&schema);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delta/times of positions go through checkpoints", test_last_updated);
    g_test_add_func("/delta/a checkpoint that cannot be read is written past", test_past_a_damaged_one);
    g_test_add_func("/delta/one of another process that cannot be read is written past",
                    test_past_a_damaged_one_of_others);
    g_test_add_func("/delta/v2 checkpoints with sidecars are read", test_v2);
    g_test_add_func("/delta/spellings of an absolute path are one file", test_spelled_paths);
    g_test_add_func("/delta/what an expired checkpoint stands for is taken away", test_clean);
    g_test_add_func("/delta/the log is cleaned once a day", test_clean_once_a_day);
    g_test_add_func("/delta/writer versions imply features", test_versions_imply_features);
    g_test_add_func("/delta/hints are compared", test_hints_are_compared);
    return g_test_run();
}
