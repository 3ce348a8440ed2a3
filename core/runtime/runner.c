/* A pipeline's supervisor: runs where they are wanted, attempts until one ends well, or trying again is of no use. */
#include "runner.h"

#include "backoff.h"
#include "config/hook.h"
#include "data/printable.h"
#include "log.h"
#include "runner_state.h"

#define HEALTHY_US (60 * G_USEC_PER_SEC)
#define GRACE_US (5 * G_USEC_PER_SEC)    /* for hooks to return after the deadline of a stop */
#define OVERDUE_US (G_USEC_PER_SEC / 10) /* to look again after a deadline */
#define TASK_OVER (G_GINT64_CONSTANT(2) << 20)

/* Lock not held, as for all that tells. */
static void tell_supervisor(const Runner *runner)
{
    if (runner->tell)
        runner->tell(runner->data);
}

/* A run that was told to stop is stopping until it has ended. Lock held. */
static void enter(Runner *runner, Actual actual, const char *why)
{
    if (runner->stopped_us == 0 || !actual_is_going(actual))
        actual_set(&runner->actual, actual, why);
    g_cond_broadcast(&runner->changed);
}

/* ---- making and ending ------------------------------------------------ */

static BudgetShare *join_budget(const Pipeline *pipeline)
{
    return budget_join(pipeline->memory, pipeline->tasks * TASK_OVER);
}

Runner *runner_new(const Pipeline *pipeline, const RunnerOptions *options)
{
    Runner *runner = g_new0(Runner, 1);
    runner->pipeline = pipeline;
    runner->once = options->once;
    runner->tell = options->tell;
    runner->tell_end = options->tell_end;
    runner->data = options->data;
    runner->give_up_ms = options->once ? options->give_up_ms : 0;
    g_mutex_init(&runner->lock);
    g_cond_init(&runner->changed);
    runner->stats = stats_new(pipeline->steps->len);
    bool stopped = options->desired == DESIRED_STOPPED;
    desired_set(&runner->desired, options->desired, options->by ? options->by : "command line", NULL);
    actual_set(&runner->actual, stopped ? ACTUAL_STOPPED : ACTUAL_STARTING, NULL);
    runner->memory = stopped ? NULL : join_budget(pipeline);
    return runner;
}

void runner_free(Runner *runner)
{
    if (!runner)
        return;
    runner_leave(runner, "the process", NULL);
    if (runner->thread)
        g_thread_join(runner->thread);
    budget_leave(runner->memory);
    stats_free(runner->stats, runner->pipeline->steps->len);
    run_done(&runner->run);
    desired_done(&runner->desired);
    actual_done(&runner->actual);
    g_free(runner->last_restart);
    g_free(runner->gave_up);
    g_cond_clear(&runner->changed);
    g_mutex_clear(&runner->lock);
    g_free(runner);
}

const Pipeline *runner_pipeline(const Runner *runner)
{
    return runner->pipeline;
}

/* ---- what is wanted ------------------------------------------------ */

/* Lock held. */
static void stop_run(Runner *runner)
{
    runner->wanted = false;
    if (!actual_is_going(runner->actual.is) || runner->stopped_us > 0)
        return;
    enter(runner, ACTUAL_STOPPING, NULL);
    runner->stopped_us = g_get_monotonic_time();
    if (runner->attempt)
        attempt_stop(runner->attempt);
}

/* Whether the wish is for another run than the one that goes on. Lock held. */
static bool wants_another(const Runner *runner, Desired desired)
{
    bool going = actual_is_going(runner->actual.is) && runner->stopped_us == 0;
    bool stopped = runner->actual.is == ACTUAL_STOPPED || runner->actual.is == ACTUAL_STOPPING;
    return !going && (desired == DESIRED_RUNNING || (desired == DESIRED_PAUSED && stopped));
}

static void want(Runner *runner, Desired desired, const char *by, const char *why, bool leave)
{
    g_mutex_lock(&runner->lock);
    runner->leaving = runner->leaving || leave;
    bool another = wants_another(runner, desired);
    if (another && !runner->wanted && desired == runner->desired.is) /* it has ended or failed: a wish of its own */
        desired_forget(&runner->desired);
    if (!runner->leaving || leave)
        desired_set(&runner->desired, desired, by, why);
    if (desired == DESIRED_STOPPED)
        stop_run(runner);
    else if (!runner->leaving && another)
        runner->wanted = true;
    else if (!runner->leaving && runner->attempt)
        attempt_pause(runner->attempt, desired == DESIRED_PAUSED);
    g_cond_broadcast(&runner->changed);
    g_mutex_unlock(&runner->lock);
    tell_supervisor(runner);
}

void runner_want(Runner *runner, Desired desired, const char *by, const char *why)
{
    want(runner, desired, by, why, false);
}

