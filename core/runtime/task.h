/* A task: one thread that reads some splits of one source and runs its own copies of the transforms. */
#ifndef CORE_TASK_H
#define CORE_TASK_H

#include "attempt.h"
#include "backoff.h"

struct Task {
    Attempt *attempt;
    const Step *source;
    guint number;
    Instance **instances; /* by step index: the source and the transforms that it reaches */
    Context *contexts;    /* likewise */
    GThread *thread;
    gint opened;  /* atomic */
    bool quiet;   /* attempt's lock, likewise: polls no more */
    bool resumed; /* was given splits since */
    bool ended;
    gint64 assigned_us; /* when it was last told which splits it has, be it none */
    Backoff backoff;
    gint64 published_us;
    gint64 patience_ms; /* the task's thread; see sf_patience */
};

/* pass.c: takes what the source gave, runs the transforms on it, and offers the results to the sinks. */
SfStatus task_accept(Task *task, SfBatch *polled, SfError *err);

#endif
