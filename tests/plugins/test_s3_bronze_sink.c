/* s3-bronze-sink: names, lines, and the rules by which ranges are cut. Crashes and races are in test_bronze_redo.c. */
#include "bronze_fixture.h"

#include <string.h>

#define DAY "sales_events/year=2024/month=01/day=15/sales_events+0+"
#define NEXT_DAY "sales_events/year=2024/month=01/day=16/sales_events+0+"
#define LEDGER "_sf/test/sales_events/0/"

static void expect_objects(const Place *place, const char *expected)
{
    g_autofree char *objects = place_objects(place);
    g_assert_cmpstr(objects, ==, expected);
}

static void expect_entries(const Place *place, const char *expected)
{
    g_autofree char *entries = place_entries(place);
    g_assert_cmpstr(entries, ==, expected);
}

/* ---- cuts ---- */

static void rows_cut_a_range(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "flush.size: 2");
    harness_write(h, 0, numbers(h, EVENTS, 0, 5, NOON_US));
    harness_tick(h);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 4);
    expect_objects(place, DAY "0000000000.json: {\"n\":0}|{\"n\":1}|\n" DAY "0000000002.json: {\"n\":2}|{\"n\":3}|\n");
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 5);
    expect_entries(place, LEDGER "00000000000000000000.json: 0-4 rows 4/0 2\n" LEDGER
                                 "00000000000000000004.json: 4-5 end 1/0 1\n");
    g_assert_cmpint(h->charged, ==, 0);
}

static void event_time_cuts_a_range(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "rotate.interval.ms: 60000");
    const RawRow rows[] = {{.value = "1", .offset = 0, .timestamp_us = NOON_US},
                           {.value = "2", .offset = 1, .timestamp_us = NOON_US + 59999999},
                           {.value = "3", .offset = 2, .timestamp_us = NOON_US + 60000000}};
    harness_write(h, 0, harness_raw_rows(h, EVENTS, rows, 3));
    harness_tick(h);
    expect_objects(place, DAY "0000000000.json: 1|2|\n");
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 2);
}

static void days_that_alternate_share_a_range(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "rotate.interval.ms: 60000\nflush.size: 1000");
    RawRow rows[2000];
    for (int i = 0; i < 2000; i++) /* late ones: every second row is of the day before */
        rows[i] = (RawRow){.value = "1", .offset = i, .timestamp_us = NOON_US + (i % 2 ? 0 : DAY_US) + i * 1000};
    harness_write(h, 0, harness_raw_rows(h, EVENTS, rows, 2000));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *entries = place_entries(place);
    g_assert_cmpstr(entries, ==, LEDGER "00000000000000000000.json: 0-2000 rows 2000/0 4\n");
}

static void late_row_at_a_ranges_start_cuts_nothing(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "rotate.interval.ms: 60000\nflush.size: 2");
    const gint64 times[] = {NOON_US, NOON_US + 1, NOON_US - DAY_US, NOON_US + 2, NOON_US - 2 * DAY_US, NOON_US + 3};
    RawRow rows[6];
    for (int i = 0; i < 6; i++)
        rows[i] = (RawRow){.value = "1", .offset = i, .timestamp_us = times[i]};
    harness_write(h, 0, harness_raw_rows(h, EVENTS, rows, 6));
    harness_tick(h);
    expect_entries(place, LEDGER "00000000000000000000.json: 0-6 rows 6/0 5\n");
    g_autofree char *late = place_read(place, "sales_events/year=2024/month=01/day=14/sales_events+0+0000000002.json");
    g_assert_cmpstr(late, ==, "1\n");
}

