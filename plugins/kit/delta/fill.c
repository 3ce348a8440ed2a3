/* Columns that the table fills: defaults and identity columns that the rows leave out, and generated columns, which
 * rows that have them must have as the expression says. */
#include "expression.h"

struct DeltaFill {
    char *name;
    char *text;
    SfField field;
    SqlKind kind;
    int column;              /* in the rows; -1: they leave it out */
    DeltaIdentity *identity; /* NULL: the expression tells */
    Expression *expression;
};

static void fill_free(gpointer data)
{
    DeltaFill *fill = data;
    g_free(fill->name);
    g_free(fill->text);
    expression_free(fill->expression);
    g_free(fill);
}

typedef struct Source {
    const DeltaLog *log;
    json_object *schema;
    const struct ArrowSchema *input;
    const GPtrArray *identities;
    DeltaNames *there; /* columns of the rows */
} Source;

/* What the table has for a column, and how we call it; NULL: nothing. */
static const char *rule_of(const Source *source, json_object *field, int64_t column, const char **what)
{
    json_object *metadata = delta_json_member(field, "metadata", json_type_object);
    const char *generated = delta_json_text(metadata, "delta.generationExpression");
    const char *value = delta_json_text(metadata, "CURRENT_DEFAULT");
    *what = "generated as";
    if (generated && delta_log_supports(source->log, "generatedColumns"))
        return generated;
    *what = "by default";
    bool left_out = value && column < 0 && g_ascii_strcasecmp(value, "NULL") != 0;
    return left_out && delta_log_supports(source->log, "allowColumnDefaults") ? value : NULL;
}

static Expression *parse_rule(const Source *source, json_object *field, const char *text, SfError *err)
{
    Expression *expression = expression_parse(text, source->schema, source->input, err);
    const char *type = delta_json_text(field, "type");
    SqlText place = {"", err};
    return expression && type ? expression_cast(&place, expression, type) : expression;
}

static DeltaFill *fill_new(const char *name, int64_t column)
{
    DeltaFill *fill = g_new0(DeltaFill, 1);
    fill->name = g_strdup(name);
    fill->column = (int) column;
    return fill;
}

static SfStatus add_rule(const Source *source, json_object *field, int64_t column, GPtrArray *out, SfError *err)
{
    const char *name = delta_json_text(field, "name");
    const char *type = delta_json_text(field, "type");
    const char *what;
    const char *text = rule_of(source, field, column, &what);
    if (!text)
        return SF_OK;
    SfError why = {0};
    DeltaFill *fill = fill_new(name, column);
    g_ptr_array_add(out, fill);
    fill->text = g_strdup(text);
    fill->expression = parse_rule(source, field, text, &why);
    bool comparable = column < 0 || sql_kind_of_field(field, &fill->kind);
    if (!type || !comparable || !delta_primitive_type(type, &fill->field) || fill->field.type == SF_BINARY)
        sf_fail(&why, SF_CONFIG, "its type is one that we cannot fill");
    if (!why.message[0])
        return SF_OK;
    return sf_fail(err, SF_CONFIG, "%s: column '%s' is %s %.200s, which this sink lacks: %s%s",
                   store_url(source->log->store), name, what, text, why.message,
                   what[0] == 'b' ? "; let the rows have the column" : "");
}

static SfStatus add_identity(const Source *source, DeltaIdentity *identity, int64_t column, GPtrArray *out,
                             SfError *err)
{
    if (column >= 0)
        return identity->explicit ? SF_OK
                                  : sf_fail(err, SF_CONFIG,
                                            "%s: column '%s' is an identity column, whose values the table gives "
                                            "(GENERATED ALWAYS); leave it out of the rows",
                                            store_url(source->log->store), identity->name);
    DeltaFill *fill = fill_new(identity->name, -1);
    fill->identity = identity;
    fill->field = (SfField){.type = SF_INT64};
    g_ptr_array_add(out, fill);
    return SF_OK;
}

static SfStatus add_fill_field(const Source *source, json_object *field, GPtrArray *out, SfError *err)
{
    const char *name = delta_json_text(field, "name");
    if (!name)
        return SF_OK;
    int64_t column = delta_names_find(source->there, name);
    DeltaIdentity *identity = delta_identity_find(source->identities, name);
    return identity ? add_identity(source, identity, column, out, err) : add_rule(source, field, column, out, err);
}

GPtrArray *delta_fills_new(const DeltaLog *log, json_object *schema, const GPtrArray *identities,
                           const struct ArrowSchema *input, SfError *err)
{
    g_autoptr(GPtrArray) fills = g_ptr_array_new_with_free_func(fill_free);
    g_autoptr(GHashTable) there = delta_names_new();
    json_object *fields = delta_json_member(schema, "fields", json_type_array);
    Source source = {.log = log, .schema = schema, .input = input, .identities = identities, .there = there};
    for (int64_t i = 0; i < input->n_children; i++)
        delta_names_add(there, input->children[i]->name, i);
    for (size_t i = 0; fields && i < json_object_array_length(fields); i++)
        if (add_fill_field(&source, json_object_array_get_idx(fields, i), fills, err) != SF_OK)
            return NULL;
    return g_steal_pointer(&fills);
}

/* Of those that are added to the rows, in order. */
static size_t added_fields(const GPtrArray *fills, SfField *out)
{
    size_t n = 0;
    for (guint i = 0; i < fills->len; i++) {
        const DeltaFill *fill = fills->pdata[i];
        if (fill->column >= 0)
            continue;
        out[n] = fill->field;
        out[n].name = fill->name;
        out[n++].nullable = true; /* the table's own word is asked of every row */
    }
    return n;
}

