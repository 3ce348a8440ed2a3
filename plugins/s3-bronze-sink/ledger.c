/* Finds where a chain ended: its last ledger entry, by few listings however many there are, and whether what the
 * entry promised is there. */
#include <inttypes.h>
#include <string.h>

#include "bronze.h"

#define PAGE 1000
#define BACK_FIRST 4096 /* positions to look back from a hint */
#define ENTRY_MAX (INT64_C(64) << 20)
#define CLAIM "split.json" /* sorts behind all entries */
#define PIPELINES_MAX 64   /* others at the same place that are looked at */

/* Starts of entries behind a position: the first and the last of a page. */
typedef struct Page {
    size_t n;
    bool full; /* there may be more */
    int64_t first;
    int64_t last;
    int64_t last_ms; /* when it was written */
} Page;

static bool start_of(const Chain *chain, const char *key, int64_t *start)
{
    if (!g_str_has_prefix(key, chain->ledger))
        return false;
    const char *digits = key + strlen(chain->ledger);
    if (strspn(digits, G_CSET_DIGITS) != 20 || !g_str_equal(digits + 20, ".json"))
        return false;
    guint64 number = g_ascii_strtoull(digits, NULL, 10);
    *start = (int64_t) number;
    return number < INT64_MAX;
}

static void take_entries(const Chain *chain, const GPtrArray *entries, Page *page)
{
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
}

/* Keys that are none of ours may be among them, whole pages of them. */
static SfStatus list_behind(Store *store, const Chain *chain, int64_t position, Page *page, SfError *err)
{
    g_autofree char *after = position >= 0 ? entry_key(chain, position) : NULL;
    *page = (Page){.full = true};
    while (page->n == 0 && page->full) {
        g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        SF_TRY(store_list(store, chain->ledger, after, PAGE, entries, err));
        take_entries(chain, entries, page);
        page->full = entries->len == PAGE;
        if (page->full) {
            g_free(after);
            after = g_strdup(((const StoreEntry *) entries->pdata[PAGE - 1])->key);
        }
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
        if (exhausted || (page.n > 0 && !page.full)) {
            *last = search.low;
            *last_ms = search.low_ms;
            return SF_OK;
        }
        look_further(&search, hint);
    }
}

SfStatus refuse_foreign(SfNode *node, const Chain *chain, int64_t start, const char *key, int64_t size,
                        int64_t expected, SfError *err)
{
    g_autofree char *entry = entry_key(chain, start);
    return sf_fail(err, SF_CONFIG,
                   "'%s/%s' (%" PRId64 " bytes) is not the object of %" PRId64 " bytes that ledger entry '%s' "
                   "describes: somebody else wrote it, and it stays as it is; move it away, or give '%s' a url or "
                   "topics.dir of its own",
                   store_url(bronze_of(node)->store), key, size, expected, entry, node->step);
}

/* Which of the entry's objects are there. What is there and none of ours is never written over. */
static SfStatus look_at_objects(SfNode *node, const Chain *chain, const Entry *entry, bool *stored, bool *all,
                                SfError *err)
{
    size_t n = entry->objects->len;
    g_autofree const char **keys = g_new(const char *, n + 1);
    g_autofree StoreSum *sums = g_new(StoreSum, n + 1);
    for (size_t i = 0; i < n; i++)
        keys[i] = g_array_index(entry->objects, EntryObject, i).key;
    SF_TRY(store_sum_all(bronze_of(node)->store, keys, sums, n, err));
    *all = true;
    for (size_t i = 0; i < n; i++) {
        const EntryObject *as = &g_array_index(entry->objects, EntryObject, i);
        stored[i] = sums[i].size >= 0;
        if (stored[i] && (sums[i].size != as->bytes || sums[i].crc32 != as->crc32))
            return refuse_foreign(node, chain, entry->start, as->key, sums[i].size, as->bytes, err);
        *all = *all && stored[i];
    }
    return SF_OK;
}

/* Entries come from a place where others may write. */
static SfStatus check_entry(const SfNode *node, const Chain *chain, const Entry *entry, SfError *err)
{
    const Bronze *bronze = bronze_of(node);
    g_autofree char *key = entry_key(chain, entry->start);
    for (guint i = 0; i < entry->objects->len; i++) {
        const char *object = g_array_index(entry->objects, EntryObject, i).key;
        if (!chain_has_key(bronze, chain, object))
            return sf_fail(err, SF_CONFIG, "ledger entry '%s' names the object '%.200s', which is not below '%s%s/'",
                           key, object, bronze->root, chain->topic);
    }
    return SF_OK;
}

