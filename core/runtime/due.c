/* When the next run begins; see due.h. */
#include "due.h"

#include <string.h>

#define LOOK_US (30 * G_USEC_PER_SEC) /* a wall clock that was set is noticed so soon */
#define MOST_BACKOFF_US (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

void due_init(Due *due, const Pipeline *pipeline, bool scheduled)
{
    *due = (Due){.trigger = scheduled ? &pipeline->trigger : NULL, .at_us = G_MAXINT64, .retry_us = G_MAXINT64};
}

void due_done(Due *due)
{
    g_clear_pointer(&due->followed, g_free);
}

static gint64 next_time(const Due *due, const Run *last)
{
    gint64 now_us = g_get_real_time();
    return trigger_next(due->trigger, MIN(last->started_us, now_us), now_us);
}

void due_plan(Due *due, const Run *last)
{
    if (due->trigger)
        due->at_us = next_time(due, last);
}

static gint64 backoff_us(const Due *due)
{
    gint64 first_us = due->trigger->backoff_ms * 1000, us = first_us;
    for (gint64 i = 0; i < due->failures && us < MOST_BACKOFF_US; i++)
        us *= 2;
    return MIN(us, MAX(MOST_BACKOFF_US, first_us));
}

void due_run_ended(Due *due, const Run *run)
{
    if (!due->trigger)
        return;
    due_plan(due, run);
    if (run->outcome != OUTCOME_FAILED || run->exit_code == EXIT_CONFIG || due->failures >= due->trigger->retries) {
        due->failures = 0;
        return;
    }
    due->retry_us = g_get_monotonic_time() + backoff_us(due);
    due->failures++;
}

bool due_follow(Due *due, const char *pipeline)
{
    const GPtrArray *after = due->trigger ? due->trigger->after : NULL;
    bool follows = false;
    for (guint i = 0; after && i < after->len; i++)
        follows = follows || strcmp(after->pdata[i], pipeline) == 0;
    if (follows && !due->followed)
        due->followed = g_strdup(pipeline);
    return follows;
}

bool due_now(Due *due, const Run *last, gint64 *look_us)
{
    *look_us = G_MAXINT64;
    if (!due->trigger)
        return false;
    due->at_us = MIN(due->at_us, next_time(due, last)); /* the wall clock may have been set back */
    gint64 now_us = g_get_real_time(), monotonic_us = g_get_monotonic_time();
    if (due->followed || now_us >= due->at_us || monotonic_us >= due->retry_us)
        return true;
    if (due->at_us < G_MAXINT64)
        *look_us = monotonic_us + MIN(due->at_us - now_us, LOOK_US);
    *look_us = MIN(*look_us, due->retry_us);
    return false;
}

char *due_take(Due *due)
{
    bool retry = g_get_monotonic_time() >= due->retry_us, by_clock = g_get_real_time() >= due->at_us;
    g_autofree char *followed = g_steal_pointer(&due->followed);
    due->at_us = due->retry_us = G_MAXINT64;
    if (followed && !by_clock && !retry)
        return g_strdup_printf("after %s", followed);
    return g_strdup(by_clock || !retry ? "schedule" : "retry");
}

gint64 due_next_us(const Due *due)
{
    gint64 retry_us = due->retry_us;
    if (retry_us < G_MAXINT64)
        retry_us += g_get_real_time() - g_get_monotonic_time();
    gint64 next_us = MIN(due->at_us, retry_us);
    return due->trigger && next_us < G_MAXINT64 ? next_us : -1;
}
