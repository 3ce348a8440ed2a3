/* Dates and timestamps: a text by its forms, a number by its unit. */
#include "moment.h"

#include "civil.h"

const char *moment_fail(Decoder *decoder, TimeFit fit, const Field *field, const char *p)
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
    const char *end = token_int64(decoder, field, p, scales[field->unit], days ? ROUND_NOT : round_of(field), us);
    if (end && days && __builtin_mul_overflow(*us, CIVIL_DAY_US, us))
        return decode_fail(decoder, FAULT_OUTSIDE, field, p);
    TimeFit fit = end ? time_check_us(*us) : TIME_FITS;
    return fit == TIME_FITS ? end : moment_fail(decoder, fit, field, p);
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
        if (!token_text(decoder, field, p, &text))
            return NULL;
    } else {
        text.end = token_is_number(decoder, p) && field->forms ? token_raw(decoder, field, p) : NULL;
        if (!text.end)
            return decode_fail(decoder, FAULT_WRONG, field, p);
        text.size = (size_t) (text.end - p);
    }
    TimeFit fit = parse_time(field, text.data, text.size, &us);
    if (fit == TIME_WRONG && field->from_text && *p == '"')
        return token_quoted(decoder, field, p, decode_moment);
    return fit == TIME_FITS ? add_time(field, us, text.end) : moment_fail(decoder, fit, field, p);
}

const char *decode_moment(Decoder *decoder, Field *field, const char *p)
{
    int64_t us = 0;
    if (field->unit == UNIT_NONE || *p == '"')
        return decode_time_text(decoder, field, p);
    const char *end = read_time_number(decoder, field, p, &us);
    return end ? add_time(field, us, end) : NULL;
}
