/* One value → one column: texts, numbers, dates and times, exactly or not at all. */
#include "decode.h"

#include <math.h>
#include "civil.h"
#include "number.h"
#include "text.h"

/* A text as it is meant; without escapes it stays where it is. */
typedef struct Text {
    const char *data;
    size_t size;
    const char *end; /* behind its closing quote */
} Text;

static bool unescape(Decoder *decoder, const Field *field, const char *p, Text *text)
{
    if (!decode_reserve(decoder, text->size))
        return false;
    long size = text_unescape(text->data, text->size, decoder->scratch);
    if (size < 0) {
        decode_fail(decoder, FAULT_SURROGATE, field, p);
        return false;
    }
    text->data = decoder->scratch;
    text->size = (size_t) size;
    return true;
}

/* p is at the opening quote. */
static inline bool read_text(Decoder *decoder, const Field *field, const char *p, Text *text)
{
    const char *end = json_scan_string(&decoder->scan, p + 1);
    if (!end) {
        decode_fail(decoder, FAULT_SYNTAX, field, p);
        return false;
    }
    *text = (Text){.data = p + 1, .size = (size_t) (end - p - 1), .end = end + 1};
    return !decoder->scan.escapes || unescape(decoder, field, p, text);
}

/* Behind any value, for its own text. */
static const char *read_raw(Decoder *decoder, const Field *field, const char *p)
{
    const char *end = json_scan_value(&decoder->scan, p);
    return end ? end : decode_fail(decoder, FAULT_SYNTAX, field, p);
}

static const char *fail_number(Decoder *decoder, NumberFit fit, const Field *field, const char *p)
{
    return decode_fail(decoder, fit == NUMBER_TOO_BIG ? FAULT_TOO_BIG : FAULT_TOO_FINE, field, p);
}

static bool is_number(const Decoder *decoder, const char *p)
{
    return p < decoder->scan.end && (*p == '-' || json_is_digit(*p));
}

static const char *decode_string(Decoder *decoder, Field *field, const char *p)
{
    if (*p == '"') {
        Text text;
        if (!read_text(decoder, field, p, &text))
            return NULL;
        sf_add_str(field->column, text.data, (int64_t) text.size);
        return text.end;
    }
    if (*p == '{' || *p == '[')
        return decode_fail(decoder, FAULT_WRONG, field, p);
    const char *end = read_raw(decoder, field, p);
    if (end)
        sf_add_str(field->column, p, end - p);
    return end;
}

static const char *decode_json(Decoder *decoder, Field *field, const char *p)
{
    const char *end = read_raw(decoder, field, p);
    if (end)
        sf_add_str(field->column, p, end - p);
    return end;
}

/* A number × 10^scale as 64 bits. */
static const char *read_int64(Decoder *decoder, Field *field, const char *p, int scale, Round round, int64_t *out)
{
    ShortNumber number;
    const char *end = number_scan_short(p, decoder->scan.end, &number);
    if (end && number_short_scale(&number, scale, out))
        return end;
    if (!is_number(decoder, p))
        return decode_fail(decoder, FAULT_WRONG, field, p);
    end = json_scan_number(&decoder->scan, p);
    if (!end)
        return decode_fail(decoder, FAULT_SYNTAX, field, p);
    NumberFit fit = number_int64(p, (size_t) (end - p), scale, round, out);
    return fit == NUMBER_FITS ? end : fail_number(decoder, fit, field, p);
}

/* The number in a text, as the field takes it where it stands without quotes. */
static const char *decode_quoted(Decoder *decoder, Field *field, const char *p)
{
    Text text;
    if (!read_text(decoder, field, p, &text))
        return NULL;
    if (!number_is(text.data, text.size))
        return decode_fail(decoder, FAULT_WRONG, field, p);
    JsonScan event = decoder->scan;
    decoder->scan = (JsonScan){.end = text.data + text.size};
    bool ok = decode_scalar(decoder, field, text.data) != NULL;
    decoder->scan = event;
    return ok ? text.end : decode_fail(decoder, decoder->fault, field, p);
}

