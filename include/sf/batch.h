/* Batches: rows in Arrow's C data layout, their schema, and the range of source positions that they come from.
 *
 * A split is what a source reads in order (a topic-partition); a position is a point in it (an offset); a range is
 * [start, end) of positions. A batch comes from one split and one range. Ranges chain: each start is the previous end.
 * Positions may have holes (compaction, aborted transactions, filtered rows), so a range can be longer than its rows,
 * and a batch without rows still moves the position.
 *
 * Position of a row in a source's batch: its column "offset" (int64, not null, ascending) where the schema has one,
 * otherwise start + row number. Transforms keep the range as it is; the host copies it.
 *
 * Ownership: a source or transform fills an SfBatch of the caller's and moves its rows out by that; a hook that is
 * handed a `const SfBatch *` borrows it until it returns, and keeps it longer by sf_batch_ref(). Batches are immutable
 * once handed over. Release callbacks may run on another thread. */
#ifndef SF_BATCH_H
#define SF_BATCH_H

#include <stdbool.h>
#include <sf/arrow.h>
#include <sf/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SF_POSITION_NONE INT64_C(-1) /* no position is known */

/* Owned by the host, valid until the step's close returns; the same split is the same pointer in every hook. */
typedef struct SfSplit {
    const char *name;  /* unique in its source, stable over runs and versions: "sales_events/0" */
    const char *topic; /* what the rows say in their column topic: "sales_events" */
    int32_t partition; /* likewise partition; 0 where the source has none */
    uint32_t index;    /* dense from 0 in order of first assignment in this run: an array's subscript */
} SfSplit;

typedef struct SfPosition {
    const SfSplit *split;
    int64_t position;
} SfPosition;

typedef struct SfBatch {
    const struct ArrowSchema *schema; /* of the output that it comes from; a struct; the host's, valid until close */
    struct ArrowArray rows;           /* a struct array: one child a column; offset 0, no nulls of its own */
    const SfSplit *split;
    int64_t start; /* range [start, end) */
    int64_t end;
    int64_t bytes;     /* memory that the rows hold alive, for back-pressure; 0: the host estimates it */
    int64_t newest_us; /* latest event time in it, µs since 1970-01-01 UTC, or INT64_MIN: for the delay figures */
} SfBatch;

/* Rows in the batch. */
static inline int64_t sf_rows(const SfBatch *batch)
{
    return batch->rows.length;
}

/* Keeps a batch that a hook was handed beyond the hook's return; sf_batch_unref() from any thread. The batch stays
 * valid, its split and schema only until close. Only for batches from the host, not for an author's own SfBatch. */
SF_API const SfBatch *sf_batch_ref(const SfBatch *batch);
SF_API void sf_batch_unref(const SfBatch *batch);

/* Releases an author's own SfBatch that was not handed over (idempotent, NULL is fine). */
SF_API void sf_batch_done(SfBatch *batch);

/* Moves a view of one column of `batch` into `out`: no copy, the batch stays alive until `out` is released. */
SF_API SfStatus sf_batch_share(const SfBatch *batch, int64_t column, struct ArrowArray *out, SfError *err);

/* out = the rows of `batch` whose bit in `keep` (LSB first, one bit a row) is set, with all columns; range and split
 * are copied. Views stay views over the same bytes; other columns are compacted. */
SF_API SfStatus sf_batch_keep(const SfBatch *batch, const uint8_t *keep, SfBatch *out, SfError *err);

/* out = rows [first, first + count) of `batch`, without a copy; the range is the caller's to set. */
SF_API SfStatus sf_batch_slice(const SfBatch *batch, int64_t first, int64_t count, SfBatch *out, SfError *err);

/* out = `batch` with every view column (vz, vu) turned into plain binary or utf8, for readers that lack views. */
SF_API SfStatus sf_batch_compact(const SfBatch *batch, struct ArrowSchema *schema_out, SfBatch *out, SfError *err);

/* Assembles a struct array from n columns of equal length, which are moved (release becomes NULL) even on error. */
SF_API SfStatus sf_rows_from_columns(struct ArrowArray *columns, size_t n, int64_t length, struct ArrowArray *out,
                                     SfError *err);

/* out = the columns of `batch` without a copy, and those of `added` behind them: a struct array of as many rows, as a
 * builder finishes it, which is moved (release becomes NULL) even on error. */
SF_API SfStatus sf_batch_with(const SfBatch *batch, struct ArrowArray *added, struct ArrowArray *out, SfError *err);

/* The same of the rows whose bit in `keep` is set (as in sf_batch_keep): `added` has as many rows as there are bits. */
SF_API SfStatus sf_batch_keep_with(const SfBatch *batch, const uint8_t *keep, struct ArrowArray *added,
                                   struct ArrowArray *out, SfError *err);

/* Releases if needed; idempotent, accepts NULL. */
SF_API void sf_array_done(struct ArrowArray *array);
SF_API void sf_schema_done(struct ArrowSchema *schema);

#ifdef __cplusplus
}
#endif

#endif
