/* Checkpoints of the log: when they are due, and their writing on top of the one before. Opening a table reads the
 * commits since the last one, and writing one costs as much as the table has files, so that both are weighed. */
#include "checkpoint_parts.h"

/* Intervals after which a checkpoint is written whatever it costs: who opens the table reads no more commits. */
#define MOST_INTERVALS 10

static int64_t commits_since(const DeltaLog *log)
{
    return log->version - MAX(log->checkpoint, log->noted);
}

/* Another process may have written a newer one than we know; whether it can be read is seen by who reads it. */
static SfStatus note_last(DeltaLog *log, SfError *err)
{
    int64_t last, before = commits_since(log);
    SF_TRY(delta_checkpoint_last(log, &last, err));
    if (last <= log->version - before || last > log->version)
        return SF_OK;
    log->commit_bytes = log->commit_bytes / before * (log->version - last); /* they are about alike */
    log->noted = last;
    return SF_OK;
}

static int64_t property_interval(const DeltaLog *log)
{
    const char *text = delta_log_property(log, "delta.checkpointInterval");
    gint64 number;
    return text && g_ascii_string_to_signed(text, 10, 1, INT32_MAX, &number, NULL) ? number : 0;
}

/* As large as what the commits since have brought, so that checkpoints cost no more than commits do. */
static bool is_worth(const DeltaLog *log, int64_t interval, int64_t since)
{
    return since >= interval && (log->commit_bytes >= log->checkpoint_bytes || since >= MOST_INTERVALS * interval);
}

bool delta_checkpoint_due(DeltaLog *log, int64_t usual)
{
    int64_t asked = property_interval(log), interval = asked > 0 ? asked : MAX(usual, 1);
    int64_t since = commits_since(log);
    /* The version says whose turn it is; a writer that leaves it out is not waited for. */
    bool turn = log->version % interval == 0;
    if (log->version <= 0 || (!turn && since < 2 * interval))
        return false;
    if (asked > 0 && turn)
        return true;
    if ((asked == 0 && !is_worth(log, interval, since)) || note_last(log, NULL) != SF_OK)
        return false;
    since = commits_since(log);
    return asked > 0 ? since >= 2 * interval : is_worth(log, interval, since);
}

static SfStatus point_to(DeltaLog *log, const Written *written, SfError *err)
{
    int64_t last;
    SF_TRY(delta_checkpoint_last(log, &last, err));
    if (last > log->version) {
        /* Another process is further than we know; or the hint leads to nowhere, and costs every reader a listing. */
        g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
        SF_TRY(delta_checkpoint_keys(log, last, keys, err));
        if (keys->len > 0)
            return SF_OK;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(
        text, "{\"version\":%" G_GINT64_FORMAT ",\"size\":%" G_GINT64_FORMAT ",\"sizeInBytes\":%" G_GINT64_FORMAT,
        log->version, written->actions, written->size);
    if (written->adds >= 0)
        g_string_append_printf(text, ",\"numOfAddFiles\":%" G_GINT64_FORMAT, written->adds);
    g_string_append_c(text, '}');
    g_autoptr(GBytes) body = g_string_free_to_bytes(g_steal_pointer(&text));
    return store_put(log->store, "_delta_log/_last_checkpoint", body, err);
}

static SfStatus write_classic(DeltaLog *log, int64_t base, const GPtrArray *keys, Written *out, SfError *err)
{
    g_auto(Merge) merge = {0};
    SF_TRY(merge_init(&merge, log, 0, err));
    SF_TRY(action_file_add_state(&merge.file, log, err));
    for (int64_t version = log->version; version > base; version--)
        SF_TRY(merge_commit(&merge, version, err));
    for (guint i = 0; i < keys->len; i++)
        SF_TRY(merge_file(&merge, keys->pdata[i], err));
    for (guint i = 0; i < merge.sidecars->len; i++) {
        g_autofree char *key = delta_sidecar_key(merge.sidecars->pdata[i], err);
        SF_TRY(key ? merge_file(&merge, key, err) : SF_FATAL);
    }
    g_autoptr(GBytes) file = NULL;
    SF_TRY(action_file_finish(&merge.file, &file, err));
    sf_fault(log->node, "silver-checkpoint");
    out->key = g_strdup_printf("_delta_log/%020" G_GINT64_FORMAT ".checkpoint.parquet", log->version);
    out->size = (int64_t) g_bytes_get_size(file);
    out->actions = merge.file.actions;
    out->adds = merge.adds;
    return store_put(log->store, out->key, file, err);
}

/* Spark writes V2 where the policy says so; where nobody has said anything, the feature is there to be used. */
static bool writes_sidecars(const DeltaLog *log)
{
    return delta_log_supports(log, "v2Checkpoint") &&
           g_strcmp0(delta_log_property(log, "delta.checkpointPolicy"), "classic") != 0;
}

/* On top of the checkpoint of version `base`, where there is one. */
static SfStatus write_on(DeltaLog *log, int64_t base, SfError *err)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_auto(Written) written = {.adds = -1};
    if (base >= 0)
        SF_TRY(delta_checkpoint_keys(log, base, keys, err));
    if (keys->len == 0)
        base = -1;
    SF_TRY(writes_sidecars(log) ? sidecars_write(log, base, keys, &written, err)
                                : write_classic(log, base, keys, &written, err));
    log->checkpoint = log->version;
    log->checkpoint_bytes = written.size;
    log->commit_bytes = 0;
    g_ptr_array_set_size(log->checkpoint_keys, 0);
    g_ptr_array_add(log->checkpoint_keys, g_strdup(written.key));
    sf_fault(log->node, "silver-last-checkpoint");
    return point_to(log, &written, err);
}

/* Another process may have written a newer one than we know of, and cleaned up what lies before it; or one that cannot
 * be read. */
SfStatus delta_checkpoint_write(DeltaLog *log, SfError *err)
{
    int64_t last;
    SF_TRY(delta_checkpoint_last(log, &last, err));
    if (last > log->checkpoint && last <= log->version) {
        SfError why = {0};
        SfStatus status = write_on(log, last, &why);
        if (status != SF_FATAL)
            return status == SF_OK ? SF_OK : sf_fail(err, status, "%s", why.message);
    }
    return write_on(log, log->checkpoint, err);
}
