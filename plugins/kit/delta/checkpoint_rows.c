/* Actions as rows of a checkpoint (PROTOCOL.md, "Checkpoint Schema") and as JSON objects. */
#include "delta.h"

const char *const delta_checkpoint_maps[] = {"partitionValues", "tags", "options", "configuration", NULL};

#define TEXT(n)                                                                                                        \
    {                                                                                                                  \
        .name = n, .type = SF_UTF8, .nullable = true                                                                   \
    }
#define LONG(n)                                                                                                        \
    {                                                                                                                  \
        .name = n, .type = SF_INT64, .nullable = true                                                                  \
    }
#define INT(n)                                                                                                         \
    {                                                                                                                  \
        .name = n, .type = SF_INT32, .nullable = true                                                                  \
    }
#define FLAG(n)                                                                                                        \
    {                                                                                                                  \
        .name = n, .type = SF_BOOL, .nullable = true                                                                   \
    }
#define GROUP(n, members)                                                                                              \
    {                                                                                                                  \
        .name = n, .type = SF_STRUCT, .nullable = true, .n_children = G_N_ELEMENTS(members), .children = members       \
    }
#define LIST_OF(n, element)                                                                                            \
    {                                                                                                                  \
        .name = n, .type = SF_LIST, .nullable = true, .n_children = 1, .children = element                             \
    }

static const SfField key_value[] = {{.name = "key", .type = SF_UTF8}, TEXT("value")};
static const SfField entry[] = {
    {.name = "element", .type = SF_STRUCT, .n_children = G_N_ELEMENTS(key_value), .children = key_value}};
static const SfField text_element[] = {TEXT("element")};
static const SfField txn[] = {TEXT("appId"), LONG("version"), LONG("lastUpdated")};
static const SfField vector[] = {TEXT("storageType"), TEXT("pathOrInlineDv"), INT("offset"),
                                 INT("sizeInBytes"),  LONG("cardinality"),    LONG("maxRowIndex")};
static const SfField add[] = {TEXT("path"),
                              LIST_OF("partitionValues", entry),
                              LONG("size"),
                              LONG("modificationTime"),
                              FLAG("dataChange"),
                              LIST_OF("tags", entry),
                              GROUP("deletionVector", vector),
                              LONG("baseRowId"),
                              LONG("defaultRowCommitVersion"),
                              TEXT("clusteringProvider"),
                              TEXT("stats")};
static const SfField removed[] = {TEXT("path"),
                                  LONG("deletionTimestamp"),
                                  FLAG("dataChange"),
                                  FLAG("extendedFileMetadata"),
                                  LIST_OF("partitionValues", entry),
                                  LONG("size"),
                                  LIST_OF("tags", entry),
                                  GROUP("deletionVector", vector),
                                  LONG("baseRowId"),
                                  LONG("defaultRowCommitVersion")};
static const SfField format[] = {TEXT("provider"), LIST_OF("options", entry)};
static const SfField metadata[] = {TEXT("id"),
                                   TEXT("name"),
                                   TEXT("description"),
                                   GROUP("format", format),
                                   TEXT("schemaString"),
                                   LIST_OF("partitionColumns", text_element),
                                   LIST_OF("configuration", entry),
                                   LONG("createdTime")};
static const SfField protocol[] = {INT("minReaderVersion"), INT("minWriterVersion"),
                                   LIST_OF("readerFeatures", text_element), LIST_OF("writerFeatures", text_element)};
static const SfField domain[] = {TEXT("domain"), TEXT("configuration"), FLAG("removed")};
static const SfField sidecar[] = {TEXT("path"), LONG("sizeInBytes"), LONG("modificationTime"), LIST_OF("tags", entry)};
static const SfField checkpoint[] = {LONG("version"), LIST_OF("tags", entry)};

/* What a writer's state needs comes first. */
static const SfField actions[] = {GROUP("txn", txn),           GROUP("metaData", metadata),
                                  GROUP("protocol", protocol), GROUP("domainMetadata", domain),
                                  GROUP("add", add),           GROUP("remove", removed),
                                  GROUP("sidecar", sidecar),   GROUP("checkpointMetadata", checkpoint)};

SfStatus delta_checkpoint_schema(DeltaColumn n, struct ArrowSchema *out, SfError *err)
{
    return sf_schema_make(actions, n, out, err);
}

SfStatus delta_checkpoint_schema_with(DeltaColumn n, const SfField *stats, struct ArrowSchema *out, SfError *err)
{
    SfField members[G_N_ELEMENTS(add) + 1];
    SfField columns[G_N_ELEMENTS(actions)];
    memcpy(members, add, sizeof add);
    memcpy(columns, actions, sizeof actions);
    members[G_N_ELEMENTS(add)] = *stats;
    columns[DELTA_COLUMN_ADD].children = members;
    columns[DELTA_COLUMN_ADD].n_children = G_N_ELEMENTS(members);
    return sf_schema_make(columns, n, out, err);
}

static void add_map(const struct ArrowSchema *schema, json_object *value, SfColumnBuilder *out)
{
    SfColumnBuilder *item = out->children[0];
    json_object_object_foreach(value, key, text)
    {
        sf_add_str(item->children[0], key, (int64_t) strlen(key));
        delta_checkpoint_add(schema->children[0]->children[1], text, item->children[1]);
        sf_add_struct(item);
    }
    sf_add_list(out);
}

