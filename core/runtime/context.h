/* What all threads of one attempt share: its phase, its end, and who takes part in it.
 *
 * Threads: one a source thread (source → transforms; it also offers batches to sinks), one a sink, and the pipeline's
 * own, which waits. Context.lock guards phases and queues, the ledger has a lock of its own; both are taken once a
 * batch, not once a row, and no hook of a plugin is called under them. ARCHITECTURE.md has the order of all locks. */
#ifndef CORE_CONTEXT_H
#define CORE_CONTEXT_H

#include "budget.h"
#include "config/instance.h"
#include "ledger.h"
#include "stats.h"

typedef struct SinkThread SinkThread;
typedef struct SourceThread SourceThread;

/* RUN ⇄ PAUSE (no polling, sinks commit all, memberships stay) → DRAIN (no more polling, sinks commit all) → CLOSE;
 * ABORT from any: nothing is committed any more. */
typedef enum Phase { PHASE_RUN, PHASE_PAUSE, PHASE_DRAIN, PHASE_CLOSE, PHASE_ABORT } Phase;

typedef struct Context {
    const Pipeline *pipeline;
    StepStats *stats; /* by step index; the runner's, likewise the next */
    BudgetShare *memory;
    bool once;
    const SfHost *host;
    GMutex lock;
    GCond changed;
    Phase phase;
    guint pauses;  /* how often it has become PHASE_PAUSE */
    bool stopping; /* told to: only what was read is brought to its end */
    bool leave;    /* whoever waits in a retry returns now */
    bool over;     /* nothing can fail any more, so that the next three stay as they are */
    bool failed;
    SfStatus outcome;
    SfError why;
    GPtrArray *sinks;                  /* SinkThread *, upstream ones first; complete before there are threads */
    SinkThread **sink_of;              /* by step index; NULL for others */
    const struct ArrowSchema **out;    /* by step index: schema of its rows */
    const struct ArrowSchema **errors; /* likewise of its errors */
    Ledger *ledger;                    /* where splits and sinks are */
    void (*on_commit)(gpointer data);  /* see context_on_commit() */
    gpointer on_commit_data;
} Context;

/* Who calls a service (SfNode.host_data): one step's instance in one thread. */
typedef struct Caller {
    Context *context;
    const Step *step;
    StepStats *stats;
    SourceThread *source; /* of a source or transform */
    SinkThread *sink;     /* of a sink */
    GArray *rejects;      /* Reject; touched by the instance's thread only */
    gint64 charged;       /* to the memory budget; given back when the instance is freed */
} Caller;

void context_init(Context *context, const Pipeline *pipeline, StepStats *stats, BudgetShare *memory, bool once);
void context_done(Context *context);

/* Called when a sink has committed, in its thread, with no lock held; it must not wait. Before there are threads. */
void context_on_commit(Context *context, void (*on_commit)(gpointer data), gpointer data);
void context_committed(const Context *context);

/* The schema of what the edge brings. */
const struct ArrowSchema *context_schema(const Context *context, const Edge *edge);

/* The first call wins; once it is over, none does. SF_FENCED and SF_RETRY ask for another attempt. Any thread, lock not
 * held; calls no hook. */
void context_fail(Context *context, const Step *step, SfStatus status, const char *message);

/* What helps where no thread can be had. */
#define THREAD_REMEDY "raise the limit of threads or memory (ulimit -u, ulimit -v, the service's TasksMax)"

/* A thread for the step, or NULL: then the attempt has failed, and *ended is set. Lock not held. */
GThread *context_thread(Context *context, const Step *step, GThreadFunc run, gpointer data, bool *ended);

/* Sleeps until something changed or ms are over; lock held. */
void context_wait(Context *context, gint64 ms);

/* Lets all look again at what they wait for. Any thread, lock not held. */
void context_tell(Context *context);

/* Between PHASE_RUN and PHASE_PAUSE; later phases stay. Any thread, lock not held; calls no hook. */
void context_pause(Context *context, bool paused);

/* No more polling, whatever was read is committed. Likewise. */
void context_drain(Context *context, bool stopping);

/* Whether trying again makes sense: not when the attempt is left, nor when it is stopping unless the call helps it to
 * finish. Lock held. */
bool context_goes_on(const Context *context, bool finish);

/* Calls until the answer is not SF_RETRY, with backoff and log lines, or while context_goes_on() (SF_RETRY). The
 * instance's thread, lock not held. */
SfStatus context_retry(Caller *caller, SfStatus (*hook)(gpointer data, SfError *err), gpointer data, bool finish,
                       SfError *err);

#endif
