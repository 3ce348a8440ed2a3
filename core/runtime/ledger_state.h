/* What the ledger consists of. For ledger.c and ledger_view.c alone; all under the ledger's lock. */
#ifndef CORE_LEDGER_STATE_H
#define CORE_LEDGER_STATE_H

#include "chain.h"
#include "span.h"

typedef struct Split {
    SfSplit split; /* what plugins see; first, so that it leads back here */
    char *name;
    char *topic;
    char *key; /* source and name: names are unique within their source only */
    const Step *source;
    gconstpointer claimant;
    gconstpointer owner; /* NULL: revoked, or never assigned */
    gconstpointer former;
    gint64 revoked_us;
    bool elsewhere;     /* its former reader has been told since which splits it has, and this one was not among them */
    gint64 next;        /* end of what was read */
    gint64 from;        /* where it was assigned, or SF_POSITION_NONE */
    GArray *past;       /* Span, of assignments that are over */
    gint64 highest_cut; /* below it some sink has rows already */
    gint64 published;   /* what the source was told last */
    gint64 end;         /* high watermark, or SF_POSITION_NONE */
    const char *origin; /* as the source says; NULL: not known */
    GPtrArray *chains;  /* Chain *, owned */
} Split;

struct Ledger {
    GMutex lock;
    const Pipeline *pipeline;
    GPtrArray *splits;     /* Split *, owned, by index */
    GHashTable *by_key;    /* key → Split * */
    GStringChunk *origins; /* each once */
};

Split *split_new(const Step *source, const SfAssignment *wanted, guint index, char *key);
void split_free(Split *split);

/* NULL of NULL. */
Split *split_of(const SfSplit *split);

/* Up to where all sinks have committed. */
gint64 split_committed(const Split *split);

/* The chain, or NULL. */
Chain *ledger_find(const SfSplit *split, const Step *sink, size_t input);

#endif
