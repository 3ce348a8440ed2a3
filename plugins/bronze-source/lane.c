/* One split: its ledger's entries one after the other, each as batches of rows with the range that they come from. What
 * a range lacks (compaction, rejects) are holes in it, as in the topic. */
#include "source.h"

#include <inttypes.h>
#include <string.h>

#define LOOK_EVERY 16 /* polls without an entry after which a gap is looked for */

Lane *lane_new(Ledger *ledger)
{
    Lane *lane = g_new0(Lane, 1);
    lane->ledger = ledger;
    lane->end = SF_POSITION_NONE;
    return lane;
}

static void end_entry(Lane *lane)
{
    g_clear_pointer(&lane->rows, rows_free);
    g_clear_pointer(&lane->entry, entry_free);
    g_clear_pointer(&lane->passed, g_free);
}

void lane_free(Lane *lane)
{
    if (!lane)
        return;
    end_entry(lane);
    raw_source_unref(lane->raw);
    ledger_free(lane->ledger);
    g_free(lane->origin);
    g_free(lane);
}

size_t lane_held(const Lane *lane)
{
    size_t entry = lane->entry ? g_bytes_get_size(lane->entry->body) : 0;
    return rows_held(lane->rows) + 2 * entry; /* its text, and what was read of it */
}

SfStatus lane_look_ahead(Store *store, Lane *lane, SfError *err)
{
    int64_t start, written_ms;
    g_autoptr(Entry) last = NULL;
    SF_TRY(ledger_last(store, lane->ledger->prefix, lane->end, &start, &written_ms, err));
    if (start == SF_POSITION_NONE)
        return sf_fail(err, SF_RETRY, "the ledger '%s/%s' has vanished", store_url(store), lane->ledger->prefix);
    SF_TRY(ledger_get(store, lane->ledger->prefix, start, &last, err));
    lane->end = last->end;
    return SF_OK;
}

/* [from, to) is in no entry. */
static SfStatus meet_gap(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, int64_t to, SfError *err)
{
    int64_t from = MAX(lane->position, lane->next);
    if (options->missing == MISSING_STOP)
        return sf_fail(err, SF_FATAL,
                       "%s: bronze has no rows of [%" PRId64 ", %" PRId64 "): no ledger entry below '%s/%s' has them; "
                       "read them from the topic first, or set 'on_missing: skip'",
                       lane->ledger->split, from, to, store_url(store), lane->ledger->prefix);
    sf_log(node, SF_LOG_WARNING, "%s: bronze has no rows of [%" PRId64 ", %" PRId64 "); on with those behind them",
           lane->ledger->split, from, to);
    lane->next = to;
    return SF_OK;
}

SfStatus lane_begin(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, int64_t position, SfError *err)
{
    int64_t floor, first = lane->ledger->start;
    end_entry(lane);
    lane->position = lane->next = position;
    lane->misses = 0;
    SF_TRY(ledger_floor(store, lane->ledger->prefix, position, &floor, err));
    if (floor == SF_POSITION_NONE)
        return meet_gap(node, store, lane, options, first, err);
    lane->next = floor;
    return SF_OK;
}

/* No entry starts where the last one ended. Now and then, and at a bounded run's end, whether there is one behind. */
static SfStatus look_for_gap(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, SfError *err)
{
    LedgerPage page;
    lane->misses++;
    if (!options->bounded && lane->misses % LOOK_EVERY != 0)
        return SF_EMPTY;
    SF_TRY(ledger_page(store, lane->ledger->prefix, lane->next - 1, &page, err));
    if (page.n == 0)
        return SF_EMPTY;
    return page.first == lane->next ? SF_OK : meet_gap(node, store, lane, options, page.first, err);
}

/* Entries come from a place where others may write. */
static SfStatus check_entry(const Lane *lane, const LaneOptions *options, const Entry *entry, SfError *err)
{
    g_autofree char *segment = ledger_segment(entry->topic);
    g_autofree char *below = g_strconcat(options->root, segment, "/", NULL);
    g_autofree char *name = ledger_split(entry);
    if (!g_str_equal(name, lane->ledger->split))
        return sf_fail(err, SF_FATAL, "ledger '%s': the entry at %" PRId64 " is of '%s', those before it are of '%s'",
                       lane->ledger->prefix, entry->start, name, lane->ledger->split);
    for (guint i = 0; i < entry->objects->len; i++) {
        const EntryObject *object = &g_array_index(entry->objects, EntryObject, i);
        if (!g_str_has_prefix(object->key, below) || object->first < entry->start || object->last >= entry->end)
            return sf_fail(err, SF_FATAL,
                           "ledger '%s': the entry at %" PRId64 " names '%.200s', which is not an object of its "
                           "topic and range",
                           lane->ledger->prefix, entry->start, object->key);
    }
    return SF_OK;
}

