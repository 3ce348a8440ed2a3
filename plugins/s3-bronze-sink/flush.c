/* Makes cut ranges durable. For every chain: rejects first, then the entry that fixes the cut, then the objects,
 * then the word to the host. Whatever was done before a failure is found and kept by the next call. */
#include <inttypes.h>

#include "bronze.h"

#define DUE_HELD ((size_t) 8 << 20)   /* bytes in memory */
#define DUE_BYTES ((size_t) 32 << 20) /* in the store's drafts as well */
#define DUE_OBJECTS 64

bool bronze_flush_due(const Bronze *bronze)
{
    size_t held = 0, bytes = 0, objects = 0;
    for (guint i = 0; i < ranges_count(bronze->chains); i++) {
        const Chain *chain = ranges_at(bronze->chains, i);
        if (chain->pending)
            return true;
        objects += chain->closed->len;
        for (guint j = 0; j < chain->closed->len; j++) {
            held += object_held(chain->closed->pdata[j]);
            bytes += object_bytes(chain->closed->pdata[j]);
        }
    }
    return held >= DUE_HELD || bytes >= DUE_BYTES || objects >= DUE_OBJECTS;
}

static GBytes *make_entry(SfNode *node, const Chain *chain, const Pending *pending)
{
    const Bronze *bronze = bronze_of(node);
    const SfSplit *split = chain->range.split;
    g_autoptr(GArray) objects = g_array_new(FALSE, FALSE, sizeof(EntryObject));
    for (guint i = 0; i < pending->objects->len; i++) {
        EntryObject object = object_entry(pending->objects->pdata[i]);
        g_array_append_val(objects, object);
    }
    EntryDraft draft = {.pipeline = node->pipeline,
                        .step = node->step,
                        .split = split->name,
                        .topic = split->topic ? split->topic : split->name,
                        .partition = split->partition,
                        .origin = sf_origin(node, split),
                        .start = pending->start,
                        .end = pending->end,
                        .reason = chain->reason,
                        .rejected = pending->rejected,
                        .objects = objects,
                        .layout = &bronze->layout,
                        .writer = bronze->writer};
    return entry_write(&draft);
}

static void make_pending(SfNode *node, Chain *chain)
{
    if (chain->pending || chain->redo || chain->cut_end <= chain->begin)
        return;
    Pending *pending = g_new0(Pending, 1);
    pending->start = chain->begin;
    pending->end = chain->cut_end;
    pending->rejected = chain->rejected_cut;
    pending->objects = g_steal_pointer(&chain->closed);
    chain->closed = g_ptr_array_new_with_free_func((GDestroyNotify) object_free);
    chain->begin = chain->cut_end;
    chain->rejected_cut = 0;
    pending->entry = make_entry(node, chain, pending);
    chain->pending = pending;
}

/* Chains with something pending; with_entry: only those whose entry is to be created. */
static GPtrArray *pending_chains(const Bronze *bronze, bool with_entry)
{
    GPtrArray *chains = g_ptr_array_new();
    for (guint i = 0; i < ranges_count(bronze->chains); i++) {
        Chain *chain = ranges_at(bronze->chains, i);
        if (chain->pending && (chain->pending->entry || !with_entry))
            g_ptr_array_add(chains, chain);
    }
    return chains;
}

static SfStatus settle(SfNode *node, const GPtrArray *chains, SfError *err)
{
    g_autofree RangeEnd *ends = g_new(RangeEnd, chains->len + 1);
    for (guint i = 0; i < chains->len; i++) {
        const Chain *chain = chains->pdata[i];
        ends[i] = (RangeEnd){chain->range.input, {chain->range.split, chain->pending->end}};
    }
    return range_ends_settle(node, ends, chains->len, err);
}

/* Puts all of them. Built for fault tests, the first goes alone, so that there is a point at which some are there. */
static SfStatus put_all(SfNode *node, StoreObject *objects, size_t n, const char *between, SfError *err)
{
    Store *store = bronze_of(node)->store;
    size_t first = 0;
#ifdef SF_FAULTS
    if (n > 1) {
        SF_TRY(store_put_all(store, objects, 1, err));
        first = 1;
    }
    sf_fault(node, between);
#else
    (void) between;
#endif
    return store_put_all(store, objects + first, n - first, err);
}

/* Another entry is there: of another process, or of our own earlier attempt. The same cut is as good as ours. */
static SfStatus follow_entry(SfNode *node, Chain *chain, const char *key, SfError *err)
{
    g_autoptr(Entry) theirs = NULL;
    SF_TRY(ledger_get(bronze_of(node)->store, chain->ledger, chain->pending->start, &theirs, err));
    g_autoptr(Entry) ours = entry_read(chain->pending->entry, key, err);
    if (!ours)
        return SF_CONFIG;
    if (entry_same_cut(theirs, ours) && g_str_equal(theirs->step, ours->step))
        return SF_OK;
    return sf_fail(err, SF_FENCED,
                   "%s: another process has cut the range from %" PRId64 " at %" PRId64 ", where this one "
                   "had %" PRId64,
                   chain->range.split->name, theirs->start, theirs->end, ours->end);
}

