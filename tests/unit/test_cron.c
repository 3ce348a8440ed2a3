/* Cron expressions: what they name, when that comes in a time zone, and what is refused. tests/e2e/test_cron.py has the
 * judge. */
#include <glib.h>

#include "config/cron.h"

static gint64 seconds_of(const char *text)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, utc);
    g_assert_nonnull(time);
    return g_date_time_to_unix(time);
}

static char *text_of(gint64 seconds)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
    return g_date_time_format(time, "%Y-%m-%dT%H:%M");
}

/* The next moments in UTC, joined by blanks: as many as are expected. */
static void assert_next(const char *text, const char *zone, const char *after, const char *expected)
{
    SfError err;
    Cron cron;
    g_autoptr(GTimeZone) tz = g_time_zone_new_identifier(zone);
    g_autoptr(GString) found = g_string_new(NULL);
    g_auto(GStrv) wanted = g_strsplit(expected, " ", -1);
    g_assert_nonnull(tz);
    g_assert_cmpint(cron_parse(text, &cron, &err), ==, SF_OK);
    gint64 at = seconds_of(after);
    for (guint i = 0; i < g_strv_length(wanted); i++) {
        at = cron_next(&cron, tz, at);
        g_autofree char *one = at < 0 ? g_strdup("never") : text_of(at);
        g_string_append_printf(found, "%s%s", i > 0 ? " " : "", one);
    }
    g_assert_cmpstr(found->str, ==, expected);
}

static void assert_refused(const char *text, const char *message)
{
    SfError err;
    Cron cron;
    g_assert_cmpint(cron_parse(text, &cron, &err), ==, SF_CONFIG);
    g_assert_cmpstr(err.message, ==, message);
}

static void test_fields(void)
{
    assert_next("*/5 * * * *", "UTC", "2024-01-15T10:02:00Z", "2024-01-15T10:05 2024-01-15T10:10");
    assert_next("*/5 * * * *", "UTC", "2024-01-15T10:05:00Z", "2024-01-15T10:10");
    assert_next("*/5 * * * *", "UTC", "2024-01-15T10:04:59Z", "2024-01-15T10:05");
    assert_next("50/5 23 * * *", "UTC", "2024-01-15T23:51:00Z", "2024-01-15T23:55 2024-01-16T23:50");
    assert_next(" 0\t9-17/4  * * MON-FRI ", "UTC", "2024-01-12T12:00:00Z",
                "2024-01-12T13:00 2024-01-12T17:00 2024-01-15T09:00");
    assert_next("0 0 1 jan,JUL ?", "UTC", "2024-01-15T00:00:00Z", "2024-07-01T00:00 2025-01-01T00:00");
    assert_next("59 23 31 12 *", "UTC", "2024-12-31T23:59:00Z", "2025-12-31T23:59");
    assert_next("0 0 * * 7", "UTC", "2024-01-15T00:00:00Z", "2024-01-21T00:00");
    assert_next("0 0 * * 0", "UTC", "2024-01-15T00:00:00Z", "2024-01-21T00:00");
    assert_next("0 22-2/2 * * *", "UTC", "2024-01-15T21:00:00Z",
                "2024-01-15T22:00 2024-01-16T00:00 2024-01-16T02:00 2024-01-16T22:00");
    assert_next("0 0 * * FRI-MON", "UTC", "2024-01-15T00:00:00Z",
                "2024-01-19T00:00 2024-01-20T00:00 2024-01-21T00:00 2024-01-22T00:00");
    assert_next("0 0 * * 5-7", "UTC", "2024-01-15T00:00:00Z",
                "2024-01-19T00:00 2024-01-20T00:00 2024-01-21T00:00 2024-01-26T00:00");
    assert_next("0 0 1 nov-feb/2 *", "UTC", "2024-01-15T00:00:00Z",
                "2024-11-01T00:00 2025-01-01T00:00 2025-11-01T00:00");
}

