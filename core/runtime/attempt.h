/* The runtime's insides: one attempt to run one pipeline.
 *
 * An attempt opens every step, runs until it ends, fails or is told to stop, and is then thrown away whole. Whatever
 * goes wrong beyond a plain retry ends the attempt, and the next one recovers from the sinks: there is one way back,
 * and it is the one that a crash takes.
 *
 * Threads: one a task (source → transforms; it also offers batches to sinks), one a sink (worker.c), and the
 * pipeline's own (runner.c), which waits. One lock an attempt guards phases, queues and positions; all are touched
 * once a batch, not once a row, and no hook is called under it. */
#ifndef CORE_ATTEMPT_H
#define CORE_ATTEMPT_H

#include "data/batch.h"
#include "budget.h"
#include "config/hook.h"
#include "config/instance.h"
#include "runner.h"

typedef struct Attempt Attempt;
typedef struct Task Task;
typedef struct Worker Worker;
typedef struct Chain Chain;

/* RUN → DRAIN (no more polling, sinks commit all) → CLOSE; ABORT from any: nothing is committed any more. */
typedef enum Phase { PHASE_RUN, PHASE_DRAIN, PHASE_CLOSE, PHASE_ABORT } Phase;

/* A split that some task reads or has read in this attempt. */
typedef struct SplitState {
    SfSplit split; /* what plugins see */
    char *name;
    char *topic;
    char *key;          /* source and name, in Attempt.splits */
    const Step *source; /* names are unique within it only */
    const Task *owner;  /* NULL: revoked */
    gint64 revoked_us;  /* when */
    const Task *former; /* whose it was then */
    gint64 next;        /* end of the last batch: where the next one starts */
    gint64 highest_cut; /* below it some sink has rows already */
    gint64 published;   /* frontier that the source was told last */
    gint64 end;         /* high watermark, or SF_POSITION_NONE */
    const char *origin; /* as the source says; NULL: not known */
    GPtrArray *chains;  /* Chain *, borrowed: all that this split reaches */
} SplitState;

/* The ranges of one split that reach one sink by one input. recovered ≤ committed ≤ written ≤ queued ≤ offered. */
struct Chain {
    Worker *worker;
    size_t input;
    SplitState *split;
    gint64 recovered; /* where this attempt goes on */
    gint64 found;     /* what the sink answered, or SF_POSITION_NONE */
    gint64 committed;
    gint64 written;   /* write returned SF_OK up to here */
    gint64 queued;    /* end of the last batch in the queue */
    gint64 offered;   /* what lies between queued and offered has no rows */
    gint64 known_end; /* what the sink says when it had its rows up to here; known_ms 0: it does not say */
    gint64 known_ms;
    const char *origin; /* which the sink has kept beside `found`; NULL: none */
};

/* A row that a node rejected, until it has become a row of the step's errors. */
typedef struct Reject {
    const SfBatch *batch; /* a reference */
    gint64 row;
    gint64 position;
    char *cause;
} Reject;

/* What the services need to know of the node that calls them (SfNode.host_data). */
typedef struct Context {
    Attempt *attempt;
    const Step *step;
    StepStats *stats;
    Task *task;      /* of a source or transform */
    Worker *worker;  /* of a sink */
    GArray *rejects; /* Reject; touched by the node's thread only */
    gint64 charged;  /* to the memory budget; given back when the node is freed */
} Context;

struct Attempt {
    const Pipeline *pipeline;
    Runner *runner;
    GMutex lock;
    GCond changed;
    Phase phase;
    bool stopping; /* told to: only what was read is brought to its end */
    bool leave;    /* whoever waits in a retry returns now */
    bool failed;
    SfStatus outcome;
    SfError why;
    GPtrArray *tasks;                  /* Task * */
    GPtrArray *workers;                /* Worker *, upstream ones first */
    Worker **worker_of;                /* by step index; NULL for others */
    const struct ArrowSchema **out;    /* by step index: schema of its rows */
    const struct ArrowSchema **errors; /* likewise of its errors */
    GHashTable *splits;                /* key → SplitState * */
    GHashTable *origins;               /* their texts, each once; see origin.h */
};

