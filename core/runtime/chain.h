/* The ranges of one split that reach one sink by one input, and how far each stage of their way has got. For ledger.c
 * alone, under its lock: every transition leaves the invariants true, and asserts them.
 *
 *   committed, written ≤ handed ≤ queued ≤ offered, and recovered ≤ offered
 *
 * Committed may be beyond written: a sink may commit a batch while it is being handed that batch. It may be below
 * recovered: where a sink's errors are complete beyond what their reader has, nothing comes in between. */
#ifndef CORE_CHAIN_H
#define CORE_CHAIN_H

#include "config/pipeline.h"

typedef struct Chain {
    const Step *sink;
    size_t input;
    const SfSplit *split;
    bool open;        /* recovered; what is told before means nothing */
    gint64 found;     /* what the sink answered, or SF_POSITION_NONE */
    gint64 recovered; /* where this attempt goes on */
    gint64 committed;
    gint64 written; /* write returned SF_OK up to here */
    gint64 handed;  /* end of the batch that write was called with last */
    gint64 queued;  /* end of the last batch in the queue */
    gint64 offered; /* what lies between queued and offered has no rows */
    GThread *writer;
    gint64 known_end; /* what the sink says when it had its rows up to here; known_ms 0: it does not say */
    gint64 known_ms;
    const char *origin; /* which the sink has kept beside `found`; NULL: none */
} Chain;

/* The sink had everything up to `own`; up to `start` there is nothing for it. */
void chain_recover(Chain *chain, gint64 found, gint64 own, gint64 start);

/* A batch with rows is to be queued. False: the sink has it. *gap: where a range without rows starts that must be
 * queued before, up to the batch's start; SF_POSITION_NONE: none. */
bool chain_queue(Chain *chain, gint64 start, gint64 end, gint64 *gap);

/* The range goes on to `end` without rows. True: by that there is a gap where there was none, and its sink does not
 * know of it. */
bool chain_advance(Chain *chain, gint64 end);

/* Whether it has done so; not past batches that wait in the queue. */
bool chain_has_gap(const Chain *chain);

/* That range is taken as a batch of its own; returns where it starts, it ends at chain->offered. */
gint64 chain_take_gap(Chain *chain);

/* Around the sink's write. The sink's thread. */
void chain_hand_out(Chain *chain, gint64 end);
void chain_written(Chain *chain, gint64 end);

/* False: the sink has not been given that much. */
bool chain_commit(Chain *chain, gint64 end);

#endif
