/* Finding the newest state: _last_checkpoint, listing, checkpoints with fall back, commits without a gap. */
#include "read.h"

#define LIST_PAGE 1000

/* What a listing of the log shows. */
typedef struct Listing {
    GArray *commits;        /* int64_t, ascending */
    GPtrArray *checkpoints; /* char * keys of classic and multi-part ones, ascending */
    char *any;              /* key of something that tells of a log; NULL: none */
} Listing;

static void listing_done(Listing *listing)
{
    g_array_unref(listing->commits);
    g_ptr_array_unref(listing->checkpoints);
    g_free(listing->any);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Listing, listing_done)

bool delta_log_key(const char *key, int64_t *version, const char **rest)
{
    int64_t number = 0;
    if (!g_str_has_prefix(key, "_delta_log/")) /* stores are servers, too */
        return false;
    const char *name = key + strlen("_delta_log/");
    for (int i = 0; i < 20; i++) {
        if (!g_ascii_isdigit(name[i]) || number > (INT64_MAX - 9) / 10)
            return false;
        number = number * 10 + (name[i] - '0');
    }
    *version = number;
    *rest = name + 20;
    return true;
}

static int64_t parts_of(const char *rest);

static void note_key(Listing *listing, const char *key)
{
    int64_t version;
    const char *rest;
    const char *name = strrchr(key, '/');
    bool leftover = g_str_has_suffix(key, ".tmp") || (name && name[1] == '.');
    if (!listing->any && !leftover)
        listing->any = g_strdup(key);
    if (!delta_log_key(key, &version, &rest))
        return;
    if (strcmp(rest, ".json") == 0)
        g_array_append_val(listing->commits, version);
    else if (g_str_has_prefix(rest, ".checkpoint.") && parts_of(rest) > 0)
        g_ptr_array_add(listing->checkpoints, g_strdup(key));
}

static SfStatus list_log(DeltaLog *log, int64_t from, Listing *listing, SfError *err)
{
    g_autofree char *after = g_strdup_printf("_delta_log/%020" G_GINT64_FORMAT, from);
    g_array_set_size(listing->commits, 0);
    g_ptr_array_set_size(listing->checkpoints, 0);
    for (;;) {
        g_autoptr(GPtrArray) page = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        SF_TRY(store_list(log->store, "_delta_log/", after, LIST_PAGE, page, err));
        for (guint i = 0; i < page->len; i++)
            note_key(listing, ((const StoreEntry *) page->pdata[i])->key);
        if (page->len < LIST_PAGE)
            return SF_OK;
        g_free(after);
        after = g_strdup(((const StoreEntry *) page->pdata[page->len - 1])->key);
    }
}

/* A hint only: it may be missing, stale or damaged. */
SfStatus delta_checkpoint_last(DeltaLog *log, int64_t *version, SfError *err)
{
    g_autoptr(GBytes) body = NULL;
    *version = -1;
    SfError why = {0};
    SfStatus status = store_get(log->store, "_delta_log/_last_checkpoint", 1 << 24, &body, &why);
    if (status == SF_EMPTY || status == SF_FATAL)
        return SF_OK;
    if (status != SF_OK)
        return sf_fail(err, status, "%s", why.message);
    gsize size;
    const char *text = g_bytes_get_data(body, &size);
    while (size > 0 && g_ascii_isspace(text[size - 1]))
        size--;
    g_autoptr(json_object) hint = size > 0 ? delta_json_parse(text, size, NULL) : NULL;
    json_object *number = delta_json_member(hint, "version", json_type_int);
    if (number && json_object_get_int64(number) >= 0)
        *version = json_object_get_int64(number);
    return SF_OK;
}

static void forget(DeltaLog *log)
{
    json_object_put(log->protocol);
    json_object_put(log->metadata);
    log->protocol = log->metadata = NULL;
    g_hash_table_remove_all(log->txns);
    g_hash_table_remove_all(log->domains);
    log->version = log->checkpoint = log->noted = -1;
    log->commit_seen = false;
    log->commit_time = INT64_MIN;
    log->checkpoint_bytes = log->commit_bytes = 0;
    g_ptr_array_set_size(log->checkpoint_keys, 0);
}

/* ".checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json" or .parquet (PROTOCOL.md, "V2 Spec"). */
static bool is_v2_name(const char *rest)
{
    size_t start = strlen(".checkpoint.");
    if (strlen(rest) < start + 36 ||
        (strcmp(rest + start + 36, ".json") != 0 && strcmp(rest + start + 36, ".parquet") != 0))
        return false;
    g_autofree char *uuid = g_strndup(rest + start, 36);
    return g_uuid_string_is_valid(uuid);
}