/* So that a sink can tell a topic that was created anew, from whichever side its rows come. */
static SfStatus tell_origin(SfNode *node, Lane *lane, const Entry *entry, SfError *err)
{
    if (!entry->origin || g_strcmp0(lane->origin, entry->origin) == 0)
        return SF_OK;
    if (lane->origin)
        return sf_fail(err, SF_FATAL,
                       "ledger '%s': the rows from %" PRId64 " on are of another topic of that name (%s) than those "
                       "before (%s)",
                       lane->ledger->prefix, entry->start, entry->origin, lane->origin);
    sf_set_origin(node, lane->split, entry->origin);
    const char *other = sf_other_origin(node, lane->split);
    if (other)
        return sf_fail(err, SF_CONFIG,
                       "%s: topic '%s' was deleted and created anew: bronze has rows of the new one (%s), a sink has "
                       "rows of the old one (%s); give the sink another place",
                       lane->ledger->split, lane->ledger->topic, entry->origin, other);
    lane->origin = g_strdup(entry->origin);
    return SF_OK;
}

static bool spend_quota(Quota *quota, const Entry *entry)
{
    int64_t bytes = 0, files = entry->objects->len;
    for (guint i = 0; i < entry->objects->len; i++)
        bytes += g_array_index(entry->objects, EntryObject, i).bytes;
    if (quota->used && (files > quota->files || bytes > quota->bytes))
        return false;
    quota->used = true;
    quota->files = MAX(quota->files - files, 0);
    quota->bytes = MAX(quota->bytes - bytes, 0);
    return true;
}

static void say_guess(SfNode *node, Lane *lane)
{
    if (lane->guessed || !rows_guess(lane->entry))
        return;
    sf_log(node, SF_LOG_WARNING,
           "%s: the ledger entry at %" PRId64 " is of an earlier version, which kept no positions of rows, and its "
           "range has holes: rows are numbered without them",
           lane->ledger->split, lane->entry->start);
    lane->guessed = true;
}

/* The next entry that has rows from the position on. */
static SfStatus begin_entry(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, Quota *quota,
                            SfError *err)
{
    while (!lane->entry) {
        g_autoptr(Entry) entry = NULL;
        if (options->bounded && lane->next >= lane->end)
            return SF_END;
        SfStatus status = ledger_find(store, lane->ledger->prefix, lane->next, &entry, err);
        if (status == SF_EMPTY)
            status = look_for_gap(node, store, lane, options, err);
        SF_TRY(status);
        if (!entry)
            continue;
        SF_TRY(check_entry(lane, options, entry, err));
        lane->misses = 0;
        lane->end = MAX(lane->end, entry->end);
        if (entry->end <= lane->position) {
            lane->next = entry->end;
            continue;
        }
        SF_TRY(tell_origin(node, lane, entry, err));
        if (!spend_quota(quota, entry))
            return SF_EMPTY;
        lane->passed = g_new0(bool, entry->objects->len + 1);
        lane->entry = g_steal_pointer(&entry);
        say_guess(node, lane);
    }
    return SF_OK;
}

/* An object is missing: not yet there where its entry is the last one, since entries come first; lost where another
 * entry follows, which is created when all objects of the one before are there. */
static SfStatus meet_missing(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, guint missing,
                             SfError *err)
{
    const EntryObject *object = &g_array_index(lane->entry->objects, EntryObject, missing);
    LedgerPage page;
    SF_TRY(ledger_page(store, lane->ledger->prefix, lane->entry->start, &page, err));
    if (page.n == 0) {
        end_entry(lane); /* it may be another one by then */
        return options->bounded ? SF_END : SF_EMPTY;
    }
    int64_t size;
    SfStatus status = store_stat(store, object->key, &size, err);
    if (status != SF_EMPTY)
        return status; /* it came between the two looks */
    if (options->missing == MISSING_STOP)
        return sf_fail(err, SF_FATAL,
                       "'%s/%s' is missing, with %" PRId64 " rows of %s from %" PRId64 " to %" PRId64
                       "; put it back, read these rows from the topic, or set 'on_missing: skip'",
                       store_url(store), object->key, object->rows, lane->ledger->split, object->first, object->last);
    sf_log(node, SF_LOG_WARNING,
           "'%s/%s' is missing; its %" PRId64 " rows of %s from %" PRId64 " to %" PRId64 " are passed over",
           store_url(store), object->key, object->rows, lane->ledger->split, object->first, object->last);
    lane->passed[missing] = true;
    return SF_OK;
}

