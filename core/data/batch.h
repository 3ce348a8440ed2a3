/* Batches that the host delivers: counted by reference, so that queues, sinks and derived batches share the same
 * rows. */
#ifndef CORE_BATCH_H
#define CORE_BATCH_H

#include <glib.h>
#include <sf/batch.h>
#include "array.h"
#include "private.h"

/* `batch` comes first: what plugins see as const SfBatch * is this. batch.rows is a window on `columns`, whose release
 * function is a mark by which sf_batch_ref() and its kin know their own batches. */
typedef struct SharedBatch {
    SfBatch batch;
    gint refs;              /* atomic */
    SharedColumn **columns; /* one a child of batch.rows */
    const void *no_validity[1];
    void (*freed)(gpointer data, gint64 bytes); /* when the last reference has gone, from any thread; may be NULL */
    gpointer freed_data;
} SharedBatch;

/* Moves the rows of `moved` (its release becomes NULL) into a new batch with one reference, end it by
 * shared_batch_unref(). bytes: the source's figure, or an estimate where that is 0. No rows at all become an
 * empty batch of the schema. NULL only where there is no schema for that. */
SF_PRIVATE SharedBatch *shared_batch_new(SfBatch *moved);

/* References of the host itself. */
SharedBatch *shared_batch_ref(SharedBatch *shared);
SF_PRIVATE void shared_batch_unref(SharedBatch *shared);

/* From now on sf_batch_ref() on this thread adds the batch's bytes to *bytes and sf_batch_unref() takes them away; NULL
 * ends that. So a sink's thread knows what the sink keeps. */
void batch_count_kept(gint64 *bytes);

/* The shared batch that `batch` is part of, or NULL where it is an author's own. */
SF_PRIVATE SharedBatch *shared_batch_of(const SfBatch *batch);

/* Whether a plugin's rows have the structure that batch->schema promises (SF_FATAL: the plugin is wrong). Rows that
 * were never made are fine. */
SfStatus batch_check(const SfBatch *batch, SfError *err);

/* Bytes in all buffers, without looking into the data. */
gint64 array_bytes(const struct ArrowSchema *schema, const struct ArrowArray *array);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SfBatch, sf_batch_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SharedBatch, shared_batch_unref)

#endif
