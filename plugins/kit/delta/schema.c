/* Delta's schema JSON ↔ Arrow (PROTOCOL.md, "Schema Serialization Format"). The JSON stays the truth: what it says
 * beyond our types is kept as it is. */
#include "delta.h"

#define BAD_NAME_CHARACTERS " ,;{}()\n\t="

json_object *delta_schema_new(void)
{
    json_object *schema = json_object_new_object();
    json_object_object_add(schema, "type", json_object_new_string("struct"));
    json_object_object_add(schema, "fields", json_object_new_array());
    return schema;
}

json_object *delta_schema_parse(json_object *metadata, SfError *err)
{
    const char *text = delta_json_text(metadata, "schemaString");
    g_autoptr(json_object) schema = text ? delta_json_parse(text, strlen(text), err) : NULL;
    if (!schema || !delta_json_member(schema, "fields", json_type_array)) {
        sf_fail(err, SF_FATAL, "the table's schemaString is not a struct");
        return NULL;
    }
    return g_steal_pointer(&schema);
}

json_object *delta_schema_field(json_object *schema, const char *name)
{
    json_object *fields = delta_json_member(schema, "fields", json_type_array);
    for (size_t i = 0; fields && i < json_object_array_length(fields); i++) {
        json_object *field = json_object_array_get_idx(fields, i);
        const char *other = delta_json_text(field, "name");
        if (other && delta_name_equal(other, name))
            return field;
    }
    return NULL;
}

json_object *delta_schema_field_at(json_object *type, const DeltaNames *names, const char *name)
{
    int64_t at = delta_names_find(names, name);
    return at < 0 ? NULL : json_object_array_get_idx(delta_json_member(type, "fields", json_type_array), (size_t) at);
}

json_object *delta_type_of(json_object *field, const char *member)
{
    json_object *type = NULL;
    json_object_object_get_ex(field, member, &type);
    return type;
}

static bool is_nullable(json_object *field, const char *member)
{
    json_object *flag = delta_json_member(field, member, json_type_boolean);
    return !flag || json_object_get_boolean(flag);
}

bool delta_field_nullable(json_object *field)
{
    return is_nullable(field, "nullable");
}

const char *delta_type_name(const SfField *field, char *room, size_t size)
{
    switch (field->type) {
    case SF_BOOL:
        return "boolean";
    case SF_INT32:
        return "integer";
    case SF_INT64:
        return "long";
    case SF_FLOAT64:
        return "double";
    case SF_UTF8:
        return "string";
    case SF_BINARY:
        return "binary";
    case SF_DATE:
        return "date";
    case SF_TIMESTAMP:
        return "timestamp";
    default:
        g_snprintf(room, size, "decimal(%d,%d)", field->precision, field->scale);
        return room;
    }
}

static bool creates(DeltaMerge how)
{
    return how == DELTA_MERGE_CREATE || how == DELTA_MERGE_CREATE_MAPPED;
}

static SfStatus type_from_arrow(const struct ArrowSchema *schema, DeltaMerge how, json_object **out, SfError *err);

static SfStatus field_from_arrow(const struct ArrowSchema *schema, DeltaMerge how, json_object **out, SfError *err)
{
    const char *name = schema->name ? schema->name : "";
    if (name[0] == '\0' ||
        (how != DELTA_MERGE_MAPPED && how != DELTA_MERGE_CREATE_MAPPED && strpbrk(name, BAD_NAME_CHARACTERS)))
        return sf_fail(
            err, SF_CONFIG,
            "column '%s': a Delta column's name has none of the characters ' ,;{}()=', tab, line break; rename it",
            name);
    json_object *type = NULL;
    SF_TRY(type_from_arrow(schema, how, &type, err));
    json_object *field = json_object_new_object();
    json_object_object_add(field, "name", json_object_new_string(name));
    json_object_object_add(field, "type", type);
    json_object_object_add(field, "nullable",
                           json_object_new_boolean(!creates(how) || schema->flags & ARROW_FLAG_NULLABLE));
    json_object_object_add(field, "metadata", json_object_new_object());
    *out = field;
    return SF_OK;
}

