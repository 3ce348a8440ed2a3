/* The `schema:` option: YAML → fields. Types as text are type_text.c's. */
#include "schema.h"

#include <string.h>
#include "json/check.h"
#include "json/write.h"
#include "type_text.h"

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

/* Whether a default is a JSON text, and gets its quotes. */
static bool is_quoted(const Field *field, const char *text)
{
    if (field->kind == FIELD_DATE || field->kind == FIELD_TIMESTAMP)
        return field->unit == UNIT_NONE || !number_is(text, strlen(text));
    return field->kind == FIELD_STRING || field->kind == FIELD_BINARY;
}

/* The others have to be JSON already. */
static SfStatus read_default(Field *field, const SfValue *value, SfError *err)
{
    const char *text = sf_value_text(value);
    if (!text || field->kind == FIELD_LIST || field->kind == FIELD_STRUCT)
        return sf_value_fail(value, err, "column '%s': a default is one value, such as 0 or unknown", field->name);
    g_autoptr(GString) json = g_string_new(NULL);
    if (is_quoted(field, text))
        json_write_text(json, text, strlen(text));
    else
        g_string_append(json, text);
    if (!json_valid(json->str, json->len, NULL, NULL))
        return sf_value_fail(value, err, "column '%s': default '%s' is not a valid %s", field->name, text, field->type);
    field->fallback = g_string_free(g_steal_pointer(&json), FALSE);
    return SF_OK;
}

static SfStatus read_bool(const Field *field, const char *key, const SfValue *value, bool *out, SfError *err)
{
    const char *text = sf_value_text(value);
    *out = text && strcmp(text, "true") == 0;
    if (!*out && (!text || strcmp(text, "false") != 0))
        return sf_value_fail(value, err, "column '%s': %s is true or false", field->name, key);
    return SF_OK;
}

static SfStatus read_round(Field *field, const SfValue *value, SfError *err)
{
    static const char *const words[] = {[ROUND_NOT] = "reject", "half_up", "half_even", "down"};
    const char *text = sf_value_text(value);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (text && strcmp(text, words[i]) == 0) {
            field->round = (Round) i;
            field->round_set = true;
            return SF_OK;
        }
    }
    return sf_value_fail(value, err, "column '%s': round is reject, half_up, half_even or down", field->name);
}

/* The type's text as messages show it, with the formats in it. */
static void show_formats(Field *field, const SfValue *value)
{
    g_autoptr(GString) type = g_string_new(field->type);
    g_string_append(type, " as ");
    for (size_t i = 0; i < MAX(sf_value_size(value), 1); i++) {
        const SfValue *entry = sf_value_kind(value) == SF_VALUE_LIST ? sf_value_at(value, i) : value;
        g_string_append_printf(type, "%s%s", i > 0 ? ", " : "", sf_value_text(entry));
    }
    g_free(field->type);
    field->type = g_string_free(g_steal_pointer(&type), FALSE);
}

