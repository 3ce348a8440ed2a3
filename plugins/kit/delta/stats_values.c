/* Values of statistics, as the JSON of add.stats has them and as the struct add.stats_parsed does. What does not fit is
 * left out, as a bound that is not known. */
#include "delta.h"
#include "json/write.h"

/* ---- JSON → typed */

/* The digits of a plain number at the column's scale; not where it has more. */
static bool take_stats_number(const char *text, int scale, SfDecimal *out)
{
    __extension__ __int128 value = 0;
    bool negative = *text == '-';
    int behind = -1;
    int digits = 0;
    for (text += negative; *text; text++) {
        if (*text == '.' && behind < 0) {
            behind = 0;
            continue;
        }
        if (!g_ascii_isdigit(*text) || ++digits > 38 || behind >= scale)
            return false;
        value = value * 10 + (*text - '0');
        behind += behind >= 0;
    }
    for (behind = MAX(behind, 0); behind < scale; behind++) {
        if (++digits > 38)
            return false;
        value *= 10;
    }
    value = negative ? -value : value;
    *out = (SfDecimal){.low = (uint64_t) value, .high = (int64_t) (value >> 64)};
    return digits > 0;
}

static bool add_text_value(const char *text, SfColumnBuilder *out)
{
    int64_t number;
    if (out->type == SF_DATE && delta_date_parse(text, &number))
        sf_add_i32(out, (int32_t) number);
    else if (out->type == SF_TIMESTAMP && delta_timestamp_parse(text, 'T', &number))
        sf_add_i64(out, number);
    else
        return false;
    return true;
}

bool delta_stats_add(const struct ArrowSchema *schema, json_object *value, SfColumnBuilder *out)
{
    SfField field;
    SfDecimal decimal;
    bool whole = json_object_is_type(value, json_type_int) && delta_json_fits(value);
    bool number = whole || json_object_is_type(value, json_type_double);
    if (json_object_is_type(value, json_type_string))
        return add_text_value(json_object_get_string(value), out);
    if (number && out->type == SF_FLOAT64) {
        sf_add_f64(out, json_object_get_double(value));
        return true;
    }
    if (!number || out->type != SF_DECIMAL128 || sf_schema_field(schema, &field, NULL) != SF_OK ||
        !take_stats_number(json_object_get_string(value), field.scale, &decimal))
        return false;
    sf_add_decimal(out, decimal);
    return true;
}

/* ---- typed → JSON */

static json_object *unquoted(const GString *text)
{
    return json_object_new_string_len(text->str + 1, (int) text->len - 2);
}

json_object *delta_stats_json(const SfColumn *column, int64_t row)
{
    g_autoptr(GString) text = g_string_new(NULL);
    switch (column->type) {
    case SF_FLOAT64:
        json_write_float(text, sf_f64(column, row));
        return text->str[0] == '"' ? unquoted(text) : json_object_new_double_s(sf_f64(column, row), text->str);
    case SF_DECIMAL128:
        json_write_decimal(text, sf_decimal(column, row), column->scale);
        return json_object_new_double_s(0, text->str);
    case SF_DATE:
        json_write_date(text, sf_i32(column, row));
        return unquoted(text);
    default:
        json_write_timestamp(text, sf_i64(column, row));
        return unquoted(text);
    }
}

/* ---- actions */

void delta_stats_complete(json_object *add, DeltaStatsForm form)
{
    const char *text = delta_json_text(add, "stats");
    json_object *parsed = delta_json_member(add, "stats_parsed", json_type_object);
    if (form != DELTA_STATS_STRUCT && !text && parsed)
        json_object_object_add(add, "stats",
                               json_object_new_string(json_object_to_json_string_ext(
                                   parsed, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
    if (form != DELTA_STATS_TEXT && text && !parsed) {
        parsed = delta_json_parse(text, strlen(text), NULL);
        json_object_object_add(add, "stats_parsed", parsed);
    }
    if (form == DELTA_STATS_STRUCT && parsed)
        json_object_object_del(add, "stats");
}
