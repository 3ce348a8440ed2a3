/* delta-source: what is missing or damaged, and tables that others take the place of. */
#include <glib/gstdio.h>
#include <string.h>

#include "lake_place.h"
#include "tree.h"

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
    lake_expect_stop(stops, SF_FATAL, "0-9", "it is not there: was it vacuumed before it was read?");
    g_assert_nonnull(strstr(stops->err.message, "version 2, file 'part-"));
    g_autoptr(Harness) skips = lake_source_once(lake, "on_missing: skip\n");
    lake_expect_ids(skips, SF_END, "0-9 20-29");
    g_assert_nonnull(strstr(harness_logs(skips), "is missing: 10 rows are passed over"));
    g_autoptr(Harness) behind = lake_source_once(lake, "");
    harness_answer(behind, lake->table, 2 * VERSION + SNAPSHOT + 20);
    lake_expect_ids(behind, SF_END, "20-29");
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
    lake_expect_ids(h, SF_END, "15-29");
    remove_added(lake, 0);
    g_autoptr(Harness) stops = lake_source_once(lake, "");
    lake_expect_stop(stops, SF_FATAL, "", "it is not there");
    g_autoptr(Harness) skips = lake_source_once(lake, "on_missing: skip\n");
    lake_expect_ids(skips, SF_END, "10-29");
    g_assert_nonnull(strstr(harness_logs(skips), "is missing: an unknown number of rows are passed over"));
    g_autoptr(Harness) within = lake_source_once(lake, "on_missing: skip\n");
    harness_answer(within, lake->table, 2 * VERSION + SNAPSHOT + 15);
    lake_expect_stop(within, SF_FATAL, "", "the log does not say how many rows it had");
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
    lake_expect_stop(h, SF_FATAL, "0-9", "a page's CRC does not fit its bytes");
    g_assert_nonnull(strstr(h->err.message, "version 1, file 'part-"));
    bytes[200] = (char) ~bytes[200]; /* once it is restored, the same source goes on */
    g_assert_true(g_file_set_contents(path, bytes, (gssize) size, NULL));
    h->err.message[0] = '\0';
    lake_expect_ids(h, SF_END, "10-5009");
    g_assert_true(g_file_set_contents(path, bytes, (gssize) size - 1, NULL));
    g_autoptr(Harness) shorter = lake_source_once(lake, "");
    lake_expect_stop(shorter, SF_FATAL, "0-9", "bytes, the log says ");
}

static void test_counts_that_differ(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    lake_replace(lake, 0, "\\\"numRecords\\\":10", "\\\"numRecords\\\":11");
    g_autoptr(Harness) h = lake_source_once(lake, "");
    lake_expect_stop(h, SF_FATAL, "", "it has 10 rows, the log says 11");
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
    lake_expect_stop(stops, SF_FATAL, "", "version 3 is no longer in the log, which goes on with 5");
    g_autoptr(Harness) skips = lake_source_once(lake, "on_missing: skip\n");
    harness_answer(skips, lake->table, 3 * VERSION);
    lake_expect_ids(skips, SF_END, "50-119");
    g_assert_nonnull(strstr(harness_logs(skips), "versions 3 to 4 are no longer in the log, and are passed over"));
    g_autoptr(Harness) snapshot = lake_source_once(lake, "");
    harness_answer(snapshot, lake->table, 3 * VERSION + SNAPSHOT);
    lake_expect_stop(snapshot, SF_CONFIG, "", "the snapshot that was being read is gone");
    g_autoptr(Harness) alone = lake_source_once(lake, "");
    harness_answer(alone, lake->table, 5 * VERSION);
    lake_expect_ids(alone, SF_END, "50-119");
    g_autoptr(Harness) joined = lake_source_once(lake, "");
    harness_answer(joined, lake->table, 5 * VERSION);
    harness_answer_fresh(joined);
    lake_expect_stop(joined, SF_CONFIG, "", "run the pipeline without the new sink until the others have caught up");
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
    lake_expect_ids(h, SF_EMPTY, "0-9");
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
    lake_expect_ids(same, SF_END, "");
    remove_tree(lake->table);
    lake_write(lake, 0, 10, "");
    lake_write(lake, 10, 10, "");
    g_autoptr(Harness) h = lake_source_once(lake, "");
    harness_answer(h, lake->table, VERSION);
    harness_keep(h, lake->table, -1, old);
    lake_expect_stop(h, SF_CONFIG, "", "the table was created anew (its id is ");
    g_autoptr(Harness) ahead = lake_source_once(lake, "");
    harness_answer(ahead, lake->table, 7 * VERSION);
    lake_expect_stop(ahead, SF_CONFIG, "", "a sink has rows of version 7, but the newest is 1");
}

static void test_created_anew_while_read(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake_write(lake, 0, 10, "");
    g_autoptr(Harness) h = lake_source(lake, "");
    lake_expect_ids(h, SF_EMPTY, "0-9");
    remove_tree(lake->table);
    lake_write(lake, 5, 7, "");
    lake_write(lake, 20, 10, "");
    harness_pass(h, 1000);
    lake_expect_stop(h, SF_CONFIG, "", "the table was created anew while it was read");
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
    lake_expect_stop(within, SF_CONFIG, "", "where: it is another one than that by which a sink was filled");
    lake_write(lake, 10, 5000, "");
    static const gint64 rows[] = {4096,
                                  4106}; /* of the version: within a file, the second of which has its own chunks */
    for (gsize i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) inside = lake_source_once(lake, "where: id > 5\n");
        harness_answer(inside, lake->table, VERSION + SNAPSHOT + rows[i / 2]);
        harness_keep(inside, lake->table, -1, kept);
        if (i % 2 == 1)
            harness_answer_fresh(inside); /* beside a sink that begins with the version's first row */
        lake_expect_stop(inside, SF_CONFIG, "", "where: it is another one than that by which a sink was filled");
    }
    g_autoptr(Harness) between = lake_source_once(lake, "where: id > 5\n");
    harness_answer(between, lake->table, SNAPSHOT);
    harness_keep(between, lake->table, -1, kept);
    lake_expect_ids(between, SF_END, "6-5009");
}

#define ADD(name, function) g_test_add("/delta-source/trouble/" name, Lake, NULL, lake_set_up, function, lake_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
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