void runner_leave(Runner *runner, const char *by, const char *why)
{
    want(runner, DESIRED_STOPPED, by, why, true);
}

/* ---- what is ------------------------------------------------ */

void runner_states(Runner *runner, States *out)
{
    g_mutex_lock(&runner->lock);
    *out = (States){.desired = runner->desired, .actual = runner->actual};
    out->desired.by = g_strdup(out->desired.by);
    out->desired.why = g_strdup(out->desired.why);
    out->actual.why = g_strdup(out->actual.why);
    g_mutex_unlock(&runner->lock);
}

ExitCode runner_exit_code(Runner *runner)
{
    g_mutex_lock(&runner->lock);
    ExitCode code = runner->run.exit_code;
    g_mutex_unlock(&runner->lock);
    return code;
}

/* Rows and commits so far: what does not grow while everything waits. */
static gint64 progress_of(const Runner *runner)
{
    gint64 sum = 0;
    for (guint i = 0; i < runner->pipeline->steps->len; i++) {
        const StepStats *stats = &runner->stats[i];
        sum += stats_get(&stats->rows_in) + stats_get(&stats->rows_out) + stats_get(&stats->commits);
    }
    return sum;
}

/* ---- deadlines ------------------------------------------------ */

/* Lock held. */
static char *trouble_of(const Runner *runner)
{
    for (guint i = 0; i < runner->pipeline->steps->len; i++) {
        char *trouble = trouble_get(&runner->stats[i].trouble);
        if (trouble)
            return trouble;
    }
    return g_strdup(runner->last_restart ? runner->last_restart : "no step says why");
}

/* Whether progress is to be expected. Lock held. */
static bool is_waited_for(const Runner *runner)
{
    Actual is = runner->actual.is;
    return is == ACTUAL_STARTING || is == ACTUAL_RUNNING || is == ACTUAL_RETRYING;
}

/* Lock held. */
static void keep_patience(Runner *runner, gint64 now, gint64 *next)
{
    gint64 progress = progress_of(runner), patience_us = runner->give_up_ms * 1000;
    if (patience_us == 0 || runner->gave_up)
        return;
    if (!is_waited_for(runner) || progress != runner->progress || runner->progress_us == 0) {
        runner->progress = progress;
        runner->progress_us = now;
    } else if (now - runner->progress_us >= patience_us) {
        g_autofree char *trouble = trouble_of(runner);
        runner->gave_up = g_strdup_printf("gave up after %" G_GINT64_FORMAT
                                          " s without progress (--give-up-after): %s; the next start goes on from what "
                                          "the sinks have",
                                          (now - runner->progress_us) / G_USEC_PER_SEC, trouble);
        runner->gave_up_us = now;
        g_cond_broadcast(&runner->changed);
        return;
    }
    *next = MIN(*next, runner->progress_us + patience_us);
}

/* When the run is to have ended; G_MAXINT64: whenever it likes. Lock held. */
static gint64 deadline_of(const Runner *runner)
{
    if (!actual_is_going(runner->actual.is))
        return G_MAXINT64;
    gint64 deadline = runner->gave_up ? runner->gave_up_us : G_MAXINT64;
    if (runner->stopped_us > 0)
        deadline = MIN(deadline, runner->stopped_us + runner->pipeline->shutdown_ms * 1000);
    return deadline;
}

/* Whether no run will follow the one that has ended. After a stop there may be one, also where the stop has failed: it
 * was told to wait for the next wish. Lock held. */
static bool is_the_last(const Runner *runner)
{
    bool told_to_stop = runner->actual.is == ACTUAL_STOPPED || runner->stopped_us > 0;
    return runner->leaving || (!told_to_stop && !runner->wanted);
}

/* Lock held. */
static RunnerEnd end_of(const Runner *runner, bool overdue)
{
    if (!actual_is_going(runner->actual.is) && is_the_last(runner))
        return RUNNER_ENDED;
    return overdue && (runner->leaving || runner->gave_up) ? RUNNER_STUCK : RUNNER_GOES_ON;
}

RunnerEnd runner_check(Runner *runner, gint64 *next)
{
    gint64 now = g_get_monotonic_time();
    g_mutex_lock(&runner->lock);
    keep_patience(runner, now, next);
    gint64 deadline = deadline_of(runner);
    if (now >= deadline && runner->attempt) {
        Context *context = attempt_context(runner->attempt);
        if (runner->gave_up)
            context_fail(context, NULL, SF_FATAL, runner->gave_up);
        context_fail(
            context, NULL, SF_FATAL,
            "the deadline of the stop ('shutdown') is over; rows that were not committed are read again at the "
            "next start");
    }
    *next = MIN(*next, now < deadline ? deadline : now + OVERDUE_US);
    RunnerEnd end = end_of(runner, deadline < now - GRACE_US);
    g_mutex_unlock(&runner->lock);
    return end;
}

