/* One split: what comes next is begun by entries.c or trail.c; here its rows become batches, each with the range that
 * they come from. What a range lacks (compaction, rejects) are holes in it, as in the topic. */
#include "source.h"

#include <inttypes.h>
#include <string.h>

#include "bronze/beside.h"

#define SHOWN 60 /* bytes of a line in a message */

Lane *lane_new(const char *name, const char *topic, int32_t partition, const char *ledger)
{
    Lane *lane = g_new0(Lane, 1);
    lane->name = g_strdup(name);
    lane->topic = g_strdup(topic);
    lane->partition = partition;
    lane->ledger = g_strdup(ledger);
    lane->trail = ledger ? NULL : trail_new();
    lane->end = SF_POSITION_NONE;
    return lane;
}

void lane_free(Lane *lane)
{
    if (!lane)
        return;
    entries_end(lane);
    trail_free(lane->trail);
    raw_source_unref(lane->raw);
    g_free(lane->name);
    g_free(lane->topic);
    g_free(lane->ledger);
    g_free(lane->origin);
    g_free(lane);
}

bool lane_is_amid(const Lane *lane)
{
    return lane->entry || (lane->trail && trail_object(lane));
}

size_t lane_held(const Lane *lane)
{
    size_t entry = lane->entry ? g_bytes_get_size(lane->entry->body) : 0;
    size_t trail = lane->trail ? trail_held(lane) : 0;
    return rows_held(lane->rows) + trail + 2 * entry; /* its text, and what was read of it */
}

SfStatus lane_begin(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, int64_t position, SfError *err)
{
    entries_end(lane);
    lane->position = lane->next = position;
    lane->misses = 0;
    return lane->trail ? trail_start(node, lane, options, position, err)
                       : entries_start(node, store, lane, options, position, err);
}

static SfStatus begin_next(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, Quota *quota,
                           SfError *err)
{
    SF_TRY(lane->trail ? trail_begin(node, store, lane, options, quota, err)
                       : entries_begin(node, store, lane, options, quota, err));
    if (!lane->raw)
        lane->raw = raw_source_new(lane->topic, lane->partition, options->batch_rows);
    if (!lane->rows && lane->trail)
        lane->rows = rows_open_foreign(store, trail_object(lane), &options->limits, options->layout == LAYOUT_FILES);
    else if (!lane->rows)
        lane->rows = rows_open(store, lane->entry, &options->limits, lane->passed);
    return SF_OK;
}

/* SF_OK: to be begun again, without it. */
static SfStatus meet_missing(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, SfError *err)
{
    const char *key;
    const EntryObject *missing = rows_missing(lane->rows, &key);
    g_clear_pointer(&lane->rows, rows_free);
    return lane->trail ? trail_miss(node, store, lane, options, key, err)
                       : entries_miss(node, store, lane, options, missing, key, err);
}

/* ---- batches ---- */

typedef struct Draft {
    RawRows *rows;
    Block *block;
    SfBuilder *headers; /* NULL: none were read yet */
    int64_t end;        /* behind the last row */
    int64_t newest_us;
    int64_t bytes;
} Draft;

/* The value, and the key at its longest. */
static size_t draft_need(const Row *row)
{
    return row->size + row->beside[BESIDE_KEYS].size;
}

static bool draft_has_room(const Draft *draft, const Row *row, int64_t batch_rows)
{
    return draft->rows->length < batch_rows && draft->block->size - draft->block->used >= draft_need(row);
}

static SfStatus refuse_beside(const Lane *lane, const Row *row, Beside kind, SfError *err)
{
    const RowBeside *line = &row->beside[kind];
    return sf_fail(err, SF_FATAL, "%s/%" PRId64 ": what lies beside the row as its %s is not that: %.*s", lane->name,
                   row->of.position, beside_words[kind], (int) MIN(line->size, SHOWN), line->data);
}

