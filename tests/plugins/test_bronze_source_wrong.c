/* bronze-source where something is wrong: what is missing, changed, not there yet or of before is never passed over in
 * silence. */
#include <glib/gstdio.h>
#include <string.h>

#include "bronze_fixture.h"

/* ---- what is wrong ---- */

static void replace_text(const Place *place, const char *key, const char *from, const char *to)
{
    g_autofree char *path = g_build_filename(place->path, key, NULL);
    g_autofree char *text = place_read(place, key);
    g_autoptr(GString) string = g_string_new(text);
    g_assert_cmpuint(g_string_replace(string, from, to, 0), >, 0);
    g_assert_true(g_file_set_contents(path, string->str, (gssize) string->len, NULL));
}

static char *object_key(int first)
{
    return g_strdup_printf("sales_events/year=2024/month=01/day=15/sales_events+0+%010d.json", first);
}

static char *entry_key(int start)
{
    return g_strdup_printf("_sf/test/sales_events/0/%020d.json", start);
}

static void test_missing(Place *place, gconstpointer unused)
{
    (void) unused;
    for (gint64 first = 0; first < 40; first += 10)
        place_numbers(place, first, 10);
    g_autofree char *key = object_key(10);
    place_delete(place, key);
    place_expect_refusal(place, "",
                         "sales_events+0+0000000010.json' is missing, with 10 rows of sales_events/0 from 10 to 19");
    g_autoptr(Harness) h = place_source(place, "on_missing: skip\n");
    gint64 rows = 0;
    for (const SfBatch *batch; (batch = harness_poll(h, 0));)
        rows += sf_rows(batch);
    assert_end(h);
    g_assert_cmpint(rows, ==, 30);
    g_assert_cmpint(harness_polled(h, EVENTS), ==, 40);
    g_assert_nonnull(strstr(harness_logs(h), "its 10 rows of sales_events/0 from 10 to 19 are passed over"));
}

/* The last entry's objects may be on their way. */
static void test_not_there_yet(Place *place, gconstpointer unused)
{
    (void) unused;
    place_numbers(place, 0, 10);
    place_numbers(place, 10, 10);
    g_autofree char *key = object_key(10), *path = g_build_filename(place->path, key, NULL);
    g_autofree char *text = place_read(place, key);
    place_delete(place, key);
    g_assert_cmpint(rows_in_a_run(place, "", 0), ==, 10);
    g_autoptr(Harness) h = place_source(place, "");
    h->bounded = false;
    g_assert_cmpint(harness_poll(h, 0)->end, ==, 10);
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->status, ==, SF_EMPTY);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    harness_pass(h, 1000);
    g_assert_cmpint(harness_poll(h, 0)->end, ==, 20);
}

static void test_changed(Place *place, gconstpointer unused)
{
    (void) unused;
    place_numbers(place, 0, 10);
    g_autofree char *key = object_key(0);
    replace_text(place, key, "{\"n\":7}", "{\"n\":8}");
    place_expect_refusal(place, "", "(rows 0 to 9) is not the object that the ledger describes: its checksum is ");
    replace_text(place, key, "{\"n\":8}\n", "");
    place_expect_refusal(place, "", "it has 64 bytes, not 80; put back the one that was written");
}

static void test_large_changed(Place *place, gconstpointer unused)
{
    (void) unused;
    write_large(place, "flush.size: 1000000\n", 6000);
    g_autofree char *key = object_key(0);
    replace_text(place, key, "{\"n\":5999,", "{\"n\":5998,");
    g_autoptr(Harness) h = place_source(place, "");
    g_assert_null(harness_poll(h, 0)); /* not one row of it */
    g_assert_cmpint(h->status, ==, SF_FATAL);
    g_assert_nonnull(strstr(h->err.message, "its checksum is "));
}

