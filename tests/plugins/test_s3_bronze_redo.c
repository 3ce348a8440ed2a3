/* s3-bronze-sink through crashes, races and outages: the same bytes under the same names, every row once. */
#include "bronze_fixture.h"

#include <stdio.h>
#include <string.h>

#include "fake_s3.h"
#include "killed.h"

#define OTHER "sales_events/1"
#define DAY "sales_events/year=2024/month=01/day=15/sales_events+0+"
#define LEDGER "_sf/test/sales_events/0/"
#define OPTIONS "flush.size: 3"

static void expect_objects(const Place *place, const char *expected)
{
    g_autofree char *objects = place_objects(place);
    g_assert_cmpstr(objects, ==, expected);
}

/* ---- killed at every fault point ---- */

/* Two partitions, two days, several cuts, rejects. */
static void write_story(Harness *h)
{
    RawRow rows[8];
    for (int i = 0; i < 8; i++)
        rows[i] = (RawRow){
            .value = i == 4 ? "broken" : "{}", .offset = i, .timestamp_us = NOON_US + i - (i % 3 == 1 ? DAY_US : 0)};
    harness_write(h, 0, harness_raw_rows(h, EVENTS, rows, 8));
    harness_write(h, 0, numbers(h, OTHER, 100, 7, NOON_US));
    harness_tick(h);
    harness_write(h, 0, numbers(h, EVENTS, 8, 5, NOON_US));
    harness_commit(h, SF_COMMIT_END);
}

typedef struct Life {
    const Place *place;
    int n;
} Life;

static void live(gpointer data)
{
    const Life *life = data;
    Harness *h = place_sink(life->place, OPTIONS);
    harness_open(h);
    killed_arm(h, NULL, life->n);
    write_story(h);
}

static void redo_after_any_kill_gives_the_same_bytes(Place *place, gconstpointer unused)
{
    (void) unused;
#ifndef SF_FAULTS
    g_test_skip("built without -Dfaults=true");
    return;
#endif
    g_assert_false(killed_run(live, &(Life){place, INT_MAX}));
    g_autofree char *reference = place_objects(place);
    g_assert_nonnull(strstr(reference, "day=14"));
    int points = 0;
    for (bool killed = true; killed; points++) {
        Place again;
        place_set_up(&again, NULL);
        killed = killed_run(live, &(Life){&again, points});
        Harness *h = place_sink(&again, OPTIONS);
        write_story(h);
        expect_objects(&again, reference);
        harness_free(h);
        place_tear_down(&again, NULL);
    }
    g_test_message("killed %d times", points - 1);
    g_assert_cmpint(points, >=, 12);
}

/* ---- the entry decides ---- */

static void lost_objects_are_written_again_by_the_entry(Place *place, gconstpointer unused)
{
    (void) unused;
    Harness *h = place_sink(place, OPTIONS);
    write_story(h);
    harness_free(h);
    g_autofree char *reference = place_objects(place);
    place_delete(place, DAY "0000000010.json");
    /* Another flush.size, zone and path now: the range that was cut is finished as it was begun. */
    g_autoptr(Harness) other = place_sink(place, "flush.size: 100\npath.format: YYYY\ntimezone: Asia/Tokyo");
    g_assert_cmpint(harness_recover(other, 0, EVENTS), ==, 7);
    const RawRow late = {.value = "{}", .offset = 7, .timestamp_us = NOON_US + 7 - DAY_US};
    harness_write(other, 0, harness_raw_rows(other, EVENTS, &late, 1));
    harness_write(other, 0, numbers(other, EVENTS, 8, 3, NOON_US)); /* in parts, the last goes beyond its end */
    harness_write(other, 0, numbers(other, EVENTS, 11, 5, NOON_US));
    harness_tick(other);
    g_assert_cmpint(harness_committed(other, 0, EVENTS), ==, 13);
    harness_commit(other, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(other, 0, EVENTS), ==, 16);
    g_autofree char *after = place_objects(place);
    g_assert_nonnull(
        strstr(after, "sales_events/2024/sales_events+0+0000000013.json: {\"n\":13}|{\"n\":14}|{\"n\":15}|\n"));
    place_delete(place, "sales_events/2024/sales_events+0+0000000013.json");
    expect_objects(place, reference);
    g_assert_null(strstr(harness_logs(other), "reads back"));
}

