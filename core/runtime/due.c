/* When the next run begins; see due.h. */
#include "due.h"

#include <string.h>

#define LOOK_US (30 * G_USEC_PER_SEC) /* a wall clock that was set is noticed so soon */
#define MOST_BACKOFF_US (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

void due_init(Due *due, const Pipeline *pipeline, bool scheduled)
{
    *due = (Due){.trigger = scheduled ? &pipeline->trigger : NULL, .at_us = G_MAXINT64};
}

void due_done(Due *due)
{
    g_clear_pointer(&due->followed, g_free);
}

void due_plan(Due *due, const Run *last)
{
    gint64 now_us = g_get_real_time();
    if (!due->trigger)
        return;
    due->at_us = trigger_next(due->trigger, MIN(last->started_us, now_us), now_us);
    due->cause = "schedule";
}

static gint64 backoff_us(const Due *due)
{
    gint64 us = due->trigger->backoff_ms * 1000;
    for (gint64 i = 0; i < due->failures && us < MOST_BACKOFF_US; i++)
        us *= 2;
    return MIN(us, MAX(MOST_BACKOFF_US, due->trigger->backoff_ms * 1000));
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
    due->at_us = g_get_real_time() + backoff_us(due);
    due->cause = "retry";
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

/* A clock that was set back must not put off for as long what comes by the clock. */
static void plan_again(Due *due, const Run *last)
{
    gint64 at_us = due->at_us;
    const char *cause = due->cause;
    due_plan(due, last);
    if (at_us > due->at_us && cause && strcmp(cause, "schedule") == 0)
        return;
    due->at_us = at_us;
    due->cause = cause;
}

bool due_now(Due *due, const Run *last, gint64 *look_us)
{
    *look_us = G_MAXINT64;
    if (!due->trigger)
        return false;
    plan_again(due, last);
    gint64 now_us = g_get_real_time();
    if (due->followed || now_us >= due->at_us)
        return true;
    if (due->at_us < G_MAXINT64)
        *look_us = g_get_monotonic_time() + MIN(due->at_us - now_us, LOOK_US);
    return false;
}

char *due_take(Due *due)
{
    bool by_clock = g_get_real_time() >= due->at_us;
    g_autofree char *followed = g_steal_pointer(&due->followed);
    due->at_us = G_MAXINT64;
    if (by_clock || !followed)
        return g_strdup(due->cause ? due->cause : "schedule");
    return g_strdup_printf("after %s", followed);
}

gint64 due_next_us(const Due *due)
{
    return due->trigger && due->at_us < G_MAXINT64 ? due->at_us : -1;
}