SfStatus delta_fills_schema(const GPtrArray *fills, const struct ArrowSchema *input, struct ArrowSchema *out,
                            SfError *err)
{
    g_autofree SfField *fields = g_new0(SfField, fills->len + 1);
    return sf_schema_with(input, fields, added_fields(fills, fields), out, err);
}

/* ---- rows */

/* × 10^scale, where that is exact and has the column's digits. */
static bool rescale(const SqlValue *value, const SfField *field, SfDecimal *out)
{
    SqlInt number = value->number;
    SqlInt most = 1;
    for (int scale = value->scale; scale < field->scale; scale++)
        if (__builtin_mul_overflow(number, (SqlInt) 10, &number))
            return false;
    for (int i = 0; i < field->precision; i++)
        most *= 10;
    *out = (SfDecimal){.low = (uint64_t) number, .high = (int64_t) (number >> 64)};
    return value->scale <= field->scale && number < most && number > -most;
}

/* false: the column cannot hold it. */
static bool add_fill_value(const SfField *field, const SqlValue *value, SfColumnBuilder *out)
{
    SfDecimal decimal;
    if (value->kind == SQL_NULL) {
        sf_add_null(out);
        return true;
    }
    switch (field->type) {
    case SF_BOOL:
        sf_add_bool(out, value->number != 0);
        return true;
    case SF_INT32:
    case SF_DATE:
        sf_add_i32(out, (int32_t) value->number);
        return value->number >= INT32_MIN && value->number <= INT32_MAX;
    case SF_FLOAT64:
        sf_add_f64(out, sql_real(value));
        return true;
    case SF_DECIMAL128: {
        bool fits = rescale(value, field, &decimal);
        fits ? sf_add_decimal(out, decimal) : sf_add_null(out);
        return fits;
    }
    case SF_UTF8:
        sf_add_str(out, value->text.data, value->text.size);
        return true;
    default:
        sf_add_i64(out, (int64_t) value->number);
        return true;
    }
}

static bool same_value(const SqlValue *a, const SqlValue *b)
{
    return a->kind == SQL_NULL || b->kind == SQL_NULL ? a->kind == b->kind : sql_compare(a, b) == 0;
}

/* NULL, or why the row cannot be in the table. */
static const char *apply_rule(const DeltaFill *fill, ExpressionRow *row, SfColumnBuilder *out)
{
    SqlValue value;
    if (!expression_value(fill->expression, row, &value)) {
        if (out)
            sf_add_null(out);
        return row->why;
    }
    if (out)
        return add_fill_value(&fill->field, &value, out) ? NULL : "its value does not fit the column";
    SqlValue given = sql_value_at(&row->columns[fill->column], fill->kind, row->row);
    return same_value(&given, &value) ? NULL : "the row has another value";
}

static SfStatus apply_identity(const DeltaFill *fill, int64_t rows, SfColumnBuilder *out, SfError *err)
{
    int64_t number;
    for (int64_t row = 0; row < rows; row++) {
        if (!delta_identity_next(fill->identity, &number))
            return sf_fail(err, SF_FATAL, "the identity column '%s' has no numbers left after %" G_GINT64_FORMAT,
                           fill->name, fill->identity->last);
        sf_add_i64(out, number);
    }
    return SF_OK;
}

static SfStatus apply_fill(const DeltaFill *fill, const DeltaFillRows *rows, SfColumnBuilder *out, SfError *err)
{
    if (fill->identity)
        return apply_identity(fill, rows->n, out, err);
    g_autoptr(GString) room = g_string_new(NULL);
    ExpressionRow row = {.columns = rows->columns, .now_us = rows->now_us, .room = room};
    for (row.row = 0; row.row < rows->n; row.row++) {
        const char *why = apply_rule(fill, &row, out);
        if (!why)
            continue;
        g_autofree char *text = g_strdup_printf("%s: generated as %.200s: %s", fill->name, fill->text, why);
        rows->refuse(rows->user, row.row, text);
    }
    return SF_OK;
}

static SfStatus apply_all(const GPtrArray *fills, const DeltaFillRows *rows, SfBuilder *builder, SfError *err)
{
    size_t n = 0;
    for (guint i = 0; i < fills->len; i++) {
        const DeltaFill *fill = fills->pdata[i];
        SF_TRY(apply_fill(fill, rows, fill->column < 0 ? sf_builder_column(builder, n++) : NULL, err));
    }
    return SF_OK;
}

SfStatus delta_fills_apply(const GPtrArray *fills, const DeltaFillRows *rows, struct ArrowArray *out, SfError *err)
{
    g_autofree SfField *fields = g_new0(SfField, fills->len + 1);
    size_t n = added_fields(fills, fields);
    if (n == 0)
        return apply_all(fills, rows, NULL, err);
    struct ArrowSchema schema;
    SF_TRY(sf_schema_make(fields, n, &schema, err));
    SfBuilder *builder = sf_builder_new(&schema, err);
    sf_schema_done(&schema);
    SfStatus status = builder ? apply_all(fills, rows, builder, err) : SF_FATAL;
    if (status == SF_OK)
        status = sf_builder_end_rows(builder, rows->n, err);
    if (status == SF_OK)
        status = sf_builder_finish(builder, out, err);
    sf_builder_free(builder);
    return status;
}
