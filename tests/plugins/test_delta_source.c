/* delta-source: the rows of a table, as a snapshot and version by version, each exactly once wherever a sink stands. */
#include <glib/gstdio.h>
#include <string.h>
#include <utime.h>

#include "lake_place.h"

static void expect_run(const Lake *lake, const char *options, gint64 from, const char *ids)
{
    g_autoptr(Harness) h = lake_source_once(lake, options);
    if (from >= 0)
        harness_answer(h, lake->table, from);
    lake_expect_ids(h, SF_END, ids);
}

/* ---- snapshots and versions ---- */

static void test_snapshot_then_versions(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 5000, "");
    lake_write(lake, 5000, 100, "");
    g_autoptr(Harness) h = lake_source(lake, "");
    lake_expect_ids(h, SF_EMPTY, "0-5099");
    g_assert_cmpint(h->charged, ==, 0);
    g_assert_cmpint(h->charged_peak, >, 0);
    g_assert_cmpstr(harness_assigned(h), ==, lake->table);
    g_assert_cmpint(harness_polled(h, lake->table), ==, 2 * VERSION);
    g_assert_cmpint(harness_lag(h, lake->table), ==, VERSION + SNAPSHOT + 5100); /* in rows, which nobody has yet */
    harness_publish(h, false);
    g_assert_cmpint(harness_lag(h, lake->table), ==, 2 * VERSION);
    lake_write(lake, 5100, 10, "");
    lake_expect_ids(h, SF_EMPTY, ""); /* it is not time to look */
    harness_pass(h, 1000);
    lake_expect_ids(h, SF_EMPTY, "5100-5109");
    lake_write(lake, 5110, 1, "");
    lake_write(lake, 5111, 1, "");
    harness_pass(h, 1000);
    lake_expect_ids(h, SF_EMPTY, "5110-5111");
    g_assert_cmpint(harness_polled(h, lake->table), ==, 5 * VERSION);
}

static void test_where_it_begins(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    lake_write(lake, 10, 10, "");
    lake_write(lake, 20, 10, "");
    expect_run(lake, "", -1, "0-29");
    expect_run(lake, "starting: latest\n", -1, "");
    expect_run(lake, "starting_version: 1\n", -1, "10-29");
    expect_run(lake, "starting: version\nstarting_version: 0\n", -1, "0-29");
    expect_run(lake, "startingVersion: 2\n", -1, "20-29");
    expect_run(lake, "startingVersion: latest\n", -1, "");
    expect_run(lake, "starting_timestamp: 2000-01-01\n", -1, "0-29");
    expect_run(lake, "startingTimestamp: '2099-01-01T00:00:00Z'\n", -1, "");
    expect_run(lake, "starting: latest\n", 1 * VERSION, "10-29");
    expect_run(lake, "", 2 * VERSION + 4, "24-29");
    expect_run(lake, "", 2 * VERSION + SNAPSHOT + 4, "4-29");
    expect_run(lake, "", 3 * VERSION, "");
}

static void test_time_of_versions(Lake *lake, gconstpointer unused)
{
    (void) unused;
    for (int i = 0; i < 3; i++) {
        lake_write(lake, 10 * i, 10, "");
        g_autofree char *path = lake_log_path(lake, i);
        struct utimbuf times = {1705312800 + 3600 * i, 1705312800 + 3600 * i}; /* 2024-01-15 10:00 UTC, 11:00, 12:00 */
        g_assert_cmpint(g_utime(path, &times), ==, 0);
    }
    expect_run(lake, "starting_timestamp: '2024-01-15 10:00:00'\n", -1, "0-29");
    expect_run(lake, "starting_timestamp: '2024-01-15 10:00:01'\n", -1, "10-29");
    expect_run(lake, "starting_timestamp: '2024-01-15T11:00:00Z'\n", -1, "10-29");
    expect_run(lake, "starting_timestamp: '2024-01-15T11:00:00.001Z'\n", -1, "20-29");
    expect_run(lake, "starting_timestamp: 2024-01-16\n", -1, "");
}

