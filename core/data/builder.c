/* Builders: memory for appended values, ends of rows, rollback. The inline part is builder.h, the way out is
 * finish.c. */
#include "builder.h"
#include "array.h"
#include "type.h"

enum { FIRST_CAPACITY = 64, FIRST_DATA = 1024 };

gint64 builder_bits_size(gint64 capacity)
{
    return (capacity + 7) / 8;
}

gint64 builder_values_size(const ColumnState *state, gint64 capacity)
{
    if (state->width < 0)
        return 0;
    return state->width == 0 ? builder_bits_size(capacity) : (capacity + (state->ends ? 1 : 0)) * state->width;
}

static bool fail(SfColumnBuilder *column, BuildFailure failure)
{
    ColumnState *state = column->reserved;
    column->failed = 1;
    if (state->builder->failure == BUILD_FINE) {
        state->builder->failure = failure;
        state->builder->failed_column = state->name;
    }
    return false;
}

/* Grown memory is zeroed: bits are set by OR, the first end is 0. */
static bool resize(SfColumnBuilder *column, guint8 **memory, gint64 old_size, gint64 size)
{
    ColumnState *state = column->reserved;
    if (size == old_size)
        return true;
    guint8 *grown = g_try_realloc(*memory, (gsize) size);
    if (!grown)
        return fail(column, BUILD_NO_MEMORY);
    *memory = grown;
    state->builder->bytes += size - old_size;
    return true;
}

bool sf_column_builder_grow(SfColumnBuilder *column)
{
    ColumnState *state = column->reserved;
    gint64 most = SF_BUILDER_MAX_BYTES / MAX(state->width, 1) - 1;
    gint64 old = column->capacity;
    gint64 capacity = old > 0 ? old * 2 : MAX(FIRST_CAPACITY, (state->likely_length + 7) & ~INT64_C(7));
    capacity = MIN(capacity, most);
    if (capacity <= old)
        return fail(column, BUILD_TOO_BIG);
    gint64 old_bits = builder_bits_size(old), bits = builder_bits_size(capacity);
    gint64 old_values = column->values ? builder_values_size(state, old) : 0;
    gint64 values = builder_values_size(state, capacity);
    if (!resize(column, &column->values, old_values, values))
        return false;
    if (state->width == 0)
        memset(column->values + old_values, 0, (gsize) (values - old_values));
    if (state->ends && old == 0)
        memset(column->values, 0, sizeof(gint32)); /* before anything else may fail: rollback reads it */
    if (!resize(column, &column->validity, old_bits, bits))
        return false;
    memset(column->validity + old_bits, 0, (gsize) (bits - old_bits));
    column->capacity = capacity;
    return true;
}

bool sf_column_builder_grow_data(SfColumnBuilder *column, int64_t bytes)
{
    ColumnState *state = column->reserved;
    if (bytes < 0 || bytes > SF_BUILDER_MAX_BYTES - column->data_size)
        return fail(column, BUILD_TOO_BIG);
    gint64 need = column->data_size + bytes;
    gint64 size = column->data_capacity > 0 ? column->data_capacity * 2 : MAX(FIRST_DATA, state->likely_data);
    size = MIN(MAX(size, need), SF_BUILDER_MAX_BYTES);
    if (!resize(column, &column->data, column->data_capacity, size))
        return false;
    column->data_capacity = size;
    return true;
}

/* An empty value, valid or null. Members that may not be null get an empty one under a null struct, which hides it. */
static void add_empty(SfColumnBuilder *column, bool valid)
{
    if (!sf_builder_room_(column))
        return;
    ColumnState *state = column->reserved;
    if (state->ends) {
        gint32 *ends = (gint32 *) (void *) column->values;
        ends[column->length + 1] = ends[column->length];
    } else if (state->width > 0) {
        memset(column->values + state->width * column->length, 0, (gsize) state->width);
    }
    if (column->type == SF_STRUCT)
        for (size_t i = 0; i < column->n_children; i++)
            add_empty(column->children[i], !((ColumnState *) column->children[i]->reserved)->nullable);
    if (valid) {
        sf_builder_valid_(column);
    } else {
        column->nulls++;
        column->length++;
    }
}

void sf_add_null(SfColumnBuilder *column)
{
    if (!((ColumnState *) column->reserved)->nullable)
        fail(column, BUILD_NOT_NULL);
    add_empty(column, false);
}

void sf_add_list(SfColumnBuilder *column)
{
    if (!sf_builder_room_(column))
        return;
    gint64 end = column->children[0]->length;
    if (end > G_MAXINT32) {
        fail(column, BUILD_TOO_BIG);
        return;
    }
    ((gint32 *) (void *) column->values)[column->length + 1] = (gint32) end;
    sf_builder_valid_(column);
}

static void column_free(SfColumnBuilder *column)
{
    if (!column)
        return;
    for (size_t i = 0; i < column->n_children; i++)
        column_free(column->children[i]);
    g_free(column->children);
    g_free(column->validity);
    g_free(column->values);
    g_free(column->data);
    g_free(column->reserved);
    g_free(column);
}

