/* sf_batch_keep(): the rows that a bitmap selects. The selection becomes a list of row numbers once; every column
 * gathers by it. Views are gathered, the bytes behind them stay where they are. */
#include "array.h"
#include "batch.h"
#include "type.h"

typedef struct Selection {
    const guint32 *rows; /* ascending */
    gint64 n;
} Selection;

typedef struct Keeper {
    SharedColumn *column; /* that it is at */
    gint64 bytes;         /* newly taken */
    SfError *err;
} Keeper;

static gpointer take_memory(Keeper *keeper, gint64 size)
{
    gpointer memory = g_try_malloc((gsize) MAX(size, 1));
    if (memory)
        keeper->bytes += size;
    return memory;
}

static inline bool bit_at(const guint8 *bits, gint64 bit)
{
    return bits[bit >> 3] >> (bit & 7) & 1;
}

/* out has been allocated for whole bytes; returns how many bits are set. */
static gint64 gather_bits(const guint8 *from, gint64 first, const Selection *selection, guint8 *out)
{
    gint64 set = 0;
    for (gint64 i = 0; i < selection->n; i += 8) {
        guint byte = 0;
        for (gint64 j = 0; j < MIN(8, selection->n - i); j++)
            byte |= (guint) bit_at(from, first + selection->rows[i + j]) << j;
        out[i / 8] = (guint8) byte;
        set += __builtin_popcount(byte);
    }
    return set;
}

typedef struct Word16 {
    guint64 halves[2];
} Word16;

static void gather_values(const void *from, gint64 first, int width, const Selection *selection, void *out)
{
    if (width == 4)
        for (gint64 i = 0; i < selection->n; i++)
            ((guint32 *) out)[i] = ((const guint32 *) from)[first + selection->rows[i]];
    else if (width == 8)
        for (gint64 i = 0; i < selection->n; i++)
            ((guint64 *) out)[i] = ((const guint64 *) from)[first + selection->rows[i]];
    else
        for (gint64 i = 0; i < selection->n; i++)
            memcpy((Word16 *) out + i, (const Word16 *) from + first + selection->rows[i], sizeof(Word16));
}

static SfStatus keep_validity(Keeper *keeper, const struct ArrowArray *from, gint64 first, const Selection *selection,
                              struct ArrowArray *out)
{
    if (from->null_count == 0 || !from->buffers[0])
        return SF_OK;
    guint8 *bits = take_memory(keeper, (selection->n + 7) / 8);
    if (!bits)
        return array_no_memory(keeper->err, selection->n);
    array_own(out, 0, bits);
    out->null_count = selection->n - gather_bits(from->buffers[0], first, selection, bits);
    return SF_OK;
}

static SfStatus keep_fixed(Keeper *keeper, const struct ArrowArray *from, gint64 first, int width,
                           const Selection *selection, struct ArrowArray *out)
{
    gpointer values = take_memory(keeper, width > 0 ? selection->n * width : (selection->n + 7) / 8);
    if (!values)
        return array_no_memory(keeper->err, selection->n);
    array_own(out, 1, values);
    if (width > 0)
        gather_values(from->buffers[1], first, width, selection, values);
    else
        gather_bits(from->buffers[1], first, selection, values);
    return SF_OK;
}

static SfStatus keep_views(Keeper *keeper, const struct ArrowArray *from, gint64 first, const Selection *selection,
                           struct ArrowArray *out)
{
    SF_TRY(keep_fixed(keeper, from, first, 16, selection, out));
    for (gint64 i = 2; i < from->n_buffers; i++)
        out->buffers[i] = from->buffers[i];
    keeper->bytes += from->n_buffers * (gint64) sizeof(void *);
    array_hold(out, keeper->column);
    return SF_OK;
}

/* New ends for the selected values, the last of which is how much they refer to. */
static gint32 *keep_ends(Keeper *keeper, const gint32 *from, const Selection *selection)
{
    gint32 *ends = take_memory(keeper, (selection->n + 1) * (gint64) sizeof(gint32));
    if (!ends)
        return NULL;
    ends[0] = 0;
    for (gint64 i = 0; i < selection->n; i++)
        ends[i + 1] = ends[i] + from[selection->rows[i] + 1] - from[selection->rows[i]];
    return ends;
}

/* Neighbours are copied in one go. */
static void copy_runs(const guint8 *from, const gint32 *ends, const Selection *selection, guint8 *out)
{
    for (gint64 i = 0; i < selection->n;) {
        gint64 next = i + 1;
        while (next < selection->n && selection->rows[next] == selection->rows[next - 1] + 1)
            next++;
        gint32 start = ends[selection->rows[i]], size = ends[selection->rows[next - 1] + 1] - start;
        if (size > 0)
            memcpy(out, from + start, (gsize) size);
        out += size;
        i = next;
    }
}

static SfStatus keep_bytes(Keeper *keeper, const struct ArrowArray *from, gint64 first, const Selection *selection,
                           struct ArrowArray *out)
{
    const gint32 *old = (const gint32 *) from->buffers[1] + first;
    gint32 *ends = keep_ends(keeper, old, selection);
    array_own(out, 1, ends);
    guint8 *data = ends ? take_memory(keeper, ends[selection->n]) : NULL;
    if (!data)
        return array_no_memory(keeper->err, selection->n);
    array_own(out, 2, data);
    copy_runs(from->buffers[2], old, selection, data);
    return SF_OK;
}

