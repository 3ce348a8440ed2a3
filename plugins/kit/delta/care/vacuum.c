/* Deleting the files that no version within the retention needs. What decides is the age of a file and of its removal:
 * neither who reads an older version nor who is about to commit loses what he needs. */
#include <string.h>

#include "care.h"

#define PAGE 5000 /* a local directory is walked anew for each */
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define USUAL_RETENTION_MS (7 * DAY_MS) /* of delta.deletedFileRetentionDuration */
#define SIDECARS "_delta_log/_sidecars/"

typedef struct Vacuum {
    DeltaLog *log;
    const CareVacuum *how;
    CareVacuumed *out;
    int64_t before_ms;
    bool beyond_table; /* the retention is longer than the table's, by which checkpoints forget removals */
    GArray *needed;    /* guint64: hashes of keys, sorted. Two keys of one hash keep a file that could go. */
    GPtrArray *going;  /* char *: keys of the page that are to be deleted */
} Vacuum;

static void vacuum_done(Vacuum *vacuum)
{
    g_array_unref(vacuum->needed);
    g_ptr_array_unref(vacuum->going);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Vacuum, vacuum_done)

/* ---- what is needed --------------------------------------------------------------------------------------------- */

/* FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/). */
static guint64 hash_of(const char *key)
{
    guint64 hash = G_GUINT64_CONSTANT(14695981039346656037);
    for (; *key; key++)
        hash = (hash ^ (guchar) *key) * G_GUINT64_CONSTANT(1099511628211);
    return hash;
}

static void need_key(Vacuum *vacuum, const char *key)
{
    guint64 hash = hash_of(key);
    g_array_append_val(vacuum->needed, hash);
}

/* A file that lies elsewhere, as it seems, may be one of these by another name (a link, another host's path): then
 * nothing is deleted. */
static SfStatus need_file(gpointer user, json_object *action, SfError *err)
{
    Vacuum *vacuum = user;
    g_autofree char *key = delta_file_key(vacuum->log, action, err);
    g_autofree char *vector = NULL;
    if (!key)
        return SF_CONFIG;
    SF_TRY(delta_vector_key(vacuum->log, action, &vector, err));
    need_key(vacuum, key);
    if (vector)
        need_key(vacuum, vector);
    return SF_OK;
}

static int64_t removed_ms(json_object *action)
{
    json_object *time = delta_json_member(action, "deletionTimestamp", json_type_int);
    return time ? json_object_get_int64(time) : -1;
}

/* Within the retention, versions that have it can be read. A removal without a time is an old one (PROTOCOL.md, "Add
 * File and Remove File"). */
static SfStatus need_removed(gpointer user, json_object *action, SfError *err)
{
    Vacuum *vacuum = user;
    bool young = removed_ms(action) >= vacuum->before_ms;
    return young ? need_file(user, action, err) : SF_OK;
}

static int by_value(gconstpointer a, gconstpointer b)
{
    guint64 left = *(const guint64 *) a, right = *(const guint64 *) b;
    return left < right ? -1 : left > right;
}

static bool is_needed(const Vacuum *vacuum, const char *key)
{
    guint64 hash = hash_of(key);
    return g_array_binary_search(vacuum->needed, &hash, by_value, NULL);
}

/* Of the log, of other programs, temporary. Partitions of columns whose names begin so are not. */
static bool is_hidden(const char *key)
{
    g_auto(GStrv) segments = g_strsplit(key, "/", -1);
    for (char **segment = segments; *segment; segment++) {
        if (**segment == '.' || (**segment == '_' && !strchr(*segment, '=')))
            return true;
    }
    return false;
}

/* ---- deleting --------------------------------------------------------------------------------------------------- */

static bool may_go(const Vacuum *vacuum, const StoreEntry *entry)
{
    return entry->modified_ms < vacuum->before_ms && !is_needed(vacuum, entry->key);
}

static SfStatus delete_going(Vacuum *vacuum, const GPtrArray *entries, SfError *err)
{
    if (!vacuum->how->dry_run)
        SF_TRY(
            store_delete_all(vacuum->log->store, (const char *const *) vacuum->going->pdata, vacuum->going->len, err));
    guint next = 0;
    for (guint i = 0; i < entries->len && next < vacuum->going->len; i++) {
        const StoreEntry *entry = entries->pdata[i];
        if (!g_str_equal(entry->key, vacuum->going->pdata[next]))
            continue;
        next++;
        vacuum->out->files++;
        vacuum->out->bytes += entry->size;
        if (vacuum->how->tell)
            vacuum->how->tell(vacuum->how->user, entry);
    }
    g_ptr_array_set_size(vacuum->going, 0);
    return SF_OK;
}

/* Files below a prefix, hidden ones only where they are asked for. */
static SfStatus sweep(Vacuum *vacuum, const char *prefix, bool hidden, SfError *err)
{
    g_autofree char *after = NULL;
    for (bool more = true; more;) {
        g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        if (care_stops(&vacuum->how->limits))
            return sf_fail(err, SF_RETRY, "stopped");
        SF_TRY(store_list(vacuum->log->store, prefix, after, PAGE, entries, err));
        for (guint i = 0; i < entries->len; i++) {
            const StoreEntry *entry = entries->pdata[i];
            if (!hidden && is_hidden(entry->key))
                continue;
            if (may_go(vacuum, entry))
                g_ptr_array_add(vacuum->going, g_strdup(entry->key));
            else
                vacuum->out->kept += !hidden;
        }
        SF_TRY(delete_going(vacuum, entries, err));
        more = entries->len == PAGE;
        g_free(after);
        after = more ? g_strdup(((const StoreEntry *) entries->pdata[PAGE - 1])->key) : NULL;
    }
    return SF_OK;
}