/* Every row has the same position wherever a run begins, and a run from it gives that row first. */
static void check_positions(const Lake *lake, const char *options, gint64 first, gint64 last)
{
    g_autoptr(GHashTable) all = lake_positions(lake, options, -1);
    g_assert_cmpuint(g_hash_table_size(all), >, 0);
    for (gint64 id = first; id <= last; id++) {
        const gint64 *position = g_hash_table_lookup(all, &id);
        if (!position)
            continue;
        guint behind = 0;
        GHashTableIter iter;
        gpointer key, value;
        g_autoptr(GHashTable) some = lake_positions(lake, options, *position);
        g_hash_table_iter_init(&iter, all);
        while (g_hash_table_iter_next(&iter, &key, &value)) {
            const gint64 *other = g_hash_table_lookup(some, key);
            bool due = *(gint64 *) value >= *position;
            g_assert_true(due == (other != NULL));
            g_assert_true(!other || *other == *(gint64 *) value);
            behind += due;
        }
        g_assert_cmpuint(behind, ==, g_hash_table_size(some));
    }
}

static void test_positions_stay(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 9000, "");
    lake_write(lake, 9000, 5000, "");
    check_positions(lake, "", 4094, 4097);
    check_positions(lake, "", 13095, 13097);
    check_positions(lake, "where: id IN (1, 2, 999, 1000, 4096, 4097, 8191, 8192, 8999, 13500, 13600)\n", 0, 4100);
    check_positions(lake, "where: id > 13000 AND text != 'row 13100'\n", 13099, 13101);
    check_positions(lake, "starting_version: 0\n", 8998, 9002);
}

/* A snapshot in several runs, and another table by the time of the second. */
static void test_snapshot_in_parts(Lake *lake, gconstpointer unused)
{
    (void) unused;
    for (int i = 0; i < 5; i++)
        lake_write(lake, 10 * i, 10, "");
    gint64 position = -1;
    for (int i = 0; i < 3; i++) {
        g_autofree char *ids = g_strdup_printf("%d-%d", 20 * i, MIN(20 * i + 19, 49));
        g_autoptr(Harness) h = lake_source_once(lake, "max_files_per_trigger: 2\nwhere: id < 50\n");
        if (position >= 0)
            harness_answer(h, lake->table, position);
        lake_expect_ids(h, SF_END, ids);
        position = harness_polled(h, lake->table);
        lake_write(lake, 100 + 10 * i, 10, "");
    }
    g_assert_cmpint(position, ==, 7 * VERSION); /* what the last run found has no such rows */
    position = 5 * VERSION;
    expect_run(lake, "maxFilesPerTrigger: 1\n", position, "100-109");
    expect_run(lake, "max_bytes_per_trigger: 1\n", position, "100-109");
    g_autofree char *name = lake_added(lake, 5, ""), *path = g_build_filename(lake->table, name, NULL);
    GStatBuf info;
    g_assert_cmpint(g_stat(path, &info), ==, 0);
    g_autofree char *two = g_strdup_printf("max_bytes_per_trigger: %d\n", (int) info.st_size * 2 + 100);
    expect_run(lake, two, position, "100-119");
    expect_run(lake, "maxBytesPerTrigger: 100MiB\n", position, "100-129");
    expect_run(lake, "", 4 * VERSION + SNAPSHOT + 15, "15-49 100-129");
}

/* A sink that has nothing begins before all that another one still needs, and gets each row once, too. */
static void expect_joint_run(const Lake *lake, const char *options, gint64 from, gint64 start, const char *ids)
{
    g_autoptr(Harness) h = lake_source_once(lake, options);
    harness_answer(h, lake->table, from);
    harness_answer_fresh(h);
    const SfBatch *first = harness_poll(h, 0);
    g_assert_cmpstr(h->err.message, ==, "");
    g_assert_nonnull(first);
    g_assert_cmpint(first->start, ==, start);
    g_autoptr(Harness) again = lake_source_once(lake, options);
    harness_answer(again, lake->table, from);
    harness_answer_fresh(again);
    lake_expect_ids(again, SF_END, ids);
}

