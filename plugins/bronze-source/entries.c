/* The entries of a split's ledger, one after the other. */
#include "source.h"

#include <inttypes.h>
#include <string.h>

#define LOOK_EVERY 16 /* polls without an entry after which a gap is looked for */

void entries_end(Lane *lane)
{
    g_clear_pointer(&lane->rows, rows_free);
    g_clear_pointer(&lane->entry, entry_free);
    g_clear_pointer(&lane->passed, g_free);
}

char *entry_split(const Entry *entry)
{
    return entry->split ? g_strdup(entry->split) : g_strdup_printf("%s/%" PRId32, entry->topic, entry->partition);
}

SfStatus entries_look_ahead(Store *store, Lane *lane, SfError *err)
{
    int64_t start, written_ms;
    g_autoptr(Entry) last = NULL;
    SF_TRY(ledger_last(store, lane->ledger, lane->end, &start, &written_ms, err));
    if (start == SF_POSITION_NONE)
        return sf_fail(err, SF_RETRY, "the ledger '%s/%s' has vanished", store_url(store), lane->ledger);
    SF_TRY(ledger_get(store, lane->ledger, start, &last, err));
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
                       lane->name, from, to, store_url(store), lane->ledger);
    sf_log(node, SF_LOG_WARNING, "%s: bronze has no rows of [%" PRId64 ", %" PRId64 "); on with those behind them",
           lane->name, from, to);
    lane->next = to;
    return SF_OK;
}

SfStatus entries_start(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, int64_t position,
                       SfError *err)
{
    int64_t floor;
    SF_TRY(ledger_floor(store, lane->ledger, position, &floor, err));
    if (floor == SF_POSITION_NONE)
        return meet_gap(node, store, lane, options, lane->start, err);
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
    SF_TRY(ledger_page(store, lane->ledger, lane->next - 1, &page, err));
    if (page.n == 0 && options->bounded) /* it was there when the run began */
        return meet_gap(node, store, lane, options, lane->end, err);
    if (page.n == 0)
        return SF_EMPTY;
    return page.first == lane->next ? SF_OK : meet_gap(node, store, lane, options, page.first, err);
}

/* Entries come from a place where others may write. */
static SfStatus check_entry(const Lane *lane, const LaneOptions *options, const Entry *entry, SfError *err)
{
    g_autofree char *segment = ledger_segment(entry->topic);
    g_autofree char *below = g_strconcat(options->root, segment, "/", NULL);
    g_autofree char *name = entry_split(entry);
    if (!g_str_equal(name, lane->name))
        return sf_fail(err, SF_FATAL, "ledger '%s': the entry at %" PRId64 " is of '%s', those before it are of '%s'",
                       lane->ledger, entry->start, name, lane->name);
    for (guint i = 0; i < entry->objects->len; i++) {
        const EntryObject *object = &g_array_index(entry->objects, EntryObject, i);
        bool good = g_str_has_prefix(object->key, below) && object->first >= entry->start && object->last < entry->end;
        for (int kind = 0; kind < BESIDE_KINDS; kind++)
            good = good && (!object->beside[kind].key || g_str_has_prefix(object->beside[kind].key, below));
        if (!good)
            return sf_fail(err, SF_FATAL,
                           "ledger '%s': the entry at %" PRId64 " names '%.200s', which is not an object of its "
                           "topic and range, or what lies beside it is not",
                           lane->ledger, entry->start, object->key);
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
                       lane->ledger, entry->start, entry->origin, lane->origin);
    sf_set_origin(node, lane->split, entry->origin);
    const char *other = sf_other_origin(node, lane->split);
    if (other)
        return sf_fail(err, SF_CONFIG,
                       "%s: topic '%s' was deleted and created anew: bronze has rows of the new one (%s), a sink has "
                       "rows of the old one (%s); give the sink another place",
                       lane->name, lane->topic, entry->origin, other);
    lane->origin = g_strdup(entry->origin);
    return SF_OK;
}

static bool spend_quota(Quota *quota, const Entry *entry)
{
    int64_t bytes = 0;
    for (guint i = 0; i < entry->objects->len; i++)
        bytes += g_array_index(entry->objects, EntryObject, i).bytes;
    return quota_spend(quota, entry->objects->len, bytes);
}

static void say_guess(SfNode *node, Lane *lane)
{
    if (lane->guessed || !rows_guess(lane->entry))
        return;
    sf_log(node, SF_LOG_WARNING,
           "%s: the ledger entry at %" PRId64 " is of an earlier version, which kept no positions of rows, and its "
           "range has holes: rows are numbered without them",
           lane->name, lane->entry->start);
    lane->guessed = true;
}

SfStatus entries_begin(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, Quota *quota, SfError *err)
{
    while (!lane->entry) {
        g_autoptr(Entry) entry = NULL;
        if (options->bounded && lane->next >= lane->end)
            return SF_END;
        SfStatus status = ledger_find(store, lane->ledger, lane->next, &entry, err);
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
        lane->passed = g_new0(bool, PARTS * entry->objects->len + 1);
        lane->entry = g_steal_pointer(&entry);
        say_guess(node, lane);
    }
    return SF_OK;
}

/* Of the object and what lies beside it, the one with this key, which is the entry's own text. */
static int part_of(const EntryObject *object, const char *key)
{
    int part = 0;
    for (int kind = 0; kind < BESIDE_KINDS; kind++)
        part = object->beside[kind].key == key ? 1 + kind : part;
    return part;
}

static void pass_over(SfNode *node, const Store *store, Lane *lane, const EntryObject *object, const char *key)
{
    int part = part_of(object, key);
    g_autofree char *how = part > 0 ? g_strconcat("read without ", beside_words[part - 1], NULL) : NULL;
    sf_log(node, SF_LOG_WARNING,
           "'%s/%s' is missing; its %" PRId64 " rows of %s from %" PRId64 " to %" PRId64 " are %s", store_url(store),
           key, object->rows, lane->name, object->first, object->last, how ? how : "passed over");
    gsize number = (gsize) (object - (const EntryObject *) (gpointer) lane->entry->objects->data);
    lane->passed[PARTS * number + (gsize) part] = true;
}

/* An object is missing: not yet there where its entry is the last one, since entries come first; lost where another
 * entry follows, which is created when all objects of the one before are there. */
SfStatus entries_miss(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, const EntryObject *object,
                      const char *key, SfError *err)
{
    LedgerPage page;
    SF_TRY(ledger_page(store, lane->ledger, lane->entry->start, &page, err));
    if (page.n == 0) {
        entries_end(lane); /* it may be another one by then */
        return options->bounded ? SF_END : SF_EMPTY;
    }
    int64_t size;
    SfStatus status = store_stat(store, key, &size, err);
    if (status != SF_EMPTY)
        return status; /* it came between the two looks */
    if (options->missing == MISSING_STOP)
        return sf_fail(err, SF_FATAL,
                       "'%s/%s' is missing, with %" PRId64 " rows of %s from %" PRId64 " to %" PRId64
                       "; put it back, read these rows from the topic, or set 'on_missing: skip'",
                       store_url(store), key, object->rows, lane->name, object->first, object->last);
    pass_over(node, store, lane, object, key);
    return SF_OK;
}
