/* Finds where a chain ended: its last ledger entry, by few listings however many there are, and whether what the
 * entry promised is there. */
#include <inttypes.h>

#include "bronze.h"

#define PAGE 1000
#define BACK_FIRST 4096 /* positions to look back from a hint */
#define ENTRY_MAX (INT64_C(64) << 20)
#define PIPELINES_MAX 64 /* others at the same place that are looked at */

/* Starts of entries behind a position: the first and the last of a page. */
typedef struct Page {
    size_t n;
    int64_t first;
    int64_t last;
    int64_t last_ms; /* when it was written */
} Page;

static bool start_of(const Chain *chain, const char *key, int64_t *start)
{
    const char *digits = key + strlen(chain->ledger);
    char *end;
    *start = g_ascii_strtoll(digits, &end, 10);
    return end - digits == 20 && g_str_equal(end, ".json");
}

static SfStatus list_behind(Store *store, const Chain *chain, int64_t position, Page *page, SfError *err)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    g_autofree char *after = position >= 0 ? entry_key(chain, position) : NULL;
    SF_TRY(store_list(store, chain->ledger, after, PAGE, entries, err));
    page->n = 0;
    for (guint i = 0; i < entries->len; i++) {
        const StoreEntry *entry = entries->pdata[i];
        int64_t start;
        if (!start_of(chain, entry->key, &start))
            continue;
        if (page->n++ == 0)
            page->first = start;
        page->last = start;
        page->last_ms = entry->modified_ms;
    }
    return SF_OK;
}

static int64_t add_capped(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* The search: entries lie in (low, high]; pages are asked for behind `probe`. */
typedef struct Search {
    int64_t low; /* start of the last entry seen, or -1 */
    int64_t low_ms;
    int64_t high; /* none begins behind it; INT64_MAX: not known */
    int64_t probe;
    int64_t stride; /* to gallop by, forward or back */
} Search;

static void look_further(Search *search, int64_t hint)
{
    if (search->low >= 0 && search->high == INT64_MAX) { /* forward, faster and faster */
        search->probe = add_capped(search->low, search->stride);
        search->stride = add_capped(search->stride, search->stride);
    } else if (search->low >= 0) { /* there is an end: halve */
        search->probe = search->low + (search->high - search->low) / 2;
    } else { /* nothing yet: back from the hint */
        search->stride = add_capped(search->stride, search->stride * 7);
        search->probe = hint > search->stride ? hint - search->stride : -1;
    }
}

/* Start of the chain's last entry, or SF_POSITION_NONE; and when it was written. */
static SfStatus find_last(Store *store, const Chain *chain, int64_t hint, int64_t *last, int64_t *last_ms, SfError *err)
{
    Search search = {.low = -1, .high = INT64_MAX, .probe = hint > 0 ? hint - 1 : -1, .stride = BACK_FIRST};
    for (;;) {
        Page page;
        SF_TRY(list_behind(store, chain, search.probe, &page, err));
        if (page.n > 0) {
            if (search.low < 0)
                search.stride = MAX(page.last - page.first, 1);
            search.low = page.last;
            search.low_ms = page.last_ms;
        } else {
            search.high = search.probe;
        }
        bool exhausted = search.low < 0 ? search.probe < 0 : search.high <= search.low;
        if (exhausted || (page.n > 0 && page.n < PAGE)) {
            *last = search.low;
            *last_ms = search.low_ms;
            return SF_OK;
        }
        look_further(&search, hint);
    }
}

/* Which of the entry's objects are there, whole. */
static SfStatus look_at_objects(Store *store, const Entry *entry, bool *stored, bool *all, SfError *err)
{
    size_t n = entry->objects->len;
    g_autofree const char **keys = g_new(const char *, n + 1);
    g_autofree int64_t *sizes = g_new(int64_t, n + 1);
    for (size_t i = 0; i < n; i++)
        keys[i] = g_array_index(entry->objects, EntryObject, i).key;
    SF_TRY(store_stat_all(store, keys, sizes, n, err));
    *all = true;
    for (size_t i = 0; i < n; i++) {
        stored[i] = sizes[i] == g_array_index(entry->objects, EntryObject, i).bytes;
        *all = *all && stored[i];
    }
    return SF_OK;
}

static SfStatus check_step(const SfNode *node, const Chain *chain, const Entry *entry, SfError *err)
{
    if (g_str_equal(entry->step, node->step))
        return SF_OK;
    return sf_fail(err, SF_CONFIG,
                   "step '%s' of this pipeline has written '%s' to '%s' already; give '%s' a url or "
                   "topics.dir of its own, or the name '%s' if it takes over",
                   entry->step, chain->split->name, store_url(bronze_of(node)->store), node->step, entry->step);
}

/* Takes the chain to where its last entry leaves it. */
static SfStatus resume(SfNode *node, Chain *chain, int64_t start, int64_t hint, SfError *err)
{
    Store *store = bronze_of(node)->store;
    g_autofree char *key = entry_key(chain, start);
    g_autoptr(GBytes) body = NULL;
    SfStatus status = store_get(store, key, ENTRY_MAX, &body, err);
    if (status == SF_EMPTY)
        return sf_fail(err, SF_RETRY, "ledger entry '%s' has vanished from '%s'", key, store_url(store));
    SF_TRY(status);
    g_autoptr(Entry) entry = entry_read(body, key, err);
    if (!entry)
        return SF_CONFIG;
    if (entry->start != start)
        return sf_fail(err, SF_CONFIG, "ledger entry '%s' says that it starts at %" PRId64, key, entry->start);
    SF_TRY(check_step(node, chain, entry, err));
    g_autofree bool *stored = g_new0(bool, entry->objects->len + 1);
    bool all = hint >= entry->end; /* committed in an earlier run */
    if (!all)
        SF_TRY(look_at_objects(store, entry, stored, &all, err));
    chain_reset(chain, all ? entry->end : entry->start);
    if (!all)
        sf_log(node, SF_LOG_INFO,
               "%s: the range [%" PRId64 ", %" PRId64 ") was cut and not finished; it is read once more",
               chain->split->name, entry->start, entry->end);
    if (!all)
        chain->redo = redo_new(g_steal_pointer(&entry), stored, &bronze_of(node)->workshop);
    return SF_OK;
}

/* The first key behind `after` below the ledgers of all pipelines, or NULL. */
static SfStatus next_key(Store *store, const char *prefix, const char *after, char **key, SfError *err)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    SF_TRY(store_list(store, prefix, after, 1, found, err));
    *key = found->len > 0 ? g_strdup(((StoreEntry *) found->pdata[0])->key) : NULL;
    return SF_OK;
}