/* ---- sidecars of checkpoints ------------------------------------------------------------------------------------- */

/* Of every checkpoint that is there: time travel reads old ones, too (PROTOCOL.md, "Metadata Cleanup"). */
static SfStatus need_sidecars(Vacuum *vacuum, SfError *err)
{
    g_autofree char *after = g_strdup("_delta_log/");
    for (bool more = true; more;) {
        g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        SF_TRY(store_list(vacuum->log->store, "_delta_log/", after, PAGE, entries, err));
        for (guint i = 0; i < entries->len; i++) {
            const StoreEntry *entry = entries->pdata[i];
            g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
            int64_t version;
            const char *rest;
            if (!delta_log_key(entry->key, &version, &rest) || !delta_checkpoint_is_whole(rest))
                continue;
            if (care_stops(&vacuum->how->limits))
                return sf_fail(err, SF_RETRY, "stopped");
            SF_TRY(delta_checkpoint_sidecars(vacuum->log, entry->key, keys, err));
            for (guint k = 0; k < keys->len; k++)
                need_key(vacuum, keys->pdata[k]);
        }
        more = entries->len == PAGE;
        g_free(after);
        after = more ? g_strdup(((const StoreEntry *) entries->pdata[PAGE - 1])->key) : NULL;
    }
    g_array_sort(vacuum->needed, by_value);
    return SF_OK;
}

/* A sidecar is there before the checkpoint that refers to it. */
static SfStatus sweep_sidecars(Vacuum *vacuum, SfError *err)
{
    g_autoptr(GPtrArray) one = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    if (!delta_log_supports(vacuum->log, "v2Checkpoint"))
        return SF_OK;
    SF_TRY(store_list(vacuum->log->store, SIDECARS, NULL, 1, one, err));
    if (one->len == 0)
        return SF_OK;
    SF_TRY(need_sidecars(vacuum, err));
    return sweep(vacuum, SIDECARS, true, err);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static SfStatus refuse_short(int64_t least, SfError *err)
{
    bool hours = least >= HOUR_MS;
    return sf_fail(err, SF_CONFIG,
                   "the retention is shorter than the table's %" G_GINT64_FORMAT
                   " %s: who reads an older version, or writes for so long, would lose files; `sfrun table "
                   "vacuum --force` takes it",
                   least / (hours ? HOUR_MS : 1000), hours ? "hours" : "seconds");
}

static SfStatus set_retention(Vacuum *vacuum, SfError *err)
{
    int64_t tables = delta_log_interval_ms(vacuum->log, "delta.deletedFileRetentionDuration", USUAL_RETENTION_MS);
    int64_t least = tables == INT64_MAX ? USUAL_RETENTION_MS : tables;
    int64_t retention = vacuum->how->retention_ms >= 0 ? vacuum->how->retention_ms : tables;
    if (retention == INT64_MAX)
        return sf_fail(err, SF_CONFIG,
                       "the table's delta.deletedFileRetentionDuration is not an interval that we "
                       "understand; give a retention");
    if (retention < least && !vacuum->how->force)
        return refuse_short(least, err);
    vacuum->before_ms = sf_now_ms(vacuum->log->node) - retention;
    vacuum->beyond_table = retention > least;
    return SF_OK;
}

/* What checkpoints have forgotten of the time within the retention, the commits before them still say. */
static SfStatus need_forgotten(Vacuum *vacuum, SfError *err)
{
    DeltaLog *log = vacuum->log;
    g_autoptr(GArray) commits = NULL;
    guint first = 0;
    if (!vacuum->beyond_table || log->checkpoint < 0)
        return SF_OK;
    SF_TRY(delta_commits_list(log, &commits, err));
    while (first < commits->len && g_array_index(commits, DeltaCommit, first).time_ms < vacuum->before_ms)
        first++;
    if (first > 0 && first == commits->len)
        return SF_OK;
    int64_t from = commits->len > 0 ? g_array_index(commits, DeltaCommit, first).version : log->version + 1;
    if (first == 0 && from > 0)
        return sf_fail(err, SF_CONFIG,
                       "the retention is longer than the log goes back: which files were removed before version "
                       "%" G_GINT64_FORMAT " can no longer be told; give a shorter one",
                       from);
    return delta_removals_each(log, from, log->checkpoint, need_removed, vacuum, err);
}

SfStatus care_vacuum(DeltaLog *log, const CareVacuum *how, CareVacuumed *out, SfError *err)
{
    g_auto(Vacuum) vacuum = {.log = log,
                             .how = how,
                             .out = out,
                             .needed = g_array_new(FALSE, FALSE, sizeof(guint64)),
                             .going = g_ptr_array_new_with_free_func(g_free)};
    *out = (CareVacuumed){0};
    SF_TRY(delta_log_check_features(log, err));
    SF_TRY(set_retention(&vacuum, err));
    SF_TRY(delta_files_all(log, need_file, need_removed, &vacuum, err));
    SF_TRY(need_forgotten(&vacuum, err));
    g_array_sort(vacuum.needed, by_value);
    SF_TRY(sweep(&vacuum, "", false, err));
    return sweep_sidecars(&vacuum, err);
}