static void test_gap(Place *place, gconstpointer unused)
{
    (void) unused;
    for (gint64 first = 0; first < 30; first += 10)
        place_numbers(place, first, 10);
    g_autofree char *key = entry_key(10);
    place_delete(place, key);
    place_expect_refusal(place, "", "sales_events/0: bronze has no rows of [10, 20)");
    g_assert_cmpint(rows_in_a_run(place, "on_missing: skip\n", 0), ==, 20);
    g_autoptr(Harness) h = place_source(place, "");
    h->bounded = false;
    for (int i = 0; i < 40 && h->status != SF_FATAL; i++) {
        harness_poll(h, 0);
        harness_pass(h, 1000);
    }
    g_assert_cmpint(h->status, ==, SF_FATAL);
}

/* What a sink still needs is older than bronze. */
static void test_before_bronze(Place *place, gconstpointer unused)
{
    (void) unused;
    place_numbers(place, 100, 10);
    g_autoptr(Harness) h = place_source(place, "");
    harness_answer(h, EVENTS, 40);
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->status, ==, SF_FATAL);
    g_assert_nonnull(strstr(h->err.message, "bronze has no rows of [40, 100)"));
}

static void test_hostile_entry(Place *place, gconstpointer unused)
{
    (void) unused;
    place_numbers(place, 0, 10);
    g_autofree char *key = entry_key(0), *body = place_read(place, key);
    g_autofree char *path = g_build_filename(place->path, key, NULL);
    replace_text(place, key, "\"key\":\"sales_events/", "\"key\":\"secrets/");
    place_expect_refusal(place, "", "which is not an object of its topic and range");
    g_assert_true(g_file_set_contents(path, body, -1, NULL));
    replace_text(place, key, "\"rows\":10,\"bytes\"", "\"rows\":9,\"bytes\"");
    place_expect_refusal(place, "", "the index is not that of 9 rows from 0 to 9");
    g_assert_true(g_file_set_contents(path, body, -1, NULL));
    replace_text(place, key, "\"split\":\"sales_events/0\"", "\"split\":\"sales_events/1\"");
    g_autoptr(Harness) h = place_source(place, "");
    g_assert_nonnull(harness_poll(h, 0)); /* a split by that name, then */
}

static void test_nothing(Place *place, gconstpointer unused)
{
    (void) unused;
    place_expect_refusal(place, "", "there is no ledger of s3-bronze-sink below ");
    place_numbers(place, 0, 10);
    place_expect_refusal(place, "ledger: other\n", "_sf/other'");
    place_expect_refusal(place, "topics: [nothing, sales]\n", "for these topics");
    g_autofree char *other = g_build_filename(place->path, "_sf/more/t/0", NULL);
    g_assert_cmpint(g_mkdir_with_parents(other, 0777), ==, 0);
    place_expect_refusal(place, "", "has rows of several pipelines (more, test); name the one to read by 'ledger'");
    g_assert_cmpint(rows_in_a_run(place, "ledger: test\n", 0), ==, 10);
}

/* The sink has rows of the topic that had this name before; and the rows' own origin is handed on. */
static void test_origin(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) sink = place_sink(place, "");
    harness_set_origin(sink, EVENTS, "id:new");
    harness_write(sink, 0, numbers(sink, EVENTS, 0, 10, NOON_US));
    harness_commit(sink, SF_COMMIT_END);
    g_autoptr(Harness) h = place_source(place, "");
    harness_answer(h, EVENTS, 5);
    harness_keep(h, EVENTS, -1, "id:old");
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->status, ==, SF_CONFIG);
    g_assert_nonnull(
        strstr(h->err.message, "bronze has rows of the new one (id:new), a sink has rows of the old one (id:old)"));
    g_autoptr(Harness) same = place_source(place, "");
    harness_answer(same, EVENTS, 5);
    harness_keep(same, EVENTS, -1, "id:new");
    g_assert_nonnull(harness_poll(same, 0));
}

