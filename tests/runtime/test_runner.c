/* A runner as a supervisor uses it: paused, resumed, stopped and started again in one process, and exact all the
 * while. */
#include "fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/attempt.h"
#include "runtime/budget.h"
#include "runtime/runner.h"
#include "runtime/runner_state.h"

/* What goes on for long enough to be paused in its midst, and ends. */
#define SLOW SOURCE ", rows: 20000, batch: 10}\n" SINK("a", "n") ", slow_us: 200, mark: 20}\n"
#define SLOW_ROWS 20000

typedef struct Subject {
    Pipeline *pipeline;
    Runner *runner;
    GMutex lock;
    GCond told;
    guint tells;
    guint ends;
} Subject;

static void on_tell(gpointer data)
{
    Subject *subject = data;
    g_mutex_lock(&subject->lock);
    subject->tells++;
    g_cond_broadcast(&subject->told);
    g_mutex_unlock(&subject->lock);
}

static void on_end(Runner *runner, gpointer data)
{
    Subject *subject = data;
    (void) runner;
    subject->ends++; /* the runner's thread alone, and who has joined it */
}

static Subject *subject_new(const char *settings, const char *steps, Desired desired, bool once)
{
    Subject *subject = g_new0(Subject, 1);
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    g_autofree char *text = pipeline_text("numbers", settings, steps);
    g_mutex_init(&subject->lock);
    g_cond_init(&subject->told);
    subject->pipeline = pipeline_load_text(text, "test.yaml", diagnostics);
    g_assert_cmpuint(diagnostics->errors->len, ==, 0);
    subject->runner = runner_new(
        subject->pipeline,
        &(RunnerOptions){.once = once, .desired = desired, .tell = on_tell, .tell_end = on_end, .data = subject});
    runner_start(subject->runner);
    return subject;
}

/* Returns how many runs have ended. */
static guint subject_free(Subject *subject)
{
    runner_free(subject->runner);
    guint ends = subject->ends;
    pipeline_free(subject->pipeline);
    g_cond_clear(&subject->told);
    g_mutex_clear(&subject->lock);
    g_free(subject);
    return ends;
}

static Actual actual_of(const Subject *subject)
{
    g_auto(States) states = {0};
    runner_states(subject->runner, &states);
    return states.actual.is;
}

static void await(Subject *subject, Actual actual)
{
    g_mutex_lock(&subject->lock);
    for (;;) {
        guint tells = subject->tells;
        g_mutex_unlock(&subject->lock);
        Actual is = actual_of(subject);
        g_mutex_lock(&subject->lock);
        if (is == actual)
            break;
        if (subject->tells == tells)
            g_cond_wait(&subject->told, &subject->lock);
    }
    g_mutex_unlock(&subject->lock);
}

static void on_stage(gpointer data, AttemptStage stage)
{
    (void) data, (void) stage;
}

static void want(Subject *subject, Desired desired)
{
    runner_want(subject->runner, desired, "the test", NULL);
}

static void check_all(const Fixture *fixture, const char *ledger, const char *input, gint64 rows)
{
    check(fixture, ledger, input, (Total){.end = rows, .rows = rows, .sum = rows * (rows - 1) / 2});
}

/* All that was read is committed, and nothing is read: the one attempt has it all still. */
static void test_pause_and_resume(Fixture *fixture, gconstpointer data)
{
    (void) data;
    Subject *subject = subject_new("checkpoint: 1h\n", SLOW, DESIRED_RUNNING, true);
    await_named(fixture, "a.marked");
    for (int i = 0; i < 3; i++) {
        want(subject, DESIRED_PAUSED);
        await(subject, ACTUAL_PAUSED);
        const StepStats *stats = subject->runner->stats;
        gint64 read = stats_get(&stats[0].rows_out), committed = 0;
        for (int split = 0; split < 3; split++) {
            g_autofree char *name = g_strdup_printf("count/%d", split);
            committed += total(fixture, "a", "n", name).rows;
        }
        g_assert_cmpint(committed, ==, read);
        g_assert_cmpint(read, >, 0);
        g_usleep(20 * 1000); /* in which many rows would come */
        g_assert_cmpint(stats_get(&stats[0].rows_out), ==, read);
        want(subject, DESIRED_RUNNING);
        await(subject, ACTUAL_RUNNING);
    }
    await(subject, ACTUAL_DONE);
    g_assert_cmpuint(subject->runner->attempts, ==, 1);
    g_assert_cmpuint(subject->runner->run.number, ==, 1);
    g_assert_cmpint(subject->runner->run.outcome, ==, OUTCOME_COMPLETE);
    g_assert_cmpuint(subject_free(subject), ==, 1);
    check_all(fixture, "a", "n", SLOW_ROWS);
}