static bool was_called(const SfNode *node, const char *pipeline, const char *step)
{
    g_auto(GStrv) names = adopt_names(node, bronze_of(node)->adopt);
    g_autofree char *name = g_strconcat(pipeline, "/", step, NULL);
    bool same = g_str_equal(step, node->step) && g_str_equal(pipeline, node->pipeline);
    return same || g_strv_contains((const char *const *) names, name);
}

static SfStatus check_writer(const SfNode *node, const Chain *chain, const char *pipeline, const Entry *entry,
                             SfError *err)
{
    if (was_called(node, pipeline, entry->step))
        return SF_OK;
    return sf_fail(err, SF_CONFIG,
                   "step '%s' of pipeline '%s' has written '%s' to '%s' already; set 'adopt: %s/%s' if '%s' takes over "
                   "from it (a step that was renamed), or give '%s' a url or topics.dir of its own",
                   entry->step, pipeline, chain->split->name, store_url(bronze_of(node)->store), pipeline, entry->step,
                   node->step, node->step);
}

static SfStatus get_entry(const SfNode *node, const Chain *chain, int64_t start, Entry **out, SfError *err)
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
    *out = g_steal_pointer(&entry);
    return SF_OK;
}

/* The last entry of the ledger by the chain's present name, or NULL. */
static SfStatus last_entry(const SfNode *node, const Chain *chain, int64_t hint, Entry **out, int64_t *written_ms,
                           SfError *err)
{
    int64_t start = SF_POSITION_NONE;
    SF_TRY(find_last(bronze_of(node)->store, chain, hint, &start, written_ms, err));
    return start == SF_POSITION_NONE ? SF_OK : get_entry(node, chain, start, out, err);
}