static SfStatus open_rows(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, SfError *err)
{
    while (!lane->rows) {
        guint missing = 0;
        SfStatus status = rows_open(store, lane->entry, &options->limits, lane->passed, &lane->rows, &missing, err);
        if (status == SF_EMPTY)
            status = meet_missing(node, store, lane, options, missing, err);
        SF_TRY(status);
    }
    return SF_OK;
}

/* ---- batches ---- */

typedef struct Draft {
    RawRows *rows;
    Block *block;
    int64_t end; /* behind the last row */
    int64_t newest_us;
    int64_t bytes;
} Draft;

static bool draft_has_room(const Draft *draft, const Row *row, int64_t batch_rows)
{
    return draft->rows->length < batch_rows && draft->block->size - draft->block->used >= row->size;
}

static void draft_add(Draft *draft, const Row *row, const char *data)
{
    int64_t time_us = row->of.time_us == INDEX_NO_TIMESTAMP ? RAW_NO_TIMESTAMP : row->of.time_us;
    raw_rows_add(draft->rows, NULL, 0, row->of.null ? NULL : data, row->size, row->of.position, time_us);
    draft->bytes += (int64_t) row->size;
    draft->newest_us = MAX(draft->newest_us, row->of.time_us);
    draft->end = row->of.position + 1;
}

static void draft_copy(Draft *draft, const Row *row)
{
    char *data = draft->block->data + draft->block->used;
    if (row->size > 0)
        memcpy(data, row->data, row->size);
    draft->block->used += row->size;
    draft_add(draft, row, data);
}

/* The first row goes with the block, which is as large as that takes. */
static SfStatus draft_begin(Draft *draft, const Lane *lane, const Row *row, int64_t batch_rows, Blocks *blocks,
                            SfError *err)
{
    draft->block = blocks_next(blocks, NULL, row->data, row->size);
    if (!draft->block)
        return sf_fail(err, SF_RETRY, "%s: no memory for a line of %zu bytes", lane->ledger->split, row->size);
    draft->rows = raw_rows_new(lane->raw, batch_rows, block_unref, draft->block, err);
    if (!draft->rows)
        return SF_RETRY;
    block_ref(draft->block); /* the rows' */
    draft_add(draft, row, draft->block->data + draft->block->used - row->size);
    return SF_OK;
}

static void draft_done(Draft *draft)
{
    g_clear_pointer(&draft->rows, raw_rows_free);
    g_clear_pointer(&draft->block, block_unref);
}

/* SF_EMPTY: the entry's rows end here. */
static SfStatus draft_fill(Draft *draft, Lane *lane, const LaneOptions *options, Blocks *blocks, SfError *err)
{
    for (;;) {
        Row row;
        SF_TRY(rows_peek(lane->rows, &row, err));
        if (row.of.position >= lane->position) {
            if (!draft->rows)
                SF_TRY(draft_begin(draft, lane, &row, options->batch_rows, blocks, err));
            else if (draft_has_room(draft, &row, options->batch_rows))
                draft_copy(draft, &row);
            else
                return SF_OK;
        }
        rows_take(lane->rows);
    }
}

static SfStatus give_batch(Lane *lane, Draft *draft, bool ended, SfBatch *out, SfError *err)
{
    if (!draft->rows)
        draft->rows = raw_rows_new(lane->raw, 1, block_unref, NULL, err);
    if (!draft->rows)
        return SF_RETRY;
    out->bytes = draft->bytes;
    SF_TRY(raw_rows_finish(g_steal_pointer(&draft->rows), NULL, &out->rows, err));
    out->split = lane->split;
    out->start = lane->position;
    out->end = ended ? lane->entry->end : draft->end;
    out->newest_us = draft->newest_us;
    lane->position = out->end;
    if (ended) {
        lane->next = lane->entry->end;
        end_entry(lane);
    }
    return SF_OK;
}

static SfStatus read_batch(Lane *lane, const LaneOptions *options, Blocks *blocks, SfBatch *out, SfError *err)
{
    Draft draft = {.newest_us = INT64_MIN, .end = lane->position};
    SfStatus status = draft_fill(&draft, lane, options, blocks, err);
    if (status == SF_OK || status == SF_EMPTY)
        status = give_batch(lane, &draft, status == SF_EMPTY, out, err);
    draft_done(&draft);
    return status;
}

SfStatus lane_poll(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, Blocks *blocks, Quota *quota,
                   SfBatch *out, SfError *err)
{
    Quota before = *quota;
    SfStatus status = begin_entry(node, store, lane, options, quota, err);
    if (status == SF_OK)
        status = open_rows(node, store, lane, options, err);
    if (status == SF_EMPTY || status == SF_END)
        *quota = before;
    if (status == SF_OK)
        status = read_batch(lane, options, blocks, out, err);
    if (status != SF_OK)
        g_clear_pointer(&lane->rows, rows_free); /* read again up to the position */
    return status;
}
