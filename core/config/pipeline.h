/* A pipeline file → a checked graph of steps. */
#ifndef CORE_PIPELINE_H
#define CORE_PIPELINE_H

#include "registry.h"
#include "trigger.h"
#include "yaml.h"

typedef struct Step Step;

/* One consumer of a step's rows, or of its errors. */
typedef struct Edge {
    Step *from;
    bool errors; /* reads <from>.errors */
    Step *to;
    size_t input;         /* number in to->inputs */
    const SfValue *place; /* in the `from:` of the consumer */
} Edge;

typedef enum OnReject { ON_REJECT_STOP, ON_REJECT_DROP } OnReject;

/* `max_rejects`: how many rows a step may refuse. */
typedef struct RejectLimit {
    bool given;   /* otherwise runtime/guard.h has the rules */
    gint64 rows;  /* of a run; -1: the share counts */
    double share; /* of the rows that the step gets, 0 to 1 */
} RejectLimit;

struct Step {
    char *name;
    const Plugin *plugin;
    const SfValue *place;     /* the step's key */
    const SfValue *options;   /* the step's map */
    GPtrArray *inputs;        /* Edge *, owned here */
    GPtrArray *outputs;       /* Edge *, of the rows */
    GPtrArray *error_outputs; /* Edge *, of the errors */
    GPtrArray *input_names;   /* "events", "sales.errors", NULL-terminated */
    OnReject on_reject;       /* `on_reject: stop | drop`, when nobody reads the step's errors */
    RejectLimit max_rejects;  /* its own, or the pipeline's */
    guint index;              /* in topological order */
};

typedef struct Pipeline {
    char *file; /* as given */
    char *name;
    char *description;
    gint64 checkpoint_ms;    /* `checkpoint: 10s`, or a map {every: 10s, rows: 100000, bytes: 64MiB} */
    gint64 checkpoint_rows;  /* 0: no bound */
    gint64 checkpoint_bytes; /* likewise */
    gint64 memory;           /* `memory: 40MiB` */
    gint64 tasks;            /* `tasks: 1` */
    gint64 shutdown_ms;      /* `shutdown: 30s`, the deadline of a clean stop */
    Trigger trigger;         /* `trigger: continuous` */
    RejectLimit max_rejects; /* of steps that have none of their own */
    GPtrArray *steps;        /* Step *, topological order: sources first */
    Document *document;
} Pipeline;

/* Reads, wires and checks one file: structure, names, kinds, plugins, options, cycles, schemas (by instance_bind). All
 * errors go to diagnostics; NULL when there was any. Main thread. */
Pipeline *pipeline_load(const char *path, Diagnostics *diagnostics);
SF_PRIVATE Pipeline *pipeline_load_text(const char *text, const char *name, Diagnostics *diagnostics);
SF_PRIVATE void pipeline_free(Pipeline *pipeline);
Step *pipeline_step(const Pipeline *pipeline, const char *name);

/* Whether rows or errors of the one come to the other, by whatever way; a step reaches itself. */
bool step_reaches(const Step *from, const Step *to);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pipeline, pipeline_free)

#endif
