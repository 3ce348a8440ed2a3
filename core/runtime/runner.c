/* A pipeline's supervisor: makes attempts until one ends well, or trying again is of no use. */
#include "runner.h"

#include "backoff.h"
#include "config/hook.h"
#include "context.h"
#include "data/printable.h"
#include "log.h"

#define HEALTHY_US (60 * G_USEC_PER_SEC)
#define GRACE_US (5 * G_USEC_PER_SEC) /* for hooks to return after the deadline of a stop */

static void enter(Runner *runner, RunnerState state)
{
    g_mutex_lock(&runner->lock);
    if (runner->stopped_us == 0)
        runner->state = state;
    g_cond_broadcast(&runner->changed);
    g_mutex_unlock(&runner->lock);
}

Runner *runner_new(const Pipeline *pipeline, bool once, gint64 patience_ms, RunnerEnd *tell_end)
{
    Runner *runner = g_new0(Runner, 1);
    runner->pipeline = pipeline;
    runner->once = once;
    runner->tell_end = tell_end;
    runner->patience_ms = once ? patience_ms : 0;
    g_mutex_init(&runner->lock);
    g_cond_init(&runner->changed);
    runner->stats = stats_new(pipeline->steps->len);
    return runner;
}

void runner_free(Runner *runner)
{
    if (!runner)
        return;
    if (runner->thread)
        g_thread_join(runner->thread);
    stats_free(runner->stats, runner->pipeline->steps->len);
    g_free(runner->last_restart);
    g_free(runner->gave_up);
    g_cond_clear(&runner->changed);
    g_mutex_clear(&runner->lock);
    g_free(runner);
}

void runner_stop(Runner *runner)
{
    g_mutex_lock(&runner->lock);
    runner->stopped_us = g_get_monotonic_time();
    if (runner->state < RUNNER_STOPPING)
        runner->state = RUNNER_STOPPING;
    if (runner->attempt)
        attempt_stop(runner->attempt);
    g_cond_broadcast(&runner->changed);
    g_mutex_unlock(&runner->lock);
}

bool runner_ended(Runner *runner)
{
    g_mutex_lock(&runner->lock);
    bool ended = runner->state >= RUNNER_DONE;
    g_mutex_unlock(&runner->lock);
    return ended;
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

/* Lock held. */
static void keep_patience(Runner *runner, gint64 now)
{
    gint64 progress = progress_of(runner);
    bool waits = runner->patience_ms > 0 && runner->stopped_us == 0 && runner->state < RUNNER_DONE;
    if (!waits || progress != runner->progress || runner->progress_us == 0) {
        runner->progress = progress;
        runner->progress_us = now;
    } else if (!runner->gave_up && now - runner->progress_us >= runner->patience_ms * 1000) {
        g_autofree char *trouble = trouble_of(runner);
        runner->gave_up = g_strdup_printf("gave up after %" G_GINT64_FORMAT
                                          " s without progress (--give-up-after): %s; the next start goes on from what "
                                          "the sinks have",
                                          (now - runner->progress_us) / G_USEC_PER_SEC, trouble);
        runner->gave_up_us = now;
        g_cond_broadcast(&runner->changed);
    }
}

bool runner_keep_deadline(Runner *runner)
{
    gint64 now = g_get_monotonic_time();
    g_mutex_lock(&runner->lock);
    keep_patience(runner, now);
    if (runner->gave_up && runner->attempt)
        context_fail(attempt_context(runner->attempt), NULL, SF_FATAL, runner->gave_up);
    gint64 since = runner->stopped_us > 0 && runner->state < RUNNER_DONE
                       ? now - runner->stopped_us - runner->pipeline->shutdown_ms * 1000
                       : -1;
    if (runner->gave_up && runner->state < RUNNER_DONE)
        since = MAX(since, now - runner->gave_up_us);
    if (since >= 0 && runner->attempt)
        context_fail(
            attempt_context(runner->attempt), NULL, SF_FATAL,
            "the deadline of the stop ('shutdown') is over; rows that were not committed are read again at the "
            "next start");
    g_mutex_unlock(&runner->lock);
    return since < GRACE_US;
}

void runner_log_stuck(Runner *runner)
{
    Hook hook;
    bool inside = hook_longest(runner->pipeline->name, &hook);
    const char *why = runner->gave_up ? runner->gave_up : "does not end after the deadline of the stop";
    g_mutex_lock(&runner->lock);
    const Step *step = runner->attempt ? attempt_stuck(runner->attempt) : NULL;
    if (inside)
        log_line(LEVEL_ERROR, runner->pipeline->name, hook.node->step,
                 "%s: %s has been in its hook %s for %" G_GINT64_FORMAT " s; ended by force", why, hook.plugin,
                 hook.name, (g_get_monotonic_time() - hook.since_us) / G_USEC_PER_SEC);
    else
        log_line(LEVEL_ERROR, runner->pipeline->name, step ? step->name : NULL, "%s; ended by force", why);
    g_mutex_unlock(&runner->lock);
}

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
    g_free(runner->last_restart);
    runner->last_restart = message_line(why);
    while (runner->stopped_us == 0 && !runner->gave_up && g_get_monotonic_time() < until)
        g_cond_wait_until(&runner->changed, &runner->lock, until);
    bool go_on = runner->stopped_us == 0 && !runner->gave_up;
    g_mutex_unlock(&runner->lock);
    return go_on;
}

