/* The log as it grows: new commits, holes in it, and a table that another one took the place of. */
#include "source.h"

#include <inttypes.h>
#include <string.h>

#define CHECK_EVERY 16 /* looks without a new commit after which the log is looked at as a whole */
#define LIST_PAGE 200

static const char *table_id(const DeltaLog *log)
{
    const char *id = delta_json_text(log->metadata, "id");
    return id ? id : "";
}

static SfStatus refuse_other(const Follow *follow, const char *what, SfError *err)
{
    return sf_fail(err, SF_CONFIG,
                   "%s: %s; give the sinks another place, and they are filled from the new table's beginning",
                   store_url(follow->log->store), what);
}

/* The commit that we know is another object by now: was the table copied, or made anew? */
static SfStatus compare_tables(Follow *follow, SfError *err)
{
    g_autoptr(DeltaLog) fresh = delta_log_new(follow->log->node, follow->log->store);
    SF_TRY(delta_log_load(fresh, err));
    if (fresh->version < 0)
        return refuse_other(follow, "the table was deleted while it was read", err);
    if (strcmp(table_id(fresh), table_id(follow->log)) != 0)
        return refuse_other(follow, "the table was created anew while it was read", err);
    if (fresh->version < follow->log->version)
        return refuse_other(follow, "the table's newest commits were taken away while it was read", err);
    follow->stamp_version = -1;
    return SF_OK;
}

static SfStatus compare_stamp(Follow *follow, const StoreEntry *entry, SfError *err)
{
    int64_t version = follow->log->version;
    bool same = entry && entry->size == follow->stamp_size && entry->modified_ms == follow->stamp_ms;
    if (follow->stamp_version == version && !same)
        SF_TRY(compare_tables(follow, err));
    if (!entry)
        return follow->log->commit_seen && follow->stamp_version != version ? compare_tables(follow, err) : SF_OK;
    follow->stamp_version = version;
    follow->stamp_size = entry->size;
    follow->stamp_ms = entry->modified_ms;
    return SF_OK;
}

/* The log from the version that we know on, as a listing shows it. *next: the first commit behind it; -1: none. */
static SfStatus check_log(Follow *follow, int64_t *next, SfError *err)
{
    int64_t known = follow->log->version, version;
    const char *rest;
    const StoreEntry *own = NULL;
    g_autofree char *after = g_strdup_printf("_delta_log/%020" PRId64, known);
    g_autoptr(GPtrArray) page = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    SF_TRY(store_list(follow->log->store, "_delta_log/", after, LIST_PAGE, page, err));
    *next = -1;
    for (guint i = 0; i < page->len; i++) {
        const StoreEntry *entry = page->pdata[i];
        if (!delta_log_key(entry->key, &version, &rest) || strcmp(rest, ".json") != 0)
            continue;
        own = version == known ? entry : own;
        *next = version > known && *next < 0 ? version : *next;
    }
    return compare_stamp(follow, own, err);
}

static SfStatus look_for_hole(Follow *follow, SfError *err)
{
    int64_t next;
    if (follow->misses++ % CHECK_EVERY != 0)
        return SF_EMPTY;
    SF_TRY(check_log(follow, &next, err));
    if (next < 0 || next == follow->log->version + 1)
        return SF_EMPTY;
    return sf_fail(err, SF_FATAL,
                   "%s: the log has a hole: version %" PRId64 " is missing, %" PRId64
                   " is there; restore the commit, or give the sinks another place to begin anew",
                   store_url(follow->log->store), follow->log->version + 1, next);
}

/* SF_EMPTY: there are none. */
static SfStatus take_commits(Follow *follow, SfError *err)
{
    DeltaNews news = {0};
    int64_t size, next, known = follow->log->version;
    g_autofree char *key = delta_commit_key(known + 1);
    SfStatus status = store_stat(follow->log->store, key, &size, err);
    if (status == SF_EMPTY)
        return look_for_hole(follow, err);
    SF_TRY(status);
    SF_TRY(check_log(follow, &next, err)); /* before what follows the version that we know is believed */
    status = delta_log_update(follow->log, &news, err);
    follow->schema = follow->schema || news.schema;
    follow->unchecked = follow->log->version > known;
    return status;
}

SfStatus follow_look(Follow *follow, SfError *err)
{
    int64_t next;
    if (!follow->unchecked)
        SF_TRY(take_commits(follow, err));
    SF_TRY(check_log(follow, &next, err));
    follow->unchecked = false;
    return SF_OK;
}