static void test_new_sink_beside_another(Lake *lake, gconstpointer unused)
{
    (void) unused;
    for (int i = 0; i < 4; i++)
        lake_write(lake, 10 * i, 10, "");
    expect_joint_run(lake, "", 2 * VERSION + SNAPSHOT + 5, 2 * VERSION + SNAPSHOT, "0-39"); /* within a snapshot */
    expect_joint_run(lake, "", 3 * VERSION, 2 * VERSION + SNAPSHOT, "0-39");                /* before a commit */
    expect_joint_run(lake, "", 3 * VERSION + 4, 2 * VERSION + SNAPSHOT, "0-39");            /* within it */
    expect_joint_run(lake, "", 4 * VERSION, 3 * VERSION + SNAPSHOT, "0-39");                /* it has all */
    expect_joint_run(lake, "", 3, 0, "0-39");                                               /* nothing is before it */
    expect_joint_run(lake, "starting_version: 1\n", 2 * VERSION + 5, VERSION, "10-39");
    g_autoptr(Harness) part = lake_source_once(lake, "starting_version: 1\n");
    harness_answer(part, lake->table, 2 * VERSION + SNAPSHOT + 5);
    harness_answer_fresh(part);
    g_assert_null(harness_poll(part, 0));
    g_assert_cmpint(part->status, ==, SF_CONFIG);
    g_assert_nonnull(strstr(part->err.message, "one sink has a part of version 2 as a snapshot, another one has got to "
                                               "version 1 only"));
}

static void test_quota_by_time(Lake *lake, gconstpointer unused)
{
    (void) unused;
    for (int i = 0; i < 4; i++)
        lake_write(lake, 10 * i, 10, "");
    g_autoptr(Harness) h = lake_source(lake, "max_files_per_trigger: 1\ninterval: 5s\n");
    lake_expect_ids(h, SF_EMPTY, "0-9");
    lake_expect_ids(h, SF_EMPTY, "");
    harness_pass(h, 4999);
    lake_expect_ids(h, SF_EMPTY, "");
    harness_pass(h, 1);
    lake_expect_ids(h, SF_EMPTY, "10-19");
    harness_pass(h, 5000);
    lake_expect_ids(h, SF_EMPTY, "20-29");
}

static void test_bounded_ends(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    g_autoptr(Harness) h = lake_source_once(lake, "");
    g_assert_nonnull(harness_poll(h, 0));
    lake_write(lake, 10, 10, "");
    harness_pass(h, 100000);
    lake_expect_ids(h, SF_END, "");
    g_assert_cmpint(harness_lag(h, lake->table), ==, SNAPSHOT + 10);
    expect_run(lake, "", 1 * VERSION, "10-19");
}

/* Rows that are to come, and those that sinks have not committed. */
static void test_lag(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 5000, "");
    lake_write(lake, 5000, 100, "");
    lake_write(lake, 5100, 30, "");
    g_autoptr(Harness) h = lake_source(lake, "starting_version: 0\n");
    g_assert_nonnull(harness_poll(h, 0)); /* 4,096 rows */
    g_assert_cmpint(harness_lag(h, lake->table), ==, 5000 + 2);
    harness_publish(h, false);
    g_assert_cmpint(harness_lag(h, lake->table), ==, 4096 + 904 + 2);
    g_assert_nonnull(harness_poll(h, 0));
    g_assert_cmpint(harness_lag(h, lake->table), ==, 4096 + 904 + 2);
    g_assert_nonnull(harness_poll(h, 0));
    g_assert_cmpint(harness_lag(h, lake->table), ==, 4096 + 904 + 100 + 1);
    harness_publish(h, false);
    g_assert_cmpint(harness_lag(h, lake->table), ==, 2 * VERSION + 1);
    g_assert_nonnull(harness_poll(h, 0));
    harness_publish(h, false);
    g_assert_cmpint(harness_lag(h, lake->table), ==, 3 * VERSION);
}

/* ---- columns and rows that are asked for ---- */

