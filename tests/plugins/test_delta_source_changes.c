/* delta-source: commits that do more than add rows, and columns that change. */
#include <glib/gstdio.h>
#include <string.h>

#include "lake_place.h"

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
    lake_expect_ids(h, SF_EMPTY, "0-19");
    optimize(lake);
    lake_write(lake, 20, 10, "");
    harness_pass(h, 1000);
    lake_expect_ids(h, SF_EMPTY, "20-29");
    g_assert_cmpstr(harness_logs(h), ==, "");
    /* A snapshot that was begun before it goes on with the files that it had. */
    g_autoptr(Harness) later = lake_source(lake, "");
    harness_answer(later, lake->table, VERSION + SNAPSHOT + 5);
    lake_expect_ids(later, SF_EMPTY, "5-29");
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
    lake_expect_stop(stops, SF_CONFIG, "0-19", "version 2 deletes or updates rows (1 files removed, 0 added)");
    g_assert_nonnull(strstr(stops->err.message, "'on_change: ignore' passes over"));
    g_assert_cmpint(harness_polled(stops, lake->table), ==, 2 * VERSION);
    g_autoptr(Harness) ignores = lake_source_once(lake, "starting_version: 0\non_change: ignore\n");
    lake_expect_ids(ignores, SF_END, "0-29");
    g_assert_nonnull(strstr(harness_logs(ignores), "warning: "));
    g_assert_nonnull(strstr(harness_logs(ignores), "version 2 deletes or updates rows, and is passed over"));
    g_autoptr(Harness) snapshot = lake_source_once(lake, "");
    lake_expect_ids(snapshot, SF_END, "10-29");
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

/* A remove need not say what its partition is: then nobody knows it. */
static void test_partition_that_is_left_out(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 2, "partition_by: [day]\n");
    enable_feed(lake);
    delete_file(lake, 0);
    g_autoptr(Harness) h = lake_source_once(lake, "on_change: cdf\nstarting_version: 1\n");
    lake_expect_stop(h, SF_FATAL, "", "no value of the partition column 'day', and the file has no such column");
    g_assert_nonnull(strstr(h->err.message, "version 1, file 'day=2024-01-01/"));
    g_autoptr(Harness) without = lake_source_once(lake, FEED "starting_version: 1\n");
    lake_expect_ids(without, SF_END, "0-1");
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
    lake_expect_ids(snapshot, SF_END, "1-9 11-19 21-24");
    g_autoptr(GHashTable) all = lake_positions(lake, "", -1);
    g_assert_cmpuint(g_hash_table_size(all), ==, 900);
    gint64 id = 501;
    const gint64 *position = g_hash_table_lookup(all, &id);
    g_autoptr(GHashTable) some = lake_positions(lake, "", *position);
    g_assert_cmpuint(g_hash_table_size(some), ==, 450); /* of 501 … 999 */
    g_autoptr(Harness) stops = lake_source_once(lake, "starting_version: 1\n");
    lake_expect_stop(stops, SF_CONFIG, "0-999", "version 2 deletes or updates rows");
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

static void write_extra(const Lake *lake)
{
    g_autofree char *yaml = g_strdup_printf("url: file://%s\n", lake->table);
    const char *rows[] = {"[10, \"2024-01-01\", \"x\", 7]"};
    Harness *sink = harness_new("delta-silver-sink", yaml);
    harness_input_text(sink, "rows", "id bigint, day date, text string, extra int");
    harness_write(sink, 0, harness_rows(sink, 0, "others/0", 0, rows, 1));
    harness_commit(sink, SF_COMMIT_END);
    harness_free(sink);
}

static void test_new_column(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    g_autoptr(Harness) all = lake_source(lake, "");
    g_autoptr(Harness) some = lake_source(lake, "columns: [id]\n");
    lake_expect_ids(all, SF_EMPTY, "0-9");
    lake_expect_ids(some, SF_EMPTY, "0-9");
    write_extra(lake);
    harness_pass(all, 1000);
    harness_pass(some, 1000);
    lake_expect_ids(some, SF_EMPTY, "10");
    lake_expect_stop(all, SF_FENCED, "", "changed the table's columns; the pipeline begins anew with them");
    harness_answer(all, lake->table, VERSION);
    harness_reopen(all);
    const SfBatch *batch = NULL;
    while (!batch || sf_rows(batch) == 0)
        g_assert_nonnull(batch = harness_poll(all, 0));
    g_assert_cmpstr(harness_text(all, batch), ==, "{\"id\":10,\"day\":\"2024-01-01\",\"text\":\"x\",\"extra\":7}");
}

