/* The long way from a number's text to an exact value: any count of digits, any exponent. */
#include "json/number.h"

#include <glib.h>
#include <math.h>
#include <string.h>

__extension__ typedef unsigned __int128 Wide;

const int64_t number_tens[19] = {1,
                                 10,
                                 100,
                                 1000,
                                 10000,
                                 100000,
                                 1000000,
                                 10000000,
                                 100000000,
                                 1000000000,
                                 10000000000,
                                 100000000000,
                                 1000000000000,
                                 10000000000000,
                                 100000000000000,
                                 1000000000000000,
                                 10000000000000000,
                                 100000000000000000,
                                 1000000000000000000};

/* digits × 10^exponent, where digits begin and end with a digit that is not 0 (and may have the point between). */
typedef struct Parts {
    const char *first;
    const char *last;
    int64_t count; /* digits in [first, last] */
    int64_t exponent;
    bool negative;
    bool zero;
} Parts;

static int64_t read_exponent(const char *p, const char *end)
{
    const int64_t most = INT64_C(1000000000000); /* beyond any text's length: adding to it cannot make it small again */
    bool negative = *p == '-';
    int64_t value = 0;
    if (*p == '-' || *p == '+')
        p++;
    for (; p < end; p++)
        value = MIN(value * 10 + (*p - '0'), most);
    return negative ? -value : value;
}

static Parts split(const char *text, size_t size)
{
    const char *end = text + size, *p = text, *point = NULL;
    Parts parts = {.negative = *text == '-'};
    for (p += parts.negative; p < end && (*p == '.' || json_is_digit(*p)); p++) {
        if (*p == '.')
            point = p;
        else if (*p != '0')
            parts.last = p;
        if (!parts.first)
            parts.first = parts.last;
    }
    parts.zero = !parts.first;
    if (parts.zero)
        return parts;
    if (!point)
        point = p;
    parts.count = parts.last - parts.first + 1 - (parts.first < point && parts.last > point);
    parts.exponent = parts.last < point ? point - parts.last - 1 : point - parts.last;
    if (p < end)
        parts.exponent += read_exponent(p + 1, end);
    return parts;
}

static SfDecimal to_decimal(Wide value)
{
    return (SfDecimal){.low = (uint64_t) value, .high = (int64_t) (uint64_t) (value >> 64)};
}

static Wide ten_to(int power)
{
    Wide value = 1;
    for (; power > 0; power--)
        value *= 10;
    return value;
}

/* Of the first `keep` digits (0 or less: none), and what is behind them, where anything is, against a half: -1, 0 or
 * 1. */
static Wide first_digits(const Parts *parts, int64_t keep, int *rest)
{
    Wide value = 0;
    const char *p = parts->first;
    for (int64_t i = 0; i < keep; p++) {
        if (*p == '.')
            continue;
        value = value * 10 + (Wide) (*p - '0');
        i++;
    }
    if (keep >= parts->count)
        return value;
    if (*p == '.')
        p++;
    *rest = keep < 0 || *p < '5' ? -1 : *p > '5' || p < parts->last;
    return value;
}

static bool rounds_away(Round round, bool negative, int rest, Wide value)
{
    switch (round) {
    case ROUND_HALF_UP:
        return rest >= 0;
    case ROUND_HALF_EVEN:
        return rest > 0 || (rest == 0 && (value & 1));
    case ROUND_FLOOR:
        return negative;
    case ROUND_NOT:
    case ROUND_DOWN:
        break;
    }
    return false;
}

NumberFit number_scaled(const char *text, size_t size, int precision, int scale, Round round, SfDecimal *out)
{
    Parts parts = split(text, size);
    Wide value = 0;
    if (!parts.zero) {
        int64_t shift = parts.exponent + scale;
        int rest = 0;
        if (parts.count + shift > precision)
            return NUMBER_TOO_BIG;
        if (shift < 0 && round == ROUND_NOT)
            return NUMBER_TOO_FINE;
        if (shift < 0) {
            value = first_digits(&parts, parts.count + shift, &rest);
            value += rounds_away(round, parts.negative, rest, value);
            if (value == ten_to(precision))
                return NUMBER_TOO_BIG;
        } else {
            value = first_digits(&parts, parts.count, &rest) * ten_to((int) shift);
        }
    }
    *out = to_decimal(parts.negative ? -value : value);
    return NUMBER_FITS;
}

NumberFit number_int64(const char *text, size_t size, int scale, Round round, int64_t *out)
{
    SfDecimal value;
    NumberFit fit = number_scaled(text, size, 19, scale, round, &value);
    if (fit != NUMBER_FITS)
        return fit;
    if (value.high != (value.low >> 63 ? -1 : 0))
        return NUMBER_TOO_BIG;
    *out = (int64_t) value.low;
    return NUMBER_FITS;
}

NumberFit number_of_bytes(const unsigned char *bytes, size_t size, int precision, SfDecimal *out)
{
    bool negative = size > 0 && bytes[0] & 0x80;
    unsigned char sign = negative ? 0xFF : 0;
    for (; size > 16 && *bytes == sign; size--)
        bytes++;
    if (size > 16) /* and what fills 16 of another sign is too big below */
        return NUMBER_TOO_BIG;
    Wide value = negative ? ~(Wide) 0 : 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    if ((negative ? -value : value) >= ten_to(precision))
        return NUMBER_TOO_BIG;
    *out = to_decimal(value);
    return NUMBER_FITS;
}

NumberFit number_rescale(SfDecimal value, int64_t from, int precision, int scale, Round round, SfDecimal *out)
{
    char text[96];
    char *end = text + sizeof text, *p = end - 32; /* digits in front of that, an exponent behind */
    Wide rest = (Wide) (uint64_t) value.high << 64 | value.low;
    if (value.high < 0)
        rest = -rest;
    int exponent = g_snprintf(p, 32, "e%" G_GINT64_FORMAT, -from);
    end = p + exponent;
    do
        *--p = (char) ('0' + (int) (rest % 10));
    while ((rest /= 10) > 0);
    if (value.high < 0)
        *--p = '-';
    return number_scaled(p, (size_t) (end - p), precision, scale, round, out);
}

bool number_is(const char *text, size_t size)
{
    JsonScan scan = {.end = text + size};
    return size > 0 && (*text == '-' || json_is_digit(*text)) && json_scan_number(&scan, text) == scan.end;
}

bool number_double(const char *text, size_t size, double *out)
{
    char room[64];
    g_autofree char *heap = size < sizeof room ? NULL : g_try_malloc(size + 1);
    char *copy = size < sizeof room ? room : heap;
    if (!copy)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    double value = g_ascii_strtod(copy, NULL);
    if (isinf(value))
        return false;
    *out = value;
    return true;
}
