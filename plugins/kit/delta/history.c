/* What the log's commits say of themselves, and when they were. */
#include "read.h"

#define LIST_PAGE 1000

SfStatus delta_commits_list(DeltaLog *log, GArray **out, SfError *err)
{
    g_autoptr(GArray) commits = g_array_new(FALSE, FALSE, sizeof(DeltaCommit));
    g_autofree char *after = g_strdup("_delta_log/");
    for (bool more = true; more;) {
        g_autoptr(GPtrArray) page = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        SF_TRY(store_list(log->store, "_delta_log/", after, LIST_PAGE, page, err));
        for (guint i = 0; i < page->len; i++) {
            const StoreEntry *entry = page->pdata[i];
            DeltaCommit commit = {.time_ms = entry->modified_ms};
            const char *rest = "";
            if (delta_log_key(entry->key, &commit.version, &rest) && strcmp(rest, ".json") == 0)
                g_array_append_val(commits, commit);
        }
        more = page->len == LIST_PAGE;
        g_free(after);
        after = more ? g_strdup(((const StoreEntry *) page->pdata[LIST_PAGE - 1])->key) : NULL;
    }
    *out = g_steal_pointer(&commits);
    return SF_OK;
}

static int64_t rows_of(json_object *add)
{
    const char *text = delta_json_text(add, "stats");
    g_autoptr(json_object) stats = text ? delta_json_parse(text, strlen(text), NULL) : NULL;
    json_object *rows = delta_json_member(stats, "numRecords", json_type_int);
    return rows ? json_object_get_int64(rows) : -1;
}

static bool changes_data(json_object *action)
{
    json_object *flag = delta_json_member(action, "dataChange", json_type_boolean);
    return !flag || json_object_get_boolean(flag);
}

static void count_add(json_object *add, DeltaCommitInfo *out)
{
    json_object *size = delta_json_member(add, "size", json_type_int);
    int64_t rows = rows_of(add);
    out->added++;
    out->added_bytes += size ? json_object_get_int64(size) : 0;
    out->added_rows = rows < 0 || out->added_rows < 0 ? -1 : out->added_rows + rows;
    out->data_change |= changes_data(add);
}

static SfStatus take_line(gpointer user, json_object *line, SfError *err)
{
    DeltaCommitInfo *out = user;
    json_object *action;
    (void) err;
    if ((action = delta_json_member(line, "add", json_type_object)))
        count_add(action, out);
    if ((action = delta_json_member(line, "remove", json_type_object))) {
        out->removed++;
        out->data_change |= changes_data(action);
    }
    if ((action = delta_json_member(line, "commitInfo", json_type_object))) {
        json_object *time = delta_json_member(action, "inCommitTimestamp", json_type_int);
        json_object_put(out->info);
        out->info = json_object_get(action);
        out->time_ms = time ? json_object_get_int64(time) : out->time_ms;
    }
    out->schema |=
        delta_json_member(line, "metaData", json_type_object) || delta_json_member(line, "protocol", json_type_object);
    return SF_OK;
}

SfStatus delta_commit_info(DeltaLog *log, const DeltaCommit *commit, DeltaCommitInfo *out, SfError *err)
{
    g_autofree char *key = delta_commit_key(commit->version);
    g_autoptr(GBytes) body = NULL;
    SfStatus status = store_get(log->store, key, DELTA_MAX_COMMIT, &body, err);
    if (status == SF_EMPTY)
        return sf_fail(err, SF_FATAL, "%s/%s is gone", store_url(log->store), key);
    SF_TRY(status);
    gsize size;
    const char *text = g_bytes_get_data(body, &size);
    DeltaText lines = {.at = text, .end = text + size, .line = 1};
    *out = (DeltaCommitInfo){.time_ms = commit->time_ms};
    status = delta_text_each(&lines, take_line, out, err);
    if (status == SF_OK)
        return SF_OK;
    delta_commit_info_done(out);
    return sf_fail_prefix(err, status, "%s/%s line %zu", store_url(log->store), key, lines.line);
}

void delta_commit_info_done(DeltaCommitInfo *info)
{
    json_object_put(info->info);
    *info = (DeltaCommitInfo){0};
}

SfStatus delta_version_at(DeltaLog *log, int64_t time_ms, int64_t *version, SfError *err)
{
    g_autoptr(GArray) commits = NULL;
    SF_TRY(delta_commits_list(log, &commits, err));
    for (guint i = commits->len; i-- > 0;) {
        const DeltaCommit *commit = &g_array_index(commits, DeltaCommit, i);
        int64_t then = commit->time_ms;
        if (delta_log_in_commit_time(log)) {
            g_auto(DeltaCommitInfo) info = {0};
            SF_TRY(delta_commit_info(log, commit, &info, err));
            then = info.time_ms;
        }
        if (then <= time_ms) {
            *version = commit->version;
            return SF_OK;
        }
    }
    if (commits->len == 0)
        return sf_fail(err, SF_CONFIG, "%s: the log has no commits any more", store_url(log->store));
    const DeltaCommit *first = &g_array_index(commits, DeltaCommit, 0);
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(first->time_ms / 1000);
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("-");
    return sf_fail(err, SF_CONFIG, "%s: the log begins later, with version %" G_GINT64_FORMAT " of %s",
                   store_url(log->store), first->version, text);
}

SfStatus delta_log_load_at(DeltaLog *log, int64_t version, SfError *err)
{
    SfError why = {""};
    SfStatus status = delta_log_load_until(log, version, &why);
    if (status == SF_OK && log->version == version)
        return SF_OK;
    if (status != SF_OK && status != SF_FATAL && status != SF_CONFIG)
        return sf_fail(err, status, "%s", why.message);
    int64_t newest = log->version;
    g_autoptr(GArray) commits = NULL;
    SF_TRY(delta_commits_list(log, &commits, err));
    if (commits->len > 0)
        newest = g_array_index(commits, DeltaCommit, commits->len - 1).version;
    if (newest < version)
        return sf_fail(err, SF_CONFIG, "%s: there is no version %" G_GINT64_FORMAT "; the newest is %" G_GINT64_FORMAT,
                       store_url(log->store), version, newest);
    return sf_fail(err, SF_CONFIG,
                   "%s: version %" G_GINT64_FORMAT
                   " can no longer be read: what came before it has been cleaned up (%s)",
                   store_url(log->store), version, why.message[0] ? why.message : "no checkpoint before it");
}
