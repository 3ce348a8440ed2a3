/* s3-bronze-sink: what path.format means, and what it refuses to guess. */
#include "bronze_fixture.h"

#include <string.h>

static Harness *sink(const Place *place, const char *format)
{
    g_autofree char *options = g_strdup_printf("path.format: \"%s\"", format);
    return place_sink(place, options);
}

/* Patterns of Joda's that are none of ours would give another layout than Kafka Connect does, in silence. */
static void patterns_without_meaning_are_refused(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *const formats[][2] = {
        {"YYYY/M/d", "M"},
        {"yy/MM/dd", "yy"},
        {"YYYY/MM/d", "d"},
        {"YYYY/DDD", "DDD"},
        {"YYYY/MMM", "MMM"},
        {"YYYY/MMMM/dd", "MMMM"},
        {"yyyyMMddHHmmss", NULL},
        {"yyyyMMddHHmmssSSS", NULL},
        {"yyyyDDD", NULL},
        {"YYYYMMddTHH", NULL},
        {"YYYY-MM-ddTHH", "ddTHH"},
        {"hh/mm", "hh"},
        {"YYYY/w", "w"},
        {"xxxx/ww", "xxxx"},
        {"YYYY/E", "E"},
        {"EEE", NULL},
        {"YYYY/MM/dd/H", "H"},
        {"kk", NULL},
        {"K", NULL},
        {"YYYY/a", "a"},
        {"ss", NULL},
        {"S", NULL},
        {"m", NULL},
        {"e", NULL},
        {"Z", NULL},
        {"D", NULL},
        {"y", NULL},
        {"u-uu", "uu"},
        {"yyMMdd", NULL},
        {"YYYYQ", NULL},
        {"monthMM", NULL},
        {"mmss", NULL},
        {"HHa", NULL},
        {"ddE", NULL},
        {"yyM", NULL},
        {"YYYYYYYY", NULL},
        {"ddMMMM", NULL},
        {"'day'=MMMM", "MMMM"},
        {"'day'=M", "M"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        const char *run = formats[i][1] ? formats[i][1] : formats[i][0];
        g_autoptr(Harness) h = sink(place, formats[i][0]);
        g_autofree char *message = g_strdup_printf("path.format: '%s' has '%s', which is not a field of a date; write "
                                                   "YYYY, MM, dd, HH or mm, and words in quotes",
                                                   formats[i][0], run);
        g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
        g_assert_cmpstr(h->err.message, ==, message);
    }
}

static void words_go_on_working(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *const formats[][2] = {
        {"year=YYYY/month=MM/day=DD/hour=HH", "year=2024/month=01/day=15/hour=12"},
        {"Team A/YYYY", "Team A/2024"},
        {"week/comment/address/YYYYMMdd", "week/comment/address/20240115"},
        {"SUMMARY/COMMENT/add/hammer/yyyy", "SUMMARY/COMMENT/add/hammer/2024"},
        {"day/days/hash/Dead/seed/essay/dd", "day/days/hash/Dead/seed/essay/15"},
        {"v1/dt=YYYY-MM-DD", "v1/dt=2024-01-15"},
        {"G/C/z/YYYY", "G/C/z/2024"},
        {"caf\xc3\xa9/HHmm", "caf\xc3\xa9/1200"},
        {"'M'/'yyyyMMddHHmmss'/YYYY", "M/yyyyMMddHHmmss/2024"},
        {"v1..2/YYYY", "v1..2/2024"},
        {"'all'", "all"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        Place own;
        place_set_up(&own, NULL);
        Harness *h = sink(&own, formats[i][0]);
        harness_write(h, 0, numbers(h, EVENTS, 0, 1, NOON_US));
        harness_commit(h, SF_COMMIT_END);
        g_autofree char *objects = place_objects(&own);
        g_autofree char *expected =
            g_strdup_printf("sales_events/%s/sales_events+0+0000000000.json: {\"n\":0}|\n", formats[i][1]);
        g_assert_cmpstr(objects, ==, expected);
        harness_free(h);
        place_tear_down(&own, NULL);
    }
    (void) place;
}

/* Months and years have no length of their own: all their days go to one object. */
static void a_month_and_a_year_are_one_directory(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *const formats[][2] = {
        {"YYYY/MM", "sales_events/2024/01/sales_events+0+0000000000.json: {\"n\":0}|{\"n\":1}|\n"
                    "sales_events/2024/02/sales_events+0+0000000002.json: {\"n\":2}|\n"},
        {"YYYY", "sales_events/2024/sales_events+0+0000000000.json: {\"n\":0}|{\"n\":1}|{\"n\":2}|\n"},
    };
    const gint64 days[] = {0, 16, 17}; /* the 15th and 31st of January, the 1st of February */
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        Place own;
        place_set_up(&own, NULL);
        Harness *h = sink(&own, formats[i][0]);
        for (gsize j = 0; j < G_N_ELEMENTS(days); j++)
            harness_write(h, 0, numbers(h, EVENTS, (gint64) j, 1, NOON_US + days[j] * DAY_US));
        harness_commit(h, SF_COMMIT_END);
        g_autofree char *objects = place_objects(&own);
        g_assert_cmpstr(objects, ==, formats[i][1]);
        harness_free(h);
        place_tear_down(&own, NULL);
    }
    (void) place;
}

static void slashes_at_the_ends_are_named(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *const formats[][2] = {
        {"YYYY/MM/dd/HH/", "path.format: 'YYYY/MM/dd/HH/' ends with a '/'; leave it out"},
        {"/'dt'=YYYYMMdd", "path.format: '/'dt'=YYYYMMdd' begins with a '/'; leave it out"},
        {"/", "path.format: '/' begins with a '/'; leave it out"},
        {"YYYY//MM", "path.format: 'YYYY//MM' gives '1970//01', which is not a relative path"},
        {"../YYYY", "which is not a relative path"},
        {"YYYY/../MM", "which is not a relative path"},
        {"./YYYY", "which is not a relative path"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_autoptr(Harness) h = sink(place, formats[i][0]);
        g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
        g_assert_nonnull(strstr(h->err.message, formats[i][1]));
    }
}

/* An entry of an earlier version, which took 'M' for a word: its range is finished as it was begun. */
static void ranges_of_refused_formats_are_finished(Place *place, gconstpointer unused)
{
    (void) unused;
    Harness *h = sink(place, "YYYY/'M'");
    harness_write(h, 0, numbers(h, EVENTS, 0, 2, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    harness_free(h);
    g_autofree char *reference = place_objects(place);
    g_autofree char *path = g_build_filename(place->path, "_sf/test/sales_events/0/00000000000000000000.json", NULL);
    g_autofree char *entry = NULL;
    g_assert_true(g_file_get_contents(path, &entry, NULL, NULL));
    g_auto(GStrv) parts = g_strsplit(entry, "YYYY/'M'", -1);
    g_assert_cmpuint(g_strv_length(parts), ==, 2);
    g_autofree char *older = g_strjoinv("YYYY/M", parts);
    g_assert_true(g_file_set_contents(path, older, -1, NULL));
    place_delete(place, "sales_events/2024/M/sales_events+0+0000000000.json");
    g_autoptr(Harness) again = sink(place, "YYYY");
    g_assert_cmpint(harness_recover(again, 0, EVENTS), ==, 0);
    harness_write(again, 0, numbers(again, EVENTS, 0, 2, NOON_US));
    harness_commit(again, SF_COMMIT_END);
    g_autofree char *after = place_objects(place);
    g_assert_cmpstr(after, ==, reference);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/bronze/format/" name, Place, NULL, place_set_up, function, place_tear_down)
    ADD("patterns without meaning are refused", patterns_without_meaning_are_refused);
    ADD("words go on working", words_go_on_working);
    ADD("a month and a year are one directory", a_month_and_a_year_are_one_directory);
    ADD("slashes at the ends are named", slashes_at_the_ends_are_named);
    ADD("ranges of refused formats are finished", ranges_of_refused_formats_are_finished);
    return g_test_run();
}
