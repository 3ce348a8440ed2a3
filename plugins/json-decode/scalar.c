/* One value → one column: texts, numbers, booleans, exactly or not at all. */
#include "scalar.h"

#include <math.h>
#include "moment.h"
#include "token.h"
#include "unscaled.h"

static const char *decode_string(Decoder *decoder, Field *field, const char *p)
{
    if (*p == '"') {
        Text text;
        if (!token_text(decoder, field, p, &text))
            return NULL;
        sf_add_str(field->column, text.data, (int64_t) text.size);
        return text.end;
    }
    if (*p == '{' || *p == '[')
        return decode_fail(decoder, FAULT_WRONG, field, p);
    const char *end = token_raw(decoder, field, p);
    if (end)
        sf_add_str(field->column, p, end - p);
    return end;
}

static const char *decode_json(Decoder *decoder, Field *field, const char *p)
{
    const char *end = token_raw(decoder, field, p);
    if (end)
        sf_add_str(field->column, p, end - p);
    return end;
}

static const char *decode_int(Decoder *decoder, Field *field, const char *p)
{
    int64_t value = 0;
    if (*p == '"' && field->from_text)
        return token_quoted(decoder, field, p, decode_int);
    const char *end = token_int64(decoder, field, p, 0, ROUND_NOT, &value);
    if (!end)
        return NULL;
    if (field->kind == FIELD_BIGINT)
        sf_add_i64(field->column, value);
    else if (value < INT32_MIN || value > INT32_MAX)
        return decode_fail(decoder, FAULT_TOO_BIG, field, p);
    else
        sf_add_i32(field->column, (int32_t) value);
    return end;
}

/* The long way, and for a text that holds a number, as producers write that fear for their digits. */
static const char *decode_long_decimal(Decoder *decoder, Field *field, const char *p)
{
    Text text = {.data = p};
    SfDecimal value;
    if (field->base64 && *p == '{')
        return decode_variable(decoder, field, p);
    if (*p == '"') {
        if (field->base64)
            return decode_unscaled(decoder, field, p);
        if (!token_text(decoder, field, p, &text))
            return NULL;
        if (!number_is(text.data, text.size))
            return decode_fail(decoder, FAULT_WRONG, field, p);
    } else if (token_is_number(decoder, p)) {
        text.end = json_scan_number(&decoder->scan, p);
        if (!text.end)
            return decode_fail(decoder, FAULT_SYNTAX, field, p);
        text.size = (size_t) (text.end - p);
    } else {
        return decode_fail(decoder, FAULT_WRONG, field, p);
    }
    NumberFit fit = number_scaled(text.data, text.size, field->precision, field->scale, field->round, &value);
    if (fit != NUMBER_FITS)
        return token_fail_number(decoder, fit, field, p);
    sf_add_decimal(field->column, value);
    return text.end;
}

static const char *decode_decimal(Decoder *decoder, Field *field, const char *p)
{
    ShortNumber number;
    int64_t value = 0;
    const char *end = number_scan_short(p, decoder->scan.end, &number);
    if (!end || !number_short_scale(&number, field->scale, &value))
        return decode_long_decimal(decoder, field, p);
    if (field->precision < 19 && (value >= number_tens[field->precision] || value <= -number_tens[field->precision]))
        return decode_fail(decoder, FAULT_TOO_BIG, field, p);
    sf_add_decimal(field->column, (SfDecimal){.low = (uint64_t) value, .high = value < 0 ? -1 : 0});
    return end;
}

static const char *decode_double(Decoder *decoder, Field *field, const char *p);

/* The names that Spark and our own writer give to what JSON has no numbers for. */
static const char *decode_named_double(Decoder *decoder, Field *field, const char *p)
{
    static const struct {
        const char *name;
        double value;
    } names[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
    Text text;
    if (!token_text(decoder, field, p, &text))
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (text.size == strlen(names[i].name) && memcmp(text.data, names[i].name, text.size) == 0) {
            sf_add_f64(field->column, names[i].value);
            return text.end;
        }
    }
    return field->from_text ? token_quoted(decoder, field, p, decode_double)
                            : decode_fail(decoder, FAULT_WRONG, field, p);
}

