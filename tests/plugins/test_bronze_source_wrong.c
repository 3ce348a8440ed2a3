/* bronze-source where something is wrong: what is missing, changed, not there yet or of before is never passed over in
 * silence. */
#include <glib/gstdio.h>
#include <string.h>

#include "bronze_fixture.h"

/* ---- what is wrong ---- */

static void check_refusal(const Place *place, const char *options, const char *message)
{
    g_autoptr(Harness) h = place_source(place, options);
    while (harness_poll(h, 0))
        ;
    if (!strstr(h->err.message, message))
        g_error("'%s' says nothing of '%s'", h->err.message, message);
    g_assert_true(h->status == SF_FATAL || h->status == SF_CONFIG);
}

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
    check_refusal(place, "",
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
    check_refusal(place, "", "(rows 0 to 9) is not the object that the ledger describes: its checksum is ");
    replace_text(place, key, "{\"n\":8}\n", "");
    check_refusal(place, "", "it has 64 bytes, not 80; put back the one that was written");
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
    check_refusal(place, "", "sales_events/0: bronze has no rows of [10, 20)");
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
    check_refusal(place, "", "which is not an object of its topic and range");
    g_assert_true(g_file_set_contents(path, body, -1, NULL));
    replace_text(place, key, "\"rows\":10,\"bytes\"", "\"rows\":9,\"bytes\"");
    check_refusal(place, "", "the index is not that of 9 rows from 0 to 9");
    g_assert_true(g_file_set_contents(path, body, -1, NULL));
    replace_text(place, key, "\"split\":\"sales_events/0\"", "\"split\":\"sales_events/1\"");
    g_autoptr(Harness) h = place_source(place, "");
    g_assert_nonnull(harness_poll(h, 0)); /* a split by that name, then */
}

static void test_nothing(Place *place, gconstpointer unused)
{
    (void) unused;
    check_refusal(place, "", "there is no ledger of s3-bronze-sink below ");
    place_numbers(place, 0, 10);
    check_refusal(place, "ledger: other\n", "_sf/other'");
    check_refusal(place, "topics: [nothing, sales]\n", "for these topics");
    g_autofree char *other = g_build_filename(place->path, "_sf/more/t/0", NULL);
    g_assert_cmpint(g_mkdir_with_parents(other, 0777), ==, 0);
    check_refusal(place, "", "has rows of several pipelines (more, test); name the one to read by 'ledger'");
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
    TEST("old-dense", test_old_dense);
    TEST("old-holes", test_old_holes);
    return g_test_run();
}
