/* bronze-source and the objects of Kafka Connect's S3 sinks: names give splits and offsets, and what does not fit
 * together is said or refused. */
#include <glib/gstdio.h>
#include <string.h>

#include "bronze_fixture.h"

#define CONNECT "layout: connect\n"

static gboolean add_split(gpointer split, gpointer rows, gpointer user)
{
    GString *text = user;
    g_string_append_printf(text, "%s%s:%s", text->len > 0 ? "\n" : "", (char *) split, ((GString *) rows)->str);
    return FALSE;
}

static void free_rows(gpointer rows)
{
    g_string_free(rows, TRUE);
}

static gint by_name(gconstpointer a, gconstpointer b, gpointer unused)
{
    (void) unused;
    return strcmp(a, b);
}

static void add_rows(Harness *h, const SfBatch *batch, GString *text)
{
    SfColumn value, offset;
    g_assert_cmpint(sf_column(batch, "value", SF_BINARY, &value, &h->err), ==, SF_OK);
    g_assert_cmpint(sf_column(batch, "offset", SF_INT64, &offset, &h->err), ==, SF_OK);
    for (gint64 row = 0; row < sf_rows(batch); row++) {
        SfBytes bytes = sf_bytes(&value, row);
        g_string_append_printf(text, " %.*s@%" G_GINT64_FORMAT, (int) bytes.size, (const char *) bytes.data,
                               sf_i64(&offset, row));
    }
}

/* "topic/partition: value@offset …" of a run to its end, a line a split, sorted by their names. */
static char *offsets_of(Harness *h)
{
    g_autoptr(GTree) splits = g_tree_new_full(by_name, NULL, g_free, free_rows);
    for (const SfBatch *batch; (batch = harness_poll(h, 0));) {
        GString *rows = g_tree_lookup(splits, batch->split->name);
        if (!rows)
            g_tree_insert(splits, g_strdup(batch->split->name), rows = g_string_new(NULL));
        add_rows(h, batch, rows);
    }
    GString *text = g_string_new(NULL);
    g_tree_foreach(splits, add_split, text);
    return g_string_free(text, FALSE);
}

static void check_rows(const Place *place, const char *options, const char *expected)
{
    g_autoptr(Harness) h = place_source(place, options);
    g_autofree char *text = offsets_of(h);
    assert_end(h);
    g_assert_cmpstr(text, ==, expected);
    g_assert_cmpint(h->charged, >=, 0);
}

static void check_from(const Place *place, const char *options, const char *split, gint64 from, const char *expected)
{
    g_autoptr(Harness) h = place_source(place, options);
    harness_answer(h, split, from);
    g_autofree char *text = offsets_of(h);
    assert_end(h);
    g_assert_cmpstr(text, ==, expected);
}

/* ---- names ---- */

static void test_partitions(Place *place, gconstpointer unused)
{
    (void) unused;
    place_put(place, "topics/sales/partition=0/sales+0+0000000000.json", "a\nb\n");
    place_put(place, "topics/sales/partition=0/sales+0+0000000002.json", "c\n");
    place_put(place, "topics/sales/partition=1/sales+1+0000000005.json", "d\n\ne\n"); /* an empty value is one */
    place_put(place, "topics/other/partition=0/other+0+0000000000.bin", "x\r\n");
    check_rows(place, CONNECT "topics.dir: topics\ntopics: sales\n", "sales/0: a@0 b@1 c@2\nsales/1: d@5 @6 e@7");
    check_rows(place, CONNECT "path: topics/other/**\n", "other/0: x\r@0");
    g_autoptr(Harness) h = place_source(place, CONNECT);
    g_autofree char *text = offsets_of(h);
    assert_end(h);
    g_assert_cmpstr(text, ==, "other/0: x\r@0\nsales/0: a@0 b@1 c@2\nsales/1: d@5 @6 e@7");
    g_assert_cmpint(harness_polled(h, "sales/1"), ==, 8);
    g_assert_cmpint(harness_lag(h, "sales/1"), ==, 8);
    g_assert_cmpstr(harness_logs(h), ==, "");
}

