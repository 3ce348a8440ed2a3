/* delta-source: commits that do more than add rows, and what is wrong with tables. */
#include <glib/gstdio.h>
#include <string.h>

#include "lake_place.h"
#include "tree.h"

static void expect_ids(Harness *h, SfStatus status, const char *ids)
{
    g_autofree char *got = lake_ids(h);
    g_assert_cmpstr(h->err.message, ==, "");
    g_assert_cmpstr(got, ==, ids);
    g_assert_cmpint(h->status, ==, status);
}

/* Polls to the end, which has that message. */
static void expect_stop(Harness *h, SfStatus status, const char *ids, const char *message)
{
    g_autofree char *got = lake_ids(h);
    g_test_message("%s", h->err.message);
    g_assert_cmpstr(got, ==, ids);
    g_assert_cmpint(h->status, ==, status);
    g_assert_nonnull(strstr(h->err.message, message));
}

static char *remove_line(const char *path, const char *more)
{
    return g_strdup_printf("{\"remove\":{\"path\":\"%s\",\"deletionTimestamp\":1,%s\"partitionValues\":{}}}\n", path,
                           more);
}

/* What OPTIMIZE does: the rows of two files in one. */
static void optimize(const Lake *lake)
{
    g_autofree char *first = lake_added(lake, 0, ""), *second = lake_added(lake, 1, "");
    g_autofree char *one = remove_line(first, "\"dataChange\":false,"),
                    *two = remove_line(second, "\"dataChange\":false,");
    g_autofree char *path = g_build_filename(lake->table, first, NULL),
                    *copy = g_build_filename(lake->table, "big", NULL);
    g_autofree char *text = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &text, &size, NULL));
    g_assert_true(g_file_set_contents(copy, text, (gssize) size, NULL));
    g_autofree char *lines = g_strdup_printf("%s%s{\"add\":{\"path\":\"big\",\"partitionValues\":{},\"size\":%zu,"
                                             "\"modificationTime\":5,\"dataChange\":false}}\n",
                                             one, two, size);
    lake_commit(lake, lines);
}

static void test_optimize_is_passed_over(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    lake_write(lake, 10, 10, "");
    g_autoptr(Harness) h = lake_source(lake, "");
    expect_ids(h, SF_EMPTY, "0-19");
    optimize(lake);
    lake_write(lake, 20, 10, "");
    harness_pass(h, 1000);
    expect_ids(h, SF_EMPTY, "20-29");
    g_assert_cmpstr(harness_logs(h), ==, "");
    /* A snapshot that was begun before it goes on with the files that it had. */
    g_autoptr(Harness) later = lake_source(lake, "");
    harness_answer(later, lake->table, VERSION + SNAPSHOT + 5);
    expect_ids(later, SF_EMPTY, "5-29");
}

static void delete_file(const Lake *lake, gint64 version)
{
    g_autofree char *path = lake_added(lake, version, ""), *line = remove_line(path, "\"dataChange\":true,");
    lake_commit(lake, line);
}

static void test_deletes(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    lake_write(lake, 10, 10, "");
    delete_file(lake, 0);
    lake_write(lake, 20, 10, "");
    g_autoptr(Harness) stops = lake_source_once(lake, "starting_version: 0\n");
    expect_stop(stops, SF_CONFIG, "0-19", "version 2 deletes or updates rows (1 files removed, 0 added)");
    g_assert_nonnull(strstr(stops->err.message, "'on_change: ignore' passes over"));
    g_assert_cmpint(harness_polled(stops, lake->table), ==, 2 * VERSION);
    g_autoptr(Harness) ignores = lake_source_once(lake, "starting_version: 0\non_change: ignore\n");
    expect_ids(ignores, SF_END, "0-29");
    g_assert_nonnull(strstr(harness_logs(ignores), "warning: "));
    g_assert_nonnull(strstr(harness_logs(ignores), "version 2 deletes or updates rows, and is passed over"));
    g_autoptr(Harness) snapshot = lake_source_once(lake, "");
    expect_ids(snapshot, SF_END, "10-29");
}

