/* JSON numbers → exact integers and decimals, never through double. Texts are valid JSON numbers. */
#ifndef KIT_JSON_NUMBER_H
#define KIT_JSON_NUMBER_H

#include <string.h>
#include <sf/column.h>
#include "json/scan.h"

typedef enum NumberFit {
    NUMBER_FITS,
    NUMBER_TOO_BIG,  /* more digits before the point than the type has */
    NUMBER_TOO_FINE, /* more digits behind it than the scale: would be rounded */
} NumberFit;

/* What becomes of digits behind the last one that there is room for. */
typedef enum Round {
    ROUND_NOT, /* NUMBER_TOO_FINE */
    ROUND_HALF_UP,
    ROUND_HALF_EVEN,
    ROUND_DOWN,  /* towards zero */
    ROUND_FLOOR, /* towards minus infinity */
} Round;

/* The number × 10^scale, if that is (or rounds to) an integer of at most `precision` digits (1 … 38). */
NumberFit number_scaled(const char *text, size_t size, int precision, int scale, Round round, SfDecimal *out);

/* The same for 64 bits: precision is 19 and the value has to be an int64_t. */
NumberFit number_int64(const char *text, size_t size, int scale, Round round, int64_t *out);

/* A two's complement number, its highest byte first, as Java's BigInteger writes it; at most `precision` digits. */
NumberFit number_of_bytes(const unsigned char *bytes, size_t size, int precision, SfDecimal *out);

/* value × 10^-from at another scale. */
NumberFit number_rescale(SfDecimal value, int64_t from, int precision, int scale, Round round, SfDecimal *out);

/* Whether a text of valid UTF-8 is a JSON number, and nothing else. */
bool number_is(const char *text, size_t size);

/* The nearest double (of a magnitude below the smallest: 0); false when it is beyond the largest. */
bool number_double(const char *text, size_t size, double *out);

extern const int64_t number_tens[19]; /* 10^0 … 10^18 */

/* A number of at most 18 digits without exponent: mantissa × 10^-fraction. */
typedef struct ShortNumber {
    int64_t mantissa; /* without the sign */
    int fraction;     /* digits behind the point */
    bool negative;
} ShortNumber;

#if JSON_VECTORS
/* n digits (1 … 15) at p, of which 24 bytes can be read: eight at a time, pairs first. */
static inline int64_t number_digits(const char *p, unsigned n)
{
    uint64_t v;
    int64_t high = 0;
    if (n > 8) {
        high = number_digits(p, n - 8) * 100000000;
        p += n - 8;
        n = 8;
    }
    memcpy(&v, p, sizeof v);
    v <<= 64 - 8 * n; /* zeros in front */
    v = (v & 0x0F0F0F0F0F0F0F0F) * 2561 >> 8;
    v = (v & 0x00FF00FF00FF00FF) * 6553601 >> 16;
    v = (v & 0x0000FFFF0000FFFF) * 42949672960001 >> 32;
    return high + (int64_t) v;
}

/* Where there are 24 bytes to read and at most 15 of them are the number. */
static inline const char *number_scan_vector(const char *p, ShortNumber *out)
{
    unsigned integer, fraction;
    const char *end = json_scan_digits(p, &integer, &fraction);
    if (!end)
        return NULL;
    out->mantissa = number_digits(p, integer);
    if (fraction > 0)
        out->mantissa = out->mantissa * number_tens[fraction] + number_digits(p + integer + 1, fraction);
    out->fraction = (int) fraction;
    return end;
}
#endif

static inline const char *number_take_digits(const char *p, const char *limit, uint64_t *mantissa)
{
    while (p < limit && json_is_digit(*p))
        *mantissa = *mantissa * 10 + (uint64_t) (*p++ - '0');
    return p;
}

/* Digit by digit, where more than 18 of them are too long. */
static inline const char *number_scan_plain(const char *p, const char *end, ShortNumber *out)
{
    uint64_t mantissa = 0;
    const char *start = p, *limit = end - p > 19 ? p + 19 : end;
    p = number_take_digits(p, limit, &mantissa);
    size_t digits = (size_t) (p - start);
    if (digits == 0 || digits > 18 || (digits > 1 && *start == '0'))
        return NULL;
    out->fraction = 0;
    if (p < end && *p == '.') {
        const char *point = p;
        p = number_take_digits(p + 1, limit, &mantissa);
        out->fraction = (int) (p - point - 1);
        if (out->fraction == 0)
            return NULL;
    }
    if (p == limit || (*p | 0x20) == 'e')
        return NULL;
    out->mantissa = (int64_t) mantissa;
    return p;
}

/* Behind the number at p, or NULL where it is not a short one (longer, with exponent, or wrong): take the long way
 * then. */
static inline const char *number_scan_short(const char *p, const char *end, ShortNumber *out)
{
    out->negative = p < end && *p == '-';
    p += out->negative;
#if JSON_VECTORS
    if (end - p >= 24) {
        const char *behind = number_scan_vector(p, out);
        if (behind)
            return behind;
    }
#endif
    return number_scan_plain(p, end, out);
}

/* As number_int64(), for a short number. */
static inline bool number_short_scale(const ShortNumber *number, int scale, int64_t *out)
{
    int shift = scale - number->fraction;
    if (shift < 0 || shift > 18 || __builtin_mul_overflow(number->mantissa, number_tens[shift], out))
        return false;
    if (number->negative)
        *out = -*out;
    return true;
}

#endif
