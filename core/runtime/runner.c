/* A pipeline's supervisor: runs where they are wanted, attempts until one ends well, or trying again is of no use. */
#include "runner.h"

#include <string.h>

#include "backoff.h"
#include "data/printable.h"
#include "log.h"
#include "runner_state.h"

#define HEALTHY_US (60 * G_USEC_PER_SEC)
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
    runner->followers = g_ptr_array_new();
    due_init(&runner->due, pipeline, options->scheduled);
    g_mutex_init(&runner->lock);
    g_cond_init(&runner->changed);
    runner->stats = stats_new(pipeline->steps->len);
    bool stopped = options->desired == DESIRED_STOPPED;
    desired_set(&runner->desired, options->desired, options->by ? options->by : "command line", NULL);
    Actual first = options->scheduled ? ACTUAL_WAITING : ACTUAL_STARTING;
    actual_set(&runner->actual, stopped ? ACTUAL_STOPPED : first, NULL);
    runner->memory = stopped || options->scheduled ? NULL : join_budget(pipeline);
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
    g_free(runner->wanted_by);
    due_done(&runner->due);
    g_ptr_array_unref(runner->followers);
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
    g_clear_pointer(&runner->wanted_by, g_free);
    if (!actual_is_going(runner->actual.is) || runner->stopped_us > 0)
        return;
    enter(runner, ACTUAL_STOPPING, NULL);
    runner->stopped_us = g_get_monotonic_time();
    if (runner->attempt)
        attempt_stop(runner->attempt);
}

/* Whether the wish is for another run than the one that goes on. Those of a schedule begin by themselves. Lock held. */
static bool wants_another(const Runner *runner, Desired desired)
{
    if (runner->due.trigger)
        return false;
    bool going = actual_is_going(runner->actual.is) && runner->stopped_us == 0;
    bool stopped = runner->actual.is == ACTUAL_STOPPED || runner->actual.is == ACTUAL_STOPPING;
    return !going && (desired == DESIRED_RUNNING || (desired == DESIRED_PAUSED && stopped));
}

