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

/* partition.duration.ms, in minutes and in less. */
static void durations_cut_event_times(Place *place, gconstpointer unused)
{
    (void) unused;
    static const struct {
        const char *duration;
        const char *first; /* of 12:00:00, 12:14:59, 12:15:00, 12:15:31 */
        const char *lines[2];
        const char *other;
    } cases[] = {{"15m", "1200", {"1\n2\n", "3\n4\n"}, "1215"}, {"30s", "1200", {"1\n", "2\n"}, "1214"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *yaml = g_strdup_printf("{url: 'file://%s', topics.dir: t%zu, path.format: HHmm, "
                                                "partition.duration.ms: %s}",
                                                place->path, i, cases[i].duration);
        g_autoptr(Harness) h = harness_new("s3-bronze-sink", yaml);
        const gint64 second = 1000000;
        const RawRow rows[] = {{.value = "1", .offset = 0, .timestamp_us = NOON_US},
                               {.value = "2", .offset = 1, .timestamp_us = NOON_US + 899 * second},
                               {.value = "3", .offset = 2, .timestamp_us = NOON_US + 900 * second},
                               {.value = "4", .offset = 3, .timestamp_us = NOON_US + 931 * second}};
        harness_write(h, 0, harness_raw_rows(h, EVENTS, rows, 4));
        harness_commit(h, SF_COMMIT_END);
        g_autofree char *key =
            g_strdup_printf("t%zu/sales_events/%s/sales_events+0+0000000000.json", i, cases[i].first);
        g_autofree char *next =
            g_strdup_printf("t%zu/sales_events/%s/sales_events+0+000000000%d.json", i, cases[i].other, i == 0 ? 2 : 1);
        g_autofree char *one = place_read(place, key), *two = place_read(place, next);
        g_assert_cmpstr(one, ==, cases[i].lines[0]);
        g_assert_cmpstr(two, ==, cases[i].lines[1]);
    }
}

/* More directories than may be open at once end all objects: the first day's next row is in another one. */
static void no_more_than_512_directories_are_open(Place *place, gconstpointer unused)
{
    (void) unused;
    const gint64 n = 514;
    g_autoptr(Harness) h = place_sink(place, "path.format: YYYY-MM-dd");
    g_autofree RawRow *rows = g_new0(RawRow, n);
    for (gint64 i = 0; i < n; i++)
        rows[i] = (RawRow){.value = "1", .offset = i, .timestamp_us = NOON_US + (i + 1 < n ? i : 0) * DAY_US};
    harness_write(h, 0, harness_raw_rows(h, EVENTS, rows, (gsize) n));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *first = place_read(place, "sales_events/2024-01-15/sales_events+0+0000000000.json");
    g_autofree char *next = place_read(place, "sales_events/2024-01-15/sales_events+0+0000000513.json");
    g_assert_cmpstr(first, ==, "1\n");
    g_assert_cmpstr(next, ==, "1\n");
}

/* Two quotes are one, within words in quotes and without. */
static void quotes_stand_for_themselves(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = sink(place, "'o''clock'=HH/''YYYY''");
    harness_write(h, 0, numbers(h, EVENTS, 0, 1, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *objects = place_objects(place);
    g_assert_cmpstr(objects, ==, "sales_events/o'clock=12/'2024'/sales_events+0+0000000000.json: {\"n\":0}|\n");
}

/* The shortest and the longest text that can be a time, and one byte beyond. */
static void times_have_bounds(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "timestamp.extractor: RecordField\n"
                                             "timestamp.field: t\npath.format: dd");
    const char *const values[] = {"{\"t\":\"2024-01-15\"}", "{\"t\":\"2024-01-1\"}",
                                  "{\"t\":\"2024-01-15T10:00:00.1234567890123456789012345678901234567890\"}",
                                  "{\"t\":\"2024-01-15T10:00:00.123456789012345678901234567890123456789012345\"}"};
    harness_write(h, 0, harness_raw(h, EVENTS, 0, values, G_N_ELEMENTS(values)));
    harness_commit(h, SF_COMMIT_END);
    g_assert_nonnull(strstr(harness_rejects(h), "@1: timestamp.field 't': \"2024-01-1\" is not a valid time"));
    g_assert_null(strstr(harness_rejects(h), "@0:"));
    g_assert_nonnull(strstr(harness_rejects(h), "@3: timestamp.field 't'"));
}

static void replace_in_entry(const Place *place, const char *from, const char *to)
{
    const char *key = "_sf/test/sales_events/0/00000000000000000000.json";
    g_autofree char *body = place_read(place, key);
    g_auto(GStrv) parts = g_strsplit(body, from, 2);
    g_assert_nonnull(parts[1]);
    g_autofree char *other = g_strjoinv(to, parts);
    place_put(place, key, other);
}

/* A range of an earlier version, whose timestamp.field was keys between dots whatever they were, is finished so. */
static void ranges_of_older_fields_are_finished(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *options = "timestamp.extractor: RecordField\ntimestamp.field: at\ntimestamp.unit: s\n";
    const char *const values[] = {"{\"at\":1705320000,\"at day!\":{\"x\":1705320000}}"};
    g_autoptr(Harness) h = place_sink(place, options);
    harness_write(h, 0, harness_raw(h, EVENTS, 0, values, 1));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *before = place_objects(place);
    replace_in_entry(place, "\"timestamp.field\":\"at\"", "\"timestamp.field\":\"at day!.x\"");
    place_delete(place, "sales_events/year=2024/month=01/day=15/sales_events+0+0000000000.json");
    g_autoptr(Harness) again = place_sink(place, options);
    g_assert_cmpint(harness_recover(again, 0, EVENTS), ==, 0);
    harness_write(again, 0, harness_raw(again, EVENTS, 0, values, 1));
    harness_commit(again, SF_COMMIT_END);
    g_autofree char *after = place_objects(place);
    g_assert_cmpstr(after, ==, before);
    replace_in_entry(place, "\"timestamp.extractor\":\"RecordField\"", "\"timestamp.extractor\":\"Moon\"");
    g_autoptr(Harness) newer = place_sink(place, options);
    g_assert_cmpint(harness_try_recover(newer, 0, EVENTS), ==, SF_CONFIG);
    g_assert_nonnull(strstr(newer->err.message, "unknown layout (written by a newer version?)"));
}

/* The topic was replaced: its rows have no place in the range that was cut. */
static void rows_without_a_place_stop_a_redo(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "");
    harness_write(h, 0, numbers(h, EVENTS, 0, 2, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    place_delete(place, "sales_events/year=2024/month=01/day=15/sales_events+0+0000000000.json");
    g_autoptr(Harness) again = place_sink(place, "");
    g_assert_cmpint(harness_recover(again, 0, EVENTS), ==, 0);
    g_assert_cmpint(harness_try_write(again, 0, numbers(again, EVENTS, 0, 2, NOON_US + DAY_US)), ==, SF_FATAL);
    g_assert_nonnull(strstr(again->err.message, "sales_events/0/0: its range [0, 2) was cut by the ledger entry"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/bronze/format/" name, Place, NULL, place_set_up, function, place_tear_down)
    ADD("patterns without meaning are refused", patterns_without_meaning_are_refused);
    ADD("words go on working", words_go_on_working);
    ADD("durations cut event times", durations_cut_event_times);
    ADD("no more than 512 directories are open", no_more_than_512_directories_are_open);
    ADD("quotes stand for themselves", quotes_stand_for_themselves);
    ADD("times have bounds", times_have_bounds);
    ADD("ranges of older fields are finished", ranges_of_older_fields_are_finished);
    ADD("rows without a place stop a redo", rows_without_a_place_stop_a_redo);
    ADD("a month and a year are one directory", a_month_and_a_year_are_one_directory);
    ADD("slashes at the ends are named", slashes_at_the_ends_are_named);
    ADD("ranges of refused formats are finished", ranges_of_refused_formats_are_finished);
    return g_test_run();
}
