/* Taking away commits and checkpoints that have expired (PROTOCOL.md, "Metadata Cleanup"): what a checkpoint stands
 * for that is older than delta.logRetentionDuration itself. */
#include "delta.h"

#define DAY_MS INT64_C(86400000)
#define PAGE 1000
/* The log's names begin with digits; what local Hadoop puts beside them begins with a dot, and comes before this. */
#define BEFORE_DIGITS "_delta_log/.~"

static bool is_log_file(const char *rest)
{
    return strcmp(rest, ".json") == 0 || strcmp(rest, ".crc") == 0 || g_str_has_prefix(rest, ".checkpoint.") ||
           g_str_has_suffix(rest, ".compacted.json");
}

/* The newest version among the oldest names that has a checkpoint and whose commit has expired; -1: none. */
static int64_t newest_expired(const GPtrArray *page, int64_t cutoff)
{
    int64_t base = -1;
    int64_t checkpoint = -1;
    for (guint i = 0; i < page->len; i++) {
        const StoreEntry *entry = page->pdata[i];
        int64_t version;
        const char *rest;
        if (!delta_log_key(entry->key, &version, &rest))
            continue;
        if (delta_checkpoint_is_whole(rest))
            checkpoint = version; /* sorts before the commit of its version */
        if (strcmp(rest, ".json") != 0)
            continue;
        if (entry->modified_ms >= cutoff)
            break;
        if (version == checkpoint)
            base = version;
    }
    return base;
}

static SfStatus delete_before(DeltaLog *log, const GPtrArray *page, int64_t base, bool *more, SfError *err)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new();
    for (guint i = 0; i < page->len; i++) {
        const StoreEntry *entry = page->pdata[i];
        int64_t version;
        const char *rest;
        if (delta_log_key(entry->key, &version, &rest) && version < base && is_log_file(rest))
            g_ptr_array_add(keys, entry->key);
    }
    *more = page->len == PAGE && keys->len > 0;
    return store_delete_all(log->store, (const char *const *) keys->pdata, keys->len, err);
}

static bool cleans_log(const DeltaLog *log, int64_t retention)
{
    return retention != INT64_MAX && log->checkpoint >= 0 && !delta_log_supports(log, "checkpointProtection") &&
           g_strcmp0(delta_log_property(log, "delta.enableExpiredLogCleanup"), "false") != 0;
}

SfStatus delta_log_clean(DeltaLog *log, SfError *err)
{
    int64_t today = sf_now_ms(log->node) / DAY_MS;
    int64_t retention = delta_log_interval_ms(log, "delta.logRetentionDuration", 30 * DAY_MS);
    if (!cleans_log(log, retention) || log->cleaned_day == today)
        return SF_OK;
    g_autoptr(GPtrArray) page = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    SF_TRY(store_list(log->store, "_delta_log/", BEFORE_DIGITS, PAGE, page, err));
    int64_t cutoff = (sf_now_ms(log->node) - retention) / DAY_MS * DAY_MS;
    bool more = false;
    SF_TRY(delete_before(log, page, MIN(newest_expired(page, cutoff), log->checkpoint), &more, err));
    if (!more)
        log->cleaned_day = today;
    return SF_OK;
}
