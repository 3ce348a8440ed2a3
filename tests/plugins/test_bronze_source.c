/* bronze-source: what s3-bronze-sink wrote comes back as it came, with its positions and timestamps. */
#include <glib/gstdio.h>
#include <string.h>

#include "bronze_fixture.h"

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
    return g_test_run();
}