static SfStatus draft_begin_headers(Draft *draft, SfError *err)
{
    draft->headers = raw_headers_new(err);
    for (int64_t row = 0; draft->headers && row < draft->rows->length; row++)
        sf_add_null(sf_builder_column(draft->headers, 0));
    return draft->headers ? SF_OK : SF_FATAL;
}

/* Rows of an object that has none beside it have null among those of others. */
static SfStatus draft_add_headers(Draft *draft, const Lane *lane, const Row *row, SfError *err)
{
    const RowBeside *line = &row->beside[BESIDE_HEADERS];
    if (!line->data && !draft->headers)
        return SF_OK;
    if (!draft->headers)
        SF_TRY(draft_begin_headers(draft, err));
    if (!line->data)
        sf_add_null(sf_builder_column(draft->headers, 0));
    else if (!beside_read_headers(line->data, line->size, sf_builder_column(draft->headers, 0)))
        return refuse_beside(lane, row, BESIDE_HEADERS, err);
    return SF_OK;
}

/* `data`: the row's value in the draft's block, behind which there is room for the key. */
static SfStatus draft_add(Draft *draft, const Lane *lane, const Row *row, const char *data, SfError *err)
{
    int64_t time_us = row->of.time_us == INDEX_NO_TIMESTAMP ? RAW_NO_TIMESTAMP : row->of.time_us;
    const RowBeside *line = &row->beside[BESIDE_KEYS];
    const char *key = NULL;
    size_t key_size = 0;
    if (line->data &&
        !beside_read_key(line->data, line->size, draft->block->data + draft->block->used, &key, &key_size))
        return refuse_beside(lane, row, BESIDE_KEYS, err);
    draft->block->used += key_size;
    SF_TRY(draft_add_headers(draft, lane, row, err));
    raw_rows_add(draft->rows, key, key_size, row->of.null ? NULL : data, row->size, row->of.position, time_us);
    draft->bytes += (int64_t) (row->size + key_size + row->beside[BESIDE_HEADERS].size);
    draft->newest_us = MAX(draft->newest_us, row->of.time_us);
    draft->end = row->of.position + 1;
    return SF_OK;
}

static SfStatus draft_copy(Draft *draft, const Lane *lane, const Row *row, SfError *err)
{
    char *data = draft->block->data + draft->block->used;
    if (row->size > 0)
        memcpy(data, row->data, row->size);
    draft->block->used += row->size;
    return draft_add(draft, lane, row, data, err);
}

/* The block is large enough for the first row, however long that is. */
static SfStatus draft_begin(Draft *draft, const Lane *lane, int64_t batch_rows, const Row *row, Blocks *blocks,
                            SfError *err)
{
    draft->block = blocks_room(blocks, draft_need(row));
    if (!draft->block)
        return sf_fail(err, SF_RETRY, "%s: no memory for a line of %zu bytes", lane->name, draft_need(row));
    draft->rows = raw_rows_new(lane->raw, batch_rows, block_unref, draft->block, err);
    if (!draft->rows)
        return SF_RETRY;
    block_ref(draft->block); /* the rows' */
    return draft_copy(draft, lane, row, err);
}

static void draft_done(Draft *draft)
{
    g_clear_pointer(&draft->rows, raw_rows_free);
    g_clear_pointer(&draft->block, block_unref);
    g_clear_pointer(&draft->headers, sf_builder_free);
}

/* The column headers; it stays released where there are none. */
static SfStatus draft_end_headers(Draft *draft, struct ArrowArray *out, SfError *err)
{
    struct ArrowArray rows;
    if (!draft->headers)
        return SF_OK;
    SF_TRY(sf_builder_end_rows(draft->headers, draft->rows->length, err));
    SF_TRY(sf_builder_finish(draft->headers, &rows, err));
    *out = *rows.children[0];
    rows.children[0]->release = NULL;
    sf_array_done(&rows);
    return SF_OK;
}