/* ---- change data feed ---- */

static char *read_texts(Harness *h)
{
    GString *text = g_string_new(NULL);
    for (const SfBatch *batch; (batch = harness_poll(h, 0));)
        g_string_append_printf(text, "%s%s", harness_text(h, batch), sf_rows(batch) > 0 ? "\n" : "");
    g_test_message("%s%s", text->str, h->err.message);
    return g_string_free(text, FALSE);
}

#define FEED "columns: [id]\non_change: cdf\n"

static void enable_feed(const Lake *lake)
{
    lake_replace(lake, 0, "\"configuration\":{", "\"configuration\":{\"delta.enableChangeDataFeed\":\"true\"");
}

/* Without files of changes: what is added and removed. */
static void test_inferred_changes(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 2, "");
    enable_feed(lake);
    lake_write(lake, 2, 1, "");
    delete_file(lake, 0);
    lake_replace(lake, 2, "\n", "\n{\"commitInfo\":{\"timestamp\":1705312800123}}\n");
    g_autoptr(Harness) h = lake_source_once(lake, FEED "starting_version: 1\n");
    g_autofree char *text = read_texts(h);
    g_assert_cmpstr(h->err.message, ==, "");
    g_assert_nonnull(strstr(text, "{\"id\":2,\"_change_type\":\"insert\",\"_commit_version\":1,"));
    g_assert_nonnull(strstr(text, "{\"id\":0,\"_change_type\":\"delete\",\"_commit_version\":2,\"_commit_timestamp\":"
                                  "\"2024-01-15T10:00:00.123000Z\"}\n{\"id\":1,\"_change_type\":\"delete\","));
    g_autoptr(Harness) snapshot = lake_source_once(lake, FEED);
    g_autofree char *rows = read_texts(snapshot);
    g_assert_cmpstr(rows, ==,
                    "{\"id\":2,\"_change_type\":\"insert\",\"_commit_version\":2,\"_commit_timestamp\":"
                    "\"2024-01-15T10:00:00.123000Z\"}\n");
}

/* A file of changes has its types, and the commit's adds and removes are not looked at. */
static void test_files_of_changes(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 2, "");
    enable_feed(lake);
    g_autofree char *dir = g_build_filename(lake->dir, "other", NULL);
    Lake other = {.dir = lake->dir, .table = dir};
    g_autofree char *yaml = g_strdup_printf("url: file://%s\n", dir);
    const char *rows[] = {"[1, \"update_preimage\"]", "[1, \"update_postimage\"]", "[0, \"delete\"]"};
    Harness *sink = harness_new("delta-silver-sink", yaml);
    harness_input_text(sink, "rows", "id bigint, _change_type string");
    harness_write(sink, 0, harness_rows(sink, 0, "rows/0", 0, rows, G_N_ELEMENTS(rows)));
    harness_commit(sink, SF_COMMIT_END);
    harness_free(sink);
    g_autofree char *name = lake_added(&other, 0, ""), *from = g_build_filename(dir, name, NULL);
    g_autofree char *folder = g_build_filename(lake->table, "_change_data", NULL);
    g_autofree char *to = g_build_filename(folder, "c.parquet", NULL), *old = lake_added(lake, 0, "");
    GStatBuf info;
    g_assert_cmpint(g_mkdir(folder, 0777), ==, 0);
    g_assert_cmpint(g_rename(from, to), ==, 0);
    g_assert_cmpint(g_stat(to, &info), ==, 0);
    g_autofree char *removed = remove_line(old, "\"dataChange\":true,");
    g_autofree char *lines = g_strdup_printf("%s{\"cdc\":{\"path\":\"_change_data/c.parquet\",\"partitionValues\":{},"
                                             "\"size\":%" G_GINT64_FORMAT ",\"dataChange\":false}}\n",
                                             removed, (gint64) info.st_size);
    lake_commit(lake, lines);
    g_autoptr(Harness) h = lake_source_once(lake, FEED "starting_version: 1\n");
    g_autofree char *text = read_texts(h);
    g_assert_cmpstr(text, ==,
                    "{\"id\":1,\"_change_type\":\"update_preimage\",\"_commit_version\":1,\"_commit_timestamp\":null}\n"
                    "{\"id\":1,\"_change_type\":\"update_postimage\",\"_commit_version\":1,\"_commit_timestamp\":null}"
                    "\n{\"id\":0,\"_change_type\":\"delete\",\"_commit_version\":1,\"_commit_timestamp\":null}\n");
    g_autoptr(Harness) some = lake_source_once(lake, FEED "starting_version: 1\nwhere: id = 0\n");
    g_autofree char *one = read_texts(some);
    g_assert_cmpstr(one, ==,
                    "{\"id\":0,\"_change_type\":\"delete\",\"_commit_version\":1,\"_commit_timestamp\":null}\n");
}

