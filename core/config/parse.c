/* Numbers, sizes and durations as people write them in pipelines and on the command line. */
#include "parse.h"

#include <math.h>
#include <string.h>

/* Digits with single underscores between them; returns what is behind, NULL when there are none or too many. */
static const char *read_digits(const char *text, gint64 *out)
{
    gint64 value = 0;
    if (!g_ascii_isdigit(*text))
        return NULL;
    for (;; text++) {
        if (*text == '_' && g_ascii_isdigit(text[1]))
            continue;
        if (!g_ascii_isdigit(*text))
            break;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *text - '0', &value))
            return NULL;
    }
    *out = value;
    return text;
}

bool parse_int(const char *text, gint64 *out)
{
    bool negative = *text == '-';
    gint64 value = 0;
    const char *end = read_digits(text + (negative || *text == '+'), &value);
    if (!end || *end)
        return false;
    *out = negative ? -value : value;
    return true;
}

bool parse_float(const char *text, double *out)
{
    const char *first = *text == '-' || *text == '+' ? text + 1 : text;
    bool decimal = g_ascii_isdigit(*first) || (*first == '.' && g_ascii_isdigit(first[1]));
    if (!decimal || strpbrk(text, "xX"))
        return false;
    char *end = NULL;
    double value = g_ascii_strtod(text, &end);
    if (*end || !isfinite(value))
        return false;
    *out = value;
    return true;
}

bool parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = {"true", "True", "TRUE", NULL};
    static const char *const no[] = {"false", "False", "FALSE", NULL};
    if (!g_strv_contains(yes, text) && !g_strv_contains(no, text))
        return false;
    *out = g_strv_contains(yes, text);
    return true;
}

typedef struct Unit {
    const char *name;
    gint64 factor;
} Unit;

bool parse_size(const char *text, gint64 *out)
{
    static const Unit units[] = {
        {"", 1},
        {"B", 1},
        {"KiB", G_GINT64_CONSTANT(1) << 10},
        {"MiB", G_GINT64_CONSTANT(1) << 20},
        {"GiB", G_GINT64_CONSTANT(1) << 30},
        {"TiB", G_GINT64_CONSTANT(1) << 40},
        {"KB", 1000},
        {"MB", 1000000},
        {"GB", 1000000000},
        {"TB", G_GINT64_CONSTANT(1000000000000)},
    };
    gint64 value = 0;
    const char *unit = read_digits(text, &value);
    if (!unit)
        return false;
    unit += *unit == ' ' && unit[1];
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        if (g_ascii_strcasecmp(unit, units[i].name) == 0)
            return !__builtin_mul_overflow(value, units[i].factor, out);
    return false;
}

/* "5s" at `text`: ms, and what is behind; NULL when there is none. */
static const char *read_duration_part(const char *text, gint64 *out_ms)
{
    static const Unit units[] = {
        {"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}, {"d", 24 * 60 * 60 * 1000},
    };
    gint64 value = 0;
    const char *unit = read_digits(text, &value);
    if (!unit)
        return NULL;
    size_t length = strspn(unit, "abcdefghijklmnopqrstuvwxyz");
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        if (strlen(units[i].name) == length && strncmp(unit, units[i].name, length) == 0)
            return __builtin_mul_overflow(value, units[i].factor, out_ms) ? NULL : unit + length;
    return NULL;
}

bool parse_duration(const char *text, gint64 *out_ms)
{
    gint64 sum = 0;
    if (g_str_equal(text, "0")) {
        *out_ms = 0;
        return true;
    }
    do {
        gint64 part = 0;
        text = read_duration_part(text, &part);
        if (!text || __builtin_add_overflow(sum, part, &sum))
            return false;
    } while (*text);
    *out_ms = sum;
    return true;
}
