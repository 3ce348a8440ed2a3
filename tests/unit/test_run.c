/* Records of runs: ranges that meet are one, whatever the attempts and assignments that they came from; the outcome. */
#include "runtime/run.h"

#include <glib.h>

typedef struct Fixture {
    Step source;
    GArray *ranges;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
    (void) data;
    fixture->source = (Step){.name = (char *) "events"};
    fixture->ranges = run_ranges_new();
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_array_unref(fixture->ranges);
}

/* What an attempt leaves: the assignments that are over, and the one that is not. */
static void note(Fixture *fixture, const char *split, const Span *past, size_t n, gint64 from, gint64 committed)
{
    run_note(fixture->ranges, &(SplitView){.source = &fixture->source,
                                           .name = split,
                                           .from = from,
                                           .committed = committed,
                                           .n_past = n,
                                           .past = past});
}

static void check(const Fixture *fixture, guint i, const char *split, gint64 from, gint64 to)
{
    g_assert_cmpuint(i, <, fixture->ranges->len);
    const RunRange *range = &g_array_index(fixture->ranges, RunRange, i);
    g_assert_cmpstr(range->source->name, ==, "events");
    g_assert_cmpstr(range->split, ==, split);
    g_assert_cmpint(range->from, ==, from);
    g_assert_cmpint(range->to, ==, to);
}

static void test_attempts_go_on(Fixture *fixture, gconstpointer data)
{
    (void) data;
    note(fixture, "b", NULL, 0, 100, 150);
    note(fixture, "b", NULL, 0, 150, 150); /* an attempt in which nothing came */
    note(fixture, "b", NULL, 0, 150, 180);
    note(fixture, "a", NULL, 0, 7, 9);
    g_assert_cmpuint(fixture->ranges->len, ==, 2);
    check(fixture, 0, "a", 7, 9);
    check(fixture, 1, "b", 100, 180);
}

/* A sink that is further back is caught up with: positions are not counted twice. */
static void test_reading_again(Fixture *fixture, gconstpointer data)
{
    (void) data;
    note(fixture, "a", NULL, 0, 100, 150);
    note(fixture, "a", NULL, 0, 80, 120);
    g_assert_cmpuint(fixture->ranges->len, ==, 1);
    check(fixture, 0, "a", 80, 150);
    note(fixture, "a", NULL, 0, 80, 200);
    check(fixture, 0, "a", 80, 200);
}

/* What another process did in between is not ours. */
static void test_another_process(Fixture *fixture, gconstpointer data)
{
    (void) data;
    const Span past[] = {{0, 10}, {30, 40}};
    note(fixture, "a", past, G_N_ELEMENTS(past), 60, 70);
    g_assert_cmpuint(fixture->ranges->len, ==, 3);
    check(fixture, 0, "a", 0, 10);
    check(fixture, 1, "a", 30, 40);
    check(fixture, 2, "a", 60, 70);
    note(fixture, "a", NULL, 0, 10, 30); /* closes the first hole, and not the second */
    g_assert_cmpuint(fixture->ranges->len, ==, 2);
    check(fixture, 0, "a", 0, 40);
    note(fixture, "a", NULL, 0, 40, 60);
    g_assert_cmpuint(fixture->ranges->len, ==, 1);
    check(fixture, 0, "a", 0, 70);
}

static void test_revoked_and_nothing_more(Fixture *fixture, gconstpointer data)
{
    (void) data;
    const Span past[] = {{5, 6}};
    note(fixture, "a", past, 1, SF_POSITION_NONE, 6);
    g_assert_cmpuint(fixture->ranges->len, ==, 1);
    check(fixture, 0, "a", 5, 6);
}

/* A run may last for years. */
static void test_bounded(Fixture *fixture, gconstpointer data)
{
    (void) data;
    for (gint64 i = 0; i < 1000; i++) {
        note(fixture, "a", NULL, 0, 10 * i, 10 * i + 5);
        note(fixture, "b", NULL, 0, 10 * i, 10 * i + 5);
    }
    g_assert_cmpuint(fixture->ranges->len, ==, 2 * RUN_MOST_RANGES);
    check(fixture, 0, "a", 0, 10 * (1000 - RUN_MOST_RANGES) + 5);
    check(fixture, 1, "a", 10 * (1000 - RUN_MOST_RANGES + 1), 10 * (1000 - RUN_MOST_RANGES + 1) + 5);
    check(fixture, RUN_MOST_RANGES - 1, "a", 9990, 9995);
    check(fixture, RUN_MOST_RANGES, "b", 0, 10 * (1000 - RUN_MOST_RANGES) + 5);
    g_autoptr(GArray) copy = run_ranges_copy(fixture->ranges);
    g_assert_cmpuint(copy->len, ==, fixture->ranges->len);
    g_assert_cmpstr(g_array_index(copy, RunRange, 3).split, ==, "a");
}

static void test_outcomes(void)
{
    static const struct {
        const char *error;
        bool stopped, complete;
        const char *outcome;
    } cases[] = {
        {NULL, false, true, "complete"},
        {NULL, true, true, "stopped"},
        {NULL, true, false, "partial"},
        {NULL, false, false, "partial"},
        {"the disk is full", true, true, "failed"},
    };
    Run run = {0};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        run_begin(&run, "start", "ann");
        g_assert_cmpuint(run.number, ==, i + 1);
        g_assert_null(outcome_name(run.outcome));
        g_assert_cmpint(run.ended_us, ==, 0);
        run.complete = cases[i].complete;
        run_end(&run, cases[i].error ? EXIT_FAILED : EXIT_OK, cases[i].error, cases[i].stopped);
        g_assert_cmpstr(outcome_name(run.outcome), ==, cases[i].outcome);
        g_assert_cmpstr(run.error, ==, cases[i].error);
        g_assert_cmpint(run.ended_us, >=, run.started_us);
        gint64 took = run_elapsed_us(&run);
        g_usleep(1000);
        g_assert_cmpint(run_elapsed_us(&run), ==, took); /* it stands still at its end */
    }
    run_done(&run);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/run/attempts go on from each other", Fixture, NULL, set_up, test_attempts_go_on, tear_down);
    g_test_add("/run/what is read again counts once", Fixture, NULL, set_up, test_reading_again, tear_down);
    g_test_add("/run/another process did the rest", Fixture, NULL, set_up, test_another_process, tear_down);
    g_test_add("/run/revoked", Fixture, NULL, set_up, test_revoked_and_nothing_more, tear_down);
    g_test_add("/run/not more than so many", Fixture, NULL, set_up, test_bounded, tear_down);
    g_test_add_func("/run/outcomes", test_outcomes);
    return g_test_run();
}
