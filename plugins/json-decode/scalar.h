/* Pieces that the kinds of values have in common: texts, raw values, numbers. */
#ifndef JSON_DECODE_SCALAR_H
#define JSON_DECODE_SCALAR_H

#include "decode.h"
#include "number.h"

/* A text as it is meant; without escapes it stays where it is. */
typedef struct Text {
    const char *data;
    size_t size;
    const char *end; /* behind its closing quote */
} Text;

/* The pieces below answer NULL or false with the fault set. p is at a value's first character. */

bool scalar_unescape(Decoder *decoder, const Field *field, const char *p, Text *text);

/* p is at the opening quote. The text lies in the event, or in scratch until the next one. */
static inline bool scalar_text(Decoder *decoder, const Field *field, const char *p, Text *text)
{
    const char *end = json_scan_string(&decoder->scan, p + 1);
    if (!end) {
        decode_fail(decoder, FAULT_SYNTAX, field, p);
        return false;
    }
    *text = (Text){.data = p + 1, .size = (size_t) (end - p - 1), .end = end + 1};
    return !decoder->scan.escapes || scalar_unescape(decoder, field, p, text);
}

static inline bool scalar_is_number(const Decoder *decoder, const char *p)
{
    return p < decoder->scan.end && (*p == '-' || json_is_digit(*p));
}

/* Behind any value, for its own text. */
const char *scalar_raw(Decoder *decoder, const Field *field, const char *p);

/* A number × 10^scale as 64 bits. */
const char *scalar_int64(Decoder *decoder, Field *field, const char *p, int scale, Round round, int64_t *out);

/* The number in a text, as the field takes it where it stands without quotes. */
const char *scalar_quoted(Decoder *decoder, Field *field, const char *p);

/* A text's base64, decoded into scratch. */
bool scalar_base64(Decoder *decoder, const Field *field, const char *p, Text *text, long *size);

const char *scalar_fail_number(Decoder *decoder, NumberFit fit, const Field *field, const char *p);

/* unscaled.c: decimals as bytes; decode_variable: with their scale. */
const char *decode_unscaled(Decoder *decoder, Field *field, const char *p);
const char *decode_variable(Decoder *decoder, Field *field, const char *p);

/* moment.c: timestamps, and dates of other forms than the plain one. */
const char *decode_moment(Decoder *decoder, Field *field, const char *p);
const char *scalar_fail_time(Decoder *decoder, TimeFit fit, const Field *field, const char *p);

#endif