/* ---- deletion vectors: Spark deleted every tenth of 1,000 rows ---- */

static void take_spark_table(Lake *lake)
{
    const char *argv[] = {"tar", "xzf", SF_SOURCE_DIR "/tests/data/delta-tables.tgz", "-C", lake->dir, "sp/dv", NULL};
    int status = -1;
    g_assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
    g_free(lake->table);
    lake->table = g_build_filename(lake->dir, "sp", "dv", NULL);
}

static void test_deletion_vectors(Lake *lake, gconstpointer unused)
{
    (void) unused;
    take_spark_table(lake);
    g_autoptr(Harness) snapshot = lake_source_once(lake, "where: id < 25\n");
    expect_ids(snapshot, SF_END, "1-9 11-19 21-24");
    g_autoptr(GHashTable) all = lake_positions(lake, "", -1);
    g_assert_cmpuint(g_hash_table_size(all), ==, 900);
    gint64 id = 501;
    const gint64 *position = g_hash_table_lookup(all, &id);
    g_autoptr(GHashTable) some = lake_positions(lake, "", *position);
    g_assert_cmpuint(g_hash_table_size(some), ==, 450); /* of 501 … 999 */
    g_autoptr(Harness) stops = lake_source_once(lake, "starting_version: 1\n");
    expect_stop(stops, SF_CONFIG, "0-999", "version 2 deletes or updates rows");
}

static void test_deleted_by_vector(Lake *lake, gconstpointer unused)
{
    (void) unused;
    take_spark_table(lake);
    lake_replace(lake, 0, "\"delta.enableDeletionVectors\":\"true\"},\"createdTime\"",
                 "\"delta.enableChangeDataFeed\":\"true\"},\"createdTime\"");
    g_autoptr(Harness) h = lake_source_once(lake, FEED "starting_version: 2\nwhere: id < 25\n");
    g_autofree char *text = read_texts(h);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 4);
    for (int i = 0; i < 3; i++) {
        g_autofree char *begin =
            g_strdup_printf("{\"id\":%d,\"_change_type\":\"delete\",\"_commit_version\":2,", 10 * i);
        g_assert_true(g_str_has_prefix(lines[i], begin));
    }
}

/* ---- columns that change ---- */

