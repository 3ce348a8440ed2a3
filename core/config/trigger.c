/* `trigger`; see trigger.h. */
#include "trigger.h"

#include <string.h>

#include "option_table.h"
#include "options.h"
#include "settings.h"

static const char *const kinds[] = {"continuous", "once"}; /* order of TriggerKind */

static bool is_cron(const char *text)
{
    return *text == '@' || strpbrk(text, " \t");
}

static void read_cron(Trigger *trigger, const SfValue *place, const char *text, Diagnostics *diagnostics)
{
    SfError err;
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    if (cron_parse(text, &trigger->cron, &err) != SF_OK)
        diagnostics_add(diagnostics, place, "%s", err.message);
    else if (cron_next(&trigger->cron, utc, g_get_real_time() / G_USEC_PER_SEC) < 0)
        diagnostics_add(diagnostics, place, "'%s' names no day that there is in the next 50 years", text);
    trigger->kind = TRIGGER_SCHEDULED;
}

static void read_zone(Trigger *trigger, const SfValue *place, const char *name, Diagnostics *diagnostics)
{
    trigger->zone = g_time_zone_new_identifier(name);
    if (trigger->zone)
        return;
    diagnostics_add(diagnostics, place, "unknown time zone '%s'; write one of the tz database, such as Europe/Berlin",
                    name);
    trigger->zone = g_time_zone_new_utc();
}

static void read_trigger_text(Trigger *trigger, const SfValue *value, Diagnostics *diagnostics)
{
    const char *text = sf_value_text(value);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_equal(text, kinds[i])) {
            trigger->kind = (TriggerKind) i;
            return;
        }
    }
    if (!is_cron(text)) {
        diagnostics_add(diagnostics, value,
                        "'trigger' is not '%s' but continuous, once, a cron expression such as '*/5 * * * *', or a map "
                        "such as {every: 5m} or {after: [bronze]}",
                        text);
        return;
    }
    read_cron(trigger, value, text, diagnostics);
    read_zone(trigger, value, "UTC", diagnostics);
    trigger->text = g_strdup(text);
}

static void check_map(const TriggerSettings *settings, const SfValue *map, Diagnostics *diagnostics)
{
    if (!settings->cron && settings->every == 0 && settings->after.size == 0)
        diagnostics_add(diagnostics, map, "'trigger' needs 'cron', 'every' or 'after', which say when");
    if (settings->timezone && !settings->cron)
        diagnostics_add(diagnostics, sf_value_get(map, "timezone"), "'timezone' is for 'cron', which is not there");
    if (sf_value_get(map, "backoff") && settings->retries == 0)
        diagnostics_add(diagnostics, sf_value_get(map, "backoff"), "'backoff' is for 'retries', which is 0");
}

static char *words_of(const TriggerSettings *settings, const SfValue *map)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (settings->cron)
        g_string_append(text, settings->cron);
    if (settings->timezone)
        g_string_append_printf(text, " (%s)", settings->timezone);
    if (settings->every > 0)
        g_string_append_printf(text, "%severy %s", text->len ? ", " : "", sf_value_text(sf_value_get(map, "every")));
    for (size_t i = 0; i < settings->after.size; i++)
        g_string_append_printf(text, "%s%s",
                               i > 0       ? ", "
                               : text->len ? ", after "
                                           : "after ",
                               settings->after.items[i]);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void read_trigger_map(Trigger *trigger, const SfValue *map, Diagnostics *diagnostics)
{
    size_t n = 0;
    const SfOption *table = settings_trigger_table(&n);
    TriggerSettings settings = {0};
    guint before = diagnostics->n_errors;
    g_autoptr(OptionArena) arena = options_read_map(table, n, "'trigger'", map, NULL, &settings, diagnostics);
    if (diagnostics->n_errors == before)
        check_map(&settings, map, diagnostics);
    if (settings.cron) {
        read_cron(trigger, sf_value_get(map, "cron"), settings.cron, diagnostics);
        const SfValue *zone = sf_value_get(map, "timezone");
        read_zone(trigger, zone ? zone : map, settings.timezone ? settings.timezone : "UTC", diagnostics);
    }
    for (size_t i = 0; i < settings.after.size; i++)
        g_ptr_array_add(trigger->after, g_strdup(settings.after.items[i]));
    trigger->kind = TRIGGER_SCHEDULED;
    trigger->every_ms = settings.every;
    trigger->catch_up = settings.catch_up;
    trigger->timeout_ms = settings.timeout;
    trigger->retries = settings.retries;
    trigger->backoff_ms = settings.backoff;
    trigger->text = words_of(&settings, map);
}

void trigger_read(Trigger *out, const SfValue *value, Diagnostics *diagnostics)
{
    *out = (Trigger){.kind = TRIGGER_ONCE, .after = g_ptr_array_new_with_free_func(g_free)};
    if (sf_value_kind(value) == SF_VALUE_MAP)
        read_trigger_map(out, value, diagnostics);
    else if (sf_value_text(value))
        read_trigger_text(out, value, diagnostics);
    else
        diagnostics_add(diagnostics, value, "'trigger' takes a word, a cron expression, or a map such as {every: 5m}");
}

void trigger_done(Trigger *trigger)
{
    g_clear_pointer(&trigger->zone, g_time_zone_unref);
    g_clear_pointer(&trigger->after, g_ptr_array_unref);
    g_clear_pointer(&trigger->text, g_free);
}

/* The end of the interval that began last. */
static gint64 next_interval(const Trigger *trigger, gint64 began_us, gint64 now_us)
{
    gint64 every_us = trigger->every_ms * 1000;
    if (began_us == 0)
        return now_us;
    if (now_us < began_us + every_us)
        return began_us + every_us;
    return trigger->catch_up ? now_us : now_us + every_us - (now_us - began_us) % every_us;
}

static gint64 next_of_cron(const Trigger *trigger, gint64 began_us, gint64 now_us)
{
    gint64 from_us = trigger->catch_up && began_us > 0 ? MIN(began_us, now_us) : now_us;
    gint64 at = cron_next(&trigger->cron, trigger->zone, from_us / G_USEC_PER_SEC);
    return at < 0 ? G_MAXINT64 : MAX(at * G_USEC_PER_SEC, now_us);
}

gint64 trigger_next(const Trigger *trigger, gint64 began_us, gint64 now_us)
{
    gint64 next = G_MAXINT64;
    if ((trigger->catch_up || trigger->after->len > 0) && began_us == 0)
        return now_us;
    if (trigger->zone)
        next = next_of_cron(trigger, began_us, now_us);
    if (trigger->every_ms > 0)
        next = MIN(next, next_interval(trigger, began_us, now_us));
    return next;
}
