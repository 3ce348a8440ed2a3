/* The objects of a split that others wrote, in the order of the positions that their names say. Lines count from there:
 * where an object has fewer than there are positions up to the next one (compaction, transactions, what the writer left
 * out), nobody knows which, and it is said. */
#include "source.h"

#include <inttypes.h>
#include <string.h>

#define SETTLE_MS 10000                         /* an object behind a hole waits for others that were written with it */
#define LINES_A_PACKED_BYTE ((int64_t) 1 << 16) /* zstd's blocks of 128 KiB take 4 bytes (RFC 8878, 3.1.1.2) */

struct Trail {
    GArray *found; /* of Found; the first `sorted` by their starts */
    guint sorted;
    GHashTable *beside[BESIDE_KINDS]; /* of Found, by keys of what they lie beside up to their endings */
    bool known;                       /* a first listing is complete: what starts below `next` from now on came late */
    bool begun;                       /* the object of these: */
    Found current;
    EntryObject as;
    Found before;    /* what was read last; name NULL: nothing */
    int64_t reached; /* behind its last row */
    int64_t holes;   /* said, and not said yet */
    int64_t missing; /* positions in them */
    int64_t said;    /* holes that were */
};

/* What an object has in common with those beside it. */
static guint stem_hash(gconstpointer user)
{
    const Found *found = user;
    return g_int64_hash(&found->start) ^ g_direct_hash(found->directory) ^ g_direct_hash(found->name);
}

static gboolean stem_equal(gconstpointer a, gconstpointer b)
{
    const Found *one = a, *other = b;
    return one->start == other->start && one->directory == other->directory && one->name == other->name &&
           one->digits == other->digits;
}

Trail *trail_new(void)
{
    Trail *trail = g_new0(Trail, 1);
    trail->found = g_array_new(FALSE, FALSE, sizeof(Found));
    for (int i = 0; i < BESIDE_KINDS; i++)
        trail->beside[i] = g_hash_table_new_full(stem_hash, stem_equal, g_free, NULL);
    return trail;
}

void trail_free(Trail *trail)
{
    if (!trail)
        return;
    g_array_unref(trail->found);
    for (int i = 0; i < BESIDE_KINDS; i++) {
        g_hash_table_unref(trail->beside[i]);
        g_free(trail->as.beside[i].key);
    }
    g_free(trail->as.key);
    g_free(trail);
}

size_t trail_held(const Lane *lane)
{
    const Trail *trail = lane->trail;
    guint beside = g_hash_table_size(trail->beside[BESIDE_KEYS]) + g_hash_table_size(trail->beside[BESIDE_HEADERS]);
    return trail->found->len * sizeof(Found) + beside * 2 * sizeof(Found);
}

const EntryObject *trail_object(const Lane *lane)
{
    return lane->trail->begun ? &lane->trail->as : NULL;
}

char *found_key(const Found *found)
{
    if (found->digits == 0)
        return g_strconcat(found->directory, found->name, found->ending, NULL);
    return g_strdup_printf("%s%s%0*" PRId64 "%s", found->directory, found->name, (int) found->digits, found->start,
                           found->ending);
}

/* Texts are the same where they are equal. */
static bool is_same_object(const Found *a, const Found *b)
{
    return stem_equal(a, b) && a->ending == b->ending;
}

static Found *found_at(const Trail *trail, guint i)
{
    return &g_array_index(trail->found, Found, i);
}

