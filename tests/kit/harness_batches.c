/* The harness's splits and the batches that it feeds and keeps. */
#include "harness_private.h"

SfSplit *harness_split_make(Harness *h, const char *name, const char *topic, gint32 partition)
{
    GPtrArray *splits = h->own->splits;
    for (guint i = 0; i < splits->len; i++)
        if (strcmp(((SfSplit *) splits->pdata[i])->name, name) == 0)
            return splits->pdata[i];
    SfSplit *split = g_new(SfSplit, 1);
    *split = (SfSplit){
        .name = g_strdup(name), .topic = g_strdup(topic), .partition = partition, .index = h->own->splits->len};
    g_ptr_array_add(splits, split);
    return split;
}

const SfSplit *harness_split(Harness *h, const char *name)
{
    const char *slash = strrchr(name, '/');
    g_autofree char *topic = slash ? g_strndup(name, (gsize) (slash - name)) : g_strdup(name);
    return harness_split_make(h, name, topic, slash ? (gint32) g_ascii_strtoll(slash + 1, NULL, 10) : 0);
}

const SfBatch *harness_hold(Harness *h, SfBatch *moved)
{
    SharedBatch *shared = shared_batch_new(moved);
    g_assert_nonnull(shared);
    g_ptr_array_add(h->own->batches, shared);
    return &shared->batch;
}

static const struct ArrowSchema *input_schema(Harness *h, gsize input)
{
    SfError before = h->err;
    if (harness_try_bind(h) != SF_OK)
        g_error("%s: bind: %s", harness_name(h), h->err.message);
    h->err = before;
    g_assert_cmpuint(input, <, h->own->schemas->len);
    return h->own->schemas->pdata[input];
}

const SfBatch *harness_raw_rows(Harness *h, const char *split, const RawRow *rows, gsize n)
{
    SfBatch batch = {.schema = input_schema(h, 0), .split = harness_split(h, split), .newest_us = INT64_MIN};
    for (gsize i = 0; i < n; i++)
        batch.newest_us = MAX(batch.newest_us, rows[i].timestamp_us);
    batch.start = n > 0 ? rows[0].offset : 0;
    batch.end = n > 0 ? rows[n - 1].offset + 1 : 0;
    rows_from_raw(batch.split->topic, batch.split->partition, rows, n, &batch.rows);
    return harness_hold(h, &batch);
}

const SfBatch *harness_raw(Harness *h, const char *split, gint64 first, const char *const *values, gsize n)
{
    g_autofree RawRow *rows = g_new0(RawRow, n + 1);
    for (gsize i = 0; i < n; i++)
        rows[i] = (RawRow){.value = values[i], .offset = first + (gint64) i, .timestamp_us = h->now_ms * 1000};
    const SfBatch *batch = harness_raw_rows(h, split, rows, n);
    return n > 0 ? batch : harness_with_range(h, batch, first, first);
}

const SfBatch *harness_rows(Harness *h, gsize input, const char *split, gint64 start, const char *const *json, gsize n)
{
    SfBatch batch = {.schema = input_schema(h, input),
                     .split = harness_split(h, split),
                     .start = start,
                     .end = start + (gint64) n,
                     .newest_us = INT64_MIN};
    rows_from_json(batch.schema, json, n, &batch.rows);
    return harness_hold(h, &batch);
}

const SfBatch *harness_with_range(Harness *h, const SfBatch *batch, gint64 start, gint64 end)
{
    SfBatch made = {0};
    g_assert_cmpint(sf_batch_slice(batch, 0, sf_rows(batch), &made, NULL), ==, SF_OK);
    made.start = start;
    made.end = end < 0 ? batch->end : end;
    return harness_hold(h, &made);
}

gint64 harness_position(const SfBatch *batch, gint64 row)
{
    SfColumn offset;
    if (sf_column(batch, "offset", SF_INT64, &offset, NULL) == SF_OK && !(offset.schema->flags & ARROW_FLAG_NULLABLE))
        return sf_i64(&offset, row);
    return batch->start + row;
}