static void every_reason_that_ends_a_stay_cuts_all(Place *place, gconstpointer unused)
{
    (void) unused;
    const SfCommitReason reasons[] = {SF_COMMIT_MEMORY, SF_COMMIT_REVOKE, SF_COMMIT_SETTLE, SF_COMMIT_END};
    g_autoptr(Harness) h = place_sink(place, "");
    for (gint64 i = 0; i < 4; i++) {
        harness_write(h, 0, numbers(h, EVENTS, i, 1, NOON_US));
        harness_write(h, 0, numbers(h, "sales_events/1", i, 1, NOON_US));
        harness_commit(h, reasons[i]);
        g_assert_cmpint(harness_committed(h, 0, "sales_events/1"), ==, i + 1);
    }
}

static void ranges_without_rows_move_the_position(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "");
    const SfBatch *one = numbers(h, EVENTS, 7, 1, NOON_US);
    harness_write(h, 0, one);
    harness_commit(h, SF_COMMIT_END);
    harness_write(h, 0, harness_with_range(h, harness_raw(h, EVENTS, 8, NULL, 0), 8, 20));
    harness_pass(h, 60000);
    harness_tick(h);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 20);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, EVENTS), ==, 20);
}

static void holes_in_offsets_are_kept(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "flush.size: 2");
    const RawRow rows[] = {{.value = "1", .offset = 3, .timestamp_us = NOON_US},
                           {.value = "2", .offset = 9, .timestamp_us = NOON_US},
                           {.value = "3", .offset = 12, .timestamp_us = NOON_US}};
    harness_write(h, 0, harness_with_range(h, harness_raw_rows(h, EVENTS, rows, 3), 0, 15));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 15);
    expect_objects(place, DAY "0000000003.json: 1|2|\n" DAY "0000000012.json: 3|\n");
    expect_entries(place, LEDGER "00000000000000000000.json: 0-15 end 3/0 2\n");
}

/* The topic was deleted and created anew: offsets begin again, and what the old one left stays as it is. */
static void later_epochs_do_not_touch_earlier_ones(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "flush.size: 3");
    harness_write(h, 0, numbers(h, EVENTS, 0, 3, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, EVENTS "@2"), ==, SF_POSITION_NONE);
    harness_write(h, 0, numbers(h, EVENTS "@2", 0, 2, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    expect_objects(place, DAY "0000000000.json: {\"n\":0}|{\"n\":1}|{\"n\":2}|\n"
                              "sales_events/year=2024/month=01/day=15/sales_events@2+0+0000000000.json: "
                              "{\"n\":0}|{\"n\":1}|\n");
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, EVENTS), ==, 3);
    g_assert_cmpint(harness_recover(h, 0, EVENTS "@2"), ==, 2);
    g_assert_cmpint(harness_known_ms(h, 0, EVENTS), >, g_get_real_time() / 1000 - 600000);
    g_assert_cmpint(harness_known_ms(h, 0, EVENTS), <, g_get_real_time() / 1000 + 600000);
}

/* ---- lines ---- */

static void values_are_kept_byte_by_byte(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "");
    const char *const values[] = {"{\"id\": 9007199254740993, \"x\": 169299987.35345112, \"z\": 1e400, \"m\": -0 }",
                                  "{\r\n \"a\":\t[1,\n2] }", "\"caf\xc3\xa9\""};
    harness_write(h, 0, harness_raw(h, EVENTS, 0, values, 3));
    harness_commit(h, SF_COMMIT_END);
    expect_objects(place, DAY "0000000000.json: {\"id\": 9007199254740993, \"x\": 169299987.35345112, \"z\": 1e400, "
                              "\"m\": -0 }|{   \"a\":\t[1, 2] }|\"caf\xc3\xa9\"|\n");
}

