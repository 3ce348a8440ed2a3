/* Chains: rows into open objects, a directory each, and the rules by which a range is cut: all its objects end
 * together. */
#include "bronze.h"

#include <inttypes.h>

#define OPEN_MAX 512                    /* directories of one range */
#define OBJECT_MAX ((size_t) 256 << 20) /* bytes of lines */

void pending_free(Pending *pending)
{
    if (!pending)
        return;
    g_ptr_array_unref(pending->objects);
    g_bytes_unref(pending->entry);
    g_free(pending);
}

void chain_init(const Bronze *bronze, const SfNode *node, Chain *chain)
{
    chain_call(bronze, node, chain, false);
    chain->open = g_ptr_array_new_with_free_func((GDestroyNotify) object_free);
    chain->closed = g_ptr_array_new_with_free_func((GDestroyNotify) object_free);
    chain->newest_us = INT64_MIN;
    chain_reset(chain, SF_POSITION_NONE);
}

void chain_done(gpointer user)
{
    Chain *chain = user;
    redo_free(chain->redo);
    pending_free(chain->pending);
    g_ptr_array_unref(chain->open);
    g_ptr_array_unref(chain->closed);
    g_free(chain->topic);
    g_free(chain->name);
    g_free(chain->ledger);
}

static void begin_range(Chain *chain)
{
    chain->current = NULL;
    chain->low = chain->high = 0;
    chain->rows = chain->rejected = chain->opened_ms = 0;
}

void chain_reset(Chain *chain, int64_t position)
{
    g_clear_pointer(&chain->redo, redo_free);
    g_clear_pointer(&chain->pending, pending_free);
    g_ptr_array_set_size(chain->open, 0);
    g_ptr_array_set_size(chain->closed, 0);
    range_reset(&chain->range, position);
    chain->begin = chain->cut_end = position;
    chain->rejected_cut = 0;
    begin_range(chain);
}

bool chain_has_open(const Chain *chain)
{
    return chain->range.end > chain->cut_end;
}

static size_t held_by(const GPtrArray *objects)
{
    size_t held = 0;
    for (guint i = 0; objects && i < objects->len; i++)
        held += objects->pdata[i] ? object_held(objects->pdata[i]) : 0;
    return held;
}

size_t chain_held(const Chain *chain)
{
    return held_by(chain->open) + held_by(chain->closed) + held_by(chain->redo ? chain->redo->objects : NULL) +
           held_by(chain->pending ? chain->pending->objects : NULL);
}

SfStatus chain_cut(Chain *chain, int64_t end, const char *reason, SfError *err)
{
    size_t largest = 0;
    for (guint i = 0; i < chain->open->len; i++) {
        Object *object = chain->open->pdata[i];
        largest = MAX(largest, object_bytes(object));
        SF_TRY(object_seal(object, err));
    }
    while (chain->open->len > 0)
        g_ptr_array_add(chain->closed, g_ptr_array_steal_index(chain->open, 0));
    chain->expected = largest + largest / 16;
    chain->cut_end = end;
    chain->rejected_cut += chain->rejected;
    chain->reason = reason;
    begin_range(chain);
    return SF_OK;
}

static void put_beside(const Bronze *bronze, const Chain *chain, int64_t bucket, int64_t first)
{
    const bool wanted[BESIDE_KINDS] = {bronze->layout.options.keys, bronze->layout.options.headers};
    for (int i = 0; i < BESIDE_KINDS; i++)
        if (wanted[i])
            object_put_beside(chain->current, (Beside) i,
                              chain_beside_key(bronze, &bronze->layout, chain, bucket, first, (Beside) i),
                              &bronze->layout);
}

/* The open object for this event time; the one used last is remembered with the times that it serves. */
static Object *find_object(Bronze *bronze, Chain *chain, int64_t time_us, int64_t position)
{
    int64_t bucket = layout_bucket(&bronze->layout, time_us, &chain->low, &chain->high);
    chain->current = NULL;
    for (guint i = 0; i < chain->open->len && !chain->current; i++)
        if (((Object *) chain->open->pdata[i])->bucket == bucket)
            chain->current = chain->open->pdata[i];
    if (!chain->current) {
        size_t expected = chain->open->len == 0 ? chain->expected : 0; /* others may be small: late rows, old days */
        char *key = chain_object_key(bronze, &bronze->layout, chain, bucket, position);
        chain->current = object_new(key, bucket, position, &bronze->workshop, &bronze->layout, expected);
        put_beside(bronze, chain, bucket, position);
        g_ptr_array_add(chain->open, chain->current);
    }
    return chain->current;
}

