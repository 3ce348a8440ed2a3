/* When a scheduled pipeline's next run begins by itself: by the clock, behind another pipeline, or again after a
 * failure. Part of the runner; its lock is held by all that call. */
#ifndef CORE_DUE_H
#define CORE_DUE_H

#include "config/pipeline.h"
#include "run.h"

typedef struct Due {
    const Trigger *trigger; /* NULL: nothing begins by itself */
    gint64 at_us;           /* wall clock: the schedule's next time; G_MAXINT64: it has none */
    gint64 retry_us;        /* monotonic: a run that has failed is tried again; G_MAXINT64: none is */
    gint64 failures;        /* runs in a row that have failed and were tried again */
    char *followed;         /* a pipeline that has committed since the last run began, or NULL */
} Due;

void due_init(Due *due, const Pipeline *pipeline, bool scheduled);
void due_done(Due *due);

/* Nothing has run yet, or the schedule is looked at anew: after a pause. A retry stays due. */
void due_plan(Due *due, const Run *last);

/* A run has ended. */
void due_run_ended(Due *due, const Run *run);

/* That pipeline has committed. Returns whether this one follows it. */
bool due_follow(Due *due, const char *pipeline);

/* Whether a run is to begin now; `last` is the one before. Otherwise *look_us is when to ask again (monotonic): clocks
 * may be set meanwhile. */
bool due_now(Due *due, const Run *last, gint64 *look_us);

/* Of the run that begins now: its cause, to be freed. What was to be followed is. */
char *due_take(Due *due);

/* Wall clock of the next run that is known of, or -1. */
gint64 due_next_us(const Due *due);

#endif
