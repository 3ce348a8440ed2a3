/* A pipeline while it is being read: steps with references that are not resolved yet. Under pipeline_load.c. */
#ifndef CORE_DRAFT_H
#define CORE_DRAFT_H

#include "pipeline.h"

typedef struct Draft {
    Step *step;      /* plugin: the one that is meant, as far as can be told; or NULL */
    SfKind kind;     /* by the key: source, transform or sink; 0 when there is none */
    GPtrArray *refs; /* const SfValue *, scalars of `from` */
    bool answers;    /* has an on_reject */
    bool sound;      /* nothing was wrong with it so far */
    bool vague;      /* what it reads could not be made out */
} Draft;

/* Reads one step. Never NULL: what is wrong has been said. */
Draft *draft_read(const SfValue *key, const SfValue *value, Diagnostics *diagnostics);
void draft_free(Draft *draft);

/* An array that owns Step. */
GPtrArray *pipeline_steps_new(void);

/* Reads a `max_rejects`; complains at `value`. */
RejectLimit reject_limit_read(const char *text, const SfValue *value, Diagnostics *diagnostics);

/* Names go into Kafka groups, object keys and file names. */
bool name_check(const SfValue *place, const char *what, const char *name, Diagnostics *diagnostics);

/* Resolves references into edges, checks the graph, and puts all steps into `out` in topological order; steps
 * of a cycle come last. */
void graph_wire(GPtrArray *drafts, const SfValue *place, GPtrArray *out, Diagnostics *diagnostics);

/* Binds every step whose inputs are known, so that columns and types are checked before anything runs. One with wrong
 * options is bound as far as it does not depend on those. */
void pipeline_bind(const Pipeline *pipeline, GPtrArray *drafts, Diagnostics *diagnostics);

#endif
