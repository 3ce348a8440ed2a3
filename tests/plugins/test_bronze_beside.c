/* Keys and headers beside bronze's objects, named and written as Kafka Connect does: s3-bronze-sink writes them in the
 * same range as the values, bronze-source gives them back. */
#include <string.h>

#include "bronze_fixture.h"

#define BOTH "store.kafka.keys: true\nstore.kafka.headers: true\n"
#define DAY "sales_events/year=2024/month=01/day=15/sales_events+0+"

static const char *const no_headers[] = {NULL};
static const char *const one_header[] = {"trace", "4bf9", NULL};
static const char *const headers[] = {"a", "", "b \"quoted\"", "\xC3\xA9\n", "a", "\xFF\xFE", NULL};

/* Nulls and empty ones, what JSON escapes, what is not UTF-8, and what is JSON itself. */
static const SfBatch *keyed_rows(Harness *h, gint64 first)
{
    const struct {
        const char *key;
        const char *value;
        const char *const *headers;
    } parts[] = {{"k1", "{\"n\":0}", NULL},      {NULL, "{\"n\":1}", no_headers}, {"", "{\"n\":2}", one_header},
                 {"{\"id\":3}", NULL, NULL}, /* a tombstone */
                 {"null", "{\"n\":4}", headers}, {"a\"\n\\", "{\"n\":5}", NULL},  {"\xFF\x01", "{\"n\":6}", NULL}};
    RawRow rows[G_N_ELEMENTS(parts)];
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        rows[i] = (RawRow){.key = parts[i].key,
                           .value = parts[i].value,
                           .headers = parts[i].headers,
                           .offset = first + (gint64) i,
                           .timestamp_us = NOON_US + (gint64) i % 2 * DAY_US};
    return harness_raw_rows(h, EVENTS, rows, G_N_ELEMENTS(parts));
}

static char *write_keyed(const Place *place, const char *options, gint64 first)
{
    g_autofree char *yaml = g_strconcat(options, "behavior.on.null.values: write\n", NULL);
    g_autoptr(Harness) sink = place_sink(place, yaml);
    harness_recover(sink, 0, EVENTS);
    const SfBatch *batch = keyed_rows(sink, first);
    harness_write(sink, 0, batch);
    harness_commit(sink, SF_COMMIT_END);
    g_assert_cmpuint(harness_n_rejects(sink), ==, 0);
    return g_strdup(harness_text(sink, batch));
}

static char *read_keyed(const Place *place, const char *options)
{
    g_autoptr(Harness) h = place_source(place, options);
    GString *text = g_string_new(NULL);
    for (const SfBatch *batch; (batch = harness_poll(h, 0));)
        g_string_append_printf(text, "%s%s", text->len > 0 ? "\n" : "", harness_text(h, batch));
    assert_end(h);
    g_assert_cmpint(h->charged, ==, strstr(options, "connect") ? h->charged : 0);
    return g_string_free(text, FALSE);
}

static void test_round_trip(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *const options[] = {BOTH, BOTH "s3.compression.type: gzip\n", BOTH "format: raw\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        g_autofree char *yaml = g_strdup_printf("%stopics.dir: run%zu\n", options[i], i);
        g_autofree char *from = g_strdup_printf("topics.dir: run%zu\nbatch_rows: 3\n", i);
        g_autofree char *in = write_keyed(place, yaml, 0), *out = read_keyed(place, from);
        g_assert_cmpstr(out, ==, in);
    }
}

/* Names and lines as Kafka Connect has them. */
static void test_lines(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autofree char *in = write_keyed(place, BOTH "path.format: ''\nfilename.offset.zero.pad.width: 3\n", 0);
    g_autofree char *objects = place_objects(place);
    g_assert_cmpstr(
        objects, ==,
        "sales_events/sales_events+0+000.headers.json: null|{\"headers\":[]}|{\"headers\":[{\"key\":\"trace\","
        "\"value\":\"4bf9\"}]}|null|{\"headers\":[{\"key\":\"a\",\"value\":\"\"},{\"key\":\"b \\\"quoted\\\"\","
        "\"value\":\"\xC3\xA9\\n\"},{\"key\":\"a\",\"value_base64\":\"//4=\"}]}|null|null|\n"
        "sales_events/sales_events+0+000.json: {\"n\":0}|{\"n\":1}|{\"n\":2}|null|{\"n\":4}|{\"n\":5}|{\"n\":6}|\n"
        "sales_events/sales_events+0+000.keys.json: \"k1\"|null|\"\"|\"{\\\"id\\\":3}\"|\"null\"|"
        "\"a\\\"\\n\\\\\"|{\"key_base64\":\"/wE=\"}|\n");
}

