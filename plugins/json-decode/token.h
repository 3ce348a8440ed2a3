/* Pieces that the kinds of values have in common: texts, raw values, numbers. */
#ifndef JSON_DECODE_TOKEN_H
#define JSON_DECODE_TOKEN_H

#include "decoder.h"
#include "json/number.h"

/* A text as it is meant; without escapes it stays where it is. */
typedef struct Text {
    const char *data;
    size_t size;
    const char *end; /* behind its closing quote */
} Text;

/* The pieces below answer NULL or false with the fault set. p is at a value's first character. */

bool token_unescape(Decoder *decoder, const Field *field, const char *p, Text *text);

/* p is at the opening quote. The text lies in the event, or in scratch until the next one. */
static inline bool token_text(Decoder *decoder, const Field *field, const char *p, Text *text)
{
    const char *end = json_scan_string(&decoder->scan, p + 1);
    if (!end) {
        decode_fail(decoder, FAULT_SYNTAX, field, p);
        return false;
    }
    *text = (Text){.data = p + 1, .size = (size_t) (end - p - 1), .end = end + 1};
    return !decoder->scan.escapes || token_unescape(decoder, field, p, text);
}

static inline bool token_is_number(const Decoder *decoder, const char *p)
{
    return p < decoder->scan.end && (*p == '-' || json_is_digit(*p));
}

/* Behind any value, for its own text. */
const char *token_raw(Decoder *decoder, const Field *field, const char *p);

/* A number × 10^scale as 64 bits. */
const char *token_int64(Decoder *decoder, Field *field, const char *p, int scale, Round round, int64_t *out);

/* Adds a value to the field's column: from its first character to behind it. */
typedef const char *DecodeValue(Decoder *decoder, Field *field, const char *p);

/* The number in a text, as `decode` takes it where it stands without quotes. */
const char *token_quoted(Decoder *decoder, Field *field, const char *p, DecodeValue *decode);

/* A text's base64, decoded into scratch. */
bool token_base64(Decoder *decoder, const Field *field, const char *p, Text *text, long *size);

const char *token_fail_number(Decoder *decoder, NumberFit fit, const Field *field, const char *p);

#endif