static void test_days(void)
{
    assert_next("0 0 L * *", "UTC", "2024-01-15T00:00:00Z", "2024-01-31T00:00 2024-02-29T00:00 2024-03-31T00:00");
    assert_next("0 0 15,L 2 *", "UTC", "2023-01-15T00:00:00Z",
                "2023-02-15T00:00 2023-02-28T00:00 2024-02-15T00:00 2024-02-29T00:00");
    assert_next("0 0 30-L * *", "UTC", "2024-01-15T00:00:00Z", "2024-01-30T00:00 2024-01-31T00:00 2024-03-30T00:00");
    assert_next("0 0 * * 5L", "UTC", "2024-01-15T00:00:00Z", "2024-01-26T00:00 2024-02-23T00:00");
    assert_next("0 0 * * L5", "UTC", "2024-01-15T00:00:00Z", "2024-01-26T00:00 2024-02-23T00:00");
    assert_next("0 0 * * friL,lmon", "UTC", "2024-01-15T00:00:00Z", "2024-01-26T00:00 2024-01-29T00:00");
    assert_next("0 0 * * FRI#2", "UTC", "2024-01-15T00:00:00Z", "2024-02-09T00:00 2024-03-08T00:00");
    assert_next("0 0 * * 4#5", "UTC", "2024-01-15T00:00:00Z", "2024-02-29T00:00 2024-05-30T00:00");
    assert_next("0 0 * * 1#1,wed", "UTC", "2024-01-31T00:00:00Z", "2024-02-05T00:00 2024-02-07T00:00");
    assert_next("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", "2104-02-29T00:00"); /* 2100 is not a leap year */
    assert_next("0 0 30 2 *", "UTC", "2024-01-15T00:00:00Z", "never");
}

/* crontab(5): both restricted, one of them is enough; else both hold. */
static void test_either_day_is_enough(void)
{
    assert_next("0 0 13 * FRI", "UTC", "2024-09-01T00:00:00Z", "2024-09-06T00:00 2024-09-13T00:00 2024-09-20T00:00");
    assert_next("0 0 10 * FRI", "UTC", "2024-09-01T00:00:00Z", "2024-09-06T00:00 2024-09-10T00:00 2024-09-13T00:00");
    assert_next("0 0 10 * *", "UTC", "2024-09-01T00:00:00Z", "2024-09-10T00:00 2024-10-10T00:00");
    assert_next("0 0 ? * FRI", "UTC", "2024-09-01T00:00:00Z", "2024-09-06T00:00 2024-09-13T00:00");
    assert_next("0 0 L * MON#1", "UTC", "2024-09-01T00:00:00Z", "2024-09-02T00:00 2024-09-30T00:00 2024-10-07T00:00");
}

static void test_names(void)
{
    static const struct {
        const char *name, *next;
    } names[] = {{"@hourly", "2024-01-15T11:00"},  {"@daily", "2024-01-16T00:00"},   {"@midnight", "2024-01-16T00:00"},
                 {"@weekly", "2024-01-21T00:00"},  {"@Monthly", "2024-02-01T00:00"}, {"@yearly", "2025-01-01T00:00"},
                 {"@annually", "2025-01-01T00:00"}};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        assert_next(names[i].name, "UTC", "2024-01-15T10:02:00Z", names[i].next);
}

/* Europe/Berlin: 2024-03-31 02:00 → 03:00, 2024-10-27 03:00 → 02:00. */
static void test_clocks_that_are_set(void)
{
    assert_next("0 9 * * *", "Europe/Berlin", "2024-03-29T12:00:00Z", "2024-03-30T08:00 2024-03-31T07:00");
    assert_next("30 2 * * *", "Europe/Berlin", "2024-03-30T00:00:00Z",
                "2024-03-30T01:30 2024-03-31T01:00 2024-04-01T00:30");
    assert_next("*/20 2 * * *", "Europe/Berlin", "2024-03-30T02:00:00Z", "2024-03-31T01:00 2024-04-01T00:00");
    assert_next("30 2,3 * * *", "Europe/Berlin", "2024-03-30T03:00:00Z", "2024-03-31T01:00 2024-03-31T01:30");
    assert_next("0 * * * *", "Europe/Berlin", "2024-03-31T00:00:00Z", "2024-03-31T01:00 2024-03-31T02:00");
    assert_next("30 2 * * *", "Europe/Berlin", "2024-10-26T12:00:00Z", "2024-10-27T00:30 2024-10-28T01:30");
    assert_next("30 * * * *", "Europe/Berlin", "2024-10-26T23:30:00Z",
                "2024-10-27T00:30 2024-10-27T01:30 2024-10-27T02:30");
    assert_next("0 3 * * *", "Europe/Berlin", "2024-10-26T12:00:00Z", "2024-10-27T02:00");
}