/* One of the two; the other stays null. */
static void test_keys_only(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autofree char *in = write_keyed(place, "store.kafka.keys: true\nformat: raw\n", 0);
    g_autofree char *keys = place_read(place, DAY "0000000000.keys.json"), *out = read_keyed(place, "");
    g_assert_cmpstr(keys, ==, "\"k1\"\n\"\"\n\"null\"\n{\"key_base64\":\"/wE=\"}\n");
    g_assert_nonnull(strstr(out, "\"key\":\"k1\""));
    g_assert_null(strstr(out, "trace"));
}

/* Killed before all of the range's objects are there: what is missing is written again, by what the entry says. */
static void check_redo(const Place *place, const char *missing, const char *options)
{
    g_autofree char *in = write_keyed(place, BOTH, 0), *before = place_objects(place);
    place_delete(place, missing);
    g_autofree char *yaml = g_strconcat(options, "behavior.on.null.values: write\n", NULL);
    g_autoptr(Harness) sink = place_sink(place, yaml);
    g_assert_cmpint(harness_recover(sink, 0, EVENTS), ==, 0);
    harness_write(sink, 0, keyed_rows(sink, 0));
    harness_commit(sink, SF_COMMIT_END);
    g_autofree char *after = place_objects(place), *out = read_keyed(place, "");
    g_assert_cmpstr(after, ==, before);
    g_assert_cmpstr(out, ==, in);
    g_assert_null(strstr(harness_logs(sink), "reads back as"));
}

static void test_redo(Place *place, gconstpointer unused)
{
    (void) unused;
    check_redo(place, DAY "0000000000.keys.json", BOTH);
}

static void test_redo_value(Place *place, gconstpointer unused)
{
    (void) unused;
    check_redo(place, DAY "0000000000.json", "");
}

static void test_redo_headers(Place *place, gconstpointer unused)
{
    (void) unused;
    check_redo(place, DAY "0000000000.headers.json", "store.kafka.keys: true\n");
}

/* Retention removes rows between the kill and the redo. What is stored of an object and the entry that says so stay as
 * they are; where nothing of it is stored any more, both are written as the topic is now. */
static void test_redo_lost_rows(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *entry = "_sf/test/sales_events/0/00000000000000000000.json";
    g_autofree char *in = write_keyed(place, BOTH, 0);
    place_delete(place, DAY "0000000000.keys.json");
    g_autofree char *before = place_objects(place), *said = place_read(place, entry);
    for (int again = 0; again < 2; again++) {
        g_autoptr(Harness) sink = place_sink(place, BOTH);
        g_assert_cmpint(harness_recover(sink, 0, EVENTS), ==, 0);
        const SfBatch *left = harness_with_range(sink, numbers(sink, EVENTS, 4, 1, NOON_US), 0, 7);
        g_assert_cmpint(harness_try_write(sink, 0, left), ==, SF_FATAL);
        g_assert_nonnull(strstr(sink->err.message, "sales_events/0: the topic has lost rows (retention, compaction)"));
        g_assert_nonnull(strstr(sink->err.message, DAY "0000000000.json' and its keys and headers were all written: it "
                                                       "reads back as 1 rows where its ledger entry says 4"));
        g_autofree char *after = place_objects(place), *says = place_read(place, entry);
        g_assert_cmpstr(after, ==, before);
        g_assert_cmpstr(says, ==, said);
    }
    place_delete(place, DAY "0000000000.json");
    place_delete(place, DAY "0000000000.headers.json");
    g_autoptr(Harness) sink = place_sink(place, BOTH);
    harness_write(sink, 0, harness_with_range(sink, numbers(sink, EVENTS, 4, 1, NOON_US), 0, 7));
    harness_commit(sink, SF_COMMIT_END);
    g_autofree char *keys = place_read(place, DAY "0000000000.keys.json");
    g_assert_cmpstr(keys, ==, "null\n");
}

/* A range without them is followed by one with them. */
static void test_turned_on(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autofree char *plain = write_keyed(place, "", 0), *keyed = write_keyed(place, BOTH, 7);
    g_autofree char *out = read_keyed(place, "");
    g_assert_true(g_str_has_suffix(out, keyed));
    g_assert_nonnull(strstr(out, "{\"key\":null,\"value\":\"{\\\"n\\\":0}\""));
}

