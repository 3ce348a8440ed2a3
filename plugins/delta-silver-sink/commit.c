/* The commit: files and positions in one version of the table, against other writers (PROTOCOL.md, "Delta Log Entries";
 * conflict rules as the reference implementation's for blind appends). */
#include "sink.h"
#include "json/write.h"

/* Checkpoints at which only positions moved before they are recorded. */
#define IDLE_BEATS 30
#define MAX_ATTEMPTS 1000
/* Versions lost to nobody: a listing may lag behind a store's creation, but not for long. */
#define MAX_STUCK 20
#define JITTER_US 50000

/* A log that has been cleaned beyond what we know, or that is another table's, would take our next version without a
 * word, and no reader would ever see it. */
static SfStatus check_table(Sink *sink, SfError *err)
{
    bool holds = false;
    SF_TRY(delta_log_holds(sink->log, &holds, err));
    if (!holds)
        return sf_fail(err, SF_FENCED,
                       "%s: version %" G_GINT64_FORMAT " is missing; the table was created anew, or its "
                       "log was cleaned since",
                       store_url(sink->store), sink->log->version);
    return chains_check_fence(sink, err);
}

static void add_member(GString *out, const char *name, int64_t value)
{
    g_string_append_printf(out, "\"%s\":%" G_GINT64_FORMAT ",", name, value);
}

static void add_commit_info(Sink *sink, int64_t now, GString *out)
{
    int64_t rows = 0;
    int64_t bytes = 0;
    for (guint i = 0; i < sink->files->len; i++) {
        const DataFile *file = sink->files->pdata[i];
        rows += file->rows;
        bytes += file->add->size;
    }
    g_autoptr(GString) partitions = g_string_new("[");
    for (guint i = 0; i < sink->partitions->len; i++) {
        if (i > 0)
            g_string_append_c(partitions, ',');
        json_write_text(partitions, sink->partitions->pdata[i], strlen(sink->partitions->pdata[i]));
    }
    g_string_append_c(partitions, ']');
    g_string_append(out, "{\"commitInfo\":{");
    if (sink->log->version < 0 ? properties_commit_time(sink) : delta_log_in_commit_time(sink->log))
        add_member(out, "inCommitTimestamp", MAX(now, sink->log->commit_time + 1));
    add_member(out, "timestamp", now);
    g_string_append(out, "\"operation\":\"WRITE\",\"operationParameters\":{\"mode\":\"Append\",\"partitionBy\":");
    json_write_text(out, partitions->str, partitions->len);
    g_string_append(out, "},");
    if (sink->log->version >= 0)
        add_member(out, "readVersion", sink->log->version);
    g_string_append_printf(
        out,
        "\"isolationLevel\":\"Serializable\",\"isBlindAppend\":%s,\"operationMetrics\":{\"numFiles\":\"%u\","
        "\"numOutputRows\":\"%" G_GINT64_FORMAT "\",\"numOutputBytes\":\"%" G_GINT64_FORMAT
        "\"},\"engineInfo\":\"streamforge/" SF_VERSION "\",\"txnId\":\"%s\"}}\n",
        table_changes(sink) ? "false" : "true", sink->files->len, rows, bytes, sink->txn_id);
}

/* Row ids go on from where the version before stands: another try has others. */
static void add_files(Sink *sink, GString *out)
{
    bool tracked = sink->log->version < 0 ? properties_track_rows(sink) : delta_log_supports(sink->log, "rowTracking");
    int64_t next = tracked ? delta_log_row_ids(sink->log) + 1 : -1;
    for (guint i = 0; i < sink->files->len; i++) {
        const DataFile *file = sink->files->pdata[i];
        file->add->first_row_id = next;
        file->add->commit_version = sink->log->version + 1;
        delta_add_encode(file->add, out);
        next += tracked ? file->rows : 0;
    }
    if (tracked && sink->files->len > 0)
        delta_row_ids_encode(next - 1, out);
}

static GBytes *make_body(Sink *sink)
{
    int64_t now = sf_now_ms(sink->node);
    g_autoptr(GString) out = g_string_new(NULL);
    add_commit_info(sink, now, out);
    if (sink->log->version < 0) {
        g_autoptr(json_object) protocol = properties_protocol(sink);
        delta_action_encode("protocol", protocol, out);
    }
    if (table_changes(sink)) {
        g_autoptr(json_object) metadata = table_metadata(sink);
        delta_action_encode("metaData", metadata, out);
    }
    for (guint i = 0; i < ranges_count(sink->chains); i++) {
        Chain *chain = ranges_at(sink->chains, i);
        if (chain_moved(chain))
            chain_encode(sink, chain, now, out);
    }
    add_files(sink, out);
    return g_string_free_to_bytes(g_steal_pointer(&out));
}

