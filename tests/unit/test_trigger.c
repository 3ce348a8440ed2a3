/* `trigger`: how it is read, what is refused, and when runs come by the clock. */
#include <glib.h>
#include <string.h>

#include "config/pipeline.h"

#define SECOND G_GINT64_CONSTANT(1000000)
#define STEPS "steps:\n  a: {source: test-source}\n  b: {sink: test-sink, from: a, url: u}\n"

static Pipeline *load(const char *trigger, Diagnostics *diagnostics)
{
    g_autofree char *text = g_strdup_printf("pipeline: p\ntrigger: %s\n" STEPS, trigger);
    return pipeline_load_text(text, "p.yaml", diagnostics);
}

static Pipeline *loaded(const char *trigger)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    Pipeline *pipeline = load(trigger, diagnostics);
    g_assert_nonnull(pipeline);
    return pipeline;
}

static void assert_refused(const char *trigger, const char *message)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    g_assert_null(load(trigger, diagnostics));
    g_assert_cmpuint(diagnostics->errors->len, ==, 1);
    g_autofree char *line = diagnostic_line(diagnostics->errors->pdata[0], NULL);
    g_assert_cmpstr(line, ==, message);
}

static void test_kinds(void)
{
    static const struct {
        const char *text;
        TriggerKind kind;
        const char *words;
    } triggers[] = {{"continuous", TRIGGER_CONTINUOUS, NULL},
                    {"once", TRIGGER_ONCE, NULL},
                    {"'*/5 * * * *'", TRIGGER_SCHEDULED, "*/5 * * * *"},
                    {"'@daily'", TRIGGER_SCHEDULED, "@daily"},
                    {"{every: 5m}", TRIGGER_SCHEDULED, "every 5m"},
                    {"{after: bronze}", TRIGGER_SCHEDULED, "after bronze"},
                    {"{cron: '0 6 * * *', timezone: Europe/Berlin, every: 1h, after: [a, b]}", TRIGGER_SCHEDULED,
                     "0 6 * * * (Europe/Berlin), every 1h, after a, b"}};
    for (gsize i = 0; i < G_N_ELEMENTS(triggers); i++) {
        g_autoptr(Pipeline) pipeline = loaded(triggers[i].text);
        g_assert_cmpint(pipeline->trigger.kind, ==, triggers[i].kind);
        g_assert_cmpstr(pipeline->trigger.text, ==, triggers[i].words);
    }
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    g_autoptr(Pipeline) without = pipeline_load_text("pipeline: p\n" STEPS, "p.yaml", diagnostics);
    g_assert_cmpint(without->trigger.kind, ==, TRIGGER_CONTINUOUS);
    g_assert_cmpuint(without->trigger.after->len, ==, 0);
}

static void test_what_is_refused(void)
{
    assert_refused("sometimes",
                   "p.yaml:2:10: 'trigger' is not 'sometimes' but continuous, once, a cron expression such as "
                   "'*/5 * * * *', or a map such as {every: 5m} or {after: [bronze]}");
    assert_refused("[once]", "p.yaml:2:10: 'trigger' takes a word, a cron expression, or a map such as {every: 5m}");
    assert_refused("'* * * * 8'", "p.yaml:2:10: '* * * * 8': day of week: '8' is not from 0 to 7 or SUN to SAT");
    assert_refused("{cron: '* 25 * * *'}", "p.yaml:2:17: '* 25 * * *': hour: '25' is not from 0 to 23");
    assert_refused(
        "{cron: '@daily', timezone: Mars/Olympus}",
        "p.yaml:2:37: unknown time zone 'Mars/Olympus'; write one of the tz database, such as Europe/Berlin");
    assert_refused("'0 0 30 2 *'", "p.yaml:2:10: '0 0 30 2 *' names no day that there is in the next 50 years");
    assert_refused("{retries: 3}", "p.yaml:2:10: 'trigger' needs 'cron', 'every' or 'after', which say when");
    assert_refused("{every: 1h, timezone: Europe/Berlin}", "p.yaml:2:32: 'timezone' is for 'cron', which is not there");
    assert_refused("{every: 1h, backoff: 1s}", "p.yaml:2:31: 'backoff' is for 'retries', which is 0");
    assert_refused("{evry: 1h}", "p.yaml:2:11: 'trigger' has no option 'evry'; did you mean 'every'?");
}

/* 2024-01-15T10:02:00Z */
#define NOW (G_GINT64_CONSTANT(1705312920) * SECOND)

static void assert_next(const char *text, gint64 began_us, gint64 expected_us)
{
    g_autoptr(Pipeline) pipeline = loaded(text);
    g_assert_cmpint(trigger_next(&pipeline->trigger, began_us, NOW), ==, expected_us);
}

static void test_times(void)
{
    assert_next("continuous", 0, G_MAXINT64);
    assert_next("{after: [a]}", 0, NOW);
    assert_next("{after: [a]}", NOW - 60 * SECOND, G_MAXINT64);
    assert_next("'*/5 * * * *'", 0, NOW + 180 * SECOND);
    assert_next("'*/5 * * * *'", NOW - 600 * SECOND, NOW + 180 * SECOND);
    assert_next("{cron: '0 12 * * *', timezone: Europe/Berlin}", 0, NOW + 3480 * SECOND);
    assert_next("{every: 1m}", 0, NOW);
    assert_next("{every: 1m}", NOW - 20 * SECOND, NOW + 40 * SECOND);
    assert_next("{every: 1m}", NOW - 60 * SECOND, NOW + 60 * SECOND);
    assert_next("{every: 1m}", NOW - 150 * SECOND, NOW + 30 * SECOND);
    assert_next("{cron: '*/5 * * * *', every: 1m}", NOW - 20 * SECOND, NOW + 40 * SECOND);
    assert_next("{cron: '3 * * * *', every: 10m}", NOW - 20 * SECOND, NOW + 60 * SECOND);
}

/* What came while a run went on, or before the process did, counts. */
static void test_times_that_are_caught_up_with(void)
{
    assert_next("{cron: '0 0 * * *', catch_up: true}", 0, NOW);
    assert_next("{cron: '*/5 * * * *', catch_up: true}", NOW - 119 * SECOND, NOW + 180 * SECOND);
    assert_next("{cron: '*/5 * * * *', catch_up: true}", NOW - 121 * SECOND, NOW);
    assert_next("{every: 1m, catch_up: true}", NOW - 59 * SECOND, NOW + SECOND);
    assert_next("{every: 1m, catch_up: true}", NOW - 150 * SECOND, NOW);
    assert_next("{cron: '*/5 * * * *', catch_up: true}", NOW + 7200 * SECOND,
                NOW + 180 * SECOND); /* the clock was set */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trigger/kinds", test_kinds);
    g_test_add_func("/trigger/what is refused", test_what_is_refused);
    g_test_add_func("/trigger/times", test_times);
    g_test_add_func("/trigger/times that are caught up with", test_times_that_are_caught_up_with);
    return g_test_run();
}