/* The schema has been checked. */
static SfColumnBuilder *column_new(SfBuilder *builder, const struct ArrowSchema *schema)
{
    SfField field;
    sf_schema_field(schema, &field, NULL);
    ColumnState *state = g_new0(ColumnState, 1);
    *state = (ColumnState){.builder = builder,
                           .name = field.name,
                           .width = type_width(field.type, false),
                           .nullable = field.nullable,
                           .ends = type_has_ends(field.type),
                           .view = field.view};
    SfColumnBuilder *column = g_new0(SfColumnBuilder, 1);
    *column = (SfColumnBuilder){.type = field.type, .n_children = field.n_children, .reserved = state};
    column->children = g_new0(SfColumnBuilder *, field.n_children);
    for (size_t i = 0; i < field.n_children; i++)
        column->children[i] = column_new(builder, schema->children[i]);
    return column;
}

SfBuilder *sf_builder_new(const struct ArrowSchema *schema, SfError *err)
{
    g_autoptr(SfBuilder) builder = g_new0(SfBuilder, 1);
    if (sf_schema_check(schema, err) != SF_OK || sf_schema_copy(schema, &builder->schema, err) != SF_OK)
        return NULL;
    builder->root = column_new(builder, &builder->schema);
    for (size_t i = 0; i < builder->root->n_children; i++)
        if (builder->root->children[i]->n_children > 0)
            builder->nested = true;
    return g_steal_pointer(&builder);
}

void sf_builder_free(SfBuilder *builder)
{
    if (!builder)
        return;
    column_free(builder->root);
    sf_schema_done(&builder->schema);
    g_free(builder);
}

SfColumnBuilder *sf_builder_column(SfBuilder *builder, size_t column)
{
    g_return_val_if_fail(column < builder->root->n_children, NULL);
    return builder->root->children[column];
}

int64_t sf_builder_rows(const SfBuilder *builder)
{
    return builder->rows;
}

int64_t sf_builder_bytes(const SfBuilder *builder)
{
    return builder->bytes;
}

/* Members have their struct's length, elements end where the last list ends. */
static const SfColumnBuilder *find_uneven(const SfColumnBuilder *column)
{
    for (size_t i = 0; i < column->n_children; i++) {
        const SfColumnBuilder *child = column->children[i];
        gint64 want = column->length;
        if (column->type == SF_LIST)
            want = column->values ? ((const gint32 *) (const void *) column->values)[column->length] : 0;
        if (child->length != want)
            return child;
        const SfColumnBuilder *uneven = find_uneven(child);
        if (uneven)
            return uneven;
    }
    return NULL;
}

static SfStatus say_failure(const SfBuilder *builder, SfError *err)
{
    switch (builder->failure) {
    case BUILD_NO_MEMORY:
        return sf_fail(err, SF_FATAL, "out of memory in column '%s'", builder->failed_column);
    case BUILD_NOT_NULL:
        return sf_fail(err, SF_FATAL, "null in column '%s', which is not null", builder->failed_column);
    case BUILD_TOO_BIG:
    case BUILD_FINE:
        break;
    }
    return sf_fail(err, SF_REJECT, "column '%s' does not fit a batch: it would hold more than %d MiB",
                   builder->failed_column, (int) (SF_BUILDER_MAX_BYTES >> 20));
}

SfStatus sf_builder_end_rows(SfBuilder *builder, int64_t rows, SfError *err)
{
    gint64 want = builder->rows + rows;
    const SfColumnBuilder *root = builder->root, *uneven = NULL;
    if (builder->failure == BUILD_FINE) {
        for (size_t i = 0; i < root->n_children; i++)
            if (root->children[i]->length != want)
                uneven = root->children[i];
        if (!uneven && builder->nested)
            for (size_t i = 0; i < root->n_children && !uneven; i++)
                uneven = find_uneven(root->children[i]);
        if (!uneven) {
            builder->rows = want;
            return SF_OK;
        }
    }
    SfStatus status = SF_FATAL;
    if (uneven)
        sf_fail(err, SF_FATAL, "column '%s' has not got exactly one value a row",
                ((ColumnState *) uneven->reserved)->name);
    else
        status = say_failure(builder, err);
    sf_builder_rollback(builder);
    return status;
}

SfStatus sf_builder_end_row(SfBuilder *builder, SfError *err)
{
    return sf_builder_end_rows(builder, 1, err);
}

static void clear_bits(guint8 *bits, gint64 from, gint64 to)
{
    for (gint64 bit = from; bit < to; bit++)
        bits[bit >> 3] &= (guint8) ~(1u << (bit & 7));
}

/* Needs no marks of the last end of a row: everything follows from the length. */
static void truncate_column(SfColumnBuilder *column, gint64 length)
{
    ColumnState *state = column->reserved;
    for (gint64 bit = length; bit < column->length; bit++)
        column->nulls -= !(column->validity[bit >> 3] >> (bit & 7) & 1);
    if (column->length > length) {
        clear_bits(column->validity, length, column->length);
        if (state->width == 0)
            clear_bits(column->values, length, column->length);
    }
    column->length = length;
    column->failed = 0;
    gint64 end = state->ends && column->values ? ((const gint32 *) (const void *) column->values)[length] : 0;
    if (type_has_bytes(column->type))
        column->data_size = end;
    for (size_t i = 0; i < column->n_children; i++)
        truncate_column(column->children[i], column->type == SF_LIST ? end : length);
}

void sf_builder_rollback(SfBuilder *builder)
{
    for (size_t i = 0; i < builder->root->n_children; i++)
        truncate_column(builder->root->children[i], builder->rows);
    builder->failure = BUILD_FINE;
    builder->failed_column = NULL;
}