/* The group goes on sharing out meanwhile. */
static void test_membership_in_a_pause(Fixture *fixture, gconstpointer data)
{
    (void) data;
    Subject *subject = subject_new("",
                                   SOURCE ", rows: 20000, batch: 10, serve_revoke: 2, served: '${DIR}/served'}\n" SINK(
                                       "a", "n") ", slow_us: 200, mark: 20}\n",
                                   DESIRED_RUNNING, true);
    await_named(fixture, "a.marked");
    want(subject, DESIRED_PAUSED);
    await_named(fixture, "served");
    await(subject, ACTUAL_PAUSED);
    want(subject, DESIRED_RUNNING);
    await(subject, ACTUAL_DONE);
    g_assert_cmpuint(subject->runner->attempts, ==, 1);
    subject_free(subject);
    check_all(fixture, "a", "n", SLOW_ROWS);
}

/* Whatever cannot be had at the moment, a pause does not wait for it unless rows hang on it. */
static void test_pause_while_it_starts(Fixture *fixture, gconstpointer data)
{
    (void) data;
    static const char *const hooks[] = {"open", "recover"};
    for (gsize i = 0; i < G_N_ELEMENTS(hooks); i++) {
        g_autofree char *name = g_strdup_printf("a%d", (int) i), *back = g_strdup_printf("back%d", (int) i);
        g_autofree char *mark = g_strdup_printf("%s.%s", name, hooks[i]);
        g_autofree char *steps =
            g_strdup_printf(SOURCE "}\n  a: {sink: ledger-sink, from: n, path: '${DIR}/%s', away: %s, until: "
                                   "'${DIR}/%s'}\n" SINK("b%d", "n") "}\n",
                            name, hooks[i], back, (int) i, (int) i);
        Subject *subject = subject_new("", steps, DESIRED_RUNNING, true);
        await_named(fixture, mark);
        want(subject, DESIRED_PAUSED);
        await(subject, ACTUAL_PAUSED);
        make_named(fixture, back);
        want(subject, DESIRED_RUNNING);
        await(subject, ACTUAL_DONE);
        g_assert_cmpint(subject->runner->run.outcome, ==, OUTCOME_COMPLETE);
        subject_free(subject);
        check(fixture, name, "n", all);
    }
}

/* A store that is away keeps the pause from being one; who changes their mind is heard. */
static void test_resume_while_it_pauses(Fixture *fixture, gconstpointer data)
{
    (void) data;
    Subject *subject = subject_new(
        "checkpoint: 1h\n",
        SOURCE ", rows: 20000, batch: 10}\n" SINK("a", "n") ", slow_us: 200, mark: 20, away: commit, until: "
                                                            "'${DIR}/back'}\n",
        DESIRED_RUNNING, true);
    await_named(fixture, "a.marked");
    want(subject, DESIRED_PAUSED);
    await_named(fixture, "a.commit");
    g_assert_cmpint(actual_of(subject), ==, ACTUAL_PAUSING);
    want(subject, DESIRED_RUNNING);
    await(subject, ACTUAL_RUNNING);
    want(subject, DESIRED_PAUSED);
    make_named(fixture, "back");
    await(subject, ACTUAL_PAUSED);
    want(subject, DESIRED_RUNNING);
    await(subject, ACTUAL_DONE);
    g_assert_cmpuint(subject->runner->attempts, ==, 1);
    subject_free(subject);
    check_all(fixture, "a", "n", SLOW_ROWS);
}

static void test_stop_while_paused(Fixture *fixture, gconstpointer data)
{
    (void) data;
    Subject *subject = subject_new("", SLOW, DESIRED_RUNNING, true);
    await_named(fixture, "a.marked");
    want(subject, DESIRED_PAUSED);
    await(subject, ACTUAL_PAUSED);
    want(subject, DESIRED_STOPPED);
    await(subject, ACTUAL_STOPPED);
    gint64 next = G_MAXINT64;
    g_assert_cmpint(runner_check(subject->runner, &next), ==, RUNNER_GOES_ON);
    g_assert_cmpint(subject->runner->run.outcome, ==, OUTCOME_STOPPED);
    g_assert_null(subject->runner->memory);
    want(subject, DESIRED_PAUSED); /* what starts, starts paused */
    await(subject, ACTUAL_PAUSED);
    g_assert_cmpuint(subject->runner->run.number, ==, 2);
    g_assert_cmpstr(subject->runner->run.cause, ==, "resume");
    g_assert_cmpstr(subject->runner->run.by, ==, "the test");
    want(subject, DESIRED_RUNNING);
    await(subject, ACTUAL_DONE);
    g_assert_cmpint(runner_check(subject->runner, &next), ==, RUNNER_ENDED);
    g_assert_cmpuint(subject_free(subject), ==, 2);
    check_all(fixture, "a", "n", SLOW_ROWS);
}