static SfStatus keep_column(Keeper *keeper, const struct ArrowSchema *schema, const struct ArrowArray *from,
                            gint64 first, const Selection *selection, struct ArrowArray *out);

static SfStatus keep_list(Keeper *keeper, const struct ArrowSchema *schema, const struct ArrowArray *from, gint64 first,
                          const Selection *selection, struct ArrowArray *out)
{
    const gint32 *old = (const gint32 *) from->buffers[1] + first;
    gint32 *ends = keep_ends(keeper, old, selection);
    array_own(out, 1, ends);
    g_autofree guint32 *elements = ends ? g_try_new(guint32, (gsize) ends[selection->n] + 1) : NULL;
    if (!elements)
        return array_no_memory(keeper->err, selection->n);
    gint64 n = 0;
    for (gint64 i = 0; i < selection->n; i++)
        for (gint32 element = old[selection->rows[i]]; element < old[selection->rows[i] + 1]; element++)
            elements[n++] = (guint32) element;
    const Selection below = {.rows = elements, .n = n};
    return keep_column(keeper, schema->children[0], from->children[0], from->children[0]->offset, &below,
                       out->children[0]);
}

static SfStatus keep_struct(Keeper *keeper, const struct ArrowSchema *schema, const struct ArrowArray *from,
                            gint64 first, const Selection *selection, struct ArrowArray *out)
{
    for (gint64 i = 0; i < from->n_children; i++)
        SF_TRY(keep_column(keeper, schema->children[i], from->children[i], first + from->children[i]->offset, selection,
                           out->children[i]));
    return SF_OK;
}

/* first: where row 0 of the selection's numbering lies in the buffers of `from`. */
static SfStatus keep_column(Keeper *keeper, const struct ArrowSchema *schema, const struct ArrowArray *from,
                            gint64 first, const Selection *selection, struct ArrowArray *out)
{
    SfField field;
    SF_TRY(sf_schema_field(schema, &field, keeper->err));
    if (!array_init(out, selection->n, from->n_buffers, from->n_children))
        return array_no_memory(keeper->err, selection->n);
    keeper->bytes += (gint64) sizeof *out;
    SF_TRY(keep_validity(keeper, from, first, selection, out));
    if (field.view)
        return keep_views(keeper, from, first, selection, out);
    if (field.type == SF_STRUCT)
        return keep_struct(keeper, schema, from, first, selection, out);
    if (field.type == SF_LIST)
        return keep_list(keeper, schema, from, first, selection, out);
    if (type_has_bytes(field.type))
        return keep_bytes(keeper, from, first, selection, out);
    return keep_fixed(keeper, from, first, type_width(field.type, false), selection, out);
}

static gint64 select_rows(const guint8 *keep, gint64 length, guint32 *rows)
{
    gint64 n = 0;
    for (gint64 row = 0; row < length; row++) {
        rows[n] = (guint32) row; /* without a branch: overwritten unless kept */
        n += bit_at(keep, row);
    }
    return n;
}

SfStatus sf_batch_keep(const SfBatch *batch, const uint8_t *keep, SfBatch *out, SfError *err)
{
    const SharedBatch *shared = shared_batch_of(batch);
    Keeper keeper = {.err = err};
    gint64 length = batch->rows.length;
    if (!shared || length > G_MAXINT32 || batch->schema->n_children != batch->rows.n_children)
        return sf_fail(err, SF_FATAL, "rows can only be selected from a batch that the host has delivered");
    g_autofree guint32 *rows = g_try_new(guint32, (gsize) length + 1);
    if (!rows)
        return array_no_memory(err, length);
    const Selection selection = {.rows = rows, .n = select_rows(keep, length, rows)};
    if (selection.n == length)
        return sf_batch_slice(batch, 0, length, out, err);
    g_auto(ArrowArray) made = {0};
    if (!array_init(&made, selection.n, 1, batch->rows.n_children))
        return array_no_memory(err, length);
    for (gint64 i = 0; i < made.n_children; i++) {
        const struct ArrowArray *from = batch->rows.children[i];
        keeper.column = shared->columns[i];
        SF_TRY(keep_column(&keeper, batch->schema->children[i], from, from->offset, &selection, made.children[i]));
    }
    *out = *batch;
    out->bytes = keeper.bytes;
    array_move(&made, &out->rows);
    return SF_OK;
}

SfStatus sf_batch_keep_with(const SfBatch *batch, const uint8_t *keep, struct ArrowArray *added, struct ArrowArray *out,
                            SfError *err)
{
    SfBatch left = {0};
    SfStatus status = sf_batch_keep(batch, keep, &left, err);
    if (status != SF_OK) {
        sf_array_done(added);
        return status;
    }
    size_t n = (size_t) left.rows.n_children, all = n + (size_t) added->n_children;
    gint64 length = left.rows.length;
    g_autofree struct ArrowArray *columns = g_new0(struct ArrowArray, all + 1);
    for (size_t i = 0; i < all; i++)
        array_move(i < n ? left.rows.children[i] : added->children[i - n], &columns[i]);
    sf_batch_done(&left);
    sf_array_done(added);
    return sf_rows_from_columns(columns, all, length, out, err);
}
