/* Splits and chains: how far each split was read, and how far each sink has it. All under the context's lock. */
#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H

#include "config/pipeline.h"

/* A split that some source thread reads or has read in this attempt. */
typedef struct Split {
    SfSplit split; /* what plugins see */
    char *name;
    char *topic;
    char *key;                         /* source and name, in Context.splits */
    const Step *source;                /* names are unique within it only */
    const struct SourceThread *owner;  /* NULL: revoked */
    gint64 revoked_us;                 /* when */
    const struct SourceThread *former; /* whose it was then */
    gint64 next;                       /* end of the last batch: where the next one starts */
    gint64 highest_cut;                /* below it some sink has rows already */
    gint64 published;                  /* frontier that the source was told last */
    gint64 end;                        /* high watermark, or SF_POSITION_NONE */
    const char *origin;                /* as the source says; NULL: not known */
    GPtrArray *chains;                 /* Chain *, borrowed: all that this split reaches */
} Split;

/* The ranges of one split that reach one sink by one input. written ≤ queued ≤ offered; a commit may be told of while
 * the batch that it ends with is being written, so committed ≤ queued. */
typedef struct Chain {
    struct SinkThread *sink;
    size_t input;
    Split *split;
    gint64 recovered; /* where this attempt goes on */
    gint64 found;     /* what the sink answered, or SF_POSITION_NONE */
    gint64 committed;
    gint64 written;   /* write returned SF_OK up to here */
    gint64 queued;    /* end of the last batch in the queue */
    gint64 offered;   /* what lies between queued and offered has no rows */
    gint64 known_end; /* what the sink says when it had its rows up to here; known_ms 0: it does not say */
    gint64 known_ms;
    const char *origin; /* which the sink has kept beside `found`; NULL: none */
} Chain;

Split *split_new(const Step *source, const SfAssignment *wanted, guint index, char *key);
void split_free(Split *split);

/* Up to where all sinks have committed. */
gint64 split_committed(const Split *split);

/* The chain's rows end at `end` for now: nothing comes between. */
void chain_advance(Chain *chain, gint64 end);

/* Whether the chain has moved on without rows; not past batches that wait in the queue. */
bool chain_has_gap(const Chain *chain);

#endif
