/* ISO 8601 dates and timestamps → days and microseconds since 1970-01-01 UTC. */
#include "datetime.h"

#include "civil.h"

TimeFit time_check_us(int64_t us)
{
    const int64_t first = INT64_C(-719162) * CIVIL_DAY_US; /* 0001-01-01 */
    const int64_t end = INT64_C(2932897) * CIVIL_DAY_US;   /* 10000-01-01 */
    return us >= first && us < end ? TIME_FITS : TIME_OUTSIDE;
}

TimeFit time_to_days(const TimeParts *parts, int32_t *out)
{
    if (parts->month < 1 || parts->month > 12 || parts->day < 1 ||
        parts->day > civil_month_days(parts->year, parts->month))
        return TIME_WRONG;
    if (parts->year < 1 || parts->year > 9999)
        return TIME_OUTSIDE;
    *out = (int32_t) civil_to_days(parts->year, parts->month, parts->day);
    return TIME_FITS;
}

static bool rounds_up(Round round, int rest, int64_t us)
{
    return (round == ROUND_HALF_UP && rest >= 2) ||
           (round == ROUND_HALF_EVEN && (rest == 3 || (rest == 2 && (us & 1))));
}

TimeFit time_to_us(const TimeParts *parts, Round round, int64_t *out)
{
    int32_t days = 0;
    TimeFit fit = time_to_days(parts, &days);
    if (fit != TIME_FITS)
        return fit;
    if (parts->hour > 23 || parts->minute > 59 || parts->second > 59)
        return TIME_WRONG;
    int64_t seconds = (parts->hour * 60 + parts->minute - parts->offset_minutes) * INT64_C(60) + parts->second;
    int64_t us = days * CIVIL_DAY_US + seconds * 1000000 + parts->us;
    *out = us + rounds_up(round, parts->rest, us);
    fit = time_check_us(*out);
    return fit == TIME_FITS && parts->rest && round == ROUND_NOT ? TIME_TOO_FINE : fit;
}

static bool scan_date(const char *text, size_t size, TimeParts *parts)
{
    if (size < 10 || text[4] != '-' || text[7] != '-')
        return false;
    parts->year = time_digits(text, 4);
    parts->month = time_digits(text + 5, 2);
    parts->day = time_digits(text + 8, 2);
    return parts->year >= 0 && parts->month >= 0 && parts->day >= 0;
}

TimeFit time_parse_date(const char *text, size_t size, int32_t *out)
{
    TimeParts parts;
    if (size != 10 || !scan_date(text, size, &parts))
        return TIME_WRONG;
    return time_to_days(&parts, out);
}

bool time_scan_offset(const char **p, const char *end, int *minutes)
{
    const char *at = *p;
    if (at == end || (*at != '+' && *at != '-') || end - at < 3)
        return false;
    int sign = *at == '-' ? -1 : 1;
    int hours = time_digits(at + 1, 2), rest = 0;
    at += 3;
    int colon = at < end && *at == ':';
    if (end - at >= 2 + colon && time_digits(at + colon, 2) >= 0) {
        rest = time_digits(at + colon, 2);
        at += 2 + colon;
    }
    if (hours < 0 || hours > 23 || rest > 59)
        return false;
    *minutes = sign * (hours * 60 + rest);
    *p = at;
    return true;
}

int time_scan_fraction(const char **p, const char *end, TimeParts *out)
{
    int digits = 0;
    for (; *p < end && json_is_digit(**p); (*p)++, digits++) {
        int digit = **p - '0';
        if (digits < 6)
            out->us = out->us * 10 + digit;
        else if (digits == 6)
            out->rest = digit == 0 ? 0 : digit < 5 ? 1 : digit == 5 ? 2 : 3;
        else if (digit != 0 && (out->rest == 0 || out->rest == 2))
            out->rest++;
    }
    for (int i = digits; i < 6; i++)
        out->us *= 10;
    return digits;
}

static bool scan_clock(const char **p, const char *end, TimeParts *parts)
{
    if (end - *p < 6 || (**p != 'T' && **p != 't' && **p != ' ') || (*p)[3] != ':')
        return false;
    parts->hour = time_digits(*p + 1, 2);
    parts->minute = time_digits(*p + 4, 2);
    *p += 6;
    if (end - *p >= 3 && **p == ':') {
        parts->second = time_digits(*p + 1, 2);
        *p += 3;
        if (*p < end && **p == '.') {
            (*p)++;
            if (time_scan_fraction(p, end, parts) == 0)
                return false;
        }
    }
    return parts->hour >= 0 && parts->minute >= 0 && parts->second >= 0;
}

TimeFit time_parse_iso(const char *text, size_t size, TimeParts *out)
{
    *out = (TimeParts){0};
    if (!scan_date(text, size, out))
        return TIME_WRONG;
    const char *p = text + 10, *end = text + size;
    if (p < end && !scan_clock(&p, end, out))
        return TIME_WRONG;
    if (p < end) {
        if (*p == 'Z' || *p == 'z')
            p++;
        else if (!time_scan_offset(&p, end, &out->offset_minutes))
            return TIME_WRONG;
    }
    return p < end ? TIME_WRONG : TIME_FITS;
}
