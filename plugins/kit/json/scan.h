/* Inline pieces of a JSON reader (RFC 8259) that never reads past `end`, copies nothing and allocates nothing: what
 * check.c and json-decode's hot path have in common. Pointers move over text that lies in [p, end). */
#ifndef KIT_JSON_SCAN_H
#define KIT_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether 16 bytes are looked at at once where so many are left. JSON_PLAIN builds the code without, byte by byte as on
 * other CPUs: tests hold the one against the other. */
#if defined(__SSE2__) && !defined(JSON_PLAIN)
#define JSON_VECTORS 1
#include <emmintrin.h>
#else
#define JSON_VECTORS 0
#endif

/* Deeper nesting is refused, as RFC 8259 section 9 allows. */
#define JSON_MAX_DEPTH 1024

typedef struct JsonScan {
    const char *end;
    const char *fault; /* set on failure: the place and, in plain words, what is wrong there */
    const char *reason;
    bool breaks;  /* seen so far: a line break between two tokens */
    bool escapes; /* seen in the last string: a backslash */
} JsonScan;

static inline const char *json_scan_fail(JsonScan *scan, const char *place, const char *reason)
{
    scan->fault = place;
    scan->reason = reason;
    return NULL;
}

/* The first character that is not white space, or end. */
const char *json_scan_blanks(JsonScan *scan, const char *p);

/* The same, where there is seldom any. */
static inline const char *json_scan_space(JsonScan *scan, const char *p)
{
    return p < scan->end && (unsigned char) *p > ' ' ? p : json_scan_blanks(scan, p);
}

/* Whether a second byte makes the sequence overlong, a surrogate or more than U+10FFFF (RFC 3629 section 4). */
static inline bool json_utf8_outside(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0:
        return second < 0xA0;
    case 0xED:
        return second > 0x9F;
    case 0xF0:
        return second < 0x90;
    case 0xF4:
        return second > 0x8F;
    default:
        return first > 0xF4;
    }
}

static inline bool json_utf8_follows(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* Bytes of the UTF-8 sequence at p, by RFC 3629 section 4 (no overlong forms, no surrogates, at most U+10FFFF); 0:
 * none. */
static inline size_t json_scan_utf8(const char *text, const char *end)
{
    const unsigned char *p = (const unsigned char *) text;
    size_t left = (size_t) (end - text);
    if (left == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (left < 2 || p[0] < 0xC2 || !json_utf8_follows(p[1]) || json_utf8_outside(p[0], p[1]))
        return 0;
    if (p[0] < 0xE0)
        return 2;
    if (left < 3 || !json_utf8_follows(p[2]))
        return 0;
    if (p[0] < 0xF0)
        return 3;
    return left >= 4 && json_utf8_follows(p[3]) ? 4 : 0;
}

#if JSON_VECTORS
/* A bit for each byte that is a quote, a backslash, a control character or not ASCII. */
static inline unsigned json_scan_odd(__m128i text)
{
    /* signed: bytes from 0x80 are below the blank as control characters are */
    __m128i odd = _mm_cmplt_epi8(text, _mm_set1_epi8(' '));
    odd = _mm_or_si128(odd, _mm_cmpeq_epi8(text, _mm_set1_epi8('"')));
    odd = _mm_or_si128(odd, _mm_cmpeq_epi8(text, _mm_set1_epi8('\\')));
    return (unsigned) _mm_movemask_epi8(odd);
}
#endif

/* The first byte at or after p that is a quote, a backslash, a control character or not ASCII; or end. */
static inline const char *json_scan_plain(const char *p, const char *end)
{
#if JSON_VECTORS
    while (end - p >= 16) {
        unsigned odd = json_scan_odd(_mm_loadu_si128((const __m128i *) (const void *) p));
        if (odd)
            return p + __builtin_ctz(odd);
        p += 16;
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && (signed char) *p >= ' ')
        p++;
    return p;
}

/* From behind a string's opening quote over what json_scan_plain() stopped at, up to the closing quote; NULL on a
 * fault. Escapes are checked for their form only: a lone surrogate passes, as it does in the RFC's grammar. */
const char *json_scan_string_rest(JsonScan *scan, const char *p);

/* From behind a string's opening quote to its closing quote; NULL on a fault. */
static inline const char *json_scan_string(JsonScan *scan, const char *p)
{
    scan->escapes = false;
    p = json_scan_plain(p, scan->end);
    return __builtin_expect(p < scan->end && *p == '"', 1) ? p : json_scan_string_rest(scan, p);
}

static inline bool json_is_digit(char c)
{
    return (unsigned char) (c - '0') < 10;
}

#if JSON_VECTORS
/* Digits before and behind the point of a number without sign and exponent, of at most 15 characters, of which 16 can
 * be read. Returns the character behind it, or NULL: take the long way. */
static inline const char *json_scan_digits(const char *p, unsigned *integer, unsigned *fraction)
{
    __m128i text = _mm_sub_epi8(_mm_loadu_si128((const __m128i *) (const void *) p), _mm_set1_epi8('0'));
    __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8(9)), text);
    unsigned others = ~(unsigned) _mm_movemask_epi8(digits);
    unsigned n = (unsigned) __builtin_ctz(others);
    if (n == 0 || n > 15 || (n > 1 && *p == '0'))
        return NULL;
    *integer = n;
    *fraction = 0;
    if (p[n] == '.') {
        *fraction = (unsigned) __builtin_ctz(others >> (n + 1));
        n += 1 + *fraction;
        if (*fraction == 0 || n > 15)
            return NULL;
    }
    return (p[n] | 0x20) == 'e' ? NULL : p + n;
}
#endif

/* From a number's first character to behind its last; NULL on a fault. */
const char *json_scan_number(JsonScan *scan, const char *p);

/* From a value's first character (white space skipped) to behind its last; NULL on a fault. All of it is checked. */
const char *json_scan_value(JsonScan *scan, const char *p);

#endif
