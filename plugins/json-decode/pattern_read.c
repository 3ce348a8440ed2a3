/* A text by its pattern. What a text says twice has to be the same both times. */
#include "pattern.h"
#include "pattern_parts.h"

#include <string.h>
#include "civil.h"

enum { UNSET = -1 };

/* Where we are, and what the text has said so far. */
typedef struct Reading {
    const char *p;
    const char *end;
    int year, month, day, day_of_year, quarter;
    int weekday;                    /* 0: Monday */
    int hour, half, minute, second; /* half: 0, or 12 after noon */
    bool before_christ;
    bool fraction; /* time has it */
    TimeParts time;
} Reading;

static bool set(int *slot, int value)
{
    if (*slot != UNSET && *slot != value)
        return false;
    *slot = value;
    return true;
}

/* A letter once: up to `most` digits; more: exactly so many. */
static bool scan_number(Reading *r, int count, int most, int *out)
{
    int n = count;
    if (count == 1)
        while (n < most && r->end - r->p > n && g_ascii_isdigit(r->p[n]))
            n++;
    if (r->end - r->p < n)
        return false;
    *out = time_digits(r->p, n);
    r->p += n;
    return *out >= 0;
}

static bool scan_range(Reading *r, int count, int least, int most, int *slot)
{
    int value = 0;
    return scan_number(r, count, most > 99 ? 3 : 2, &value) && value >= least && value <= most && set(slot, value);
}

/* One of n names, whole or their first three letters. */
static bool scan_name(Reading *r, const char *const *names, int n, bool whole, int *out)
{
    for (int i = 0; i < n; i++) {
        size_t size = whole ? strlen(names[i]) : 3;
        if ((size_t) (r->end - r->p) >= size && g_ascii_strncasecmp(r->p, names[i], size) == 0) {
            r->p += size;
            *out = i;
            return true;
        }
    }
    return false;
}

static bool scan_year(Reading *r, int count)
{
    int year = 0;
    return scan_number(r, count, 4, &year) && set(&r->year, year + (count == 2 ? 2000 : 0));
}

static bool scan_month(Reading *r, int count)
{
    static const char *const names[] = {"January", "February", "March",     "April",   "May",      "June",
                                        "July",    "August",   "September", "October", "November", "December"};
    int month = 0;
    if (count < 3)
        return scan_range(r, count, 1, 12, &r->month);
    return scan_name(r, names, G_N_ELEMENTS(names), count == 4, &month) && set(&r->month, month + 1);
}