/* A time-based partitioner: directories in the order of time are one split. */
static void test_hours(Place *place, gconstpointer unused)
{
    (void) unused;
    place_put(place, "sales/year=2024/month=01/day=15/hour=09/sales+3+0000000100.json", "a\nb\n");
    place_put(place, "sales/year=2024/month=01/day=15/hour=10/sales+3+0000000102.json", "c\n");
    place_put(place, "sales/year=2024/month=01/day=14/hour=23/sales+3+0000000103.json", "late\n");
    place_put(place, "sales/year=2024/month=01/day=15/hour=11/sales+3+0000000104.json", "d\n");
    check_rows(place, CONNECT, "sales/3: a@100 b@101 c@102 late@103 d@104");
}

static void test_aiven(Place *place, gconstpointer unused)
{
    (void) unused;
    place_put(place, "raw/eu-sales.v1-0-9", "a\n");
    place_put(place, "raw/eu-sales.v1-0-10", "b\nc"); /* no line break at its end */
    place_pack(place, "raw/eu-sales.v1-0-00000000000000000012.gz", "d\n");
    check_rows(place, CONNECT, "eu-sales.v1/0: a@9 b@10 c@11 d@12");
    check_rows(place, CONNECT "topics: [other, eu-sales.v1]\npath: 'r?w/**'\nstart: latest\n", "eu-sales.v1/0: d@12");
}

static void test_packed(Place *place, gconstpointer unused)
{
    (void) unused;
    place_pack(place, "t/t+0+0000000000.json.gz", "a\nb\n");
    place_pack(place, "t/t+0+0000000002.json", "c\n"); /* Content-Encoding: gzip */
    check_rows(place, CONNECT, "t/0: a@0 b@1 c@2");
}

static void test_strangers(Place *place, gconstpointer unused)
{
    (void) unused;
    place_put(place, "t/t+0+0.json", "a\n");
    place_put(place, "t/t+0+0.keys.json", "\"k\"\n");
    place_put(place, "t/t+0+0.headers.json", "[]\n");
    place_put(place, "t/_SUCCESS", "");
    place_put(place, "t/.tmp/t+0+1.json", "b\n");
    place_put(place, "t/readme.md", "no object\n");
    place_put(place, "t/part-00000-1f2e-c000.json", "no object\n");
    place_put(place, "t/t+0+99999999999999999999.json", "no offset\n");
    place_put(place, "t/t+4294967296+1.json", "no partition\n");
    place_put(place, "t/a b+0+1.json", "no topic\n");
    g_autoptr(Harness) h = place_source(place, CONNECT);
    g_autofree char *text = offsets_of(h);
    assert_end(h);
    g_assert_cmpstr(text, ==, "t/0: a@0");
    g_assert_nonnull(strstr(harness_logs(h), "warning: 5 objects below '"));
    g_assert_nonnull(strstr(harness_logs(h), "are passed over, such as 't/a b+0+1.json'"));
}

static void test_nothing(Place *place, gconstpointer unused)
{
    (void) unused;
    place_expect_refusal(place, CONNECT, "is named as Kafka Connect does (sales+0+0000000000.json, sales-0-0)");
    place_put(place, "in/rows.jsonl", "a\n");
    place_expect_refusal(place, CONNECT, "there is 'in/rows.jsonl', which 'layout: files' would read");
    place_put(place, "in/sales+0+0.json", "a\n");
    place_expect_refusal(place, CONNECT "topics: [other]\n", "for these topics");
    place_expect_refusal(place, "", "Objects of others are read with 'layout: connect' or 'layout: files'");
    g_autoptr(Harness) h = place_source(place, CONNECT "topics: [other]\n");
    h->bounded = false;
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->status, ==, SF_EMPTY);
    g_assert_nonnull(strstr(harness_logs(h), "waiting for it"));
}

/* ---- positions ---- */