bool delta_checkpoint_is_whole(const char *rest)
{
    return strcmp(rest, ".checkpoint.parquet") == 0 || is_v2_name(rest);
}

/* Number of parts that a key belongs to; 0: no checkpoint that we know. */
static int64_t parts_of(const char *rest)
{
    int64_t parts;
    if (delta_checkpoint_is_whole(rest))
        return 1;
    /* ".checkpoint.0000000001.0000000003.parquet" */
    if (strlen(rest) != strlen(".checkpoint..") + 20 + strlen(".parquet"))
        return 0;
    g_autofree char *digits = g_strndup(rest + strlen(".checkpoint.0000000001."), 10);
    return g_ascii_string_to_signed(digits, 10, 1, INT32_MAX, &parts, NULL) ? parts : 0;
}

/* Keys of the newest complete checkpoint among [0, end) of the list; *end moves to before it. Empty: there is none. */
static GPtrArray *next_checkpoint(const Listing *listing, guint *end, int64_t *version)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new();
    while (*end > 0) {
        const char *rest = "";
        const char *key = listing->checkpoints->pdata[*end - 1];
        delta_log_key(key, version, &rest);
        int64_t parts = parts_of(rest);
        bool complete = parts > 0 && parts <= (int64_t) *end;
        for (int64_t i = 0; complete && i < parts; i++) {
            const char *part = listing->checkpoints->pdata[*end - (guint) parts + (guint) i];
            int64_t other = -1;
            delta_log_key(part, &other, &rest);
            complete = other == *version && parts_of(rest) == parts;
            g_ptr_array_add(keys, (gpointer) part);
        }
        *end -= complete ? (guint) parts : 1;
        if (complete)
            break;
        g_ptr_array_set_size(keys, 0);
    }
    return g_steal_pointer(&keys);
}

SfStatus delta_checkpoint_keys(DeltaLog *log, int64_t version, GPtrArray *out, SfError *err)
{
    if (version == log->checkpoint && log->checkpoint_keys->len > 0) {
        for (guint i = 0; i < log->checkpoint_keys->len; i++)
            g_ptr_array_add(out, g_strdup(log->checkpoint_keys->pdata[i]));
        return SF_OK;
    }
    g_auto(Listing) listing = {.commits = g_array_new(FALSE, FALSE, sizeof(int64_t)),
                               .checkpoints = g_ptr_array_new_with_free_func(g_free)};
    g_autoptr(GPtrArray) page = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    g_autofree char *prefix = g_strdup_printf("_delta_log/%020" G_GINT64_FORMAT ".checkpoint.", version);
    SF_TRY(store_list(log->store, prefix, NULL, LIST_PAGE, page, err));
    for (guint i = 0; i < page->len; i++)
        note_key(&listing, ((const StoreEntry *) page->pdata[i])->key);
    guint end = listing.checkpoints->len;
    g_autoptr(GPtrArray) keys = next_checkpoint(&listing, &end, &version);
    for (guint i = 0; i < keys->len; i++)
        g_ptr_array_add(out, g_strdup(keys->pdata[i]));
    return SF_OK;
}

static SfStatus read_parts(DeltaLog *log, const GPtrArray *keys, SfError *err)
{
    for (guint i = 0; i < keys->len; i++) {
        g_autoptr(GBytes) file = NULL;
        SfStatus status = store_get(log->store, keys->pdata[i], DELTA_MAX_CHECKPOINT, &file, err);
        if (status == SF_EMPTY)
            return sf_fail(err, SF_FATAL, "it is gone");
        SF_TRY(status);
        log->checkpoint_bytes += (int64_t) g_bytes_get_size(file);
        SF_TRY(delta_checkpoint_read(log, keys->pdata[i], file, err));
    }
    return log->protocol && log->metadata ? SF_OK : sf_fail(err, SF_FATAL, "it lacks protocol or metaData");
}