static const char *decode_double(Decoder *decoder, Field *field, const char *p)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                  1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
    ShortNumber number;
    double value = 0;
    const char *end = number_scan_short(p, decoder->scan.end, &number);
    if (end && number.mantissa <= INT64_C(1) << 53) {
        /* both are exact in a double, so that the division rounds once, correctly */
        value = (double) number.mantissa / tens[number.fraction];
        sf_add_f64(field->column, number.negative ? -value : value);
        return end;
    }
    if (*p == '"')
        return decode_named_double(decoder, field, p);
    if (!token_is_number(decoder, p))
        return decode_fail(decoder, FAULT_WRONG, field, p);
    end = json_scan_number(&decoder->scan, p);
    if (!end)
        return decode_fail(decoder, FAULT_SYNTAX, field, p);
    if (!number_double(p, (size_t) (end - p), &value))
        return decode_fail(decoder, FAULT_TOO_BIG, field, p);
    sf_add_f64(field->column, value);
    return end;
}

/* The words that Spark casts to booleans, in any case. */
static const char *decode_bool_text(Decoder *decoder, Field *field, const char *p)
{
    static const char *const words[] = {"false", "true", "f", "t", "no", "yes", "n", "y", "0", "1"};
    Text text;
    if (!token_text(decoder, field, p, &text))
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (text.size == strlen(words[i]) && g_ascii_strncasecmp(text.data, words[i], text.size) == 0) {
            sf_add_bool(field->column, i % 2 == 1);
            return text.end;
        }
    }
    return decode_fail(decoder, FAULT_WRONG, field, p);
}

/* 0 and 1, as MySQL has them. */
static const char *decode_bool_number(Decoder *decoder, Field *field, const char *p)
{
    int64_t value = 0;
    const char *end = token_int64(decoder, field, p, 0, ROUND_NOT, &value);
    if (!end || value < 0 || value > 1)
        return decode_fail(decoder, FAULT_WRONG, field, p);
    sf_add_bool(field->column, value == 1);
    return end;
}

static const char *decode_bool(Decoder *decoder, Field *field, const char *p)
{
    if (*p == '"' && field->from_text)
        return decode_bool_text(decoder, field, p);
    if (field->from_number && token_is_number(decoder, p))
        return decode_bool_number(decoder, field, p);
    if (*p != 't' && *p != 'f')
        return decode_fail(decoder, FAULT_WRONG, field, p);
    const char *end = token_raw(decoder, field, p);
    if (end)
        sf_add_bool(field->column, *p == 't');
    return end;
}

static const char *decode_binary(Decoder *decoder, Field *field, const char *p)
{
    Text text;
    long size = 0;
    if (*p != '"')
        return decode_fail(decoder, FAULT_WRONG, field, p);
    if (!token_base64(decoder, field, p, &text, &size))
        return NULL;
    sf_add_str(field->column, decoder->scratch, size);
    return text.end;
}

static const char *decode_date(Decoder *decoder, Field *field, const char *p)
{
    Text text;
    int32_t days = 0;
    if (*p != '"')
        return decode_fail(decoder, FAULT_WRONG, field, p);
    if (!token_text(decoder, field, p, &text))
        return NULL;
    TimeFit fit = time_parse_date(text.data, text.size, &days);
    if (fit != TIME_FITS)
        return moment_fail(decoder, fit, field, p);
    sf_add_i32(field->column, days);
    return text.end;
}

const char *decode_scalar(Decoder *decoder, Field *field, const char *p)
{
    switch (field->kind) {
    case FIELD_STRING:
        return decode_string(decoder, field, p);
    case FIELD_JSON:
        return decode_json(decoder, field, p);
    case FIELD_INT:
    case FIELD_BIGINT:
        return decode_int(decoder, field, p);
    case FIELD_DOUBLE:
        return decode_double(decoder, field, p);
    case FIELD_DECIMAL:
        return decode_decimal(decoder, field, p);
    case FIELD_BOOL:
        return decode_bool(decoder, field, p);
    case FIELD_BINARY:
        return decode_binary(decoder, field, p);
    case FIELD_DATE:
        return field->forms ? decode_moment(decoder, field, p) : decode_date(decoder, field, p);
    case FIELD_TIMESTAMP:
        return decode_moment(decoder, field, p);
    case FIELD_LIST:
    case FIELD_STRUCT:
        break;
    }
    return decode_fail(decoder, FAULT_WRONG, field, p);
}