static void test_resumes(Place *place, gconstpointer unused)
{
    (void) unused;
    place_put(place, "t/t+0+0000000010.json", "a\nb\nc\n");
    place_put(place, "t/t+0+0000000013.json", "d\n");
    place_put(place, "t/t+0+0000000020.json", "e\n");
    check_from(place, CONNECT, "t/0", 11, "t/0: b@11 c@12 d@13 e@20");
    check_from(place, CONNECT, "t/0", 13, "t/0: d@13 e@20");
    check_from(place, CONNECT, "t/0", 14, "t/0: e@20");
    check_from(place, CONNECT, "t/0", 17, "t/0: e@20"); /* a sink that was fed from Kafka, in the hole */
    check_from(place, CONNECT, "t/0", 21, "");
    check_from(place, CONNECT, "t/0", 500, "");
    check_from(place, CONNECT "start: latest\n", "t/0", 12, "t/0: c@12 d@13 e@20"); /* it is known */
    check_rows(place, CONNECT "start: latest\n", "t/0: e@20");
}

/* Holes are said once a split, and counted. */
static void test_holes(Place *place, gconstpointer unused)
{
    (void) unused;
    place_put(place, "t/t+0+0.json", "a\n");
    place_put(place, "t/t+0+3.json", "b\n");
    place_put(place, "t/t+0+5.json", "c\n");
    place_put(place, "t/t+0+10.json", "d\n");
    g_autoptr(Harness) h = place_source(place, CONNECT);
    g_autofree char *text = offsets_of(h);
    assert_end(h);
    g_assert_cmpstr(text, ==, "t/0: a@0 b@3 c@5 d@10");
    g_assert_cmpstr(harness_logs(h), ==,
                    "warning: t/0: no object has the positions [1, 3) in front of 't/t+0+3.json': offsets are those of "
                    "the topic only where it has no holes; more of them are counted\n"
                    "warning: t/0: 3 holes between objects so far, with 7 positions that no object has (compaction, "
                    "transactions, or rows that were not written)");
    check_from(place, CONNECT, "t/0", 2, "t/0: b@3 c@5 d@10");
}

static void test_overlaps(Place *place, gconstpointer unused)
{
    (void) unused;
    place_put(place, "t/country=de/t+0+0.json", "a\nb\nc\n");
    place_put(place, "t/country=fr/t+0+1.json", "d\ne\n");
    place_expect_refusal(place, CONNECT,
                         "/t/country=de/t+0+0.json' has rows up to 2, and 't/country=fr/t+0+1.json' starts with 1");
    check_rows(place, CONNECT "split_by: directory\ntopics.dir: t\n",
               "t/0:country=de: a@0 b@1 c@2\nt/0:country=fr: d@1 e@2");
    check_from(place, CONNECT "split_by: directory\npath: t/country=fr/*\n", "t/0:t:country=fr", 2,
               "t/0:t:country=fr: e@2");
    place_put(place, "copies/hour=09/t+0+5.json", "a\n");
    place_put(place, "copies/hour=10/t+0+5.json", "a\n");
    place_expect_refusal(place, CONNECT "path: copies/**\n", "'copies/hour=10/t+0+5.json' starts with 5");
}

/* ---- while objects come ---- */

static const SfBatch *after_a_while(Harness *h)
{
    harness_pass(h, 20000);
    return harness_poll(h, 0);
}

static void test_follows(Place *place, gconstpointer unused)
{
    (void) unused;
    place_put(place, "t/t+0+0000000000.json", "a\n");
    g_autoptr(Harness) h = place_source(place, CONNECT "interval: 5s\n");
    h->bounded = false;
    h->now_ms = g_get_real_time() / 1000;
    g_assert_cmpint(harness_poll(h, 0)->end, ==, 1);
    g_assert_null(harness_poll(h, 0));
    place_put(place, "t/t+0+0000000001.json", "b\n");
    place_put(place, "u/u+0+0000000000.json", "c\n");
    g_assert_null(harness_poll(h, 0)); /* not before the interval is over */
    h->monotonic_ms += 5000;
    const SfBatch *one = harness_poll(h, 0), *other = harness_poll(h, 0);
    g_assert_nonnull(one);
    g_assert_nonnull(other);
    g_assert_cmpint(sf_rows(one) + sf_rows(other), ==, 2);
    place_put(place, "t/t+0+0000000005.json", "e\n"); /* behind a hole: others may have been written with it */
    h->monotonic_ms += 5000;
    g_assert_null(harness_poll(h, 0));
    place_put(place, "t/t+0+0000000002.json", "d\nd\nd\n");
    h->monotonic_ms += 5000;
    g_assert_cmpint(harness_poll(h, 0)->start, ==, 2);
    g_assert_cmpint(harness_poll(h, 0)->start, ==, 5);
    place_put(place, "t/t+0+0000000009.json", "f\n");
    const SfBatch *last = after_a_while(h);
    g_assert_nonnull(last);
    g_assert_cmpint(last->end, ==, 10);
}