static void test_columns(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 999, 2, "partition_by: [day]\n");
    static const char *const options[] = {"columns: [text, day]\n", "columns: {text: string, DAY: date}\n",
                                          "columns: {text: string not null, day: date not null}\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        g_autoptr(Harness) h = lake_source_once(lake, options[i]);
        g_autoptr(GString) all = g_string_new(NULL);
        for (const SfBatch *batch; (batch = harness_poll(h, 0));)
            g_string_append(all, harness_text(h, batch));
        g_assert_nonnull(strstr(all->str, i == 1 ? "{\"text\":\"row 999\",\"DAY\":\"2024-01-01\"}"
                                                 : "{\"text\":\"row 999\",\"day\":\"2024-01-01\"}"));
        g_assert_nonnull(strstr(all->str, "{\"text\":\"row 1000\""));
        g_assert_cmpstr(h->err.message, ==, "");
    }
}

static void expect_refused(const Lake *lake, const char *options, SfStatus status, const char *message)
{
    g_autoptr(Harness) h = lake_source_once(lake, options);
    SfStatus got = harness_try_bind(h);
    if (got == SF_OK)
        got = harness_try_open(h);
    while (got == SF_OK)
        got = harness_poll(h, 0) ? SF_OK : h->status;
    g_test_message("%s: %s", options, h->err.message);
    g_assert_cmpint(got, ==, status);
    g_assert_nonnull(strstr(h->err.message, message));
}

static void test_wrong_options(Lake *lake, gconstpointer unused)
{
    (void) unused;
    expect_refused(lake, "", SF_CONFIG, "there is no Delta table at '");
    expect_refused(lake, "columns: {id: bigint}\n", SF_CONFIG, "there is no Delta table at '");
    lake_write(lake, 0, 10, "");
    static const struct {
        const char *options, *message;
    } rows[] = {
        {"columns: [idd]\n", "columns: the table has no column 'idd'; did you mean 'id'?"},
        {"columns: {idd: bigint}\n", "columns: the table has no column 'idd'"},
        {"columns: {id: int}\n", "columns: 'id' is declared as int, the table has it as bigint"},
        {"columns: {id: whole}\n", "columns: 'whole' of column 'id' is not a type"},
        {"columns: []\n", "columns: a list of names, or a map"},
        {"columns: id\n", "columns: a list of names, or a map"},
        {"columns: [[id]]\n", "columns: a name of a column is expected"},
        {"where: idd = 3\n", "where: there is no column 'idd'; did you mean 'id'?: 'idd = 3'"},
        {"where: id =\n", "where: a number such as 12.50 is expected at the end"},
        {"starting: version\n", "starting: 'version' goes with starting_version"},
        {"starting: latest\nstarting_version: 3\n", "starting: 'version' goes with starting_version"},
        {"starting_version: 3\nstarting_timestamp: 2024-01-01\n", "not both"},
        {"starting_version: 2\n", "has no version 2 yet; the newest is 0"},
        {"startingVersion: soon\n", "startingVersion: 'soon' is not a version or 'latest'"},
        {"starting_timestamp: soon\n", "'soon' is not a time such as 2024-01-15"},
        {"on_change: cdf\n", "on_change: "},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        expect_refused(lake, rows[i].options, SF_CONFIG, rows[i].message);
}

/* Files that cannot have such rows are not opened: they may even be gone. */
static void test_pruning(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 3000, "partition_by: [day]\n");
    lake_write(lake, 3000, 10, "");
    g_autofree char *path = lake_added(lake, 0, "day=2024-01-02"), *file = g_build_filename(lake->table, path, NULL);
    g_assert_cmpint(g_remove(file), ==, 0);
    g_autoptr(Harness) h = lake_source_once(lake, "where: day = '2024-01-01' OR id > 3005\n");
    lake_expect_ids(h, SF_END, "0-999 3006-3009");
    g_assert_nonnull(strstr(harness_logs(h), "version 1 was read as a snapshot: 4 files, 2 of them passed over by "
                                             "partition values and statistics"));
    expect_run(lake, "where: day = '2024-01-03' AND id BETWEEN 2100 AND 2101\n", -1, "2100-2101");
    expect_refused(lake, "where: id = 1500\n", SF_FATAL, "it is not there: was it vacuumed");
}

static void test_mapped_columns(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 2000, "partition_by: [day]\ntable_properties: {delta.columnMapping.mode: name}\n");
    g_autofree char *path = lake_log_path(lake, 0), *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "physicalName\\\":\\\"col-"));
    expect_run(lake, "where: day = '2024-01-02' AND id < 1003 OR text = 'row 7'\n", -1, "7 1000-1002");
}