static void wall_clock_days_are_redone_by_position(Place *place, gconstpointer unused)
{
    (void) unused;
    Harness *h = place_sink(place, "timestamp.extractor: Wallclock");
    harness_write(h, 0, numbers(h, EVENTS, 0, 2, NOON_US));
    h->now_ms += 86400000 - 30000;
    h->status = SF_OK;
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *reference = place_objects(place);
    harness_free(h);
    place_delete(place, DAY "0000000000.json");
    g_autoptr(Harness) later = place_sink(place, "timestamp.extractor: Wallclock");
    later->now_ms += INT64_C(86400000) * 30;
    g_assert_cmpint(harness_recover(later, 0, EVENTS), ==, 0);
    harness_write(later, 0, numbers(later, EVENTS, 0, 2, NOON_US));
    harness_commit(later, SF_COMMIT_END);
    expect_objects(place, reference);
}

/* The clock is set back over midnight while a range is open: its objects must not overlap, or their redo by positions
 * would mix them up. */
static void wall_clock_that_goes_back_ends_the_range(Place *place, gconstpointer unused)
{
    (void) unused;
    Harness *h = place_sink(place, "timestamp.extractor: Wallclock");
    const gint64 jumps[] = {0, 86400000, -86400000, 86400000};
    for (gint64 i = 0; i < 4; i++) {
        h->now_ms += jumps[i];
        harness_write(h, 0, numbers(h, EVENTS, i, 1, NOON_US));
    }
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *reference = place_objects(place);
    g_autofree char *entries = place_entries(place);
    g_assert_cmpstr(entries, ==, LEDGER "00000000000000000000.json: 0-4 end 4/0 4\n");
    harness_free(h);
    for (gint64 i = 0; i < 4; i++) {
        g_autofree char *key = g_strdup_printf(
            "sales_events/year=2024/month=01/day=%02d/sales_events+0+%010" G_GINT64_FORMAT ".json", i % 2 ? 16 : 15, i);
        place_delete(place, key);
    }
    g_autoptr(Harness) again = place_sink(place, "timestamp.extractor: Wallclock");
    harness_write(again, 0, numbers(again, EVENTS, 0, 4, NOON_US));
    harness_commit(again, SF_COMMIT_END);
    expect_objects(place, reference);
    g_assert_null(strstr(harness_logs(again), "reads back"));
}