static void check_trouble(Place *place, const char *options, const char *key, const char *text, const char *said)
{
    g_autoptr(Harness) h = place_source(place, options);
    h->bounded = false;
    place_put(place, "t/t+0+0000000005.json", "a\nb\n");
    g_assert_cmpint(harness_poll(h, 0)->end, ==, 7);
    place_put(place, key, text);
    place_put(place, "t/t+0+0000000007.json", "c\n");
    const SfBatch *next = after_a_while(h);
    bool skips = strstr(options, "skip") != NULL;
    g_assert_true(skips == (next != NULL));
    if (!skips)
        g_assert_cmpint(h->status, ==, SF_FATAL);
    if (!strstr(skips ? harness_logs(h) : h->err.message, said))
        g_error("neither '%s' nor '%s' says '%s'", harness_logs(h), h->err.message, said);
    place_delete(place, key);
}

static void test_late(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *key = "t/t+0+0000000003.json", *said = "came when rows behind it had been read, up to 7";
    check_trouble(place, CONNECT, key, "late\n", said);
    place_delete(place, "t/t+0+0000000007.json");
    check_trouble(place, CONNECT "on_missing: skip\n", key, "late\n", said);
}

/* It comes into the hole in front of an object that is being read. */
static void test_late_amid(Place *place, gconstpointer skips)
{
    place_put(place, "t/t+0+0000000000.json", "a\n");
    place_put(place, "t/t+0+0000000005.json", "c\nc\nc\n");
    g_autoptr(Harness) h =
        place_source(place, skips ? CONNECT "batch_rows: 1\non_missing: skip\n" : CONNECT "batch_rows: 1\n");
    h->bounded = false;
    h->now_ms = g_get_real_time() / 1000 + 20000;
    g_assert_cmpint(harness_poll(h, 0)->end, ==, 1);
    g_assert_cmpint(harness_poll(h, 0)->end, ==, 6);
    place_put(place, "t/t+0+0000000002.json", "late\n");
    after_a_while(h);
    g_assert_cmpint(h->status, ==, skips ? SF_OK : SF_FATAL);
    const char *said = skips ? harness_logs(h) : h->err.message;
    g_assert_nonnull(strstr(said, "t/t+0+0000000002.json' came when rows behind it had been read, up to 6"));
}

static void test_changed(Place *place, gconstpointer unused)
{
    (void) unused;
    check_trouble(place, CONNECT, "t/t+0+0000000005.json", "a\n",
                  "was changed after it was read: it had 4 bytes, and has 2");
}

static void test_missing(Place *place, gconstpointer unused)
{
    (void) unused;
    place_put(place, "t/t+0+0.json", "a\n");
    place_put(place, "t/t+0+1.json", "b\n");
    place_put(place, "t/t+0+2.json", "c\n");
    g_autoptr(Harness) stops = place_source(place, CONNECT);
    g_autoptr(Harness) skips = place_source(place, CONNECT "on_missing: skip\n");
    g_assert_nonnull(harness_poll(stops, 0));
    g_assert_nonnull(harness_poll(skips, 0));
    place_delete(place, "t/t+0+1.json");
    g_assert_null(harness_poll(stops, 0));
    g_assert_cmpint(stops->status, ==, SF_FATAL);
    g_assert_nonnull(strstr(stops->err.message, "t/t+0+1.json' was listed and is missing now"));
    g_assert_cmpint(harness_poll(skips, 0)->end, ==, 3);
    g_assert_nonnull(strstr(harness_logs(skips), "t/t+0+1.json' was listed and is missing now; it is passed over"));
}

