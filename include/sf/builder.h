/* Typed builders: append values column by column, end each row, finish into a batch.
 *
 *   SfBuilder *builder = sf_builder_new(schema, err);
 *   sf_add_i64(sf_builder_column(builder, 0), 42);
 *   sf_add_str(sf_builder_column(builder, 1), "x", 1);
 *   sf_builder_end_row(builder, err)      // every column must have got one value
 *   sf_builder_rollback(builder)          // or: forget what was added since the last end of a row
 *   sf_builder_finish(builder, &batch->rows, err)
 *
 * Used by one thread at a time. Appending is inline; memory grows by doubling up to SF_BUILDER_MAX_BYTES a column, then
 * sf_builder_end_row() says SF_REJECT (the row alone is too big) or sf_builder_full() asks for a finish. */
#ifndef SF_BUILDER_H
#define SF_BUILDER_H

#include <sf/column.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 32-bit ends cap a column's bytes; we stop far below. */
#define SF_BUILDER_MAX_BYTES (INT64_C(256) << 20)

typedef struct SfBuilder SfBuilder;

/* One column. Fields are for the inline functions below; authors use those. A value that no memory could be had for
 * marks the builder failed: end_row says so. */
typedef struct SfColumnBuilder {
    SfType type;
    int32_t failed;
    int64_t length;   /* values so far */
    int64_t capacity; /* values that values/validity have room for */
    int64_t nulls;
    uint8_t *validity; /* one bit a value, always kept */
    uint8_t *values;   /* fixed-width values, or 32-bit ends (capacity + 1 of them) */
    int64_t data_size; /* bytes of utf8 and binary */
    int64_t data_capacity;
    uint8_t *data;
    size_t n_children;
    struct SfColumnBuilder **children; /* list: one; struct: its members */
    void *reserved;
} SfColumnBuilder;

/* For a struct schema (copied). NULL and err on a type that is not in schema.h. View columns become views over a buffer
 * of their bytes when they are finished. */
SF_API SfBuilder *sf_builder_new(const struct ArrowSchema *schema, SfError *err);
SF_API void sf_builder_free(SfBuilder *builder);
SF_API SfColumnBuilder *sf_builder_column(SfBuilder *builder, size_t column);

SF_API int64_t sf_builder_rows(const SfBuilder *builder);
SF_API int64_t sf_builder_bytes(const SfBuilder *builder); /* memory that it has taken; cheap */
static inline bool sf_builder_full(const SfBuilder *builder)
{
    return sf_builder_bytes(builder) >= SF_BUILDER_MAX_BYTES / 2;
}

/* Ends a row: SF_FATAL when a column did not get exactly one value, or a null that its schema forbids, SF_REJECT when
 * the row is too big. On failure the row is rolled back. */
SF_API SfStatus sf_builder_end_row(SfBuilder *builder, SfError *err);

/* Likewise for rows that were appended column by column (all columns must have the same length). */
SF_API SfStatus sf_builder_end_rows(SfBuilder *builder, int64_t rows, SfError *err);
SF_API void sf_builder_rollback(SfBuilder *builder);

/* Moves the rows into `out` and empties the builder, which keeps no memory of them. */
SF_API SfStatus sf_builder_finish(SfBuilder *builder, struct ArrowArray *out, SfError *err);

/* Makes room for one more value, or for `bytes` more; false when failed. Called by the functions below. */
SF_API bool sf_column_builder_grow(SfColumnBuilder *column);
SF_API bool sf_column_builder_grow_data(SfColumnBuilder *column, int64_t bytes);

static inline bool sf_builder_room_(SfColumnBuilder *column)
{
    return column->length < column->capacity || sf_column_builder_grow(column);
}

static inline void sf_builder_valid_(SfColumnBuilder *column)
{
    column->validity[column->length >> 3] |= (uint8_t) (1u << (column->length & 7));
    column->length++;
}

static inline void sf_add_bool(SfColumnBuilder *column, bool value)
{
    if (!sf_builder_room_(column))
        return;
    if (value)
        column->values[column->length >> 3] |= (uint8_t) (1u << (column->length & 7));
    sf_builder_valid_(column);
}

static inline void sf_add_i32(SfColumnBuilder *column, int32_t value)
{
    if (!sf_builder_room_(column))
        return;
    ((int32_t *) (void *) column->values)[column->length] = value;
    sf_builder_valid_(column);
}

static inline void sf_add_i64(SfColumnBuilder *column, int64_t value)
{
    if (!sf_builder_room_(column))
        return;
    ((int64_t *) (void *) column->values)[column->length] = value;
    sf_builder_valid_(column);
}

static inline void sf_add_f64(SfColumnBuilder *column, double value)
{
    if (!sf_builder_room_(column))
        return;
    ((double *) (void *) column->values)[column->length] = value;
    sf_builder_valid_(column);
}

static inline void sf_add_decimal(SfColumnBuilder *column, SfDecimal value)
{
    if (!sf_builder_room_(column))
        return;
    memcpy(column->values + 16 * column->length, &value, sizeof value);
    sf_builder_valid_(column);
}

/* utf8 and binary; the bytes are copied. */
static inline void sf_add_str(SfColumnBuilder *column, const char *data, int64_t size)
{
    if (!sf_builder_room_(column))
        return;
    if ((uint64_t) size > (uint64_t) (column->data_capacity - column->data_size) &&
        !sf_column_builder_grow_data(column, size))
        return;
    if (size > 0)
        memcpy(column->data + column->data_size, data, (size_t) size);
    column->data_size += size;
    ((int32_t *) (void *) column->values)[column->length + 1] = (int32_t) column->data_size;
    sf_builder_valid_(column);
}

/* Any type; a struct's null puts a null into each member too. */
SF_API void sf_add_null(SfColumnBuilder *column);

/* Ends a list: all elements that were added to children[0] since the last list belong to it. */
SF_API void sf_add_list(SfColumnBuilder *column);

/* Ends a struct: each member must have got one value. */
static inline void sf_add_struct(SfColumnBuilder *column)
{
    if (sf_builder_room_(column))
        sf_builder_valid_(column);
}

#ifdef __cplusplus
}
#endif

#endif