/* SF_EMPTY: the entry's rows end here. */
static SfStatus draft_fill(Draft *draft, Lane *lane, const LaneOptions *options, Blocks *blocks, SfError *err)
{
    for (;;) {
        Row row;
        SF_TRY(rows_peek(lane->rows, &row, err));
        if (row.of.position >= lane->position) {
            if (!draft->rows)
                SF_TRY(draft_begin(draft, lane, options->batch_rows, &row, blocks, err));
            else if (draft_has_room(draft, &row, options->batch_rows))
                SF_TRY(draft_copy(draft, lane, &row, err));
            else
                return SF_OK;
        }
        rows_take(lane->rows);
    }
}

/* All that was begun was read: up to here. */
static int64_t begun_end(const Lane *lane, const LaneOptions *options)
{
    return lane->trail ? MAX(trail_reach(lane, options), lane->position) : lane->entry->end;
}

/* On to what comes next, when the last batch was given: until then a failure leads back into what was begun. */
static void end_begun(Lane *lane, const LaneOptions *options)
{
    if (lane->trail) {
        trail_end(lane, options);
        g_clear_pointer(&lane->rows, rows_free);
        g_clear_pointer(&lane->raw, raw_source_unref); /* there may be thousands of files */
    } else {
        lane->next = lane->entry->end;
        entries_end(lane);
    }
}

static SfStatus give_batch(Lane *lane, Draft *draft, int64_t end, SfBatch *out, SfError *err)
{
    if (!draft->rows)
        draft->rows = raw_rows_new(lane->raw, 1, block_unref, NULL, err);
    if (!draft->rows)
        return SF_RETRY;
    struct ArrowArray headers = {0};
    SF_TRY(draft_end_headers(draft, &headers, err));
    out->bytes = draft->bytes;
    SF_TRY(raw_rows_finish(g_steal_pointer(&draft->rows), &headers, &out->rows, err));
    out->split = lane->split;
    out->start = lane->position;
    out->end = end;
    out->newest_us = draft->newest_us;
    lane->position = end;
    return SF_OK;
}

/* SF_EMPTY: what was begun has ended, and there was nothing in it from the position on; or an object is missing. */
static SfStatus read_batch(Lane *lane, const LaneOptions *options, Blocks *blocks, SfBatch *out, SfError *err)
{
    Draft draft = {.newest_us = INT64_MIN, .end = lane->position};
    SfStatus status = draft_fill(&draft, lane, options, blocks, err);
    const char *key;
    bool missing = status == SF_EMPTY && rows_missing(lane->rows, &key);
    bool ended = status == SF_EMPTY && !missing;
    int64_t end = ended ? begun_end(lane, options) : draft.end;
    if (missing && draft.rows)
        g_clear_pointer(&lane->rows, rows_free); /* what is there goes first */
    if ((status == SF_OK || status == SF_EMPTY) && end > lane->position)
        status = give_batch(lane, &draft, end, out, err);
    if (ended && (status == SF_OK || status == SF_EMPTY))
        end_begun(lane, options);
    draft_done(&draft);
    return status;
}

/* SF_EMPTY: nothing came of what was begun; the next is to be begun. */
static SfStatus poll_begun(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, Blocks *blocks,
                           SfBatch *out, SfError *err)
{
    SfStatus status = read_batch(lane, options, blocks, out, err);
    if (status != SF_EMPTY || !lane->rows)
        return status;
    SF_TRY(meet_missing(node, store, lane, options, err));
    return SF_EMPTY;
}

SfStatus lane_poll(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, Blocks *blocks, Quota *quota,
                   SfBatch *out, SfError *err)
{
    bool fresh = true;
    SfStatus status;
    do {
        Quota before = *quota;
        status = begin_next(node, store, lane, options, quota, err);
        fresh = status == SF_OK;
        if (fresh)
            status = poll_begun(node, store, lane, options, blocks, out, err);
        if (status == SF_EMPTY || status == SF_END)
            *quota = before;
    } while (fresh && status == SF_EMPTY && (lane->trail || lane->entry));
    if (status != SF_OK)
        g_clear_pointer(&lane->rows, rows_free); /* read again up to the position */
    return status;
}
