/* Rows that were written and not committed yet: the batches they are in, kept alive, and for each table the winners:
 * the one row of each key that is to reach the database, to be kept there or to delete. A row that the database refuses
 * is struck out; the next best of its key takes its place. */
#ifndef GOLD_PENDING_H
#define GOLD_PENDING_H

#include "model.h"

typedef struct RowRef {
    guint32 part;
    guint32 row;
} RowRef;

typedef struct Part {
    const SfBatch *batch;
    gsize input;
    SfColumn *views; /* one a source of the model */
    guint8 *struck;  /* one bit a row; NULL: none */
} Part;

/* Open addressing over the keys' hashes; slots hold 1 + the number of a winner. */
typedef struct Winners {
    const Target *target;
    RowRef *rows;
    guint32 *hashes;
    gsize n;
    gsize n_kept; /* rows[n_kept, n) delete; after pending_sort() only */
    gsize capacity;
    guint32 *slots;
    gsize n_slots;
} Winners;

typedef struct Pending {
    const Model *model;
    GArray *parts;    /* Part */
    Winners *winners; /* one a target of the model */
    bool sorted;      /* the winners are in the order of their keys, so their slots point nowhere */
} Pending;

Pending *pending_new(const Model *model);
void pending_free(Pending *pending);

/* Takes a reference to a batch; numbers as model_match() gave them. Rows that a fact cannot tell apart or order are
 * rejected to node. */
SfStatus pending_add(Pending *pending, SfNode *node, const SfBatch *batch, gsize input, const gint64 *numbers,
                     SfError *err);

/* Strikes a row out of all tables and rejects it to node (NULL: nobody hears of it), once. pending_restart() then finds
 * the winners anew. */
void pending_strike(Pending *pending, SfNode *node, RowRef ref, const char *cause);
/* Likewise, of sorted winners, those with values that no warehouse takes, which a loader may find before there is a
 * transaction; how many. */
gsize pending_strike_untakable(Pending *pending, SfNode *node);
void pending_restart(Pending *pending);

/* Puts winners in the order of their keys, those that delete behind the others: neighbours in the index are written
 * together, and two processes lock in one order. SF_RETRY when memory is short. */
SfStatus pending_sort(Pending *pending, SfError *err);

/* Forgets all. */
void pending_clear(Pending *pending);

/* Memory beside the batches. */
gsize pending_bytes(const Pending *pending);

static inline const Part *pending_part(const Pending *pending, guint32 part)
{
    return &g_array_index(pending->parts, Part, part);
}

/* View of a table's column in the part that a row is of. */
static inline const SfColumn *pending_view(const Pending *pending, RowRef ref, guint source)
{
    return &pending_part(pending, ref.part)->views[source];
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pending, pending_free)

#endif