/* The object that a position is at the end of is read once more, and does not use up what a run may begin. */
static void test_quota(Place *place, gconstpointer unused)
{
    (void) unused;
    for (int i = 0; i < 6; i++) {
        g_autofree char *key = g_strdup_printf("t/t+0+%d.json", i);
        place_put(place, key, "a\n");
    }
    check_rows(place, CONNECT "max_files_per_trigger: 2\n", "t/0: a@0 a@1");
    check_from(place, CONNECT "max_files_per_trigger: 2\n", "t/0", 2, "t/0: a@2 a@3");
    check_from(place, CONNECT "max_files_per_trigger: 1\n", "t/0", 5, "t/0: a@5");
    check_from(place, CONNECT "max_bytes_per_trigger: 5\n", "t/0", 1, "t/0: a@1 a@2");
}

/* More keys than a page, and what is known of them is not listed again. */
static void test_pages(Place *place, gconstpointer unused)
{
    (void) unused;
    for (int i = 0; i < 2100; i++) {
        g_autofree char *key = g_strdup_printf("t/partition=%d/t+%d+%010d.json", i % 2, i % 2, i / 2);
        place_put(place, key, "a\n");
    }
    g_autoptr(Harness) h = place_source(place, CONNECT);
    h->bounded = false;
    gint64 rows = 0;
    for (const SfBatch *batch; (batch = harness_poll(h, 0)); rows += sf_rows(batch))
        ;
    g_assert_cmpint(rows, ==, 2100);
    place_put(place, "t/partition=0/t+0+0000001050.json", "b\n");
    place_put(place, "t/partition=1/t+1+0000001050.json", "b\n");
    const SfBatch *one = after_a_while(h), *other = harness_poll(h, 0);
    g_assert_cmpint(one->start, ==, 1050);
    g_assert_cmpint(other->start, ==, 1050);
    g_assert_cmpint(h->charged, >, 2100 * 40);
}

/* ---- what is in them ---- */

static void test_damaged(Place *place, gconstpointer unused)
{
    (void) unused;
    place_pack(place, "t/t+0+0.json.gz", "a\nb\nc\n");
    place_cut(place, "t/t+0+0.json.gz", 9);
    place_expect_refusal(place, CONNECT, "/t/t+0+0.json.gz': its gzip data ends early; put back the whole object");
    place_cut(place, "t/t+0+0.json.gz", 0);
    place_expect_refusal(place, CONNECT, "its name ends as that of gzip data does, which it does not hold");
    place_put(place, "t/t+0+0.json.gz", "a\n");
    place_expect_refusal(place, CONNECT, "its name ends as that of gzip data does");
    place_delete(place, "t/t+0+0.json.gz");
    place_put(place, "t/t+0+0.snappy.parquet", "PAR1");
    place_expect_refusal(place, CONNECT, "/t/t+0+0.snappy.parquet' is a Parquet file, which has no lines");
}

/* Damage in the middle is told with the object, and so is one that changes while it is read. */
static void test_damaged_within(Place *place, gconstpointer unused)
{
    (void) unused;
    place_put(place, "t/t+0+0.json.gz", "\x1f\x8b\x08garbage, not a header of gzip");
    place_expect_refusal(place, CONNECT, "/t/t+0+0.json.gz': the gzip data is damaged");
    place_delete(place, "t/t+0+0.json.gz");
    const gsize large = (gsize) 9 << 20, sizes[] = {large - (1 << 20), large + (1 << 20)};
    const char *const said[] = {"it became shorter while it was read", "it became longer while it was read"};
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *text = g_strnfill(large + (1 << 20), 'x');
        for (gsize at = 999; at < large + (1 << 20); at += 1000)
            text[at] = '\n';
        place_put(place, "t/t+0+0.json", text);
        place_cut(place, "t/t+0+0.json", large);
        g_autoptr(Harness) h = place_source(place, CONNECT);
        g_assert_nonnull(harness_poll(h, 0));
        place_put(place, "t/t+0+0.json", text);
        place_cut(place, "t/t+0+0.json", sizes[i]);
        while (harness_poll(h, 0))
            ;
        g_assert_cmpint(h->status, ==, SF_FATAL);
        g_assert_nonnull(strstr(h->err.message, said[i]));
    }
}