static void what_is_no_json_is_rejected(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "");
    const char *const values[] = {"{\"a\": 1}", "{\"a\": ", "", "\"\xff\"", NULL, "{\"a\":\"x\ny\"}"};
    harness_write(h, 0, harness_raw(h, EVENTS, 0, values, 6));
    harness_commit(h, SF_COMMIT_END);
    const char *rejects = harness_rejects(h);
    g_assert_nonnull(strstr(rejects, "sales_events/0@1: the value is not valid JSON: "));
    g_assert_nonnull(strstr(rejects, "sales_events/0@2: the value is not valid JSON: "));
    g_assert_nonnull(strstr(rejects, "sales_events/0@3: the value is not valid JSON: "));
    g_assert_nonnull(strstr(rejects, "sales_events/0@4: the value is null"));
    g_assert_nonnull(strstr(rejects, "sales_events/0@5: the value is not valid JSON: "));
    expect_entries(place, LEDGER "00000000000000000000.json: 0-6 end 1/5 1\n");
    g_assert_cmpuint(h->settled, ==, 1);
}

static void raw_values_are_not_looked_at(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "format: raw\nbehavior.on.null.values: ignore");
    const char *const values[] = {"no json", NULL, "", "a\nb"};
    harness_write(h, 0, harness_raw(h, EVENTS, 0, values, 4));
    harness_commit(h, SF_COMMIT_END);
    expect_objects(place, DAY "0000000000.bin: no json||a|b|\n");
    g_assert_cmpuint(harness_n_rejects(h), ==, 0);
}

static void raw_objects_are_called_as_asked(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "format: raw\nformat.bytearray.extension: .json");
    const char *const values[] = {"no json"};
    harness_write(h, 0, harness_raw(h, EVENTS, 0, values, 1));
    harness_commit(h, SF_COMMIT_END);
    expect_objects(place, DAY "0000000000.json: no json|\n");
}

static void nulls_are_written_when_asked(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "behavior.on.null.values: write");
    const char *const values[] = {NULL, "1"};
    harness_write(h, 0, harness_raw(h, EVENTS, 0, values, 2));
    harness_commit(h, SF_COMMIT_END);
    expect_objects(place, DAY "0000000000.json: null|1|\n");
}

static void value_of_a_megabyte_is_a_line(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "");
    g_autofree char *filling = g_strnfill(1 << 20, 'x');
    g_autofree char *value = g_strdup_printf("\"%s\"", filling);
    harness_write(h, 0, harness_raw(h, EVENTS, 0, (const char *const[]){value}, 1));
    g_assert_cmpint(h->charged, >=, 1 << 20);
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *line = place_read(place, DAY "0000000000.json");
    g_assert_cmpuint(strlen(line), ==, (1 << 20) + 3);
    g_assert_cmpint(h->charged, ==, 0);
}

