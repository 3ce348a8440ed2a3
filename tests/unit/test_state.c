/* What is wanted of a pipeline and what it does: since when, by whom, and what counts as news. */
#include "runtime/state.h"
#include "runtime/backoff.h"

static void test_wish_stays_the_first_ones(void)
{
    DesiredState state = {0};
    g_assert_true(desired_set(&state, DESIRED_RUNNING, "start", NULL));
    g_assert_false(desired_set(&state, DESIRED_RUNNING, "ann", "why not"));
    g_assert_cmpstr(state.by, ==, "start");
    g_assert_null(state.why);
    g_assert_true(desired_set(&state, DESIRED_PAUSED, "ann\nbob", "the store\tmoves"));
    g_assert_cmpstr(state.by, ==, "ann bob");
    g_assert_cmpstr(state.why, ==, "the store moves");
    g_assert_cmpint(state.since_us, >, 0);
    desired_forget(&state);
    g_assert_true(desired_set(&state, DESIRED_PAUSED, "carl", NULL));
    g_assert_cmpstr(state.by, ==, "carl");
    desired_done(&state);
}

static void test_state_keeps_its_time(void)
{
    ActualState state = {0};
    g_assert_true(actual_set(&state, ACTUAL_STARTING, NULL));
    gint64 since = state.since_us;
    g_assert_cmpint(since, >, 0);
    g_assert_false(actual_set(&state, ACTUAL_STARTING, NULL));
    while (g_get_real_time() == since)
        g_usleep(1);
    g_assert_true(actual_set(&state, ACTUAL_STARTING, "the broker is away"));
    g_assert_cmpint(state.since_us, ==, since);
    g_assert_cmpstr(state.why, ==, "the broker is away");
    g_assert_true(actual_set(&state, ACTUAL_RUNNING, NULL));
    g_assert_cmpint(state.since_us, >, since);
    g_assert_null(state.why);
    actual_done(&state);
}

static void test_names(void)
{
    static const char *const names[] = {"starting", "running", "pausing", "paused", "retrying",
                                        "stopping", "waiting", "stopped", "done",   "failed"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_cmpstr(actual_name((Actual) i), ==, names[i]);
        g_assert_cmpint(actual_is_going((Actual) i), ==, i <= ACTUAL_STOPPING);
    }
    g_assert_cmpstr(desired_name(DESIRED_RUNNING), ==, "running");
    g_assert_cmpstr(desired_name(DESIRED_PAUSED), ==, "paused");
    g_assert_cmpstr(desired_name(DESIRED_STOPPED), ==, "stopped");
}

/* Half a second, doubled with each try up to half a minute, each a fifth more or less. */
static void test_pauses_grow(void)
{
    for (guint round = 0; round < 200; round++) {
        Backoff backoff = {0};
        gint64 wanted = 500;
        for (guint i = 0; i < 100; i++) {
            gint64 pause = backoff_next(&backoff);
            g_assert_cmpint(pause, >=, wanted * 8 / 10);
            g_assert_cmpint(pause, <=, wanted * 12 / 10);
            wanted = MIN(wanted * 2, 30000);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/state/wish-stays-the-first-ones", test_wish_stays_the_first_ones);
    g_test_add_func("/state/state-keeps-its-time", test_state_keeps_its_time);
    g_test_add_func("/state/names", test_names);
    g_test_add_func("/state/pauses-grow", test_pauses_grow);
    return g_test_run();
}
