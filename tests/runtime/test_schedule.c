/* Runs that begin by themselves: by the clock, behind other pipelines, again after a failure; and by hand. */
#include "fixture.h"

#include <string.h>

#include "runtime/attempt.h"
#include "runtime/runner.h"
#include "runtime/runner_state.h"

#define STEPS(sink) SOURCE "}\n" SINK(sink, "n") "}\n"

typedef struct Scheduled {
    Pipeline *pipeline;
    Runner *runner;
    GPtrArray *causes; /* char *: of runs that have ended, under the lock */
    GMutex lock;
    GCond told;
} Scheduled;

static void on_tell(gpointer data)
{
    Scheduled *scheduled = data;
    g_mutex_lock(&scheduled->lock);
    g_cond_broadcast(&scheduled->told);
    g_mutex_unlock(&scheduled->lock);
}

static void on_end(Runner *runner, gpointer data)
{
    Scheduled *scheduled = data;
    g_mutex_lock(&scheduled->lock);
    g_ptr_array_add(scheduled->causes, g_strdup_printf("%s: %s", runner->run.cause, outcome_name(runner->run.outcome)));
    g_mutex_unlock(&scheduled->lock);
}

static Scheduled *scheduled_new(const char *name, const char *settings, const char *steps)
{
    Scheduled *scheduled = g_new0(Scheduled, 1);
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    g_autofree char *text = pipeline_text(name, settings, steps);
    g_mutex_init(&scheduled->lock);
    g_cond_init(&scheduled->told);
    scheduled->causes = g_ptr_array_new_with_free_func(g_free);
    scheduled->pipeline = pipeline_load_text(text, "test.yaml", diagnostics);
    g_assert_cmpuint(diagnostics->errors->len, ==, 0);
    TriggerKind kind = scheduled->pipeline->trigger.kind;
    scheduled->runner = runner_new(scheduled->pipeline, &(RunnerOptions){.once = kind != TRIGGER_CONTINUOUS,
                                                                         .scheduled = kind == TRIGGER_SCHEDULED,
                                                                         .tell = on_tell,
                                                                         .tell_end = on_end,
                                                                         .data = scheduled});
    return scheduled;
}

static void scheduled_free(Scheduled *scheduled)
{
    runner_free(scheduled->runner);
    pipeline_free(scheduled->pipeline);
    g_ptr_array_unref(scheduled->causes);
    g_cond_clear(&scheduled->told);
    g_mutex_clear(&scheduled->lock);
    g_free(scheduled);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scheduled, scheduled_free)

/* Waits until so many runs have ended; returns the cause of the last and what came of it, to be freed. A supervisor
 * looks after deadlines meanwhile. */
static char *await_runs(Scheduled *scheduled, guint n)
{
    g_mutex_lock(&scheduled->lock);
    while (scheduled->causes->len < n) {
        gint64 next = G_MAXINT64;
        g_mutex_unlock(&scheduled->lock);
        g_assert_cmpint(runner_check(scheduled->runner, &next), ==, RUNNER_GOES_ON);
        g_mutex_lock(&scheduled->lock);
        if (scheduled->causes->len < n)
            g_cond_wait_until(&scheduled->told, &scheduled->lock, MIN(next, g_get_monotonic_time() + G_USEC_PER_SEC));
    }
    char *cause = g_strdup(scheduled->causes->pdata[n - 1]);
    g_mutex_unlock(&scheduled->lock);
    return cause;
}

static void assert_run(Scheduled *scheduled, guint number, const char *expected)
{
    g_autofree char *cause = await_runs(scheduled, number);
    g_assert_cmpstr(cause, ==, expected);
}

static void await_actual(Scheduled *scheduled, Actual actual)
{
    g_mutex_lock(&scheduled->lock);
    for (;;) {
        g_auto(States) states = {0};
        g_mutex_unlock(&scheduled->lock);
        runner_states(scheduled->runner, &states);
        g_mutex_lock(&scheduled->lock);
        if (states.actual.is == actual)
            break;
        g_cond_wait_until(&scheduled->told, &scheduled->lock, g_get_monotonic_time() + G_USEC_PER_SEC / 100);
    }
    g_mutex_unlock(&scheduled->lock);
}

