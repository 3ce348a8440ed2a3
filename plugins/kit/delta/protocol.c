/* What a table's protocol and properties switch on (PROTOCOL.md, "Table Features"). */
#include "delta.h"

static bool is_listed(const DeltaLog *log, const char *member, const char *feature)
{
    json_object *list = delta_json_member(log->protocol, member, json_type_array);
    for (size_t i = 0; list && i < json_object_array_length(list); i++)
        if (g_strcmp0(json_object_get_string(json_object_array_get_idx(list, i)), feature) == 0)
            return true;
    return false;
}

int delta_protocol_version(const DeltaLog *log, const char *member)
{
    json_object *version = delta_json_member(log->protocol, member, json_type_int);
    return version ? json_object_get_int(version) : 0;
}

bool delta_log_supports(const DeltaLog *log, const char *feature)
{
    /* Writer versions that imply them; from 7 on, features are listed. */
    static const struct {
        const char *feature;
        int writer;
    } implied[] = {{"appendOnly", 2},       {"invariants", 2},    {"checkConstraints", 3}, {"changeDataFeed", 4},
                   {"generatedColumns", 4}, {"columnMapping", 5}, {"identityColumns", 6}};
    int writer = delta_protocol_version(log, "minWriterVersion");
    for (size_t i = 0; writer < 7 && i < G_N_ELEMENTS(implied); i++)
        if (strcmp(implied[i].feature, feature) == 0)
            return writer >= implied[i].writer;
    return is_listed(log, "writerFeatures", feature);
}

bool delta_log_maps(const DeltaLog *log)
{
    const char *mode = delta_log_property(log, "delta.columnMapping.mode");
    return mode && strcmp(mode, "none") != 0 && delta_log_supports(log, "columnMapping");
}

bool delta_log_maps_by_id(const DeltaLog *log)
{
    return delta_log_maps(log) && g_strcmp0(delta_log_property(log, "delta.columnMapping.mode"), "id") == 0;
}

bool delta_log_in_commit_time(const DeltaLog *log)
{
    return g_strcmp0(delta_log_property(log, "delta.enableInCommitTimestamps"), "true") == 0;
}