static SfStatus struct_from_arrow(const struct ArrowSchema *schema, DeltaMerge how, json_object **out, SfError *err)
{
    g_autoptr(json_object) type = delta_schema_new();
    json_object *fields = delta_json_member(type, "fields", json_type_array);
    for (int64_t i = 0; i < schema->n_children; i++) {
        json_object *field = NULL;
        SF_TRY(field_from_arrow(schema->children[i], how, &field, err));
        json_object_array_add(fields, field);
    }
    *out = g_steal_pointer(&type);
    return SF_OK;
}

static SfStatus type_from_arrow(const struct ArrowSchema *schema, DeltaMerge how, json_object **out, SfError *err)
{
    SfField field;
    char room[32];
    SF_TRY(sf_schema_field(schema, &field, err));
    if (field.type == SF_STRUCT)
        return struct_from_arrow(schema, how, out, err);
    if (field.type != SF_LIST) {
        *out = json_object_new_string(delta_type_name(&field, room, sizeof room));
        return SF_OK;
    }
    json_object *element = NULL;
    SF_TRY(type_from_arrow(schema->children[0], how, &element, err));
    *out = json_object_new_object();
    json_object_object_add(*out, "type", json_object_new_string("array"));
    json_object_object_add(*out, "elementType", element);
    json_object_object_add(*out, "containsNull",
                           json_object_new_boolean(!creates(how) || schema->children[0]->flags & ARROW_FLAG_NULLABLE));
    return SF_OK;
}

/* Types of a table that rows of another type fill, as long as each value fits: rules.c sees to that. */
bool delta_type_takes(json_object *type, const SfField *field)
{
    static const struct {
        const char *type;
        SfType rows;
    } wider[] = {{"byte", SF_INT32},
                 {"short", SF_INT32},
                 {"long", SF_INT32},
                 {"float", SF_FLOAT64},
                 {"timestamp_ntz", SF_TIMESTAMP}};
    char room[32];
    const char *name = json_object_is_type(type, json_type_string) ? json_object_get_string(type) : "";
    if (strcmp(name, delta_type_name(field, room, sizeof room)) == 0)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(wider); i++)
        if (strcmp(name, wider[i].type) == 0 && field->type == wider[i].rows)
            return true;
    return false;
}

static SfStatus type_differs(const char *path, json_object *type, const struct ArrowSchema *input, SfError *err)
{
    char room[128];
    sf_schema_describe(input, room, sizeof room);
    return sf_fail(err, SF_CONFIG,
                   "column '%s' is %s in the table, but %s in the rows; cast it, or write to another table", path,
                   type ? json_object_get_string(type) : "nothing", room);
}

static SfStatus merge_struct(json_object *type, const struct ArrowSchema *input, const char *path, DeltaMerge how,
                             bool *changed, SfError *err);

static SfStatus merge_type(json_object *type, const struct ArrowSchema *input, const char *path, DeltaMerge how,
                           bool *changed, SfError *err);

/* A list of structs of key and value fills a map. */
static SfStatus merge_map(json_object *type, const struct ArrowSchema *input, const char *path, DeltaMerge how,
                          bool *changed, SfError *err)
{
    const struct ArrowSchema *entry = input->children[0];
    bool pair = entry->n_children == 2 && delta_name_equal(entry->children[0]->name, "key") &&
                delta_name_equal(entry->children[1]->name, "value");
    if (!pair)
        return sf_fail(err, SF_CONFIG,
                       "column '%s' is a map in the table, which a list<struct<key, value>> of the rows fills", path);
    SF_TRY(merge_type(delta_type_of(type, "keyType"), entry->children[0], path, how, changed, err));
    return merge_type(delta_type_of(type, "valueType"), entry->children[1], path, how, changed, err);
}