/* Starts and triggers it, and waits until its sink has made its mark: a run goes on. */
static void begin_slow(Scheduled *scheduled, const Fixture *fixture)
{
    SfError err;
    guint run;
    runner_start(scheduled->runner);
    g_assert_cmpint(runner_trigger(scheduled->runner, "ann", NULL, &run, &err), ==, SF_OK);
    g_autofree char *mark = g_build_filename(fixture->dir, "a.marked", NULL);
    await_file(mark);
}

static guint runs_of(Scheduled *scheduled)
{
    g_mutex_lock(&scheduled->lock);
    guint runs = scheduled->causes->len;
    g_mutex_unlock(&scheduled->lock);
    return runs;
}

static void test_by_the_clock(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autoptr(Scheduled) scheduled = scheduled_new("p", "trigger: {every: 100ms}\n", STEPS("a"));
    runner_start(scheduled->runner);
    for (guint run = 1; run <= 3; run++)
        assert_run(scheduled, run, "schedule: complete");
    await_actual(scheduled, ACTUAL_WAITING);
    check(fixture, "a", "n", all);
}

/* Another schedule is the clock by which nothing happens. */
static void test_pause_and_stop(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    static const Desired wishes[] = {DESIRED_PAUSED, DESIRED_STOPPED};
    g_autoptr(Scheduled) clock = scheduled_new("clock", "trigger: {every: 100ms}\n", STEPS("c"));
    g_autoptr(Scheduled) scheduled = scheduled_new("p", "trigger: {every: 100ms}\n", STEPS("a"));
    runner_start(clock->runner);
    runner_start(scheduled->runner);
    guint runs = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(wishes); i++) {
        SfError err;
        guint run;
        assert_run(scheduled, runs + 2, "schedule: complete");
        await_actual(scheduled, ACTUAL_WAITING);
        runner_want(scheduled->runner, wishes[i], "the test", NULL);
        await_actual(scheduled, wishes[i] == DESIRED_STOPPED ? ACTUAL_STOPPED : ACTUAL_WAITING);
        g_assert_cmpint(runner_trigger(scheduled->runner, "ann", NULL, &run, &err), ==, SF_CONFIG);
        g_assert_nonnull(strstr(err.message, "`sfrun resume p` first"));
        runs = runs_of(scheduled);
        g_free(await_runs(clock, runs_of(clock) + 4));
        g_assert_cmpuint(runs_of(scheduled), ==, runs);
        runner_want(scheduled->runner, DESIRED_RUNNING, "the test", NULL);
    }
    assert_run(scheduled, runs + 1, "schedule: complete");
}

static void test_by_hand(Fixture *fixture, gconstpointer data)
{
    (void) data;
    SfError err;
    guint run = 0;
    g_autoptr(Scheduled) scheduled = scheduled_new("p", "trigger: {cron: '0 0 29 2 *'}\n", STEPS("a"));
    runner_start(scheduled->runner);
    g_assert_cmpint(runner_trigger(scheduled->runner, "ann", "late files", &run, &err), ==, SF_OK);
    g_assert_cmpuint(run, ==, 1);
    assert_run(scheduled, 1, "trigger: complete");
    g_assert_cmpstr(scheduled->runner->run.by, ==, "ann: late files");
    check(fixture, "a", "n", all);
    g_autoptr(Scheduled) endless = scheduled_new("q", "", STEPS("b"));
    g_assert_cmpint(runner_trigger(endless->runner, "ann", NULL, &run, &err), ==, SF_CONFIG);
    g_assert_cmpstr(err.message, ==, "pipeline 'q' runs until it is stopped; there is nothing to trigger");
}