/* The newest checkpoint, of version `until` at most, that can be read; none: the state stays empty. */
static SfStatus load_checkpoint(DeltaLog *log, const Listing *listing, int64_t until, SfError *err)
{
    guint end = listing->checkpoints->len;
    while (end > 0) {
        int64_t version = -1;
        g_autoptr(GPtrArray) keys = next_checkpoint(listing, &end, &version);
        if (keys->len == 0)
            break;
        if (version > until)
            continue;
        SfError why = {0};
        SfStatus status = read_parts(log, keys, &why);
        if (status == SF_OK) {
            log->version = log->checkpoint = version;
            for (guint i = 0; i < keys->len; i++)
                g_ptr_array_add(log->checkpoint_keys, g_strdup(keys->pdata[i]));
            return SF_OK;
        }
        if (status != SF_FATAL)
            return sf_fail(err, status, "%s", why.message);
        sf_log(log->node, SF_LOG_WARNING,
               "%s: the checkpoint of version %" G_GINT64_FORMAT " cannot be read (%s); using an older one",
               store_url(log->store), version, why.message);
        forget(log);
    }
    return SF_OK;
}

static SfStatus read_commit(DeltaLog *log, int64_t version, DeltaNews *news, SfError *err)
{
    g_autofree char *key = delta_commit_key(version);
    g_autoptr(GBytes) body = NULL;
    SF_TRY(store_get(log->store, key, DELTA_MAX_COMMIT, &body, err));
    gsize size;
    const char *text = g_bytes_get_data(body, &size);
    return delta_log_apply(log, version, text, size, news, err);
}

static SfStatus replay(DeltaLog *log, const Listing *listing, int64_t until, SfError *err)
{
    DeltaNews news = {0};
    for (guint i = 0; i < listing->commits->len; i++) {
        int64_t version = g_array_index(listing->commits, int64_t, i);
        if (version <= log->version || version > until)
            continue;
        if (version != log->version + 1)
            return sf_fail(err, SF_FATAL,
                           "%s: the log has a gap: version %" G_GINT64_FORMAT " is missing, %" G_GINT64_FORMAT
                           " is there",
                           store_url(log->store), log->version + 1, version);
        SfStatus status = read_commit(log, version, &news, err);
        if (status == SF_EMPTY)
            return sf_fail(err, SF_RETRY, "%s: version %" G_GINT64_FORMAT " went away while the log was read",
                           store_url(log->store), version);
        SF_TRY(status);
    }
    return SF_OK;
}

SfStatus delta_log_load_until(DeltaLog *log, int64_t until, SfError *err)
{
    g_auto(Listing) listing = {.commits = g_array_new(FALSE, FALSE, sizeof(int64_t)),
                               .checkpoints = g_ptr_array_new_with_free_func(g_free)};
    int64_t hint;
    SF_TRY(delta_checkpoint_last(log, &hint, err));
    forget(log);
    if (hint > until)
        hint = 0;
    SF_TRY(list_log(log, MAX(hint, 0), &listing, err));
    SF_TRY(load_checkpoint(log, &listing, until, err));
    if (log->version < 0 && hint > 0) {
        /* The hint led nowhere: look at everything. */
        SF_TRY(list_log(log, 0, &listing, err));
        SF_TRY(load_checkpoint(log, &listing, until, err));
    }
    SF_TRY(replay(log, &listing, until, err));
    if (log->version < 0 && listing.any)
        return sf_fail(err, SF_CONFIG,
                       "%s: there is a Delta log, but no version in it that can be read ('%s' is there); nothing is "
                       "written over it: restore what is missing, or write to another place",
                       store_url(log->store), listing.any);
    if (log->version >= 0 && log->version == log->checkpoint && delta_log_in_commit_time(log)) {
        /* A checkpoint does not tell its commit's time. */
        DeltaNews news = {0};
        SfStatus status = read_commit(log, log->version, &news, err);
        if (status != SF_OK && status != SF_EMPTY)
            return status;
    }
    if (log->version >= 0 && (!log->protocol || !log->metadata))
        return sf_fail(err, SF_FATAL, "%s: the log has no %s action", store_url(log->store),
                       log->protocol ? "metaData" : "protocol");
    return SF_OK;
}

SfStatus delta_log_load(DeltaLog *log, SfError *err)
{
    return delta_log_load_until(log, INT64_MAX, err);
}

SfStatus delta_log_update(DeltaLog *log, DeltaNews *news, SfError *err)
{
    SfStatus status;
    do
        status = read_commit(log, log->version + 1, news, err);
    while (status == SF_OK);
    return status == SF_EMPTY ? SF_OK : status;
}

SfStatus delta_log_holds(DeltaLog *log, bool *holds, SfError *err)
{
    g_autofree char *key = delta_commit_key(log->version);
    int64_t size;
    SfStatus status = log->commit_seen ? store_stat(log->store, key, &size, err) : SF_OK;
    *holds = status == SF_OK;
    return status == SF_EMPTY ? SF_OK : status;
}