extern const SfHost host_services; /* services.c */

/* attempt.c */
Attempt *attempt_new(const Pipeline *pipeline, Runner *runner, SfError *err);
SfStatus attempt_run(Attempt *attempt, SfError *err);
void attempt_free(Attempt *attempt);
/* No more polling; what was read is committed. Any thread, lock not held; calls no hook. */
void attempt_stop(Attempt *attempt);
/* Every split's rows are committed as far as they were read. After attempt_run(). */
bool attempt_complete(const Attempt *attempt);
/* A step whose hook has not returned, or NULL. Lock not held. */
const Step *attempt_stuck(Attempt *attempt);
/* The first call wins. SF_FENCED and SF_RETRY ask for another attempt. Any thread, lock not held; calls no hook. */
void attempt_fail(Attempt *attempt, const Step *step, SfStatus status, const char *message);
/* A thread for the step, or NULL: then the attempt has failed, and *ended is set. Lock not held. */
GThread *attempt_thread(Attempt *attempt, const Step *step, GThreadFunc run, gpointer data, bool *ended);
/* Sleeps until something changed or ms are over; lock held. */
void attempt_wait(Attempt *attempt, gint64 ms);
/* Whether trying again makes sense: not when the attempt is left, nor when it is stopping unless the call helps it to
 * finish. Lock held. */
bool attempt_goes_on(const Attempt *attempt, bool finish);
/* Calls until the answer is not SF_RETRY, with backoff and log lines, or while attempt_goes_on() (SF_RETRY). */
SfStatus attempt_insist(Context *context, SfStatus (*hook)(gpointer data, SfError *err), gpointer data, bool finish,
                        SfError *err);

/* splits.c */
Chain *chain_find(const Worker *worker, size_t input, const SfSplit *split);
SfStatus splits_assign(Task *task, SfAssignment *assignments, size_t n, SfError *err);
SfStatus splits_revoke(Task *task, const SfSplit *const *splits, size_t n, bool lost, SfError *err);
/* The highest answer of a sink to the split's last assignment, or SF_POSITION_NONE. */
gint64 splits_furthest(Attempt *attempt, const SfSplit *split);
/* Time and end of the newest commit of the split that a sink can tell; -1: none. */
gint64 splits_last_commit(Attempt *attempt, const SfSplit *split, gint64 *position);
/* Tells the source how far all sinks have committed. Task's thread. */
void splits_publish(Task *task, bool last);
/* Up to where all sinks have committed. Lock held. */
gint64 split_committed(const SplitState *split);
bool step_reaches(const Step *from, const Step *to);
void split_state_free(SplitState *split);

/* task.c */
Task *task_new(Attempt *attempt, const Step *source, guint number, SfError *err);
void task_start(Task *task);
void task_interrupt(Task *task);
void task_join(Task *task);
void task_free(Task *task);
bool task_quiet(const Task *task);             /* lock held: polls no more */
bool task_ended(const Task *task);             /* lock held: its thread calls no hook any more */
const Context *task_context(const Task *task); /* of its source */
SfNode *task_node(Task *task);

/* rejects.c: what to do with a step's rejects. */
void reject_clear(Reject *reject);
/* Forgets the rejects of a batch of which nothing was taken: the same call comes again. */
void rejects_take_back(Context *context, const SfBatch *batch);
/* Makes the errors batch of `rejects` (all of one batch, in any order): the rows, _step and _error. */
SfStatus rejects_batch(const Context *context, const struct ArrowSchema *schema, const Reject *const *rejects, size_t n,
                       SfBatch *out, SfError *err);
/* After each batch that the step was given: whether its rejects are too many. */
SfStatus rejects_check(const Context *context, SfError *err);
/* A rejected row that no step reads: SF_FATAL, or dropped and counted by the step's on_reject. */
SfStatus rejects_unread(const Context *context, const Reject *const *rejects, size_t n, SfError *err);

#endif
