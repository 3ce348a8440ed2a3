/* A sink's thread and what is its own: a queue of batches and requests. */
#ifndef CORE_SINK_THREAD_H
#define CORE_SINK_THREAD_H

#include "context.h"
#include "data/batch.h"

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
    Request *request;   /* a reference */
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
    bool roused; /* there is something to look at besides the queue */
    bool ended;
    /* The thread's own: */
    gint64 since_us; /* first write after the last commit; 0: none */
    gint64 rows;     /* since then; read by others too: atomic */
    gint64 bytes;
    gint64 kept;       /* bytes of batches that the sink holds references to */
    gint64 written_us; /* last write */
    gint64 ticked_us;
    gint64 squeezed_us; /* last commit for memory */
};

/* The pipeline's thread, likewise free, which waits for the sink's. */
SinkThread *sink_new(Context *context, const Step *step, SfError *err);
void sink_free(SinkThread *sink);

/* Any thread, lock not held. */
void sink_interrupt(SinkThread *sink);

/* Puts a batch at the end of a chain unless the sink has it already. Without rows it only moves the range. Any thread,
 * lock not held. */
void sink_offer(SinkThread *sink, size_t input, SharedBatch *batch);

/* Whether the queue takes more. Lock held. */
bool sink_has_room(const SinkThread *sink);

/* Moves a chain's range on to `end` without rows. Any thread, lock not held. */
void sink_advance(SinkThread *sink, size_t input, const SfSplit *split, gint64 end);

/* Ranges have moved on without an item in the queue: see that they are committed. Any thread, lock not held. */
void sink_rouse(SinkThread *sink);

/* A batch without rows. Any thread. */
Item *sink_gap(const SinkThread *sink, const LedgerGap *gap);
void sink_item_free(Item *item);

#endif
