/* The `schema:` option: YAML → fields, and fields → the output's columns. Types as text are type_text.c's. */
#include "field.h"

#include <string.h>
#include "json/check.h"
#include "json/write.h"

Field *field_new(const char *name)
{
    Field *field = g_new0(Field, 1);
    field->name = g_strdup(name);
    field->nullable = true;
    return field;
}

void field_free(Field *field)
{
    if (!field)
        return;
    g_clear_pointer(&field->children, g_ptr_array_unref);
    pattern_free(field->pattern);
    g_clear_pointer(&field->paths, g_ptr_array_unref);
    g_free(field->fallback);
    g_free(field->type);
    g_free(field->name);
    g_free(field);
}

Field *field_add_child(Field *field, const char *name)
{
    if (!field->children)
        field->children = g_ptr_array_new_with_free_func((GDestroyNotify) field_free);
    Field *child = field_new(name);
    child->parent = field;
    g_ptr_array_add(field->children, child);
    return child;
}

static SfStatus read_field(Field *field, const SfValue *value, int depth, SfError *err);

static SfStatus read_text(Field *field, const SfValue *value, SfError *err)
{
    SfError inner;
    const char *text = sf_value_text(value);
    if (field_parse(field, text, &inner) == SF_OK)
        return SF_OK;
    bool cut = (strchr(text, '(') && !strchr(text, ')')) || (strchr(text, '<') && !strchr(text, '>'));
    return sf_value_fail(value, err, "column '%s': %s%s", field->name, inner.message,
                         cut ? "; within {…} a type with a comma needs quotes" : "");
}

/* Values that are written as JSON texts get their quotes; the others have to be JSON already. */
static SfStatus read_default(Field *field, const SfValue *value, SfError *err)
{
    const char *text = sf_value_text(value);
    bool quotes = field->kind == FIELD_STRING || field->kind == FIELD_BINARY || field->kind == FIELD_DATE ||
                  (field->kind == FIELD_TIMESTAMP && (field->unit == UNIT_ISO || field->pattern));
    if (!text || field->kind == FIELD_LIST || field->kind == FIELD_STRUCT)
        return sf_value_fail(value, err, "column '%s': a default is one value, such as 0 or unknown", field->name);
    g_autoptr(GString) json = g_string_new(NULL);
    if (quotes)
        json_write_text(json, text, strlen(text));
    else
        g_string_append(json, text);
    if (!json_valid(json->str, json->len, NULL, NULL))
        return sf_value_fail(value, err, "column '%s': default '%s' is no %s", field->name, text, field->type);
    field->fallback = g_string_free(g_steal_pointer(&json), FALSE);
    return SF_OK;
}

static SfStatus read_nullable(Field *field, const SfValue *value, SfError *err)
{
    const char *text = sf_value_text(value);
    bool yes = text && strcmp(text, "true") == 0;
    if (!yes && (!text || strcmp(text, "false") != 0))
        return sf_value_fail(value, err, "column '%s': nullable is true or false", field->name);
    field->nullable = yes;
    return SF_OK;
}

static SfStatus read_path(Field *field, const SfValue *value, SfError *err)
{
    SfError inner;
    const char *text = sf_value_text(value);
    if (!text)
        return sf_value_fail(value, err, "column '%s': from is a path such as customer.city, or a list of paths",
                             field->name);
    if (field_parse_path(field, text, &inner) != SF_OK)
        return sf_value_fail(value, err, "column '%s': %s", field->name, inner.message);
    return SF_OK;
}

/* One path, or a list of them. */
static SfStatus read_from(Field *field, const SfValue *value, SfError *err)
{
    if (field->paths)
        return sf_value_fail(value, err, "column '%s': from stands in its type already", field->name);
    if (sf_value_kind(value) != SF_VALUE_LIST || sf_value_size(value) == 0)
        return read_path(field, value, err);
    for (size_t i = 0; i < sf_value_size(value); i++)
        SF_TRY(read_path(field, sf_value_at(value, i), err));
    return SF_OK;
}

/* What `$` means. */
static SfStatus check_root(const Field *field, const SfValue *value, SfError *err)
{
    for (guint i = 0; field->paths && i < field->paths->len; i++) {
        const Path *path = g_ptr_array_index(field->paths, i);
        if (*path->text == '$' && field->parent && strchr(".[", path->text[1]))
            return sf_value_fail(value, err, "column '%s': '%s' begins at the event, but a member's path at its struct",
                                 field->name, path->text);
        if (path->steps->len == 0 && field->paths->len > 1)
            return sf_value_fail(value, err,
                                 "column '%s': '$' is the whole event, which is always there: no other "
                                 "path stands beside it",
                                 field->name);
    }
    return SF_OK;
}

static SfStatus read_members(Field *field, const SfValue *members, int depth, SfError *err)
{
    if (sf_value_kind(members) != SF_VALUE_MAP || sf_value_size(members) == 0)
        return sf_value_fail(members, err, "column '%s': struct is a map of its members to their types", field->name);
    field->kind = FIELD_STRUCT;
    field->type = g_strdup("struct");
    SfError all = {""}, one;
    for (size_t i = 0; i < sf_value_size(members); i++) {
        const char *name = sf_value_text(sf_value_key(members, i));
        if (read_field(field_add_child(field, name ? name : ""), sf_value_at(members, i), depth + 1, &one) != SF_OK)
            sf_fail_also(&all, &one);
    }
    return *all.message ? sf_fail(err, SF_CONFIG, "%s", all.message) : SF_OK;
}