static void check_refusal(const Place *place, const char *options, const char *message)
{
    g_autoptr(Harness) h = place_source(place, options);
    while (harness_poll(h, 0))
        ;
    if (!strstr(h->err.message, message))
        g_error("'%s' says nothing of '%s'", h->err.message, message);
    g_assert_cmpint(h->status, ==, SF_FATAL);
}

static void test_foreign(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autofree char *in = write_keyed(place, BOTH, 0);
    place_put(place, DAY "0000000000.keys.json", "\"other\"\n");
    g_autoptr(Harness) sink = place_sink(place, BOTH);
    g_assert_cmpint(harness_try_recover(sink, 0, EVENTS), ==, SF_CONFIG);
    g_assert_nonnull(strstr(sink->err.message, "0000000000.keys.json' (8 bytes) is not the object of"));
    check_refusal(place, "", "0000000000.keys.json' (rows 0 to 6) is not the object that the ledger describes");
}

static void test_missing(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autofree char *one = write_keyed(place, BOTH, 0), *other = write_keyed(place, BOTH, 7);
    place_delete(place, DAY "0000000000.headers.json");
    check_refusal(place, "", "0000000000.headers.json' is missing, with 4 rows of sales_events/0 from 0 to 6");
    g_autofree char *out = read_keyed(place, "on_missing: skip\n");
    g_assert_true(g_str_has_suffix(out, other));
    g_auto(GStrv) rows = g_strsplit(out, "\n", -1), traces = g_strsplit(out, "trace", -1);
    g_assert_cmpuint(g_strv_length(rows), ==, 14);
    g_assert_cmpuint(g_strv_length(traces), ==, 2);                                     /* once, in the other range */
    g_assert_nonnull(strstr(rows[4], "{\"key\":\"null\",\"value\":\"{\\\"n\\\":4}\"")); /* with its key */
    g_assert_nonnull(strstr(rows[4], "\"headers\":null"));
    g_assert_nonnull(strstr(rows[1], "\"headers\":[]")); /* of an object that has them */
}

static void test_no_column(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *const columns[] = {"key", "headers"};
    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
        g_autofree char *option = g_strdup_printf("store.kafka.%ss: true\n", i == 0 ? "key" : "header");
        g_autofree char *message = g_strdup_printf("input 'values' has no column '%s'", columns[i]);
        g_autoptr(Harness) sink = place_sink(place, option);
        harness_input_text(sink, "values", "value string, timestamp timestamp");
        g_assert_cmpint(harness_try_bind(sink), ==, SF_CONFIG);
        g_assert_nonnull(strstr(sink->err.message, message));
        g_assert_true(g_str_has_prefix(sink->err.message, "store.kafka."));
    }
}

/* ---- those of Kafka Connect ---- */

#define CONNECT "layout: connect\n" BOTH

static void put_connect(const Place *place)
{
    place_put(place, "t/t+0+0000000000.json", "1\n2\n3\n");
    place_pack(place, "t/t+0+0000000000.keys.json.gz", "\"a\"\n{\"id\":2}\n7\n");
    place_put(place, "t/t+0+0000000000.headers.json",
              "{\"headers\":[{\"key\":\"h\",\"value\":\"x\"}]}\n{\"headers\":[]}\n"
              "{\"headers\":[{\"key\":\"h\",\"value\":1.5},{\"key\":\"g\",\"value\":null}]}\n");
}

static void test_connect(Place *place, gconstpointer unused)
{
    (void) unused;
    put_connect(place);
    g_autofree char *out = read_keyed(place, CONNECT), *bare = read_keyed(place, "layout: connect\n");
    const char *const said[] = {"{\"key\":\"a\",\"value\":\"1\"",
                                "{\"key\":\"{\\\"id\\\":2}\",\"value\":\"2\"",
                                "{\"key\":\"7\",\"value\":\"3\"",
                                "\"headers\":[{\"key\":\"h\",\"value\":\"x\"}]",
                                "\"headers\":[]",
                                "{\"key\":\"h\",\"value\":\"1.5\"},{\"key\":\"g\",\"value\":null}"};
    for (gsize i = 0; i < G_N_ELEMENTS(said); i++)
        if (!strstr(out, said[i]))
            g_error("%s\nhas no %s", out, said[i]);
    g_assert_nonnull(strstr(bare, "{\"key\":null,\"value\":\"1\""));
}

