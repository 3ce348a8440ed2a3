/* add.stats_parsed: the schema of the statistics of a checkpoint's files, a struct of the table's columns (PROTOCOL.md,
 * "Checkpoint Schema"). */
#include "delta.h"

typedef enum Part { PART_BOUNDS, PART_NULLS } Part;

/* Types that have bounds; timestamp_ntz not, whose texts we could not tell from others'. */
static bool bound_type(const char *name, SfField *out)
{
    return delta_primitive_type(name, out) && out->type != SF_BOOL && out->type != SF_BINARY &&
           strcmp(name, "timestamp_ntz") != 0;
}

typedef struct StatsSchema {
    GPtrArray *owned; /* arrays of SfField */
    bool mapped;
    const DeltaNames *partitions;
} StatsSchema;

static bool add_struct(StatsSchema *stats, json_object *type, Part part, bool top, SfField *out);

static bool add_stats_field(StatsSchema *stats, json_object *field, Part part, SfField *out)
{
    json_object *type = delta_type_of(field, "type");
    const char *kind = delta_json_text(type, "type");
    bool there;
    if (kind && strcmp(kind, "struct") == 0) {
        there = add_struct(stats, type, part, false, out);
    } else if (part == PART_NULLS) {
        *out = (SfField){.type = SF_INT64};
        there = true;
    } else {
        there = json_object_is_type(type, json_type_string) && bound_type(json_object_get_string(type), out);
    }
    out->name = delta_file_name(field, stats->mapped);
    out->nullable = true;
    return there && out->name;
}

/* false: none of the members has any. */
static bool add_struct(StatsSchema *stats, json_object *type, Part part, bool top, SfField *out)
{
    json_object *fields = delta_json_member(type, "fields", json_type_array);
    size_t n = fields ? json_object_array_length(fields) : 0;
    SfField *members = g_new0(SfField, n + 1);
    g_ptr_array_add(stats->owned, members);
    *out = (SfField){.type = SF_STRUCT, .nullable = true, .children = members};
    for (size_t i = 0; i < n; i++) {
        json_object *field = json_object_array_get_idx(fields, i);
        const char *name = delta_json_text(field, "name");
        bool partition = top && name && delta_names_find(stats->partitions, name) >= 0;
        if (name && !partition && add_stats_field(stats, field, part, &members[out->n_children]))
            out->n_children++;
    }
    return out->n_children > 0;
}

/* The partition columns are not in files. */
static DeltaNames *partitions_of(json_object *metadata)
{
    DeltaNames *names = delta_names_new();
    json_object *list = delta_json_member(metadata, "partitionColumns", json_type_array);
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(list, i));
        if (name)
            delta_names_add(names, name, (int64_t) i);
    }
    return names;
}

static void make_field(const DeltaLog *log, json_object *schema, GPtrArray *owned, SfField *out)
{
    static const char *const names[] = {"minValues", "maxValues", "nullCount"};
    g_autoptr(GHashTable) partitions = partitions_of(log->metadata);
    StatsSchema stats = {.owned = owned, .mapped = delta_log_maps(log), .partitions = partitions};
    SfField *members = g_new0(SfField, 1 + G_N_ELEMENTS(names));
    g_ptr_array_add(owned, members);
    *out = (SfField){.name = "stats_parsed", .type = SF_STRUCT, .nullable = true, .n_children = 1, .children = members};
    members[0] = (SfField){.name = "numRecords", .type = SF_INT64, .nullable = true};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        SfField *member = &members[out->n_children];
        if (!add_struct(&stats, schema, i < 2 ? PART_BOUNDS : PART_NULLS, true, member))
            continue;
        member->name = names[i];
        out->n_children++;
    }
}

SfStatus delta_checkpoint_schema_of(const DeltaLog *log, DeltaColumn n, struct ArrowSchema *out, SfError *err)
{
    g_autoptr(json_object) schema = delta_schema_parse(log->metadata, err);
    if (!schema)
        return SF_FATAL;
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    SfField stats;
    make_field(log, schema, owned, &stats);
    return delta_checkpoint_schema_with(n, &stats, out, err);
}