void runner_log_stuck(Runner *runner)
{
    Hook hook;
    bool inside = hook_longest(runner->pipeline->name, &hook);
    g_mutex_lock(&runner->lock);
    const char *why = runner->gave_up ? runner->gave_up : "does not end after the deadline of the stop";
    const Step *step = runner->attempt ? attempt_stuck(runner->attempt) : NULL;
    if (inside)
        log_line(LEVEL_ERROR, runner->pipeline->name, hook.node->step,
                 "%s: %s has been in its hook %s for %" G_GINT64_FORMAT " s; ended by force", why, hook.plugin,
                 hook.name, (g_get_monotonic_time() - hook.since_us) / G_USEC_PER_SEC);
    else
        log_line(LEVEL_ERROR, runner->pipeline->name, step ? step->name : NULL, "%s; ended by force", why);
    g_mutex_unlock(&runner->lock);
}

/* ---- one run ------------------------------------------------ */

static bool runner_stopping(Runner *runner)
{
    g_mutex_lock(&runner->lock);
    bool stopping = runner->stopped_us > 0;
    g_mutex_unlock(&runner->lock);
    return stopping;
}

/* Waits before the next attempt. Returns whether there is to be one. */
static bool wait_for_next(Runner *runner, gint64 ms, const char *why)
{
    gint64 until = g_get_monotonic_time() + ms * 1000;
    log_line(LEVEL_WARNING, runner->pipeline->name, NULL, "%s; %s", why,
             runner_stopping(runner) ? "the next start goes on from what the sinks have"
                                     : "starting anew from what the sinks have");
    g_mutex_lock(&runner->lock);
    enter(runner, ACTUAL_RETRYING, why);
    g_free(runner->last_restart);
    runner->last_restart = message_line(why);
    g_mutex_unlock(&runner->lock);
    tell_supervisor(runner);
    g_mutex_lock(&runner->lock);
    while (runner->stopped_us == 0 && !runner->gave_up && g_get_monotonic_time() < until)
        g_cond_wait_until(&runner->changed, &runner->lock, until);
    bool go_on = runner->stopped_us == 0 && !runner->gave_up;
    g_mutex_unlock(&runner->lock);
    return go_on;
}

static void on_stage(gpointer data, AttemptStage stage)
{
    static const Actual actuals[] = {ACTUAL_STARTING, ACTUAL_RUNNING, ACTUAL_PAUSING, ACTUAL_PAUSED};
    Runner *runner = data;
    g_mutex_lock(&runner->lock);
    enter(runner, actuals[stage], NULL);
    g_autofree char *by = g_strdup(runner->desired.by);
    g_mutex_unlock(&runner->lock);
    if (stage == STAGE_PAUSED)
        log_line(LEVEL_INFO, runner->pipeline->name, NULL, "paused by %s: what was read is committed", by);
    tell_supervisor(runner);
}

/* The attempt begins as the pipeline is to be now. Lock held. */
static void adopt_attempt(Runner *runner, Attempt *attempt)
{
    runner->attempt = attempt;
    runner->attempts++;
    runner->run.attempts++;
    for (guint i = 0; i < runner->pipeline->steps->len; i++)
        trouble_set(&runner->stats[i].trouble, NULL);
    if (runner->stopped_us > 0)
        attempt_stop(attempt);
    attempt_pause(attempt, runner->desired.is == DESIRED_PAUSED);
    enter(runner, ACTUAL_STARTING, NULL);
}

static void note_split(gpointer ranges, const SplitView *view)
{
    run_note(ranges, view);
}

static SfStatus attempt_once(Runner *runner, SfError *err)
{
    Attempt *attempt = attempt_new(runner->pipeline, runner->stats, runner->memory, runner->once, err);
    if (!attempt)
        return SF_CONFIG;
    g_mutex_lock(&runner->lock);
    adopt_attempt(runner, attempt);
    g_mutex_unlock(&runner->lock);
    tell_supervisor(runner);
    SfStatus status = attempt_run(attempt, on_stage, runner, err);
    g_mutex_lock(&runner->lock);
    runner->attempt = NULL;
    runner->run.complete = attempt_complete(attempt);
    ledger_show(attempt_context(attempt)->ledger, note_split, runner->run.ranges);
    g_mutex_unlock(&runner->lock);
    attempt_free(attempt);
    return status;
}

static bool worth_another(SfStatus status)
{
    return status == SF_FENCED || status == SF_RETRY;
}

static ExitCode exit_code_of(SfStatus status)
{
    if (status == SF_OK)
        return EXIT_OK;
    return status == SF_CONFIG ? EXIT_CONFIG : EXIT_FAILED;
}

