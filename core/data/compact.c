/* sf_batch_compact(): view columns, wherever they nest, become plain utf8 and binary. Everything else is shared. */
#include "array.h"
#include "batch.h"
#include "type.h"

static bool has_view(const struct ArrowSchema *schema)
{
    SfField field;
    if (sf_schema_field(schema, &field, NULL) == SF_OK && field.view)
        return true;
    for (gint64 i = 0; i < schema->n_children; i++)
        if (has_view(schema->children[i]))
            return true;
    return false;
}

static void plain_formats(struct ArrowSchema *schema)
{
    SfField field;
    if (sf_schema_field(schema, &field, NULL) == SF_OK && field.view) {
        g_free((gpointer) schema->format);
        schema->format = g_strdup(field.type == SF_UTF8 ? "u" : "z");
    }
    for (gint64 i = 0; i < schema->n_children; i++)
        plain_formats(schema->children[i]);
}

static SfStatus measure(const SfColumn *column, gint64 *bytes, SfError *err)
{
    *bytes = 0;
    for (gint64 row = 0; row < column->length; row++)
        if (!sf_is_null(column, row))
            *bytes += sf_bytes(column, row).size;
    if (*bytes > G_MAXINT32)
        return sf_fail(err, SF_REJECT,
                       "column '%s' has %" G_GINT64_FORMAT " bytes in one batch, more than 32-bit ends can hold",
                       column->schema->name, *bytes);
    return SF_OK;
}

static void copy_bytes(const SfColumn *column, gint32 *ends, guint8 *data)
{
    ends[0] = 0;
    for (gint64 row = 0; row < column->length; row++) {
        SfBytes bytes = {0};
        if (!sf_is_null(column, row))
            bytes = sf_bytes(column, row);
        if (bytes.size > 0)
            memcpy(data + ends[row], bytes.data, (gsize) bytes.size);
        ends[row + 1] = ends[row] + (gint32) bytes.size;
    }
}

static void copy_validity(const SfColumn *column, guint8 *bits, struct ArrowArray *out)
{
    gint64 nulls = 0;
    for (gint64 row = 0; row < column->length; row++) {
        if (sf_is_null(column, row))
            nulls++;
        else
            bits[row >> 3] |= (guint8) (1u << (row & 7));
    }
    out->null_count = nulls;
}

/* The array's own offset is left behind, so that a slice of a long array becomes no long array. */
static SfStatus compact_views(const struct ArrowSchema *schema, const struct ArrowArray *from, struct ArrowArray *out,
                              gint64 *taken, SfError *err)
{
    SfColumn column;
    gint64 bytes;
    SF_TRY(sf_column_view(schema, from, &column, err));
    SF_TRY(measure(&column, &bytes, err));
    if (!array_init(out, column.length, 3, 0))
        return array_no_memory(err, column.length);
    gint32 *ends = g_try_new(gint32, (gsize) column.length + 1);
    array_own(out, 1, ends);
    guint8 *data = g_try_malloc((gsize) MAX(bytes, 1));
    array_own(out, 2, data);
    guint8 *bits = column.validity ? g_try_malloc0((gsize) column.length / 8 + 1) : NULL;
    array_own(out, 0, bits);
    if (!ends || !data || (column.validity && !bits))
        return array_no_memory(err, column.length);
    copy_bytes(&column, ends, data);
    if (bits)
        copy_validity(&column, bits, out);
    *taken += bytes + column.length * (gint64) sizeof *ends;
    return SF_OK;
}

static SfStatus compact_node(SharedColumn *column, const struct ArrowSchema *schema, const struct ArrowArray *from,
                             struct ArrowArray *out, gint64 *taken, SfError *err)
{
    SfField field;
    SF_TRY(sf_schema_field(schema, &field, err));
    if (field.view)
        return compact_views(schema, from, out, taken, err);
    if (!has_view(schema))
        return array_share(from, column, out) ? SF_OK : array_no_memory(err, from->length);
    if (from->n_children != schema->n_children || !array_init(out, from->length, from->n_buffers, from->n_children))
        return array_no_memory(err, from->length);
    for (gint64 i = 0; i < from->n_buffers; i++)
        out->buffers[i] = from->buffers[i];
    out->offset = from->offset;
    out->null_count = from->null_count;
    array_hold(out, column);
    for (gint64 i = 0; i < from->n_children; i++)
        SF_TRY(compact_node(column, schema->children[i], from->children[i], out->children[i], taken, err));
    return SF_OK;
}

SfStatus sf_batch_compact(const SfBatch *batch, struct ArrowSchema *schema_out, SfBatch *out, SfError *err)
{
    SharedBatch *shared = shared_batch_of(batch);
    if (!shared)
        return sf_fail(err, SF_FATAL, "a batch that the host has not delivered cannot be compacted");
    g_auto(ArrowSchema) schema = {0};
    SF_TRY(sf_schema_copy(batch->schema, &schema, err));
    plain_formats(&schema);
    g_auto(ArrowArray) made = {0};
    gint64 taken = 1;
    if (!array_init(&made, batch->rows.length, 1, batch->rows.n_children))
        return array_no_memory(err, batch->rows.length);
    for (gint64 i = 0; i < made.n_children; i++)
        SF_TRY(compact_node(shared->columns[i], batch->schema->children[i], batch->rows.children[i], made.children[i],
                            &taken, err));
    *out = *batch;
    out->bytes = taken;
    array_move(&made, &out->rows);
    *schema_out = schema;
    schema.release = NULL;
    out->schema = schema_out;
    return SF_OK;
}
