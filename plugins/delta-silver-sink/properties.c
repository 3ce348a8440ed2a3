/* Properties of a table that is created: which there may be, and the protocol that they ask for (PROTOCOL.md, "Table
 * Features"). */
#include "sink.h"

/* Properties that change nothing for writers beyond what we do. */
static const char *const plain_properties[] = {"delta.appendOnly",
                                               "delta.checkpointInterval",
                                               "delta.checkpoint.writeStatsAsJson",
                                               "delta.checkpoint.writeStatsAsStruct",
                                               "delta.dataSkippingNumIndexedCols",
                                               "delta.deletedFileRetentionDuration",
                                               "delta.enableExpiredLogCleanup",
                                               "delta.logRetentionDuration",
                                               "delta.targetFileSize",
                                               NULL};

/* Features that we support and that a property switches on when it has that value; `reader`: readers need it, too.
 * value NULL: asked for by delta.feature.NAME alone. */
static const struct {
    const char *property;
    const char *value;
    const char *feature;
    bool reader;
} switches[] = {{"delta.enableDeletionVectors", "true", "deletionVectors", true},
                {"delta.enableChangeDataFeed", "true", "changeDataFeed", false},
                {"delta.enableInCommitTimestamps", "true", "inCommitTimestamp", false},
                {"delta.enableTypeWidening", "true", "typeWidening", true},
                {"delta.columnMapping.mode", "name", "columnMapping", true},
                {"delta.columnMapping.mode", "id", "columnMapping", true},
                {"delta.checkpointPolicy", "v2", "v2Checkpoint", true},
                {"delta.enableRowTracking", "true", "rowTracking", false},
                {NULL, NULL, "appendOnly", false},
                {NULL, NULL, "invariants", false},
                {NULL, NULL, "checkConstraints", false},
                {NULL, NULL, "generatedColumns", false},
                {NULL, NULL, "allowColumnDefaults", false},
                {NULL, NULL, "domainMetadata", false},
                {NULL, NULL, "timestampNtz", true},
                {NULL, NULL, "vacuumProtocolCheck", true}};

#define FEATURE_PREFIX "delta.feature."

static bool is_plain(const char *key)
{
    return !g_str_has_prefix(key, "delta.") || g_str_has_prefix(key, "delta.autoOptimize.") ||
           g_strv_contains(plain_properties, key);
}

/* Number in `switches` of what a property asks for; -1: nothing that we have; *off: it says that it is not wanted. */
static int switch_of(const char *key, const char *value, bool *off)
{
    bool listed =
        g_str_has_prefix(key, FEATURE_PREFIX) && (strcmp(value, "supported") == 0 || strcmp(value, "enabled") == 0);
    *off = false;
    for (size_t i = 0; i < G_N_ELEMENTS(switches); i++) {
        if (listed && strcmp(switches[i].feature, key + strlen(FEATURE_PREFIX)) == 0)
            return (int) i;
        if (g_strcmp0(switches[i].property, key) != 0)
            continue;
        if (strcmp(switches[i].value, value) == 0)
            return (int) i;
        *off |= strcmp(value, "false") == 0 || strcmp(value, "none") == 0 || strcmp(value, "classic") == 0;
    }
    return -1;
}

static void check_property(const char *key, const char *value, SfError *all)
{
    SfError one;
    bool off;
    if (is_plain(key) || switch_of(key, value, &off) >= 0 || off)
        return;
    sf_fail(&one, SF_CONFIG, "table property '%s: %s' needs a feature that this sink does not have, or is unknown", key,
            value);
    sf_fail_also(all, &one);
}

void properties_check(const Sink *sink, SfError *all)
{
    for (size_t i = 0; i < sink->table_properties.size; i++)
        check_property(sink->table_properties.pairs[i].key, sink->table_properties.pairs[i].value, all);
}

