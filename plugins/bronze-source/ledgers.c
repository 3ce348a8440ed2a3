/* Which splits bronze has: a directory for each pipeline, topic and partition below _sf/, told by its first entry. */
#include "source.h"

#include <string.h>

#define LEVEL_KEYS 1000

/* The directories of one level, as prefixes with a '/' at their ends. */
static SfStatus list_directories(Store *store, const char *prefix, GPtrArray *out, SfError *err)
{
    g_autofree char *after = NULL;
    for (bool full = true; full;) {
        g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        SF_TRY(store_list_level(store, prefix, after, LEVEL_KEYS, found, err));
        full = found->len == LEVEL_KEYS;
        for (guint i = 0; i < found->len; i++) {
            const StoreEntry *entry = found->pdata[i];
            if (entry->size < 0 && g_str_has_prefix(entry->key, prefix))
                g_ptr_array_add(out, g_strdup(entry->key));
        }
        g_free(after);
        after = full ? g_strdup(((const StoreEntry *) found->pdata[LEVEL_KEYS - 1])->key) : NULL;
    }
    return SF_OK;
}

static SfStatus refuse_several(const Store *store, const char *root, const GPtrArray *pipelines, SfError *err)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < pipelines->len; i++) {
        const char *segment = (const char *) pipelines->pdata[i] + strlen(root) + strlen(LEDGERS);
        g_string_append_printf(names, "%s%.*s", i > 0 ? ", " : "", (int) strlen(segment) - 1, segment);
    }
    return sf_fail(err, SF_CONFIG,
                   "'%s/%s' has rows of several pipelines (%s); name the one to read by 'ledger', or its topics.dir",
                   store_url(store), root, names->str);
}

/* What begins the keys of the pipeline's ledgers; NULL: there is none. */
static SfStatus choose_pipeline(Store *store, const char *root, const char *pipeline, char **out, SfError *err)
{
    g_autofree char *below = g_strconcat(root, LEDGERS, NULL);
    g_autoptr(GPtrArray) pipelines = g_ptr_array_new_with_free_func(g_free);
    *out = NULL;
    if (pipeline) {
        g_autofree char *segment = ledger_segment(pipeline);
        *out = g_strconcat(below, segment, "/", NULL);
        return SF_OK;
    }
    SF_TRY(list_directories(store, below, pipelines, err));
    if (pipelines->len > 1)
        return refuse_several(store, root, pipelines, err);
    if (pipelines->len == 1)
        *out = g_strdup(pipelines->pdata[0]);
    return SF_OK;
}

static SfStatus take_ledger(Store *store, const char *prefix, GPtrArray *out, SfError *err)
{
    LedgerPage page;
    g_autoptr(Entry) entry = NULL;
    SF_TRY(ledger_page(store, prefix, -1, &page, err));
    if (page.n == 0)
        return SF_OK;
    SF_TRY(ledger_get(store, prefix, page.first, &entry, err));
    g_autofree char *name = entry_split(entry);
    Lane *lane = lane_new(name, entry->topic, entry->partition, prefix);
    lane->start = entry->start;
    g_ptr_array_add(out, lane);
    return SF_OK;
}

/* Whether a directory "…/<name>/" may have a ledger of the topics: "topic", "topic@2", "topic@s0123". */
static bool is_of_topics(const char *directory, const SfList *topics)
{
    g_autofree char *name = g_path_get_basename(directory);
    bool found = topics->size == 0;
    for (size_t i = 0; i < topics->size && !found; i++) {
        g_autofree char *segment = ledger_segment(topics->items[i]);
        size_t size = strlen(segment);
        found = strncmp(name, segment, size) == 0 && (name[size] == '\0' || name[size] == '@');
    }
    return found;
}

static SfStatus take_partitions(Store *store, const char *directory, GHashTable *known, GPtrArray *out, SfError *err)
{
    g_autoptr(GPtrArray) partitions = g_ptr_array_new_with_free_func(g_free);
    SF_TRY(list_directories(store, directory, partitions, err));
    for (guint i = 0; i < partitions->len; i++)
        if (!g_hash_table_contains(known, partitions->pdata[i]))
            SF_TRY(take_ledger(store, partitions->pdata[i], out, err));
    return SF_OK;
}

SfStatus ledgers_find(Store *store, const char *root, const char *pipeline, const SfList *topics, GHashTable *known,
                      GPtrArray *out, SfError *err)
{
    g_autofree char *below = NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    SF_TRY(choose_pipeline(store, root, pipeline, &below, err));
    if (below)
        SF_TRY(list_directories(store, below, names, err));
    for (guint i = 0; i < names->len; i++)
        if (is_of_topics(names->pdata[i], topics))
            SF_TRY(take_partitions(store, names->pdata[i], known, out, err));
    return SF_OK;
}
