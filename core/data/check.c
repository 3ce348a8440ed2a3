/* Whether a plugin's rows have the structure that their schema promises, and texts that are such. A few steps a column,
 * whatever the rows, but for texts; all other values are the plugin's responsibility. */
#include "batch.h"
#include "type.h"
#include <sf/column.h>
#include <string.h>

static SfStatus check_length(const SfColumn *column, gint64 need, SfError *err)
{
    gint64 has = column->array->offset + column->array->length;
    if (has < need)
        return sf_fail(err, SF_FATAL,
                       "column '%s' has %" G_GINT64_FORMAT " values where %" G_GINT64_FORMAT " are needed",
                       column->schema->name, has, need);
    return SF_OK;
}

static SfStatus check_nulls(const SfColumn *column, SfError *err)
{
    const struct ArrowArray *array = column->array;
    if (array->null_count > 0 && !array->buffers[0])
        return sf_fail(err, SF_FATAL, "column '%s' says %" G_GINT64_FORMAT " nulls and has no bitmap of them",
                       column->schema->name, array->null_count);
    return SF_OK;
}

/* What the last list needs of the elements. */
static SfStatus last_end(const SfColumn *column, gint64 *end, SfError *err)
{
    const gint32 *ends = (const gint32 *) column->values + column->offset;
    *end = column->length > 0 ? ends[column->length] : 0;
    if (column->length > 0 && (ends[0] < 0 || *end < ends[0]))
        return sf_fail(err, SF_FATAL, "the ends of column '%s' run from %d to %" G_GINT64_FORMAT, column->schema->name,
                       ends[0], *end);
    return SF_OK;
}

/* Eight bytes at a time: nearly all text is ASCII, and that costs next to nothing. */
static bool is_ascii(const char *data, gint64 size)
{
    guint64 bits = 0, word;
    gint64 i = 0;
    for (; i + 8 <= size; i += 8) {
        memcpy(&word, data + i, 8);
        bits |= word;
    }
    for (; i < size; i++)
        bits |= (guchar) data[i];
    return !(bits & G_GUINT64_CONSTANT(0x8080808080808080));
}

/* GLib takes U+0000 for an end. */
bool sf_is_utf8(const char *data, int64_t size)
{
    const char *end = size > 0 ? data + size : data;
    while (data < end && !g_utf8_validate_len(data, (gsize) (end - data), &data)) {
        if (*data)
            return false;
        data++;
    }
    return true;
}

/* Whoever writes Parquet, JSON or SQL further on would fail at it, and be blamed. */
static SfStatus check_text(const SfColumn *column, SfError *err)
{
    const gint32 *ends = (const gint32 *) column->values + column->offset;
    if (column->length == 0 || is_ascii((const char *) column->data + ends[0], ends[column->length] - ends[0]))
        return SF_OK;
    for (gint64 row = 0; row < column->length; row++) {
        SfBytes text = sf_bytes(column, row);
        if (!sf_is_null(column, row) && !sf_is_utf8(text.data, text.size))
            return sf_fail(err, SF_FATAL,
                           "the text in row %" G_GINT64_FORMAT " of column '%s' is not valid UTF-8; reject the row, or "
                           "make the column binary",
                           row, column->schema->name);
    }
    return SF_OK;
}

static SfStatus check_column(const struct ArrowSchema *schema, const struct ArrowArray *array, gint64 need,
                             SfError *err)
{
    SfColumn column;
    SF_TRY(sf_column_view(schema, array, &column, err));
    SF_TRY(check_length(&column, need, err));
    SF_TRY(check_nulls(&column, err));
    gint64 below = column.offset + column.length;
    if (type_has_ends(column.type) && !column.view)
        SF_TRY(last_end(&column, &below, err));
    if (column.type == SF_UTF8 && !column.view)
        SF_TRY(check_text(&column, err));
    for (gint64 i = 0; i < array->n_children; i++) {
        const struct ArrowArray *child = array->children[i];
        SF_TRY(check_column(schema->children[i], child, child->offset + below, err));
    }
    return SF_OK;
}

SfStatus batch_check(const SfBatch *batch, SfError *err)
{
    const struct ArrowArray *rows = &batch->rows;
    if (!rows->release)
        return SF_OK;
    if (rows->n_children != batch->schema->n_children)
        return sf_fail(err, SF_FATAL, "%" G_GINT64_FORMAT " columns where the schema has %" G_GINT64_FORMAT,
                       rows->n_children, batch->schema->n_children);
    if (rows->offset != 0 || rows->null_count > 0)
        return sf_fail(err, SF_FATAL, "the struct of columns has an offset or nulls of its own");
    for (gint64 i = 0; i < rows->n_children; i++)
        if (rows->children[i]->length != rows->length)
            return sf_fail(err, SF_FATAL,
                           "column '%s' has %" G_GINT64_FORMAT " rows where the batch has %" G_GINT64_FORMAT,
                           batch->schema->children[i]->name, rows->children[i]->length, rows->length);
    return check_column(batch->schema, rows, rows->length, err);
}