static void test_new_column(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    g_autoptr(Harness) all = lake_source(lake, "");
    g_autoptr(Harness) some = lake_source(lake, "columns: [id]\n");
    expect_ids(all, SF_EMPTY, "0-9");
    expect_ids(some, SF_EMPTY, "0-9");
    g_autofree char *yaml = g_strdup_printf("url: file://%s\n", lake->table);
    const char *rows[] = {"[10, \"2024-01-01\", \"x\", 7]"};
    Harness *sink = harness_new("delta-silver-sink", yaml);
    harness_input_text(sink, "rows", "id bigint, day date, text string, extra int");
    harness_write(sink, 0, harness_rows(sink, 0, "others/0", 0, rows, 1));
    harness_commit(sink, SF_COMMIT_END);
    harness_free(sink);
    harness_pass(all, 1000);
    harness_pass(some, 1000);
    expect_ids(some, SF_EMPTY, "10");
    expect_stop(all, SF_FENCED, "", "changed the table's columns; the pipeline begins anew with them");
    harness_answer(all, lake->table, VERSION);
    harness_reopen(all);
    const SfBatch *batch = NULL;
    while (!batch || sf_rows(batch) == 0)
        g_assert_nonnull(batch = harness_poll(all, 0));
    g_assert_cmpstr(harness_text(all, batch), ==, "{\"id\":10,\"day\":\"2024-01-01\",\"text\":\"x\",\"extra\":7}");
}

static void test_column_that_goes(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    g_autoptr(Harness) h = lake_source(lake, "columns: [id, text]\n");
    expect_ids(h, SF_EMPTY, "0-9");
    lake_commit(lake,
                "{\"metaData\":{\"id\":\"x\",\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{"
                "\\\"name\\\":\\\"id\\\",\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\","
                "\"partitionColumns\":[],\"configuration\":{}}}\n");
    harness_pass(h, 1000);
    expect_stop(h, SF_CONFIG, "", "version 1 changed the table: columns: the table has no column 'text'");
}

static void test_unknown_feature(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    g_autoptr(Harness) h = lake_source(lake, "");
    expect_ids(h, SF_EMPTY, "0-9");
    lake_commit(lake, "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"newThing\"],"
                      "\"writerFeatures\":[\"newThing\"]}}\n");
    harness_pass(h, 1000);
    expect_stop(h, SF_CONFIG, "", "newThing");
}

/* ---- what is missing or damaged ---- */

