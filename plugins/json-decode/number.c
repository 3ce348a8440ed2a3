/* The long way from a number's text to an exact value: any count of digits, any exponent. */
#include "number.h"

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

NumberFit number_exact(const char *text, size_t size, int precision, int scale, SfDecimal *out)
{
    Parts parts = split(text, size);
    Wide value = 0;
    if (!parts.zero) {
        int64_t shift = parts.exponent + scale;
        if (parts.count + shift > precision)
            return NUMBER_TOO_BIG;
        if (shift < 0)
            return NUMBER_TOO_FINE;
        for (const char *p = parts.first; p <= parts.last; p++)
            if (*p != '.')
                value = value * 10 + (Wide) (*p - '0');
        for (; shift > 0; shift--)
            value *= 10;
    }
    if (parts.negative)
        value = -value;
    *out = (SfDecimal){.low = (uint64_t) value, .high = (int64_t) (uint64_t) (value >> 64)};
    return NUMBER_FITS;
}

NumberFit number_int64(const char *text, size_t size, int scale, int64_t *out)
{
    SfDecimal value;
    NumberFit fit = number_exact(text, size, 19, scale, &value);
    if (fit != NUMBER_FITS)
        return fit;
    if (value.high != (value.low >> 63 ? -1 : 0))
        return NUMBER_TOO_BIG;
    *out = (int64_t) value.low;
    return NUMBER_FITS;
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