/* Record time counts from the first row, or from the latest one before it: a late row at a range's start ends
 * nothing. */
static void begin_rows(SfNode *node, Chain *chain, int64_t time_us)
{
    chain->base_us = MAX(time_us, chain->newest_us);
    if (!chain->opened_ms)
        chain->opened_ms = sf_monotonic_ms(node);
}

/* A redo finds the objects of a clock that has gone by positions alone, so they must not overlap: where it was set back
 * into an earlier directory, the range ends. */
static inline bool clock_went_back(const Bronze *bronze, const Chain *chain, int64_t time_us)
{
    return bronze->layout.options.extractor == EXTRACT_WALLCLOCK && chain->current && time_us < chain->low;
}

/* Before a row: why the range must end in front of it, or NULL. */
static inline const char *due_before(const Bronze *bronze, const Chain *chain, int64_t time_us)
{
    if (G_UNLIKELY(chain->rows == 0))
        return NULL;
    if (bronze->rotate_ms > 0 && time_us - chain->base_us >= bronze->rotate_ms * 1000)
        return "record time";
    if (G_UNLIKELY(chain->open->len >= OPEN_MAX))
        return "directories";
    if (G_UNLIKELY(clock_went_back(bronze, chain, time_us)))
        return "clock";
    return chain->current && G_UNLIKELY(object_bytes(chain->current) >= OBJECT_MAX) ? "size" : NULL;
}

static SfStatus no_memory(const Chain *chain, int64_t position, SfError *err)
{
    return sf_fail(err, SF_FATAL, "no memory for %s/%" PRId64, chain->range.split->name, position);
}

/* The row's key and headers, where they lie beside the object. */
static SfStatus add_beside(Chain *chain, Object *object, const LayoutColumns *columns, int64_t row, int64_t position,
                           SfError *err)
{
    GString *line = object->workshop->line;
    if (object->beside[BESIDE_KEYS]) {
        g_string_truncate(line, 0);
        beside_write_key(columns->has_key ? &columns->key : NULL, row, line);
        if (!object_append_beside(object, BESIDE_KEYS, line))
            return no_memory(chain, position, err);
    }
    if (object->beside[BESIDE_HEADERS]) {
        g_string_truncate(line, 0);
        beside_write_headers(columns->has_headers ? &columns->headers : NULL, row, line);
        if (!object_append_beside(object, BESIDE_HEADERS, line))
            return no_memory(chain, position, err);
    }
    return SF_OK;
}

static SfStatus add_row(SfNode *node, Chain *chain, const LayoutRow *row, int64_t position, Object **into, SfError *err)
{
    Bronze *bronze = bronze_of(node);
    const char *due = due_before(bronze, chain, row->time_us);
    if (due)
        SF_TRY(chain_cut(chain, position, due, err));
    if (chain->rows == 0)
        begin_rows(node, chain, row->time_us);
    Object *object = chain->current;
    if (!object || row->time_us < chain->low || row->time_us >= chain->high)
        object = find_object(bronze, chain, row->time_us, position);
    if (!object_append(object, row, position))
        return no_memory(chain, position, err);
    *into = object;
    chain->newest_us = MAX(chain->newest_us, row->time_us);
    chain->rows++;
    return SF_OK;
}

static inline SfStatus cut_after_row(const Bronze *bronze, Chain *chain, int64_t position, SfError *err)
{
    return chain->rows == bronze->flush_size ? chain_cut(chain, position + 1, "rows", err) : SF_OK;
}

/* What a batch's rows are read by; positions are the column offset, or count from the range's start. */
typedef struct Reader {
    LayoutColumns columns;
    SfColumn offset;
    bool has_offset;
} Reader;

static SfStatus read_columns(SfNode *node, const SfBatch *batch, Reader *out, SfError *err)
{
    int64_t value = sf_schema_find(batch->schema, "value");
    int64_t time = sf_schema_find(batch->schema, "timestamp");
    int64_t offset = sf_schema_find(batch->schema, "offset");
    SF_TRY(sf_column_at(batch, value, &out->columns.value, err));
    if (time >= 0)
        SF_TRY(sf_column_at(batch, time, &out->columns.time, err));
    out->columns.has_time = time >= 0 && out->columns.time.type == SF_TIMESTAMP;
    if (offset >= 0)
        SF_TRY(sf_column_at(batch, offset, &out->offset, err));
    out->has_offset = offset >= 0 && out->offset.type == SF_INT64;
    out->columns.now_us = sf_now_ms(node) * 1000;
    return SF_OK;
}

