/* Typed views of columns: offset, validity bitmap and plain or view layout stay hidden, reading is inline.
 *
 *   SfColumn amount;
 *   SF_TRY(sf_column(batch, "amount", SF_FLOAT64, &amount, err));      // once a batch
 *   for (int64_t row = 0; row < sf_rows(batch); row++)
 *       if (!sf_is_null(&amount, row))
 *           sum += sf_f64(&amount, row);
 *
 * Rows are 0 ≤ row < column.length; reading a null row's value gives whatever lies there. A view is valid as long as
 * the batch. */
#ifndef SF_COLUMN_H
#define SF_COLUMN_H

#include <string.h>
#include <sf/batch.h>
#include <sf/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SfBytes {
    const char *data; /* not NUL-terminated; may be NULL when size is 0 */
    int64_t size;
} SfBytes;

/* Two's complement, 128 bits: value = high × 2^64 + low, times 10^-scale. */
typedef struct SfDecimal {
    uint64_t low;
    int64_t high;
} SfDecimal;

typedef struct SfColumn {
    SfType type;
    int32_t precision; /* decimal128 only, likewise scale */
    int32_t scale;
    bool view;                        /* values is an array of 16-byte views */
    int64_t length;                   /* rows */
    int64_t offset;                   /* of row 0 in the buffers */
    const uint8_t *validity;          /* NULL: no nulls */
    const void *values;               /* values; 32-bit ends for utf8, binary and list; views */
    const void *data;                 /* bytes of plain utf8 and binary */
    const void *const *view_data;     /* buffers of views */
    const struct ArrowSchema *schema; /* of this column */
    const struct ArrowArray *array;
} SfColumn;

/* The column of that name; SF_CONFIG (naming both) when there is none or its type is another. */
SF_API SfStatus sf_column(const SfBatch *batch, const char *name, SfType type, SfColumn *out, SfError *err);

/* The column of that number, of any type of ours. */
SF_API SfStatus sf_column_at(const SfBatch *batch, int64_t column, SfColumn *out, SfError *err);

/* A child of a list (child 0: the elements) or a struct. A struct's child has the struct's rows; a list's child is
 * indexed by sf_list(). */
SF_API SfStatus sf_column_child(const SfColumn *column, int64_t child, SfColumn *out, SfError *err);

/* A view straight over an array and its schema, for arrays that stand alone. */
SF_API SfStatus sf_column_view(const struct ArrowSchema *schema, const struct ArrowArray *array, SfColumn *out,
                               SfError *err);

static inline bool sf_is_null(const SfColumn *column, int64_t row)
{
    int64_t bit = row + column->offset;
    return column->validity && !(column->validity[bit >> 3] >> (bit & 7) & 1);
}

static inline bool sf_bool(const SfColumn *column, int64_t row)
{
    int64_t bit = row + column->offset;
    return ((const uint8_t *) column->values)[bit >> 3] >> (bit & 7) & 1;
}

/* int32 and date. */
static inline int32_t sf_i32(const SfColumn *column, int64_t row)
{
    return ((const int32_t *) column->values)[row + column->offset];
}

/* int64 and timestamp. */
static inline int64_t sf_i64(const SfColumn *column, int64_t row)
{
    return ((const int64_t *) column->values)[row + column->offset];
}

static inline double sf_f64(const SfColumn *column, int64_t row)
{
    return ((const double *) column->values)[row + column->offset];
}

static inline SfDecimal sf_decimal(const SfColumn *column, int64_t row)
{
    SfDecimal value;
    memcpy(&value, (const char *) column->values + 16 * (row + column->offset), sizeof value);
    return value;
}

/* utf8 and binary, in either layout. View layout: int32 length, then the bytes up to 12, or 4 bytes of prefix, int32
 * buffer, int32 offset (Arrow columnar format, "Variable-size Binary View Layout"). */
static inline SfBytes sf_bytes(const SfColumn *column, int64_t row)
{
    SfBytes bytes;
    if (column->view) {
        const char *view = (const char *) column->values + 16 * (row + column->offset);
        int32_t word[4];
        memcpy(word, view, sizeof word);
        bytes.size = word[0];
        bytes.data = word[0] <= 12 ? view + 4 : (const char *) column->view_data[word[2]] + word[3];
    } else {
        const int32_t *ends = (const int32_t *) column->values + row + column->offset;
        bytes.size = (int64_t) ends[1] - ends[0];
        bytes.data = (const char *) column->data + ends[0];
    }
    return bytes;
}

/* Whether these bytes are UTF-8, as a utf8 column must have them; U+0000 is a character like others. Any thread. */
SF_API bool sf_is_utf8(const char *data, int64_t size);

/* Elements of a list's row: [*first, *first + returned) of its child. */
static inline int64_t sf_list(const SfColumn *column, int64_t row, int64_t *first)
{
    const int32_t *ends = (const int32_t *) column->values + row + column->offset;
    *first = ends[0];
    return (int64_t) ends[1] - ends[0];
}

#ifdef __cplusplus
}
#endif

#endif