/* One runs at a time: a second wish makes one more run, and so do ten. */
static void test_by_hand_while_it_runs(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    SfError err;
    guint run = 0;
    g_autoptr(Scheduled) scheduled = scheduled_new("p", "trigger: {cron: '0 0 29 2 *'}\n",
                                                   SOURCE ", rows: 20000, batch: 10}\n" SINK("a", "n") ", mark: 20}\n");
    begin_slow(scheduled, fixture);
    for (int i = 0; i < 10; i++)
        g_assert_cmpint(runner_trigger(scheduled->runner, "bob", NULL, &run, &err), ==, SF_OK);
    g_assert_cmpuint(run, ==, 2);
    assert_run(scheduled, 2, "trigger: complete");
    g_assert_cmpstr(scheduled->runner->run.by, ==, "bob");
    await_actual(scheduled, ACTUAL_WAITING);
    g_assert_cmpuint(runs_of(scheduled), ==, 2);
}

/* A pipeline that ends is followed at its end, one that does not at its commits. */
static void test_behind_another(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autoptr(Scheduled) last = scheduled_new("gold", "trigger: {after: [silver]}\n", STEPS("c"));
    g_autoptr(Scheduled) middle = scheduled_new("silver", "trigger: {after: [bronze]}\n", STEPS("b"));
    g_autoptr(Scheduled) first = scheduled_new("bronze", "checkpoint: 10ms\n", STEPS("a"));
    runner_add_follower(first->runner, middle->runner);
    runner_add_follower(middle->runner, last->runner);
    runner_start(last->runner);
    runner_start(middle->runner);
    assert_run(middle, 1, "schedule: complete"); /* for what was committed before the process */
    assert_run(last, 1, "schedule: complete");
    runner_start(first->runner);
    assert_run(middle, 2, "after bronze: complete");
    assert_run(last, 2, "after silver: complete");
    check(fixture, "b", "n", all);
    check(fixture, "c", "n", all);
    runner_leave(first->runner, "the test", NULL);
}

/* What is committed while a run goes on is followed by another one. */
static void test_what_comes_meanwhile_is_followed(Fixture *fixture, gconstpointer data)
{
    (void) data;
    SfError err;
    guint run;
    g_autoptr(Scheduled) second =
        scheduled_new("q", "trigger: {after: [p]}\n",
                      SOURCE ", rows: 20000, batch: 10}\n" SINK("b", "n") ", mark: 20, slow_us: 100}\n");
    g_autoptr(Scheduled) first = scheduled_new("p", "trigger: {cron: '0 0 29 2 *'}\n", STEPS("a"));
    runner_add_follower(first->runner, second->runner);
    runner_start(second->runner);
    runner_start(first->runner);
    g_autofree char *mark = g_build_filename(fixture->dir, "b.marked", NULL);
    await_file(mark);
    g_assert_cmpint(runner_trigger(first->runner, "ann", NULL, &run, &err), ==, SF_OK);
    assert_run(first, 1, "trigger: complete");
    assert_run(second, 1, "schedule: complete");
    assert_run(second, 2, "after p: complete");
}

static void test_failures_are_tried_again(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autoptr(Scheduled) scheduled =
        scheduled_new("p", "trigger: {cron: '0 0 29 2 *', catch_up: true, retries: 2, backoff: 100ms}\n",
                      SOURCE "}\n" SINK("a", "n") ", fail_at: 1}\n");
    runner_start(scheduled->runner);
    assert_run(scheduled, 1, "schedule: failed");
    assert_run(scheduled, 2, "retry: failed");
    assert_run(scheduled, 3, "retry: failed");
    await_actual(scheduled, ACTUAL_FAILED);
    gint64 next = G_MAXINT64;
    g_assert_cmpint(runner_check(scheduled->runner, &next), ==, RUNNER_GOES_ON); /* it will be tried when it is due */
    g_assert_cmpuint(runs_of(scheduled), ==, 3);
    g_assert_cmpint(total(fixture, "a", "n", "count/0").rows, ==, 0);
}

/* Who resumes what has failed waits for its next run; the retry stays. */
static void test_a_resume_after_a_failure(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    g_autoptr(Scheduled) scheduled =
        scheduled_new("p", "trigger: {cron: '0 0 29 2 *', catch_up: true, retries: 1, backoff: 300ms}\n",
                      SOURCE "}\n" SINK("a", "n") ", fail_at: 1}\n");
    runner_start(scheduled->runner);
    assert_run(scheduled, 1, "schedule: failed");
    await_actual(scheduled, ACTUAL_FAILED);
    runner_want(scheduled->runner, DESIRED_PAUSED, "ann", NULL);
    await_actual(scheduled, ACTUAL_WAITING);
    runner_want(scheduled->runner, DESIRED_RUNNING, "ann", NULL);
    assert_run(scheduled, 2, "retry: failed");
}

