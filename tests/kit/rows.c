/* Batches for tests out of short texts: schemas and JSON rows. Reading back: rows_text.c; checking: rows_valid.c. */
#include "rows.h"

#include "int128.h"

#include <json-c/json.h>
#include <stdio.h>

/* ---- schemas ---- */

typedef struct Parser {
    const char *text;
    const char *at;
    GPtrArray *garbage; /* child fields and names */
} Parser;

static void skip_blanks(Parser *parser)
{
    while (g_ascii_isspace(*parser->at))
        parser->at++;
}

static bool take_char(Parser *parser, char c)
{
    skip_blanks(parser);
    if (*parser->at != c)
        return false;
    parser->at++;
    return true;
}

static void need_char(Parser *parser, char c)
{
    if (!take_char(parser, c))
        g_error("schema '%s': '%c' expected at '%s'", parser->text, c, parser->at);
}

static const char *take_word(Parser *parser)
{
    skip_blanks(parser);
    const char *start = parser->at;
    while (*parser->at && !g_ascii_isspace(*parser->at) && !strchr(",<>()", *parser->at))
        parser->at++;
    char *word = g_strndup(start, (gsize) (parser->at - start));
    g_ptr_array_add(parser->garbage, word);
    return word;
}

static bool take_this_word(Parser *parser, const char *word)
{
    const char *start = parser->at;
    if (strcmp(take_word(parser), word) == 0)
        return true;
    parser->at = start;
    return false;
}

static SfType type_of_word(const Parser *parser, const char *word)
{
    static const struct {
        const char *word;
        SfType type;
    } words[] = {
        {"bool", SF_BOOL},   {"int", SF_INT32},     {"bigint", SF_INT64},       {"double", SF_FLOAT64},
        {"string", SF_UTF8}, {"binary", SF_BINARY}, {"date", SF_DATE},          {"timestamp", SF_TIMESTAMP},
        {"list", SF_LIST},   {"struct", SF_STRUCT}, {"decimal", SF_DECIMAL128},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(word, words[i].word) == 0)
            return words[i].type;
    g_error("schema '%s': '%s' is no type", parser->text, word);
}

static const SfField *parse_fields(Parser *parser, size_t *n);

static void parse_type(Parser *parser, SfField *field)
{
    field->type = type_of_word(parser, take_word(parser));
    field->nullable = true;
    if (field->type == SF_DECIMAL128) {
        need_char(parser, '(');
        field->precision = (gint32) g_ascii_strtoll(take_word(parser), NULL, 10);
        need_char(parser, ',');
        field->scale = (gint32) g_ascii_strtoll(take_word(parser), NULL, 10);
        need_char(parser, ')');
    } else if (field->type == SF_LIST) {
        SfField *item = g_new0(SfField, 1);
        g_ptr_array_add(parser->garbage, item);
        need_char(parser, '<');
        item->name = "item";
        parse_type(parser, item);
        need_char(parser, '>');
        field->children = item;
        field->n_children = 1;
    } else if (field->type == SF_STRUCT) {
        need_char(parser, '<');
        field->children = parse_fields(parser, &field->n_children);
        need_char(parser, '>');
    }
    field->view = take_this_word(parser, "view");
    if (take_this_word(parser, "not")) {
        if (!take_this_word(parser, "null"))
            g_error("schema '%s': 'not null' expected at '%s'", parser->text, parser->at);
        field->nullable = false;
    }
}

static const SfField *parse_fields(Parser *parser, size_t *n)
{
    g_autoptr(GArray) fields = g_array_new(FALSE, TRUE, sizeof(SfField));
    do {
        SfField field = {.name = take_word(parser)};
        parse_type(parser, &field);
        g_array_append_val(fields, field);
    } while (take_char(parser, ','));
    gpointer all = g_array_steal(fields, n);
    g_ptr_array_add(parser->garbage, all);
    return all;
}

void rows_schema(const char *text, struct ArrowSchema *out)
{
    g_autoptr(GPtrArray) garbage = g_ptr_array_new_with_free_func(g_free);
    Parser parser = {.text = text, .at = text, .garbage = garbage};
    size_t n;
    const SfField *fields = parse_fields(&parser, &n);
    skip_blanks(&parser);
    if (*parser.at)
        g_error("schema '%s': what does '%s' mean?", text, parser.at);
    SfError err;
    if (sf_schema_make(fields, n, out, &err) != SF_OK)
        g_error("schema '%s': %s", text, err.message);
}

/* ---- values ---- */

static SfDecimal decimal_of_text(const char *text, gint32 scale)
{
    Int128 value = 0;
    gint32 fraction = -1;
    for (const char *c = text; *c; c++) {
        if (*c == '.')
            fraction = 0;
        if (!g_ascii_isdigit(*c))
            continue;
        value = value * 10 + (*c - '0');
        fraction += fraction >= 0;
    }
    for (gint32 digits = MAX(fraction, 0); digits < scale; digits++)
        value *= 10;
    if (fraction > scale)
        g_error("'%s' has more than %d digits after the point", text, scale);
    if (*text == '-')
        value = -value;
    return (SfDecimal){.low = (guint64) value, .high = (gint64) (value >> 64)};
}

static gint32 days_of_text(const char *text)
{
    GDate date;
    guint year, month, day;
    if (sscanf(text, "%4u-%2u-%2u", &year, &month, &day) != 3)
        g_error("'%s' is no date", text);
    g_date_clear(&date, 1);
    g_date_set_dmy(&date, (GDateDay) day, (GDateMonth) month, (GDateYear) year);
    return (gint32) g_date_get_julian(&date) - 719163; /* 1970-01-01, from 0001-01-01 as day 1 */
}