static SfStatus put_entries(SfNode *node, const GPtrArray *chains, SfError *err)
{
    g_auto(GStrv) keys = g_new0(char *, chains->len + 1);
    g_autofree StoreObject *entries = g_new0(StoreObject, chains->len + 1);
    for (guint i = 0; i < chains->len; i++) {
        const Chain *chain = chains->pdata[i];
        keys[i] = ledger_entry_key(chain->ledger, chain->pending->start);
        const Pending *pending = chain->pending;
        entries[i] = (StoreObject){.key = keys[i], .body = pending->entry, .only_new = !pending->amends};
    }
    SF_TRY(put_all(node, entries, chains->len, "bronze-2-some-entries", err));
    for (guint i = 0; i < chains->len; i++) {
        Chain *chain = chains->pdata[i];
        if (!entries[i].created)
            SF_TRY(follow_entry(node, chain, keys[i], err));
        g_clear_pointer(&chain->pending->entry, g_bytes_unref);
    }
    return SF_OK;
}

/* Something was there already. The same bytes are as good as ours: another process may have cut the same. */
static SfStatus settle_object(SfNode *node, const Chain *chain, const Object *object, SfError *err)
{
    const char *key = object->key;
    StoreSum there;
    SF_TRY(store_sum_all(bronze_of(node)->store, &key, &there, 1, err));
    if (there.size < 0)
        return sf_fail(err, SF_FENCED, "'%s/%s' has vanished while it was written", store_url(bronze_of(node)->store),
                       key);
    if (there.size == (int64_t) object_bytes(object) && there.crc32 == object->crc32)
        return SF_OK;
    return refuse_foreign(node, chain, chain->pending->start, key, there.size, (int64_t) object_bytes(object), err);
}

/* All that is pending, and what lies beside it. */
static GPtrArray *pending_objects(const Chain *chain)
{
    const GPtrArray *objects = chain->pending->objects;
    GPtrArray *all = g_ptr_array_new();
    for (guint i = 0; i < objects->len; i++) {
        const Object *object = objects->pdata[i];
        g_ptr_array_add(all, objects->pdata[i]);
        for (int kind = 0; kind < BESIDE_KINDS; kind++)
            if (object->beside[kind])
                g_ptr_array_add(all, object->beside[kind]);
    }
    return all;
}

static SfStatus put_objects(SfNode *node, const GPtrArray *chains, SfError *err)
{
    g_autoptr(GArray) puts = g_array_new(FALSE, TRUE, sizeof(StoreObject));
    for (guint i = 0; i < chains->len; i++) {
        g_autoptr(GPtrArray) objects = pending_objects(chains->pdata[i]);
        for (guint j = 0; j < objects->len; j++) {
            const Object *object = objects->pdata[j];
            StoreObject put = {.key = object->key, .body = object->body, .draft = object->draft, .only_new = true};
            g_array_append_val(puts, put);
        }
    }
    SF_TRY(put_all(node, (StoreObject *) (gpointer) puts->data, puts->len, "bronze-4-some-objects", err));
    for (guint i = 0, n = 0; i < chains->len; i++) {
        g_autoptr(GPtrArray) objects = pending_objects(chains->pdata[i]);
        for (guint j = 0; j < objects->len; j++, n++)
            if (!g_array_index(puts, StoreObject, n).created)
                SF_TRY(settle_object(node, chains->pdata[i], objects->pdata[j], err));
    }
    return SF_OK;
}

static SfStatus flush_once(SfNode *node, const GPtrArray *chains, SfError *err)
{
    g_autoptr(GPtrArray) new = pending_chains(bronze_of(node), true);
    if (new->len > 0) {
        SF_TRY(settle(node, new, err));
        sf_fault(node, "bronze-1-before-entries");
        SF_TRY(put_entries(node, new, err));
    }
    sf_fault(node, "bronze-3-before-objects");
    SF_TRY(put_objects(node, chains, err));
    sf_fault(node, "bronze-5-before-committed");
    for (guint i = 0; i < chains->len; i++) {
        Chain *chain = chains->pdata[i];
        range_publish_to(node, &chain->range, chain->pending->end);
        g_clear_pointer(&chain->pending, pending_free);
    }
    sf_fault(node, "bronze-6-after-committed");
    return SF_OK;
}

SfStatus bronze_flush(SfNode *node, SfError *err)
{
    const Bronze *bronze = bronze_of(node);
    for (;;) {
        for (guint i = 0; i < ranges_count(bronze->chains); i++)
            make_pending(node, ranges_at(bronze->chains, i));
        g_autoptr(GPtrArray) chains = pending_chains(bronze, false);
        if (chains->len == 0)
            return SF_OK;
        SF_TRY(flush_once(node, chains, err));
    }
}
