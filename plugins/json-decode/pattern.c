/* Patterns are cut into parts once; a text is read part by part. Letters:
 * https://spark.apache.org/docs/latest/sql-ref-datetime-pattern.html; what has no part here is refused by name. */
#include "pattern.h"

#include <string.h>

typedef struct Part {
    char letter; /* 0: a literal */
    int count;   /* of the letter */
    char literal;
} Part;

struct Pattern {
    GArray *parts; /* of Part */
};

/* Most letters of a kind in a row. */
static int most_letters(char letter, bool clock)
{
    static const struct {
        char letter;
        int most;
        bool clock;
    } letters[] = {{'y', 4, false}, {'u', 4, false}, {'M', 3, false}, {'d', 2, false}, {'H', 2, true}, {'h', 2, true},
                   {'m', 2, true},  {'s', 2, true},  {'S', 9, true},  {'a', 1, true},  {'X', 3, true}, {'Z', 1, true}};
    for (gsize i = 0; i < G_N_ELEMENTS(letters); i++)
        if (letters[i].letter == letter)
            return letters[i].clock && !clock ? 0 : letters[i].most;
    return 0;
}

static void add_literal(Pattern *pattern, char literal)
{
    Part part = {.literal = literal};
    g_array_append_val(pattern->parts, part);
}

/* From behind an opening quote to behind the closing one; '' is a quote, inside and outside. NULL: no end. */
static const char *add_quoted(Pattern *pattern, const char *p)
{
    if (*p == '\'') {
        add_literal(pattern, '\'');
        return p + 1;
    }
    for (; *p; p++) {
        if (*p == '\'' && p[1] != '\'')
            return p + 1;
        if (*p == '\'')
            p++;
        add_literal(pattern, *p);
    }
    return NULL;
}

static SfStatus add_letters(Pattern *pattern, const char **p, bool clock, SfError *err)
{
    Part part = {.letter = **p};
    while (**p == part.letter) {
        part.count++;
        (*p)++;
    }
    int most = most_letters(part.letter, clock);
    if (most == 0)
        return sf_fail(err, SF_CONFIG, "'%c' is no letter of a %s format; known are %s; quote literal text as ''T''",
                       part.letter, clock ? "timestamp" : "date", clock ? "y M d H h a m s S X Z" : "y M d");
    bool year = part.letter == 'y' || part.letter == 'u';
    if (part.count > most || (year && part.count % 2 != 0))
        return sf_fail(err, SF_CONFIG, "%d times '%c' in a row in a format", part.count, part.letter);
    if (part.letter == 'u')
        part.letter = 'y';
    if (part.letter == 'Z') {
        part.letter = 'X';
        part.count = 2;
    }
    g_array_append_val(pattern->parts, part);
    return SF_OK;
}

static int count_part(const Pattern *pattern, char letter)
{
    int n = 0;
    for (guint i = 0; i < pattern->parts->len; i++)
        n += g_array_index(pattern->parts, Part, i).letter == letter;
    return n;
}

static SfStatus check_parts(const Pattern *pattern, SfError *err)
{
    for (const char *letter = "yMdHhmsSaX"; *letter; letter++)
        if (count_part(pattern, *letter) > 1)
            return sf_fail(err, SF_CONFIG, "'%c' stands twice in a format", *letter);
    for (const char *letter = "yMd"; *letter; letter++)
        if (count_part(pattern, *letter) == 0)
            return sf_fail(err, SF_CONFIG, "a format needs year, month and day: '%c' is missing", *letter);
    if (count_part(pattern, 'h') != count_part(pattern, 'a') || count_part(pattern, 'h') + count_part(pattern, 'H') > 1)
        return sf_fail(err, SF_CONFIG, "a format has either 'H' (0 … 23), or 'h' (1 … 12) together with 'a' (AM, PM)");
    return SF_OK;
}