static gint64 micros_of_text(const char *text)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, utc);
    if (!time)
        g_error("'%s' is no timestamp", text);
    return g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
}

static void add_value(const struct ArrowSchema *schema, SfColumnBuilder *column, json_object *value);

static void add_nested(const struct ArrowSchema *schema, SfColumnBuilder *column, json_object *value)
{
    if (column->type == SF_LIST) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            add_value(schema->children[0], column->children[0], json_object_array_get_idx(value, i));
        sf_add_list(column);
        return;
    }
    for (size_t i = 0; i < column->n_children; i++)
        add_value(schema->children[i], column->children[i], json_object_object_get(value, schema->children[i]->name));
    sf_add_struct(column);
}

static void add_value(const struct ArrowSchema *schema, SfColumnBuilder *column, json_object *value)
{
    SfField field;
    g_assert_cmpint(sf_schema_field(schema, &field, NULL), ==, SF_OK);
    if (!value) {
        sf_add_null(column);
        return;
    }
    const char *text = json_object_get_string(value);
    switch (column->type) {
    case SF_BOOL:
        sf_add_bool(column, json_object_get_boolean(value));
        break;
    case SF_INT32:
        sf_add_i32(column, json_object_get_int(value));
        break;
    case SF_INT64:
        sf_add_i64(column, json_object_get_int64(value));
        break;
    case SF_FLOAT64:
        sf_add_f64(column, json_object_get_double(value));
        break;
    case SF_DECIMAL128:
        sf_add_decimal(column, decimal_of_text(text, field.scale));
        break;
    case SF_DATE:
        sf_add_i32(column, json_object_is_type(value, json_type_int) ? json_object_get_int(value) : days_of_text(text));
        break;
    case SF_TIMESTAMP:
        sf_add_i64(column,
                   json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : micros_of_text(text));
        break;
    case SF_UTF8:
    case SF_BINARY:
        sf_add_str(column, text, json_object_get_string_len(value));
        break;
    default:
        add_nested(schema, column, value);
    }
}

static void finish(SfBuilder *builder, struct ArrowArray *out)
{
    SfError err;
    if (sf_builder_finish(builder, out, &err) != SF_OK)
        g_error("%s", err.message);
    sf_builder_free(builder);
}

static void end_row(SfBuilder *builder, const char *what)
{
    SfError err;
    if (sf_builder_end_row(builder, &err) != SF_OK)
        g_error("row '%s': %s", what, err.message);
}

void rows_from_json(const struct ArrowSchema *schema, const char *const *json, gsize n, struct ArrowArray *out)
{
    SfError err;
    SfBuilder *builder = sf_builder_new(schema, &err);
    if (!builder)
        g_error("%s", err.message);
    for (gsize row = 0; row < n; row++) {
        json_object *values = json_tokener_parse(json[row]);
        if (!json_object_is_type(values, json_type_array) ||
            json_object_array_length(values) != (size_t) schema->n_children)
            g_error("row '%s' is no JSON array of %d values", json[row], (int) schema->n_children);
        for (gint64 i = 0; i < schema->n_children; i++)
            add_value(schema->children[i], sf_builder_column(builder, (size_t) i),
                      json_object_array_get_idx(values, (size_t) i));
        end_row(builder, json[row]);
        json_object_put(values);
    }
    finish(builder, out);
}

/* ---- raw rows ---- */

static void add_text(SfColumnBuilder *column, const char *text, gssize size)
{
    if (text)
        sf_add_str(column, text, size > 0 ? size : (gssize) strlen(text));
    else
        sf_add_null(column);
}

static void add_headers(SfColumnBuilder *column, const char *const *headers)
{
    if (!headers) {
        sf_add_null(column);
        return;
    }
    SfColumnBuilder *element = column->children[0];
    for (gsize i = 0; headers[i]; i += 2) {
        add_text(element->children[0], headers[i], 0);
        add_text(element->children[1], headers[i + 1], 0);
        sf_add_struct(element);
    }
    sf_add_list(column);
}

void rows_from_raw(const char *topic, gint32 partition, const RawRow *rows, gsize n, struct ArrowArray *out)
{
    g_auto(ArrowSchema) schema = {0};
    g_assert_cmpint(sf_schema_raw(&schema, NULL), ==, SF_OK);
    SfBuilder *builder = sf_builder_new(&schema, NULL);
    for (gsize i = 0; i < n; i++) {
        add_text(sf_builder_column(builder, SF_RAW_KEY), rows[i].key, 0);
        add_text(sf_builder_column(builder, SF_RAW_VALUE), rows[i].value, rows[i].value_size);
        add_text(sf_builder_column(builder, SF_RAW_TOPIC), topic, 0);
        sf_add_i32(sf_builder_column(builder, SF_RAW_PARTITION), partition);
        sf_add_i64(sf_builder_column(builder, SF_RAW_OFFSET), rows[i].offset);
        if (rows[i].timestamp_us)
            sf_add_i64(sf_builder_column(builder, SF_RAW_TIMESTAMP), rows[i].timestamp_us);
        else
            sf_add_null(sf_builder_column(builder, SF_RAW_TIMESTAMP));
        add_headers(sf_builder_column(builder, SF_RAW_HEADERS), rows[i].headers);
        end_row(builder, "raw");
    }
    finish(builder, out);
}
