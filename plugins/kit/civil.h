/* Days since 1970-01-01 ↔ year, month, day in the proleptic Gregorian calendar, which Arrow, Delta and Spark count
 * in. */
#ifndef KIT_CIVIL_H
#define KIT_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#define CIVIL_DAY_US INT64_C(86400000000)

typedef struct Civil {
    int64_t year; /* astronomical: 0 is 1 BC */
    int month;    /* 1 … 12 */
    int day;
} Civil;

/* The calendar repeats every 400 years of 146,097 days; years are counted from March, so that a leap day comes last. */
static inline int64_t civil_to_days(int64_t year, int month, int day)
{
    int64_t from_march = year - (month <= 2);
    int64_t era = (from_march >= 0 ? from_march : from_march - 399) / 400;
    int64_t year_of_era = from_march - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static inline Civil civil_from_days(int64_t days)
{
    int64_t from_march = days + 719468;
    int64_t era = (from_march >= 0 ? from_march : from_march - 146096) / 146097;
    int64_t day_of_era = from_march - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month = (int) ((5 * day_of_year + 2) / 153);
    Civil civil = {.day = (int) (day_of_year - (153 * month + 2) / 5 + 1), .month = month < 10 ? month + 3 : month - 9};
    civil.year = year_of_era + era * 400 + (civil.month <= 2);
    return civil;
}

static inline bool civil_is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline int civil_month_days(int64_t year, int month)
{
    return month == 2 ? 28 + civil_is_leap(year) : 30 + (((month & 1) != 0) ^ (month > 7));
}

#endif