/* A look that fails behind the commit that it could read, is gone on with by the next one. */
static void test_look_that_fails(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    g_autoptr(Harness) all = lake_source(lake, "");
    g_autoptr(Harness) some = lake_source(lake, "columns: [id]\n");
    lake_expect_ids(all, SF_EMPTY, "0-9");
    lake_expect_ids(some, SF_EMPTY, "0-9");
    write_extra(lake);
    g_autofree char *path = lake_log_path(lake, lake_commit(lake, "{damaged\n"));
    Harness *const both[] = {all, some};
    for (gsize i = 0; i < G_N_ELEMENTS(both); i++) {
        harness_pass(both[i], 1000);
        g_assert_null(harness_poll(both[i], 0));
        g_assert_cmpint(both[i]->status, ==, SF_FATAL);
        both[i]->err.message[0] = '\0';
    }
    g_assert_cmpint(g_remove(path), ==, 0);
    lake_expect_ids(some, SF_EMPTY, "10");
    lake_expect_stop(all, SF_FENCED, "", "changed the table's columns; the pipeline begins anew with them");
    lake_expect_stop(all, SF_FENCED, "", "changed the table's columns"); /* until that is done */
}

static void test_column_that_goes(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    g_autoptr(Harness) h = lake_source(lake, "columns: [id, text]\n");
    lake_expect_ids(h, SF_EMPTY, "0-9");
    lake_commit(lake,
                "{\"metaData\":{\"id\":\"x\",\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{"
                "\\\"name\\\":\\\"id\\\",\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\","
                "\"partitionColumns\":[],\"configuration\":{}}}\n");
    harness_pass(h, 1000);
    lake_expect_stop(h, SF_CONFIG, "", "version 1 changed the table: columns: the table has no column 'text'");
}

/* A line of a version's commit that has that text in it. */
static char *commit_line(const Lake *lake, gint64 version, const char *part)
{
    g_autofree char *path = lake_log_path(lake, version), *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (strstr(*line, part))
            return g_strconcat(*line, "\n", NULL);
    }
    g_assert_not_reached();
}

/* Dropped and added again under its name, it has another one in files. */
static void test_column_that_comes_again(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "table_properties: {delta.columnMapping.mode: name}\n");
    g_autoptr(Harness) h = lake_source(lake, "where: text IS NOT NULL\n");
    lake_expect_ids(h, SF_EMPTY, "0-9");
    g_autofree char *before = commit_line(lake, 0, "\"metaData\"");
    char *at = strstr(before, "\\\"name\\\":\\\"text\\\"");
    g_assert_nonnull(at);
    char *name = strstr(at, "col-");
    g_assert_nonnull(name);
    memcpy(name, "new-", 4);
    lake_commit(lake, before);
    lake_write(lake, 10, 10, "");
    harness_pass(h, 1000);
    lake_expect_ids(h, SF_EMPTY, "10-19");
}

static void test_unknown_feature(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    g_autoptr(Harness) h = lake_source(lake, "");
    lake_expect_ids(h, SF_EMPTY, "0-9");
    lake_commit(lake, "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"newThing\"],"
                      "\"writerFeatures\":[\"newThing\"]}}\n");
    harness_pass(h, 1000);
    lake_expect_stop(h, SF_CONFIG, "", "newThing");
}

#define ADD(name, function) g_test_add("/delta-source/changes/" name, Lake, NULL, lake_set_up, function, lake_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("optimize is passed over", test_optimize_is_passed_over);
    ADD("deletes", test_deletes);
    ADD("inferred changes", test_inferred_changes);
    ADD("a partition that is left out", test_partition_that_is_left_out);
    ADD("files of changes", test_files_of_changes);
    ADD("deletion vectors", test_deletion_vectors);
    ADD("deleted by a vector", test_deleted_by_vector);
    ADD("a new column", test_new_column);
    ADD("a look that fails", test_look_that_fails);
    ADD("a column that goes", test_column_that_goes);
    ADD("a column that comes again", test_column_that_comes_again);
    ADD("an unknown feature", test_unknown_feature);
    return g_test_run();
}
