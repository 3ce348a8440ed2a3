/* Dates and timestamps from text: ISO 8601 as RFC 3339 profiles it, years 0001 … 9999, which all our sinks can hold. */
#ifndef JSON_DECODE_DATETIME_H
#define JSON_DECODE_DATETIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "json/number.h"

/* What numbers count since 1970-01-01. */
typedef enum TimeUnit { UNIT_NONE, UNIT_DAYS, UNIT_S, UNIT_MS, UNIT_US, UNIT_NS } TimeUnit;

typedef enum TimeFit {
    TIME_FITS,
    TIME_WRONG,    /* not of the form, or no such day or time */
    TIME_OUTSIDE,  /* before year 1 or after year 9999 (UTC) */
    TIME_TOO_FINE, /* finer than a microsecond */
} TimeFit;

/* What a text said, before it is known whether there is such a day. */
typedef struct TimeParts {
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int us;
    int rest;           /* behind the µs: 0, or 1 less than half of one, 2 a half, 3 more */
    int offset_minutes; /* east of UTC */
} TimeParts;

TimeFit time_to_days(const TimeParts *parts, int32_t *out);
TimeFit time_to_us(const TimeParts *parts, Round round, int64_t *out);
TimeFit time_check_us(int64_t us);

/* "2024-01-15". */
TimeFit time_parse_date(const char *text, size_t size, int32_t *out);

/* "2024-01-15T10:30:01.123456+01:00": T, t or a blank between; seconds and fraction may be left out; offset Z, z,
 * ±hh:mm, ±hhmm, ±hh, none is UTC; a date alone is its midnight. */
TimeFit time_parse_iso(const char *text, size_t size, TimeParts *out);

/* Digits behind a point: their number; *p is moved behind them. */
int time_scan_fraction(const char **p, const char *end, TimeParts *out);

/* The offset ±hh:mm, ±hhmm or ±hh at *p, which is moved behind it. */
bool time_scan_offset(const char **p, const char *end, int *minutes);

/* `n` digits at p, or -1. */
static inline int time_digits(const char *p, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        unsigned digit = (unsigned char) p[i] - (unsigned) '0';
        if (digit > 9)
            return -1;
        value = value * 10 + (int) digit;
    }
    return value;
}

#endif
