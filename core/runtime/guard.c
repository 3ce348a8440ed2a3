/* Counts causes, compares with limits; see guard.h. */
#include "guard.h"

#include <string.h>

#include "log.h"

#define FIRST_ROWS 1000 /* a share of fewer says little */
#define WARN_SHARE 0.01
#define WARN_US (60 * G_USEC_PER_SEC)
#define SHOWN 3
#define SHOWN_US (10 * G_USEC_PER_SEC)
#define SHAPE 160
#define EXAMPLE 300

void guard_init(Guard *guard)
{
    g_mutex_init(&guard->lock);
}

static void forget_causes(Guard *guard)
{
    for (gsize i = 0; i < GUARD_CAUSES; i++) {
        g_free(guard->causes[i].shape);
        g_free(guard->causes[i].example);
        guard->causes[i] = (GuardCause){0};
    }
}

void guard_reset(Guard *guard)
{
    g_mutex_lock(&guard->lock);
    forget_causes(guard);
    guard->warned_us = guard->warned_rows = guard->warned_rejected = guard->shown_us = 0;
    guard->shown = 0;
    g_mutex_unlock(&guard->lock);
}

void guard_done(Guard *guard)
{
    forget_causes(guard);
    g_mutex_clear(&guard->lock);
}

/* The text without what differs from row to row: numbers, and what stands in quotes. */
static char *shape_of(const char *cause)
{
    GString *shape = g_string_sized_new(SHAPE);
    while (*cause && shape->len < SHAPE) {
        const char *quoted = *cause == '\'' ? strchr(cause + 1, '\'') : NULL;
        if (quoted || g_ascii_isdigit(*cause)) {
            g_string_append_c(shape, '#');
            cause = quoted ? quoted + 1 : cause + strspn(cause, "0123456789.");
        } else {
            g_string_append_c(shape, *cause++);
        }
    }
    return g_string_free(shape, FALSE);
}

static void replace(GuardCause *cause, char *shape, const char *example)
{
    g_free(cause->shape);
    g_free(cause->example);
    *cause = (GuardCause){.shape = shape, .example = g_strndup(example, EXAMPLE)};
}

void guard_count(Guard *guard, const char *cause, gint64 n)
{
    g_autofree char *shape = shape_of(cause);
    GuardCause *found = NULL, *empty = NULL;
    g_mutex_lock(&guard->lock);
    for (gsize i = 0; i < GUARD_CAUSES && !found; i++) {
        GuardCause *candidate = &guard->causes[i];
        if (g_strcmp0(candidate->shape, shape) == 0)
            found = candidate;
        else if (candidate->n == 0 && !empty)
            empty = candidate;
    }
    if (!found && empty && n > 0) {
        replace(empty, g_steal_pointer(&shape), cause);
        found = empty;
    }
    if (found)
        found->n = MAX(found->n + n, 0);
    for (gsize i = 0; i < GUARD_CAUSES && !found && n > 0; i++)
        guard->causes[i].n--;
    g_mutex_unlock(&guard->lock);
}

char *guard_cause(Guard *guard)
{
    const GuardCause *most = NULL;
    g_mutex_lock(&guard->lock);
    for (gsize i = 0; i < GUARD_CAUSES; i++) {
        const GuardCause *cause = &guard->causes[i];
        if (cause->n > 0 && (!most || cause->n > most->n))
            most = cause;
    }
    char *text = most ? g_utf8_make_valid(most->example, -1) : NULL;
    g_mutex_unlock(&guard->lock);
    return text;
}

/* "8 of 200 rows (4 %) were rejected, most of them like this: …" */
static char *tell_share(Guard *guard, gint64 rows, gint64 rejected)
{
    g_autofree char *cause = guard_cause(guard);
    return g_strdup_printf("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " rows (%.3g %%) were rejected, most of them "
                           "like this: %s",
                           rejected, rows, rows > 0 ? 100.0 * (double) rejected / (double) rows : 0,
                           cause ? cause : "no cause was given");
}

static SfStatus too_many(Guard *guard, const char *limit, gint64 rows, gint64 rejected, SfError *err)
{
    g_autofree char *text = tell_share(guard, rows, rejected);
    return sf_fail(err, SF_FATAL, "%s; %s", text, limit);
}

static bool exceeds(const RejectLimit *limit, gint64 rows, gint64 rejected, gint64 least)
{
    if (limit->rows >= 0)
        return rejected > limit->rows;
    return rows >= least && (double) rejected > limit->share * (double) rows;
}

static void warn(Guard *guard, const Step *step, const char *pipeline, gint64 rows, gint64 rejected)
{
    if ((double) rejected <= WARN_SHARE * (double) rows)
        return;
    g_autofree char *text = tell_share(guard, rows, rejected);
    log_line(LEVEL_WARNING, pipeline, step->name, "%s", text);
}

/* Of what has come since the last look: a new trouble shows in a run of months, too. */
static void warn_of_news(Guard *guard, const Step *step, const char *pipeline, gint64 rows, gint64 rejected)
{
    gint64 now = g_get_monotonic_time();
    g_mutex_lock(&guard->lock);
    gint64 new_rows = rows - guard->warned_rows, new_rejected = rejected - guard->warned_rejected;
    bool due = new_rows >= FIRST_ROWS && (guard->warned_us == 0 || now - guard->warned_us >= WARN_US);
    if (due) {
        guard->warned_us = now;
        guard->warned_rows = rows;
        guard->warned_rejected = rejected;
    }
    g_mutex_unlock(&guard->lock);
    if (due)
        warn(guard, step, pipeline, new_rows, new_rejected);
}

bool guard_shows(Guard *guard)
{
    gint64 now = g_get_monotonic_time();
    g_mutex_lock(&guard->lock);
    if (now - guard->shown_us >= SHOWN_US) {
        guard->shown_us = now;
        guard->shown = 0;
    }
    bool shows = guard->shown < SHOWN;
    guard->shown += shows;
    g_mutex_unlock(&guard->lock);
    return shows;
}

SfStatus guard_check(Guard *guard, const Step *step, const char *pipeline, gint64 rows, gint64 rejected, SfError *err)
{
    const RejectLimit *limit = &step->max_rejects;
    if (rejected == 0)
        return SF_OK;
    if (limit->given)
        return exceeds(limit, rows, rejected, FIRST_ROWS)
                   ? too_many(guard, "that is more than its 'max_rejects'", rows, rejected, err)
                   : SF_OK;
    if (rows >= FIRST_ROWS && rejected >= rows)
        return too_many(guard, "fix the cause, or set 'max_rejects: 100%' to continue anyway", rows, rejected, err);
    warn_of_news(guard, step, pipeline, rows, rejected);
    return SF_OK;
}

SfStatus guard_finish(Guard *guard, const Step *step, const char *pipeline, gint64 rows, gint64 rejected, SfError *err)
{
    const RejectLimit *limit = &step->max_rejects;
    if (rejected == 0)
        return SF_OK;
    if (limit->given)
        return exceeds(limit, rows, rejected, 1)
                   ? too_many(guard, "that is more than its 'max_rejects'", rows, rejected, err)
                   : SF_OK;
    warn(guard, step, pipeline, rows, rejected);
    if (rejected >= rows && step->error_outputs->len == 0)
        return too_many(guard, "no row is left; set 'max_rejects: 100%' if that is intended", rows, rejected, err);
    return SF_OK;
}