static const char *decode_int(Decoder *decoder, Field *field, const char *p)
{
    int64_t value = 0;
    if (*p == '"' && field->from_text)
        return decode_quoted(decoder, field, p);
    const char *end = read_int64(decoder, field, p, 0, ROUND_NOT, &value);
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

/* A text's base64 into scratch; size < 0: it is none. */
static bool read_base64(Decoder *decoder, const Field *field, const char *p, Text *text, long *size)
{
    if (!read_text(decoder, field, p, text) || !decode_reserve(decoder, text->size))
        return false;
    if (decoder->scan.escapes)
        text->data = decoder->scratch; /* which may have moved */
    *size = text_base64(text->data, text->size, decoder->scratch);
    if (*size < 0)
        decode_fail(decoder, FAULT_WRONG, field, p);
    return *size >= 0;
}

/* The unscaled value in base64, as Kafka Connect writes decimals into JSON. */
static const char *read_unscaled(Decoder *decoder, Field *field, const char *p, int precision, SfDecimal *value)
{
    Text text;
    long size = 0;
    if (!read_base64(decoder, field, p, &text, &size))
        return NULL;
    if (size == 0)
        return decode_fail(decoder, FAULT_WRONG, field, p);
    if (number_of_bytes((const unsigned char *) decoder->scratch, (size_t) size, precision, value) != NUMBER_FITS)
        return decode_fail(decoder, FAULT_TOO_BIG, field, p);
    return text.end;
}

typedef struct Variable {
    SfDecimal value;
    int64_t scale;
    bool has_value;
    bool has_scale;
} Variable;

/* One member of {"scale":2,"value":"BNI="}, from its key to behind its value. */
static const char *read_variable_member(Decoder *decoder, Field *field, const char *p, Variable *out)
{
    JsonScan *scan = &decoder->scan;
    const char *key = p + 1, *end = json_scan_string(scan, key);
    p = json_scan_space(scan, json_scan_space(scan, end + 1) + 1); /* the object has been checked */
    if (end - key == 5 && memcmp(key, "value", 5) == 0 && *p == '"' && !out->has_value) {
        out->has_value = true;
        return read_unscaled(decoder, field, p, SF_DECIMAL_MAX_PRECISION, &out->value);
    }
    if (end - key == 5 && memcmp(key, "scale", 5) == 0 && !out->has_scale) {
        out->has_scale = true;
        return read_int64(decoder, field, p, 0, ROUND_NOT, &out->scale);
    }
    return read_raw(decoder, field, p);
}

/* Debezium's VariableScaleDecimal, for columns that declare no scale. */
static const char *decode_variable_decimal(Decoder *decoder, Field *field, const char *start)
{
    JsonScan *scan = &decoder->scan;
    Variable variable = {.has_value = false};
    const char *end = read_raw(decoder, field, start), *p = end ? json_scan_space(scan, start + 1) : NULL;
    while (p && *p == '"') {
        p = read_variable_member(decoder, field, p, &variable);
        p = p ? json_scan_space(scan, p) : NULL;
        if (p && *p == ',')
            p = json_scan_space(scan, p + 1);
    }
    if (!p)
        return NULL;
    if (!variable.has_value || !variable.has_scale || variable.scale < INT32_MIN || variable.scale > INT32_MAX)
        return decode_fail(decoder, FAULT_WRONG, field, start);
    SfDecimal value;
    NumberFit fit =
        number_rescale(variable.value, variable.scale, field->precision, field->scale, field->round, &value);
    if (fit != NUMBER_FITS)
        return fail_number(decoder, fit, field, start);
    sf_add_decimal(field->column, value);
    return end;
}

static const char *decode_base64_decimal(Decoder *decoder, Field *field, const char *p)
{
    SfDecimal value;
    const char *end = read_unscaled(decoder, field, p, field->precision, &value);
    if (end)
        sf_add_decimal(field->column, value);
    return end;
}

/* The long way, and for a text that holds a number, as producers write that fear for their digits. */
static const char *decode_long_decimal(Decoder *decoder, Field *field, const char *p)
{
    Text text = {.data = p};
    SfDecimal value;
    if (field->base64 && *p == '{')
        return decode_variable_decimal(decoder, field, p);
    if (*p == '"') {
        if (field->base64)
            return decode_base64_decimal(decoder, field, p);
        if (!read_text(decoder, field, p, &text))
            return NULL;
        if (!number_is(text.data, text.size))
            return decode_fail(decoder, FAULT_WRONG, field, p);
    } else if (is_number(decoder, p)) {
        text.end = json_scan_number(&decoder->scan, p);
        if (!text.end)
            return decode_fail(decoder, FAULT_SYNTAX, field, p);
        text.size = (size_t) (text.end - p);
    } else {
        return decode_fail(decoder, FAULT_WRONG, field, p);
    }
    NumberFit fit = number_scaled(text.data, text.size, field->precision, field->scale, field->round, &value);
    if (fit != NUMBER_FITS)
        return fail_number(decoder, fit, field, p);
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

/* The names that Spark and our own writer give to what JSON has no numbers for. */
static const char *decode_named_double(Decoder *decoder, Field *field, const char *p)
{
    static const struct {
        const char *name;
        double value;
    } names[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
    Text text;
    if (!read_text(decoder, field, p, &text))
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (text.size == strlen(names[i].name) && memcmp(text.data, names[i].name, text.size) == 0) {
            sf_add_f64(field->column, names[i].value);
            return text.end;
        }
    }
    return field->from_text ? decode_quoted(decoder, field, p) : decode_fail(decoder, FAULT_WRONG, field, p);
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
    if (!is_number(decoder, p))
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
    if (!read_text(decoder, field, p, &text))
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
    const char *end = read_int64(decoder, field, p, 0, ROUND_NOT, &value);
    if (!end || value < 0 || value > 1)
        return decode_fail(decoder, FAULT_WRONG, field, p);
    sf_add_bool(field->column, value == 1);
    return end;
}

static const char *decode_bool(Decoder *decoder, Field *field, const char *p)
{
    if (*p == '"' && field->from_text)
        return decode_bool_text(decoder, field, p);
    if (field->from_number && is_number(decoder, p))
        return decode_bool_number(decoder, field, p);
    if (*p != 't' && *p != 'f')
        return decode_fail(decoder, FAULT_WRONG, field, p);
    const char *end = read_raw(decoder, field, p);
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
    if (!read_base64(decoder, field, p, &text, &size))
        return NULL;
    sf_add_str(field->column, decoder->scratch, size);
    return text.end;
}

static const char *fail_time(Decoder *decoder, TimeFit fit, const Field *field, const char *p)
{
    return decode_fail(decoder,
                       fit == TIME_OUTSIDE    ? FAULT_OUTSIDE
                       : fit == TIME_TOO_FINE ? FAULT_TOO_FINE
                                              : FAULT_WRONG,
                       field, p);
}

/* What is finer than a microsecond: a date does not see it, and timestamp(ns) says that it is there. */
static Round round_of(const Field *field)
{
    bool cut = field->kind == FIELD_DATE || field->unit == UNIT_NS;
    return cut && field->round == ROUND_NOT ? ROUND_FLOOR : field->round == ROUND_DOWN ? ROUND_FLOOR : field->round;
}

/* By the first form that the text is of. */
static TimeFit parse_time(const Field *field, const char *text, size_t size, int64_t *us)
{
    TimeParts parts;
    TimeFit fit = TIME_WRONG;
    guint n = field->forms ? field->forms->len : 1;
    for (guint i = 0; fit == TIME_WRONG && i < n; i++) {
        const Pattern *pattern = field->forms ? g_ptr_array_index(field->forms, i) : NULL;
        fit = pattern ? pattern_parse(pattern, text, size, &parts) : time_parse_iso(text, size, &parts);
        if (fit == TIME_FITS)
            fit = time_to_us(&parts, round_of(field), us);
    }
    return fit;
}

static const char *read_time_number(Decoder *decoder, Field *field, const char *p, int64_t *us)
{
    static const int scales[] = {[UNIT_DAYS] = 0, [UNIT_S] = 6, [UNIT_MS] = 3, [UNIT_US] = 0, [UNIT_NS] = -3};
    bool days = field->unit == UNIT_DAYS;
    const char *end = read_int64(decoder, field, p, scales[field->unit], days ? ROUND_NOT : round_of(field), us);
    if (end && days && __builtin_mul_overflow(*us, CIVIL_DAY_US, us))
        return decode_fail(decoder, FAULT_OUTSIDE, field, p);
    TimeFit fit = end ? time_check_us(*us) : TIME_FITS;
    return fit == TIME_FITS ? end : fail_time(decoder, fit, field, p);
}

static const char *add_time(Field *field, int64_t us, const char *end)
{
    if (field->kind == FIELD_TIMESTAMP)
        sf_add_i64(field->column, us);
    else
        sf_add_i32(field->column, (int32_t) (us / CIVIL_DAY_US - (us % CIVIL_DAY_US < 0)));
    return end;
}

/* A text; where nothing says what numbers count, also a number: a pattern may be of digits alone (yyyyMMdd). */
static const char *decode_time_text(Decoder *decoder, Field *field, const char *p)
{
    Text text = {.data = p};
    int64_t us = 0;
    if (*p == '"') {
        if (!read_text(decoder, field, p, &text))
            return NULL;
    } else {
        text.end = is_number(decoder, p) && field->forms ? read_raw(decoder, field, p) : NULL;
        if (!text.end)
            return decode_fail(decoder, FAULT_WRONG, field, p);
        text.size = (size_t) (text.end - p);
    }
    TimeFit fit = parse_time(field, text.data, text.size, &us);
    if (fit == TIME_WRONG && field->from_text && *p == '"')
        return decode_quoted(decoder, field, p);
    return fit == TIME_FITS ? add_time(field, us, text.end) : fail_time(decoder, fit, field, p);
}

static const char *decode_time(Decoder *decoder, Field *field, const char *p)
{
    int64_t us = 0;
    if (field->unit == UNIT_NONE || *p == '"')
        return decode_time_text(decoder, field, p);
    const char *end = read_time_number(decoder, field, p, &us);
    return end ? add_time(field, us, end) : NULL;
}

static const char *decode_date(Decoder *decoder, Field *field, const char *p)
{
    Text text;
    int32_t days = 0;
    if (field->forms)
        return decode_time(decoder, field, p);
    if (*p != '"')
        return decode_fail(decoder, FAULT_WRONG, field, p);
    if (!read_text(decoder, field, p, &text))
        return NULL;
    TimeFit fit = time_parse_date(text.data, text.size, &days);
    if (fit != TIME_FITS)
        return fail_time(decoder, fit, field, p);
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
        return decode_date(decoder, field, p);
    case FIELD_TIMESTAMP:
        return decode_time(decoder, field, p);
    case FIELD_LIST:
    case FIELD_STRUCT:
        break;
    }
    return decode_fail(decoder, FAULT_WRONG, field, p);
}
