/* Finds the objects of others by listing: all of them at the start, then what is new. Keys sort as they are listed, so
 * where a partition's names in one directory have their starts padded by zeros, what is known of them is leapt over. */
#include "source.h"

#include <inttypes.h>
#include <string.h>

#include "store/glob.h"

#define PAGE_KEYS 1000

/* Names of one partition in one directory, up to the digits. */
typedef struct Series {
    int64_t last; /* start of the object that sorts last */
    size_t digits;
    bool padded;
    const Lane *lane; /* NULL: of another task or topic */
} Series;

struct Listing {
    ListingOptions options;
    GStringChunk *texts; /* of Found */
    GHashTable *lanes;   /* by the split's name; NULL: of another task or topic */
    GHashTable *series;  /* of Series, by what their keys begin with */
    GPtrArray *fresh;    /* of Lane */
    GHashTable *touched; /* lanes whose trails were added to */
    guint splits;        /* of all tasks */
    int64_t strangers;   /* in this listing */
    char *stranger;      /* one of them */
};

Listing *listing_new(const ListingOptions *options)
{
    Listing *listing = g_new0(Listing, 1);
    listing->options = *options;
    listing->texts = g_string_chunk_new(1 << 12);
    listing->lanes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    listing->series = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    listing->fresh = g_ptr_array_new_with_free_func((GDestroyNotify) lane_free);
    listing->touched = g_hash_table_new(NULL, NULL);
    return listing;
}

void listing_free(Listing *listing)
{
    if (!listing)
        return;
    g_hash_table_unref(listing->touched);
    g_ptr_array_unref(listing->fresh);
    g_hash_table_unref(listing->series);
    g_hash_table_unref(listing->lanes);
    g_string_chunk_free(listing->texts);
    g_free(listing->stranger);
    g_free(listing);
}

GPtrArray *listing_fresh(Listing *listing)
{
    return listing->fresh;
}

guint listing_splits(const Listing *listing)
{
    return listing->splits;
}

int64_t listing_strangers(const Listing *listing, const char **example)
{
    *example = listing->stranger;
    return listing->strangers;
}

/* ---- one key ---- */

static bool is_wanted(const Listing *listing, const char *below)
{
    const char *path = listing->options.path;
    return *below && !g_str_has_suffix(below, "/") && !name_is_hidden(below) && (!path || glob_matches(path, below));
}

static bool is_of_topics(const Listing *listing, const char *topic)
{
    const SfList *topics = listing->options.topics;
    bool found = topics->size == 0;
    for (size_t i = 0; i < topics->size && !found; i++)
        found = g_str_equal(topics->items[i], topic);
    return found;
}

/* Its lane, which is new where there was none; NULL: it is not for this task. */
static Lane *find_lane(const SfNode *node, Listing *listing, const char *name, const char *topic, int32_t partition)
{
    gpointer known;
    if (g_hash_table_lookup_extended(listing->lanes, name, NULL, &known))
        return known;
    bool wanted = is_of_topics(listing, topic);
    bool ours = wanted && g_str_hash(name) % MAX(node->tasks, 1) == node->task;
    listing->splits += wanted;
    Lane *lane = ours ? lane_new(name, topic, partition, NULL) : NULL;
    g_hash_table_insert(listing->lanes, g_strdup(name), lane);
    if (lane)
        g_ptr_array_add(listing->fresh, lane);
    return lane;
}

/* Of what Kafka Connect writes beside the values (store.kafka.keys and the like); BESIDE_KINDS: of a value. */
static Beside beside_kind(const char *ending)
{
    for (int i = 0; i < BESIDE_KINDS; i++) {
        size_t size = strlen(beside_words[i]);
        if (ending[0] == '.' && strncmp(ending + 1, beside_words[i], size) == 0 && ending[1 + size] == '.')
            return (Beside) i;
    }
    return BESIDE_KINDS;
}

static char *connect_split(const Listing *listing, const ObjectName *name, const char *directory)
{
    GString *split = g_string_new(NULL);
    g_string_printf(split, "%s/%" G_GINT32_FORMAT, name->topic, name->partition);
    if (!listing->options.by_directory)
        return g_string_free(split, FALSE);
    gsize at = split->len + 1;
    g_string_append_printf(split, ":%s", directory);
    g_string_truncate(split, split->len > at ? split->len - 1 : at);
    g_strdelimit(split->str + at, "/", ':'); /* a name that ends in "/<number>" is a whole partition's */
    return g_string_free(split, FALSE);
}

static void note_series(Listing *listing, const char *key, size_t size, const ObjectName *name, const Lane *lane)
{
    g_autofree char *begin = g_strndup(key, size);
    Series *series = g_hash_table_lookup(listing->series, begin);
    if (!series) {
        series = g_new(Series, 1);
        *series = (Series){.last = name->start, .digits = name->digits, .padded = true, .lane = lane};
        g_hash_table_insert(listing->series, g_steal_pointer(&begin), series);
    }
    series->padded = series->padded && key[size] == '0' && name->digits == series->digits;
    series->last = MAX(series->last, name->start);
}

static void meet_stranger(Listing *listing, const char *key)
{
    if (listing->strangers++ > 0)
        return;
    g_free(listing->stranger);
    listing->stranger = g_strdup(key);
}