/* What was stopped amid a run and resumed before its end goes on by its schedule. */
static void test_a_resume_while_it_stops(Fixture *fixture, gconstpointer data)
{
    (void) data;
    SfError err;
    guint run;
    g_autoptr(Scheduled) scheduled = scheduled_new("p", "trigger: {cron: '0 0 29 2 *'}\n",
                                                   SOURCE ", rows: 20000, batch: 10}\n" SINK("a", "n") ", mark: 20}\n");
    begin_slow(scheduled, fixture);
    g_assert_cmpint(runner_trigger(scheduled->runner, "bob", NULL, &run, &err), ==, SF_OK);
    runner_want(scheduled->runner, DESIRED_STOPPED, "ann", NULL);
    runner_want(scheduled->runner, DESIRED_RUNNING, "ann", NULL);
    g_free(await_runs(scheduled, 1));
    await_actual(scheduled, ACTUAL_WAITING);
    g_assert_cmpint(runner_trigger(scheduled->runner, "carl", NULL, &run, &err), ==, SF_OK);
    assert_run(scheduled, 2, "trigger: complete");
    g_assert_cmpstr(scheduled->runner->run.by, ==, "carl");
}

/* Time in a pause is not the run's. */
static void test_a_timeout_leaves_out_pauses(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autoptr(Scheduled) scheduled =
        scheduled_new("p", "trigger: {cron: '0 0 29 2 *', timeout: 60s}\n",
                      SOURCE ", rows: 20000, batch: 10}\n" SINK("a", "n") ", mark: 20, slow_us: 200}\n");
    begin_slow(scheduled, fixture);
    runner_want(scheduled->runner, DESIRED_PAUSED, "ann", NULL);
    await_actual(scheduled, ACTUAL_PAUSED);
    gint64 next = G_MAXINT64;
    runner_check(scheduled->runner, &next);
    scheduled->runner->run.began_us -= 100 * G_USEC_PER_SEC; /* as if the pause had lasted for so long */
    scheduled->runner->pause_us -= 100 * G_USEC_PER_SEC;
    g_assert_cmpint(runner_check(scheduled->runner, &next), ==, RUNNER_GOES_ON);
    runner_want(scheduled->runner, DESIRED_RUNNING, "ann", NULL);
    assert_run(scheduled, 1, "trigger: complete");
}

static void test_a_run_has_a_timeout(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    g_autoptr(Scheduled) scheduled =
        scheduled_new("p", "trigger: {cron: '0 0 29 2 *', catch_up: true, timeout: 200ms}\n",
                      SOURCE "}\n" SINK("a", "n") ", away: write}\n");
    runner_start(scheduled->runner);
    assert_run(scheduled, 1, "schedule: failed");
    g_assert_nonnull(strstr(scheduled->runner->run.error, "which is longer than its 'timeout'"));
    await_actual(scheduled, ACTUAL_FAILED);
}

int main(int argc, char **argv)
{
    static const FixtureTest tests[] = {
        {"/schedule/by the clock", test_by_the_clock},
        {"/schedule/pause and stop", test_pause_and_stop},
        {"/schedule/by hand", test_by_hand},
        {"/schedule/by hand while it runs", test_by_hand_while_it_runs},
        {"/schedule/behind another", test_behind_another},
        {"/schedule/what comes meanwhile is followed", test_what_comes_meanwhile_is_followed},
        {"/schedule/failures are tried again", test_failures_are_tried_again},
        {"/schedule/a resume after a failure", test_a_resume_after_a_failure},
        {"/schedule/a resume while it stops", test_a_resume_while_it_stops},
        {"/schedule/a timeout leaves out pauses", test_a_timeout_leaves_out_pauses},
        {"/schedule/a run has a timeout", test_a_run_has_a_timeout},
    };
    return fixture_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
