/* A sink's thread and what is its own: a queue of batches and requests. */
#ifndef CORE_SINK_THREAD_H
#define CORE_SINK_THREAD_H

#include "context.h"
#include "data/batch.h"
#include "ledger.h"

/* Something that another thread asks of a sink and waits for. It may stop waiting: the sink has a reference, too. */
typedef struct Request {
    gint references;
    SfCommitReason reason; /* 0: recover */
    SfRecovery *chains;
    size_t n_chains;
    bool answered;  /* context's lock */
    bool withdrawn; /* likewise: nobody waits for the answer */
} Request;

Request *request_new(SfCommitReason reason);
void request_unref(Request *request);

typedef enum ItemKind { ITEM_BATCH = 1, ITEM_REQUEST } ItemKind;

typedef struct Item {
    ItemKind kind;
    size_t input;
    SharedBatch *batch; /* owned */
    Chain *chain;
    Request *request; /* a reference */
} Item;

struct SinkThread {
    Context *context;
    const Step *step;
    Instance *instance;
    Caller caller;
    GThread *thread;
    guint level;  /* longest way of errors outputs of sinks that lead here: those upstream commit first */
    GQueue queue; /* Item *; context's lock, as for the rest up to the thread's own */
    gint64 queued_bytes;
    gint opened; /* atomic; the plugin is open until sink_free */
    const Request *answering;
    bool ended;
    GPtrArray *chains;    /* Chain *, owned, in the order in which they came */
    GPtrArray **by_split; /* by input: Chain * by split index */
    /* The thread's own: */
    gint64 since_us; /* first write after the last commit; 0: none */
    gint64 rows;     /* since then; read by others too: atomic */
    gint64 bytes;
    gint64 kept; /* bytes of batches that the sink holds references to */
    gint64 ticked_us;
    gint64 squeezed_us; /* last commit for memory */
};

/* The pipeline's thread, likewise join and free. */
SinkThread *sink_new(Context *context, const Step *step, SfError *err);
void sink_join(SinkThread *sink);
void sink_free(SinkThread *sink);

/* Any thread, lock not held. */
void sink_interrupt(SinkThread *sink);

/* The chain of the split's, or NULL. Lock held. */
Chain *sink_chain(const SinkThread *sink, size_t input, const SfSplit *split);

/* The same, made at first sight. Lock held. */
Chain *sink_chain_of(SinkThread *sink, size_t input, Split *split);

/* Puts a batch at the end of a chain unless the sink has it already. Without rows it only moves the range. Any thread,
 * lock not held. */
void sink_offer(SinkThread *sink, size_t input, SharedBatch *batch);

/* Whether the queue takes more. Lock held. */
bool sink_has_room(const SinkThread *sink);

/* Whether rows or ranges that it was given are not committed yet. Lock held. */
bool sink_has_open(const SinkThread *sink);

/* The next item, or NULL after a while. Sets *leave when there will be none. The sink's thread, lock not held. */
Item *sink_next(SinkThread *sink, bool *leave);

/* A batch without rows that brings a chain from where its last batch ended to `end`. Lock held. */
Item *sink_gap(Chain *chain, gint64 end);
void sink_item_free(Item *item);

#endif