/* Lock held, or nobody else looks at it yet. */
static void begin_run(Runner *runner)
{
    const char *cause = runner->run.number == 0 ? "start" : "resume";
    stats_reset(runner->stats, runner->pipeline->steps->len);
    run_begin(&runner->run, runner->desired.why ? runner->desired.why : cause, runner->desired.by);
    runner->wanted = false;
    runner->stopped_us = runner->progress_us = 0;
    g_clear_pointer(&runner->gave_up, g_free);
    g_clear_pointer(&runner->last_restart, g_free);
    enter(runner, ACTUAL_STARTING, NULL);
}

static void end_run(Runner *runner, ExitCode code, const char *error)
{
    g_mutex_lock(&runner->lock);
    run_end(&runner->run, code, error, runner->stopped_us > 0);
    g_mutex_unlock(&runner->lock);
    if (runner->tell_end)
        runner->tell_end(runner, runner->data);
    budget_leave(g_steal_pointer(&runner->memory));
    g_mutex_lock(&runner->lock);
    bool stopped = runner->stopped_us > 0;
    enter(runner, error ? ACTUAL_FAILED : stopped ? ACTUAL_STOPPED : ACTUAL_DONE, error);
    g_mutex_unlock(&runner->lock);
    tell_supervisor(runner);
}

/* What ended well may have done nothing. */
static SfStatus check_rejects(Runner *runner, SfError *err)
{
    const Pipeline *pipeline = runner->pipeline;
    for (guint i = 0; i < pipeline->steps->len; i++) {
        const Step *step = pipeline->steps->pdata[i];
        StepStats *stats = &runner->stats[i];
        SfStatus status = guard_finish(&stats->guard, step, pipeline->name, stats_get(&stats->rows_in),
                                       stats_get(&stats->rejected), err);
        if (status != SF_OK)
            return sf_fail_prefix(err, status, "%s '%s'", step->plugin->head.name, step->name);
    }
    return SF_OK;
}

static bool runner_gave_up(Runner *runner, SfError *err)
{
    g_mutex_lock(&runner->lock);
    bool gave_up = runner->gave_up != NULL;
    if (gave_up)
        sf_fail(err, SF_FATAL, "%s", runner->gave_up);
    g_mutex_unlock(&runner->lock);
    return gave_up;
}

/* Attempts until one ends well, or trying again is of no use. */
static SfStatus attempt_all(Runner *runner, SfError *err)
{
    Backoff backoff = {0};
    for (;;) {
        gint64 began = g_get_monotonic_time();
        err->message[0] = '\0';
        SfStatus status = attempt_once(runner, err);
        if (!worth_another(status))
            return status;
        if (g_get_monotonic_time() - began > HEALTHY_US)
            backoff = (Backoff){0};
        if (!wait_for_next(runner, backoff_next(&backoff), err->message))
            return SF_OK; /* told to stop while it waited: the sinks have what they have */
    }
}

static void run_once(Runner *runner)
{
    SfError err;
    log_line(LEVEL_INFO, runner->pipeline->name, NULL, "started: %u steps%s", runner->pipeline->steps->len,
             runner->once ? ", once" : "");
    if (!runner->memory)
        runner->memory = join_budget(runner->pipeline);
    SfStatus status = attempt_all(runner, &err);
    if (runner_gave_up(runner, &err))
        status = SF_FATAL;
    if (status == SF_OK && runner->once)
        status = check_rejects(runner, &err);
    end_run(runner, exit_code_of(status), status == SF_OK ? NULL : err.message);
}

/* ---- one run after the other ------------------------------------------------ */

/* Until another run is wanted, which is begun; false: it is time to leave. */
static bool wait_for_wish(Runner *runner)
{
    g_mutex_lock(&runner->lock);
    while (!runner->leaving && !runner->wanted)
        g_cond_wait(&runner->changed, &runner->lock);
    bool leave = runner->leaving;
    if (!leave)
        begin_run(runner);
    g_mutex_unlock(&runner->lock);
    return !leave;
}

static gpointer runner_main(gpointer data)
{
    Runner *runner = data;
    if (runner->run.number > 0) /* a stop that comes before the thread does ends a run, too */
        run_once(runner);
    while (wait_for_wish(runner))
        run_once(runner);
    return NULL;
}

void runner_start(Runner *runner)
{
    runner->started_us = g_get_real_time();
    runner->began_us = g_get_monotonic_time();
    if (runner->desired.is != DESIRED_STOPPED)
        begin_run(runner);
    g_autoptr(GError) error = NULL;
    runner->thread = g_thread_try_new(runner->pipeline->name, runner_main, runner, &error);
    if (runner->thread)
        return;
    g_autofree char *cause = g_strdup_printf("%s; " THREAD_REMEDY, error->message);
    end_run(runner, EXIT_FAILED, cause); /* nobody else looks at it yet */
}
