/* Nodes of Arrow arrays that libsf makes. Each owns what it was given, so that a reader may move a child out of its
 * parent, and may hold a shared batch alive whose buffers it borrows. */
#ifndef CORE_ARRAY_H
#define CORE_ARRAY_H

#include "auto.h"

enum { ARRAY_OWNED_MAX = 4 };

/* One column of a delivered batch. Derived batches hold the columns that they share, not the whole batch: what goes
 * through a decoder does not pin the bytes that were decoded. */
typedef struct SharedColumn {
    gint refs; /* atomic */
    struct ArrowArray array;
} SharedColumn;

SharedColumn *shared_column_ref(SharedColumn *column);
void shared_column_unref(SharedColumn *column);

/* A node without nulls, of empty buffers and released (absent) children, to be filled in. false: no memory. */
bool array_init(struct ArrowArray *out, gint64 length, gint64 n_buffers, gint64 n_children);

/* Buffer `number` becomes `memory`, freed by g_free() when the node is released. At most ARRAY_OWNED_MAX a node. */
void array_own(struct ArrowArray *array, gint64 number, gpointer memory);

/* Keeps the column until the node is released. Once a node. */
void array_hold(struct ArrowArray *array, SharedColumn *column);

/* A copy of the whole tree of nodes over the same buffers, which `column` holds alive. false: no memory. */
bool array_share(const struct ArrowArray *array, SharedColumn *column, struct ArrowArray *out);

/* *to = *from, which becomes released. */
static inline void array_move(struct ArrowArray *from, struct ArrowArray *to)
{
    *to = *from;
    from->release = NULL;
}

/* "out of memory for …" as a status: sizes come from data, so running out is an error and no abort. */
SfStatus array_no_memory(SfError *err, gint64 length);

#endif
