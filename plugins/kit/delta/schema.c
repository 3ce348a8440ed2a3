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
        sf_fail(err, SF_FATAL, "the table's schemaString is no struct");
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

/* The same, by the index of the type's names. */
static json_object *field_at(json_object *type, const DeltaNames *names, const char *name)
{
    int64_t at = delta_names_find(names, name);
    return at < 0 ? NULL : json_object_array_get_idx(delta_json_member(type, "fields", json_type_array), (size_t) at);
}

static json_object *type_of(json_object *field, const char *member)
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

static const char *primitive_name(const SfField *field, char *room, size_t size)
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

static SfStatus type_from_arrow(const struct ArrowSchema *schema, bool create, json_object **out, SfError *err);

static SfStatus field_from_arrow(const struct ArrowSchema *schema, bool create, json_object **out, SfError *err)
{
    const char *name = schema->name ? schema->name : "";
    if (name[0] == '\0' || strpbrk(name, BAD_NAME_CHARACTERS))
        return sf_fail(
            err, SF_CONFIG,
            "column '%s': a Delta column's name has none of the characters ' ,;{}()=', tab, line break; rename it",
            name);
    json_object *type = NULL;
    SF_TRY(type_from_arrow(schema, create, &type, err));
    json_object *field = json_object_new_object();
    json_object_object_add(field, "name", json_object_new_string(name));
    json_object_object_add(field, "type", type);
    json_object_object_add(field, "nullable", json_object_new_boolean(!create || schema->flags & ARROW_FLAG_NULLABLE));
    json_object_object_add(field, "metadata", json_object_new_object());
    *out = field;
    return SF_OK;
}

static SfStatus struct_from_arrow(const struct ArrowSchema *schema, bool create, json_object **out, SfError *err)
{
    g_autoptr(json_object) type = delta_schema_new();
    json_object *fields = delta_json_member(type, "fields", json_type_array);
    for (int64_t i = 0; i < schema->n_children; i++) {
        json_object *field = NULL;
        SF_TRY(field_from_arrow(schema->children[i], create, &field, err));
        json_object_array_add(fields, field);
    }
    *out = g_steal_pointer(&type);
    return SF_OK;
}

static SfStatus type_from_arrow(const struct ArrowSchema *schema, bool create, json_object **out, SfError *err)
{
    SfField field;
    char room[32];
    SF_TRY(sf_schema_field(schema, &field, err));
    if (field.type == SF_STRUCT)
        return struct_from_arrow(schema, create, out, err);
    if (field.type != SF_LIST) {
        *out = json_object_new_string(primitive_name(&field, room, sizeof room));
        return SF_OK;
    }
    json_object *element = NULL;
    SF_TRY(type_from_arrow(schema->children[0], create, &element, err));
    *out = json_object_new_object();
    json_object_object_add(*out, "type", json_object_new_string("array"));
    json_object_object_add(*out, "elementType", element);
    json_object_object_add(*out, "containsNull",
                           json_object_new_boolean(!create || schema->children[0]->flags & ARROW_FLAG_NULLABLE));
    return SF_OK;
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
                           bool *changed, SfError *err)
{
    SfField field;
    char room[32];
    SF_TRY(sf_schema_field(input, &field, err));
    const char *kind = delta_json_text(type, "type");
    if (field.type == SF_STRUCT)
        return g_strcmp0(kind, "struct") == 0 ? merge_struct(type, input, path, how, changed, err)
                                              : type_differs(path, type, input, err);
    if (field.type == SF_LIST) {
        g_autofree char *inner = g_strconcat(path, "[]", NULL);
        if (g_strcmp0(kind, "array") != 0)
            return type_differs(path, type, input, err);
        if (!is_nullable(type, "containsNull") && input->children[0]->flags & ARROW_FLAG_NULLABLE)
            return sf_fail(err, SF_CONFIG, "column '%s' holds no nulls in the table, but may in the rows", path);
        return merge_type(type_of(type, "elementType"), input->children[0], inner, how, changed, err);
    }
    const char *name = primitive_name(&field, room, sizeof room);
    if (json_object_is_type(type, json_type_string) && strcmp(json_object_get_string(type), name) == 0)
        return SF_OK;
    return type_differs(path, type, input, err);
}

