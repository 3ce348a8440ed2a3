/* bronze-source: what s3-bronze-sink wrote comes back as it came, with its positions and timestamps; what is missing,
 * changed or not there yet is never passed over in silence. */
#include <glib/gstdio.h>
#include <string.h>

#include "bronze_fixture.h"

/* Days alternate, three of eight positions are not there, some values and timestamps are null. */
static const SfBatch *mixed_rows(Harness *h, gint64 first, gint64 end)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(RawRow));
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (gint64 at = first; at < end; at++) {
        if (at % 8 == 3 || at % 8 == 5 || at % 8 == 6)
            continue;
        char *value = at % 7 == 0 ? NULL : g_strdup_printf("{\"n\":%" G_GINT64_FORMAT "}", at);
        g_ptr_array_add(values, value);
        RawRow row = {.value = value, .offset = at, .timestamp_us = NOON_US + at % 3 * DAY_US + at * 1001};
        g_array_append_val(rows, row);
    }
    const SfBatch *batch = harness_raw_rows(h, EVENTS, (RawRow *) (gpointer) rows->data, rows->len);
    return harness_with_range(h, batch, first, end);
}

/* Writes [0, 200) in batches of 50; returns the rows as text. */
static char *write_mixed(const Place *place, const char *options)
{
    g_autoptr(Harness) sink = place_sink(place, options);
    GString *text = g_string_new(NULL);
    for (gint64 first = 0; first < 200; first += 50) {
        const SfBatch *batch = mixed_rows(sink, first, first + 50);
        harness_write(sink, 0, batch);
        g_string_append(text, harness_text(sink, batch));
        g_string_append_c(text, '\n');
    }
    harness_commit(sink, SF_COMMIT_END);
    g_assert_cmpuint(harness_n_rejects(sink), ==, 0);
    return g_string_free(text, FALSE);
}