/* The commit of a pause that did not come to be one helps the stop, too: nobody interrupts it. */
static void test_stop_while_it_pauses(Fixture *fixture, gconstpointer data)
{
    (void) data;
    Subject *subject = subject_new(
        "checkpoint: 1h\nshutdown: 10m\n",
        SOURCE ", rows: 20000, batch: 10}\n" SINK("a", "n") ", mark: 20, waits: true, until: '${DIR}/back'}\n",
        DESIRED_RUNNING, true);
    g_autofree char *interrupted = g_build_filename(fixture->dir, "a.interrupted", NULL);
    await_named(fixture, "a.marked");
    want(subject, DESIRED_PAUSED);
    await_named(fixture, "a.waits");
    want(subject, DESIRED_STOPPED);
    g_usleep(200 * 1000); /* in which it would be interrupted */
    make_named(fixture, "back");
    await(subject, ACTUAL_STOPPED);
    g_assert_false(g_file_test(interrupted, G_FILE_TEST_EXISTS));
    g_assert_cmpuint(subject->runner->attempts, ==, 1);
    subject_free(subject);
    g_assert_cmpint(total(fixture, "a", "n", "count/0").rows, >, 0);
}

/* A stop that did not come to its end in time was a wish for a stop all the same: the process stays for a resume. */
static void test_resume_after_a_late_stop(Fixture *fixture, gconstpointer data)
{
    (void) data;
    gint64 next = G_MAXINT64;
    Subject *subject = subject_new(
        "checkpoint: 1h\nshutdown: 1s\n",
        SOURCE ", rows: 20000, batch: 10}\n" SINK("a", "n") ", mark: 20, away: commit, until: '${DIR}/back'}\n",
        DESIRED_RUNNING, true);
    await_named(fixture, "a.marked");
    want(subject, DESIRED_STOPPED);
    while (actual_of(subject) != ACTUAL_FAILED) {
        g_assert_cmpint(runner_check(subject->runner, &next), ==, RUNNER_GOES_ON);
        g_usleep(1000);
    }
    g_assert_cmpint(runner_check(subject->runner, &next), ==, RUNNER_GOES_ON);
    g_assert_nonnull(strstr(subject->runner->run.error, "'shutdown'"));
    make_named(fixture, "back");
    want(subject, DESIRED_RUNNING);
    await(subject, ACTUAL_DONE);
    g_assert_cmpint(runner_check(subject->runner, &next), ==, RUNNER_ENDED);
    subject_free(subject);
    check_all(fixture, "a", "n", SLOW_ROWS);
}

/* A deadline that passes while an attempt that has ended is put away does not make a failure of it. */
static void test_fail_after_the_end(Fixture *fixture, gconstpointer data)
{
    (void) data;
    SfError err = {""};
    Subject *subject = subject_new("", SOURCE "}\n" SINK("a", "n") "}\n", DESIRED_STOPPED, true);
    BudgetShare *memory = budget_join(subject->pipeline->memory, 0);
    Attempt *attempt = attempt_new(subject->pipeline, subject->runner->stats, memory, true, &err);
    g_assert_nonnull(attempt);
    g_assert_cmpint(attempt_run(attempt, on_stage, NULL, &err), ==, SF_OK);
    context_fail(attempt_context(attempt), NULL, SF_FATAL, "too late");
    g_assert_true(attempt_complete(attempt));
    attempt_free(attempt);
    budget_leave(memory);
    subject_free(subject);
    check(fixture, "a", "n", all);
}

static void speak_of_stuck(gpointer subject)
{
    runner_log_stuck(((Subject *) subject)->runner);
}

