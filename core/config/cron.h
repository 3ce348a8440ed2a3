/* Cron expressions, as crontab(5) and the schedulers after it have them: which minutes they name, and which comes next
 * in a time zone. */
#ifndef CORE_CRON_H
#define CORE_CRON_H

#include <glib.h>
#include <sf/sf.h>

/* Five fields, split by blanks: minute (0-59), hour (0-23), day of month (1-31), month (1-12 or JAN-DEC), day of week
 * (0-7 or SUN-SAT; 0 and 7 are Sunday). Each is a list of `*`, `N` and `N-M`, where FRI-MON goes over the end; behind a
 * slash stands a step, with which a lone N goes on to the field's end. `?` is `*` in the two day fields. `L` is the
 * last day of the month, `L5` and `5L` are its last Friday, `FRI#2` its second. Where both day fields are restricted,
 * one of them is enough; restricted is whatever is not `*` or `?`, a step over all days, too, as croniter and Airflow
 * have it (cron(8) goes by the first character). @hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually
 * are known. Case does not matter. */
typedef struct Cron {
    guint64 minutes; /* bit N: N is named */
    guint32 hours;
    guint32 days; /* of the month: 1–31; bit 0: its last */
    guint16 months;
    guint8 weekdays;        /* every one of them in the month */
    guint8 last_weekdays;   /* the last ones in it */
    guint8 nth_weekdays[6]; /* [N]: the Nth ones, from 1 */
    bool any_day;           /* the day of the month is not restricted */
    bool any_weekday;
    bool every_hour;
} Cron;

/* SF_CONFIG: the text, with what is wrong in which field. `out` is untouched then. Any thread, as for all here. */
SfStatus cron_parse(const char *text, Cron *out, SfError *err);

/* The first moment after `after` that it names, in seconds since 1970; -1: none within 50 years (30 February).
 *
 * The clock of the zone counts. A time that is skipped when clocks go forward is made up for right after the gap; one
 * that comes twice when they go back counts the first time. Expressions that name every hour mean an interval: they go
 * on through both. So has cron(8) it. */
gint64 cron_next(const Cron *cron, GTimeZone *zone, gint64 after);

#endif