/* By half an hour, at midnight, and a day that a country left out (Samoa, 2011-12-30). */
static void test_odd_clocks(void)
{
    assert_next("15 2 * * *", "Australia/Lord_Howe", "2024-10-04T16:00:00Z", "2024-10-05T15:30 2024-10-06T15:15");
    assert_next("45 1 * * *", "Australia/Lord_Howe", "2024-04-05T18:00:00Z", "2024-04-06T14:45 2024-04-07T15:15");
    assert_next("0 0 * * *", "America/Havana", "2024-03-09T06:00:00Z", "2024-03-10T05:00 2024-03-11T04:00");
    assert_next("30 0 * * *", "America/Havana", "2024-11-02T12:00:00Z", "2024-11-03T04:30 2024-11-04T05:30");
    assert_next("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z",
                "2011-12-29T22:00 2011-12-30T10:00 2011-12-30T22:00");
    assert_next("0 12 * * *", "Asia/Kolkata", "2024-01-15T00:00:00Z", "2024-01-15T06:30");
}

static void test_what_is_refused(void)
{
    assert_refused(
        "* * * *",
        "'* * * *' has 4 fields; a cron expression has five: minute, hour, day of month, month, day of week");
    assert_refused("", "'' has 0 fields; a cron expression has five: minute, hour, day of month, month, day of week");
    assert_refused("0 * * * * *", "'0 * * * * *' has 6 fields; a cron expression has five: minute, hour, day of month, "
                                  "month, day of week (for seconds there is 'every: 10s')");
    assert_refused("@reboot", "'@reboot' is not known; @hourly, @daily, @weekly, @monthly and @yearly are");
    assert_refused("60 * * * *", "'60 * * * *': minute: '60' is not from 0 to 59");
    assert_refused("* 24 * * *", "'* 24 * * *': hour: '24' is not from 0 to 23");
    assert_refused("* * 0 * *", "'* * 0 * *': day of month: '0' is not from 1 to 31");
    assert_refused("* * 32 * *", "'* * 32 * *': day of month: '32' is not from 1 to 31");
    assert_refused("* * * 13 *", "'* * * 13 *': month: '13' is not from 1 to 12 or JAN to DEC");
    assert_refused("* * * 0 *", "'* * * 0 *': month: '0' is not from 1 to 12 or JAN to DEC");
    assert_refused("* * * * 8", "'* * * * 8': day of week: '8' is not from 0 to 7 or SUN to SAT");
    assert_refused("* * * * fr", "'* * * * fr': day of week: 'fr' is not from 0 to 7 or SUN to SAT");
    assert_refused("*/0 * * * *", "'*/0 * * * *': minute: '*/0' is not valid: a step is 1 or more");
    assert_refused("*/x * * * *", "'*/x * * * *': minute: '*/x' is not valid: a step is 1 or more");
    assert_refused("* * * * 5#6",
                   "'* * * * 5#6': day of week: '5#6' is not valid: a month has one to five of a weekday");
    assert_refused("* * * * 5#0",
                   "'* * * * 5#0': day of week: '5#0' is not valid: a month has one to five of a weekday");
    assert_refused("* * * * 5#11",
                   "'* * * * 5#11': day of week: '5#11' is not valid: a month has one to five of a weekday");
    static const char *const wrong[] = {"1, * * * *",    ",1 * * * *",     "1- * * * *",    "-1 * * * *", "1.5 * * * *",
                                        "1-2-3 * * * *", "** * * * *",     "1/2/3 * * * *", "L * * * *",  "* L * * *",
                                        "* * * L *",     "* * * * L",      "* * * * l8",    "* * LW * *", "? * * * *",
                                        "99999 * * * *", "monday * * * *", "* * * * mon-"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        SfError err;
        Cron cron;
        g_test_message("%s", wrong[i]);
        g_assert_cmpint(cron_parse(wrong[i], &cron, &err), ==, SF_CONFIG);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cron/fields", test_fields);
    g_test_add_func("/cron/days", test_days);
    g_test_add_func("/cron/either day is enough", test_either_day_is_enough);
    g_test_add_func("/cron/names", test_names);
    g_test_add_func("/cron/clocks that are set", test_clocks_that_are_set);
    g_test_add_func("/cron/odd clocks", test_odd_clocks);
    g_test_add_func("/cron/what is refused", test_what_is_refused);
    return g_test_run();
}