static void gzip_shrinks_and_reads_back(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "s3.compression.type: gzip");
    harness_write(h, 0, numbers(h, EVENTS, 0, 3, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *path = g_build_filename(place->path, DAY "0000000000.json.gz", NULL);
    const char *const command[] = {"gzip", "-dc", path, NULL};
    g_autofree char *lines = NULL;
    g_assert_true(
        g_spawn_sync(NULL, (char **) command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &lines, NULL, NULL, NULL));
    g_assert_cmpstr(lines, ==, "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
}

/* ---- directories ---- */

static void directories_follow_path_format_and_zone(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "topics.dir: /topics/\n"
                                             "path.format: \"'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH\"\n"
                                             "timezone: America/St_Johns\nfilename.offset.zero.pad.width: 3");
    const RawRow rows[] = {{.value = "1", .offset = 5, .timestamp_us = INT64_C(1705289399999999)},  /* 03:29:59 UTC */
                           {.value = "2", .offset = 6, .timestamp_us = INT64_C(1705289400000000)}}; /* 03:30 UTC */
    harness_write(h, 0, harness_raw_rows(h, EVENTS, rows, 2));
    harness_commit(h, SF_COMMIT_END);
    expect_objects(place, "topics/sales_events/year=2024/month=01/day=14/hour=23/sales_events+0+005.json: 1|\n"
                          "topics/sales_events/year=2024/month=01/day=15/hour=00/sales_events+0+006.json: 2|\n");
    expect_entries(place, "topics/_sf/test/sales_events/0/00000000000000000005.json: 5-7 end 2/0 2\n");
}

/* A month's or a year's rows share an object, whatever their days. */
static void months_and_years_are_one_directory(Place *place, gconstpointer unused)
{
    (void) unused;
    static const char *const formats[][2] = {{"YYYY/MM", "2024/01"}, {"YYYY", "2024"}, {"all", "all"}};
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {

        g_autofree char *yaml =
            g_strdup_printf("{url: 'file://%s', topics.dir: t%zu, path.format: %s}", place->path, i, formats[i][0]);
        g_autofree char *key = g_strdup_printf("t%zu/sales_events/%s/sales_events+0+0000000000.json", i, formats[i][1]);
        g_autoptr(Harness) h = harness_new("s3-bronze-sink", yaml);
        const RawRow rows[] = {{.value = "1", .offset = 0, .timestamp_us = NOON_US},
                               {.value = "2", .offset = 1, .timestamp_us = NOON_US + DAY_US}};
        harness_write(h, 0, harness_raw_rows(h, EVENTS, rows, 2));
        harness_commit(h, SF_COMMIT_END);
        g_autofree char *lines = place_read(place, key);
        g_assert_cmpstr(lines, ==, "1\n2\n");
    }
}

static void days_of_all_ages_have_their_directory(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "path.format: YYYY/MMdd");
    const RawRow rows[] = {{.value = "1", .offset = 0, .timestamp_us = -1},
                           {.value = "2", .offset = 1, .timestamp_us = INT64_C(1709164800000000)}, /* 2024-02-29 */
                           {.value = "3", .offset = 2, .timestamp_us = INT64_C(1768435200000000000)} /* year 58009 */};
    harness_write(h, 0, harness_raw_rows(h, EVENTS, rows, 3));
    harness_commit(h, SF_COMMIT_END);
    expect_objects(place, "sales_events/1969/1231/sales_events+0+0000000000.json: 1|\n"
                          "sales_events/2024/0229/sales_events+0+0000000001.json: 2|\n");
    g_assert_nonnull(strstr(harness_rejects(h), "sales_events/0@2: the record's timestamp is 1768435200000000000"));
}

static void rows_without_a_time_are_rejected(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "");
    const RawRow rows[] = {{.value = "1", .offset = 0}};
    harness_write(h, 0, harness_raw_rows(h, EVENTS, rows, 1));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpstr(harness_rejects(h), ==,
                    "sales_events/0@0: the record has no timestamp; set timestamp.extractor to "
                    "Wallclock or RecordField");
}

static void wall_clock_can_name_the_day(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "timestamp.extractor: Wallclock");
    const RawRow rows[] = {{.value = "1", .offset = 0}};
    harness_write(h, 0, harness_raw_rows(h, EVENTS, rows, 1));
    harness_commit(h, SF_COMMIT_END);
    expect_objects(place, DAY "0000000000.json: 1|\n");
}

static void field_of_the_event_can_name_the_day(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "timestamp.extractor: RecordField\ntimestamp.field: at.day\n"
                                             "timestamp.unit: s\ntimezone: '+01:00'");
    const char *const values[] = {"{\"x\":{\"at\":1},\"at\":{\"day\":\"2024-01-15\"}}",
                                  "{\"at\":{\"day\":\"2024-01-15T23:30:00Z\",\"day2\":1}}",
                                  "{\"at\":{\"day\":\"2024-01-15 10:00:00\"}}",
                                  "{\"at\":{\"day\":1705359600}}",
                                  "{\"at\":{\"day\":\"yesterday\"}}",
                                  "{\"at\":{\"day\":null}}",
                                  "{\"at\":[]}",
                                  "[1]",
                                  "{\"at\":{\"day\":1705359600000000}}"};
    harness_write(h, 0, harness_raw(h, EVENTS, 0, values, G_N_ELEMENTS(values)));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *same = place_read(place, DAY "0000000000.json");
    g_autofree char *next = place_read(place, NEXT_DAY "0000000001.json");
    g_assert_nonnull(strstr(same, "2024-01-15 10:00:00"));
    g_assert_nonnull(strstr(next, "1705359600"));
    g_assert_cmpstr(
        harness_rejects(h), ==,
        "sales_events/0@4: timestamp.field 'at.day': \"yesterday\" is not a valid time\n"
        "sales_events/0@5: timestamp.field 'at.day': null is not a valid time\n"
        "sales_events/0@6: timestamp.field 'at.day' is missing\n"
        "sales_events/0@7: timestamp.field 'at.day' is missing\n"
        "sales_events/0@8: timestamp.field 'at.day': 1705359600000000 is outside of the years 1 to 9999; is "
        "timestamp.unit right?");
}