static bool scan_weekday(Reading *r, int count)
{
    static const char *const names[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
    int day = 0;
    return scan_name(r, names, G_N_ELEMENTS(names), count == 4, &day) && set(&r->weekday, day);
}

/* 1, 01 or Q1 */
static bool scan_quarter(Reading *r, int count)
{
    if (count == 3) {
        if (r->p == r->end || (*r->p | 0x20) != 'q')
            return false;
        r->p++;
    }
    int quarter = 0;
    return scan_number(r, count == 2 ? 2 : 1, 1, &quarter) && quarter >= 1 && quarter <= 4 && set(&r->quarter, quarter);
}

static bool scan_two(Reading *r, const char *first, const char *second, bool *is_second)
{
    size_t size = strlen(first);
    if ((size_t) (r->end - r->p) < size)
        return false;
    *is_second = g_ascii_strncasecmp(r->p, second, size) == 0;
    if (!*is_second && g_ascii_strncasecmp(r->p, first, size) != 0)
        return false;
    r->p += size;
    return true;
}

static bool scan_half(Reading *r)
{
    bool afternoon = false;
    return scan_two(r, "am", "pm", &afternoon) && set(&r->half, afternoon ? 12 : 0);
}

/* 1 … 12 and 1 … 24 begin with their last hour. */
static bool scan_hour(Reading *r, char letter, int count)
{
    int hour = UNSET, most = letter == 'H' ? 23 : letter == 'k' ? 24 : letter == 'h' ? 12 : 11;
    bool from_one = letter == 'k' || letter == 'h';
    return scan_range(r, count, from_one, most, &hour) && set(&r->hour, from_one && hour == most ? 0 : hour);
}

static bool scan_fraction(Reading *r, int count)
{
    TimeParts time = {0};
    if (r->end - r->p < count)
        return false;
    if (time_scan_fraction(&r->p, r->p + count, &time) != count)
        return false;
    if (r->fraction && (time.us != r->time.us || time.rest != r->time.rest))
        return false;
    r->fraction = true;
    r->time.us = time.us;
    r->time.rest = time.rest;
    return true;
}

static bool scan_offset(Reading *r)
{
    if (r->p < r->end && *r->p == 'Z') {
        r->p++;
        return true;
    }
    return time_scan_offset(&r->p, r->end, &r->time.offset_minutes);
}

/* GMT+8, UTC+08:00. */
static bool scan_offset_of_utc(Reading *r)
{
    if (r->p == r->end || (*r->p != '+' && *r->p != '-'))
        return true;
    if (r->end - r->p >= 2 && (r->end - r->p == 2 || !g_ascii_isdigit(r->p[2]))) {
        int hours = time_digits(r->p + 1, 1);
        r->time.offset_minutes = *r->p == '-' ? -60 * hours : 60 * hours;
        r->p += 2;
        return hours >= 0;
    }
    return time_scan_offset(&r->p, r->end, &r->time.offset_minutes);
}

/* The zones that RFC 5322 section 4.3 gives an offset, and UTC by its names. */
static bool scan_zone(Reading *r)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = {{"GMT", 0},  {"UTC", 0},  {"UT", 0},   {"EST", -5}, {"EDT", -4}, {"CST", -6},
                 {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};
    for (gsize i = 0; i < G_N_ELEMENTS(zones); i++) {
        size_t size = strlen(zones[i].name);
        if ((size_t) (r->end - r->p) < size || g_ascii_strncasecmp(r->p, zones[i].name, size) != 0)
            continue;
        r->p += size;
        r->time.offset_minutes = 60 * zones[i].hours;
        return zones[i].hours != 0 || scan_offset_of_utc(r);
    }
    return scan_offset(r);
}

static bool scan_day_part(Reading *r, const Part *part)
{
    switch (part->letter) {
    case 'y':
        return scan_year(r, part->count);
    case 'M':
        return scan_month(r, part->count);
    case 'd':
        return scan_range(r, part->count, 1, 31, &r->day);
    case 'D':
        return scan_range(r, part->count, 1, 366, &r->day_of_year);
    case 'E':
        return scan_weekday(r, part->count);
    case 'Q':
        return scan_quarter(r, part->count);
    default:
        return scan_two(r, "ad", "bc", &r->before_christ);
    }
}

static bool scan_part(Reading *r, const Part *part)
{
    switch (part->letter) {
    case '\0':
        return r->p < r->end && *r->p++ == part->literal;
    case 'H':
    case 'k':
    case 'h':
    case 'K':
        return scan_hour(r, part->letter, part->count);
    case 'a':
        return scan_half(r);
    case 'm':
        return scan_range(r, part->count, 0, 59, &r->minute);
    case 's':
        return scan_range(r, part->count, 0, 59, &r->second);
    case 'S':
        return scan_fraction(r, part->count);
    case 'X':
        return scan_offset(r);
    case 'O':
        return scan_zone(r);
    case ']':
        return true;
    default:
        return scan_day_part(r, part);
    }
}

/* As many levels deep as a pattern has brackets in each other. */
static bool scan_parts(Reading *r, const Pattern *pattern, guint from, guint to)
{
    for (guint i = from; i < to; i++) {
        const Part *part = &g_array_index(pattern->parts, Part, i);
        if (part->letter != '[') {
            if (!scan_part(r, part))
                return false;
            continue;
        }
        Reading before = *r;
        if (!scan_parts(r, pattern, i + 1, part->end))
            *r = before;
        i = part->end;
    }
    return true;
}

static bool set_day_of_year(Reading *r)
{
    int day = r->day_of_year;
    if (day == UNSET)
        return true;
    for (r->month = 1; r->month <= 12 && day > civil_month_days(r->year, r->month); r->month++)
        day -= civil_month_days(r->year, r->month);
    r->day = day;
    return r->month <= 12;
}

/* Weekday and quarter have to be those of the day; whether there is such a day shows later. */
static bool agrees(const Reading *r)
{
    if (r->quarter != UNSET && r->quarter != (r->month + 2) / 3)
        return false;
    if (r->weekday == UNSET)
        return true;
    int64_t days = civil_to_days(r->year, r->month, r->day); /* 1970-01-01 was a Thursday */
    return ((days + 3) % 7 + 7) % 7 == r->weekday;
}

TimeFit pattern_parse(const Pattern *pattern, const char *text, size_t size, TimeParts *out)
{
    Reading r = {.p = text,
                 .end = text + size,
                 .year = UNSET,
                 .month = UNSET,
                 .day = UNSET,
                 .day_of_year = UNSET,
                 .quarter = UNSET,
                 .weekday = UNSET,
                 .hour = UNSET,
                 .half = UNSET,
                 .minute = UNSET,
                 .second = UNSET};
    if (!scan_parts(&r, pattern, 0, pattern->parts->len) || r.p < r.end || r.year == UNSET || !set_day_of_year(&r) ||
        r.month == UNSET || r.day == UNSET || !agrees(&r))
        return TIME_WRONG;
    if (r.before_christ)
        return TIME_OUTSIDE;
    r.time.year = r.year;
    r.time.month = r.month;
    r.time.day = r.day;
    r.time.hour = MAX(r.hour, 0) + MAX(r.half, 0);
    r.time.minute = MAX(r.minute, 0);
    r.time.second = MAX(r.second, 0);
    *out = r.time;
    return TIME_FITS;
}