/* A redo found that the topic had lost a row at either end of an object. */
static void test_amended(Place *place, gconstpointer unused)
{
    (void) unused;
    place_numbers(place, 0, 10);
    g_autofree char *key = object_key(0);
    place_delete(place, key);
    g_autoptr(Harness) sink = place_sink(place, "flush.size: 10\n");
    g_assert_cmpint(harness_recover(sink, 0, EVENTS), ==, 0);
    harness_write(sink, 0, harness_with_range(sink, numbers(sink, EVENTS, 1, 8, NOON_US), 0, 10));
    harness_commit(sink, SF_COMMIT_END);
    g_autoptr(Harness) h = place_source(place, "");
    const SfBatch *batch = harness_poll(h, 0);
    g_assert_nonnull(batch);
    g_assert_cmpint(sf_rows(batch), ==, 8);
    g_assert_cmpint(batch->end, ==, 10);
}

/* The last entry was there when the run began: its rows are not left out in silence. */
static void test_last_entry_lost(Place *place, gconstpointer unused)
{
    (void) unused;
    place_numbers(place, 0, 10);
    place_numbers(place, 10, 10);
    g_autoptr(Harness) stops = place_source(place, "");
    g_autoptr(Harness) skips = place_source(place, "on_missing: skip\n");
    g_assert_cmpint(harness_poll(stops, 0)->end, ==, 10);
    g_assert_cmpint(harness_poll(skips, 0)->end, ==, 10);
    g_autofree char *key = entry_key(10);
    place_delete(place, key);
    g_assert_null(harness_poll(stops, 0));
    g_assert_cmpint(stops->status, ==, SF_FATAL);
    g_assert_nonnull(strstr(stops->err.message, "sales_events/0: bronze has no rows of [10, 20)"));
    g_assert_null(harness_poll(skips, 0));
    assert_end(skips);
}

/* Entries of one ledger that do not go together. */
static void test_entries_disagree(Place *place, gconstpointer unused)
{
    (void) unused;
    for (gint64 first = 0; first < 30; first += 10)
        place_numbers(place, first, 10);
    g_autofree char *second = entry_key(10), *third = entry_key(20);
    replace_text(place, second, "\"start\":10", "\"origin\":\"one\",\"start\":10");
    replace_text(place, third, "\"start\":20", "\"origin\":\"two\",\"start\":20");
    place_expect_refusal(place, "",
                         "the rows from 20 on are of another topic of that name (two) than those before (one)");
    replace_text(place, second, "\"split\":\"sales_events/0\"", "\"split\":\"sales_events/7\"");
    place_expect_refusal(place, "", "the entry at 10 is of 'sales_events/7', those before it are of 'sales_events/0'");
}

static void test_foreign_keys_among_entries(Place *place, gconstpointer unused)
{
    (void) unused;
    place_numbers(place, 0, 10);
    place_numbers(place, 10, 10);
    place_put(place, "_sf/test/sales_events/0/00000000000000000005.txt", "a note");
    place_put(place, "_sf/test/sales_events/0/99999999999999999999.json", "no position");
    g_assert_cmpint(rows_in_a_run(place, "", 15), ==, 5);
    g_assert_cmpint(rows_in_a_run(place, "", 0), ==, 20);
}

/* Two days, one behind the other, in each entry of ten rows. */
static void write_days(const Place *place, gint64 first)
{
    g_autoptr(Harness) sink = place_sink(place, "flush.size: 10\n");
    harness_recover(sink, 0, EVENTS);
    harness_write(sink, 0, numbers(sink, EVENTS, first, 5, NOON_US));
    harness_write(sink, 0, numbers(sink, EVENTS, first + 5, 5, NOON_US + DAY_US));
    harness_commit(sink, SF_COMMIT_END);
}

