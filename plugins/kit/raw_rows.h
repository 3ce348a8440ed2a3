/* Raw rows (sf_schema_raw) built without copying keys and values: one block of memory holds all fixed-width columns,
 * and one owner keeps the bytes alive until the last column is released, from any thread.
 *
 *   RawRows *rows = raw_rows_new(4096, raw_source, release, owner, err);
 *   raw_rows_add(rows, key, key_size, value, value_size, offset, timestamp_us);  // up to 4096 times
 *   raw_rows_finish(rows, &headers, &batch->rows, err);                          // takes rows over */
#ifndef KIT_RAW_ROWS_H
#define KIT_RAW_ROWS_H

#include <glib.h>
#include <string.h>
#include <sf/sf.h>

#define RAW_NO_TIMESTAMP INT64_MIN

/* Bytes that a view holds in itself (Arrow columnar format, "Variable-size Binary View Layout"). */
#define RAW_INLINE 12

/* Columns that are the same in every row of a split, made once and shared by its batches. Reference counted. */
typedef struct RawSource RawSource;
RawSource *raw_source_new(const char *topic, int32_t partition, int64_t capacity);
RawSource *raw_source_ref(RawSource *source);
void raw_source_unref(RawSource *source);

typedef struct RawView {
    int32_t size;
    union {
        char bytes[RAW_INLINE];
        struct {
            char prefix[4];
            int32_t buffer;
            int32_t offset;
        };
    };
} RawView;

typedef struct RawViews {
    RawView *views;
    const void **buffers; /* validity, views, then one a long value, then their sizes */
    int64_t *sizes;
    int32_t n_buffers;
    uint8_t *validity; /* all ones until a null comes */
    int64_t nulls;
} RawViews;

/* Fields are for the inline functions below. */
typedef struct RawRows {
    int64_t length;
    int64_t capacity;
    RawViews key;
    RawViews value;
    int64_t *offsets;
    int64_t *timestamps;
    uint8_t *timestamp_validity;
    int64_t timestamp_nulls;
    gint references;       /* columns that are not released yet */
    gint owner_references; /* keys and values of them */
    RawSource *source;
    GDestroyNotify release;
    gpointer owner;
    const void *topic_buffers[4];
    const void *fixed_buffers[4][2];   /* partition, offset, timestamp, headers */
    struct ArrowArray null_headers[3]; /* the empty element of an all-null headers column, and its two members */
    struct ArrowArray *null_header_links[3];
    const void *null_header_buffers[3][3];
} RawRows;

/* Capacity is at most the source's. NULL and err when there is no memory for it. The owner is released with the last
 * column. */
RawRows *raw_rows_new(RawSource *source, int64_t capacity, GDestroyNotify release, gpointer owner, SfError *err);

/* Frees rows that were not finished, and their owner. */
void raw_rows_free(RawRows *rows);

static inline void raw_views_null(RawViews *column, int64_t row)
{
    column->validity[row >> 3] &= (uint8_t) ~(1u << (row & 7));
    column->nulls++;
    memset(&column->views[row], 0, sizeof column->views[row]);
}

static inline void raw_views_add(RawViews *column, int64_t row, const void *data, size_t size)
{
    RawView *view = &column->views[row];
    if (!data) {
        raw_views_null(column, row);
        return;
    }
    view->size = (int32_t) size;
    if (size <= RAW_INLINE) {
        memset(view->bytes, 0, sizeof view->bytes);
        memcpy(view->bytes, data, size);
        return;
    }
    memcpy(view->prefix, data, sizeof view->prefix);
    view->buffer = column->n_buffers;
    view->offset = 0;
    column->buffers[2 + column->n_buffers] = data;
    column->sizes[column->n_buffers++] = (int64_t) size;
}

/* data NULL: null. Bytes stay where they are, the owner keeps them. Sizes are at most INT32_MAX. */
static inline void raw_rows_add(RawRows *rows, const void *key, size_t key_size, const void *value, size_t value_size,
                                int64_t offset, int64_t timestamp_us)
{
    int64_t row = rows->length++;
    raw_views_add(&rows->key, row, key, key_size);
    raw_views_add(&rows->value, row, value, value_size);
    rows->offsets[row] = offset;
    rows->timestamps[row] = timestamp_us;
    if (timestamp_us == RAW_NO_TIMESTAMP) {
        rows->timestamps[row] = 0;
        rows->timestamp_validity[row >> 3] &= (uint8_t) ~(1u << (row & 7));
        rows->timestamp_nulls++;
    }
}

/* For the column `headers` of some rows: a builder of it alone, to be finished into a struct of one column. NULL on
 * failure. sf_builder_free(). */
SfBuilder *raw_headers_new(SfError *err);

/* Takes rows over, also on failure. headers: the column of that name, moved; NULL or released: all null. */
SfStatus raw_rows_finish(RawRows *rows, struct ArrowArray *headers, struct ArrowArray *out, SfError *err);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RawSource, raw_source_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RawRows, raw_rows_free)

#endif