static SfStatus merge_type(json_object *type, const struct ArrowSchema *input, const char *path, DeltaMerge how,
                           bool *changed, SfError *err)
{
    SfField field;
    SF_TRY(sf_schema_field(input, &field, err));
    const char *kind = delta_json_text(type, "type");
    if (field.type == SF_STRUCT)
        return g_strcmp0(kind, "struct") == 0 ? merge_struct(type, input, path, how, changed, err)
                                              : type_differs(path, type, input, err);
    if (field.type == SF_LIST) {
        g_autofree char *inner = g_strconcat(path, "[]", NULL);
        if (g_strcmp0(kind, "map") == 0)
            return merge_map(type, input, inner, how, changed, err);
        if (g_strcmp0(kind, "array") != 0)
            return type_differs(path, type, input, err);
        if (!is_nullable(type, "containsNull") && input->children[0]->flags & ARROW_FLAG_NULLABLE)
            return sf_fail(err, SF_CONFIG, "column '%s' holds no nulls in the table, but may in the rows", path);
        return merge_type(delta_type_of(type, "elementType"), input->children[0], inner, how, changed, err);
    }
    return delta_type_takes(type, &field) ? SF_OK : type_differs(path, type, input, err);
}

static SfStatus add_schema_field(json_object *fields, const struct ArrowSchema *input, const char *path, DeltaMerge how,
                                 bool *changed, SfError *err)
{
    if (how == DELTA_MERGE_CHECK)
        return sf_fail(err, SF_CONFIG, "column '%s' is not in the table; allow 'merge_schema', or leave it out", path);
    json_object *field = NULL;
    SF_TRY(field_from_arrow(input, how, &field, err));
    json_object_array_add(fields, field);
    *changed = true;
    return SF_OK;
}

/* Columns of the table that the rows lack become null, where they may. */
static SfStatus check_left_out(json_object *fields, const DeltaNames *input, const char *path, SfError *err)
{
    for (size_t i = 0; i < json_object_array_length(fields); i++) {
        json_object *field = json_object_array_get_idx(fields, i);
        const char *name = delta_json_text(field, "name");
        if (!is_nullable(field, "nullable") && (!name || delta_names_find(input, name) < 0))
            return sf_fail(err, SF_CONFIG, "column '%s%s' is not null in the table, but the rows do not have it", path,
                           name ? name : "");
    }
    return SF_OK;
}

/* Which differ by the same rule: the host sees to that. */
static DeltaNames *names_of_rows(const struct ArrowSchema *input)
{
    DeltaNames *names = delta_names_new();
    for (int64_t i = 0; i < input->n_children; i++)
        delta_names_add(names, input->children[i]->name, i);
    return names;
}

static SfStatus merge_struct(json_object *type, const struct ArrowSchema *input, const char *path, DeltaMerge how,
                             bool *changed, SfError *err)
{
    json_object *fields = delta_json_member(type, "fields", json_type_array);
    if (!fields)
        return type_differs(path, type, input, err);
    g_autofree char *prefix = path[0] ? g_strconcat(path, ".", NULL) : g_strdup("");
    g_autoptr(GHashTable) of_table = delta_names_of_type(type);
    g_autoptr(GHashTable) of_rows = names_of_rows(input);
    for (int64_t i = 0; i < input->n_children; i++) {
        const struct ArrowSchema *child = input->children[i];
        g_autofree char *inner = g_strconcat(prefix, child->name, NULL);
        json_object *field = delta_schema_field_at(type, of_table, child->name);
        if (!field) {
            SF_TRY(add_schema_field(fields, child, inner, how, changed, err));
            continue;
        }
        if (path[0] && !is_nullable(field, "nullable") && child->flags & ARROW_FLAG_NULLABLE)
            return sf_fail(err, SF_CONFIG, "column '%s' is not null in the table, but may be null in the rows", inner);
        SF_TRY(merge_type(delta_type_of(field, "type"), child, inner, how, changed, err));
    }
    return check_left_out(fields, of_rows, prefix, err);
}

SfStatus delta_schema_merge(json_object *schema, const struct ArrowSchema *input, DeltaMerge how, bool *changed,
                            SfError *err)
{
    return merge_struct(schema, input, "", how, changed, err);
}
