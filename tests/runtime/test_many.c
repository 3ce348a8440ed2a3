/* Several pipelines in one process, several sources in one pipeline: none stands in another's way. */
#include "fixture.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Splits are known by their source: two may have the same names. */
static void test_sources_with_the_same_splits(Fixture *fixture, gconstpointer data)
{
    (void) data;
    for (int i = 0; i < 2; i++)
        g_assert_cmpint(run(SOURCE ", rows: 500}\n  m: {source: count-source, splits: 3}\n" SINK("a", "n") "}\n" SINK(
                            "b", "[n, m]") "}\n"),
                        ==, EXIT_OK);
    g_assert_cmpint(total(fixture, "a", "n", "count/0").rows, ==, 500);
    g_assert_cmpint(total(fixture, "b", "n", "count/0").rows, ==, 500);
    check(fixture, "b", "m", all);
}

static void test_two_pipelines(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *one = pipeline_text("one", "", SOURCE "}\n" SINK("a", "n") "}\n");
    g_autofree char *two = pipeline_text("two", "", SOURCE "}\n" SINK("b", "n") ", fail_at: 1}\n");
    g_assert_cmpint(run_texts((const char *const[]){one, two, NULL}, true), ==, EXIT_FAILED);
    check(fixture, "a", "n", all);
    g_assert_cmpint(total(fixture, "b", "n", "count/0").end, ==, 0);
}

/* One pipeline's sink is away and its rows fill the memory; the other goes on. */
static void test_outage_of_a_neighbour(Fixture *fixture, gconstpointer data)
{
    (void) data;
    static const char wide[] = "  n: {source: count-source, rows: 100000000, batch: 100000}\n";
    SignalWhen when;
    g_autofree char *stuck = g_strconcat(wide, SINK("a", "n") ", away: write}\n", NULL);
    g_autofree char *one = pipeline_text("one", "shutdown: 1s\nmemory: 16MiB\n", stuck);
    g_autofree char *two =
        pipeline_text("two", "memory: 16MiB\n",
                      "  n: {source: count-source, rows: 3000000, batch: 50000}\n" SINK("b", "n") ", mark: 55}\n");
    signal_when(&when, fixture, "b.marked", getpid(), SIGTERM);
    run_texts((const char *const[]){one, two, NULL}, false);
    signal_done(&when);
    g_assert_cmpint(total(fixture, "b", "n", "count/0").rows, >, 2000000);
}

/* What a step holds for good may be more than the budget: rows go one batch at a time then, but they go. */
static void test_budget_used_up(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run_with("memory: 16MiB\n", SOURCE "}\n" SINK("a", "n") ", hold: 20MiB}\n" SINK("b", "n") "}\n"),
                    ==, EXIT_OK);
    check(fixture, "a", "n", all);
    check(fixture, "b", "n", all);
}

/* A batch that is larger than the budget passes alone. */
static void test_batch_larger_than_the_budget(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run_with("memory: 16MiB\n", "  n: {source: count-source, rows: 4000000, batch: 2000000}\n" SINK(
                                                    "a", "n") "}\n" SINK("b", "n") ", lazy: true}\n"),
                    ==, EXIT_OK);
    g_assert_cmpint(total(fixture, "a", "n", "count/0").rows, ==, 4000000);
    g_assert_cmpint(total(fixture, "b", "n", "count/0").rows, ==, 4000000);
}

int main(int argc, char **argv)
{
    static const FixtureTest tests[] = {
        {"/many/sources-with-the-same-splits", test_sources_with_the_same_splits},
        {"/many/two-pipelines", test_two_pipelines},
        {"/many/outage-of-a-neighbour", test_outage_of_a_neighbour},
        {"/many/budget-used-up", test_budget_used_up},
        {"/many/batch-larger-than-the-budget", test_batch_larger_than_the_budget},
    };
    return fixture_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
