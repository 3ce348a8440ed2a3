/* A sink's thread: a queue of batches and requests, the beat of commits, retries. */
#ifndef CORE_WORKER_H
#define CORE_WORKER_H

#include "attempt.h"

/* Something that another thread asks of a sink and waits for. It may stop waiting: the sink has a reference, too. */
typedef struct Request {
    gint references;
    SfCommitReason reason; /* 0: recover */
    SfRecovery *chains;
    size_t n_chains;
    bool answered;  /* attempt's lock */
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

struct Worker {
    Attempt *attempt;
    const Step *step;
    Instance *instance;
    Context context;
    GThread *thread;
    guint level;  /* longest way of errors outputs of sinks that lead here: those upstream commit first */
    GQueue queue; /* Item *; attempt's lock, as for the rest up to the thread's own */
    gint64 queued_bytes;
    gint opened; /* atomic; the plugin is open until worker_free */
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

Worker *worker_new(Attempt *attempt, const Step *step, SfError *err);
void worker_start(Worker *worker);
void worker_interrupt(Worker *worker);
void worker_join(Worker *worker);
void worker_free(Worker *worker);

/* Puts a batch at the end of a chain unless the sink has it already. Without rows it only moves the range. Lock not
 * held. */
void worker_offer(Worker *worker, size_t input, SharedBatch *batch);

/* The chain's rows end at `end` for now: nothing comes between. Lock held. */
void worker_advance(Chain *chain, gint64 end);

/* Whether the queue takes more. Lock held. */
bool worker_has_room(const Worker *worker);

/* Whether rows or ranges that it was given are not committed yet. Lock held. */
bool worker_has_open(const Worker *worker);

/* ---- within the worker's thread ------------------------------------------------ */

/* A batch without rows that brings a chain from where its last batch ended to `end`. Lock held. */
Item *worker_gap(Chain *chain, gint64 end);
void worker_item_free(Item *item);

/* write.c: hands a batch to the sink. */
SfStatus worker_write(Worker *worker, const Item *item, SfError *err);

/* commit.c */
SfStatus worker_commit(Worker *worker, SfCommitReason reason, SfError *err);
/* Commits when the pipeline's beat or the process's memory say so. */
SfStatus worker_beat(Worker *worker, SfError *err);

/* ---- what others ask ------------------------------------------------ */

/* Asks each its request (NULL: none) and waits for all, until the monotonic time `deadline` at most (0: no limit); a
 * line says who is waited for when half of that has passed. SF_RETRY when the attempt is being left, or stopping, where
 * the question is where to start; SF_EMPTY when the time is over: requests are withdrawn then. Lock not held. */
SfStatus workers_ask(Attempt *attempt, Worker *const *workers, size_t n, Request *const *requests, gint64 deadline,
                     SfError *err);

/* All sinks commit everything they were given, upstream ones first. Deadline and lock as above. */
SfStatus workers_commit(Attempt *attempt, SfCommitReason reason, gint64 deadline, SfError *err);

/* Makes the rejects of a sink before these ends durable downstream; see sf_settle. Worker's thread. */
SfStatus worker_settle(Worker *worker, size_t input, const SfPosition *ends, size_t n, SfError *err);

/* sf_committed. Worker's thread. */
void worker_committed(Worker *worker, size_t input, const SfSplit *split, gint64 end);

#endif
