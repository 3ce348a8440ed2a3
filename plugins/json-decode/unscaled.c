/* Decimals as bytes, as Kafka Connect and Debezium write them into JSON. */
#include "unscaled.h"

/* The unscaled value in base64, as Kafka Connect writes decimals into JSON. */
static const char *read_unscaled(Decoder *decoder, Field *field, const char *p, int precision, SfDecimal *value)
{
    Text text;
    long size = 0;
    if (!token_base64(decoder, field, p, &text, &size))
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
        return token_int64(decoder, field, p, 0, ROUND_NOT, &out->scale);
    }
    return token_raw(decoder, field, p);
}

/* Debezium's VariableScaleDecimal, for columns that declare no scale. */
const char *decode_variable(Decoder *decoder, Field *field, const char *start)
{
    JsonScan *scan = &decoder->scan;
    Variable variable = {.has_value = false};
    const char *end = token_raw(decoder, field, start), *p = end ? json_scan_space(scan, start + 1) : NULL;
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
        return token_fail_number(decoder, fit, field, start);
    sf_add_decimal(field->column, value);
    return end;
}

const char *decode_unscaled(Decoder *decoder, Field *field, const char *p)
{
    SfDecimal value;
    const char *end = read_unscaled(decoder, field, p, field->precision, &value);
    if (end)
        sf_add_decimal(field->column, value);
    return end;
}
