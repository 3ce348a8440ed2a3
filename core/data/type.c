/* Arrow format strings ⇄ SfType ("Data type description – format strings" of the C data interface), and their names. */
#include "type.h"
#include <stdio.h>
#include <string.h>

/* `word` is what pipelines write, and messages say. Decimals have parameters and are handled apart. */
static const struct {
    const char *format;
    const char *word;
    const char *view_format;
    int width;
} types[] = {
    [SF_BOOL] = {"b", "bool", NULL, 0},
    [SF_INT32] = {"i", "int", NULL, 4},
    [SF_INT64] = {"l", "bigint", NULL, 8},
    [SF_FLOAT64] = {"g", "double", NULL, 8},
    [SF_DECIMAL128] = {NULL, "decimal", NULL, 16},
    [SF_UTF8] = {"u", "string", "vu", 4},
    [SF_BINARY] = {"z", "binary", "vz", 4},
    [SF_DATE] = {"tdD", "date", NULL, 4},
    [SF_TIMESTAMP] = {"tsu:UTC", "timestamp", NULL, 8},
    [SF_LIST] = {"+l", "list", NULL, 4},
    [SF_STRUCT] = {"+s", "struct", NULL, -1},
};

static bool is_type(SfType type)
{
    return type >= SF_BOOL && type <= SF_STRUCT;
}

const char *sf_type_name(SfType type)
{
    return is_type(type) ? types[type].word : "unknown";
}

int type_width(SfType type, bool view)
{
    return view ? 16 : types[type].width;
}

static SfStatus check_decimal(const char *name, gint32 precision, gint32 scale, SfError *err)
{
    if (precision < 1 || precision > SF_DECIMAL_MAX_PRECISION)
        return sf_fail(err, SF_CONFIG, "column '%s': precision %d of the decimal is not within 1 and %d", name,
                       precision, SF_DECIMAL_MAX_PRECISION);
    if (scale < 0 || scale > precision)
        return sf_fail(err, SF_CONFIG, "column '%s': scale %d of the decimal is not within 0 and its precision %d",
                       name, scale, precision);
    return SF_OK;
}

static SfStatus check_children(const char *name, SfType type, gint64 n_children, SfError *err)
{
    if (type == SF_LIST && n_children != 1)
        return sf_fail(err, SF_CONFIG, "column '%s': a list has one child, not %" G_GINT64_FORMAT, name, n_children);
    if (type != SF_LIST && type != SF_STRUCT && n_children != 0)
        return sf_fail(err, SF_CONFIG, "column '%s': type %s has no children", name, sf_type_name(type));
    return SF_OK;
}

SfStatus type_format(const SfField *field, char *out, size_t size, SfError *err)
{
    const char *name = field->name ? field->name : "";
    if (!is_type(field->type))
        return sf_fail(err, SF_CONFIG, "column '%s': %d is not a type", name, (int) field->type);
    if (field->view && !types[field->type].view_format)
        return sf_fail(err, SF_CONFIG, "column '%s': type %s has no view layout", name, sf_type_name(field->type));
    SF_TRY(check_children(name, field->type, (gint64) field->n_children, err));
    if (field->type == SF_DECIMAL128) {
        SF_TRY(check_decimal(name, field->precision, field->scale, err));
        g_snprintf(out, size, "d:%d,%d", field->precision, field->scale);
    } else {
        g_strlcpy(out, field->view ? types[field->type].view_format : types[field->type].format, size);
    }
    return SF_OK;
}

/* "d:P,S", where a third number, the width, may say 128. */
static bool parse_decimal(const char *format, gint32 *precision, gint32 *scale)
{
    int width = 128, end = 0;
    bool three = sscanf(format, "d:%9d,%9d,%9d%n", precision, scale, &width, &end) == 3 && end > 0;
    if (!three) {
        end = 0;
        if (sscanf(format, "d:%9d,%9d%n", precision, scale, &end) != 2 || end == 0)
            return false;
    }
    return format[end] == '\0' && width == 128;
}

static SfType find_format(const char *format, bool *view)
{
    *view = false;
    for (SfType type = SF_BOOL; type <= SF_STRUCT; type++) {
        if (g_strcmp0(format, types[type].format) == 0)
            return type;
        if (types[type].view_format && strcmp(format, types[type].view_format) == 0) {
            *view = true;
            return type;
        }
    }
    return 0;
}

SfStatus sf_schema_field(const struct ArrowSchema *schema, SfField *out, SfError *err)
{
    const char *name = schema->name ? schema->name : "";
    const char *format = schema->format ? schema->format : "";
    SfField field = {
        .name = name, .nullable = schema->flags & ARROW_FLAG_NULLABLE, .n_children = (size_t) schema->n_children};
    if (parse_decimal(format, &field.precision, &field.scale)) {
        SF_TRY(check_decimal(name, field.precision, field.scale, err));
        field.type = SF_DECIMAL128;
    } else {
        field.precision = field.scale = 0;
        field.type = find_format(format, &field.view);
    }
    if (!field.type || schema->dictionary)
        return sf_fail(
            err, SF_CONFIG,
            "column '%s' has Arrow format '%s'%s, which a pipeline cannot carry; it can carry bool, int32, int64, "
            "float64, decimal128, utf8, binary, date32, timestamp in µs with time zone UTC, list and struct",
            name, format, schema->dictionary ? " with a dictionary" : "");
    SF_TRY(check_children(name, field.type, schema->n_children, err));
    *out = field;
    return SF_OK;
}

static void describe_type(const struct ArrowSchema *schema, GString *text)
{
    SfField field;
    if (sf_schema_field(schema, &field, NULL) != SF_OK) {
        g_string_append_printf(text, "unknown '%s'", schema->format ? schema->format : "");
        return;
    }
    g_string_append(text, types[field.type].word);
    if (field.type == SF_DECIMAL128)
        g_string_append_printf(text, "(%d,%d)", field.precision, field.scale);
    if (field.type == SF_LIST || field.type == SF_STRUCT) {
        g_string_append_c(text, '<');
        for (size_t i = 0; i < field.n_children; i++) {
            if (field.type == SF_STRUCT)
                g_string_append_printf(text, "%s%s: ", i > 0 ? ", " : "", schema->children[i]->name);
            describe_type(schema->children[i], text);
        }
        g_string_append_c(text, '>');
    }
    if (!field.nullable)
        g_string_append(text, " not null");
}

int sf_schema_describe(const struct ArrowSchema *schema, char *out, size_t size)
{
    g_autoptr(GString) text = g_string_new(NULL);
    describe_type(schema, text);
    if (size > 0)
        g_strlcpy(out, text->str, size);
    return (int) text->len;
}