static SfStatus take_connect(SfNode *node, Store *store, Listing *listing, const StoreEntry *entry, SfError *err)
{
    ObjectName name;
    const char *key = entry->key;
    if (!name_read(key, &name)) {
        meet_stranger(listing, key);
        return SF_OK;
    }
    g_autofree char *topic = name.topic;
    size_t root = strlen(listing->options.lane->root), at = name.directory + name.name;
    const char *ending = key + at + name.digits;
    Beside kind = beside_kind(ending);
    g_autofree char *directory = g_strndup(key, name.directory), *begin = g_strndup(key + name.directory, name.name);
    g_autofree char *split = connect_split(listing, &name, directory + MIN(root, name.directory));
    Lane *lane = find_lane(node, listing, split, topic, name.partition);
    note_series(listing, key, at, &name, lane);
    Found found = {.start = name.start,
                   .bytes = entry->size,
                   .modified_ms = entry->modified_ms,
                   .directory = g_string_chunk_insert_const(listing->texts, directory),
                   .name = g_string_chunk_insert_const(listing->texts, begin),
                   .ending = g_string_chunk_insert_const(listing->texts, ending),
                   .digits = (int32_t) name.digits};
    if (!lane)
        return SF_OK;
    if (kind != BESIDE_KINDS) {
        trail_add_beside(lane, kind, &found);
        return SF_OK;
    }
    g_hash_table_add(listing->touched, lane);
    return trail_add(node, store, lane, listing->options.lane, &found, err);
}

static SfStatus take_file(SfNode *node, Store *store, Listing *listing, const StoreEntry *entry, SfError *err)
{
    const char *slash = strrchr(entry->key, '/'), *name = slash ? slash + 1 : entry->key;
    g_autofree char *split = g_strdup_printf("%s/%s", store_url(store), entry->key);
    g_autofree char *directory = g_strndup(entry->key, (gsize) (name - entry->key));
    Lane *lane = find_lane(node, listing, split, entry->key, 0);
    Found found = {.bytes = entry->size,
                   .modified_ms = entry->modified_ms,
                   .directory = g_string_chunk_insert_const(listing->texts, directory),
                   .name = g_string_chunk_insert_const(listing->texts, name),
                   .ending = g_string_chunk_insert_const(listing->texts, "")};
    if (!lane)
        return SF_OK;
    g_hash_table_add(listing->touched, lane);
    return trail_add(node, store, lane, listing->options.lane, &found, err);
}

/* ---- pages ---- */

/* The key to go on behind: the last one of the page, or what is known of its series. */
static char *leap(const Listing *listing, const char *key, const GHashTable *before)
{
    ObjectName name;
    if (listing->options.lane->layout != LAYOUT_CONNECT || !name_read(key, &name))
        return g_strdup(key);
    g_free(name.topic);
    g_autofree char *begin = g_strndup(key, name.directory + name.name);
    const char *known = g_hash_table_lookup((GHashTable *) before, begin);
    return g_strdup(known && strcmp(known, key) > 0 ? known : key);
}

static SfStatus take_page(SfNode *node, Store *store, Listing *listing, const GPtrArray *page, SfError *err)
{
    size_t root = strlen(listing->options.lane->root);
    for (guint i = 0; i < page->len; i++) {
        const StoreEntry *entry = page->pdata[i];
        if (!is_wanted(listing, entry->key + root))
            continue;
        SF_TRY(listing->options.lane->layout == LAYOUT_CONNECT ? take_connect(node, store, listing, entry, err)
                                                               : take_file(node, store, listing, entry, err));
    }
    return SF_OK;
}

/* Where each padded series goes on, as it was before this listing: what begins the keys of the object that comes next
 * and of what lies beside it, or of the last one. Between them others may still come. */
static GHashTable *known_series(const Listing *listing)
{
    GHashTable *known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GHashTableIter iter;
    gpointer begin, of;
    g_hash_table_iter_init(&iter, listing->series);
    while (g_hash_table_iter_next(&iter, &begin, &of)) {
        const Series *series = of;
        int64_t start = series->lane ? MIN(series->last, series->lane->next) : series->last;
        if (series->padded)
            g_hash_table_insert(known, g_strdup(begin),
                                g_strdup_printf("%s%0*" PRId64, (const char *) begin, (int) series->digits, start));
    }
    return known;
}

static SfStatus list_all(SfNode *node, Store *store, Listing *listing, SfError *err)
{
    g_autofree char *magic = listing->options.path ? glob_prefix(listing->options.path) : NULL;
    g_autofree char *prefix = g_strconcat(listing->options.lane->root, magic ? magic : "", NULL);
    g_autofree char *after = NULL;
    g_autoptr(GHashTable) before = known_series(listing);
    listing->strangers = 0;
    for (bool full = true; full;) {
        g_autoptr(GPtrArray) page = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        SF_TRY(store_list(store, prefix, after, PAGE_KEYS, page, err));
        SF_TRY(take_page(node, store, listing, page, err));
        full = page->len == PAGE_KEYS;
        g_free(after);
        after = full ? leap(listing, ((const StoreEntry *) page->pdata[page->len - 1])->key, before) : NULL;
    }
    return SF_OK;
}

SfStatus listing_look(SfNode *node, Store *store, Listing *listing, SfError *err)
{
    GHashTableIter iter;
    gpointer lane;
    SF_TRY(list_all(node, store, listing, err));
    g_hash_table_iter_init(&iter, listing->touched);
    while (g_hash_table_iter_next(&iter, &lane, NULL)) {
        SF_TRY(trail_sort(store, lane, err));
        ((Lane *) lane)->start = trail_first(lane);
    }
    g_hash_table_remove_all(listing->touched);
    return SF_OK;
}

size_t listing_held(const Listing *listing)
{
    return listing ? g_hash_table_size(listing->series) * 256 + g_hash_table_size(listing->lanes) * 128 : 0;
}