/* Who holds up the end of a process is named: the plugin that is in a hook, else nobody. */
static void test_stuck(Fixture *fixture, gconstpointer data)
{
    (void) data;
    Subject *subject =
        subject_new("", SOURCE "}\n" SINK("a", "n") ", waits: true, until: '${DIR}/go'}\n", DESIRED_RUNNING, true);
    await_named(fixture, "a.waits");
    log_setup(LOG_HUMAN, LEVEL_INFO);
    g_autofree char *inside = heard(speak_of_stuck, subject);
    make_named(fixture, "go");
    await(subject, ACTUAL_DONE);
    g_autofree char *outside = heard(speak_of_stuck, subject);
    log_setup(LOG_HUMAN, LEVEL_ERROR);
    subject_free(subject);
    g_assert_true(g_regex_match_simple("does not end after the deadline of the stop: ledger-sink has been in its hook "
                                       "commit for [0-9]+ s; ended by force pipeline=numbers step=a\n",
                                       inside, 0, 0));
    g_assert_nonnull(strstr(outside, "does not end after the deadline of the stop; ended by force pipeline=numbers\n"));
    check(fixture, "a", "n", all);
}

/* Wishes that come while a stop is under way are for the run after it. */
static void test_resume_while_it_stops(Fixture *fixture, gconstpointer data)
{
    (void) data;
    Subject *subject = subject_new("", SLOW, DESIRED_RUNNING, true);
    await_named(fixture, "a.marked");
    for (int i = 0; i < 5; i++) {
        want(subject, DESIRED_STOPPED);
        want(subject, DESIRED_RUNNING);
    }
    await(subject, ACTUAL_DONE);
    g_assert_cmpint(subject->runner->run.outcome, ==, OUTCOME_COMPLETE);
    g_assert_cmpuint(subject->runner->run.number, >=, 2);
    subject_free(subject);
    check_all(fixture, "a", "n", SLOW_ROWS);
}

/* Each run gets one commit further; a run's figures are its own. */
static void test_start_after_failed(Fixture *fixture, gconstpointer data)
{
    (void) data;
    gint64 next = G_MAXINT64;
    Subject *subject = subject_new(
        "", SOURCE ", rows: 3000, batch: 10}\n" SINK("a", "n") ", slow_us: 1000, fail_at: 2}\n", DESIRED_RUNNING, true);
    await(subject, ACTUAL_FAILED);
    g_assert_cmpint(runner_check(subject->runner, &next), ==, RUNNER_ENDED);
    g_assert_cmpint(runner_exit_code(subject->runner), ==, EXIT_FAILED);
    g_assert_nonnull(strstr(subject->runner->run.error, "the ledger is broken"));
    g_assert_cmpint(subject->runner->run.outcome, ==, OUTCOME_FAILED);
    gint64 before = total(fixture, "a", "n", "count/0").end;
    want(subject, DESIRED_PAUSED);
    want(subject, DESIRED_STOPPED);
    g_assert_cmpint(actual_of(subject), ==, ACTUAL_FAILED); /* neither of them starts it */
    want(subject, DESIRED_RUNNING);
    await(subject, ACTUAL_RUNNING);
    await(subject, ACTUAL_FAILED);
    g_assert_cmpuint(subject->runner->run.number, ==, 2);
    g_assert_cmpint(total(fixture, "a", "n", "count/0").end, >, before);
    subject_free(subject);
    g_assert_cmpint(run(SOURCE ", rows: 3000}\n" SINK("a", "n") "}\n"), ==, EXIT_OK);
    check_all(fixture, "a", "n", 3000);
}

/* What waits for its next attempt begins that one paused. */
static void test_pause_while_it_retries(Fixture *fixture, gconstpointer data)
{
    (void) data;
    Subject *subject =
        subject_new("", SOURCE ", rows: 20000, batch: 10}\n" SINK("a", "n") ", slow_us: 200, mark: 20, fence_at: 2}\n",
                    DESIRED_RUNNING, true);
    await(subject, ACTUAL_RETRYING);
    g_auto(States) states = {0};
    runner_states(subject->runner, &states);
    g_assert_nonnull(strstr(states.actual.why, "somebody else"));
    want(subject, DESIRED_PAUSED);
    await(subject, ACTUAL_PAUSED);
    g_assert_cmpuint(subject->runner->run.attempts, ==, 2);
    want(subject, DESIRED_RUNNING);
    await(subject, ACTUAL_DONE);
    g_assert_cmpuint(subject->runner->run.number, ==, 1);
    subject_free(subject);
    check_all(fixture, "a", "n", SLOW_ROWS);
}

