/* A source's thread and what is its own: it reads some splits of one source and runs its own copies of the transforms.
 * A pipeline has `tasks` of them for each source. */
#ifndef CORE_SOURCE_THREAD_H
#define CORE_SOURCE_THREAD_H

#include "backoff.h"
#include "context.h"

struct SourceThread {
    Context *context;
    const Step *step;
    guint number;
    Instance **instances; /* by step index: the source and the transforms that it reaches */
    Caller *callers;      /* likewise */
    GThread *thread;
    gint opened;  /* atomic */
    bool quiet;   /* context's lock, likewise: polls no more */
    bool resumed; /* was given splits since */
    bool halted;  /* by a pause, not because there was nothing more to read */
    bool ended;
    /* The thread's own: */
    Backoff backoff;
    gint64 published_us;
    gint64 told_us;     /* that it waits for memory */
    bool served_badly;  /* its trouble is what serving it has shown */
    gint64 patience_ms; /* see sf_patience */
};

/* The pipeline's thread, likewise all up to source_free(). */
SourceThread *source_new(Context *context, const Step *step, guint number, SfError *err);
void source_interrupt(SourceThread *source);
void source_free(SourceThread *source);

bool source_quiet(const SourceThread *source);  /* lock held: polls no more */
bool source_halted(const SourceThread *source); /* lock held: polls nothing in a pause, or has yet to open */
Caller *source_caller(SourceThread *source);    /* of its source */
SfNode *source_node(SourceThread *source);

#endif
