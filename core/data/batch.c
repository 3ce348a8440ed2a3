/* Batches: shared by reference count, sliced and viewed without a copy. Selecting rows: keep.c; plain layouts:
 * compact.c. */
#include "batch.h"

#include "array.h"
#include "type.h"

/* The mark of a host's batch. Its rows go with the last reference, never by a reader that calls this. */
static void shared_release(struct ArrowArray *array)
{
    (void) array;
}

SharedBatch *shared_batch_of(const SfBatch *batch)
{
    return batch->rows.release == shared_release ? (SharedBatch *) batch : NULL;
}

static bool empty_rows(const struct ArrowSchema *schema, struct ArrowArray *out)
{
    g_autoptr(SfBuilder) builder = schema ? sf_builder_new(schema, NULL) : NULL;
    return builder && sf_builder_finish(builder, out, NULL) == SF_OK;
}

/* Moves each column out of `rows`, as the C data interface allows a consumer to ("Moving child arrays"), and points
 * the window's children at them. */
static void take_columns(SharedBatch *shared, struct ArrowArray *rows)
{
    gint64 n = rows->n_children;
    shared->columns = g_new(SharedColumn *, (gsize) MAX(n, 1));
    shared->batch.rows.children = g_new(struct ArrowArray *, (gsize) MAX(n, 1));
    for (gint64 i = 0; i < n; i++) {
        SharedColumn *column = g_new(SharedColumn, 1);
        column->refs = 1;
        array_move(rows->children[i], &column->array);
        shared->columns[i] = column;
        shared->batch.rows.children[i] = &column->array;
    }
}

SharedBatch *shared_batch_new(SfBatch *moved)
{
    if (!moved->rows.release && !empty_rows(moved->schema, &moved->rows))
        return NULL;
    SharedBatch *shared = g_new0(SharedBatch, 1);
    shared->batch = *moved;
    shared->batch.rows = (struct ArrowArray){.length = moved->rows.length,
                                             .n_buffers = 1,
                                             .n_children = moved->rows.n_children,
                                             .buffers = shared->no_validity,
                                             .release = shared_release};
    shared->refs = 1;
    take_columns(shared, &moved->rows);
    sf_array_done(&moved->rows);
    if (shared->batch.bytes <= 0 && shared->batch.schema)
        shared->batch.bytes = array_bytes(shared->batch.schema, &shared->batch.rows);
    return shared;
}

SharedBatch *shared_batch_ref(SharedBatch *shared)
{
    g_atomic_int_inc(&shared->refs);
    return shared;
}

void shared_batch_unref(SharedBatch *shared)
{
    if (!shared || !g_atomic_int_dec_and_test(&shared->refs))
        return;
    for (gint64 i = 0; i < shared->batch.rows.n_children; i++)
        shared_column_unref(shared->columns[i]);
    g_free(shared->columns);
    g_free(shared->batch.rows.children);
    if (shared->freed)
        shared->freed(shared->freed_data, shared->batch.bytes);
    g_free(shared);
}

static _Thread_local gint64 *kept; /* where the plugin's references are counted that it takes on this thread */

void batch_count_kept(gint64 *bytes)
{
    kept = bytes;
}

const SfBatch *sf_batch_ref(const SfBatch *batch)
{
    SharedBatch *shared = shared_batch_of(batch);
    g_return_val_if_fail(shared != NULL, NULL);
    if (kept)
        __atomic_add_fetch(kept, batch->bytes, __ATOMIC_RELAXED);
    return &shared_batch_ref(shared)->batch;
}

void sf_batch_unref(const SfBatch *batch)
{
    SharedBatch *shared = batch ? shared_batch_of(batch) : NULL;
    g_return_if_fail(!batch || shared != NULL);
    if (shared && kept)
        __atomic_sub_fetch(kept, batch->bytes, __ATOMIC_RELAXED);
    shared_batch_unref(shared);
}

void sf_batch_done(SfBatch *batch)
{
    if (batch)
        sf_array_done(&batch->rows);
}

static SfStatus not_shared(SfError *err)
{
    return sf_fail(err, SF_FATAL, "a batch that the host has not delivered cannot be shared");
}

SfStatus sf_batch_share(const SfBatch *batch, int64_t column, struct ArrowArray *out, SfError *err)
{
    SharedBatch *shared = shared_batch_of(batch);
    if (!shared)
        return not_shared(err);
    if (column < 0 || column >= batch->rows.n_children)
        return sf_fail(err, SF_FATAL, "there is no column %" G_GINT64_FORMAT " in a batch of %" G_GINT64_FORMAT, column,
                       batch->rows.n_children);
    if (!array_share(batch->rows.children[column], shared->columns[column], out))
        return array_no_memory(err, batch->rows.length);
    return SF_OK;
}