/* What others have committed since; *done: our own commit was among it, its answer was lost. */
static SfStatus catch_up(Sink *sink, bool *done, SfError *err)
{
    DeltaNews news = {.txn_id = sink->txn_id};
    SfStatus status = delta_log_update(sink->log, &news, err);
    /* What was read before an error is not read again. */
    sink->landed |= news.found;
    sink->stale |= news.schema;
    SF_TRY(status);
    *done = sink->landed;
    if (sink->landed)
        return SF_OK;
    SF_TRY(table_refresh(sink, err));
    return chains_check_fence(sink, err);
}

/* One try to be the next version; *done: it is ours. */
static SfStatus try_version(Sink *sink, bool *done, SfError *err)
{
    int64_t version = sink->log->version + 1;
    g_autofree char *key = delta_commit_key(version);
    g_autoptr(GBytes) body = make_body(sink);
    gsize size;
    const char *text = g_bytes_get_data(body, &size);
    sink->uncertain = true;
    SF_TRY(store_put_new(sink->store, key, body, done, err));
    DeltaNews news = {0};
    return *done ? delta_log_apply(sink->log, version, text, size, &news, err) : SF_OK;
}

static SfStatus in_the_way(Sink *sink, SfError *err)
{
    g_autofree char *key = delta_commit_key(sink->log->version + 1);
    sink->uncertain = false;
    return sf_fail(err, SF_FATAL, "%s: cannot write the next version: '%s' exists, but is not a commit; move it away",
                   store_url(sink->store), key);
}

static SfStatus put_commit(Sink *sink, SfError *err)
{
    bool done = false;
    if (!sink->txn_id)
        sink->txn_id = delta_uuid();
    if (sink->uncertain)
        SF_TRY(catch_up(sink, &done, err));
    SF_TRY(done ? SF_OK : check_table(sink, err));
    int stuck = 0;
    for (int attempt = 0; !done; attempt++) {
        int64_t before = sink->log->version;
        if (attempt == MAX_ATTEMPTS)
            return sf_fail(err, SF_RETRY, "%s: lost to other writers %d times in a row", store_url(sink->store),
                           attempt);
        SF_TRY(try_version(sink, &done, err));
        if (done)
            break;
        SF_TRY(catch_up(sink, &done, err));
        stuck = sink->log->version > before ? 0 : stuck + 1;
        if (!done && stuck == MAX_STUCK)
            return in_the_way(sink, err);
        if (!done && attempt > 0)
            g_usleep((gulong) g_random_int_range(0, JITTER_US));
    }
    sink->uncertain = sink->landed = false;
    g_clear_pointer(&sink->txn_id, g_free);
    return SF_OK;
}

static void publish(Sink *sink)
{
    chains_publish(sink);
    g_ptr_array_set_size(sink->files, 0);
    table_committed(sink);
    sink->idle_beats = 0;
}

/* Only a shortcut for readers: when it fails, the commit stands and the next interval tries again. */
static void write_checkpoint(Sink *sink)
{
    SfError err = {0};
    if (!delta_checkpoint_due(sink->log, sink->checkpoint_interval))
        return;
    if (delta_checkpoint_write(sink->log, &err) != SF_OK)
        sf_log(sink->node, SF_LOG_WARNING, "%s: cannot write the checkpoint of version %" G_GINT64_FORMAT ": %s",
               store_url(sink->store), sink->log->version, err.message);
    else if (delta_log_clean(sink->log, &err) != SF_OK)
        sf_log(sink->node, SF_LOG_WARNING, "%s: expired files of the log are kept for now: %s", store_url(sink->store),
               err.message);
}

SfStatus commit_all(Sink *sink, SfCommitReason reason, SfError *err)
{
    bool rows = sink->n_open > 0 || sink->files->len > 0;
    bool moved = false;
    for (guint i = 0; i < ranges_count(sink->chains); i++) {
        moved |= chain_moved(ranges_at(sink->chains, i));
    }
    bool create = sink->log->version < 0 && reason == SF_COMMIT_END;
    if (!rows && !moved && !create)
        return SF_OK;
    if (!rows && reason == SF_COMMIT_CHECKPOINT && sink->idle_beats++ < IDLE_BEATS)
        return SF_OK;
    SF_TRY(files_finish_all(sink, err));
    sf_fault(sink->node, "silver-data");
    SF_TRY(files_upload(sink, err));
    SF_TRY(ranges_settle(sink->chains, err));
    sf_fault(sink->node, "silver-commit");
    SF_TRY(put_commit(sink, err));
    sf_fault(sink->node, "silver-committed");
    publish(sink);
    write_checkpoint(sink);
    return table_refresh(sink, err);
}