/* Between runs of a schedule. Lock held. */
static void plan_run(Runner *runner)
{
    if (!runner->due.trigger)
        return;
    due_plan(&runner->due, &runner->run);
    enter(runner, runner->desired.is == DESIRED_STOPPED ? ACTUAL_STOPPED : ACTUAL_WAITING, NULL);
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
    if (!runner->leaving && !actual_is_going(runner->actual.is))
        plan_run(runner);
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

/* Lock held. */
static SfStatus check_trigger(const Runner *runner, SfError *err)
{
    const char *name = runner->pipeline->name;
    if (!runner->once)
        return sf_fail(err, SF_CONFIG, "pipeline '%s' runs until it is stopped; there is nothing to trigger", name);
    if (runner->leaving)
        return sf_fail(err, SF_CONFIG, "the process of pipeline '%s' is about to end", name);
    if (runner->desired.is != DESIRED_RUNNING)
        return sf_fail(err, SF_CONFIG, "pipeline '%s' is to be %s, says %s; `sfrun resume %s` first", name,
                       desired_name(runner->desired.is), runner->desired.by, name);
    return SF_OK;
}

SfStatus runner_trigger(Runner *runner, const char *by, const char *why, guint *run, SfError *err)
{
    g_mutex_lock(&runner->lock);
    SfStatus status = check_trigger(runner, err);
    if (status == SF_OK) {
        g_free(runner->wanted_by);
        runner->wanted_by = why ? g_strdup_printf("%s: %s", by, why) : g_strdup(by);
        runner->wanted = true;
        *run = runner->run.number + 1;
        g_cond_broadcast(&runner->changed);
    }
    g_mutex_unlock(&runner->lock);
    tell_supervisor(runner);
    return status;
}

/* ---- others that follow ------------------------------------------------ */

void runner_add_follower(Runner *runner, Runner *follower)
{
    g_ptr_array_add(runner->followers, follower);
}

/* Any thread, no lock held. */
static void tell_followers(const Runner *runner)
{
    for (guint i = 0; i < runner->followers->len; i++) {
        Runner *follower = runner->followers->pdata[i];
        g_mutex_lock(&follower->lock);
        if (due_follow(&follower->due, runner->pipeline->name))
            g_cond_broadcast(&follower->changed);
        g_mutex_unlock(&follower->lock);
    }
}

static void on_commit(gpointer data)
{
    const Runner *runner = data;
    if (!runner->once)
        tell_followers(runner);
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
    context_on_commit(attempt_context(attempt), on_commit, runner);
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

/* Why the next run begins, and who wants it. Lock held, or nobody else looks at it yet. */
static void begin_record(Runner *runner)
{
    g_autofree char *due = runner->due.trigger ? due_take(&runner->due) : NULL;
    g_autofree char *by = g_steal_pointer(&runner->wanted_by);
    const char *cause = runner->run.number == 0 ? "start" : "resume";
    if (by)
        run_begin(&runner->run, "trigger", by);
    else if (due)
        run_begin(&runner->run, due, runner->pipeline->trigger.text);
    else
        run_begin(&runner->run, runner->desired.why ? runner->desired.why : cause, runner->desired.by);
}

/* Likewise. */
static void begin_run(Runner *runner)
{
    stats_reset(runner->stats, runner->pipeline->steps->len);
    begin_record(runner);
    runner->wanted = false;
    runner->stopped_us = runner->progress_us = runner->pause_us = runner->paused_us = 0;
    runner->stuck_told = false;
    g_clear_pointer(&runner->gave_up, g_free);
    g_clear_pointer(&runner->last_restart, g_free);
    enter(runner, ACTUAL_STARTING, NULL);
}

static void end_run(Runner *runner, ExitCode code, const char *error)
{
    g_mutex_lock(&runner->lock);
    run_end(&runner->run, code, error, runner->stopped_us > 0);
    due_run_ended(&runner->due, &runner->run);
    g_mutex_unlock(&runner->lock);
    if (runner->once && !error)
        tell_followers(runner);
    if (runner->tell_end)
        runner->tell_end(runner, runner->data);
    budget_leave(g_steal_pointer(&runner->memory));
    g_mutex_lock(&runner->lock);
    bool scheduled = runner->due.trigger != NULL;
    bool stopped = scheduled ? runner->desired.is == DESIRED_STOPPED : runner->stopped_us > 0;
    Actual well = scheduled ? ACTUAL_WAITING : ACTUAL_DONE;
    enter(runner, error ? ACTUAL_FAILED : stopped ? ACTUAL_STOPPED : well, error);
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

static void log_start(const Runner *runner)
{
    const Run *run = &runner->run; /* this thread alone writes to it */
    if (runner->due.trigger)
        log_line(LEVEL_INFO, runner->pipeline->name, NULL, "run %u started: %s%s%s", run->number, run->cause,
                 strcmp(run->cause, run->by) == 0 ? "" : ", ", strcmp(run->cause, run->by) == 0 ? "" : run->by);
    else
        log_line(LEVEL_INFO, runner->pipeline->name, NULL, "started: %u steps%s", runner->pipeline->steps->len,
                 runner->once ? ", once" : "");
}

static void run_once(Runner *runner)
{
    SfError err;
    log_start(runner);
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

/* Whether a run is to begin; otherwise *look_us is when to look again. Lock held. */
static bool is_to_run(Runner *runner, gint64 *look_us)
{
    *look_us = G_MAXINT64;
    return runner->wanted || (runner->desired.is == DESIRED_RUNNING && due_now(&runner->due, &runner->run, look_us));
}

/* Until another run is wanted, or due, which is begun; false: it is time to leave. */
static bool wait_for_wish(Runner *runner)
{
    gint64 look_us;
    g_mutex_lock(&runner->lock);
    while (!runner->leaving && !is_to_run(runner, &look_us)) {
        if (look_us == G_MAXINT64)
            g_cond_wait(&runner->changed, &runner->lock);
        else
            g_cond_wait_until(&runner->changed, &runner->lock, look_us);
    }
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
    if (runner->due.trigger)
        due_plan(&runner->due, &runner->run);
    else if (runner->desired.is != DESIRED_STOPPED)
        begin_run(runner);
    g_autoptr(GError) error = NULL;
    runner->thread = g_thread_try_new(runner->pipeline->name, runner_main, runner, &error);
    if (runner->thread)
        return;
    g_autofree char *cause = g_strdup_printf("%s; " THREAD_REMEDY, error->message);
    end_run(runner, EXIT_FAILED, cause); /* nobody else looks at it yet */
}