static void add_list(const struct ArrowSchema *schema, json_object *value, SfColumnBuilder *out)
{
    for (size_t i = 0; i < json_object_array_length(value); i++)
        delta_checkpoint_add(schema->children[0], json_object_array_get_idx(value, i), out->children[0]);
    sf_add_list(out);
}

static void add_json_text(json_object *value, SfColumnBuilder *out)
{
    const char *text = json_object_get_string(value);
    sf_add_str(out, text, (int64_t) strlen(text));
}

static void add_members(const struct ArrowSchema *schema, json_object *value, SfColumnBuilder *out)
{
    for (size_t i = 0; i < out->n_children; i++) {
        json_object *member = NULL;
        json_object_object_get_ex(value, schema->children[i]->name, &member);
        delta_checkpoint_add(schema->children[i], member, out->children[i]);
    }
    sf_add_struct(out);
}

/* false, here and below: the column is of another kind, or the value does not fit it. */
static bool add_nested(const struct ArrowSchema *schema, json_object *value, SfColumnBuilder *out)
{
    json_type type = json_object_get_type(value);
    if (out->type == SF_STRUCT && type == json_type_object)
        add_members(schema, value, out);
    else if (out->type == SF_LIST && type == json_type_object)
        add_map(schema, value, out);
    else if (out->type == SF_LIST && type == json_type_array)
        add_list(schema, value, out);
    else
        return false;
    return true;
}

static bool add_plain(json_object *value, SfColumnBuilder *out)
{
    json_type type = json_object_get_type(value);
    if (out->type == SF_UTF8 && value)
        add_json_text(value, out);
    else if (out->type == SF_BOOL && type == json_type_boolean)
        sf_add_bool(out, json_object_get_boolean(value));
    else if (out->type == SF_INT32 && type == json_type_int)
        sf_add_i32(out, json_object_get_int(value));
    else if (out->type == SF_INT64 && type == json_type_int)
        sf_add_i64(out, json_object_get_int64(value));
    else
        return false;
    return true;
}

/* Types of the JSON that do not fit read as null, as an unknown field would. */
void delta_checkpoint_add(const struct ArrowSchema *schema, json_object *value, SfColumnBuilder *out)
{
    if (!add_nested(schema, value, out) && !add_plain(value, out) && !delta_stats_add(schema, value, out))
        sf_add_null(out);
}

static json_object *struct_json(const SfColumn *column, int64_t row, SfError *err)
{
    g_autoptr(json_object) object = json_object_new_object();
    for (int64_t i = 0; i < column->schema->n_children; i++) {
        SfColumn child;
        if (sf_column_child(column, i, &child, err) != SF_OK)
            return NULL;
        json_object *value = delta_checkpoint_json(&child, row, err);
        if (value)
            json_object_object_add(object, column->schema->children[i]->name, value);
    }
    return g_steal_pointer(&object);
}

static char *checkpoint_text(const SfColumn *column, int64_t row)
{
    SfBytes bytes = sf_bytes(column, row);
    return g_strndup(bytes.data ? bytes.data : "", (gsize) bytes.size);
}

static json_object *map_json(const SfColumn *entries, int64_t first, int64_t n, SfError *err)
{
    SfColumn keys;
    SfColumn values;
    if (sf_column_child(entries, 0, &keys, err) != SF_OK || sf_column_child(entries, 1, &values, err) != SF_OK)
        return NULL;
    json_object *object = json_object_new_object();
    for (int64_t i = first; i < first + n; i++) {
        g_autofree char *key = checkpoint_text(&keys, i);
        json_object_object_add(object, key, delta_checkpoint_json(&values, i, err));
    }
    return object;
}

static json_object *list_json(const SfColumn *column, int64_t row, SfError *err)
{
    SfColumn items;
    int64_t first;
    int64_t n = sf_list(column, row, &first);
    if (sf_column_child(column, 0, &items, err) != SF_OK)
        return NULL;
    if (g_strv_contains(delta_checkpoint_maps, column->schema->name))
        return map_json(&items, first, n, err);
    json_object *list = json_object_new_array();
    for (int64_t i = first; i < first + n; i++)
        json_object_array_add(list, delta_checkpoint_json(&items, i, err));
    return list;
}

json_object *delta_checkpoint_json(const SfColumn *column, int64_t row, SfError *err)
{
    if (sf_is_null(column, row))
        return NULL;
    switch (column->type) {
    case SF_STRUCT:
        return struct_json(column, row, err);
    case SF_LIST:
        return list_json(column, row, err);
    case SF_BOOL:
        return json_object_new_boolean(sf_bool(column, row));
    case SF_INT32:
        return json_object_new_int(sf_i32(column, row));
    case SF_INT64:
        return json_object_new_int64(sf_i64(column, row));
    case SF_FLOAT64:
    case SF_DECIMAL128:
    case SF_DATE:
    case SF_TIMESTAMP:
        return delta_stats_json(column, row);
    default: {
        SfBytes bytes = sf_bytes(column, row);
        return json_object_new_string_len(bytes.data ? bytes.data : "", (int) bytes.size);
    }
    }
}