/* One entry, or a list of them. */
static SfStatus read_format(Field *field, const SfValue *value, SfError *err)
{
    bool list = sf_value_kind(value) == SF_VALUE_LIST && sf_value_size(value) > 0;
    if (field->forms || field->base64)
        return sf_value_fail(value, err, "column '%s': a format stands in its type already", field->name);
    for (size_t i = 0; i < (list ? sf_value_size(value) : 1); i++) {
        SfError inner;
        const SfValue *entry = list ? sf_value_at(value, i) : value;
        if (!sf_value_text(entry))
            return sf_value_fail(
                entry, err, "column '%s': format is a text such as dd.MM.yyyy or ms, or a list of them", field->name);
        if (field_add_format(field, sf_value_text(entry), &inner) != SF_OK)
            return sf_value_fail(entry, err, "column '%s': %s", field->name, inner.message);
    }
    show_formats(field, value);
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
        const JsonPath *path = g_ptr_array_index(field->paths, i);
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

const char *const field_keys[] = {"type",   "struct", "list",      "from",        "default",  "nullable",
                                  "format", "round",  "from_text", "from_number", "from_key", NULL};

/* What others have as a key of its own, and how it is said here; or NULL. */
static const char *foreign_key_hint(const char *word)
{
    static const struct {
        const char *word, *hint;
    } hints[] = {{"precision", "; both digits of a decimal stand in its type, as in decimal(12,2)"},
                 {"scale", "; both digits of a decimal stand in its type, as in decimal(12,2)"},
                 {"required", "; write 'nullable: false', or 'not null' behind the type"},
                 {"optional", "; a column may be null unless it says 'nullable: false'"},
                 {"not_null", "; write 'nullable: false', or 'not null' behind the type"},
                 {"null", "; write 'nullable: false', or 'not null' behind the type"},
                 {"path", "; where the value stands in the event is 'from'"},
                 {"fields", "; members of an object go under 'struct'"},
                 {"items", "; what a list's elements are goes under 'list'"}};
    for (size_t i = 0; i < G_N_ELEMENTS(hints); i++)
        if (strcmp(word, hints[i].word) == 0)
            return hints[i].hint;
    return NULL;
}

static SfStatus fail_field_key(const Field *field, const SfValue *key, SfError *err)
{
    const char *text = sf_value_text(key) ? sf_value_text(key) : "", *hint = foreign_key_hint(text);
    char nearest[64];
    if (!hint)
        hint = sf_suggest(text, field_keys, g_strv_length((char **) field_keys), nearest, sizeof nearest);
    return sf_value_fail(key, err, "column '%s': unknown key '%s'%s", field->name, text, hint);
}

/* The long form: one of type, struct and list, and what else is known of the field. */
static SfStatus check_keys(const Field *field, const SfValue *map, SfError *err)
{
    const char *const *words = field_keys;
    const size_t n_words = g_strv_length((char **) field_keys);
    int types = 0;
    for (size_t i = 0; i < sf_value_size(map); i++) {
        const SfValue *key = sf_value_key(map, i);
        const char *text = sf_value_text(key);
        size_t known = 0;
        while (known < n_words && strcmp(text ? text : "", words[known]) != 0)
            known++;
        if (known == n_words)
            return fail_field_key(field, key, err);
        types += known < 3;
    }
    if (types == 1)
        return SF_OK;
    return sf_value_fail(map, err,
                         "column '%s': exactly one of type, struct and list belongs here; members of an object go "
                         "under struct",
                         field->name);
}

static bool takes_numbers(const Field *field)
{
    return (field->kind >= FIELD_INT && field->kind <= FIELD_BOOL) ||
           ((field->kind == FIELD_DATE || field->kind == FIELD_TIMESTAMP) && field->unit != UNIT_NONE);
}

static bool rounds(const Field *field)
{
    return field->kind == FIELD_DECIMAL || field->kind == FIELD_TIMESTAMP;
}

/* Which values are taken that are no plain ones of the type. */
static SfStatus read_rules(Field *field, const SfValue *map, SfError *err)
{
    const SfValue *from_text = sf_value_get(map, "from_text"), *from_number = sf_value_get(map, "from_number");
    const SfValue *round = sf_value_get(map, "round");
    bool inner = field->children != NULL; /* then it holds for all in it that it can hold for */
    if (from_text) {
        SF_TRY(read_bool(field, "from_text", from_text, &field->from_text, err));
        field->from_text_set = true;
        if (!inner && !takes_numbers(field))
            return sf_value_fail(
                from_text, err, "column '%s': from_text is for numbers, booleans, and dates and timestamps with a unit",
                field->name);
    }
    if (from_number) {
        SF_TRY(read_bool(field, "from_number", from_number, &field->from_number, err));
        if (field->kind != FIELD_BOOL)
            return sf_value_fail(from_number, err, "column '%s': from_number is for booleans", field->name);
    }
    if (round && !inner && !rounds(field))
        return sf_value_fail(round, err, "column '%s': round is for decimals and timestamps", field->name);
    return round ? read_round(field, round, err) : SF_OK;
}

static SfStatus read_kind(Field *field, const SfValue *map, int depth, SfError *err)
{
    const SfValue *type = sf_value_get(map, "type"), *members = sf_value_get(map, "struct");
    const SfValue *element = sf_value_get(map, "list");
    if (type && !sf_value_text(type))
        return sf_value_fail(type, err, "column '%s': type is a text such as 'string not null'", field->name);
    if (type)
        return read_text(field, type, err);
    return members ? read_members(field, members, depth, err) : read_element(field, element, depth, err);
}

/* What values look like, wherever they stand. */
static SfStatus read_shape(Field *field, const SfValue *map, int depth, SfError *err)
{
    const SfValue *format = sf_value_get(map, "format");
    SF_TRY(read_kind(field, map, depth, err));
    if (format)
        SF_TRY(read_format(field, format, err));
    return read_rules(field, map, err);
}

/* In a key there is neither null nor a default: it says which row is gone. */
static SfStatus read_key(Field *field, const SfValue *map, const SfValue *path, int depth, SfError *err)
{
    if (field->parent)
        return sf_value_fail(path, err, "column '%s': from_key is for columns, not for what is inside of them",
                             field->name);
    field->key = field_new(field->name);
    SF_TRY(read_shape(field->key, map, depth, err));
    g_clear_pointer(&field->key->paths, g_ptr_array_unref);
    SF_TRY(read_from(field->key, path, err));
    field->key->nullable = false;
    return check_root(field->key, path, err);
}

static SfStatus read_map(Field *field, const SfValue *map, int depth, SfError *err)
{
    const SfValue *from = sf_value_get(map, "from"), *from_key = sf_value_get(map, "from_key");
    const SfValue *nullable = sf_value_get(map, "nullable"), *fallback = sf_value_get(map, "default");
    SF_TRY(check_keys(field, map, err));
    SF_TRY(read_shape(field, map, depth, err));
    if (from)
        SF_TRY(read_from(field, from, err));
    if (nullable)
        SF_TRY(read_bool(field, "nullable", nullable, &field->nullable, err));
    if (from_key)
        SF_TRY(read_key(field, map, from_key, depth, err));
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

/* What a field does not say itself it has from around it. */
static void settle(Field *field, FieldRules rules)
{
    if (field->from_text_set)
        rules.from_text = field->from_text;
    if (field->round_set)
        rules.round = field->round;
    field->from_text = rules.from_text && takes_numbers(field);
    field->round = rounds(field) ? rules.round : ROUND_NOT;
    for (guint i = 0; field->children && i < field->children->len; i++)
        settle(g_ptr_array_index(field->children, i), rules);
    if (field->key)
        settle(field->key, rules);
}

/* Names that differ in case only are one name to tables (and to sf_schema_make, which has no place to show). */
static SfStatus check_name(GHashTable *seen, const SfValue *key, SfError *err)
{
    const char *name = sf_value_text(key);
    GString *folded = g_string_new(NULL);
    for (const char *c = name ? name : ""; *c; c = g_utf8_next_char(c))
        g_string_append_unichar(folded, g_unichar_tolower(g_unichar_toupper(g_utf8_get_char(c))));
    const SfValue *first = g_hash_table_lookup(seen, folded->str);
    g_hash_table_insert(seen, g_string_free(folded, FALSE), (gpointer) (first ? first : key));
    if (!first)
        return SF_OK;
    return sf_value_fail(key, err, "column '%s' is there twice (case does not count); the first is '%s' on line %d",
                         name, sf_value_text(first), sf_value_line(first));
}

SfStatus fields_read(const SfValue *schema, FieldRules rules, GPtrArray **out, SfError *err)
{
    if (sf_value_kind(schema) != SF_VALUE_MAP || sf_value_size(schema) == 0)
        return sf_value_fail(schema, err,
                             "schema is a map of columns to their types, such as {order_id: string not null}");
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func((GDestroyNotify) field_free);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    SfError all = {""}, one;
    for (size_t i = 0; i < sf_value_size(schema); i++) {
        const SfValue *key = sf_value_key(schema, i);
        const char *name = sf_value_text(key);
        Field *field = field_new(name ? name : "");
        if (check_name(seen, key, &one) == SF_OK && read_field(field, sf_value_at(schema, i), 1, &one) == SF_OK) {
            g_ptr_array_add(fields, field);
            continue;
        }
        sf_fail_also(&all, &one);
        field_free(field);
    }
    for (guint i = 0; i < fields->len; i++)
        settle(g_ptr_array_index(fields, i), rules);
    *out = g_steal_pointer(&fields);
    return *all.message ? sf_fail(err, SF_CONFIG, "%s", all.message) : SF_OK;
}
