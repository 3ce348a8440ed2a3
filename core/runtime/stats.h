/* A step's figures, over all attempts and threads of a run. Counters are written atomically, once a batch, by any
 * thread. */
#ifndef CORE_STATS_H
#define CORE_STATS_H

#include "guard.h"
#include "trouble.h"

typedef struct StepStats {
    gint64 rows_in;
    gint64 rows_out; /* of a sink: rows committed or taken */
    gint64 passed;   /* of a source: positions, with the holes among them */
    gint64 rejected;
    gint64 bytes; /* of a source: that it gave, of others: that they took; as they lie in memory */
    gint64 commits;
    gint64 committed_us; /* wall clock of the last commit */
    gint64 newest_us;    /* latest event time seen */
    gint64 expected;     /* source: rows in all, as many as positions at most, or -1 */
    gint64 rate;         /* rows a second, lately */
    gint64 sampled;      /* rows when that was worked out; main thread; more than there are: of the run before */
    Guard guard;
    Trouble trouble;
} StepStats;

/* Of n steps. */
StepStats *stats_new(guint n);
void stats_free(StepStats *stats, guint n);

/* For another run; no attempt runs. */
void stats_reset(StepStats *stats, guint n);

void stats_add(gint64 *counter, gint64 n);
gint64 stats_get(const gint64 *counter);
void stats_set(gint64 *counter, gint64 value);

/* Event times only go up. One thread a step at a time. */
void stats_newest(StepStats *stats, gint64 newest_us);

#endif