/* The last instants of a day, of which a double knows nothing; a path goes into lists. */
static void times_keep_all_their_digits(Place *place, gconstpointer path)
{
    g_autofree char *options = g_strdup_printf(
        "timestamp.extractor: RecordField\ntimestamp.field: %s\ntimestamp.unit: ns", (const char *) path);
    g_autoptr(Harness) h = place_sink(place, options);
    const char *const values[] = {"{\"events\":[{},{\"at time\":1705363199999999999}]}",
                                  "{\"events\":[{},{\"at time\":1705363200000000000}]}",
                                  "{\"events\":[{},{\"at time\":1.705363199999999999E18}]}",
                                  "{\"events\":[{},{\"at time\":12345678901234567890123}]}", "{\"events\":[{}]}"};
    harness_write(h, 0, harness_raw(h, EVENTS, 0, values, G_N_ELEMENTS(values)));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *day = place_read(place, DAY "0000000000.json");
    g_autofree char *next = place_read(place, NEXT_DAY "0000000001.json");
    g_assert_nonnull(strstr(day, ":1705363199999999999}"));
    g_assert_nonnull(strstr(day, ":1.705363199999999999E18}"));
    g_assert_nonnull(strstr(next, ":1705363200000000000}"));
    g_assert_cmpuint(harness_n_rejects(h), ==, 2);
    g_assert_nonnull(strstr(harness_rejects(h), "is outside of the years 1 to 9999"));
    g_assert_nonnull(strstr(harness_rejects(h), "@4: timestamp.field '"));
}

/* ---- options ---- */

typedef struct Mistake {
    const char *options;
    const char *message;
} Mistake;

static void mistakes_are_told_at_bind(Place *place, gconstpointer unused)
{
    (void) unused;
    const Mistake mistakes[] = {
        {"path.format: \"'year=YYYY\"", "a quote that is not closed"},
        {"path.format: \"'day'=DD\"", "'DD', which is not a field"},
        {"path.format: /YYYY", "begins with a '/'"},
        {"path.format: ../YYYY", "is not a relative path"},
        {"topics.dir: ../../x", "topics.dir: '../../x' has a segment '..'"},
        {"topics.dir: a/./b", "topics.dir: 'a/./b' has a segment '.'"},
        {"timezone: Mars/Olympus", "timezone: 'Mars/Olympus' is not known here"},
        {"timestamp.extractor: RecordField", "needs 'timestamp.field'"},
        {"{timestamp.extractor: RecordField, timestamp.field: a, format: raw}", "needs 'format: json'"},
        {"{timestamp.extractor: RecordField, timestamp.field: 'a b'}", "'a b' is not a path to a field; write"},
        {"{timestamp.extractor: RecordField, timestamp.field: 'a[*]'}",
         "'a[*]' is not a path to a field: '[*]' in a path"},
        {"{timestamp.extractor: RecordField, timestamp.field: $}", "'$' is not a path to a field"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        g_autofree char *flow = mistakes[i].options[0] == '{'
                                    ? g_strndup(mistakes[i].options + 1, strlen(mistakes[i].options) - 2)
                                    : g_strdup(mistakes[i].options);
        g_autofree char *yaml = g_strdup_printf("{url: 'file://%s', %s}", place->path, flow);
        g_autoptr(Harness) h = harness_new("s3-bronze-sink", yaml);
        g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
        g_test_message("%s", h->err.message);
        g_assert_nonnull(strstr(h->err.message, mistakes[i].message));
    }
    g_autofree char *wrong = harness_check("s3-bronze-sink", "{url: x, flush.sise: 3, format: xml, pad: 1}");
    g_assert_nonnull(strstr(wrong, "did you mean 'flush.size'?"));
}

static void urls_are_checked_at_bind(Place *place, gconstpointer unused)
{
    (void) unused;
    (void) place;
    g_autoptr(Harness) h = harness_new("s3-bronze-sink", "{url: raw-bucket/sales}");
    g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
    g_assert_cmpstr(h->err.message, ==,
                    "url: 'raw-bucket/sales' has no scheme that is known; write s3://bucket/prefix, file:///directory "
                    "or ./directory");
}

static void decoded_rows_are_refused(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "");
    harness_input_text(h, "sales", "order_id string not null, value int");
    g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
    g_assert_nonnull(strstr(h->err.message, "input 'sales' has no column 'value' of bytes or text"));
}