static SfStatus attempt_once(Runner *runner, SfError *err)
{
    Attempt *attempt = attempt_new(runner->pipeline, runner->stats, &runner->memory, runner->once, err);
    if (!attempt)
        return SF_CONFIG;
    g_mutex_lock(&runner->lock);
    runner->attempt = attempt;
    runner->attempts++;
    for (guint i = 0; i < runner->pipeline->steps->len; i++)
        trouble_set(&runner->stats[i].trouble, NULL);
    if (runner->stopped_us > 0)
        attempt_stop(attempt);
    g_mutex_unlock(&runner->lock);
    enter(runner, RUNNER_RUNNING);
    SfStatus status = attempt_run(attempt, err);
    g_mutex_lock(&runner->lock);
    runner->attempt = NULL;
    runner->complete = attempt_complete(attempt);
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

static void end(Runner *runner, ExitCode code, const char *error)
{
    runner->tell_end(runner, code, error);
    g_mutex_lock(&runner->lock);
    runner->exit_code = code;
    runner->state = error ? RUNNER_FAILED : RUNNER_DONE;
    g_mutex_unlock(&runner->lock);
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

static gpointer runner_main(gpointer data)
{
    Runner *runner = data;
    const char *name = runner->pipeline->name;
    Backoff backoff = {0};
    SfError err;
    SfStatus status;
    log_line(LEVEL_INFO, name, NULL, "started: %u steps%s", runner->pipeline->steps->len, runner->once ? ", once" : "");
    for (;;) {
        gint64 began = g_get_monotonic_time();
        err.message[0] = '\0';
        status = attempt_once(runner, &err);
        if (!worth_another(status))
            break;
        enter(runner, RUNNER_RETRYING);
        if (g_get_monotonic_time() - began > HEALTHY_US)
            backoff = (Backoff){0};
        if (!wait_for_next(runner, backoff_next(&backoff), err.message))
            break;
    }
    if (worth_another(status)) /* told to stop while it waited: the sinks have what they have */
        status = SF_OK;
    if (runner_gave_up(runner, &err))
        status = SF_FATAL;
    if (status == SF_OK && runner->once)
        status = check_rejects(runner, &err);
    end(runner, exit_code_of(status), status == SF_OK ? NULL : err.message);
    return NULL;
}

void runner_start(Runner *runner)
{
    runner->started_us = g_get_real_time();
    runner->began_us = g_get_monotonic_time();
    g_autoptr(GError) error = NULL;
    runner->thread = g_thread_try_new(runner->pipeline->name, runner_main, runner, &error);
    if (runner->thread)
        return;
    g_autofree char *cause = g_strdup_printf("%s; " THREAD_REMEDY, error->message);
    end(runner, EXIT_FAILED, cause); /* nobody else looks at it yet */
}
