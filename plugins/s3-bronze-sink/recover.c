/* Where a chain ended: which ledger is its split's, what the last entry there says, and whether the objects that the
 * entry promises are there. */
#include <inttypes.h>
#include <string.h>

#include "bronze.h"

#define PIPELINES_MAX 64 /* others at the same place that are looked at */

SfStatus refuse_foreign(SfNode *node, const Chain *chain, int64_t start, const char *key, int64_t size,
                        int64_t expected, SfError *err)
{
    g_autofree char *entry = ledger_entry_key(chain->ledger, start);
    return sf_fail(err, SF_CONFIG,
                   "'%s/%s' (%" PRId64 " bytes) is not the object of %" PRId64 " bytes that ledger entry '%s' "
                   "describes: somebody else wrote it, and it stays as it is; move it away, or give '%s' a url or "
                   "topics.dir of its own",
                   store_url(bronze_of(node)->store), key, size, expected, entry, node->step);
}

/* An object of an entry, or one beside it. */
typedef struct Promise {
    const char *key;
    int64_t bytes;
    uint32_t crc32;
    guint object; /* its number in the entry */
} Promise;

static GArray *promises_of(const Entry *entry)
{
    GArray *promises = g_array_new(FALSE, FALSE, sizeof(Promise));
    for (guint i = 0; i < entry->objects->len; i++) {
        const EntryObject *as = &g_array_index(entry->objects, EntryObject, i);
        Promise promise = {as->key, as->bytes, as->crc32, i};
        g_array_append_val(promises, promise);
        for (int kind = 0; kind < BESIDE_KINDS; kind++) {
            const EntryBeside *beside = &as->beside[kind];
            promise = (Promise){beside->key, beside->bytes, beside->crc32, i};
            if (beside->key)
                g_array_append_val(promises, promise);
        }
    }
    return promises;
}

/* Which of the entry's objects are there, with what lies beside them. What is there and none of ours is never written
 * over. */
static SfStatus look_at_objects(SfNode *node, const Chain *chain, const Entry *entry, Stored *stored, bool *all,
                                SfError *err)
{
    g_autoptr(GArray) promises = promises_of(entry);
    g_autofree const char **keys = g_new(const char *, promises->len + 1);
    g_autofree StoreSum *sums = g_new(StoreSum, promises->len + 1);
    for (guint i = 0; i < promises->len; i++)
        keys[i] = g_array_index(promises, Promise, i).key;
    SF_TRY(store_sum_all(bronze_of(node)->store, keys, sums, promises->len, err));
    *all = true;
    for (guint i = 0; i < promises->len; i++) {
        const Promise *as = &g_array_index(promises, Promise, i);
        bool there = sums[i].size >= 0;
        if (there && (sums[i].size != as->bytes || sums[i].crc32 != as->crc32))
            return refuse_foreign(node, chain, entry->start, as->key, sums[i].size, as->bytes, err);
        bool first = i == 0 || g_array_index(promises, Promise, i - 1).object != as->object;
        Stored now = there ? STORED_ALL : STORED_NONE;
        stored[as->object] = first || stored[as->object] == now ? now : STORED_PARTLY;
        *all = *all && there;
    }
    return SF_OK;
}

/* Entries come from a place where others may write. */
static SfStatus check_entry(const SfNode *node, const Chain *chain, const Entry *entry, SfError *err)
{
    const Bronze *bronze = bronze_of(node);
    g_autofree char *key = ledger_entry_key(chain->ledger, entry->start);
    g_autoptr(GArray) promises = promises_of(entry);
    for (guint i = 0; i < promises->len; i++) {
        const char *object = g_array_index(promises, Promise, i).key;
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
                   entry->step, pipeline, chain->range.split->name, store_url(bronze_of(node)->store), pipeline,
                   entry->step, node->step, node->step);
}

/* The last entry of the ledger by the chain's present name, or NULL. */
static SfStatus last_entry(const SfNode *node, const Chain *chain, int64_t hint, Entry **out, int64_t *written_ms,
                           SfError *err)
{
    int64_t start = SF_POSITION_NONE;
    Store *store = bronze_of(node)->store;
    SF_TRY(ledger_last(store, chain->ledger, hint, &start, written_ms, err));
    return start == SF_POSITION_NONE ? SF_OK : ledger_get(store, chain->ledger, start, out, err);
}