SfStatus sf_batch_slice(const SfBatch *batch, int64_t first, int64_t count, SfBatch *out, SfError *err)
{
    SharedBatch *shared = shared_batch_of(batch);
    if (!shared)
        return not_shared(err);
    if (first < 0 || count < 0 || first > batch->rows.length - count)
        return sf_fail(err, SF_FATAL,
                       "rows %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " are not within a batch of %" G_GINT64_FORMAT,
                       first, count > G_MAXINT64 - MAX(first, 0) ? G_MAXINT64 : first + count, batch->rows.length);
    SfBatch made = *batch;
    g_auto(ArrowArray) rows = {0};
    if (!array_init(&rows, count, 1, batch->rows.n_children))
        return array_no_memory(err, count);
    for (gint64 i = 0; i < rows.n_children; i++) {
        struct ArrowArray *column = rows.children[i];
        if (!array_share(batch->rows.children[i], shared->columns[i], column))
            return array_no_memory(err, count);
        column->offset =
            count > 0 ? column->offset + first : 0; /* nothing of a buffer of which a reader sees nothing */
        column->length = count;
        column->null_count = column->null_count == 0 ? 0 : -1;
    }
    array_move(&rows, &made.rows);
    made.bytes = (gint64) sizeof(struct ArrowArray) * (made.rows.n_children + 1); /* the rows are charged by `batch` */
    *out = made;
    return SF_OK;
}

SfStatus sf_rows_from_columns(struct ArrowArray *columns, size_t n, int64_t length, struct ArrowArray *out,
                              SfError *err)
{
    SfStatus status = SF_OK;
    g_auto(ArrowArray) made = {0};
    if (!array_init(&made, length, 1, (gint64) n))
        status = array_no_memory(err, length);
    for (size_t i = 0; i < n; i++) {
        if (status == SF_OK && (!columns[i].release || columns[i].length != length))
            status = sf_fail(err, SF_FATAL, "column %zu has %" G_GINT64_FORMAT " rows, not %" G_GINT64_FORMAT, i,
                             columns[i].release ? columns[i].length : 0, length);
        if (status == SF_OK)
            array_move(&columns[i], made.children[i]);
        else
            sf_array_done(&columns[i]);
    }
    if (status == SF_OK)
        array_move(&made, out);
    return status;
}

SfStatus sf_batch_with(const SfBatch *batch, struct ArrowArray *added, struct ArrowArray *out, SfError *err)
{
    size_t n = (size_t) batch->rows.n_children, all = n + (size_t) added->n_children;
    g_autofree struct ArrowArray *columns = g_new0(struct ArrowArray, all + 1);
    SfStatus status = SF_OK;
    for (size_t i = 0; i < n && status == SF_OK; i++)
        status = sf_batch_share(batch, (int64_t) i, &columns[i], err);
    for (size_t i = n; i < all; i++)
        array_move(added->children[i - n], &columns[i]);
    sf_array_done(added);
    if (status == SF_OK)
        return sf_rows_from_columns(columns, all, batch->rows.length, out, err);
    for (size_t i = 0; i < all; i++)
        sf_array_done(&columns[i]);
    return status;
}

/* Readers are told the sizes of view buffers in the last buffer (columnar format, "Variable-size Binary View
 * Layout"). */
static gint64 view_bytes(const struct ArrowArray *array)
{
    gint64 n = array->n_buffers - 3, bytes = 0;
    const gint64 *sizes = n > 0 ? array->buffers[array->n_buffers - 1] : NULL;
    for (gint64 i = 0; sizes && i < n; i++)
        bytes += sizes[i];
    return bytes;
}

gint64 array_bytes(const struct ArrowSchema *schema, const struct ArrowArray *array)
{
    SfField field;
    if (!array->release || sf_schema_field(schema, &field, NULL) != SF_OK || schema->n_children != array->n_children)
        return 0;
    gint64 slots = array->offset + array->length;
    gint64 bytes = array->n_buffers > 0 && array->buffers[0] ? slots / 8 : 0;
    int width = type_width(field.type, field.view);
    bytes += width > 0 ? slots * width : width == 0 ? slots / 8 : 0;
    if (field.view)
        bytes += view_bytes(array);
    else if (type_has_bytes(field.type) && slots > 0)
        bytes += ((const gint32 *) array->buffers[1])[slots];
    for (gint64 i = 0; i < array->n_children; i++)
        bytes += array_bytes(schema->children[i], array->children[i]);
    return bytes;
}