static void test_who_and_since_when(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    Subject *subject = subject_new("", SLOW, DESIRED_STOPPED, false);
    g_auto(States) first = {0}, second = {0}, third = {0};
    runner_states(subject->runner, &first);
    g_assert_cmpint(first.actual.is, ==, ACTUAL_STOPPED);
    g_assert_cmpint(first.desired.is, ==, DESIRED_STOPPED);
    g_assert_cmpstr(first.desired.by, ==, "command line");
    runner_want(subject->runner, DESIRED_PAUSED, "ann", "the warehouse moves");
    runner_want(subject->runner, DESIRED_PAUSED, "ben", NULL); /* it is so already */
    runner_states(subject->runner, &second);
    g_assert_cmpint(second.desired.is, ==, DESIRED_PAUSED);
    g_assert_cmpstr(second.desired.by, ==, "ann");
    g_assert_cmpstr(second.desired.why, ==, "the warehouse moves");
    g_assert_cmpint(second.desired.since_us, >=, first.desired.since_us);
    await(subject, ACTUAL_PAUSED);
    g_assert_cmpstr(subject->runner->run.cause, ==, "the warehouse moves");
    runner_leave(subject->runner, "the test", NULL);
    runner_want(subject->runner, DESIRED_RUNNING, "ben", NULL); /* too late */
    await(subject, ACTUAL_STOPPED);
    runner_states(subject->runner, &third);
    g_assert_cmpint(third.desired.is, ==, DESIRED_STOPPED);
    subject_free(subject);
}

/* Of two pipelines one that is stopped leaves its memory to the other. */
static void test_memory_is_shared_out_anew(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    Subject *one = subject_new("", SOURCE "}\n" SINK("a", "n") "}\n", DESIRED_RUNNING, false);
    gint64 alone = budget_own();
    Subject *two = subject_new("", SOURCE "}\n" SINK("b", "n") "}\n", DESIRED_RUNNING, false);
    g_assert_cmpint(budget_own(), <, alone);
    await(two, ACTUAL_RUNNING);
    want(two, DESIRED_STOPPED);
    await(two, ACTUAL_STOPPED);
    g_assert_cmpint(budget_own(), ==, alone);
    want(two, DESIRED_RUNNING);
    await(two, ACTUAL_RUNNING);
    g_assert_cmpint(budget_own(), <, alone);
    subject_free(two);
    subject_free(one);
    g_assert_cmpint(budget_used(), ==, 0);
}

/* ---- killed in a pause ------------------------------------------------ */

/* The other process: pauses what it runs, says so, and waits for its end. */
G_GNUC_NORETURN static void pause_for_ever(void)
{
    Fixture fixture = {.dir = g_strdup(g_getenv("DIR"))};
    Subject *subject = subject_new("", SLOW, DESIRED_RUNNING, true);
    await_named(&fixture, "a.marked");
    want(subject, DESIRED_PAUSED);
    await(subject, ACTUAL_PAUSED);
    make_named(&fixture, "paused");
    for (;;)
        pause();
}

static void test_killed_in_a_pause(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    char *argv[] = {self, NULL};
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "SF_TEST_PAUSES", "1", TRUE);
    GPid pid = 0;
    g_assert_true(g_spawn_async(NULL, argv, environment, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL));
    await_named(fixture, "paused");
    gint64 committed = total(fixture, "a", "n", "count/0").end;
    kill(pid, SIGKILL);
    g_assert_true(WIFSIGNALED(wait_for_end(pid)));
    g_assert_cmpint(committed, >, 0);
    g_assert_cmpint(run(SLOW), ==, EXIT_OK);
    check_all(fixture, "a", "n", SLOW_ROWS);
}

int main(int argc, char **argv)
{
    static const FixtureTest tests[] = {
        {"/runner/pause-and-resume", test_pause_and_resume},
        {"/runner/membership-in-a-pause", test_membership_in_a_pause},
        {"/runner/pause-while-it-starts", test_pause_while_it_starts},
        {"/runner/resume-while-it-pauses", test_resume_while_it_pauses},
        {"/runner/stop-while-paused", test_stop_while_paused},
        {"/runner/stop-while-it-pauses", test_stop_while_it_pauses},
        {"/runner/resume-after-a-late-stop", test_resume_after_a_late_stop},
        {"/runner/fail-after-the-end", test_fail_after_the_end},
        {"/runner/stuck", test_stuck},
        {"/runner/resume-while-it-stops", test_resume_while_it_stops},
        {"/runner/start-after-failed", test_start_after_failed},
        {"/runner/pause-while-it-retries", test_pause_while_it_retries},
        {"/runner/who-and-since-when", test_who_and_since_when},
        {"/runner/memory-is-shared-out-anew", test_memory_is_shared_out_anew},
        {"/runner/killed-in-a-pause", test_killed_in_a_pause},
    };
    if (g_getenv("SF_TEST_PAUSES")) {
        log_setup(LOG_JSON, LEVEL_ERROR);
        pause_for_ever();
    }
    return fixture_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