static void gzip_is_redone_byte_by_byte(Place *place, gconstpointer unused)
{
    (void) unused;
    Harness *h = place_sink(place, "s3.compression.type: gzip");
    harness_write(h, 0, numbers(h, EVENTS, 0, 50, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    harness_free(h);
    g_autofree char *reference = place_objects(place);
    place_delete(place, DAY "0000000000.json.gz");
    g_autoptr(Harness) again = place_sink(place, "");
    harness_write(again, 0, numbers(again, EVENTS, 0, 50, NOON_US));
    harness_commit(again, SF_COMMIT_END);
    expect_objects(place, reference);
    g_assert_null(strstr(harness_logs(again), "warning:"));
}

/* The ledger has fixed the range [0, 4), and its object is not there. Returns what there was. */
static char *lose_range(const Place *place)
{
    g_autoptr(Harness) h = place_sink(place, "");
    harness_write(h, 0, numbers(h, EVENTS, 0, 4, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    char *reference = place_objects(place);
    place_delete(place, DAY "0000000000.json");
    return reference;
}

static void rows_that_the_topic_has_lost_are_told(Place *place, gconstpointer unused)
{
    (void) unused;
    g_free(lose_range(place));
    g_autoptr(Harness) again = place_sink(place, "");
    harness_write(again, 0, harness_with_range(again, numbers(again, EVENTS, 0, 2, NOON_US), 0, 4));
    harness_commit(again, SF_COMMIT_END);
    g_assert_nonnull(strstr(harness_logs(again), "warning: sales_events/0: range [0, 4) reads back as 2 rows where its "
                                                 "ledger entry says 4"));
    expect_objects(place, DAY "0000000000.json: {\"n\":0}|{\"n\":1}|\n");
}

static void redo_that_is_cut_short_is_left_to_the_next(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autofree char *reference = lose_range(place);
    g_autoptr(Harness) again = place_sink(place, "");
    harness_write(again, 0, numbers(again, EVENTS, 0, 2, NOON_US));
    g_assert_cmpint(harness_try_commit(again, SF_COMMIT_REVOKE), ==, SF_FENCED);
    g_assert_nonnull(strstr(again->err.message, "was read up to 2 only"));
    harness_reopen(again);
    g_assert_cmpint(harness_recover(again, 0, EVENTS), ==, 0);
    harness_write(again, 0, numbers(again, EVENTS, 0, 4, NOON_US));
    harness_commit(again, SF_COMMIT_REVOKE);
    expect_objects(place, reference);
}

/* Memory is wanted amid it, as often as it may be: it goes on to its end, others are cut. */
static void redo_goes_on_when_memory_is_wanted(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autofree char *reference = lose_range(place);
    g_autoptr(Harness) again = place_sink(place, "");
    for (int i = 0; i < 4; i++) {
        harness_write(again, 0, numbers(again, EVENTS, i, 1, NOON_US));
        harness_commit(again, SF_COMMIT_MEMORY);
    }
    harness_commit(again, SF_COMMIT_END);
    expect_objects(place, reference);
}

static void rejects_of_a_redo_are_not_made_twice(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *const values[] = {"1", "broken", "2"};
    Harness *h = place_sink(place, "");
    harness_write(h, 0, harness_raw(h, EVENTS, 0, values, 3));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpuint(harness_n_rejects(h), ==, 1);
    harness_free(h);
    place_delete(place, DAY "0000000000.json");
    g_autoptr(Harness) again = place_sink(place, "");
    harness_write(again, 0, harness_raw(again, EVENTS, 0, values, 3));
    harness_commit(again, SF_COMMIT_END);
    g_assert_cmpuint(harness_n_rejects(again), ==, 0);
    expect_objects(place, DAY "0000000000.json: 1|2|\n");
}

/* ---- two processes ---- */

static void loser_of_a_race_follows_the_winner(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) zombie = place_sink(place, "");
    g_autoptr(Harness) owner = place_sink(place, "");
    harness_write(zombie, 0, numbers(zombie, EVENTS, 0, 3, NOON_US));
    harness_write(owner, 0, numbers(owner, EVENTS, 0, 5, NOON_US));
    harness_commit(owner, SF_COMMIT_END);
    g_autofree char *before = place_objects(place);
    g_assert_cmpint(harness_try_commit(zombie, SF_COMMIT_END), ==, SF_FENCED);
    g_assert_cmpstr(zombie->err.message, ==,
                    "sales_events/0: another process has cut the range from 0 at 5, where this one "
                    "had 3");
    expect_objects(place, before);
    harness_reopen(zombie);
    g_assert_cmpint(harness_recover(zombie, 0, EVENTS), ==, 5);
}

static void same_cut_by_two_processes_is_one(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) one = place_sink(place, "");
    g_autoptr(Harness) other = place_sink(place, "");
    harness_write(one, 0, numbers(one, EVENTS, 0, 3, NOON_US));
    harness_write(other, 0, numbers(other, EVENTS, 0, 3, NOON_US));
    harness_commit(one, SF_COMMIT_END);
    harness_commit(other, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(other, 0, EVENTS), ==, 3);
    expect_objects(place, DAY "0000000000.json: {\"n\":0}|{\"n\":1}|{\"n\":2}|\n");
}

static void place_of_another_pipeline_is_refused(Place *place, gconstpointer unused)
{
    (void) unused;
    Harness *h = place_sink(place, "");
    harness_write(h, 0, numbers(h, EVENTS, 0, 3, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    harness_free(h);
    g_autofree char *from = g_build_filename(place->path, "_sf", "test", NULL);
    g_autofree char *to = g_build_filename(place->path, "_sf", "older", NULL);
    g_assert_cmpint(rename(from, to), ==, 0);
    g_autoptr(Harness) again = place_sink(place, "");
    harness_open(again);
    SfRecovery chain = {.split = harness_split(again, EVENTS), .hint = SF_POSITION_NONE};
    SfError err;
    const SfSink *sink = &again->instance->plugin->sink;
    g_assert_cmpint(sink->recover(again->node, &chain, 1, &err), ==, SF_CONFIG);
    g_assert_nonnull(strstr(err.message, "pipeline 'older' has written 'sales_events/0' to 'file://"));
    chain.split = harness_split(again, OTHER); /* that one is free */
    g_assert_cmpint(sink->recover(again->node, &chain, 1, &err), ==, SF_OK);
}

static void place_of_another_step_is_refused(Place *place, gconstpointer unused)
{
    (void) unused;
    Harness *h = place_sink(place, "");
    harness_write(h, 0, numbers(h, EVENTS, 0, 3, NOON_US));
    h->node->step = "other";
    harness_commit(h, SF_COMMIT_END);
    harness_free(h);
    g_autoptr(Harness) again = place_sink(place, "");
    harness_open(again);
    SfRecovery chain = {.split = harness_split(again, EVENTS), .hint = SF_POSITION_NONE};
    SfError err;
    g_assert_cmpint(again->instance->plugin->sink.recover(again->node, &chain, 1, &err), ==, SF_CONFIG);
    g_assert_true(
        g_str_has_prefix(err.message, "step 'other' of pipeline 'test' has written 'sales_events/0' to 'file://"));
}

static void two_inputs_with_one_split_are_refused(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "");
    struct ArrowSchema raw;
    g_assert_cmpint(sf_schema_raw(&raw, NULL), ==, SF_OK);
    harness_input(h, "eu", &raw);
    harness_input(h, "us", &raw);
    sf_schema_done(&raw);
    harness_recover(h, 0, EVENTS);
    SfRecovery chain = {.input = 1, .split = harness_split(h, EVENTS), .hint = SF_POSITION_NONE};
    SfError err;
    g_assert_cmpint(h->instance->plugin->sink.recover(h->node, &chain, 1, &err), ==, SF_CONFIG);
    g_assert_nonnull(
        strstr(err.message, "inputs 'eu' and 'us' both have 'sales_events/0' (topic 'sales_events', partition 0)"));
}

static void damaged_entry_is_named(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *const damages[] = {"", "[]", "{}", "{\"version\":2}",
                                   "{\"version\":1,\"step\":\"x\",\"start\":9,\"end\":3}"};
    for (gsize i = 0; i < G_N_ELEMENTS(damages); i++) {
        Harness *h = place_sink(place, "");
        g_autofree char *split = g_strdup_printf("t/%zu", i);
        harness_write(h, 0, numbers(h, split, 0, 1, NOON_US));
        harness_commit(h, SF_COMMIT_END);
        g_autofree char *key = g_strdup_printf("_sf/test/%s/00000000000000000000.json", split);
        g_autofree char *path = g_build_filename(place->path, key, NULL);
        g_assert_true(g_file_set_contents(path, damages[i], -1, NULL));
        SfRecovery chain = {.split = harness_split(h, split), .hint = SF_POSITION_NONE};
        SfError err;
        g_assert_cmpint(h->instance->plugin->sink.recover(h->node, &chain, 1, &err), ==, SF_CONFIG);
        g_autofree char *said = g_strdup_printf("ledger entry '%s' cannot be used: ", key);
        g_assert_true(g_str_has_prefix(err.message, said));
        harness_free(h);
    }
}

/* ---- S3 ---- */

static Harness *s3_sink(FakeS3 *fake, const char *options)
{
    g_autofree char *yaml = g_strdup_printf("url: s3://raw/sales\nendpoint: %s\naccess_key_id: id\n"
                                            "secret_access_key: secret\ntimeout: 300ms\n%s",
                                            fake_s3_url(fake), options);
    return harness_new("s3-bronze-sink", yaml);
}

/* PUTs of keys with that part that the server has seen. */
static int put_requests(FakeS3 *fake, const char *part)
{
    g_autofree char *text = fake_s3_requests(fake);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    int n = 0;
    for (char **line = lines; *line; line++)
        n += g_str_has_prefix(*line, "PUT ") && strstr(*line, part);
    return n;
}

/* Whether the sink, the store or libcurl tries again does not matter: each fault was met, and all is there once. */
static void outages_lose_nothing(void)
{
    const FakeScript outages[] = {
        {.method = "PUT", .part = "_sf/test", .fault = FAKE_ANSWER, .status = 503, .code = "SlowDown", .times = 5},
        {.method = "PUT", .part = "_sf/test", .fault = FAKE_DO_CUT, .times = 4},
        {.method = "PUT", .part = "_sf/test", .fault = FAKE_HANG, .times = 4},
        {.method = "PUT", .part = "year", .fault = FAKE_ANSWER, .status = 403, .code = "AccessDenied", .times = 2},
        {.method = "PUT", .part = "year", .fault = FAKE_CUT, .times = 7},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(outages); i++) {
        g_autoptr(FakeS3) fake = fake_s3_new();
        Harness *h = s3_sink(fake, OPTIONS);
        harness_open(h);
        fake_s3_script(fake, outages[i]);
        harness_write(h, 0, numbers(h, EVENTS, 0, 10, NOON_US));
        int retries = 0;
        while (harness_try_commit(h, SF_COMMIT_END) != SF_OK) {
            g_assert_cmpint(h->status, ==, SF_RETRY);
            g_assert_cmpint(++retries, <, 10);
        }
        g_assert_cmpint(put_requests(fake, outages[i].part), >, outages[i].times);
        g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 10);
        g_assert_cmpuint(fake_s3_count(fake), ==, 1 + 1 + 4); /* probe, entry, objects */
        g_autoptr(GBytes) last = fake_s3_get(fake, "/raw/sales/" DAY "0000000009.json");
        g_assert_cmpmem(g_bytes_get_data(last, NULL), g_bytes_get_size(last), "{\"n\":9}\n", 8);
        harness_free(h);
    }
}

static void foreign_objects_in_a_bucket_stay(void)
{
    g_autoptr(FakeS3) fake = fake_s3_new();
    Harness *h = s3_sink(fake, OPTIONS);
    fake_s3_set(fake, "/raw/sales/" DAY "0000000000.json", "{\"n\":7}\n{\"n\":8}\n{\"n\":9}\n"); /* as long as ours */
    harness_write(h, 0, numbers(h, EVENTS, 0, 3, NOON_US));
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_END), ==, SF_CONFIG);
    g_assert_true(g_str_has_prefix(h->err.message, "'s3://raw/sales/" DAY "0000000000.json' (24 bytes) is not the "));
    harness_reopen(h);
    g_assert_cmpint(harness_try_recover(h, 0, EVENTS), ==, SF_CONFIG);
    g_autoptr(GBytes) there = fake_s3_get(fake, "/raw/sales/" DAY "0000000000.json");
    g_assert_cmpmem(g_bytes_get_data(there, NULL), 8, "{\"n\":7}\n", 8);
    harness_free(h);
}