/* Read piece by piece: lines that no piece has whole, a last one without an end. */
static void check_large(const Place *place, const char *key, bool packs)
{
    const gsize n = 9000;
    g_autoptr(GString) text = g_string_new(NULL);
    for (gsize i = 0; i < n; i++)
        g_string_append_printf(text, "%s%08x%01000zu", i > 0 ? "\n" : "", g_str_hash("x") * (guint) i, i);
    (packs ? place_pack : place_put)(place, key, text->str);
    g_autoptr(Harness) h = place_source(place, CONNECT);
    gint64 rows = 0;
    for (const SfBatch *batch; (batch = harness_poll(h, 0)); rows += sf_rows(batch)) {
        SfColumn value;
        g_assert_cmpint(sf_column(batch, "value", SF_BINARY, &value, &h->err), ==, SF_OK);
        for (gint64 row = 0; row < sf_rows(batch); row++) {
            g_autofree char *line =
                g_strdup_printf("%08x%01000zu", g_str_hash("x") * (guint) (rows + row), (gsize) (rows + row));
            SfBytes bytes = sf_bytes(&value, row);
            g_assert_cmpmem(bytes.data, bytes.size, line, strlen(line));
        }
    }
    assert_end(h);
    g_assert_cmpint(rows, ==, n);
    g_assert_cmpint(h->charged_peak, <, 12 << 20);
    place_delete(place, key);
}

static void test_large(Place *place, gconstpointer unused)
{
    (void) unused;
    check_large(place, "t/t+0+0.json", false);
    check_large(place, "t/t+0+0.json.gz", true);
}

/* ---- options ---- */

static void check_option(const Place *place, const char *options, const char *message)
{
    g_autoptr(Harness) h = place_source(place, options);
    g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
    if (!g_str_has_prefix(h->err.message, message))
        g_error("'%s' does not begin with '%s'", h->err.message, message);
}

/* What does nothing with the others is refused at its place. */
static void test_options(Place *place, gconstpointer unused)
{
    (void) unused;
    check_option(place, "path: '*'\n", "path: has no effect with 'layout: ledger'");
    check_option(place, "split_by: directory\n", "split_by: has no effect with 'layout: ledger'");
    check_option(place, "layout: files\nsplit_by: directory\n", "split_by: has no effect with 'layout: files'");
    check_option(place, "layout: files\ntopics: [a]\n", "topics: has no effect with 'layout: files'");
    check_option(place, "store.kafka.keys: true\n", "store.kafka.keys: has no effect with 'layout: ledger'");
    check_option(place, "layout: files\nstore.kafka.headers: true\n",
                 "store.kafka.headers: has no effect with 'layout");
    check_option(place, CONNECT "ledger: a\n", "ledger: has no effect with 'layout: connect'");
    g_autoptr(Harness) h = place_source(place, "layout: files\ntopics: [a]\nledger: b\n");
    g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
    g_assert_nonnull(strstr(h->err.message, "topics: "));
    g_assert_nonnull(strstr(h->err.message, "ledger: "));
}

#define TEST(name, function)                                                                                           \
    g_test_add("/bronze-source-connect/" name, Place, NULL, place_set_up, function, place_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("partitions", test_partitions);
    TEST("hours", test_hours);
    TEST("aiven", test_aiven);
    TEST("packed", test_packed);
    TEST("strangers", test_strangers);
    TEST("nothing", test_nothing);
    TEST("resumes", test_resumes);
    TEST("holes", test_holes);
    TEST("overlaps", test_overlaps);
    TEST("follows", test_follows);
    TEST("late", test_late);
    TEST("late-amid", test_late_amid);
    g_test_add("/bronze-source-connect/late-amid-skip", Place, "", place_set_up, test_late_amid, place_tear_down);
    TEST("changed", test_changed);
    TEST("missing", test_missing);
    TEST("quota", test_quota);
    TEST("pages", test_pages);
    TEST("damaged", test_damaged);
    TEST("damaged-within", test_damaged_within);
    TEST("large", test_large);
    TEST("options", test_options);
    return g_test_run();
}
