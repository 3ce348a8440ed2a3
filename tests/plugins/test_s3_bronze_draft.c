/* s3-bronze-sink: objects that go to the store while their rows come in. */
#include "bronze_fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define OBJECT "sales_events/year=2024/month=01/day=15/sales_events+0+0000000000.json"
#define ROWS 60000
#define BATCH 2000

/* Some hundred KB of lines. */
static void write_rows(Harness *h)
{
    for (gint64 first = 0; first < ROWS; first += BATCH)
        harness_write(h, 0, numbers(h, EVENTS, first, BATCH, NOON_US));
}

static char *expected_lines(void)
{
    GString *lines = g_string_new(NULL);
    for (gint64 n = 0; n < ROWS; n++)
        g_string_append_printf(lines, "{\"n\":%" G_GINT64_FORMAT "}\n", n);
    return g_string_free(lines, FALSE);
}

static void expect_object(const Place *place)
{
    g_autofree char *lines = place_read(place, OBJECT), *expected = expected_lines();
    g_assert_true(g_str_equal(lines, expected));
}

static void expect_nothing_temporary(const Place *place)
{
    g_autofree char *path = g_build_filename(place->path, ".sf-tmp", NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    g_assert_nonnull(dir);
    g_assert_null(g_dir_read_name(dir));
}

static void rows_do_not_wait_in_memory(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "flush.size: 1000000000");
    g_autofree char *expected = expected_lines();
    write_rows(h);
    g_assert_cmpint(h->charged, <=, (gint64) strlen(expected) / 3);
    g_autofree char *before = place_entries(place);
    g_assert_cmpstr(before, ==, "");
    g_autofree char *path = g_build_filename(place->path, OBJECT, NULL);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, ROWS);
    expect_object(place);
    expect_nothing_temporary(place);
    g_autofree char *entry = place_read(place, "_sf/test/sales_events/0/00000000000000000000.json");
    g_autofree char *bytes = g_strdup_printf("\"bytes\":%zu,", strlen(expected));
    g_assert_nonnull(strstr(entry, bytes));
}

static void what_was_not_committed_leaves_nothing(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "flush.size: 1000000000");
    write_rows(h);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, EVENTS), ==, SF_POSITION_NONE);
    expect_nothing_temporary(place);
    write_rows(h);
    harness_commit(h, SF_COMMIT_END);
    expect_object(place);
}

/* A redo finds out by the checksum whether it has read the same. */
static void redo_gives_the_same_bytes(Place *place, gconstpointer unused)
{
    (void) unused;
    Harness *h = place_sink(place, "flush.size: 1000000000");
    write_rows(h);
    harness_commit(h, SF_COMMIT_END);
    harness_free(h);
    place_delete(place, OBJECT);
    g_autoptr(Harness) again = place_sink(place, "flush.size: 1000000000");
    g_assert_cmpint(harness_recover(again, 0, EVENTS), ==, 0);
    write_rows(again);
    harness_tick(again);
    g_assert_cmpint(harness_committed(again, 0, EVENTS), ==, ROWS);
    expect_object(place);
    expect_nothing_temporary(place);
    g_assert_null(strstr(harness_logs(again), "reads back"));
}

/* Files of this process cannot grow beyond so many bytes. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    limit.rlim_cur = MIN(bytes, limit.rlim_max);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

static void full_disk_loses_nothing(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "flush.size: 1000000000");
    harness_open(h);
    signal(SIGXFSZ, SIG_IGN);
    limit_files(200000);
    write_rows(h);
    SfStatus full = harness_try_commit(h, SF_COMMIT_END);
    limit_files(RLIM_INFINITY);
    g_assert_cmpint(full, ==, SF_RETRY);
    g_assert_nonnull(strstr(h->err.message, "File too large"));
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, SF_POSITION_NONE);
    harness_commit(h, SF_COMMIT_END);
    expect_object(place);
    expect_nothing_temporary(place);
}

static char *unpacked(const Place *place)
{
    g_autofree char *path = g_build_filename(place->path, OBJECT ".gz", NULL);
    const char *const command[] = {"gzip", "-dc", path, NULL};
    char *lines = NULL;
    g_assert_true(
        g_spawn_sync(NULL, (char **) command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &lines, NULL, NULL, NULL));
    return lines;
}

/* Compressed bytes go on to the store, and come out the same however the rows came in, and at a redo. */
static void compressed_objects_wait_as_such(Place *place, gconstpointer level)
{
    g_autofree char *options = g_strdup_printf(
        "flush.size: 1000000000\ns3.compression.type: gzip\ns3.compression.level: %s", (const char *) level);
    g_autofree char *expected = expected_lines();
    gsize size[2];
    char *bytes[2] = {NULL, NULL};
    g_autofree char *path = g_build_filename(place->path, OBJECT ".gz", NULL);
    for (int i = 0; i < 2; i++) {
        Harness *h = place_sink(place, options);
        if (i == 0)
            write_rows(h);
        else
            harness_write(h, 0, numbers(h, EVENTS, 0, ROWS, NOON_US));
        if (!g_str_equal(level, "0"))
            g_assert_cmpint(h->charged, <=, 3 * (128 << 10) + (264 << 10));
        harness_commit(h, SF_COMMIT_END);
        expect_nothing_temporary(place);
        g_assert_null(strstr(harness_logs(h), "reads back"));
        g_autofree char *lines = unpacked(place);
        g_assert_true(g_str_equal(lines, expected));
        g_assert_true(g_file_get_contents(path, &bytes[i], &size[i], NULL));
        harness_free(h);
        if (i == 0)
            place_delete(place, OBJECT ".gz"); /* is redone */
    }
    g_assert_cmpmem(bytes[0], size[0], bytes[1], size[1]);
    g_free(bytes[0]);
    g_free(bytes[1]);
}

/* Many days that are open at once do not each get the memory of the large object before them. */
static void small_objects_take_little(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "flush.size: 60000\ns3.compression.type: gzip");
    write_rows(h);
    harness_tick(h);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, ROWS);
    gint64 before = h->charged;
    for (gint64 day = 0; day < 40; day++)
        harness_write(h, 0, numbers(h, EVENTS, ROWS + day, 1, NOON_US + day * DAY_US));
    g_assert_cmpint(h->charged - before, <=, 1 << 20);
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, ROWS + 40);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/bronze/draft/" name, Place, NULL, place_set_up, function, place_tear_down)
    ADD("rows do not wait in memory", rows_do_not_wait_in_memory);
    ADD("what was not committed leaves nothing", what_was_not_committed_leaves_nothing);
    ADD("redo gives the same bytes", redo_gives_the_same_bytes);
    ADD("full disk loses nothing", full_disk_loses_nothing);
    static const char *const levels[] = {"-1", "1", "9", "0"};
    for (gsize i = 0; i < G_N_ELEMENTS(levels); i++) {
        g_autofree char *name = g_strdup_printf("/bronze/draft/compressed objects wait as such, level %s", levels[i]);
        g_test_add(name, Place, levels[i], place_set_up, compressed_objects_wait_as_such, place_tear_down);
    }
    ADD("small objects take little", small_objects_take_little);
    return g_test_run();
}
