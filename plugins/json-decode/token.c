/* Texts, raw values and numbers as they stand in an event. */
#include "token.h"

#include "json/text.h"

bool token_unescape(Decoder *decoder, const Field *field, const char *p, Text *text)
{
    if (!decode_reserve(decoder, text->size))
        return false;
    long size = json_unescape(text->data, text->size, decoder->scratch);
    if (size < 0) {
        decode_fail(decoder, FAULT_SURROGATE, field, p);
        return false;
    }
    text->data = decoder->scratch;
    text->size = (size_t) size;
    return true;
}

const char *token_raw(Decoder *decoder, const Field *field, const char *p)
{
    const char *end = json_scan_value(&decoder->scan, p);
    return end ? end : decode_fail(decoder, FAULT_SYNTAX, field, p);
}

const char *token_fail_number(Decoder *decoder, NumberFit fit, const Field *field, const char *p)
{
    return decode_fail(decoder, fit == NUMBER_TOO_BIG ? FAULT_TOO_BIG : FAULT_TOO_FINE, field, p);
}

const char *token_int64(Decoder *decoder, Field *field, const char *p, int scale, Round round, int64_t *out)
{
    ShortNumber number;
    const char *end = number_scan_short(p, decoder->scan.end, &number);
    if (end && number_short_scale(&number, scale, out))
        return end;
    if (!token_is_number(decoder, p))
        return decode_fail(decoder, FAULT_WRONG, field, p);
    end = json_scan_number(&decoder->scan, p);
    if (!end)
        return decode_fail(decoder, FAULT_SYNTAX, field, p);
    NumberFit fit = number_int64(p, (size_t) (end - p), scale, round, out);
    return fit == NUMBER_FITS ? end : token_fail_number(decoder, fit, field, p);
}

const char *token_quoted(Decoder *decoder, Field *field, const char *p, DecodeValue *decode)
{
    Text text;
    if (!token_text(decoder, field, p, &text))
        return NULL;
    if (!number_is(text.data, text.size))
        return decode_fail(decoder, FAULT_WRONG, field, p);
    JsonScan event = decoder->scan;
    decoder->scan = (JsonScan){.end = text.data + text.size};
    bool ok = decode(decoder, field, text.data) != NULL;
    decoder->scan = event;
    return ok ? text.end : decode_fail(decoder, decoder->fault, field, p);
}

bool token_base64(Decoder *decoder, const Field *field, const char *p, Text *text, long *size)
{
    if (!token_text(decoder, field, p, text) || !decode_reserve(decoder, text->size))
        return false;
    if (decoder->scan.escapes)
        text->data = decoder->scratch; /* which may have moved */
    *size = json_read_base64(text->data, text->size, decoder->scratch);
    if (*size < 0)
        decode_fail(decoder, FAULT_WRONG, field, p);
    return *size >= 0;
}
