/* What becomes of rows that a step rejects. The instance's thread, context's lock not held. */
#ifndef CORE_REJECTS_H
#define CORE_REJECTS_H

#include "context.h"

/* A row that a step rejected, until it has become a row of the step's errors. */
typedef struct Reject {
    const SfBatch *batch; /* a reference */
    gint64 row;
    gint64 position;
    char *cause;
} Reject;

/* An empty list of them. */
SF_PRIVATE GArray *rejects_new(void);

/* Forgets the rejects of a batch of which nothing was taken: the same call comes again. */
void rejects_take_back(Caller *caller, const SfBatch *batch);

/* Makes the errors batch of `rejects` (all of one batch, in any order): the rows, _step and _error. */
SF_PRIVATE SfStatus rejects_batch(const Caller *caller, const struct ArrowSchema *schema, const Reject *const *rejects,
                                  size_t n, SfBatch *out, SfError *err);

/* After each batch that the step was given: whether its rejects are too many. */
SfStatus rejects_check(const Caller *caller, SfError *err);

/* A rejected row that no step reads: SF_FATAL, or dropped and counted by the step's on_reject. */
SfStatus rejects_unread(const Caller *caller, const Reject *const *rejects, size_t n, SfError *err);

#endif