/* All that there is, as text; a batch ends where the next one starts. */
static char *read_all(Harness *h)
{
    GString *text = g_string_new(NULL);
    gint64 end = -1;
    for (const SfBatch *batch; (batch = harness_poll(h, 0));) {
        g_assert_true(end < 0 || batch->start == end);
        end = batch->end;
        g_string_append(text, harness_text(h, batch));
        if (sf_rows(batch) > 0)
            g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

static void assert_end(Harness *h)
{
    g_assert_cmpstr(h->err.message, ==, "");
    g_assert_cmpint(h->status, ==, SF_END);
}

/* ---- rows as they came ---- */

static void check_round_trip(const Place *place, const char *sink, const char *source)
{
    g_autofree char *options = g_strconcat(sink, "behavior.on.null.values: write\n", NULL);
    g_autofree char *in = write_mixed(place, options);
    g_autoptr(Harness) h = place_source(place, source);
    g_autofree char *out = read_all(h);
    assert_end(h);
    g_assert_cmpstr(out, ==, in);
    g_assert_cmpint(harness_polled(h, EVENTS), ==, 200);
    g_assert_cmpint(harness_lag(h, EVENTS), ==, 200);
    g_assert_cmpint(h->expected, ==, 200);
    g_assert_cmpint(h->charged, ==, 0);
}

static void test_days(Place *place, gconstpointer unused)
{
    (void) unused;
    check_round_trip(place, "flush.size: 30\n", "");
}

static void test_gzip(Place *place, gconstpointer unused)
{
    (void) unused;
    check_round_trip(place, "flush.size: 100\ns3.compression.type: gzip\ntopics.dir: a/b\n", "topics.dir: a/b\n");
}

static void test_raw(Place *place, gconstpointer unused)
{
    (void) unused;
    check_round_trip(place, "format: raw\n", "batch_rows: 7\n");
}

/* By the wall clock all rows are in one directory, with the timestamps that they had. */
static void test_wallclock(Place *place, gconstpointer unused)
{
    (void) unused;
    check_round_trip(place, "timestamp.extractor: Wallclock\n", "topics: [others, sales_events]\n");
}

/* Values with line breaks in them, at their ends, and nothing but them. */
static void test_line_breaks(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *const values[] = {"a\nb", "", "\n", "c\n\n", "d", "\r\n", NULL};
    g_autoptr(Harness) sink = place_sink(place, "format: raw\nbehavior.on.null.values: write\n");
    const SfBatch *in = harness_raw(sink, EVENTS, 5, values, G_N_ELEMENTS(values));
    harness_write(sink, 0, in);
    harness_commit(sink, SF_COMMIT_END);
    g_autoptr(Harness) h = place_source(place, "");
    const SfBatch *out = harness_poll(h, 0);
    g_assert_nonnull(out);
    g_assert_cmpstr(harness_text(h, out), ==, harness_text(sink, in));
    g_assert_null(harness_poll(h, 0));
    assert_end(h);
}

/* Objects of some MiB are read piece by piece. */
static void write_large(const Place *place, const char *options, gsize n)
{
    g_autoptr(Harness) sink = place_sink(place, options);
    g_autofree char *padding = g_strnfill(1000, 'x');
    g_autofree RawRow *rows = g_new0(RawRow, n);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < n; i++) {
        char *value = g_strdup_printf("{\"n\":%zu,\"x\":\"%08x%s\"}", i, g_str_hash(padding) * (guint) i, padding);
        g_ptr_array_add(values, value);
        rows[i] = (RawRow){.value = value, .offset = (gint64) i, .timestamp_us = NOON_US + (gint64) i};
    }
    harness_write(sink, 0, harness_raw_rows(sink, EVENTS, rows, n));
    harness_commit(sink, SF_COMMIT_END);
}

static void check_large(const Place *place, const char *options)
{
    const gsize n = 9000;
    write_large(place, options, n);
    g_autoptr(Harness) h = place_source(place, "");
    gint64 rows = 0;
    for (const SfBatch *batch; (batch = harness_poll(h, 0)); rows += sf_rows(batch)) {
        SfColumn value;
        g_assert_cmpint(sf_column(batch, "value", SF_BINARY, &value, &h->err), ==, SF_OK);
        for (gint64 row = 0; row < sf_rows(batch); row++) {
            g_autofree char *begin = g_strdup_printf("{\"n\":%" G_GINT64_FORMAT ",", rows + row);
            SfBytes bytes = sf_bytes(&value, row);
            g_assert_cmpmem(bytes.data, strlen(begin), begin, strlen(begin));
            g_assert_cmpint(bytes.size, ==, (gint64) strlen(begin) + 1015);
        }
    }
    assert_end(h);
    g_assert_cmpint(rows, ==, n);
    g_assert_cmpint(h->charged_peak, <, 12 << 20);
}

static void test_large(Place *place, gconstpointer unused)
{
    (void) unused;
    check_large(place, "flush.size: 1000000\n");
}

static void test_large_gzip(Place *place, gconstpointer unused)
{
    (void) unused;
    check_large(place, "flush.size: 1000000\ns3.compression.type: gzip\ns3.compression.level: 0\n");
}

/* ---- where it begins and ends ---- */

static gint64 first_given(const Place *place, const char *options, gint64 answer)
{
    g_autoptr(Harness) h = place_source(place, options);
    if (answer >= 0)
        harness_answer(h, EVENTS, answer);
    const SfBatch *batch = harness_poll(h, 0);
    if (!batch)
        assert_end(h);
    return batch ? batch->start : -1;
}

/* A sink that was fed from Kafka stands anywhere; one that is ahead of bronze waits. */
static void test_positions(Place *place, gconstpointer unused)
{
    (void) unused;
    place_numbers(place, 100, 95);
    g_assert_cmpint(first_given(place, "", -1), ==, 100);
    g_assert_cmpint(first_given(place, "start: latest\n", -1), ==, -1);
    g_assert_cmpint(first_given(place, "", 100), ==, 100);
    g_assert_cmpint(first_given(place, "", 137), ==, 137);
    g_assert_cmpint(first_given(place, "", 190), ==, 190);
    g_assert_cmpint(first_given(place, "", 195), ==, -1);
    g_assert_cmpint(first_given(place, "", 5000), ==, -1);
}

static void test_mid_entry(Place *place, gconstpointer unused)
{
    (void) unused;
    place_numbers(place, 0, 30);
    g_autoptr(Harness) h = place_source(place, "");
    harness_answer(h, EVENTS, 18);
    const SfBatch *batch = harness_poll(h, 0);
    g_assert_cmpint(batch->start, ==, 18);
    g_assert_cmpint(batch->end, ==, 30);
    g_assert_nonnull(strstr(harness_text(h, batch), "{\\\"n\\\":18}"));
    g_assert_cmpint(sf_rows(batch), ==, 12);
}

/* Followed: a new entry is looked for after `interval`, and not before. */
static void test_follows(Place *place, gconstpointer unused)
{
    (void) unused;
    place_numbers(place, 0, 10);
    g_autoptr(Harness) h = place_source(place, "interval: 5s\n");
    h->bounded = false;
    g_assert_nonnull(harness_poll(h, 0));
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->status, ==, SF_EMPTY);
    place_numbers(place, 10, 10);
    g_assert_null(harness_poll(h, 0));
    harness_pass(h, 5000);
    const SfBatch *batch = harness_poll(h, 0);
    g_assert_nonnull(batch);
    g_assert_cmpint(batch->start, ==, 10);
    g_assert_cmpint(h->expected, ==, -1);
}