/* What is there of a range goes first; rows behind what is missing do not pass it by. */
static void test_second_object_missing(Place *place, gconstpointer unused)
{
    (void) unused;
    write_days(place, 0);
    write_days(place, 10);
    place_delete(place, "sales_events/year=2024/month=01/day=16/sales_events+0+0000000005.json");
    g_autoptr(Harness) h = place_source(place, "");
    const SfBatch *batch = harness_poll(h, 0);
    g_assert_cmpint(batch->end, ==, 5);
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->status, ==, SF_FATAL);
    g_assert_nonnull(strstr(h->err.message, "is missing, with 5 rows of sales_events/0 from 5 to 9"));
    g_assert_cmpint(rows_in_a_run(place, "on_missing: skip\n", 0), ==, 15);
}

/* Of many directories whose rows come one behind the other, one object is open at a time. */
static void test_many_objects(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) sink = place_sink(place, "flush.size: 1000000\n");
    g_autofree char *padding = g_strnfill(20000, 'x'), *value = g_strconcat("\"", padding, "\"", NULL);
    RawRow rows[200];
    for (gint64 i = 0; i < (gint64) G_N_ELEMENTS(rows); i++)
        rows[i] = (RawRow){.value = value, .offset = i, .timestamp_us = NOON_US + i * DAY_US};
    harness_write(sink, 0, harness_raw_rows(sink, EVENTS, rows, G_N_ELEMENTS(rows)));
    harness_commit(sink, SF_COMMIT_END);
    g_autoptr(Harness) h = place_source(place, "batch_rows: 3\n");
    gint64 count = 0;
    for (const SfBatch *batch; (batch = harness_poll(h, 0)); count += sf_rows(batch))
        ;
    assert_end(h);
    g_assert_cmpint(count, ==, 200);
    g_assert_cmpint(h->charged_peak, <, 500000); /* of 4 MB; most of it is the entry's text */
}

static void test_long_line(Place *place, gconstpointer unused)
{
    (void) unused;
    for (int packs = 0; packs < 2; packs++) {
        g_autofree char *topics = g_strdup_printf("topics.dir: run%d\n", packs);
        g_autofree char *options = g_strconcat(topics, packs ? "s3.compression.type: gzip\n" : "", NULL);
        g_autoptr(Harness) sink = place_sink(place, options);
        g_autofree char *padding = g_strnfill(1023, 'x'), *value = g_strconcat("\"", padding, "\"", NULL);
        const char *const values[] = {value};
        harness_write(sink, 0, harness_raw(sink, EVENTS, 0, values, 1));
        harness_commit(sink, SF_COMMIT_END);
        g_autofree char *longer = g_strconcat(topics, "max_line: 1025\n", NULL);
        g_autofree char *shorter = g_strconcat(topics, "max_line: 1KiB\n", NULL);
        g_assert_cmpint(rows_in_a_run(place, longer, 0), ==, 1);
        place_expect_refusal(place, shorter, "has a line of more than 1024 bytes; raise 'max_line'");
    }
}

/* An interrupted wait ends at once, long before there is anything to look for. */
static void test_interrupt(Place *place, gconstpointer unused)
{
    (void) unused;
    place_numbers(place, 0, 10);
    g_autoptr(Harness) h = place_source(place, "interval: 1h\n");
    h->bounded = false;
    g_assert_nonnull(harness_poll(h, 0));
    harness_interrupt_after(h, 20);
    g_assert_null(harness_poll(h, 3600000));
    g_assert_cmpint(h->status, ==, SF_EMPTY);
}

/* ---- entries of before ---- */

static void forget_index(const Place *place, int start)
{
    g_autofree char *key = entry_key(start), *body = place_read(place, key);
    g_autofree char *path = g_build_filename(place->path, key, NULL);
    g_autoptr(GRegex) index = g_regex_new(",\"index\":\"[^\"]*\"", 0, 0, NULL);
    g_autofree char *old = g_regex_replace(index, body, -1, 0, "", 0, NULL);
    g_assert_cmpstr(old, !=, body);
    g_assert_true(g_file_set_contents(path, old, -1, NULL));
}

