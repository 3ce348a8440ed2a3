/* sf_builder_finish(): moves a builder's memory into an Arrow array. First everything that can fail, then the moves. */
#include "builder.h"
#include "array.h"

static gint64 count_buffers(const SfColumnBuilder *column)
{
    const ColumnState *state = column->reserved;
    if (column->type == SF_STRUCT)
        return 1;
    if (column->type != SF_UTF8 && column->type != SF_BINARY)
        return 2;
    return state->view ? (column->data_size > 0 ? 4 : 3) : 3;
}

static void write_view(guint8 *view, const guint8 *data, gint32 start, gint32 size)
{
    gint32 words[4] = {size, 0, 0, 0};
    if (size <= 12) {
        if (size > 0)
            memcpy(&words[1], data + start, (gsize) size);
    } else {
        memcpy(&words[1], data + start, 4);
        words[3] = start;
    }
    memcpy(view, words, sizeof words);
}

/* Ends become views over one buffer; `values` is replaced by the views. */
static bool make_views(const SfColumnBuilder *column, struct ArrowArray *out)
{
    guint8 *views = g_try_malloc_n((gsize) MAX(column->length, 1), 16);
    gint64 *size = g_try_new(gint64, 1);
    if (!views || !size) {
        g_free(views);
        g_free(size);
        return false;
    }
    const gint32 *ends = (const gint32 *) (const void *) column->values;
    for (gint64 i = 0; i < column->length; i++)
        write_view(views + 16 * i, column->data, ends[i], ends[i + 1] - ends[i]);
    *size = column->data_size;
    array_own(out, 1, views);
    array_own(out, out->n_buffers - 1, size);
    return true;
}

static bool prepare_columns(const SfColumnBuilder *column, struct ArrowArray *out)
{
    const ColumnState *state = column->reserved;
    if (!array_init(out, column->length, count_buffers(column), (gint64) column->n_children))
        return false;
    out->null_count = column->nulls;
    for (size_t i = 0; i < column->n_children; i++)
        if (!prepare_columns(column->children[i], out->children[i]))
            return false;
    return !state->view || make_views(column, out);
}

/* Gives back what doubling took too much; shrinking stays in place. */
static gpointer trim(gpointer memory, gint64 size, gint64 used)
{
    if (size - used < size / 4)
        return memory;
    gpointer trimmed = used > 0 ? g_try_realloc(memory, (gsize) used) : NULL;
    return trimmed ? trimmed : memory;
}

static void move_memory(SfColumnBuilder *column, struct ArrowArray *out)
{
    ColumnState *state = column->reserved;
    gint64 values_size = builder_values_size(state, column->capacity), bits_size = builder_bits_size(column->capacity);
    if (column->nulls > 0)
        array_own(out, 0, trim(g_steal_pointer(&column->validity), bits_size, builder_bits_size(column->length)));
    g_clear_pointer(&column->validity, g_free);
    if (state->view)
        g_clear_pointer(&column->values, g_free);
    else if (column->values)
        array_own(out, 1,
                  trim(g_steal_pointer(&column->values), values_size, builder_values_size(state, column->length)));
    if (column->data_size > 0)
        array_own(out, 2, trim(g_steal_pointer(&column->data), column->data_capacity, column->data_size));
    g_clear_pointer(&column->data, g_free);
    state->likely_length = column->length + column->length / 16;
    state->likely_data = column->data_size + column->data_size / 16;
    column->length = column->capacity = column->nulls = 0;
    column->data_size = column->data_capacity = 0;
    for (size_t i = 0; i < column->n_children; i++)
        move_memory(column->children[i], out->children[i]);
}

SfStatus sf_builder_finish(SfBuilder *builder, struct ArrowArray *out, SfError *err)
{
    SfColumnBuilder *root = builder->root;
    for (size_t i = 0; i < root->n_children; i++)
        if (root->children[i]->length != builder->rows)
            return sf_fail(err, SF_FATAL, "a row is still open; end it or roll it back before finish");
    root->length = builder->rows;
    g_auto(ArrowArray) made = {0};
    if (!prepare_columns(root, &made))
        return array_no_memory(err, builder->rows);
    move_memory(root, &made);
    builder->rows = builder->bytes = 0;
    array_move(&made, out);
    return SF_OK;
}