/* Only where they are written; what is redone is written as its entry says. */
static SfStatus read_columns_beside(const Bronze *bronze, const Chain *chain, const SfBatch *batch, LayoutColumns *out,
                                    SfError *err)
{
    const LayoutOptions *now = &bronze->layout.options, *then = chain->redo ? &chain->redo->entry->layout.options : now;
    int64_t key = now->keys || then->keys ? sf_schema_find(batch->schema, "key") : -1;
    int64_t headers = now->headers || then->headers ? sf_schema_find(batch->schema, "headers") : -1;
    if (key >= 0)
        SF_TRY(sf_column_at(batch, key, &out->key, err));
    if (headers >= 0)
        SF_TRY(header_columns_init(&out->headers, batch, headers, err));
    out->has_key = key >= 0;
    out->has_headers = headers >= 0;
    return SF_OK;
}

/* Rejects of a redo's range are durable already: its entry was written after them. */
static SfStatus redo_one(SfNode *node, Chain *chain, const Reader *reader, int64_t row, int64_t position, SfError *err)
{
    LayoutRow line;
    Object *object = NULL;
    if (layout_row(&chain->redo->entry->layout, &reader->columns, row, &line, NULL) != ROW_WRITE)
        return SF_OK;
    SF_TRY(redo_row(bronze_of(node), chain, &line, position, &object, err));
    return object ? add_beside(chain, object, &reader->columns, row, position, err) : SF_OK;
}

static SfStatus write_one(SfNode *node, Chain *chain, const SfBatch *batch, const Reader *reader, int64_t row,
                          int64_t position, SfError *err)
{
    const Bronze *bronze = bronze_of(node);
    LayoutRow line;
    SfError cause;
    Object *object = NULL;
    switch (layout_row(&bronze->layout, &reader->columns, row, &line, &cause)) {
    case ROW_WRITE:
        SF_TRY(add_row(node, chain, &line, position, &object, err));
        if (G_UNLIKELY(bronze->layout.options.keys || bronze->layout.options.headers))
            SF_TRY(add_beside(chain, object, &reader->columns, row, position, err));
        return cut_after_row(bronze, chain, position, err);
    case ROW_REJECT:
        sf_reject(node, batch, row, "%s", cause.message);
        chain->rejected++;
        return SF_OK;
    default:
        return SF_OK;
    }
}

static SfStatus end_redo(SfNode *node, Chain *chain, int64_t reached, SfError *err)
{
    if (chain->redo && reached >= chain->redo->entry->end)
        SF_TRY(redo_finish(node, chain, err));
    return SF_OK;
}

static SfStatus write_rows(SfNode *node, Chain *chain, const SfBatch *batch, SfError *err)
{
    Reader reader = {0};
    if (sf_rows(batch) == 0)
        return SF_OK;
    SF_TRY(read_columns(node, batch, &reader, err));
    SF_TRY(read_columns_beside(bronze_of(node), chain, batch, &reader.columns, err));
    for (int64_t row = 0; row < sf_rows(batch); row++) {
        int64_t position = reader.has_offset ? sf_i64(&reader.offset, row) : batch->start + row;
        if (G_UNLIKELY(chain->redo != NULL))
            SF_TRY(end_redo(node, chain, position, err));
        if (G_UNLIKELY(chain->redo != NULL))
            SF_TRY(redo_one(node, chain, &reader, row, position, err));
        else
            SF_TRY(write_one(node, chain, batch, &reader, row, position, err));
    }
    return SF_OK;
}

SfStatus chain_write(SfNode *node, Chain *chain, const SfBatch *batch, SfError *err)
{
    SF_TRY(range_write(&chain->range, batch, err));
    if (chain->begin == SF_POSITION_NONE)
        chain->begin = chain->cut_end = batch->start;
    SF_TRY(write_rows(node, chain, batch, err));
    SF_TRY(end_redo(node, chain, batch->end, err));
    if (!chain->redo && chain_has_open(chain) && !chain->opened_ms)
        chain->opened_ms = sf_monotonic_ms(node);
    return SF_OK;
}