/* Takes the chain to where its last entry leaves it. */
static SfStatus resume(SfNode *node, Chain *chain, Entry *taken, int64_t hint, SfError *err)
{
    g_autoptr(Entry) entry = taken;
    g_autofree Stored *stored = g_new0(Stored, entry->objects->len + 1);
    bool all = hint >= entry->end; /* committed in an earlier run */
    if (!all)
        SF_TRY(look_at_objects(node, chain, entry, stored, &all, err));
    chain_reset(chain, all ? entry->end : entry->start);
    if (all)
        return SF_OK;
    sf_log(node, SF_LOG_INFO, "%s: the range [%" PRId64 ", %" PRId64 ") was cut and not finished; it is read once more",
           chain->range.split->name, entry->start, entry->end);
    chain->redo = redo_new(g_steal_pointer(&entry), g_steal_pointer(&stored), &bronze_of(node)->workshop);
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
        g_strdup_printf("%s%s/%s/%" PRId32 "/", ledgers, pipeline, chain->name, chain->range.split->partition);
    g_autofree char *key = NULL;
    SF_TRY(next_key(bronze->store, prefix, NULL, &key, err));
    bool written = key && !g_str_has_suffix(key, "/" LEDGER_CLAIM);
    if (!written || g_str_equal(prefix, chain->ledger))
        return SF_OK;
    return sf_fail(err, SF_CONFIG,
                   "pipeline '%s' has written '%s' to '%s' already, and every row would be there twice; set 'adopt: "
                   "%s' if '%s' takes over from it (a pipeline that was renamed), or 'start: anew' if its objects are "
                   "elsewhere by now; else give '%s' a url or topics.dir of its own",
                   pipeline, chain->range.split->name, store_url(bronze->store), pipeline, node->step, node->step);
}

/* A chain without an entry must not meet the objects of another pipeline: names would clash and rows double. */
static SfStatus check_neighbours(SfNode *node, const Chain *chain, SfError *err)
{
    const Bronze *bronze = bronze_of(node);
    g_autofree char *ledgers = g_strconcat(bronze->root, LEDGERS, NULL);
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
    for (guint i = 0; i < ranges_count(bronze->chains); i++) {
        const Chain *other = ranges_at(bronze->chains, i);
        if (other != chain && g_str_equal(other->ledger, chain->ledger))
            return true;
    }
    return false;
}

/* Entries of earlier versions say of which topic and partition they are: enough for Kafka, not for files. */
static SfStatus belongs(const Chain *chain, const Entry *entry, bool *ours, SfError *err)
{
    *ours = entry->split ? g_str_equal(entry->split, chain->range.split->name) : split_is_numbered(chain->range.split);
    if (*ours || entry->split)
        return SF_OK;
    return sf_fail(err, SF_CONFIG,
                   "the ledger '%s' is of an earlier version, which did not keep whether it read '%s' or another file "
                   "of that name before; move it away to read '%s' from its beginning, or add \"split\": \"%s\" to "
                   "its last entry to go on at %" PRId64,
                   chain->ledger, chain->range.split->name, chain->range.split->name, chain->range.split->name,
                   entry->end);
}

/* Whether the chain's present name is for this split: of all processes that ask at the same moment for files of one
 * topic one gets it, for ever. What is told apart by topic, partition and epoch needs no claim. The bytes are the
 * claim, also in later versions. */
static SfStatus claim_name(const SfNode *node, const Chain *chain, bool *ours, SfError *err)
{
    *ours = true;
    if (split_is_numbered(chain->range.split))
        return SF_OK;
    g_autofree char *key = g_strconcat(chain->ledger, LEDGER_CLAIM, NULL);
    json_object *json = json_object_new_object();
    json_object_object_add(json, "split", json_object_new_string(chain->range.split->name));
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

SfStatus chain_recover(SfNode *node, Chain *chain, int64_t hint, int64_t *position, int64_t *written_ms, SfError *err)
{
    g_autoptr(Entry) entry = NULL;
    SF_TRY(find_ledger(node, chain, hint, &entry, written_ms, err));
    if (entry) {
        SF_TRY(check_entry(node, chain, entry, err));
        sf_recovered_origin(node, chain->range.input, chain->range.split, entry->origin);
        SF_TRY(resume(node, chain, g_steal_pointer(&entry), hint, err));
    } else {
        if (bronze_of(node)->start == START_KNOWN)
            SF_TRY(check_neighbours(node, chain, err));
        chain_reset(chain, SF_POSITION_NONE);
    }
    *position = chain->range.committed;
    return SF_OK;
}
