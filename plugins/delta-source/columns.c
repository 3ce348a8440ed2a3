/* Which columns are given, of which types, and what the condition reads beside them. */
#include "source.h"

#include <string.h>

static const char *const feed_names[] = {"_change_type", "_commit_version", "_commit_timestamp"};
static const char *const feed_types[] = {"string", "long", "timestamp"};

bool columns_typed(const Columns *columns)
{
    return columns->wanted && sf_value_kind(columns->wanted) == SF_VALUE_MAP;
}

/* "decimal(12,2) not null", by the words of SQL or of Delta. */
static bool type_of_text(const char *text, SfField *out)
{
    static const struct {
        const char *word, *type;
    } words[] = {{"int", "integer"}, {"bigint", "long"}, {"smallint", "short"}, {"tinyint", "byte"}};
    g_autofree char *lower = g_ascii_strdown(text, -1);
    g_auto(GStrv) parts = g_strsplit_set(g_strstrip(lower), " \t", -1);
    g_autoptr(GString) type = g_string_new(NULL);
    for (char **part = parts; *part; part++)
        g_string_append(type, *part);
    bool required = g_str_has_suffix(type->str, "notnull");
    if (required)
        g_string_truncate(type, type->len - strlen("notnull"));
    const char *name = type->str;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        name = strcmp(name, words[i].word) == 0 ? words[i].type : name;
    if (!delta_primitive_type(name, out))
        return false;
    out->nullable = !required;
    return true;
}

static SfStatus declare_column(const Columns *columns, size_t i, SfField *out, SfError *err)
{
    const SfValue *value = sf_value_at(columns->wanted, i);
    const char *text = sf_value_text(value), *name = sf_value_text(sf_value_key(columns->wanted, i));
    if (!text || !type_of_text(text, out))
        return sf_fail(err, SF_CONFIG,
                       "columns: '%s' of column '%s' is not a type such as bigint, string or decimal(12,2); columns of "
                       "other types are given by a list of names",
                       text ? text : "", name);
    out->name = name;
    return SF_OK;
}

static void feed_column(size_t i, SfField *out)
{
    delta_primitive_type(feed_types[i], out);
    out->name = feed_names[i];
    out->nullable = true;
}

SfStatus columns_declare(const Columns *columns, struct ArrowSchema *out, SfError *err)
{
    size_t n = sf_value_size(columns->wanted);
    g_autofree SfField *fields = g_new0(SfField, n + G_N_ELEMENTS(feed_names));
    for (size_t i = 0; i < n; i++)
        SF_TRY(declare_column(columns, i, &fields[i], err));
    for (size_t i = 0; columns->changes && i < G_N_ELEMENTS(feed_names); i++)
        feed_column(i, &fields[n++]);
    return sf_schema_make(fields, n, out, err);
}

/* ---- of the table ---- */

static SfStatus refuse_column(const Columns *columns, const char *name, SfError *err)
{
    json_object *fields = delta_json_member(columns->schema, "fields", json_type_array);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    char suggestion[128];
    for (size_t i = 0; fields && i < json_object_array_length(fields); i++)
        g_ptr_array_add(names, (gpointer) delta_json_text(json_object_array_get_idx(fields, i), "name"));
    sf_suggest(name, (const char *const *) names->pdata, names->len, suggestion, sizeof suggestion);
    return sf_fail(err, SF_CONFIG, "columns: the table has no column '%s'%s", name, suggestion);
}

static SfStatus choose_fields(Columns *columns, SfError *err)
{
    json_object *all = delta_json_member(columns->schema, "fields", json_type_array);
    bool typed = columns_typed(columns);
    size_t n = columns->wanted ? sf_value_size(columns->wanted) : json_object_array_length(all);
    for (size_t i = 0; i < n; i++) {
        const SfValue *item = !columns->wanted ? NULL
                              : typed          ? sf_value_key(columns->wanted, i)
                                               : sf_value_at(columns->wanted, i);
        const char *name = item ? sf_value_text(item) : NULL;
        if (columns->wanted && !name)
            return sf_fail(err, SF_CONFIG, "columns: a name of a column is expected");
        json_object *field = name ? delta_schema_field(columns->schema, name) : json_object_array_get_idx(all, i);
        if (!field)
            return refuse_column(columns, name, err);
        g_ptr_array_add(columns->fields, field);
    }
    columns->given = columns->fields->len;
    return SF_OK;
}

