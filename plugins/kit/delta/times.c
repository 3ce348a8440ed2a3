/* Dates and timestamps from texts: as statistics have them, and SQL literals. */
#include "delta.h"
#include "civil.h"

static bool take_digits(const char **at, int n, int64_t *out)
{
    *out = 0;
    for (; n > 0; n--, (*at)++) {
        if (!g_ascii_isdigit(**at))
            return false;
        *out = *out * 10 + (**at - '0');
    }
    return true;
}

static bool take_char(const char **at, char wanted)
{
    return *(*at)++ == wanted;
}

static bool take_date(const char **at, int64_t *days)
{
    int64_t year;
    int64_t month;
    int64_t day;
    if (!take_digits(at, 4, &year) || !take_char(at, '-') || !take_digits(at, 2, &month) || !take_char(at, '-') ||
        !take_digits(at, 2, &day) || month < 1 || month > 12 || day < 1 || day > civil_month_days(year, (int) month))
        return false;
    *days = civil_to_days(year, (int) month, (int) day);
    return true;
}

bool delta_date_parse(const char *text, int64_t *days)
{
    return take_date(&text, days) && !*text;
}

/* "10:30:01", in seconds. */
static bool take_clock(const char **at, int64_t *seconds)
{
    int64_t hour;
    int64_t minute;
    int64_t second;
    if (!take_digits(at, 2, &hour) || !take_char(at, ':') || !take_digits(at, 2, &minute) || !take_char(at, ':') ||
        !take_digits(at, 2, &second) || hour > 23 || minute > 59 || second > 59)
        return false;
    *seconds = (hour * 60 + minute) * 60 + second;
    return true;
}

/* ".5" in microseconds: up to six digits behind the point, or none. */
static int64_t take_fraction(const char **at)
{
    int64_t fraction = 0;
    int digits = 0;
    if (**at == '.')
        for ((*at)++; g_ascii_isdigit(**at) && digits < 6; (*at)++, digits++)
            fraction = fraction * 10 + (**at - '0');
    for (; digits < 6; digits++)
        fraction *= 10;
    return fraction;
}

bool delta_timestamp_parse(const char *text, char between, int64_t *us)
{
    int64_t days;
    int64_t clock;
    if (!take_date(&text, &days) || !take_char(&text, between) || !take_clock(&text, &clock))
        return false;
    int64_t fraction = take_fraction(&text);
    if (*text == 'Z')
        text++;
    else if (between == 'T')
        return false;
    if (*text)
        return false;
    *us = days * CIVIL_DAY_US + clock * 1000000 + fraction;
    return true;
}