static void remove_added(const Lake *lake, gint64 version)
{
    g_autofree char *name = lake_added(lake, version, ""), *path = g_build_filename(lake->table, name, NULL);
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void test_missing_file(Lake *lake, gconstpointer unused)
{
    (void) unused;
    for (int i = 0; i < 3; i++)
        lake_write(lake, 10 * i, 10, "");
    remove_added(lake, 1);
    g_autoptr(Harness) stops = lake_source_once(lake, "");
    expect_stop(stops, SF_FATAL, "0-9", "it is not there: was it vacuumed before it was read?");
    g_assert_nonnull(strstr(stops->err.message, "version 2, file 'part-"));
    g_autoptr(Harness) skips = lake_source_once(lake, "on_missing: skip\n");
    expect_ids(skips, SF_END, "0-9 20-29");
    g_assert_nonnull(strstr(harness_logs(skips), "is missing: 10 rows are passed over"));
    g_autoptr(Harness) behind = lake_source_once(lake, "");
    harness_answer(behind, lake->table, 2 * VERSION + SNAPSHOT + 20);
    expect_ids(behind, SF_END, "20-29");
}

/* Also of a file whose rows the log does not count. */
static void test_files_without_statistics(Lake *lake, gconstpointer unused)
{
    (void) unused;
    for (int i = 0; i < 3; i++) {
        lake_write(lake, 10 * i, 10, "");
        lake_replace(lake, i, "numRecords", "number");
    }
    g_autoptr(Harness) h = lake_source_once(lake, "");
    harness_answer(h, lake->table, 2 * VERSION + SNAPSHOT + 15);
    expect_ids(h, SF_END, "15-29");
    remove_added(lake, 0);
    g_autoptr(Harness) stops = lake_source_once(lake, "");
    expect_stop(stops, SF_FATAL, "", "it is not there");
    g_autoptr(Harness) skips = lake_source_once(lake, "on_missing: skip\n");
    expect_ids(skips, SF_END, "10-29");
    g_assert_nonnull(strstr(harness_logs(skips), "is missing: an unknown number of rows are passed over"));
}

static void test_damaged_file(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    lake_write(lake, 10, 5000, "");
    g_autofree char *name = lake_added(lake, 1, ""), *path = g_build_filename(lake->table, name, NULL);
    g_autofree char *bytes = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    bytes[200] = (char) ~bytes[200];
    g_assert_true(g_file_set_contents(path, bytes, (gssize) size, NULL));
    g_autoptr(Harness) h = lake_source_once(lake, "on_missing: skip\n");
    expect_stop(h, SF_FATAL, "0-9", "a page's CRC does not fit its bytes");
    g_assert_nonnull(strstr(h->err.message, "version 1, file 'part-"));
    bytes[200] = (char) ~bytes[200]; /* once it is restored, the same source goes on */
    g_assert_true(g_file_set_contents(path, bytes, (gssize) size, NULL));
    h->err.message[0] = '\0';
    expect_ids(h, SF_END, "10-5009");
    g_assert_true(g_file_set_contents(path, bytes, (gssize) size - 1, NULL));
    g_autoptr(Harness) shorter = lake_source_once(lake, "");
    expect_stop(shorter, SF_FATAL, "0-9", "bytes, the log says ");
}

static void test_counts_that_differ(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    lake_replace(lake, 0, "\\\"numRecords\\\":10", "\\\"numRecords\\\":11");
    g_autoptr(Harness) h = lake_source_once(lake, "");
    expect_stop(h, SF_FATAL, "", "it has 10 rows, the log says 11");
}

static void test_log_that_was_cleaned(Lake *lake, gconstpointer unused)
{
    (void) unused;
    for (int i = 0; i < 12; i++)
        lake_write(lake, 10 * i, 10, "checkpoint_interval: 10\n");
    for (int i = 0; i < 5; i++) {
        g_autofree char *path = lake_log_path(lake, i);
        g_assert_cmpint(g_remove(path), ==, 0);
    }
    g_autoptr(Harness) stops = lake_source_once(lake, "");
    harness_answer(stops, lake->table, 3 * VERSION);
    expect_stop(stops, SF_FATAL, "", "version 3 is no longer in the log, which goes on with 5");
    g_autoptr(Harness) skips = lake_source_once(lake, "on_missing: skip\n");
    harness_answer(skips, lake->table, 3 * VERSION);
    expect_ids(skips, SF_END, "50-119");
    g_assert_nonnull(strstr(harness_logs(skips), "versions 3 to 4 are no longer in the log, and are passed over"));
    g_autoptr(Harness) snapshot = lake_source_once(lake, "");
    harness_answer(snapshot, lake->table, 3 * VERSION + SNAPSHOT);
    expect_stop(snapshot, SF_CONFIG, "", "the snapshot that was being read is gone");
    g_autoptr(Harness) alone = lake_source_once(lake, "");
    harness_answer(alone, lake->table, 5 * VERSION);
    expect_ids(alone, SF_END, "50-119");
    g_autoptr(Harness) joined = lake_source_once(lake, "");
    harness_answer(joined, lake->table, 5 * VERSION);
    harness_answer_fresh(joined);
    expect_stop(joined, SF_CONFIG, "", "run the pipeline without the new sink until the others have caught up");
}

static void test_hole(Lake *lake, gconstpointer unused)
{
    (void) unused;
    for (int i = 0; i < 3; i++)
        lake_write(lake, 10 * i, 10, "");
    g_autofree char *second = lake_log_path(lake, 1), *third = lake_log_path(lake, 2);
    g_autofree char *keep = g_build_filename(lake->dir, "kept", NULL);
    g_assert_cmpint(g_remove(second), ==, 0);
    g_assert_cmpint(g_rename(third, keep), ==, 0);
    g_autoptr(Harness) h = lake_source(lake, "");
    expect_ids(h, SF_EMPTY, "0-9");
    g_assert_cmpint(g_rename(keep, third), ==, 0);
    while (h->status == SF_EMPTY) {
        harness_pass(h, 1000);
        harness_poll(h, 0);
    }
    g_assert_cmpint(h->status, ==, SF_FATAL);
    g_assert_nonnull(strstr(h->err.message, "the log has a hole: version 1 is missing, 2 is there"));
}

/* ---- another table ---- */

static char *origin_of(const Lake *lake)
{
    g_autofree char *path = lake_log_path(lake, 0), *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    const char *at = strstr(text, "\"metaData\":{\"id\":\"");
    g_assert_nonnull(at);
    at += strlen("\"metaData\":{\"id\":\"");
    return g_strndup(at, strcspn(at, "\""));
}

static void test_created_anew_while_stopped(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    g_autofree char *old = origin_of(lake);
    g_autoptr(Harness) same = lake_source_once(lake, "");
    harness_answer(same, lake->table, VERSION);
    harness_keep(same, lake->table, -1, old);
    expect_ids(same, SF_END, "");
    remove_tree(lake->table);
    lake_write(lake, 0, 10, "");
    lake_write(lake, 10, 10, "");
    g_autoptr(Harness) h = lake_source_once(lake, "");
    harness_answer(h, lake->table, VERSION);
    harness_keep(h, lake->table, -1, old);
    expect_stop(h, SF_CONFIG, "", "the table was created anew (its id is ");
    g_autoptr(Harness) ahead = lake_source_once(lake, "");
    harness_answer(ahead, lake->table, 7 * VERSION);
    expect_stop(ahead, SF_CONFIG, "", "a sink has rows of version 7, but the newest is 1");
}

static void test_created_anew_while_read(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    g_autoptr(Harness) h = lake_source(lake, "");
    expect_ids(h, SF_EMPTY, "0-9");
    remove_tree(lake->table);
    lake_write(lake, 5, 7, "");
    lake_write(lake, 20, 10, "");
    harness_pass(h, 1000);
    expect_stop(h, SF_CONFIG, "", "the table was created anew while it was read");
}

/* A condition decides what a position within a chunk means. */
static void test_another_condition(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    g_autofree char *id = origin_of(lake), *kept = g_strconcat(id, ",where=0123456789abcdef", NULL);
    g_autoptr(Harness) within = lake_source_once(lake, "where: id > 5\n");
    harness_answer(within, lake->table, SNAPSHOT + 2);
    harness_keep(within, lake->table, -1, kept);
    expect_stop(within, SF_CONFIG, "", "where: it is another one than that by which a sink was filled");
    g_autoptr(Harness) between = lake_source_once(lake, "where: id > 5\n");
    harness_answer(between, lake->table, SNAPSHOT);
    harness_keep(between, lake->table, -1, kept);
    expect_ids(between, SF_END, "6-9");
}

#define ADD(name, function) g_test_add("/delta-source/changes/" name, Lake, NULL, lake_set_up, function, lake_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("optimize is passed over", test_optimize_is_passed_over);
    ADD("deletes", test_deletes);
    ADD("inferred changes", test_inferred_changes);
    ADD("files of changes", test_files_of_changes);
    ADD("deletion vectors", test_deletion_vectors);
    ADD("deleted by a vector", test_deleted_by_vector);
    ADD("a new column", test_new_column);
    ADD("a column that goes", test_column_that_goes);
    ADD("an unknown feature", test_unknown_feature);
    ADD("a missing file", test_missing_file);
    ADD("files without statistics", test_files_without_statistics);
    ADD("a damaged file", test_damaged_file);
    ADD("counts that differ", test_counts_that_differ);
    ADD("a log that was cleaned up", test_log_that_was_cleaned);
    ADD("a hole in the log", test_hole);
    ADD("created anew while stopped", test_created_anew_while_stopped);
    ADD("created anew while read", test_created_anew_while_read);
    ADD("another condition", test_another_condition);
    return g_test_run();
}