static bool has_feature(const Sink *sink, const char *feature)
{
    for (size_t i = 0; i < sink->table_properties.size; i++) {
        bool off;
        int number = switch_of(sink->table_properties.pairs[i].key, sink->table_properties.pairs[i].value, &off);
        if (number >= 0 && switches[number].property && strcmp(switches[number].feature, feature) == 0 &&
            strcmp(switches[number].property, sink->table_properties.pairs[i].key) == 0)
            return true;
    }
    return false;
}

bool properties_map_columns(const Sink *sink)
{
    return has_feature(sink, "columnMapping");
}

bool properties_commit_time(const Sink *sink)
{
    return has_feature(sink, "inCommitTimestamp");
}

/* Rows have ids where the feature is there, whether it is enabled or only supported. */
bool properties_track_rows(const Sink *sink)
{
    bool off;
    for (size_t i = 0; i < sink->table_properties.size; i++) {
        int number = switch_of(sink->table_properties.pairs[i].key, sink->table_properties.pairs[i].value, &off);
        if (number >= 0 && strcmp(switches[number].feature, "rowTracking") == 0)
            return true;
    }
    return false;
}

static void add_text(json_object *list, const char *text)
{
    json_object_array_add(list, json_object_new_string(text));
}

static bool is_implied(const Sink *sink, const char *feature)
{
    return strcmp(feature, "appendOnly") == 0 || strcmp(feature, "invariants") == 0 ||
           (strcmp(feature, "domainMetadata") == 0 && properties_track_rows(sink));
}

/* Version 7 lists what is wanted, and what version 2 would have meant. */
json_object *properties_protocol(const Sink *sink)
{
    bool wanted[G_N_ELEMENTS(switches)] = {false};
    bool any = false;
    bool reader = false;
    bool off;
    for (size_t i = 0; i < sink->table_properties.size; i++) {
        const char *key = sink->table_properties.pairs[i].key;
        int number = is_plain(key) ? -1 : switch_of(key, sink->table_properties.pairs[i].value, &off);
        if (number < 0)
            continue;
        wanted[number] = any = true;
        reader |= switches[number].reader;
    }
    json_object *protocol = json_object_new_object();
    json_object_object_add(protocol, "minReaderVersion", json_object_new_int(reader ? 3 : 1));
    json_object_object_add(protocol, "minWriterVersion", json_object_new_int(any ? 7 : 2));
    if (!any)
        return protocol;
    json_object *readers = json_object_new_array();
    json_object *writers = json_object_new_array();
    const char *last = "";
    for (size_t i = 0; i < G_N_ELEMENTS(switches); i++) {
        const char *feature = switches[i].feature;
        bool implied = is_implied(sink, feature);
        if ((!wanted[i] && !implied) || strcmp(feature, last) == 0)
            continue;
        last = feature;
        add_text(writers, feature);
        if (switches[i].reader)
            add_text(readers, feature);
    }
    if (reader)
        json_object_object_add(protocol, "readerFeatures", readers);
    else
        json_object_put(readers);
    json_object_object_add(protocol, "writerFeatures", writers);
    return protocol;
}

/* Columns in which writers that move rows keep their ids and versions (PROTOCOL.md, "Row Tracking"). */
static void add_materialized(json_object *configuration)
{
    static const char *const names[][2] = {
        {"delta.rowTracking.materializedRowIdColumnName", "_row-id-col-"},
        {"delta.rowTracking.materializedRowCommitVersionColumnName", "_row-commit-version-col-"}};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *uuid = delta_uuid();
        g_autofree char *name = g_strconcat(names[i][1], uuid, NULL);
        json_object_object_add(configuration, names[i][0], json_object_new_string(name));
    }
}

void properties_add(const Sink *sink, json_object *configuration)
{
    if (has_feature(sink, "rowTracking"))
        add_materialized(configuration);
    for (size_t i = 0; i < sink->table_properties.size; i++) {
        const char *key = sink->table_properties.pairs[i].key;
        /* A request for a feature is not a property of the table. */
        if (!g_str_has_prefix(key, FEATURE_PREFIX))
            json_object_object_add(configuration, key, json_object_new_string(sink->table_properties.pairs[i].value));
    }
}