static SfStatus check_ledger_of(SfNode *node, const Chain *chain, const char *ledgers, const char *pipeline,
                                SfError *err)
{
    const Bronze *bronze = bronze_of(node);
    g_autofree char *prefix =
        g_strdup_printf("%s%s/%s/%" PRId32 "/", ledgers, pipeline, chain->name, chain->split->partition);
    g_autofree char *key = NULL;
    SF_TRY(next_key(bronze->store, prefix, NULL, &key, err));
    if (!key || g_str_equal(prefix, chain->ledger))
        return SF_OK;
    return sf_fail(err, SF_CONFIG,
                   "pipeline '%s' has written '%s' to '%s' already, and every row would be there twice; give "
                   "'%s' a url or topics.dir of its own, or the pipeline the name '%s' if it takes over",
                   pipeline, chain->split->name, store_url(bronze->store), node->step, pipeline);
}

/* A chain without an entry must not meet the objects of another pipeline: names would clash and rows double. */
static SfStatus check_neighbours(SfNode *node, const Chain *chain, SfError *err)
{
    const Bronze *bronze = bronze_of(node);
    g_autofree char *ledgers = g_strconcat(bronze->root, "_sf/", NULL);
    g_autofree char *after = NULL;
    for (int i = 0; i < PIPELINES_MAX; i++) {
        g_autofree char *key = NULL;
        SF_TRY(next_key(bronze->store, ledgers, after, &key, err));
        if (!key)
            return SF_OK;
        const char *name = key + strlen(ledgers), *slash = strchr(name, '/');
        g_free(g_steal_pointer(&after));
        after = slash ? g_strdup_printf("%.*s0", (int) (slash - key), key) /* '0' sorts next behind '/' */
                      : g_strdup(key);
        g_autofree char *pipeline = slash ? g_strndup(name, (gsize) (slash - name)) : NULL;
        if (pipeline)
            SF_TRY(check_ledger_of(node, chain, ledgers, pipeline, err));
    }
    return SF_OK;
}

SfStatus ledger_recover(SfNode *node, Chain *chain, int64_t hint, int64_t *position, int64_t *written_ms, SfError *err)
{
    int64_t last = SF_POSITION_NONE;
    SF_TRY(find_last(bronze_of(node)->store, chain, hint, &last, written_ms, err));
    if (last == SF_POSITION_NONE) {
        SF_TRY(check_neighbours(node, chain, err));
        chain_reset(chain, SF_POSITION_NONE);
    } else {
        SF_TRY(resume(node, chain, last, hint, err));
    }
    *position = chain->start;
    return SF_OK;
}