/* Rows of every type, some of which are left out, are as they are where none is. */
static void test_rows_of_all_types(Lake *lake, gconstpointer unused)
{
    (void) unused;
    g_autofree char *yaml = g_strdup_printf("url: file://%s\n", lake->table);
    const char *rows[] = {
        "[1, true, 3, 0.5, \"12.50\", \"a\", \"YQ==\", \"2024-01-15\", \"2024-01-15T10:30:00Z\", [\"x\", null], "
        "{\"p\": 1, \"q\": [2]}]",
        "[2, null, null, null, null, null, null, null, null, null, null]",
        "[3, false, -3, -0.5, \"-12.50\", \"\", \"\", \"1969-01-15\", \"1969-01-15T10:30:00Z\", [], {\"p\": null, "
        "\"q\": null}]",
    };
    Harness *sink = harness_new("delta-silver-sink", yaml);
    harness_input_text(sink, "rows",
                       "id bigint, b bool, i int, f double, m decimal(9,2), s string, z binary, d date, t timestamp, "
                       "l list<string>, r struct<p bigint, q list<int>>");
    harness_write(sink, 0, harness_rows(sink, 0, "rows/0", 0, rows, G_N_ELEMENTS(rows)));
    harness_commit(sink, SF_COMMIT_END);
    harness_free(sink);
    g_autoptr(Harness) all = lake_source_once(lake, "");
    const SfBatch *batch = harness_poll(all, 0);
    g_assert_nonnull(batch);
    g_auto(GStrv) lines = g_strsplit(harness_text(all, batch), "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 3);
    g_assert_nonnull(strstr(lines[0], "\"l\":[\"x\",null],\"r\":{\"p\":1,\"q\":[2]}}"));
    for (int i = 0; i < 3; i++) {
        g_autofree char *where = g_strdup_printf("where: id = %d\n", i + 1);
        g_autoptr(Harness) one = lake_source_once(lake, where);
        batch = harness_poll(one, 0);
        g_assert_nonnull(batch);
        g_assert_cmpstr(harness_text(one, batch), ==, lines[i]);
    }
    expect_refused(lake, "columns: {m: 'decimal(10,2)'}\n", SF_CONFIG,
                   "columns: 'm' is declared as decimal(10,2), the table has it as decimal(9,2)");
    expect_refused(lake, "columns: {m: 'decimal(9,3)'}\n", SF_CONFIG, "'m' is declared as decimal(9,3)");
    expect_refused(lake, "columns: {b: boolean not null}\n", SF_FATAL,
                   "column 'b' has nulls, and is declared as not null");
}

/* So long that a chunk comes in several batches. */
static void test_long_values(Lake *lake, gconstpointer unused)
{
    (void) unused;
    g_autofree char *yaml = g_strdup_printf("url: file://%s\n", lake->table);
    g_autofree char *text = g_strnfill(100000, 'x');
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
    for (int id = 0; id < 900; id++)
        g_ptr_array_add(rows, g_strdup_printf("[%d, \"%s\"]", id, text));
    Harness *sink = harness_new("delta-silver-sink", yaml);
    harness_input_text(sink, "rows", "id bigint, text string");
    harness_write(sink, 0, harness_rows(sink, 0, "rows/0", 0, (const char *const *) rows->pdata, rows->len));
    harness_commit(sink, SF_COMMIT_END);
    harness_free(sink);
    g_autoptr(Harness) h = lake_source_once(lake, "where: id != 3\n");
    const SfBatch *first = harness_poll(h, 0);
    g_assert_nonnull(first);
    g_assert_cmpint(sf_rows(first), <, 899);
    g_assert_cmpint(first->end, ==, SNAPSHOT + sf_rows(first));
    g_autoptr(Harness) later = lake_source_once(lake, "where: id != 3\n");
    harness_answer(later, lake->table, first->end + 100);
    g_autofree char *rest = g_strdup_printf("%" G_GINT64_FORMAT "-899", sf_rows(first) + 101);
    lake_expect_ids(later, SF_END, rest);
}

/* More files than are in memory at once: they come in the order of their age, and each once. */
static void test_many_files(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    g_autoptr(GString) lines = g_string_new(NULL);
    for (int i = 0; i < 9000; i++)
        g_string_append_printf(lines,
                               "{\"add\":{\"path\":\"f%d\",\"partitionValues\":{},\"size\":1,\"modificationTime\":%d,"
                               "\"dataChange\":true,\"stats\":\"{\\\"numRecords\\\":1,\\\"minValues\\\":{\\\"id\\\":"
                               "100},\\\"maxValues\\\":{\\\"id\\\":100}}\"}}\n",
                               i, 1000 + i * 7919 % 9000 / 3);
    lake_commit(lake, lines->str);
    lake_write(lake, 50, 10, "");
    g_autoptr(GHashTable) all = lake_positions(lake, "where: id < 100\n", -1);
    gint64 id = 0, last = 55;
    g_assert_cmpuint(g_hash_table_size(all), ==, 20);
    g_assert_cmpint(*(gint64 *) g_hash_table_lookup(all, &id), ==, 2 * VERSION + SNAPSHOT + 9000);
    g_assert_cmpint(*(gint64 *) g_hash_table_lookup(all, &last), ==, 2 * VERSION + SNAPSHOT + 9015);
    g_autoptr(Harness) h = lake_source_once(lake, "where: id < 100\n");
    harness_answer(h, lake->table, 2 * VERSION + SNAPSHOT + 9005);
    lake_expect_ids(h, SF_END, "5-9 50-59");
    g_assert_cmpint(h->charged_peak, <, 16 << 20);
    g_autoptr(Harness) end = lake_source_once(lake, "where: id < 100\n");
    harness_answer(end, lake->table, 2 * VERSION + SNAPSHOT + 9010);
    const SfBatch *batch = harness_poll(end, 0); /* the last file ends the version, too */
    g_assert_nonnull(batch);
    g_assert_cmpint(sf_rows(batch), ==, 10);
    g_assert_cmpint(batch->end, ==, 3 * VERSION);
    g_assert_nonnull(strstr(harness_logs(h), "9002 files, 9000 of them passed over"));
}

/* ---- waiting ---- */

static void test_table_that_comes_later(Lake *lake, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = lake_source(lake, "columns: {id: bigint}\n");
    lake_expect_ids(h, SF_EMPTY, "");
    lake_expect_ids(h, SF_EMPTY, "");
    g_assert_cmpstr(harness_assigned(h), ==, "");
    g_assert_nonnull(strstr(harness_logs(h), "waiting for it"));
    lake_write(lake, 0, 10, "");
    harness_pass(h, 1000);
    lake_expect_ids(h, SF_EMPTY, "0-9");
}

static void test_interrupt_ends_a_wait(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    g_autoptr(Harness) h = lake_source(lake, "interval: 1h\n");
    lake_expect_ids(h, SF_EMPTY, "0-9");
    harness_interrupt_after(h, 10);
    g_assert_null(harness_poll(h, 3600 * 1000)); /* or the test takes an hour */
    g_assert_cmpint(h->status, ==, SF_EMPTY);
}

#define ADD(name, function) g_test_add("/delta-source/" name, Lake, NULL, lake_set_up, function, lake_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("snapshot, then versions", test_snapshot_then_versions);
    ADD("where it begins", test_where_it_begins);
    ADD("time of versions", test_time_of_versions);
    ADD("positions stay", test_positions_stay);
    ADD("snapshot in parts", test_snapshot_in_parts);
    ADD("a new sink beside another", test_new_sink_beside_another);
    ADD("quota by time", test_quota_by_time);
    ADD("a bounded run ends", test_bounded_ends);
    ADD("lag", test_lag);
    ADD("columns", test_columns);
    ADD("wrong options", test_wrong_options);
    ADD("pruning", test_pruning);
    ADD("mapped columns", test_mapped_columns);
    ADD("rows of all types", test_rows_of_all_types);
    ADD("long values", test_long_values);
    ADD("many files", test_many_files);
    ADD("a table that comes later", test_table_that_comes_later);
    ADD("an interrupt ends a wait", test_interrupt_ends_a_wait);
    return g_test_run();
}
