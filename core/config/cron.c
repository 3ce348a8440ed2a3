/* Cron expressions; see cron.h. */
#include "cron.h"

#include <string.h>

#define MINUTE_S 60
#define HOUR_S (60 * MINUTE_S)
#define DAY_S (24 * HOUR_S)
#define MOST_DAYS (50 * 366) /* 29 February on a certain weekday comes every 28 years, over 2100 every 40 */

typedef struct CronField {
    const char *name;
    int low, high;
    const char *const *words; /* of low, low + 1, …; NULL: none */
} CronField;

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, N_FIELDS };

static const char *const month_words[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_words[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const CronField cron_fields[N_FIELDS] = {
    [MINUTE] = {"minute", 0, 59, NULL},
    [HOUR] = {"hour", 0, 23, NULL},
    [DAY] = {"day of month", 1, 31, NULL},
    [MONTH] = {"month", 1, 12, month_words},
    [WEEKDAY] = {"day of week", 0, 6, weekday_words},
};

static const struct {
    const char *name, *text;
} cron_names[] = {
    {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"},
};

/* ---- reading ------------------------------------------------ */

static SfStatus fail_item(const CronField *field, const char *item, const char *wanted, SfError *err)
{
    return sf_fail(err, SF_CONFIG, "%s: '%s' is not %s", field->name, item, wanted);
}

/* A number or a word at *p, which is moved behind it; -1: neither. */
static int read_number(const CronField *field, const char **p)
{
    int value = 0, digits = 0;
    for (int i = 0; field->words && field->words[i]; i++) {
        if (g_str_has_prefix(*p, field->words[i])) {
            *p += strlen(field->words[i]);
            return field->low + i;
        }
    }
    for (; g_ascii_isdigit(**p) && digits < 4; digits++)
        value = value * 10 + g_ascii_digit_value(*(*p)++);
    return digits > 0 ? value : -1;
}

static bool is_in(const CronField *field, int value)
{
    bool sunday = field == &cron_fields[WEEKDAY] && value == 7;
    return sunday || (value >= field->low && value <= field->high);
}

static SfStatus cron_value(const CronField *field, const char *item, const char **p, int *out, SfError *err)
{
    const char *words = field == &cron_fields[MONTH] ? " or JAN to DEC" : field->words ? " or SUN to SAT" : "";
    g_autofree char *wanted =
        g_strdup_printf("from %d to %d%s", field->low, field == &cron_fields[WEEKDAY] ? 7 : field->high, words);
    *out = read_number(field, p);
    return *out < 0 || !is_in(field, *out) ? fail_item(field, item, wanted, err) : SF_OK;
}

/* From `first` to `last` by steps, over the field's end where `last` comes before. */
static guint64 range_bits(const CronField *field, int first, int last, int step)
{
    int n = field->high - field->low + 1;
    int span = last >= first ? last - first : last + n - first;
    guint64 bits = 0;
    for (int i = 0; i <= span; i += step)
        bits |= G_GUINT64_CONSTANT(1) << (field->low + (first - field->low + i) % n);
    return bits;
}

static SfStatus read_step(const CronField *field, const char *item, const char **p, int *step, SfError *err)
{
    static const CronField steps = {"step", 1, 9999, NULL};
    *step = 1;
    if (**p != '/')
        return SF_OK;
    (*p)++;
    *step = read_number(&steps, p);
    return *step < 1 ? fail_item(field, item, "valid: a step is 1 or more", err) : SF_OK;
}

/* What a list is made of: *, N, N-M, each with a step. */
static SfStatus read_range(const CronField *field, const char *item, guint64 *bits, SfError *err)
{
    const char *p = item;
    int first = field->low, last = field->high, step;
    if (*p == '*') {
        p++;
    } else {
        SF_TRY(cron_value(field, item, &p, &first, err));
        last = *p == '/' ? field->high : first;
        if (*p == '-' && field == &cron_fields[DAY] && p[1] == 'l')
            last = field->high, p += 2;
        else if (*p == '-')
            SF_TRY((p++, cron_value(field, item, &p, &last, err)));
    }
    SF_TRY(read_step(field, item, &p, &step, err));
    if (*p)
        return fail_item(field, item, "valid: N, N-M, * and these with a step, such as */5, stand in a list", err);
    *bits |= range_bits(field, first, last, step);
    return SF_OK;
}

/* 5L and L5, FRI#2; otherwise as in all fields. */
static SfStatus read_weekday(const char *item, Cron *cron, SfError *err)
{
    const CronField *field = &cron_fields[WEEKDAY];
    const char *p = item;
    guint64 bits = 0;
    bool ahead = *p == 'l' && p[1];
    p += ahead;
    int day = read_number(field, &p);
    if (day >= 0 && is_in(field, day) && strcmp(p, ahead ? "" : "l") == 0) {
        cron->last_weekdays |= (guint8) (1u << day % 7);
        return SF_OK;
    }
    if (day >= 0 && is_in(field, day) && !ahead && *p == '#') {
        if (p[1] < '1' || p[1] > '5' || p[2])
            return fail_item(field, item, "valid: a month has one to five of a weekday", err);
        cron->nth_weekdays[p[1] - '0'] |= (guint8) (1u << day % 7);
        return SF_OK;
    }
    SF_TRY(read_range(field, item, &bits, err));
    cron->weekdays |= (guint8) bits;
    return SF_OK;
}

static SfStatus read_day(const char *item, Cron *cron, SfError *err)
{
    guint64 bits = 0;
    if (strcmp(item, "l") == 0)
        bits = 1;
    else
        SF_TRY(read_range(&cron_fields[DAY], item, &bits, err));
    cron->days |= (guint32) bits;
    return SF_OK;
}

static SfStatus read_days(int which, const char *text, Cron *cron, SfError *err)
{
    g_auto(GStrv) items = g_strsplit(strcmp(text, "?") == 0 ? "*" : text, ",", -1);
    for (char **item = items; *item; item++)
        SF_TRY(which == DAY ? read_day(*item, cron, err) : read_weekday(*item, cron, err));
    return SF_OK;
}

static SfStatus read_numbers(int which, const char *text, guint64 *bits, SfError *err)
{
    g_auto(GStrv) items = g_strsplit(text, ",", -1);
    for (char **item = items; *item; item++)
        SF_TRY(read_range(&cron_fields[which], *item, bits, err));
    return SF_OK;
}

static bool is_star(const char *text)
{
    return strcmp(text, "*") == 0 || strcmp(text, "?") == 0;
}

static SfStatus read_fields(char *const *fields, Cron *out, SfError *err)
{
    Cron cron = {.any_day = is_star(fields[DAY]), .any_weekday = is_star(fields[WEEKDAY])};
    guint64 hours = 0, months = 0;
    SF_TRY(read_numbers(MINUTE, fields[MINUTE], &cron.minutes, err));
    SF_TRY(read_numbers(HOUR, fields[HOUR], &hours, err));
    SF_TRY(read_days(DAY, fields[DAY], &cron, err));
    SF_TRY(read_numbers(MONTH, fields[MONTH], &months, err));
    SF_TRY(read_days(WEEKDAY, fields[WEEKDAY], &cron, err));
    cron.hours = (guint32) hours;
    cron.months = (guint16) months;
    cron.every_hour = cron.hours == (1u << 24) - 1;
    *out = cron;
    return SF_OK;
}

SfStatus cron_parse(const char *text, Cron *out, SfError *err)
{
    g_autofree char *lower = g_ascii_strdown(text, -1);
    g_autoptr(GPtrArray) fields = g_ptr_array_new();
    const char *meant = g_strstrip(lower);
    for (gsize i = 0; i < G_N_ELEMENTS(cron_names); i++)
        meant = strcmp(meant, cron_names[i].name) == 0 ? cron_names[i].text : meant;
    if (*meant == '@')
        return sf_fail(err, SF_CONFIG, "'%s' is not known; @hourly, @daily, @weekly, @monthly and @yearly are", text);
    g_auto(GStrv) words = g_strsplit_set(meant, " \t", -1);
    for (char **word = words; *word; word++)
        if (**word)
            g_ptr_array_add(fields, *word);
    if (fields->len != N_FIELDS)
        return sf_fail(
            err, SF_CONFIG,
            "'%s' has %u fields; a cron expression has five: minute, hour, day of month, month, day of week%s", text,
            fields->len, fields->len == 6 ? " (for seconds there is 'every: 10s')" : "");
    SfStatus status = read_fields((char *const *) fields->pdata, out, err);
    return status == SF_OK ? SF_OK : sf_fail_prefix(err, status, "'%s'", text);
}

/* ---- the days that it names ------------------------------------------------ */

static bool names_weekday(const Cron *cron, int weekday, int day, int month_days)
{
    guint8 bit = (guint8) (1u << weekday);
    int nth = (day - 1) / 7 + 1;
    return cron->weekdays & bit || cron->nth_weekdays[nth] & bit || (cron->last_weekdays & bit && day + 7 > month_days);
}

static bool names_day(const Cron *cron, const GDate *date)
{
    int day = g_date_get_day(date),
        month_days = g_date_get_days_in_month(g_date_get_month(date), g_date_get_year(date));
    bool by_day = cron->days & 1u << day || (cron->days & 1 && day == month_days);
    bool by_weekday = names_weekday(cron, g_date_get_weekday(date) % 7, day, month_days);
    if (!(cron->months & 1u << g_date_get_month(date)))
        return false;
    return cron->any_day || cron->any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

/* ---- from the zone's clock to moments ------------------------------------------------ */

/* Seconds since 1970, as the zone's clock shows them, at a moment. */
static gint64 local_of(GTimeZone *zone, gint64 moment)
{
    int interval = g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, moment);
    return moment + g_time_zone_get_offset(zone, interval);
}

/* The first moment in (low, high] whose clock is past `local`; the clock is so at `high`. */
static gint64 first_past(GTimeZone *zone, gint64 low, gint64 high, gint64 local)
{
    while (high - low > 1) {
        gint64 middle = low + (high - low) / 2;
        if (local_of(zone, middle) > local)
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* The moments when the clock shows `local`, in order: one, two where it goes back over it, none where it goes forward.
 * With what the zone's clock is off by a day before and a day behind. */
static int moments_of(GTimeZone *zone, gint64 local, gint64 before, gint64 behind, gint64 out[2])
{
    int n = 0;
    if (local_of(zone, local - before) == local)
        out[n++] = local - before;
    if (behind != before && local_of(zone, local - behind) == local)
        out[n++] = local - behind;
    return n;
}

/* When a time of the clock counts next, if that is after `after`; G_MAXINT64: it does not. */
static gint64 moment_after(const Cron *cron, GTimeZone *zone, gint64 local, gint64 after)
{
    gint64 before = local_of(zone, local - DAY_S) - (local - DAY_S),
           behind = local_of(zone, local + DAY_S) - (local + DAY_S);
    gint64 moments[2];
    int n = moments_of(zone, local, before, behind, moments);
    if (n == 0 && !cron->every_hour) {
        moments[0] = first_past(zone, local - behind, local - before, local);
        n = 1;
    }
    for (int i = 0; i < n && (i == 0 || cron->every_hour); i++)
        if (moments[i] > after)
            return moments[i];
    return G_MAXINT64;
}

/* Whether the clock's day, which begins at `midnight`, is far from where clocks are set, and how far it is off then. */
static bool is_plain_day(GTimeZone *zone, gint64 midnight, gint64 *offset)
{
    gint64 before = midnight - DAY_S, behind = midnight + 2 * DAY_S;
    *offset = local_of(zone, before) - before;
    return local_of(zone, behind) - behind == *offset && local_of(zone, midnight) - midnight == *offset;
}

/* The first moment of a day of the clock; on a plain one times come in the clock's order. */
static gint64 first_of_day(const Cron *cron, GTimeZone *zone, gint64 midnight, gint64 after)
{
    gint64 first = G_MAXINT64, offset;
    bool plain = is_plain_day(zone, midnight, &offset);
    for (int minute = 0; minute < DAY_S / MINUTE_S; minute++) {
        gint64 local = midnight + minute * MINUTE_S;
        if (!(cron->hours & 1u << minute / 60) || !(cron->minutes & G_GUINT64_CONSTANT(1) << minute % 60))
            continue;
        if (plain && local - offset > after)
            return local - offset;
        if (!plain)
            first = MIN(first, moment_after(cron, zone, local, after));
    }
    return first;
}

gint64 cron_next(const Cron *cron, GTimeZone *zone, gint64 after)
{
    gint64 found = G_MAXINT64, days = local_of(zone, MAX(after, 0)) / DAY_S; /* since 1969-12-31: from yesterday on */
    GDate date;
    g_date_clear(&date, 1);
    g_date_set_dmy(&date, 31, G_DATE_DECEMBER, 1969);
    g_date_add_days(&date, (guint) days);
    for (int i = 0, more = 2; i < MOST_DAYS && more > 0; i++, days++, g_date_add_days(&date, 1)) {
        if (names_day(cron, &date))
            found = MIN(found, first_of_day(cron, zone, (days - 1) * DAY_S, after));
        more -= found < G_MAXINT64; /* where clocks go back over midnight, the day after may have an earlier one */
    }
    return found == G_MAXINT64 ? -1 : found;
}
