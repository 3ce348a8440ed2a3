/* Which tables we may append to (PROTOCOL.md, "Table Features"): unknown needs are refused by name. */
#include "read.h"

/* Features that an append by us honours. What a feature asks of writers is met because we only add files, enforce
 * `not null` always and refuse the metadata below that would ask for more. */
static const char *const known[] = {"appendOnly",          "invariants",
                                    "checkConstraints",    "changeDataFeed",
                                    "generatedColumns",    "columnMapping",
                                    "identityColumns",     "deletionVectors",
                                    "timestampNtz",        "domainMetadata",
                                    "vacuumProtocolCheck", "inCommitTimestamp",
                                    "allowColumnDefaults", "clustering",
                                    "rowTracking",         "checkpointProtection",
                                    "typeWidening",        "typeWidening-preview",
                                    "variantType",         "variantType-preview",
                                    "variantShredding",    "variantShredding-preview",
                                    "v2Checkpoint",        NULL};

static SfStatus check_list(const DeltaLog *log, const char *member, SfError *err)
{
    json_object *list = delta_json_member(log->protocol, member, json_type_array);
    size_t n = list ? json_object_array_length(list) : 0;
    for (size_t i = 0; i < n; i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(list, i));
        if (!name || !g_strv_contains(known, name))
            return sf_fail(err, SF_CONFIG, "%s: the table needs the feature '%s', which this sink lacks",
                           store_url(log->store), name ? name : "null");
    }
    return SF_OK;
}

SfStatus delta_log_check_reading(const DeltaLog *log, SfError *err)
{
    static const char *const readable[] = {"columnMapping",       "deletionVectors",
                                           "timestampNtz",        "v2Checkpoint",
                                           "vacuumProtocolCheck", "typeWidening",
                                           "variantType",         "typeWidening-preview",
                                           "variantType-preview", "variantShredding-preview",
                                           "variantShredding",    NULL};
    int version = delta_protocol_version(log, "minReaderVersion");
    if (version < 1 || version > 3)
        return sf_fail(err, SF_CONFIG, "%s: the table needs reader version %d; we know up to 3", store_url(log->store),
                       version);
    json_object *list = delta_json_member(log->protocol, "readerFeatures", json_type_array);
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(list, i));
        if (!name || !g_strv_contains(readable, name))
            return sf_fail(err, SF_CONFIG, "%s: the table needs the feature '%s', which we do not read",
                           store_url(log->store), name ? name : "null");
    }
    return SF_OK;
}

/* Keys in a field's metadata that ask something of every row, where the protocol means them: of columns only. */
static const char *key_of_columns(const char *key)
{
    static const struct {
        const char *key;
        const char *feature;
    } rows[] = {
        {"delta.invariants", "invariants"},
        {"delta.generationExpression", "generatedColumns"},
        {"delta.identity.start", "identityColumns"},
        {"delta.identity.step", "identityColumns"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(key, rows[i].key) == 0)
            return rows[i].feature;
    return NULL;
}

static SfStatus check_type(const DeltaLog *log, json_object *type, int depth, SfError *err);

static SfStatus check_field(const DeltaLog *log, json_object *field, int depth, SfError *err)
{
    json_object *metadata = delta_json_member(field, "metadata", json_type_object);
    if (metadata) {
        json_object_object_foreach(metadata, key, value)
        {
            (void) value;
            const char *feature = key_of_columns(key);
            if (depth > 0 && feature && delta_log_supports(log, feature))
                return sf_fail(err, SF_CONFIG,
                               "%s: column '%s' within another uses the feature '%s', which this sink lacks there",
                               store_url(log->store), delta_json_text(field, "name"), feature);
        }
    }
    json_object *type = NULL;
    json_object_object_get_ex(field, "type", &type);
    return check_type(log, type, depth + 1, err);
}

static SfStatus check_type(const DeltaLog *log, json_object *type, int depth, SfError *err)
{
    static const char *const inner[] = {"elementType", "keyType", "valueType"};
    json_object *fields = delta_json_member(type, "fields", json_type_array);
    for (size_t i = 0; fields && i < json_object_array_length(fields); i++)
        SF_TRY(check_field(log, json_object_array_get_idx(fields, i), depth, err));
    for (size_t i = 0; i < G_N_ELEMENTS(inner); i++) {
        json_object *nested = delta_json_member(type, inner[i], json_type_object);
        if (nested)
            SF_TRY(check_type(log, nested, depth + 1, err));
    }
    return SF_OK;
}

static SfStatus check_properties(const DeltaLog *log, SfError *err)
{
    json_object *configuration = delta_json_member(log->metadata, "configuration", json_type_object);
    if (!configuration)
        return SF_OK;
    json_object_object_foreach(configuration, key, value)
    {
        const char *text = json_object_get_string(value);
        if (strcmp(key, "delta.setTransactionRetentionDuration") == 0)
            return sf_fail(
                err, SF_CONFIG,
                "%s: with 'delta.setTransactionRetentionDuration' (%s) the table forgets positions, and rows "
                "would be there twice; take it away: ALTER TABLE … UNSET TBLPROPERTIES ('%s')",
                store_url(log->store), text, key);
        bool mapped = strcmp(key, "delta.columnMapping.mode") == 0 && delta_log_maps(log);
        if (mapped && g_strcmp0(text, "name") != 0 && g_strcmp0(text, "id") != 0)
            return sf_fail(err, SF_CONFIG,
                           "%s: the table uses the feature 'columnMapping' in a mode '%s', which this sink lacks",
                           store_url(log->store), text);
    }
    return SF_OK;
}

SfStatus delta_log_check_features(const DeltaLog *log, SfError *err)
{
    int r = delta_protocol_version(log, "minReaderVersion");
    int w = delta_protocol_version(log, "minWriterVersion");
    if (r < 1 || r > 3 || w < 1 || w > 7)
        return sf_fail(err, SF_CONFIG,
                       "%s: the table needs reader version %d and writer version %d; this sink knows up to 3 and 7",
                       store_url(log->store), r, w);
    SF_TRY(check_list(log, "readerFeatures", err));
    SF_TRY(check_list(log, "writerFeatures", err));
    SF_TRY(check_properties(log, err));
    g_autoptr(json_object) schema = delta_schema_parse(log->metadata, err);
    if (!schema)
        return sf_fail_prefix(err, SF_FATAL, "%s", store_url(log->store));
    if (delta_log_maps(log) && delta_mapping_check(schema, err) != SF_OK)
        return sf_fail_prefix(err, SF_CONFIG, "%s", store_url(log->store));
    return check_type(log, schema, 0, err);
}
