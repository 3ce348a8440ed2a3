/* Transforms that give only `needs` and `keep_row`: the host loops. */
#ifndef CORE_ROWFILTER_H
#define CORE_ROWFILTER_H

#include <sf/plugin.h>
#include "private.h"

/* Whether the transform is a row filter: it has keep_row and no apply. */
SF_PRIVATE bool rowfilter_is(const SfTransform *transform);

/* Every needed column is there with its type: at bind, so that nothing is found out at the first row. */
SfStatus rowfilter_bind(const SfTransform *transform, SfNode *node, const struct ArrowSchema *in, SfError *err);

/* Fills out's rows with those that keep_row keeps; `in` is a batch of the host's. */
SF_PRIVATE SfStatus rowfilter_apply(const SfTransform *transform, SfNode *node, const SfBatch *in, SfBatch *out,
                                    SfError *err);

#endif
