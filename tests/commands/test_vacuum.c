/* `sfrun table vacuum` of tables that delta-rs and Spark wrote: what goes, and above all what stays. */
#include <glib/gstdio.h>
#include <string.h>
#include <utime.h>

#include "fixture.h"

/* A file that is so many hours old. */
static void put_old(const Fixture *f, const char *key, const char *text, int hours)
{
    g_autofree char *path = g_build_filename(f->root, key, NULL), *directory = g_path_get_dirname(path);
    time_t when = (time_t) (g_get_real_time() / G_USEC_PER_SEC) - (time_t) hours * 3600;
    const struct utimbuf times = {.actime = when, .modtime = when};
    g_assert_cmpint(g_mkdir_with_parents(directory, 0777), ==, 0);
    if (text)
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(utime(path, &times), ==, 0);
}

static bool is_there(const Fixture *f, const char *key)
{
    g_autofree char *path = g_build_filename(f->root, key, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* Version 3 of rs/types, in which the path is removed, so many hours ago. */
static void remove_path(const Fixture *f, const char *path, int hours)
{
    gint64 when = g_get_real_time() / 1000 - (gint64) hours * 3600000;
    g_autofree char *text = g_strdup_printf(
        "{\"remove\":{\"path\":\"%s\",\"deletionTimestamp\":%" G_GINT64_FORMAT ",\"dataChange\":true}}\n", path, when);
    put_old(f, "rs/types/_delta_log/00000000000000000003.json", text, 0);
}

static void leavings_go_when_they_are_old(Fixture *f, gconstpointer unused)
{
    (void) unused;
    put_old(f, "rs/types/old.parquet", "x", 24 * 8);
    put_old(f, "rs/types/region=N/old \xc3\xa9.parquet", "x", 24 * 8);
    put_old(f, "rs/types/_part=1/old.parquet", "x", 24 * 8);
    put_old(f, "rs/types/young.parquet", "x", 24 * 6); /* somebody may be about to commit it */
    put_old(f, "rs/types/_other/old.parquet", "x", 24 * 8);
    put_old(f, "rs/types/.hidden/old.parquet", "x", 24 * 8);
    put_old(f, "rs/types/_delta_log/old.crc", "x", 24 * 8);
    expect_part(f, "table vacuum rs/types --dry-run", 0, "Would delete 3 files (3 B); 13 stay\n", NULL);
    g_assert_true(is_there(f, "rs/types/old.parquet"));
    expect_part(f, "table vacuum rs/types --json", 0, "{\"deleted\":3,\"bytes\":3,\"kept\":13}\n", NULL);
    g_assert_false(is_there(f, "rs/types/old.parquet"));
    g_assert_false(is_there(f, "rs/types/region=N/old \xc3\xa9.parquet"));
    g_assert_false(is_there(f, "rs/types/_part=1/old.parquet"));
    g_assert_true(is_there(f, "rs/types/young.parquet"));
    g_assert_true(is_there(f, "rs/types/_other/old.parquet"));
    g_assert_true(is_there(f, "rs/types/.hidden/old.parquet"));
    g_assert_true(is_there(f, "rs/types/_delta_log/old.crc"));
    expect_part(f, "table vacuum rs/types", 0, "Deleted 0 files (0 B); 13 stay\n", NULL);
    expect_part(f, "table rs/types --count -w 'q IS NOT NULL OR'", 2, NULL, "a column is expected at the end");
    expect_part(f, "table rs/types --count -w 'id >= 0'", 0, "1500\n", NULL);
}

/* A version within the retention still has the file. */
static void what_was_removed_stays_for_the_retention(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *path = first_path(f), *decoded = g_uri_unescape_string(path, NULL);
    g_autofree char *key = g_build_filename("rs/types", decoded, NULL);
    put_old(f, key, NULL, 24 * 30);
    expect_part(f, "table vacuum rs/types", 0, "Deleted 0 files", NULL); /* it is live, however old */
    remove_path(f, path, 24 * 6);
    expect_part(f, "table vacuum rs/types", 0, "Deleted 0 files", NULL);
    expect_part(f, "table rs/types --count -w 'id >= 0' --version 2", 0, "1500\n", NULL);
    expect_part(f, "table vacuum rs/types --retention 200h", 0, "Deleted 0 files", NULL);
    remove_path(f, path, 24 * 8);
    expect_part(f, "table vacuum rs/types --retention 200h", 0, "Deleted 0 files", NULL);
    g_assert_true(is_there(f, key));
    expect_part(f, "table vacuum rs/types", 0, "Deleted 1 file ", NULL);
    g_assert_false(is_there(f, key));
    expect_part(f, "table rs/types --count -w 'id >= 0'", 0, "1375\n", NULL);
}

static void deletion_vectors_stay_with_their_files(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect_part(f, "table vacuum sp/dv --retention 0s --force", 0, "Deleted 0 files", NULL);
    expect_part(f, "table sp/dv --count -w 'id >= 0'", 0, "900\n", NULL);
}

static void a_short_retention_has_to_be_meant(Fixture *f, gconstpointer unused)
{
    (void) unused;
    put_old(f, "rs/types/old.parquet", "x", 24 * 6);
    expect_part(f, "table vacuum rs/types --retention 100h", 1, "", "shorter than the table's 168 hours");
    g_assert_true(is_there(f, "rs/types/old.parquet"));
    expect_part(f, "table vacuum rs/types --retention 100h --force", 0, "Deleted 1 file ", NULL);
    expect_part(f, "table vacuum nothing", 1, "", "is not a Delta table");
}

/* --force alone takes nothing from anybody. */
static void the_retention_is_the_tables_unless_it_is_given(Fixture *f, gconstpointer unused)
{
    (void) unused;
    put_old(f, "rs/types/old.parquet", "x", 24 * 6);
    expect_part(f, "table vacuum rs/types --force", 0, "Deleted 0 files", NULL);
    g_assert_true(is_there(f, "rs/types/old.parquet"));
    expect_part(
        f,
        "sh -c 'sed -i \"s/.configuration.:{}/\\\"configuration\\\":{\\\"delta.deletedFileRetentionDuration\\\":"
        "\\\"interval 30 days\\\"}/\" rs/types/_delta_log/00000000000000000000.json'",
        0, "", NULL);
    expect_part(f, "table vacuum rs/types --retention 10d", 1, "", "shorter than the table's 720 hours");
    expect_part(f, "table vacuum rs/types --retention 30d --dry-run", 0, "Would delete 0 files", NULL);
    expect_part(f, "table vacuum rs/types --retention 0s --force", 0, "Deleted 1 file ", NULL);
}

/* A checkpoint keeps removals for the table's retention only; a longer one needs the commits before it. */
static void removals_that_a_checkpoint_dropped_count(Fixture *f, gconstpointer unused)
{
    (void) unused;
    static const char logs[] = "rs/types/_delta_log/";
    g_autofree char *path = first_path(f), *decoded = g_uri_unescape_string(path, NULL);
    g_autofree char *key = g_build_filename("rs/types", decoded, NULL);
    g_autofree char *checkpoint =
        g_strdup_printf("sh -c 'cd %s && awk 1 *.json | grep -vF \"%s\" | grep -v commitInfo > "
                        "00000000000000000003.checkpoint.80a083e8-7026-4e79-81be-"
                        "64bd76c43a11.json'",
                        logs, path);
    for (int version = 0; version < 3; version++) {
        g_autofree char *commit = g_strdup_printf("%s%020d.json", logs, version);
        put_old(f, commit, NULL, 24 * 50);
    }
    put_old(f, key, NULL, 24 * 40);
    expect_part(f, checkpoint, 0, "", NULL);
    remove_path(f, path, 24 * 10);
    expect_part(f, "table vacuum rs/types --retention 30d", 0, "Deleted 0 files", NULL);
    g_assert_true(is_there(f, key));
    expect_part(f, "sh -c 'rm rs/types/_delta_log/0000000000000000000[012].json'", 0, "", NULL);
    expect_part(f, "table vacuum rs/types --retention 30d", 1, "", "the retention is longer than the log goes back");
    expect_part(f, "table vacuum rs/types", 0, "Deleted 1 file ", NULL);
    expect_part(f, "table rs/types --count -w 'id >= 0'", 0, "1375\n", NULL);
}

static void a_vector_that_seems_to_lie_elsewhere_stops_it(Fixture *f, gconstpointer unused)
{
    (void) unused;
    put_old(f, "rs/types/old.parquet", "x", 24 * 8);
    put_old(f, "rs/types/_delta_log/00000000000000000003.json",
            "{\"add\":{\"path\":\"x.parquet\",\"partitionValues\":{\"region\":\"N\"},\"size\":1,"
            "\"modificationTime\":1,\"dataChange\":true,\"deletionVector\":{\"storageType\":\"p\","
            "\"pathOrInlineDv\":\"file:///elsewhere/dv.bin\",\"offset\":1,\"sizeInBytes\":36,\"cardinality\":1}}}\n",
            0);
    expect_part(f, "table vacuum rs/types", 1, "", "'file:///elsewhere/dv.bin' lies outside of the table");
    g_assert_true(is_there(f, "rs/types/old.parquet"));
}

/* It may be one of the table's, by another name. */
static void a_file_that_seems_to_lie_elsewhere_stops_it(Fixture *f, gconstpointer unused)
{
    (void) unused;
    put_old(f, "rs/types/old.parquet", "x", 24 * 8);
    put_old(f, "rs/types/_delta_log/00000000000000000003.json",
            "{\"add\":{\"path\":\"file:///elsewhere/x.parquet\",\"partitionValues\":{\"region\":\"N\"},\"size\":1,"
            "\"modificationTime\":1,\"dataChange\":true}}\n",
            0);
    expect_part(f, "table vacuum rs/types", 1, "", "'file:///elsewhere/x.parquet' lies outside of the table");
    g_assert_true(is_there(f, "rs/types/old.parquet"));
}

#define ADD(name, function) g_test_add("/vacuum/" name, Fixture, NULL, set_up_tables, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("leavings go when they are old", leavings_go_when_they_are_old);
    ADD("what was removed stays for the retention", what_was_removed_stays_for_the_retention);
    ADD("deletion vectors stay with their files", deletion_vectors_stay_with_their_files);
    ADD("a short retention has to be meant", a_short_retention_has_to_be_meant);
    ADD("the retention is the table's unless it is given", the_retention_is_the_tables_unless_it_is_given);
    ADD("removals that a checkpoint dropped count", removals_that_a_checkpoint_dropped_count);
    ADD("a vector that seems to lie elsewhere stops it", a_vector_that_seems_to_lie_elsewhere_stops_it);
    ADD("a file that seems to lie elsewhere stops it", a_file_that_seems_to_lie_elsewhere_stops_it);
    return g_test_run();
}