static SfStatus read_element(Field *field, const SfValue *element, int depth, SfError *err)
{
    field->kind = FIELD_LIST;
    field->type = g_strdup("list");
    Field *child = field_add_child(field, "element");
    SF_TRY(read_field(child, element, depth + 1, err));
    if (child->paths || child->fallback)
        return sf_value_fail(element, err, "column '%s': a list's element has no path and no default", field->name);
    return SF_OK;
}

/* The long form: one of type, struct and list, and what else is known of the field. */
static SfStatus check_keys(const Field *field, const SfValue *map, SfError *err)
{
    static const char *const words[] = {"type", "struct", "list", "from", "default", "nullable"};
    int types = 0;
    for (size_t i = 0; i < sf_value_size(map); i++) {
        const SfValue *key = sf_value_key(map, i);
        const char *text = sf_value_text(key);
        size_t known = 0;
        while (known < G_N_ELEMENTS(words) && strcmp(text ? text : "", words[known]) != 0)
            known++;
        char nearest[64];
        if (known == G_N_ELEMENTS(words))
            return sf_value_fail(key, err, "column '%s': unknown key '%s'%s", field->name, text ? text : "",
                                 sf_suggest(text ? text : "", words, G_N_ELEMENTS(words), nearest, sizeof nearest));
        types += known < 3;
    }
    if (types == 1)
        return SF_OK;
    return sf_value_fail(map, err,
                         "column '%s': exactly one of type, struct and list belongs here; members of an object go "
                         "under struct",
                         field->name);
}

static SfStatus read_map(Field *field, const SfValue *map, int depth, SfError *err)
{
    SF_TRY(check_keys(field, map, err));
    const SfValue *type = sf_value_get(map, "type"), *members = sf_value_get(map, "struct");
    const SfValue *element = sf_value_get(map, "list"), *from = sf_value_get(map, "from");
    const SfValue *nullable = sf_value_get(map, "nullable"), *fallback = sf_value_get(map, "default");
    if (type && !sf_value_text(type))
        return sf_value_fail(type, err, "column '%s': type is a text such as 'string not null'", field->name);
    if (type)
        SF_TRY(read_text(field, type, err));
    if (members)
        SF_TRY(read_members(field, members, depth, err));
    if (element)
        SF_TRY(read_element(field, element, depth, err));
    if (from)
        SF_TRY(read_from(field, from, err));
    if (nullable)
        SF_TRY(read_nullable(field, nullable, err));
    return fallback ? read_default(field, fallback, err) : SF_OK;
}

static SfStatus read_field(Field *field, const SfValue *value, int depth, SfError *err)
{
    if (depth >= SF_SCHEMA_MAX_DEPTH)
        return sf_value_fail(value, err, "column '%s': types nested deeper than %d", field->name, SF_SCHEMA_MAX_DEPTH);
    if (sf_value_kind(value) == SF_VALUE_SCALAR || sf_value_kind(value) == SF_VALUE_MAP) {
        SF_TRY(sf_value_kind(value) == SF_VALUE_MAP ? read_map(field, value, depth, err)
                                                    : read_text(field, value, err));
        return check_root(field, value, err);
    }
    return sf_value_fail(
        value, err, "column '%s': a type expected, such as 'string not null' or {type: int, default: 0}", field->name);
}

SfStatus fields_read(const SfValue *schema, GPtrArray **out, SfError *err)
{
    if (sf_value_kind(schema) != SF_VALUE_MAP || sf_value_size(schema) == 0)
        return sf_value_fail(schema, err,
                             "schema is a map of columns to their types, such as {order_id: string not null}");
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func((GDestroyNotify) field_free);
    SfError all = {""}, one;
    for (size_t i = 0; i < sf_value_size(schema); i++) {
        const char *name = sf_value_text(sf_value_key(schema, i));
        g_ptr_array_add(fields, field_new(name ? name : ""));
        if (read_field(g_ptr_array_index(fields, i), sf_value_at(schema, i), 1, &one) != SF_OK)
            sf_fail_also(&all, &one);
    }
    if (*all.message)
        return sf_fail(err, SF_CONFIG, "%s", all.message);
    *out = g_steal_pointer(&fields);
    return SF_OK;
}

SfField field_describe(const Field *field, GPtrArray *arena)
{
    static const SfType types[] = {SF_UTF8, SF_UTF8,   SF_INT32, SF_INT64,     SF_FLOAT64, SF_DECIMAL128,
                                   SF_BOOL, SF_BINARY, SF_DATE,  SF_TIMESTAMP, SF_LIST,    SF_STRUCT};
    SfField out = {.name = field->name,
                   .type = types[field->kind],
                   .nullable = field->nullable,
                   .precision = field->precision,
                   .scale = field->scale};
    if (field->children) {
        SfField *children = g_new0(SfField, field->children->len);
        g_ptr_array_add(arena, children);
        for (guint i = 0; i < field->children->len; i++)
            children[i] = field_describe(g_ptr_array_index(field->children, i), arena);
        out.n_children = field->children->len;
        out.children = children;
    }
    return out;
}
