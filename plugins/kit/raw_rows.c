/* Raw rows as Arrow arrays over one block of memory; see raw_rows.h. */
#include <string.h>

#include "raw_rows.h"

struct RawSource {
    gint references;
    int64_t capacity;
    char *topic;
    int64_t topic_size;
    RawView *topics;
    int32_t *partitions;
    int32_t *no_headers; /* capacity + 1 ends, all zero */
    uint8_t *none_valid; /* all zero */
};

static gsize bitmap_size(int64_t rows)
{
    return (gsize) (rows + 7) / 8;
}

RawSource *raw_source_new(const char *topic, int32_t partition, int64_t capacity)
{
    RawSource *source = g_new0(RawSource, 1);
    source->references = 1;
    source->capacity = capacity;
    source->topic = g_strdup(topic);
    source->topic_size = (int64_t) strlen(topic);
    source->topics = g_new0(RawView, (gsize) capacity);
    source->partitions = g_new(int32_t, (gsize) capacity);
    source->no_headers = g_new0(int32_t, (gsize) capacity + 1);
    source->none_valid = g_malloc0(bitmap_size(capacity));

    RawView view = {.size = (int32_t) source->topic_size};
    if (view.size <= RAW_INLINE)
        memcpy(view.bytes, topic, (gsize) view.size);
    else
        memcpy(view.prefix, topic, sizeof view.prefix);
    for (int64_t row = 0; row < capacity; row++) {
        source->topics[row] = view;
        source->partitions[row] = partition;
    }
    return source;
}

RawSource *raw_source_ref(RawSource *source)
{
    g_atomic_int_inc(&source->references);
    return source;
}

void raw_source_unref(RawSource *source)
{
    if (!source || !g_atomic_int_dec_and_test(&source->references))
        return;
    g_free(source->topic);
    g_free(source->topics);
    g_free(source->partitions);
    g_free(source->no_headers);
    g_free(source->none_valid);
    g_free(source);
}

/* Cuts `size` bytes off the block; the first pass (block NULL) only counts them. */
static gpointer cut(char *block, gsize *used, gsize size)
{
    gsize at = *used;
    *used = (at + size + 15) & ~(gsize) 15;
    return block ? block + at : NULL;
}

static void place_views(RawViews *views, char *block, gsize *used, gsize n)
{
    views->views = cut(block, used, n * sizeof *views->views);
    views->buffers = cut(block, used, (n + 3) * sizeof *views->buffers);
    views->sizes = cut(block, used, n * sizeof *views->sizes);
    views->validity = cut(block, used, bitmap_size((int64_t) n));
    if (block)
        memset(views->validity, 0xff, bitmap_size((int64_t) n));
}

static gsize place(RawRows *rows, char *block, gsize n)
{
    gsize used = 0;
    cut(block, &used, sizeof *rows);
    place_views(&rows->key, block, &used, n);
    place_views(&rows->value, block, &used, n);
    rows->offsets = cut(block, &used, n * sizeof *rows->offsets);
    rows->timestamps = cut(block, &used, n * sizeof *rows->timestamps);
    rows->timestamp_validity = cut(block, &used, bitmap_size((int64_t) n));
    if (block)
        memset(rows->timestamp_validity, 0xff, bitmap_size((int64_t) n));
    return used;
}

RawRows *raw_rows_new(RawSource *source, int64_t capacity, GDestroyNotify release, gpointer owner, SfError *err)
{
    RawRows sizing = {0};
    gsize size = place(&sizing, NULL, (gsize) capacity);
    RawRows *rows = g_try_malloc(size);
    if (!rows) {
        sf_fail(err, SF_RETRY, "no memory for a batch of %" G_GINT64_FORMAT " rows", capacity);
        return NULL;
    }
    memset(rows, 0, sizeof *rows);
    place(rows, (char *) rows, (gsize) capacity);
    rows->capacity = capacity;
    rows->references = rows->owner_references = 1;
    rows->source = raw_source_ref(source);
    rows->release = release;
    rows->owner = owner;
    return rows;
}

static void unref(RawRows *rows)
{
    if (!g_atomic_int_dec_and_test(&rows->references))
        return;
    raw_source_unref(rows->source);
    g_free(rows);
}

static void unref_owner(RawRows *rows)
{
    if (g_atomic_int_dec_and_test(&rows->owner_references) && rows->release)
        rows->release(rows->owner);
}

void raw_rows_free(RawRows *rows)
{
    if (!rows)
        return;
    unref_owner(rows);
    unref(rows);
}

static void release_array(struct ArrowArray *array)
{
    RawRows *rows = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++)
        sf_array_done(array->children[i]);
    array->release = NULL;
    unref(rows);
}