static void test_new_split(Place *place, gconstpointer unused)
{
    (void) unused;
    place_numbers(place, 0, 10);
    g_autoptr(Harness) h = place_source(place, "start: latest\n");
    h->bounded = false;
    g_assert_null(harness_poll(h, 0));
    g_autoptr(Harness) sink = place_sink(place, "");
    harness_write(sink, 0, numbers(sink, "sales_events/1", 0, 5, NOON_US));
    harness_commit(sink, SF_COMMIT_END);
    g_assert_null(harness_poll(h, 0));
    harness_pass(h, 30000);
    const SfBatch *batch = harness_poll(h, 0);
    g_assert_nonnull(batch);
    g_assert_cmpstr(batch->split->name, ==, "sales_events/1");
    g_assert_cmpint(batch->start, ==, 0);
}

static gint64 rows_in_a_run(const Place *place, const char *options, gint64 from)
{
    g_autoptr(Harness) h = place_source(place, options);
    harness_answer(h, EVENTS, from);
    gint64 rows = 0;
    for (const SfBatch *batch; (batch = harness_poll(h, 0));)
        rows += sf_rows(batch);
    assert_end(h);
    return rows;
}

static void test_triggers(Place *place, gconstpointer unused)
{
    (void) unused;
    for (gint64 first = 0; first < 60; first += 10)
        place_numbers(place, first, 10); /* an entry each */
    g_assert_cmpint(rows_in_a_run(place, "max_files_per_trigger: 2\n", 0), ==, 20);
    g_assert_cmpint(rows_in_a_run(place, "maxFilesPerTrigger: 4\n", 20), ==, 40);
    g_assert_cmpint(rows_in_a_run(place, "max_bytes_per_trigger: 1\n", 0), ==, 10);
    g_assert_cmpint(rows_in_a_run(place, "", 0), ==, 60);
}

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
    g_autofree char *other = g_build_filename(place->path, "_sf/more/t/0", NULL);
    g_assert_cmpint(g_mkdir_with_parents(other, 0777), ==, 0);
    check_refusal(place, "", "has rows of several pipelines (more, test); name the one to read by 'ledger'");
    g_assert_cmpint(rows_in_a_run(place, "ledger: test\n", 0), ==, 10);
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
    TEST("days", test_days);
    TEST("gzip", test_gzip);
    TEST("raw", test_raw);
    TEST("wallclock", test_wallclock);
    TEST("line-breaks", test_line_breaks);
    TEST("large", test_large);
    TEST("large-gzip", test_large_gzip);
    TEST("positions", test_positions);
    TEST("mid-entry", test_mid_entry);
    TEST("follows", test_follows);
    TEST("new-split", test_new_split);
    TEST("triggers", test_triggers);
    TEST("missing", test_missing);
    TEST("not-there-yet", test_not_there_yet);
    TEST("changed", test_changed);
    TEST("large-changed", test_large_changed);
    TEST("gap", test_gap);
    TEST("before-bronze", test_before_bronze);
    TEST("hostile-entry", test_hostile_entry);
    TEST("nothing", test_nothing);
    TEST("old-dense", test_old_dense);
    TEST("old-holes", test_old_holes);
    return g_test_run();
}
