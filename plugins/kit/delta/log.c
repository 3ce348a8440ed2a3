/* The state of a table as a writer needs it: applying commits one after the other. Finding them is log_read.c. */
#include "delta.h"
#include "json/check.h"

/* A name of a position, and how many a table may have: all of them are kept. */
#define MAX_APP_ID 4096
#define MAX_TXNS 1000000
#define MAX_DOMAINS 10000

DeltaLog *delta_log_new(SfNode *node, Store *store)
{
    DeltaLog *log = g_new0(DeltaLog, 1);
    log->node = node;
    log->store = store;
    log->version = log->checkpoint = log->noted = -1;
    log->commit_time = INT64_MIN;
    log->txns = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    log->checkpoint_keys = g_ptr_array_new_with_free_func(g_free);
    log->domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return log;
}

void delta_log_free(DeltaLog *log)
{
    if (!log)
        return;
    json_object_put(log->protocol);
    json_object_put(log->metadata);
    g_hash_table_unref(log->txns);
    g_hash_table_unref(log->domains);
    g_ptr_array_unref(log->checkpoint_keys);
    g_free(log);
}

char *delta_commit_key(int64_t version)
{
    return g_strdup_printf("_delta_log/%020" G_GINT64_FORMAT ".json", version);
}

const DeltaTxn *delta_log_find_txn(const DeltaLog *log, const char *app_id)
{
    return g_hash_table_lookup(log->txns, app_id);
}

int64_t delta_log_txn(const DeltaLog *log, const char *app_id)
{
    const DeltaTxn *txn = delta_log_find_txn(log, app_id);
    return txn ? txn->version : -1;
}

const char *delta_log_property(const DeltaLog *log, const char *name)
{
    return delta_json_text(delta_json_member(log->metadata, "configuration", json_type_object), name);
}

int64_t delta_log_interval_ms(const DeltaLog *log, const char *name, int64_t other)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"second", 1000}, {"minute", 60000}, {"hour", 3600000}, {"day", 86400000}, {"week", 7 * 86400000}};
    const char *text = delta_log_property(log, name);
    if (!text)
        return other;
    text += g_str_has_prefix(text, "interval ") ? strlen("interval ") : 0;
    char *end;
    gint64 n = g_ascii_strtoll(text, &end, 10);
    if (end == text || *end != ' ' || n < 0 || n > 1000000)
        return INT64_MAX;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        size_t size = strlen(units[i].unit);
        bool plural = g_ascii_strncasecmp(end + 1, units[i].unit, size) == 0 && g_ascii_tolower(end[1 + size]) == 's';
        if (g_ascii_strcasecmp(end + 1, units[i].unit) == 0 || (plural && !end[2 + size]))
            return n * units[i].ms;
    }
    return INT64_MAX;
}

static void keep(json_object **place, json_object *action)
{
    json_object_put(*place);
    *place = json_object_get(action);
}

static void apply_commit_info(DeltaLog *log, json_object *info, DeltaNews *news)
{
    const char *txn_id = delta_json_text(info, "txnId");
    if (news->txn_id && g_strcmp0(txn_id, news->txn_id) == 0)
        news->found = true;
    json_object *time = delta_json_member(info, "inCommitTimestamp", json_type_int);
    log->commit_time = time ? json_object_get_int64(time) : INT64_MIN;
}

SfStatus delta_log_take_txn(DeltaLog *log, json_object *action, SfError *err)
{
    const char *app_id = delta_json_text(action, "appId");
    json_object *version = delta_json_member(action, "version", json_type_int);
    json_object *updated = delta_json_member(action, "lastUpdated", json_type_int);
    if (!app_id || !version)
        return sf_fail(err, SF_FATAL, "a txn action without appId or version");
    if (strlen(app_id) > MAX_APP_ID)
        return sf_fail(err, SF_FATAL, "a txn action with an appId of %zu bytes", strlen(app_id));
    if (g_hash_table_size(log->txns) >= MAX_TXNS && !g_hash_table_contains(log->txns, app_id))
        return sf_fail(err, SF_FATAL, "the table has more than %d txn actions", MAX_TXNS);
    DeltaTxn *txn = g_new(DeltaTxn, 1);
    txn->version = json_object_get_int64(version);
    txn->updated_ms = updated ? json_object_get_int64(updated) : DELTA_NEVER;
    g_hash_table_replace(log->txns, g_strdup(app_id), txn);
    return SF_OK;
}

SfStatus delta_log_take_domain(DeltaLog *log, json_object *action, SfError *err)
{
    const char *domain = delta_json_text(action, "domain");
    const char *configuration = delta_json_text(action, "configuration");
    json_object *removed = delta_json_member(action, "removed", json_type_boolean);
    if (!domain)
        return sf_fail(err, SF_FATAL, "a domainMetadata action without domain");
    if (removed && json_object_get_boolean(removed)) {
        g_hash_table_remove(log->domains, domain);
        return SF_OK;
    }
    if (g_hash_table_size(log->domains) >= MAX_DOMAINS)
        return sf_fail(err, SF_FATAL, "the table has more than %d domainMetadata actions", MAX_DOMAINS);
    g_hash_table_replace(log->domains, g_strdup(domain), g_strdup(configuration ? configuration : ""));
    return SF_OK;
}

int64_t delta_log_row_ids(const DeltaLog *log)
{
    const char *text = g_hash_table_lookup(log->domains, "delta.rowTracking");
    g_autoptr(json_object) mark = text ? delta_json_parse(text, strlen(text), NULL) : NULL;
    json_object *last = delta_json_member(mark, "rowIdHighWaterMark", json_type_int);
    return last ? json_object_get_int64(last) : -1;
}

SfStatus delta_log_take_action(DeltaLog *log, json_object *object, DeltaNews *news, SfError *err)
{
    json_object *action;
    if ((action = delta_json_member(object, "metaData", json_type_object))) {
        keep(&log->metadata, action);
        news->schema = true;
    }
    if ((action = delta_json_member(object, "protocol", json_type_object))) {
        keep(&log->protocol, action);
        news->schema = true;
    }
    if ((action = delta_json_member(object, "commitInfo", json_type_object)))
        apply_commit_info(log, action, news);
    if ((action = delta_json_member(object, "domainMetadata", json_type_object)))
        SF_TRY(delta_log_take_domain(log, action, err));
    action = delta_json_member(object, "txn", json_type_object);
    return action ? delta_log_take_txn(log, action, err) : SF_OK;
}

typedef struct Taking {
    DeltaLog *log;
    DeltaNews *news;
} Taking;

static SfStatus take_object(gpointer user, json_object *object, SfError *err)
{
    const Taking *taking = user;
    return delta_log_take_action(taking->log, object, taking->news, err);
}

SfStatus delta_log_take_text(DeltaLog *log, DeltaText *text, DeltaNews *news, SfError *err)
{
    Taking taking = {log, news};
    return delta_text_each(text, take_object, &taking, err);
}

SfStatus delta_log_apply(DeltaLog *log, int64_t version, const char *text, size_t size, DeltaNews *news, SfError *err)
{
    DeltaText lines = {.at = text, .end = text + size, .line = 1, .no_files = true};
    log->commit_time = INT64_MIN;
    if (delta_log_take_text(log, &lines, news, err) != SF_OK)
        return sf_fail_prefix(err, SF_FATAL, "%s: %020" G_GINT64_FORMAT ".json line %zu", store_url(log->store),
                              version, lines.line);
    log->version = version;
    log->commit_seen = true;
    log->commit_bytes += (int64_t) size;
    return SF_OK;
}