static void check_connect(const Place *place, const char *key, const char *text, const char *message)
{
    put_connect(place);
    place_delete(place, "t/t+0+0000000000.keys.json.gz");
    place_put(place, "t/t+0+0000000000.keys.json", "\"a\"\n\"b\"\n\"c\"\n");
    place_put(place, key, text);
    check_refusal(place, CONNECT, message);
    place_delete(place, "t/t+0+0000000000.keys.json");
}

static void test_connect_wrong(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *keys = "t/t+0+0000000000.keys.json", *of = "t/t+0+0000000000.headers.json";
    check_connect(place, keys, "\"a\"\n\"b\"\n",
                  ".keys.json' has fewer lines than 't/t+0+0000000000.json', whose keys");
    check_connect(place, keys, "1\n2\n3\n4\n", ".keys.json' has more lines than 't/t+0+0000000000.json', whose keys");
    check_connect(place, keys, "1\nx\n3\n", "t/0/1: what lies beside the row as its keys is not that: x");
    check_connect(place, keys, "1\n\"\\ud800\"\n3\n", "t/0/1: what lies beside the row as its keys is not that");
    check_connect(place, keys, "1\n{\"key_base64\":\"!\"}\n3\n", "t/0/1: what lies beside the row as its keys is not");
    check_connect(place, of, "null\nnull\n[]\n", "t/0/2: what lies beside the row as its headers is not that: []");
    check_connect(place, of, "null\nnull\n{\n", "t/0/2: what lies beside the row as its headers is not that: {");
    check_connect(place, of, "null\nnull\n{\"headers\":[1]}\n", "t/0/2: what lies beside the row as its headers");
    check_connect(place, of, "null\nnull\n{\"headers\":[{\"value\":\"a\"}]}\n",
                  "t/0/2: what lies beside the row as its");
    check_connect(place, of, "null\nnull\n{\"headers\":[{\"key\":\"a\"}]}\n", "t/0/2: what lies beside the row as its");
    check_connect(place, of, "null\nnull\n{\"headers\":[{\"key\":\"a\",\"value_base64\":\"!\"}]}\n",
                  "t/0/2: what lies beside the row as its headers");
}

/* What lies beside an object goes between the listing and the reading. */
static void check_listed_and_gone(const Place *place)
{
    const char *beside = "t/t+0+0000000001.keys.json", *object = "t/t+0+0000000001.json";
    place_put(place, "t/t+0+0000000000.keys.json", "\"k\"\n");
    place_put(place, object, "2\n");
    place_put(place, beside, "\"gone\"\n");
    g_autoptr(Harness) h = place_source(place, "layout: connect\nstore.kafka.keys: true\non_missing: skip\n");
    g_assert_nonnull(harness_poll(h, 0));
    place_delete(place, beside);
    const SfBatch *batch = harness_poll(h, 0);
    g_assert_nonnull(batch);
    g_assert_nonnull(strstr(harness_text(h, batch), "{\"key\":null,\"value\":\"2\""));
    g_assert_nonnull(strstr(harness_logs(h), "t/t+0+0000000001.keys.json' was listed and is missing now"));
    place_delete(place, object);
    place_delete(place, "t/t+0+0000000000.keys.json");
}

/* They come after the object; one that has none by then is refused, or read without. */
static void test_connect_missing(Place *place, gconstpointer unused)
{
    (void) unused;
    place_put(place, "t/t+0+0000000000.json", "1\n");
    check_refusal(place, "layout: connect\nstore.kafka.keys: true\n", "t/0: 'file:///");
    check_refusal(place, "layout: connect\nstore.kafka.keys: true\n", "t/t+0+0000000000.json' has no keys beside it");
    g_autofree char *out = read_keyed(place, "layout: connect\nstore.kafka.keys: true\non_missing: skip\n");
    g_assert_nonnull(strstr(out, "{\"key\":null,\"value\":\"1\""));
    check_listed_and_gone(place);
    g_autoptr(Harness) h = place_source(place, "layout: connect\nstore.kafka.keys: true\n");
    h->bounded = false;
    h->now_ms = g_get_real_time() / 1000;
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->status, ==, SF_EMPTY);
    place_put(place, "t/t+0+0000000000.keys.json", "\"late\"\n");
    h->monotonic_ms += 1000;
    const SfBatch *batch = harness_poll(h, 0);
    g_assert_nonnull(batch);
    g_assert_nonnull(strstr(harness_text(h, batch), "\"key\":\"late\""));
}

static const SfBatch *after_a_while(Harness *h)
{
    harness_pass(h, 20000);
    return harness_poll(h, 0);
}

