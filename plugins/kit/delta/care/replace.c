/* See replace.h. */
#include "replace.h"

#include "care.h"

#define MAX_ATTEMPTS 1000
#define MAX_STUCK 20 /* a listing may lag behind a creation, but not for long */

static void free_add(gpointer add)
{
    delta_add_free(add);
}

static void free_json(gpointer object)
{
    json_object_put(object);
}

void replacement_init(Replacement *replacement)
{
    *replacement = (Replacement){.old = g_ptr_array_new_with_free_func(free_json),
                                 .new = g_ptr_array_new_with_free_func(free_add)};
}

void replacement_done(Replacement *replacement)
{
    g_clear_pointer(&replacement->old, g_ptr_array_unref);
    g_clear_pointer(&replacement->new, g_ptr_array_unref);
}

static void member_text(json_object *object, const char *name, const char *text)
{
    json_object_object_add(object, name, json_object_new_string(text));
}

static void member_number(json_object *object, const char *name, int64_t number)
{
    json_object_object_add(object, name, json_object_new_int64(number));
}

static json_object *metrics_of(const Replacement *replacement)
{
    json_object *out = json_object_new_object();
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {{"numRemovedFiles", replacement->old->len},
                {"numAddedFiles", replacement->new->len},
                {"numRemovedBytes", replacement->old_bytes},
                {"numAddedBytes", replacement->new_bytes}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) { /* texts, as Spark has them */
        g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, rows[i].value);
        member_text(out, rows[i].name, text);
    }
    return out;
}

static void encode_info(const Replacement *replacement, const DeltaLog *log, const char *txn_id, int64_t target,
                        int64_t now, GString *out)
{
    g_autoptr(json_object) info = json_object_new_object();
    json_object *parameters = json_object_new_object();
    g_autofree char *size = g_strdup_printf("%" G_GINT64_FORMAT, target);
    if (delta_log_in_commit_time(log)) /* comes first (PROTOCOL.md, "In-Commit Timestamps") */
        member_number(info, "inCommitTimestamp", MAX(now, log->commit_time + 1));
    member_number(info, "timestamp", now);
    member_text(info, "operation", replacement->operation ? replacement->operation : "OPTIMIZE");
    member_text(parameters, "predicate", "[]");
    member_text(parameters, "targetSize", size);
    json_object_object_add(info, "operationParameters", parameters);
    member_number(info, "readVersion", log->version);
    member_text(info, "isolationLevel", "SnapshotIsolation");
    json_object_object_add(info, "isBlindAppend", json_object_new_boolean(false));
    json_object_object_add(info, "operationMetrics", metrics_of(replacement));
    member_text(info, "engineInfo", "streamforge/" SF_VERSION);
    member_text(info, "txnId", txn_id);
    delta_action_encode("commitInfo", info, out);
}

/* PROTOCOL.md, "Add File and Remove File". */
static void encode_removal(json_object *old, int64_t now, GString *out)
{
    static const char *const same[] = {"path", "partitionValues", "size", "deletionVector", "tags"};
    g_autoptr(json_object) removed = json_object_new_object();
    for (size_t i = 0; i < G_N_ELEMENTS(same); i++) {
        json_object *value = NULL;
        if (json_object_object_get_ex(old, same[i], &value) && value)
            json_object_object_add(removed, same[i], json_object_get(value));
    }
    member_number(removed, "deletionTimestamp", now);
    json_object_object_add(removed, "dataChange", json_object_new_boolean(false));
    json_object_object_add(removed, "extendedFileMetadata", json_object_new_boolean(true));
    delta_action_encode("remove", removed, out);
}

static void encode_add(const DeltaAdd *add, GString *out)
{
    g_autoptr(GString) line = g_string_new(NULL);
    delta_add_encode(add, line);
    g_autoptr(json_object) object = delta_json_parse(line->str, line->len, NULL);
    json_object *action = delta_json_member(object, "add", json_type_object);
    json_object_object_add(action, "dataChange", json_object_new_boolean(false));
    delta_action_encode("add", action, out);
}

static GBytes *body_of(const Replacement *replacement, const DeltaLog *log, const char *txn_id, int64_t target)
{
    int64_t now = sf_now_ms(log->node);
    g_autoptr(GString) out = g_string_new(NULL);
    encode_info(replacement, log, txn_id, target, now, out);
    for (guint i = 0; i < replacement->old->len; i++)
        encode_removal(replacement->old->pdata[i], now, out);
    for (guint i = 0; i < replacement->new->len; i++)
        encode_add(replacement->new->pdata[i], out);
    if (replacement->app_id)
        delta_txn_encode(replacement->app_id, now / 1000, now, out);
    return g_string_free_to_bytes(g_steal_pointer(&out));
}

/* ---- other writers ---------------------------------------------------------------------------------------------- */

typedef struct Look {
    GHashTable *open;
    DeltaNews *news;
} Look;