static void names_that_are_no_key_are_escaped(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "");
    harness_write(h, 0, numbers(h, "../a b/0", 0, 1, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *objects = place_objects(place);
    g_assert_true(g_str_has_prefix(objects, "..%2Fa%20b/year=2024/"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/bronze/" name, Place, NULL, place_set_up, function, place_tear_down)
    ADD("rows cut a range", rows_cut_a_range);
    ADD("event time cuts a range", event_time_cuts_a_range);
    ADD("later epochs do not touch earlier ones", later_epochs_do_not_touch_earlier_ones);
    ADD("days that alternate share a range", days_that_alternate_share_a_range);
    ADD("late row at a range's start cuts nothing", late_row_at_a_ranges_start_cuts_nothing);
    ADD("every reason that ends a stay cuts all", every_reason_that_ends_a_stay_cuts_all);
    ADD("ranges without rows move the position", ranges_without_rows_move_the_position);
    ADD("holes in offsets are kept", holes_in_offsets_are_kept);
    ADD("values are kept byte by byte", values_are_kept_byte_by_byte);
    ADD("what is no JSON is rejected", what_is_no_json_is_rejected);
    ADD("raw values are not looked at", raw_values_are_not_looked_at);
    ADD("raw objects are called as asked", raw_objects_are_called_as_asked);
    ADD("nulls are written when asked", nulls_are_written_when_asked);
    ADD("value of a megabyte is a line", value_of_a_megabyte_is_a_line);
    ADD("gzip shrinks and reads back", gzip_shrinks_and_reads_back);
    ADD("directories follow path.format and zone", directories_follow_path_format_and_zone);
    ADD("months and years are one directory", months_and_years_are_one_directory);
    ADD("days of all ages have their directory", days_of_all_ages_have_their_directory);
    ADD("rows without a time are rejected", rows_without_a_time_are_rejected);
    ADD("wall clock can name the day", wall_clock_can_name_the_day);
    ADD("field of the event can name the day", field_of_the_event_can_name_the_day);
    static const char *const paths[] = {"events[1].`at time`", "$.events[-1]['at time']"};
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *name = g_strdup_printf("/bronze/times keep all their digits, %zu", i);
        g_test_add(name, Place, paths[i], place_set_up, times_keep_all_their_digits, place_tear_down);
    }
    ADD("mistakes are told at bind", mistakes_are_told_at_bind);
    ADD("urls are checked at bind", urls_are_checked_at_bind);
    ADD("decoded rows are refused", decoded_rows_are_refused);
    ADD("names that are no key are escaped", names_that_are_no_key_are_escaped);
    return g_test_run();
}
