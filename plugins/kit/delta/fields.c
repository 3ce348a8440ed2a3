/* Columns of a table as Arrow's: what is read from its files, and partition values, which are not in them. */
#include "read.h"
#include "sql.h"

#define MAX_DEPTH 14 /* of a column: lists of structs in SF_SCHEMA_MAX_DEPTH */

typedef struct Making {
    bool mapped;
    bool files;
    GPtrArray *owned; /* arrays of SfField */
} Making;

static bool make_type(Making *making, json_object *type, int depth, SfField *out);

static bool make_field(Making *making, json_object *field, int depth, SfField *out)
{
    if (!make_type(making, delta_type_of(field, "type"), depth, out))
        return false;
    out->name = making->files ? delta_file_name(field, making->mapped) : delta_json_text(field, "name");
    out->nullable = true;
    return out->name != NULL;
}

static SfField *children_of(Making *making, SfType type, size_t n, SfField *out)
{
    SfField *children = g_new0(SfField, n + 1);
    g_ptr_array_add(making->owned, children);
    *out = (SfField){.type = type, .nullable = true, .n_children = n, .children = children};
    return children;
}

static bool make_struct(Making *making, json_object *type, int depth, SfField *out)
{
    json_object *fields = delta_json_member(type, "fields", json_type_array);
    size_t n = fields ? json_object_array_length(fields) : 0;
    SfField *children = children_of(making, SF_STRUCT, n, out);
    for (size_t i = 0; i < n; i++) {
        if (!make_field(making, json_object_array_get_idx(fields, i), depth, &children[i]))
            return false;
    }
    return n > 0;
}

static bool make_map(Making *making, json_object *type, int depth, SfField *out)
{
    SfField *entry = children_of(making, SF_LIST, 1, out);
    SfField *pair = children_of(making, SF_STRUCT, 2, entry);
    entry->name = "element";
    bool good = make_type(making, delta_type_of(type, "keyType"), depth, &pair[0]) &&
                make_type(making, delta_type_of(type, "valueType"), depth, &pair[1]);
    pair[0].name = "key";
    pair[1].name = "value";
    pair[0].nullable = pair[1].nullable = true;
    return good;
}

static bool make_type(Making *making, json_object *type, int depth, SfField *out)
{
    const char *kind = delta_json_text(type, "type");
    if (depth > MAX_DEPTH)
        return false;
    if (json_object_is_type(type, json_type_string))
        return delta_primitive_type(json_object_get_string(type), out);
    if (g_strcmp0(kind, "struct") == 0)
        return make_struct(making, type, depth + 1, out);
    if (g_strcmp0(kind, "map") == 0)
        return make_map(making, type, depth + 2, out);
    if (g_strcmp0(kind, "array") != 0)
        return false;
    SfField *element = children_of(making, SF_LIST, 1, out);
    bool good = make_type(making, delta_type_of(type, "elementType"), depth + 1, element);
    element->name = "element";
    element->nullable = true;
    return good;
}

SfStatus delta_fields_schema(json_object *const *fields, size_t n, bool mapped, bool files, struct ArrowSchema *out,
                             SfError *err)
{
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    g_autofree SfField *columns = g_new0(SfField, n + 1);
    Making making = {.mapped = mapped, .files = files, .owned = owned};
    for (size_t i = 0; i < n; i++) {
        if (!make_field(&making, fields[i], 0, &columns[i])) {
            json_object *type = delta_type_of(fields[i], "type");
            const char *name = delta_json_text(fields[i], "name");
            return sf_fail(err, SF_CONFIG, "column '%s' is of the type %.100s, which we do not read; name the others",
                           name ? name : "", type ? json_object_get_string(type) : "null");
        }
    }
    return sf_schema_make(columns, n, out, err);
}

static void add_value(const SqlValue *value, const char *text, SfColumnBuilder *out)
{
    switch (out->type) {
    case SF_BOOL:
        sf_add_bool(out, value->number != 0);
        break;
    case SF_INT32:
    case SF_DATE:
        sf_add_i32(out, (int32_t) value->number);
        break;
    case SF_INT64:
    case SF_TIMESTAMP:
        sf_add_i64(out, (int64_t) value->number);
        break;
    case SF_FLOAT64:
        sf_add_f64(out, value->real);
        break;
    case SF_DECIMAL128:
        sf_add_decimal(out, (SfDecimal){.low = (uint64_t) value->number, .high = (int64_t) (value->number >> 64)});
        break;
    default:
        sf_add_str(out, text, (int64_t) strlen(text));
    }
}

/* The number at the column's scale. */
static bool to_scale(SqlValue *value, int scale)
{
    for (; value->scale < scale; value->scale++) {
        if (__builtin_mul_overflow(value->number, (SqlInt) 10, &value->number))
            return false;
    }
    return value->scale == scale;
}

/* The text as a value of a column of that type; SQL_TEXT needs none. */
static SfStatus read_constant(json_object *field, const SfField *type, const char *text, SqlValue *out, SfError *err)
{
    bool bare = type->type == SF_UTF8 || type->type == SF_BINARY;
    bool good = bare || sql_value_of_text(field, text, out);
    if (good && type->type == SF_DECIMAL128)
        good = to_scale(out, type->scale);
    if (good)
        return SF_OK;
    return sf_fail(err, SF_FATAL, "partition value '%s' is not of the type of column '%s'", text,
                   delta_json_text(field, "name"));
}

static SfStatus repeat(SfBuilder *builder, const SqlValue *value, const char *text, int64_t n, struct ArrowArray *rows,
                       SfError *err)
{
    SfColumnBuilder *column = sf_builder_column(builder, 0);
    for (int64_t i = 0; i < n; i++) {
        if (text)
            add_value(value, text, column);
        else
            sf_add_null(column);
        SF_TRY(sf_builder_end_row(builder, err));
    }
    return sf_builder_finish(builder, rows, err);
}

SfStatus delta_constant_column(json_object *field, const char *text, int64_t n, struct ArrowArray *out, SfError *err)
{
    struct ArrowSchema schema;
    struct ArrowArray rows;
    SfField type;
    SqlValue value = {.kind = SQL_NULL};
    SF_TRY(delta_fields_schema(&field, 1, false, false, &schema, err));
    SfStatus status = sf_schema_field(schema.children[0], &type, err);
    if (status == SF_OK && text)
        status = read_constant(field, &type, text, &value, err);
    SfBuilder *builder = status == SF_OK ? sf_builder_new(&schema, err) : NULL;
    if (builder)
        status = repeat(builder, &value, text, n, &rows, err);
    else if (status == SF_OK)
        status = SF_FATAL;
    if (status == SF_OK) {
        *out = *rows.children[0];
        rows.children[0]->release = NULL;
        sf_array_done(&rows);
    }
    sf_builder_free(builder);
    sf_schema_done(&schema);
    return status;
}
