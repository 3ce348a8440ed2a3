/* Checks JSON texts in one pass, without a tree and without recursion. Knows nothing of types: that is
 * json-decode's. */
#include "check.h"

#include <string.h>
#include "scan.h"

const char *json_scan_blanks(JsonScan *scan, const char *p)
{
    while (p < scan->end && (unsigned char) *p <= ' ') {
        if (*p == '\n' || *p == '\r')
            scan->breaks = true;
        else if (*p != ' ' && *p != '\t')
            return p;
        p++;
    }
    return p;
}

static const char *scan_escape(JsonScan *scan, const char *p)
{
    scan->escapes = true;
    if (scan->end - p < 2)
        return json_scan_fail(scan, scan->end, "string without an end");
    if (p[1] != 'u')
        return p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) ? p + 2
                                                          : json_scan_fail(scan, p, "unknown escape in a string");
    for (int i = 2; i < 6; i++) {
        if (p + i == scan->end)
            return json_scan_fail(scan, scan->end, "string without an end");
        char lower = (char) (p[i] | 0x20);
        if (!json_is_digit(p[i]) && !(lower >= 'a' && lower <= 'f'))
            return json_scan_fail(scan, p, "\\u without four hexadecimal digits in a string");
    }
    return p + 6;
}

const char *json_scan_string_rest(JsonScan *scan, const char *p)
{
    while (p && p < scan->end && *p != '"') {
        if (*p == '\\') {
            p = scan_escape(scan, p);
        } else if ((unsigned char) *p < ' ') {
            return json_scan_fail(scan, p, "control character in a string");
        } else {
            size_t size = json_scan_utf8(p, scan->end);
            if (size == 0)
                return json_scan_fail(scan, p, "invalid UTF-8 in a string");
            p += size;
        }
        if (p && p < scan->end && (signed char) *p >= ' ')
            p = json_scan_plain(p, scan->end);
    }
    return !p || p < scan->end ? p : json_scan_fail(scan, scan->end, "string without an end");
}

static const char *scan_digits(JsonScan *scan, const char *p)
{
    if (p == scan->end || !json_is_digit(*p))
        return json_scan_fail(scan, p, "digit expected");
    while (p < scan->end && json_is_digit(*p))
        p++;
    return p;
}

static const char *scan_integer(JsonScan *scan, const char *p)
{
    if (p == scan->end || *p != '0')
        return scan_digits(scan, p);
    p++;
    return p < scan->end && json_is_digit(*p) ? json_scan_fail(scan, p, "number with a leading zero") : p;
}

static const char *scan_exponent(JsonScan *scan, const char *p)
{
    if (p < scan->end && (*p == '+' || *p == '-'))
        p++;
    return scan_digits(scan, p);
}

const char *json_scan_number(JsonScan *scan, const char *p)
{
    if (*p == '-')
        p++;
#if JSON_VECTORS
    unsigned integer, fraction;
    const char *end = scan->end - p >= 16 ? json_scan_digits(p, &integer, &fraction) : NULL;
    if (end)
        return end;
#endif
    p = scan_integer(scan, p);
    if (p && p < scan->end && *p == '.')
        p = scan_digits(scan, p + 1);
    return p && p < scan->end && (*p | 0x20) == 'e' ? scan_exponent(scan, p + 1) : p;
}

static const char *scan_word(JsonScan *scan, const char *p, const char *word, size_t size)
{
    if ((size_t) (scan->end - p) < size || memcmp(p, word, size) != 0)
        return json_scan_fail(scan, p, "value expected");
    return p + size;
}

static inline const char *scan_scalar(JsonScan *scan, const char *p)
{
    if (p == scan->end)
        return json_scan_fail(scan, p, "value expected");
    switch (*p) {
    case '"':
        p = json_scan_string(scan, p + 1);
        return p ? p + 1 : NULL;
    case 't':
        return scan_word(scan, p, "true", 4);
    case 'f':
        return scan_word(scan, p, "false", 5);
    case 'n':
        return scan_word(scan, p, "null", 4);
    default:
        return *p == '-' || json_is_digit(*p) ? json_scan_number(scan, p) : json_scan_fail(scan, p, "value expected");
    }
}

/* From white space before a key to the value behind its colon. */
static inline const char *scan_key(JsonScan *scan, const char *p)
{
    p = json_scan_space(scan, p);
    if (p == scan->end || *p != '"')
        return json_scan_fail(scan, p, "field name expected");
    p = json_scan_string(scan, p + 1);
    if (!p)
        return NULL;
    p = json_scan_space(scan, p + 1);
    if (p == scan->end || *p != ':')
        return json_scan_fail(scan, p, "':' expected");
    return json_scan_space(scan, p + 1);
}

/* The open objects and arrays. */
typedef struct Nesting {
    unsigned depth;
    bool object[JSON_MAX_DEPTH];
} Nesting;

/* After an opening bracket: to the first value inside, or to behind the closing bracket when there is none. */
static inline const char *scan_open(JsonScan *scan, const char *p, Nesting *nesting, bool *value_next)
{
    bool object = *p == '{';
    if (nesting->depth == JSON_MAX_DEPTH)
        return json_scan_fail(scan, p, "nesting deeper than 1024");
    p = json_scan_space(scan, p + 1);
    *value_next = p == scan->end || *p != (object ? '}' : ']');
    if (!*value_next)
        return p + 1;
    nesting->object[nesting->depth++] = object;
    return object ? scan_key(scan, p) : p;
}

/* After a value: over closing brackets and a comma to the next value; with depth 0: behind the outermost one. */
static inline const char *scan_next(JsonScan *scan, const char *p, Nesting *nesting)
{
    while (nesting->depth > 0) {
        bool object = nesting->object[nesting->depth - 1];
        p = json_scan_space(scan, p);
        if (p < scan->end && *p == ',')
            return object ? scan_key(scan, p + 1) : json_scan_space(scan, p + 1);
        if (p == scan->end || *p != (object ? '}' : ']'))
            return json_scan_fail(scan, p, object ? "',' or '}' expected" : "',' or ']' expected");
        nesting->depth--;
        p++;
    }
    return p;
}

const char *json_scan_value(JsonScan *scan, const char *p)
{
    Nesting nesting;
    nesting.depth = 0;
    do {
        bool value_next = false;
        if (p < scan->end && (*p == '{' || *p == '['))
            p = scan_open(scan, p, &nesting, &value_next);
        else
            p = scan_scalar(scan, p);
        if (p && !value_next)
            p = scan_next(scan, p, &nesting);
    } while (p && nesting.depth > 0);
    return p;
}

bool json_valid(const char *data, size_t size, bool *breaks, JsonFault *fault)
{
    const char *text = data ? data : "";
    JsonScan scan = {.end = text + size};
    const char *p = json_scan_space(&scan, text);
    p = json_scan_value(&scan, p);
    if (p) {
        p = json_scan_space(&scan, p);
        if (p < scan.end)
            p = json_scan_fail(&scan, p, "text after the value");
    }
    if (p && breaks)
        *breaks = scan.breaks;
    if (!p && fault)
        *fault = (JsonFault){.offset = (size_t) (scan.fault - text), .reason = scan.reason};
    return p != NULL;
}