/* Keys and values lie in the owner's bytes; all other columns lie in the block and let them go. */
static void release_views(struct ArrowArray *array)
{
    unref_owner(array->private_data);
    release_array(array);
}

static void fill(RawRows *rows, struct ArrowArray *array, const void **buffers, int64_t n_buffers, int64_t length,
                 int64_t nulls)
{
    g_atomic_int_inc(&rows->references);
    *array = (struct ArrowArray){.length = length,
                                 .null_count = nulls,
                                 .n_buffers = n_buffers,
                                 .buffers = buffers,
                                 .release = release_array,
                                 .private_data = rows};
}

static void fill_views(RawRows *rows, RawViews *views, struct ArrowArray *out)
{
    views->buffers[0] = views->nulls > 0 ? views->validity : NULL;
    views->buffers[1] = views->views;
    views->buffers[2 + views->n_buffers] = views->sizes;
    fill(rows, out, views->buffers, 3 + views->n_buffers, rows->length, views->nulls);
    out->release = release_views;
    g_atomic_int_inc(&rows->owner_references);
}

static void fill_topic(RawRows *rows, struct ArrowArray *out)
{
    const RawSource *source = rows->source;
    bool inlined = source->topic_size <= RAW_INLINE;
    rows->topic_buffers[1] = source->topics;
    rows->topic_buffers[2] = inlined ? (const void *) &source->topic_size : source->topic;
    rows->topic_buffers[3] = inlined ? NULL : &source->topic_size;
    fill(rows, out, rows->topic_buffers, inlined ? 3 : 4, rows->length, 0);
}

static void fill_fixed(RawRows *rows, int number, const void *validity, const void *values, int64_t nulls,
                       struct ArrowArray *out)
{
    rows->fixed_buffers[number][0] = validity;
    rows->fixed_buffers[number][1] = values;
    fill(rows, out, rows->fixed_buffers[number], 2, rows->length, nulls);
}

/* list<item: struct<key: utf8, value: binary>>, every row null. */
static void fill_null_headers(RawRows *rows, struct ArrowArray *out)
{
    for (int i = 0; i < 3; i++) {
        rows->null_header_buffers[i][1] = rows->source->no_headers;
        rows->null_header_buffers[i][2] = rows->source->no_headers; /* no bytes of it are ever read */
        rows->null_header_links[i] = &rows->null_headers[i];
        fill(rows, &rows->null_headers[i], rows->null_header_buffers[i], i == 0 ? 1 : 3, 0, 0);
    }
    rows->null_headers[0].n_children = 2;
    rows->null_headers[0].children = &rows->null_header_links[1];
    fill_fixed(rows, 3, rows->source->none_valid, rows->source->no_headers, rows->length, out);
    out->n_children = 1;
    out->children = &rows->null_header_links[0];
}

/* A schema on the stack that borrows its child. */
static void release_nothing(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

SfBuilder *raw_headers_new(SfError *err)
{
    struct ArrowSchema raw = {0};
    if (sf_schema_raw(&raw, err) != SF_OK)
        return NULL;
    struct ArrowSchema headers = {.format = "+s",
                                  .name = "",
                                  .n_children = 1,
                                  .children = &raw.children[SF_RAW_HEADERS],
                                  .release = release_nothing};
    SfBuilder *builder = sf_builder_new(&headers, err);
    sf_schema_done(&raw);
    return builder;
}

SfStatus raw_rows_finish(RawRows *rows, struct ArrowArray *headers, struct ArrowArray *out, SfError *err)
{
    struct ArrowArray columns[SF_RAW_COLUMNS] = {0};
    int64_t length = rows->length;
    fill_views(rows, &rows->key, &columns[SF_RAW_KEY]);
    fill_views(rows, &rows->value, &columns[SF_RAW_VALUE]);
    fill_topic(rows, &columns[SF_RAW_TOPIC]);
    fill_fixed(rows, 0, NULL, rows->source->partitions, 0, &columns[SF_RAW_PARTITION]);
    fill_fixed(rows, 1, NULL, rows->offsets, 0, &columns[SF_RAW_OFFSET]);
    fill_fixed(rows, 2, rows->timestamp_nulls > 0 ? rows->timestamp_validity : NULL, rows->timestamps,
               rows->timestamp_nulls, &columns[SF_RAW_TIMESTAMP]);
    if (headers && headers->release) {
        columns[SF_RAW_HEADERS] = *headers;
        headers->release = NULL;
    } else {
        fill_null_headers(rows, &columns[SF_RAW_HEADERS]);
    }
    raw_rows_free(rows); /* the columns have their own references */
    return sf_rows_from_columns(columns, SF_RAW_COLUMNS, length, out, err);
}
