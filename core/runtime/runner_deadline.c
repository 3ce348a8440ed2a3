/* What a runner is looked at for from outside: runs without progress or over their time, stops that take too long. */
#include "config/hook.h"
#include "log.h"
#include "runner.h"
#include "runner_state.h"

#define GRACE_US (5 * G_USEC_PER_SEC)    /* for hooks to return after the deadline of a stop */
#define OVERDUE_US (G_USEC_PER_SEC / 10) /* to look again after a deadline */

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

/* Since when the run counts, pauses left out. Lock held. */
static gint64 counted_from(Runner *runner, gint64 now)
{
    bool paused = runner->actual.is == ACTUAL_PAUSING || runner->actual.is == ACTUAL_PAUSED;
    if (paused && runner->pause_us == 0)
        runner->pause_us = now;
    if (!paused && runner->pause_us > 0) {
        runner->paused_us += now - runner->pause_us;
        runner->pause_us = 0;
    }
    return runner->run.began_us + runner->paused_us + (paused ? now - runner->pause_us : 0);
}

/* Lock held. */
static void keep_timeout(Runner *runner, gint64 now, gint64 *next)
{
    gint64 timeout_us = runner->due.trigger ? runner->due.trigger->timeout_ms * 1000 : 0;
    if (timeout_us == 0 || runner->gave_up || !actual_is_going(runner->actual.is) || runner->stopped_us > 0)
        return;
    gint64 until = counted_from(runner, now) + timeout_us;
    if (now < until) {
        *next = MIN(*next, until);
        return;
    }
    runner->gave_up = g_strdup_printf("went on for %" G_GINT64_FORMAT
                                      " s, which is longer than its 'timeout'; what it has committed stays, the next "
                                      "run goes on from there",
                                      (now - until + timeout_us) / G_USEC_PER_SEC);
    runner->gave_up_us = now;
    g_cond_broadcast(&runner->changed);
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
    return runner->leaving || (!told_to_stop && !runner->wanted && !runner->due.trigger);
}

/* A schedule is not given up for a hook that is long in coming back: its process has other runs to make. Lock held. */
static RunnerEnd end_of(const Runner *runner, bool overdue)
{
    bool by_force = runner->leaving || (runner->gave_up && !runner->due.trigger);
    if (!actual_is_going(runner->actual.is) && is_the_last(runner))
        return RUNNER_ENDED;
    return overdue && by_force ? RUNNER_STUCK : RUNNER_GOES_ON;
}

/* Lock not held. */
static void log_stuck(Runner *runner, const char *what)
{
    Hook hook;
    bool inside = hook_longest(runner->pipeline->name, &hook);
    g_mutex_lock(&runner->lock);
    const char *why = runner->gave_up ? runner->gave_up : "does not end after the deadline of the stop";
    const Step *step = runner->attempt ? attempt_stuck(runner->attempt) : NULL;
    if (inside)
        log_line(LEVEL_ERROR, runner->pipeline->name, hook.node->step,
                 "%s: %s has been in its hook %s for %" G_GINT64_FORMAT " s; %s", why, hook.plugin, hook.name,
                 (g_get_monotonic_time() - hook.since_us) / G_USEC_PER_SEC, what);
    else
        log_line(LEVEL_ERROR, runner->pipeline->name, step ? step->name : NULL, "%s; %s", why, what);
    g_mutex_unlock(&runner->lock);
}

RunnerEnd runner_check(Runner *runner, gint64 *next)
{
    gint64 now = g_get_monotonic_time();
    g_mutex_lock(&runner->lock);
    keep_patience(runner, now, next);
    keep_timeout(runner, now, next);
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
    bool overdue = deadline < now - GRACE_US;
    RunnerEnd end = end_of(runner, overdue);
    bool tell = overdue && end == RUNNER_GOES_ON && !runner->stuck_told;
    runner->stuck_told = runner->stuck_told || tell;
    g_mutex_unlock(&runner->lock);
    if (tell)
        log_stuck(runner, "the run ends when it does");
    return end;
}

void runner_log_stuck(Runner *runner)
{
    log_stuck(runner, "ended by force");
}
