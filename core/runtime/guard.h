/* Rejects that are too many: what causes them, when that is worth a warning, when it ends the run. Any thread. */
#ifndef CORE_GUARD_H
#define CORE_GUARD_H

#include <glib.h>
#include <stdbool.h>
#include <sf/sf.h>

#include "config/pipeline.h"

#define GUARD_CAUSES 8

/* Causes that differ in values only are one. */
typedef struct GuardCause {
    char *shape;
    char *example;
    gint64 n;
} GuardCause;

/* Of one step, over all threads and attempts of a run. */
typedef struct Guard {
    GMutex lock;
    GuardCause causes[GUARD_CAUSES];     /* the commonest ones, by the Misra–Gries counters */
    gint64 warned_us;                    /* monotonic, likewise below */
    gint64 warned_rows, warned_rejected; /* what there was then */
    gint64 shown_us;
    guint shown; /* rows named since then */
} Guard;

void guard_init(Guard *guard);
void guard_done(Guard *guard);

/* For another run. */
void guard_reset(Guard *guard);

/* One more row was rejected for this; n -1: one less, since the same call comes again. */
void guard_count(Guard *guard, const char *cause, gint64 n);

/* The commonest cause so far, or NULL; owned by the caller. */
char *guard_cause(Guard *guard);

/* Whether one more row may be named in the log: a few in ten seconds. */
bool guard_shows(Guard *guard);

/* After each batch: SF_FATAL where the step's `max_rejects` is exceeded, or, without one, where none of its first
 * 1,000 rows was taken. Without one more than 1 % is also warned of, once a minute at most. */
SfStatus guard_check(Guard *guard, const Step *step, const char *pipeline, gint64 rows, gint64 rejected, SfError *err);

/* At the end of a run that ended well: the same for runs of fewer rows; rows that were dropped, all of them, are no
 * good end either. */
SfStatus guard_finish(Guard *guard, const Step *step, const char *pipeline, gint64 rows, gint64 rejected, SfError *err);

#endif