/* Takes the chain to where its last entry leaves it. */
static SfStatus resume(SfNode *node, Chain *chain, Entry *taken, int64_t hint, SfError *err)
{
    g_autoptr(Entry) entry = taken;
    g_autofree bool *stored = g_new0(bool, entry->objects->len + 1);
    bool all = hint >= entry->end; /* committed in an earlier run */
    if (!all)
        SF_TRY(look_at_objects(node, chain, entry, stored, &all, err));
    chain_reset(chain, all ? entry->end : entry->start);
    if (all)
        return SF_OK;
    sf_log(node, SF_LOG_INFO, "%s: the range [%" PRId64 ", %" PRId64 ") was cut and not finished; it is read once more",
           chain->split->name, entry->start, entry->end);
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
    bool written = key && !g_str_has_suffix(key, "/" CLAIM);
    if (!written || g_str_equal(prefix, chain->ledger))
        return SF_OK;
    return sf_fail(err, SF_CONFIG,
                   "pipeline '%s' has written '%s' to '%s' already, and every row would be there twice; set 'adopt: "
                   "%s' if '%s' takes over from it (a pipeline that was renamed), or 'start: anew' if its objects are "
                   "elsewhere by now; else give '%s' a url or topics.dir of its own",
                   pipeline, chain->split->name, store_url(bronze->store), pipeline, node->step, node->step);
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

/* ---- which ledger is the split's ---- */

/* Whether another split of this sink goes by the chain's present name. */
static bool name_is_taken(const Bronze *bronze, const Chain *chain)
{
    for (guint i = 0; i < bronze->chains->len; i++) {
        const Chain *other = bronze->chains->pdata[i];
        if (other != chain && g_str_equal(other->ledger, chain->ledger))
            return true;
    }
    return false;
}

/* Entries of earlier versions say of which topic and partition they are: enough for Kafka, not for files. */
static SfStatus belongs(const Chain *chain, const Entry *entry, bool *ours, SfError *err)
{
    *ours = entry->split ? g_str_equal(entry->split, chain->split->name) : split_is_numbered(chain->split);
    if (*ours || entry->split)
        return SF_OK;
    return sf_fail(err, SF_CONFIG,
                   "the ledger '%s' is of an earlier version, which did not keep whether it read '%s' or another file "
                   "of that name before; move it away to read '%s' from its beginning, or add \"split\": \"%s\" to "
                   "its last entry to go on at %" PRId64,
                   chain->ledger, chain->split->name, chain->split->name, chain->split->name, entry->end);
}

/* Whether the chain's present name is for this split: of all processes that ask at the same moment for files of one
 * topic one gets it, for ever. What is told apart by topic, partition and epoch needs no claim. The bytes are the
 * claim, also in later versions. */
static SfStatus claim_name(const SfNode *node, const Chain *chain, bool *ours, SfError *err)
{
    *ours = true;
    if (split_is_numbered(chain->split))
        return SF_OK;
    g_autofree char *key = g_strconcat(chain->ledger, CLAIM, NULL);
    json_object *json = json_object_new_object();
    json_object_object_add(json, "split", json_object_new_string(chain->split->name));
    const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    json_object_put(json);
    return store_put_new(bronze_of(node)->store, key, body, ours, err);
}

/* The last entry of the ledger that the split had when the pipeline was called as `adopt` says, if it was another name.
 */
static SfStatus adopt_entry(const SfNode *node, const Chain *chain, int64_t hint, Entry **out, int64_t *written_ms,
                            SfError *err)
{
    const Bronze *bronze = bronze_of(node);
    g_auto(GStrv) parts = g_strsplit(bronze->adopt ? bronze->adopt : "", "/", 2);
    if (!parts[0] || g_str_equal(parts[0], node->pipeline))
        return SF_OK;
    for (int own = 0; own < 2 && !*out; own++) {
        Chain then = *chain;
        g_autofree char *ledger = then.ledger = chain_ledger(bronze, chain, parts[0], own);
        g_autoptr(Entry) entry = NULL;
        bool ours = false;
        SF_TRY(last_entry(node, &then, hint, &entry, written_ms, err));
        if (entry)
            SF_TRY(belongs(&then, entry, &ours, err));
        if (!ours)
            continue;
        SF_TRY(check_writer(node, chain, parts[0], entry, err));
        *out = g_steal_pointer(&entry);
    }
    if (!*out)
        *written_ms = 0;
    return SF_OK;
}

/* A split goes by its topic's name as long as no other split of that topic does, else by a name of its own. Leaves the
 * chain with that name, and with the last entry if there is one. */
static SfStatus find_ledger(const SfNode *node, Chain *chain, int64_t hint, Entry **out, int64_t *written_ms,
                            SfError *err)
{
    const Bronze *bronze = bronze_of(node);
    chain_call(bronze, node, chain, false);
    bool taken = name_is_taken(bronze, chain);
    if (!taken) {
        g_autoptr(Entry) entry = NULL;
        bool ours = false;
        SF_TRY(last_entry(node, chain, hint, &entry, written_ms, err));
        if (entry)
            SF_TRY(belongs(chain, entry, &ours, err));
        if (ours) {
            SF_TRY(check_writer(node, chain, node->pipeline, entry, err));
            *out = g_steal_pointer(&entry);
            return SF_OK;
        }
        taken = entry != NULL;
    }
    *written_ms = 0;
    chain_call(bronze, node, chain, true);
    SF_TRY(last_entry(node, chain, hint, out, written_ms, err));
    if (*out)
        return check_writer(node, chain, node->pipeline, *out, err);
    bool ours = false;
    chain_call(bronze, node, chain, false);
    if (!taken)
        SF_TRY(claim_name(node, chain, &ours, err));
    if (!ours)
        chain_call(bronze, node, chain, true);
    return adopt_entry(node, chain, hint, out, written_ms, err);
}

SfStatus ledger_recover(SfNode *node, Chain *chain, int64_t hint, int64_t *position, int64_t *written_ms, SfError *err)
{
    g_autoptr(Entry) entry = NULL;
    SF_TRY(find_ledger(node, chain, hint, &entry, written_ms, err));
    if (entry) {
        SF_TRY(check_entry(node, chain, entry, err));
        sf_recovered_origin(node, chain->input, chain->split, entry->origin);
        SF_TRY(resume(node, chain, g_steal_pointer(&entry), hint, err));
    } else {
        if (bronze_of(node)->start == START_KNOWN)
            SF_TRY(check_neighbours(node, chain, err));
        chain_reset(chain, SF_POSITION_NONE);
    }
    *position = chain->start;
    return SF_OK;
}