static SfStatus add_field(json_object *fields, const struct ArrowSchema *input, const char *path, DeltaMerge how,
                          bool *changed, SfError *err)
{
    if (how == DELTA_MERGE_CHECK)
        return sf_fail(err, SF_CONFIG, "column '%s' is not in the table; allow 'merge_schema', or leave it out", path);
    json_object *field = NULL;
    SF_TRY(field_from_arrow(input, how == DELTA_MERGE_CREATE, &field, err));
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
        json_object *field = field_at(type, of_table, child->name);
        if (!field) {
            SF_TRY(add_field(fields, child, inner, how, changed, err));
            continue;
        }
        if (path[0] && !is_nullable(field, "nullable") && child->flags & ARROW_FLAG_NULLABLE)
            return sf_fail(err, SF_CONFIG, "column '%s' is not null in the table, but may be null in the rows", inner);
        SF_TRY(merge_type(type_of(field, "type"), child, inner, how, changed, err));
    }
    return check_left_out(fields, of_rows, prefix, err);
}

SfStatus delta_schema_merge(json_object *schema, const struct ArrowSchema *input, DeltaMerge how, bool *changed,
                            SfError *err)
{
    return merge_struct(schema, input, "", how, changed, err);
}

/* The table's names and nullability over the input's types and layouts. Names are the table's JSON's: valid as long
 * as it. */
static void project_field(json_object *type, const struct ArrowSchema *input, SfField *out, GPtrArray *owned)
{
    sf_schema_field(input, out, NULL);
    out->n_children = (size_t) input->n_children;
    if (input->n_children == 0)
        return;
    SfField *children = g_new0(SfField, (gsize) input->n_children);
    g_ptr_array_add(owned, children);
    out->children = children;
    g_autoptr(GHashTable) names = delta_names_of_type(type);
    for (int64_t i = 0; i < input->n_children; i++) {
        if (out->type == SF_LIST) {
            project_field(type_of(type, "elementType"), input->children[0], &children[0], owned);
            children[0].name = "element";
            children[0].nullable = is_nullable(type, "containsNull");
            continue;
        }
        json_object *field = field_at(type, names, input->children[i]->name);
        project_field(type_of(field, "type"), input->children[i], &children[i], owned);
        children[i].name = delta_json_text(field, "name");
        children[i].nullable = is_nullable(field, "nullable");
    }
}

SfStatus delta_schema_project(json_object *schema, const struct ArrowSchema *input, char **leave_out,
                              DeltaProjection *out, SfError *err)
{
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    g_autofree SfField *fields = g_new0(SfField, (gsize) input->n_children);
    g_autofree int *map = g_new0(int, (gsize) input->n_children + 1);
    g_autofree int *required = g_new0(int, (gsize) input->n_children + 1);
    size_t n = 0;
    size_t n_required = 0;
    g_autoptr(GHashTable) names = delta_names_of_type(schema);
    g_autoptr(GHashTable) left_out = delta_names_new();
    for (; leave_out && *leave_out; leave_out++)
        delta_names_add(left_out, *leave_out, 0);
    for (int64_t i = 0; i < input->n_children; i++) {
        const struct ArrowSchema *child = input->children[i];
        json_object *field = field_at(schema, names, child->name);
        bool nullable = is_nullable(field, "nullable");
        if (!nullable && child->flags & ARROW_FLAG_NULLABLE)
            required[n_required++] = (int) i;
        if (delta_names_find(left_out, child->name) >= 0)
            continue;
        project_field(type_of(field, "type"), child, &fields[n], owned);
        fields[n].name = delta_json_text(field, "name");
        fields[n].nullable = nullable;
        map[n++] = (int) i;
    }
    required[n_required] = -1;
    if (n == 0)
        return sf_fail(err, SF_CONFIG, "all columns are partition columns: there is nothing to write into files");
    SF_TRY(sf_schema_make(fields, n, &out->schema, err));
    out->n = n;
    out->map = g_steal_pointer(&map);
    out->required = g_steal_pointer(&required);
    return SF_OK;
}

void delta_projection_done(DeltaProjection *projection)
{
    sf_schema_done(&projection->schema);
    g_free(projection->map);
    g_free(projection->required);
    *projection = (DeltaProjection){0};
}