static void write_waits_before_it_takes_more(void)
{
    g_autoptr(FakeS3) fake = fake_s3_new();
    Harness *h = s3_sink(fake, "flush.size: 1");
    harness_open(h);
    fake_s3_script(fake,
                   (FakeScript){.method = "PUT", .fault = FAKE_ANSWER, .status = 503, .code = "SlowDown", .times = 3});
    harness_write(h, 0, numbers(h, EVENTS, 0, 100, NOON_US));
    const SfBatch *more = numbers(h, EVENTS, 100, 1, NOON_US);
    g_assert_cmpint(harness_try_write(h, 0, more), ==, SF_RETRY);
    harness_write(h, 0, more);
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 101);
    g_assert_cmpuint(fake_s3_count(fake), ==, 1 + 2 + 101);
    harness_free(h);
}

static guint count_lists(FakeS3 *fake)
{
    g_autofree char *requests = fake_s3_requests(fake);
    guint lists = 0;
    for (const char *p = requests; (p = strstr(p, "list-type")); p++)
        lists++;
    return lists;
}

static void last_of_many_entries_is_found_by_few_listings(void)
{
    g_autoptr(FakeS3) fake = fake_s3_new();
    Harness *h = s3_sink(fake, "");
    harness_write(h, 0, numbers(h, EVENTS, INT64_C(70000000), 3, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    g_autoptr(GBytes) real = fake_s3_get(fake, "/raw/sales/" LEDGER "00000000000070000000.json");
    g_assert_nonnull(real);
    gint64 start = 0;
    for (int i = 0; i < 10000; i++, start += i % 7 ? 1000 : 30000) { /* up to 50,800,000: unevenly apart */
        g_autofree char *path = g_strdup_printf("/raw/sales/" LEDGER "%020" G_GINT64_FORMAT ".json", start);
        fake_s3_set(fake, path, "{}");
    }
    const gint64 hints[] = {SF_POSITION_NONE, 0, 70000003, 70000000, 69999999, 12345678, INT64_C(4000000000)};
    for (gsize i = 0; i < G_N_ELEMENTS(hints); i++) {
        count_lists(fake);
        g_assert_cmpint(harness_recover_hint(h, 0, EVENTS, hints[i]), ==, 70000003);
        guint lists = count_lists(fake);
        g_test_message("hint %" G_GINT64_FORMAT ": %u listings", hints[i], lists);
        g_assert_cmpuint(lists, <=, 32);
    }
    harness_free(h);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/bronze/redo/" name, Place, NULL, place_set_up, function, place_tear_down)
    ADD("redo after any kill gives the same bytes", redo_after_any_kill_gives_the_same_bytes);
    ADD("lost objects are written again by the entry", lost_objects_are_written_again_by_the_entry);
    ADD("wall clock's days are redone by position", wall_clock_days_are_redone_by_position);
    ADD("wall clock that goes back ends the range", wall_clock_that_goes_back_ends_the_range);
    ADD("gzip is redone byte by byte", gzip_is_redone_byte_by_byte);
    ADD("rows that the topic has lost are told", rows_that_the_topic_has_lost_are_told);
    ADD("redo that is cut short is left to the next", redo_that_is_cut_short_is_left_to_the_next);
    ADD("redo goes on when memory is wanted", redo_goes_on_when_memory_is_wanted);
    ADD("rejects of a redo are not made twice", rejects_of_a_redo_are_not_made_twice);
    ADD("loser of a race follows the winner", loser_of_a_race_follows_the_winner);
    ADD("same cut by two processes is one", same_cut_by_two_processes_is_one);
    ADD("place of another pipeline is refused", place_of_another_pipeline_is_refused);
    ADD("place of another step is refused", place_of_another_step_is_refused);
    ADD("two inputs with one split are refused", two_inputs_with_one_split_are_refused);
    ADD("damaged entry is named", damaged_entry_is_named);
    g_test_add_func("/bronze/redo/outages lose nothing", outages_lose_nothing);
    g_test_add_func("/bronze/redo/foreign objects in a bucket stay", foreign_objects_in_a_bucket_stay);
    g_test_add_func("/bronze/redo/write waits before it takes more", write_waits_before_it_takes_more);
    g_test_add_func("/bronze/redo/last of many entries is found by few listings",
                    last_of_many_entries_is_found_by_few_listings);
    return g_test_run();
}
