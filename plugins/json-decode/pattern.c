/* Patterns are cut into parts once. Letters:
 * https://spark.apache.org/docs/latest/sql-ref-datetime-pattern.html; what has no part here is refused by name. How a
 * text is read part by part is pattern_read.c's. */
#include "pattern.h"

#include <string.h>
#include "pattern_parts.h"

enum { MAX_OPTIONAL = 8 };

/* The letters, and how many of each may stand in a row. */
static const struct {
    char letter;
    const char *counts; /* a character each */
    char as;            /* the part that reads it */
} letters[] = {{'y', "124", 'y'},   {'u', "124", 'y'},       {'M', "1234", 'M'},  {'L', "1234", 'M'},
               {'d', "12", 'd'},    {'D', "123", 'D'},       {'E', "1234", 'E'},  {'Q', "123", 'Q'},
               {'q', "123", 'Q'},   {'G', "123", 'G'},       {'H', "12", 'H'},    {'k', "12", 'k'},
               {'h', "12", 'h'},    {'K', "12", 'K'},        {'a', "1", 'a'},     {'m', "12", 'm'},
               {'s', "12", 's'},    {'S', "123456789", 'S'}, {'X', "12345", 'X'}, {'x', "12345", 'X'},
               {'Z', "12345", 'X'}, {'O', "14", 'O'},        {'z', "1234", 'O'}};

/* Those that date patterns have as well, and what to write instead. */
static const struct {
    char letter;
    const char *why;
} others[] = {{'Y', "'Y' is the year that a week belongs to; the year is 'y'"},
              {'w', "'w' is a number of weeks, which countries count differently"},
              {'W', "'W' is a number of weeks, which countries count differently"},
              {'e', "'e' is a number of a weekday, which countries count differently; its name is 'E'"},
              {'c', "'c' is a number of a weekday, which countries count differently; its name is 'E'"},
              {'F', "'F' is a week of the month, which says no day"},
              {'V', "'V' is a zone's name, whose offset changes over the years; offsets are 'X', 'Z', 'O' and 'z'"},
              {'v', "'v' is a zone's name, whose offset changes over the years; offsets are 'X', 'Z', 'O' and 'z'"},
              {'A', "'A' is a number of milliseconds of the day; a fraction of the second is 'S'"},
              {'n', "'n' is a number of nanoseconds; a fraction of the second is 'S'"},
              {'N', "'N' is a number of nanoseconds; a fraction of the second is 'S'"},
              {'p', "'p' pads with blanks; 'd', 'M', 'H' take one digit or two"}};

static SfStatus unknown_letter(char letter, SfError *err)
{
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        if (others[i].letter == letter)
            return sf_fail(err, SF_CONFIG, "%s", others[i].why);
    return sf_fail(err, SF_CONFIG,
                   "'%c' is not a pattern letter; known are y M d D E Q G H k h K a m s S X Z O z; quote literal text "
                   "as ''T''",
                   letter);
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

static SfStatus add_letters(Pattern *pattern, const char **p, SfError *err)
{
    char letter = **p;
    Part part = {.count = 0};
    for (; **p == letter; (*p)++)
        part.count++;
    gsize i = 0;
    while (i < G_N_ELEMENTS(letters) && letters[i].letter != letter)
        i++;
    if (i == G_N_ELEMENTS(letters))
        return unknown_letter(letter, err);
    if (part.count > 9 || !strchr(letters[i].counts, '0' + part.count))
        return sf_fail(err, SF_CONFIG, "%d times '%c' in a row in a format", part.count, letter);
    part.letter = letters[i].as;
    g_array_append_val(pattern->parts, part);
    return SF_OK;
}

/* [ and ]: what is between may be missing. `open`: the numbers of the parts that begin those under way. */
static SfStatus add_optional(Pattern *pattern, char bracket, GArray *open, SfError *err)
{
    Part part = {.letter = bracket};
    guint number = pattern->parts->len;
    if (bracket == '[' && open->len == MAX_OPTIONAL)
        return sf_fail(err, SF_CONFIG, "brackets within brackets, more than %d deep, in a format", MAX_OPTIONAL);
    if (bracket == ']' && open->len == 0)
        return sf_fail(err, SF_CONFIG, "'%c' has no other half in the format; quote it where it stands for itself",
                       bracket);
    if (bracket == '[') {
        g_array_append_val(open, number);
    } else {
        guint start = g_array_index(open, guint, open->len - 1);
        g_array_index(pattern->parts, Part, start).end = number;
        g_array_set_size(open, open->len - 1);
    }
    g_array_append_val(pattern->parts, part);
    return SF_OK;
}

static bool has(const Pattern *pattern, char letter)
{
    for (guint i = 0; i < pattern->parts->len; i++)
        if (g_array_index(pattern->parts, Part, i).letter == letter)
            return true;
    return false;
}

static SfStatus check_parts(const Pattern *pattern, SfError *err)
{
    if (has(pattern, 'D') && (has(pattern, 'M') || has(pattern, 'd')))
        return sf_fail(err, SF_CONFIG,
                       "'D' is a day of the year and stands for 'M' and 'd'; the day of the month is 'd'");
    for (const char *letter = has(pattern, 'D') ? "y" : "yMd"; *letter; letter++)
        if (!has(pattern, *letter))
            return sf_fail(err, SF_CONFIG, "a format needs year, month and day: '%c' is missing", *letter);
    bool half = has(pattern, 'h') || has(pattern, 'K'), whole = has(pattern, 'H') || has(pattern, 'k');
    if (half != has(pattern, 'a') || (half && whole))
        return sf_fail(
            err, SF_CONFIG,
            "a format has either 'H' (0 … 23) or 'k' (1 … 24), or 'h' (1 … 12) or 'K' (0 … 11) together with "
            "'a' (AM, PM)");
    return SF_OK;
}

static SfStatus read_pattern(Pattern *pattern, const char *text, GArray *open, SfError *err)
{
    for (const char *p = text; *p;) {
        if (*p == '\'') {
            p = add_quoted(pattern, p + 1);
            if (!p)
                return sf_fail(err, SF_CONFIG, "quote without an end in the format");
        } else if (g_ascii_isalpha(*p)) {
            SF_TRY(add_letters(pattern, &p, err));
        } else if (*p == '[' || *p == ']') {
            SF_TRY(add_optional(pattern, *p++, open, err));
        } else {
            add_literal(pattern, *p++);
        }
    }
    if (open->len > 0)
        return sf_fail(err, SF_CONFIG, "'[' has no other half in the format; quote it where it stands for itself");
    return check_parts(pattern, err);
}

Pattern *pattern_new(const char *text, SfError *err)
{
    g_autoptr(Pattern) pattern = g_new0(Pattern, 1);
    g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(guint));
    pattern->parts = g_array_new(FALSE, FALSE, sizeof(Part));
    return read_pattern(pattern, text, open, err) == SF_OK ? g_steal_pointer(&pattern) : NULL;
}

void pattern_free(Pattern *pattern)
{
    if (pattern)
        g_array_unref(pattern->parts);
    g_free(pattern);
}