static SfStatus look_at(gpointer user, json_object *line, SfError *err)
{
    const Look *look = user;
    json_object *info = delta_json_member(line, "commitInfo", json_type_object);
    json_object *removed = delta_json_member(line, "remove", json_type_object);
    look->news->found |= g_strcmp0(delta_json_text(info, "txnId"), look->news->txn_id) == 0;
    if (look->news->found)
        return SF_OK;
    g_autofree char *identity = removed ? delta_file_identity(removed) : NULL;
    if (identity && g_hash_table_contains(look->open, identity))
        return sf_fail(err, SF_FENCED, "another writer has removed files that were read");
    if (delta_json_member(line, "metaData", json_type_object) || delta_json_member(line, "protocol", json_type_object))
        return sf_fail(err, SF_FENCED, "another writer has changed the table's schema");
    return SF_OK;
}

/* A commit that came before ours; SF_EMPTY: there is none yet. */
static SfStatus let_past(DeltaLog *log, GHashTable *open, DeltaNews *news, SfError *err)
{
    g_autofree char *key = delta_commit_key(log->version + 1);
    g_autoptr(GBytes) body = NULL;
    SF_TRY(store_get(log->store, key, DELTA_MAX_COMMIT, &body, err));
    gsize size;
    const char *text = g_bytes_get_data(body, &size);
    DeltaText lines = {.at = text, .end = text + size, .line = 1};
    SF_TRY(delta_text_each(&lines, look_at, &(Look){open, news}, err));
    return delta_log_apply(log, log->version + 1, text, size, news, err);
}

static SfStatus let_all_past(DeltaLog *log, GHashTable *open, DeltaNews *news, SfError *err)
{
    SfStatus status;
    do
        status = let_past(log, open, news, err);
    while (status == SF_OK && !news->found);
    return status == SF_EMPTY ? SF_OK : status;
}

static SfStatus try_version(const Replacement *replacement, DeltaLog *log, const char *txn_id, int64_t target,
                            bool *created, SfError *err)
{
    g_autofree char *key = delta_commit_key(log->version + 1);
    g_autoptr(GBytes) body = body_of(replacement, log, txn_id, target);
    SF_TRY(store_put_new(log->store, key, body, created, err));
    gsize size;
    const char *text = g_bytes_get_data(body, &size);
    DeltaNews news = {0};
    return *created ? delta_log_apply(log, log->version + 1, text, size, &news, err) : SF_OK;
}

static SfStatus commit_replacement(const Replacement *replacement, DeltaLog *log, GHashTable *open, int64_t target,
                                   SfError *err)
{
    g_autofree char *txn_id = delta_uuid();
    int stuck = 0;
    for (int attempt = 0; attempt < MAX_ATTEMPTS && stuck < MAX_STUCK; attempt++) {
        bool created = false;
        int64_t before = log->version;
        DeltaNews news = {.txn_id = txn_id};
        SF_TRY(let_all_past(log, open, &news, err));
        if (news.found)
            return SF_OK;
        SF_TRY(try_version(replacement, log, txn_id, target, &created, err));
        if (created)
            return SF_OK;
        stuck = log->version > before ? 0 : stuck + 1;
    }
    return sf_fail(err, SF_FENCED, "other writers have always been first");
}

SfStatus replacement_commit(Replacement *replacement, DeltaLog *log, GHashTable *open, int64_t target, SfError *err)
{
    SfError why = {""};
    SfStatus status = commit_replacement(replacement, log, open, target, &why);
    if (status != SF_OK)
        sf_fail(err, status, "%s", why.message);
    if (status != SF_FENCED)
        return status;
    g_autoptr(GPtrArray) keys = g_ptr_array_new();
    for (guint i = 0; i < replacement->new->len; i++)
        g_ptr_array_add(keys, ((const DeltaAdd *) replacement->new->pdata[i])->key);
    store_delete_all(log->store, (const char *const *) keys->pdata, keys->len, NULL); /* else vacuum's */
    if (replacement->before > 0)
        return sf_fail(err, SF_FENCED, "%s: %s; %" G_GINT64_FORMAT " commit%s before it stay%s, call again",
                       store_url(log->store), why.message, replacement->before, replacement->before == 1 ? "" : "s",
                       replacement->before == 1 ? "s" : "");
    return sf_fail(err, SF_FENCED, "%s: %s; nothing was changed, call again", store_url(log->store), why.message);
}

SfStatus care_record(DeltaLog *log, const char *app_id, const char *operation, SfError *err)
{
    g_auto(Replacement) none = {0};
    g_autoptr(GHashTable) files = g_hash_table_new(g_str_hash, g_str_equal);
    replacement_init(&none);
    none.app_id = app_id;
    none.operation = operation;
    SF_TRY(store_open(log->store, err));
    return replacement_commit(&none, log, files, 0, err);
}