static void test_old_dense(Place *place, gconstpointer unused)
{
    (void) unused;
    place_numbers(place, 20, 10);
    forget_index(place, 20);
    g_autoptr(Harness) h = place_source(place, "");
    const SfBatch *batch = harness_poll(h, 0);
    SfColumn offset, timestamp;
    g_assert_cmpint(sf_column(batch, "offset", SF_INT64, &offset, &h->err), ==, SF_OK);
    g_assert_cmpint(sf_column(batch, "timestamp", SF_TIMESTAMP, &timestamp, &h->err), ==, SF_OK);
    for (gint64 row = 0; row < 10; row++) {
        g_assert_cmpint(sf_i64(&offset, row), ==, 20 + row);
        g_assert_true(sf_is_null(&timestamp, row));
    }
    g_assert_null(strstr(harness_logs(h), "numbered"));
}

/* Without an index it is the lines that tell whether an entry's count is theirs. */
static void test_old_counts(Place *place, gconstpointer unused)
{
    (void) unused;
    place_numbers(place, 0, 10);
    forget_index(place, 0);
    g_autofree char *key = entry_key(0);
    replace_text(place, key, "\"rows\":10,\"bytes\"", "\"rows\":9,\"bytes\"");
    place_expect_refusal(place, "", "has more lines than the 9 rows of its ledger entry");
    replace_text(place, key, "\"rows\":9,\"bytes\"", "\"rows\":11,\"bytes\"");
    replace_text(place, key, "\"last\":9", "\"last\":10");
    replace_text(place, key, "\"end\":10", "\"end\":11");
    place_expect_refusal(place, "", "has 1 lines fewer than the 11 rows of its ledger entry");
}

/* With holes and several directories: positions that rows can have, each once, and it is said. */
static void test_old_holes(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autofree char *in = write_mixed(place, "flush.size: 1000000\nbehavior.on.null.values: write\n");
    forget_index(place, 0);
    g_autoptr(Harness) h = place_source(place, "");
    gint64 last = -1, rows = 0;
    for (const SfBatch *batch; (batch = harness_poll(h, 0)); rows += sf_rows(batch)) {
        SfColumn offset;
        g_assert_cmpint(sf_column(batch, "offset", SF_INT64, &offset, &h->err), ==, SF_OK);
        for (gint64 row = 0; row < sf_rows(batch); row++) {
            g_assert_cmpint(sf_i64(&offset, row), >, last);
            last = sf_i64(&offset, row);
        }
    }
    assert_end(h);
    g_assert_cmpint(rows, ==, 125);
    g_assert_cmpint(last, <, 200);
    g_assert_nonnull(strstr(harness_logs(h), "is of an earlier version, which kept no positions of rows"));
}

#define TEST(name, function) g_test_add("/bronze-source/" name, Place, NULL, place_set_up, function, place_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("missing", test_missing);
    TEST("not-there-yet", test_not_there_yet);
    TEST("changed", test_changed);
    TEST("large-changed", test_large_changed);
    TEST("gap", test_gap);
    TEST("before-bronze", test_before_bronze);
    TEST("hostile-entry", test_hostile_entry);
    TEST("nothing", test_nothing);
    TEST("origin", test_origin);
    TEST("amended", test_amended);
    TEST("last-entry-lost", test_last_entry_lost);
    TEST("entries-disagree", test_entries_disagree);
    TEST("foreign-keys-among-entries", test_foreign_keys_among_entries);
    TEST("second-object-missing", test_second_object_missing);
    TEST("many-objects", test_many_objects);
    TEST("long-line", test_long_line);
    TEST("interrupt", test_interrupt);
    TEST("old-counts", test_old_counts);
    TEST("old-dense", test_old_dense);
    TEST("old-holes", test_old_holes);
    return g_test_run();
}