/* Of what is known only that is leapt over that was read: what comes beside the last object, and into a hole. */
static void test_pages_beside(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *lines = "{\"headers\":[{\"key\":\"h\",\"value\":\"x\"}]}\n";
    for (int i = 0; i < 600; i++) {
        g_autofree char *key = g_strdup_printf("t/t+0+%010d.json", i);
        g_autofree char *beside = g_strdup_printf("t/t+0+%010d.headers.json", i);
        place_put(place, key, "a\n");
        if (i < 599)
            place_put(place, beside, lines);
    }
    g_autoptr(Harness) h = place_source(place, "layout: connect\nstore.kafka.headers: true\n");
    h->bounded = false;
    h->now_ms = g_get_real_time() / 1000;
    gint64 rows = 0;
    for (const SfBatch *batch; (batch = harness_poll(h, 0)); rows += sf_rows(batch))
        ;
    g_assert_cmpint(rows, ==, 599);
    place_put(place, "t/t+0+0000000599.headers.json", lines);
    const SfBatch *last = after_a_while(h);
    g_assert_nonnull(last);
    g_assert_nonnull(strstr(harness_text(h, last), "\"headers\":[{\"key\":\"h\",\"value\":\"x\"}]"));
    place_put(place, "t/t+0+0000000605.json", "c\n");
    place_put(place, "t/t+0+0000000605.headers.json", lines);
    h->now_ms = g_get_real_time() / 1000;
    h->monotonic_ms += 5000;
    g_assert_null(harness_poll(h, 0)); /* behind a hole */
    place_put(place, "t/t+0+0000000602.json", "b\n");
    place_put(place, "t/t+0+0000000602.headers.json", lines);
    last = after_a_while(h);
    g_assert_cmpint(last->end, ==, 603);
    g_assert_cmpint(harness_poll(h, 0)->end, ==, 606);
}

/* What is read beside the values is memory, too, and shares what is asked for at once. */
static void test_charged(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GString) values = g_string_new(NULL), keys = g_string_new(NULL);
    g_autofree char *key = g_strnfill(1000, 'k');
    for (int i = 0; i < 3500; i++) {
        g_string_append(values, "1\n");
        g_string_append_printf(keys, "\"%s\"\n", key);
    }
    place_put(place, "t/t+0+0.json", values->str);
    place_put(place, "t/t+0+0.keys.json", keys->str);
    g_autoptr(Harness) h = place_source(place, "layout: connect\nstore.kafka.keys: true\nbatch_rows: 10\n");
    g_assert_nonnull(harness_poll(h, 0));
    g_assert_cmpint(h->charged, >, 512 << 10);
    g_assert_cmpint(h->charged, <, 3 << 20);
    while (harness_poll(h, 0))
        ;
    assert_end(h);
}

/* A key that no block has room for, and one that is longer than its value by far. */
static void test_long_keys(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) sink = place_sink(place, "store.kafka.keys: true\n");
    g_autofree char *longest = g_strnfill(3 << 20, 'k');
    RawRow rows[5];
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        rows[i] = (RawRow){.key = longest + (i % 2 == 0 ? 0 : (3 << 20) - 70000),
                           .value = "{}",
                           .offset = (gint64) i,
                           .timestamp_us = NOON_US};
    const SfBatch *in = harness_raw_rows(sink, EVENTS, rows, G_N_ELEMENTS(rows));
    g_autofree char *text = g_strdup(harness_text(sink, in));
    harness_write(sink, 0, in);
    harness_commit(sink, SF_COMMIT_END);
    g_autofree char *out = read_keyed(place, "");
    g_assert_true(g_str_equal(out, text));
}

#define TEST(name, function) g_test_add("/bronze-beside/" name, Place, NULL, place_set_up, function, place_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("round-trip", test_round_trip);
    TEST("lines", test_lines);
    TEST("keys-only", test_keys_only);
    TEST("redo", test_redo);
    TEST("redo-value", test_redo_value);
    TEST("redo-headers", test_redo_headers);
    TEST("redo-lost-rows", test_redo_lost_rows);
    TEST("turned-on", test_turned_on);
    TEST("foreign", test_foreign);
    TEST("missing", test_missing);
    TEST("no-column", test_no_column);
    TEST("connect", test_connect);
    TEST("connect-wrong", test_connect_wrong);
    TEST("connect-missing", test_connect_missing);
    TEST("pages", test_pages_beside);
    TEST("charged", test_charged);
    TEST("long-keys", test_long_keys);
    return g_test_run();
}