/* Number of the first that starts there or behind. */
static guint find_start(const Trail *trail, int64_t start)
{
    guint low = 0, high = trail->sorted;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (found_at(trail, middle)->start < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t trail_first(const Lane *lane)
{
    return found_at(lane->trail, 0)->start;
}

int64_t trail_last(const Lane *lane)
{
    return found_at(lane->trail, lane->trail->sorted - 1)->start;
}

/* Names need not say that a file is packed. */
static int64_t whole_of(const Found *found)
{
    bool huge = found->bytes > (INT64_MAX >> 2) / LINES_A_PACKED_BYTE;
    return huge ? INT64_MAX >> 2 : found->bytes * LINES_A_PACKED_BYTE + 1;
}

int64_t trail_whole(const Lane *lane)
{
    return whole_of(found_at(lane->trail, 0));
}

/* ---- listings ---- */

static SfStatus refuse_changed(const Store *store, const Found *was, const Found *is, SfError *err)
{
    g_autofree char *key = found_key(is);
    return sf_fail(err, SF_FATAL,
                   "'%s/%s' was changed after it was read: it had %" PRId64 " bytes, and has %" PRId64
                   " written at another time; give what is new a name of its own",
                   store_url(store), key, was->bytes, is->bytes);
}

/* What was read must not change. Kafka Connect writes the same object once more after a failure: then only its time is
 * another. */
static SfStatus check_known(const Store *store, const Lane *lane, Found *was, const Found *is, SfError *err)
{
    const Trail *trail = lane->trail;
    bool begun = trail->begun && trail->current.start == was->start;
    bool touched = lane->done || begun || was->start < lane->next;
    bool same = was->bytes == is->bytes && (is->digits > 0 || was->modified_ms == is->modified_ms);
    if (!same && touched)
        return refuse_changed(store, was, is, err);
    *was = *is;
    return SF_OK;
}

/* Rows behind it were given: those of this one can have no place before them any more. */
static SfStatus meet_late(SfNode *node, const Store *store, const Lane *lane, const LaneOptions *options,
                          const Found *found, SfError *err)
{
    g_autofree char *key = found_key(found);
    if (options->missing == MISSING_STOP)
        return sf_fail(err, SF_FATAL,
                       "%s: '%s/%s' came when rows behind it had been read, up to %" PRId64
                       "; read this split anew into another place, or set 'on_missing: skip' to do without it",
                       lane->name, store_url(store), key, lane->position);
    sf_log(node, SF_LOG_WARNING,
           "%s: '%s/%s' came when rows behind it had been read, up to %" PRId64 "; it is passed over", lane->name,
           store_url(store), key, lane->position);
    return SF_OK;
}

/* What was begun and gave no row yet can still wait for one that comes before it. */
static bool is_late(Lane *lane, const Found *found)
{
    Trail *trail = lane->trail;
    bool before = trail->begun && found->start < trail->current.start;
    if (before && found->start >= lane->next && lane->position <= trail->current.start) {
        g_clear_pointer(&lane->rows, rows_free);
        trail->begun = before = false;
    }
    return trail->known && (before || found->start < lane->next);
}

SfStatus trail_add(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, const Found *found, SfError *err)
{
    Trail *trail = lane->trail;
    for (guint i = find_start(trail, found->start); i < trail->sorted && found_at(trail, i)->start == found->start; i++)
        if (is_same_object(found_at(trail, i), found))
            return check_known(store, lane, found_at(trail, i), found, err);
    if (is_late(lane, found))
        SF_TRY(meet_late(node, store, lane, options, found, err));
    g_array_append_val(trail->found, *found);
    return SF_OK;
}

void trail_add_beside(Lane *lane, Beside kind, const Found *found)
{
    g_hash_table_add(lane->trail->beside[kind], g_memdup2(found, sizeof *found));
}

static gint by_start(gconstpointer a, gconstpointer b)
{
    const Found *one = a, *other = b;
    return (one->start > other->start) - (one->start < other->start);
}

/* Two objects have the positions of each other. */
static SfStatus refuse_overlap(const Store *store, const Lane *lane, const Found *one, int64_t end, const Found *other,
                               SfError *err)
{
    g_autofree char *first = found_key(one), *second = found_key(other);
    return sf_fail(err, SF_FATAL,
                   "%s: '%s/%s' has rows up to %" PRId64 ", and '%s' starts with %" PRId64
                   ": rows may be there twice. Remove the one that is a copy; where a field or late rows spread a "
                   "partition over several directories, set 'split_by: directory'",
                   lane->name, store_url(store), first, end - 1, second, other->start);
}

SfStatus trail_sort(Store *store, Lane *lane, SfError *err)
{
    Trail *trail = lane->trail;
    if (trail->found->len > trail->sorted)
        g_array_sort(trail->found, by_start);
    trail->sorted = trail->found->len;
    for (guint i = 1; i < trail->sorted; i++)
        if (found_at(trail, i)->start == found_at(trail, i - 1)->start)
            return refuse_overlap(store, lane, found_at(trail, i - 1), found_at(trail, i)->start + 1,
                                  found_at(trail, i), err);
    trail->known = true;
    if (trail->sorted > 0)
        lane->end = MAX(lane->position, trail_last(lane) + 1);
    return SF_OK;
}

/* ---- one after the other ---- */

/* So that a file that is another by now is not taken for the rest of the one that a sink has read. */
static SfStatus tell_identity(SfNode *node, const Lane *lane, SfError *err)
{
    const Found *found = found_at(lane->trail, 0);
    g_autofree char *origin = g_strdup_printf("%" PRId64 "-%" PRId64, found->bytes, found->modified_ms);
    sf_set_origin(node, lane->split, origin);
    const char *other = sf_other_origin(node, lane->split);
    if (other)
        return sf_fail(err, SF_CONFIG,
                       "'%s' was changed after it was read: a sink has rows of it as it was (bytes and time %s), now "
                       "it is %s; give what is new a name of its own",
                       lane->name, other, origin);
    return SF_OK;
}

SfStatus trail_start(SfNode *node, Lane *lane, const LaneOptions *options, int64_t position, SfError *err)
{
    Trail *trail = lane->trail;
    guint behind = find_start(trail, position + 1);
    trail->begun = false;
    trail->before.name = NULL;
    if (behind > 0)
        lane->next = found_at(trail, behind - 1)->start;
    if (options->layout != LAYOUT_FILES)
        return SF_OK;
    lane->done = position >= trail_whole(lane);
    return tell_identity(node, lane, err);
}

static void say_holes(SfNode *node, Lane *lane)
{
    Trail *trail = lane->trail;
    if (trail->holes > trail->said)
        sf_log(node, SF_LOG_WARNING,
               "%s: %" PRId64 " holes between objects so far, with %" PRId64
               " positions that no object has (compaction, transactions, or rows that were not written)",
               lane->name, trail->holes, trail->missing);
    trail->said = trail->holes;
}

static void meet_hole(SfNode *node, Lane *lane, const Found *found)
{
    Trail *trail = lane->trail;
    trail->missing += found->start - lane->position;
    if (trail->holes++ > 0)
        return;
    g_autofree char *key = found_key(found);
    trail->said = 1;
    sf_log(node, SF_LOG_WARNING,
           "%s: no object has the positions [%" PRId64 ", %" PRId64 ") in front of '%s': offsets are those of the "
           "topic only where it has no holes; more of them are counted",
           lane->name, lane->position, found->start, key);
}

static bool is_young(SfNode *node, const Found *found)
{
    return ABS(sf_now_ms(node) - found->modified_ms) < SETTLE_MS;
}

static SfStatus no_more(SfNode *node, Lane *lane, const LaneOptions *options)
{
    say_holes(node, lane);
    lane->done = options->layout == LAYOUT_FILES;
    return options->bounded ? SF_END : SF_EMPTY;
}

/* What lies beside an object that is about to be begun. Kafka Connect puts it there after the object: SF_EMPTY, it may
 * still come. */
static SfStatus find_beside(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, const Found *found,
                            EntryObject *as, SfError *err)
{
    const bool wanted[BESIDE_KINDS] = {options->keys, options->headers};
    for (int i = 0; i < BESIDE_KINDS; i++) {
        const Found *beside = g_hash_table_lookup(lane->trail->beside[i], found);
        if (!wanted[i])
            continue;
        if (!beside && !options->bounded && is_young(node, found))
            return SF_EMPTY;
        if (!beside && options->missing == MISSING_STOP)
            return sf_fail(err, SF_FATAL,
                           "%s: '%s/%s' has no %s beside it; put them back, or set 'on_missing: skip' to read it "
                           "without",
                           lane->name, store_url(store), as->key, beside_words[i]);
        if (!beside)
            sf_log(node, SF_LOG_WARNING, "%s: '%s/%s' has no %s beside it and is read without", lane->name,
                   store_url(store), as->key, beside_words[i]);
        else
            as->beside[i] = (EntryBeside){.key = found_key(beside), .bytes = beside->bytes};
    }
    return SF_OK;
}

static void begin_object(Trail *trail, const Found *found, const EntryObject *as)
{
    g_free(trail->as.key);
    for (int i = 0; i < BESIDE_KINDS; i++)
        g_free(trail->as.beside[i].key);
    trail->as = *as;
    trail->current = *found;
    trail->begun = true;
}

SfStatus trail_begin(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, Quota *quota, SfError *err)
{
    Trail *trail = lane->trail;
    guint next = find_start(trail, lane->next);
    if (trail->begun)
        return SF_OK;
    if (next == trail->sorted)
        return no_more(node, lane, options);
    const Found *found = found_at(trail, next);
    if (trail->before.name && found->start < trail->reached)
        return refuse_overlap(store, lane, &trail->before, trail->reached, found, err);
    bool hole = found->start > lane->position;
    if (hole && !options->bounded && is_young(node, found))
        return SF_EMPTY;
    if (!quota_spend(quota, 1, found->bytes))
        return SF_EMPTY;
    EntryObject as = {
        .key = found_key(found), .first = found->start, .last = INT64_MAX, .rows = INT64_MAX, .bytes = found->bytes};
    SfStatus status = find_beside(node, store, lane, options, found, &as, err);
    if (status != SF_OK) {
        g_free(as.key);
        g_free(as.beside[BESIDE_KEYS].key);
        return status;
    }
    if (hole)
        meet_hole(node, lane, found);
    begin_object(trail, found, &as);
    return SF_OK;
}

SfStatus trail_miss(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, const char *key, SfError *err)
{
    Trail *trail = lane->trail;
    if (options->missing == MISSING_STOP)
        return sf_fail(err, SF_FATAL,
                       "%s: '%s/%s' was listed and is missing now; put it back, or set 'on_missing: skip'", lane->name,
                       store_url(store), key);
    sf_log(node, SF_LOG_WARNING, "%s: '%s/%s' was listed and is missing now; it is passed over", lane->name,
           store_url(store), key);
    for (int i = 0; i < BESIDE_KINDS; i++) {
        if (trail->as.beside[i].key != key)
            continue;
        g_clear_pointer(&trail->as.beside[i].key, g_free);
        return SF_OK;
    }
    trail->begun = false;
    lane->next = trail->current.start + 1;
    return SF_OK;
}

int64_t trail_reach(const Lane *lane, const LaneOptions *options)
{
    int64_t end = rows_end(lane->rows);
    return options->layout == LAYOUT_FILES ? MAX(end, whole_of(&lane->trail->current)) : end;
}

void trail_end(Lane *lane, const LaneOptions *options)
{
    Trail *trail = lane->trail;
    trail->reached = trail_reach(lane, options);
    trail->before = trail->current;
    trail->begun = false;
    lane->next = trail->current.start + 1;
}
