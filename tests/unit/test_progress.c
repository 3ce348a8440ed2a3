/* The progress line: all that there is room for, and every layer at 80 columns. */
#include <glib.h>
#include <string.h>

#include "config/pipeline.h"
#include "data/printable.h"
#include "runtime/progress.h"
#include "runtime/runner_state.h"

static const char pipeline_text[] = "pipeline: sales_of_the_north\nsteps:\n"
                                    "  events: {source: test-source, columns: id int64}\n"
                                    "  decoded: {transform: test-transform, from: events}\n"
                                    "  bronze: {sink: test-sink, from: events, url: a}\n"
                                    "  silver: {sink: test-sink, from: decoded, url: b}\n"
                                    "  gold: {sink: test-sink, from: decoded, url: c}\n"
                                    "  rejects: {sink: test-sink, from: decoded.errors, url: d}\n";

typedef struct Fixture {
    Pipeline *pipeline;
    Runner runner;
    GPtrArray *runners;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    fixture->pipeline = pipeline_load_text(pipeline_text, "p.yaml", diagnostics);
    if (!fixture->pipeline)
        g_error("%s", diagnostics_text(diagnostics));
    fixture->runner = (Runner){.pipeline = fixture->pipeline, .stats = g_new0(StepStats, 6)};
    g_mutex_init(&fixture->runner.lock);
    fixture->runners = g_ptr_array_new();
    g_ptr_array_add(fixture->runners, &fixture->runner);
    for (guint i = 0; i < fixture->pipeline->steps->len; i++) {
        const Step *step = fixture->pipeline->steps->pdata[i];
        StepStats *stats = &fixture->runner.stats[step->index];
        stats->rows_in = stats->rows_out = stats->passed = 1234567;
        stats->rate = 45678;
        stats->expected = g_str_equal(step->name, "events") ? 2000000 : 0;
        stats->rejected = g_str_equal(step->name, "decoded") ? 1234 : 0;
    }
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_ptr_array_unref(fixture->runners);
    g_mutex_clear(&fixture->runner.lock);
    g_free(fixture->runner.stats);
    pipeline_free(fixture->pipeline);
}

static void test_with_room_all_digits(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *line = progress_line(fixture->runners, G_USEC_PER_SEC, 0, false);
    g_assert_cmpstr(
        line, ==,
        "sales_of_the_north | events 1,234,567 (61 %) 45,678/s | decoded 1,234 rejected | bronze 1,234,567 | "
        "silver 1,234,567 | gold 1,234,567 | rejects 1,234,567");
}

/* Compacted records, transaction markers: what was passed over counts, too. */
static void test_holes_are_passed(Fixture *fixture, gconstpointer data)
{
    (void) data;
    fixture->runner.stats[0].passed = fixture->runner.stats[0].expected;
    g_autofree char *line = progress_line(fixture->runners, G_USEC_PER_SEC, 0, false);
    g_assert_nonnull(strstr(line, "events 1,234,567 (100 %)"));
}

static void test_every_layer_at_80_columns(Fixture *fixture, gconstpointer data)
{
    static const char *const layers[] = {"events 1.2M 46k/s", "bronze 1.2M", "silver 1.2M", "gold 1.2M"};
    (void) data;
    g_autofree char *wide = progress_line(fixture->runners, G_USEC_PER_SEC, 100, true);
    g_autofree char *line = progress_line(fixture->runners, G_USEC_PER_SEC, 80, true);
    for (gsize i = 0; i < G_N_ELEMENTS(layers); i++)
        g_assert_nonnull(strstr(wide, layers[i]));
    g_assert_cmpstr(line, ==,
                    "events 1.2M 46k/s|bronze 1.2M|silver 1.2M|gold 1.2M|rejects 1.2M|\033[33m1.2k rejected\033[0m");
    g_assert_cmpuint(printable_width(line), <, 80);
}

static void test_names_are_cut_at_60_columns(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *line = progress_line(fixture->runners, G_USEC_PER_SEC, 60, false);
    g_assert_cmpstr(line, ==, "ev… 1.2M 46k/s|br… 1.2M|si… 1.2M|go… 1.2M|re… 1.2M|1.2k rejected");
}

static void test_colours_take_no_room(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *coloured = progress_line(fixture->runners, G_USEC_PER_SEC, 0, true);
    g_autofree char *plain = progress_line(fixture->runners, G_USEC_PER_SEC, 0, false);
    g_autofree char *stripped = printable_plain(coloured);
    g_assert_cmpstr(stripped, ==, plain);
    g_assert_cmpstr(coloured, !=, plain);
}

/* A rate is what came since the last look, not since the start. */
static void test_rates_are_of_late(Fixture *fixture, gconstpointer data)
{
    (void) data;
    StepStats *events = &fixture->runner.stats[0];
    events->rate = 0;
    fixture->runner.sampled_us = g_get_monotonic_time() - 2 * G_USEC_PER_SEC;
    events->sampled = events->rows_out - 1000;
    progress_sample(&fixture->runner);
    g_assert_cmpint(events->rate, >, 0);
    g_assert_cmpint(events->rate, <=, 500);
    g_assert_cmpint(events->sampled, ==, events->rows_out);
}

#define ADD(name, test) g_test_add("/progress/" name, Fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("with room all digits", test_with_room_all_digits);
    ADD("holes are passed", test_holes_are_passed);
    ADD("every layer at 80 columns", test_every_layer_at_80_columns);
    ADD("names are cut at 60 columns", test_names_are_cut_at_60_columns);
    ADD("colours take no room", test_colours_take_no_room);
    ADD("rates are of late", test_rates_are_of_late);
    return g_test_run();
}
