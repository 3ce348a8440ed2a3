/* s3-bronze-sink: cuts by the clock, which somebody may set. */
#include "bronze_fixture.h"

#include <string.h>

#define DAY "sales_events/year=2024/month=01/day=15/sales_events+0+"
#define LEDGER "_sf/test/sales_events/0/"

static void expect_objects(const Place *place, const char *expected)
{
    g_autofree char *objects = place_objects(place);
    g_assert_cmpstr(objects, ==, expected);
}

static void expect_entries(const Place *place, const char *expected)
{
    g_autofree char *entries = place_entries(place);
    g_assert_cmpstr(entries, ==, expected);
}

/* The wall clock is set back, or ahead, by an hour: ages do not notice. */
static void age_is_no_matter_of_the_wall_clock(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "rotate.interval.ms: 5000");
    const gint64 jumps[] = {-3600000, 3600000, -86400000};
    for (gint64 i = 0; i < 3; i++) {
        harness_write(h, 0, numbers(h, EVENTS, i, 1, NOON_US));
        h->now_ms += jumps[i];
        harness_pass(h, 4999);
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, i > 0 ? i : SF_POSITION_NONE);
        harness_pass(h, 1);
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, i + 1);
    }
}

static void schedule_outlives_a_clock_that_is_set_back(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "rotate.schedule.interval.ms: 600000");
    harness_tick(h); /* 10:30: the next one is at 10:40 */
    harness_write(h, 0, numbers(h, EVENTS, 0, 1, NOON_US));
    h->now_ms -= 3600000 + 120000; /* 9:28 */
    harness_pass(h, 599999);
    harness_tick(h);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, SF_POSITION_NONE);
    harness_pass(h, 1); /* 9:38, the time that was left has passed */
    harness_tick(h);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 1);
    harness_write(h, 0, numbers(h, EVENTS, 1, 1, NOON_US));
    harness_pass(h, 119999);
    harness_tick(h);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 1);
    harness_pass(h, 1); /* 9:40 by the clock as it is now */
    harness_tick(h);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 2);
}

static void schedule_outlives_a_clock_that_is_set_ahead(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "rotate.schedule.interval.ms: 600000");
    harness_write(h, 0, numbers(h, EVENTS, 0, 1, NOON_US));
    h->now_ms += 3600000;
    harness_tick(h);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 1);
    harness_write(h, 0, numbers(h, EVENTS, 1, 1, NOON_US));
    h->now_ms -= 3600000; /* right again */
    harness_pass(h, 600000);
    harness_tick(h);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 2);
}

static void schedule_cuts_all_at_its_times(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "rotate.schedule.interval.ms: 3600000\ntimezone: Asia/Kolkata");
    harness_write(h, 0, numbers(h, EVENTS, 0, 1, NOON_US)); /* 10:30 UTC is 16:00 there */
    harness_pass(h, 3600000 - 1);
    harness_tick(h);
    expect_objects(place, "");
    harness_pass(h, 1);
    harness_tick(h);
    expect_entries(place, LEDGER "00000000000000000000.json: 0-1 schedule 1/0 1\n");
    harness_write(h, 0, numbers(h, EVENTS, 1, 1, NOON_US));
    harness_pass(h, 3599999);
    harness_tick(h);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 1);
}

static void idle_topic_is_cut_by_age(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "rotate.interval.ms: 5000");
    harness_write(h, 0, numbers(h, EVENTS, 0, 1, NOON_US));
    harness_pass(h, 4999);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    expect_objects(place, "");
    harness_pass(h, 1);
    harness_tick(h);
    expect_objects(place, DAY "0000000000.json: {\"n\":0}|\n");
    expect_entries(place, LEDGER "00000000000000000000.json: 0-1 age 1/0 1\n");
}

static void nothing_waits_for_more_than_a_minute_without_rotate_options(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "");
    harness_write(h, 0, numbers(h, EVENTS, 0, 1, NOON_US));
    harness_pass(h, 59999);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, SF_POSITION_NONE);
    harness_pass(h, 1);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/bronze/clock/" name, Place, NULL, place_set_up, function, place_tear_down)
    ADD("age is no matter of the wall clock", age_is_no_matter_of_the_wall_clock);
    ADD("schedule outlives a clock that is set back", schedule_outlives_a_clock_that_is_set_back);
    ADD("schedule outlives a clock that is set ahead", schedule_outlives_a_clock_that_is_set_ahead);
    ADD("schedule cuts all at its times", schedule_cuts_all_at_its_times);
    ADD("idle topic is cut by age", idle_topic_is_cut_by_age);
    ADD("nothing waits for more than a minute without rotate options",
        nothing_waits_for_more_than_a_minute_without_rotate_options);
    return g_test_run();
}