static SfStatus add_condition(Columns *columns, SfError *err)
{
    const char *at = NULL;
    SfError why = {""};
    SfStatus status = where_parse(columns->condition, columns->schema, &columns->where, &at, &why);
    if (status != SF_OK)
        return sf_fail(err, status, at && *at ? "where: %s: '%.40s'" : "where: %s", why.message, at);
    for (guint i = 0; i < columns->where.terms->len; i++) {
        WhereTerm *term = where_term(&columns->where, i);
        guint number;
        if (!g_ptr_array_find(columns->fields, term->field, &number)) {
            number = columns->fields->len;
            g_ptr_array_add(columns->fields, term->field);
        }
        term->column = (int) number;
    }
    return SF_OK;
}

/* The types that were declared are the table's. */
static SfStatus check_types(const Columns *columns, SfError *err)
{
    for (guint i = 0; columns_typed(columns) && i < columns->given; i++) {
        SfField declared = {0}, real = {0};
        char text[64];
        SF_TRY(declare_column(columns, i, &declared, err));
        SF_TRY(sf_schema_field(columns->rows.children[i], &real, err));
        if (declared.type == real.type && declared.precision == real.precision && declared.scale == real.scale)
            continue;
        sf_schema_describe(columns->rows.children[i], text, sizeof text);
        return sf_fail(err, SF_CONFIG, "columns: '%s' is declared as %s, the table has it as %s", declared.name,
                       sf_value_text(sf_value_at(columns->wanted, i)), text);
    }
    return SF_OK;
}

static json_object *feed_field(size_t i)
{
    json_object *field = json_object_new_object();
    json_object_object_add(field, "name", json_object_new_string(feed_names[i]));
    json_object_object_add(field, "type", json_object_new_string(feed_types[i]));
    return field;
}

/* The schemas of what is read and of what is given. */
static SfStatus make_schemas(Columns *columns, SfError *err)
{
    g_autoptr(GPtrArray) out = g_ptr_array_new();
    json_object *const *fields = (json_object *const *) columns->fields->pdata;
    SF_TRY(delta_fields_schema(fields, columns->fields->len, false, false, &columns->rows, err));
    columns->feed_fields = json_object_new_array();
    for (size_t i = 0; i < G_N_ELEMENTS(feed_names); i++)
        json_object_array_add(columns->feed_fields, feed_field(i));
    for (guint i = 0; i < columns->fields->len; i++)
        g_ptr_array_add(out, fields[i]);
    g_ptr_array_add(out, json_object_array_get_idx(columns->feed_fields, 0));
    SF_TRY(delta_fields_schema((json_object *const *) out->pdata, out->len, false, false, &columns->with_type, err));
    g_ptr_array_set_size(out, (gint) columns->given);
    for (size_t i = 0; columns->changes && i < G_N_ELEMENTS(feed_names); i++)
        g_ptr_array_add(out, json_object_array_get_idx(columns->feed_fields, i));
    if (columns_typed(columns))
        return columns_declare(columns, &columns->out, err);
    return delta_fields_schema((json_object *const *) out->pdata, out->len, false, false, &columns->out, err);
}

SfStatus columns_resolve(Columns *columns, const DeltaLog *log, SfError *err)
{
    columns_done(columns);
    columns->schema = delta_schema_parse(log->metadata, err);
    if (!columns->schema)
        return SF_FATAL;
    columns->fields = g_ptr_array_new();
    SF_TRY(choose_fields(columns, err));
    SF_TRY(add_condition(columns, err));
    SF_TRY(make_schemas(columns, err));
    return check_types(columns, err);
}

void columns_done(Columns *columns)
{
    where_done(&columns->where);
    g_clear_pointer(&columns->fields, g_ptr_array_unref);
    sf_schema_done(&columns->rows);
    sf_schema_done(&columns->out);
    sf_schema_done(&columns->with_type);
    g_clear_pointer(&columns->feed_fields, json_object_put);
    g_clear_pointer(&columns->schema, json_object_put);
}