Pattern *pattern_new(const char *text, bool clock, SfError *err)
{
    g_autoptr(Pattern) pattern = g_new0(Pattern, 1);
    pattern->parts = g_array_new(FALSE, FALSE, sizeof(Part));
    for (const char *p = text; *p;) {
        if (*p == '\'') {
            p = add_quoted(pattern, p + 1);
            if (!p) {
                sf_fail(err, SF_CONFIG, "quote without an end in the format");
                return NULL;
            }
        } else if (g_ascii_isalpha(*p)) {
            if (add_letters(pattern, &p, clock, err) != SF_OK)
                return NULL;
        } else {
            add_literal(pattern, *p++);
        }
    }
    return check_parts(pattern, err) == SF_OK ? g_steal_pointer(&pattern) : NULL;
}

void pattern_free(Pattern *pattern)
{
    if (pattern)
        g_array_unref(pattern->parts);
    g_free(pattern);
}

/* A letter once: one or two digits; more: exactly so many. */
static bool scan_number(const char **p, const char *end, int count, int *out)
{
    int n = count;
    if (count == 1 && end - *p >= 2 && g_ascii_isdigit((*p)[1]))
        n = 2;
    if (end - *p < n)
        return false;
    *out = time_digits(*p, n);
    *p += n;
    return *out >= 0;
}

static bool scan_month_name(const char **p, const char *end, int *out)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int month = 1; end - *p >= 3 && month <= 12; month++) {
        if (g_ascii_strncasecmp(*p, names + 3 * (month - 1), 3) == 0) {
            *p += 3;
            *out = month;
            return true;
        }
    }
    return false;
}

/* Digits up to the ninth are read, the microseconds are kept. */
static bool scan_fraction(const char **p, const char *end, int count, int *us)
{
    static const int tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    if (end - *p < count)
        return false;
    *us = time_digits(*p, MIN(count, 6));
    if (*us < 0 || time_digits(*p + MIN(count, 6), count - MIN(count, 6)) < 0)
        return false;
    *us *= tens[6 - MIN(count, 6)];
    *p += count;
    return true;
}

static bool scan_half(const char **p, const char *end, int *half)
{
    if (end - *p < 2 || ((*p)[1] | 0x20) != 'm' || (((*p)[0] | 0x20) != 'a' && ((*p)[0] | 0x20) != 'p'))
        return false;
    *half = ((*p)[0] | 0x20) == 'p' ? 12 : 0;
    *p += 2;
    return true;
}

static bool scan_zone(const char **p, const char *end, int *minutes)
{
    if (*p < end && **p == 'Z') {
        (*p)++;
        return true;
    }
    return time_scan_offset(p, end, minutes);
}

static bool scan_part(const Part *part, const char **p, const char *end, TimeParts *out, int *half)
{
    bool ok = false;
    switch (part->letter) {
    case 'y':
        ok = scan_number(p, end, part->count, &out->year);
        out->year += part->count == 2 ? 2000 : 0;
        return ok;
    case 'M':
        return part->count == 3 ? scan_month_name(p, end, &out->month) : scan_number(p, end, part->count, &out->month);
    case 'd':
        return scan_number(p, end, part->count, &out->day);
    case 'H':
        return scan_number(p, end, part->count, &out->hour);
    case 'h':
        ok = scan_number(p, end, part->count, &out->hour) && out->hour >= 1 && out->hour <= 12;
        out->hour %= 12;
        return ok;
    case 'm':
        return scan_number(p, end, part->count, &out->minute);
    case 's':
        return scan_number(p, end, part->count, &out->second);
    case 'S':
        return scan_fraction(p, end, part->count, &out->us);
    case 'a':
        return scan_half(p, end, half);
    case 'X':
        return scan_zone(p, end, &out->offset_minutes);
    default:
        return *p < end && *(*p)++ == part->literal;
    }
}

TimeFit pattern_parse(const Pattern *pattern, const char *text, size_t size, TimeParts *out)
{
    TimeParts parts = {0};
    int half = 0;
    const char *p = text, *end = text + size;
    for (guint i = 0; i < pattern->parts->len; i++)
        if (!scan_part(&g_array_index(pattern->parts, Part, i), &p, end, &parts, &half))
            return TIME_WRONG;
    if (p < end)
        return TIME_WRONG;
    parts.hour += half;
    *out = parts;
    return TIME_FITS;
}
