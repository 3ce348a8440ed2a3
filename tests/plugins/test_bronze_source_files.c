/* bronze-source and plain files of JSON lines: each file is a split, read once and whole, wherever it lies. */
#include <glib/gstdio.h>
#include <string.h>
#include <utime.h>

#include "bronze_fixture.h"

#define FILES "layout: files\n"

static char *split_of(const Place *place, const char *key)
{
    return g_strdup_printf("file://%s/%s", place->path, key);
}

static gint by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* "key: line@0 line@2" of a run to its end, sorted by keys. */
static char *lines_of(Harness *h)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    for (const SfBatch *batch; (batch = harness_poll(h, 0));) {
        g_autoptr(GString) text = g_string_new(NULL);
        SfColumn value, offset;
        g_assert_cmpint(sf_column(batch, "value", SF_BINARY, &value, &h->err), ==, SF_OK);
        g_assert_cmpint(sf_column(batch, "offset", SF_INT64, &offset, &h->err), ==, SF_OK);
        g_string_append_printf(text, "%s:", batch->split->topic);
        for (gint64 row = 0; row < sf_rows(batch); row++) {
            SfBytes bytes = sf_bytes(&value, row);
            g_string_append_printf(text, " %.*s@%" G_GINT64_FORMAT, (int) bytes.size, (const char *) bytes.data,
                                   sf_i64(&offset, row));
        }
        g_ptr_array_add(files, g_string_free(g_steal_pointer(&text), FALSE));
    }
    g_ptr_array_sort(files, by_text);
    g_ptr_array_add(files, NULL);
    return g_strjoinv("\n", (char **) files->pdata);
}

static void check_lines(const Place *place, const char *options, const char *expected)
{
    g_autoptr(Harness) h = place_source(place, options);
    g_autofree char *text = lines_of(h);
    assert_end(h);
    g_assert_cmpstr(text, ==, expected);
    g_assert_cmpint(h->charged, >=, 0);
}

static void put_some(const Place *place)
{
    place_put(place, "a.json", "one\n\ntwo\r\n \n");
    place_put(place, "2024/01/b.json", "\xEF\xBB\xBFthree");
    place_pack(place, "2024/02/c.json.gz", "four\nfive\n");
    place_put(place, "2024/02/empty.json", "");
    place_put(place, "2024/_temporary/d.json", "six\n");
    place_put(place, "2024/.d.json.crc", "seven\n");
    place_put(place, "_SUCCESS", "");
}

static void test_below(Place *place, gconstpointer unused)
{
    (void) unused;
    put_some(place);
    check_lines(place, FILES,
                "2024/01/b.json: three@0\n2024/02/c.json.gz: four@0 five@1\n2024/02/empty.json:\n"
                "a.json: one@0 two@2  @3");
    check_lines(place, FILES "path: '2024/**/*.gz'\n", "2024/02/c.json.gz: four@0 five@1");
    check_lines(place, FILES "path: '*.json'\n", "a.json: one@0 two@2  @3");
    check_lines(place, FILES "topics.dir: 2024\npath: '01/*'\n", "2024/01/b.json: three@0");
    check_lines(place, FILES "start: latest\n", "");
}

/* Many more lines than bytes, in a file whose name does not say that it is packed: its rest is read. */
static void test_packed_resumes(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autofree char *lines = g_strnfill(10000, 'a');
    for (gsize i = 1; i < 10000; i += 2)
        lines[i] = '\n';
    place_pack(place, "many.json", lines);
    g_autofree char *split = split_of(place, "many.json");
    g_autoptr(Harness) h = place_source(place, FILES);
    harness_answer(h, split, 4998);
    g_autofree char *rest = lines_of(h);
    assert_end(h);
    g_assert_cmpstr(rest, ==, "many.json: a@4998 a@4999");
}

/* What a sink says it has: a file that it has to its end is not opened again. */
static void test_resumes(Place *place, gconstpointer unused)
{
    (void) unused;
    put_some(place);
    g_autofree char *a = split_of(place, "a.json"), *b = split_of(place, "2024/01/b.json");
    g_autofree char *c = split_of(place, "2024/02/c.json.gz");
    g_autoptr(Harness) h = place_source(place, FILES);
    g_autofree char *all = lines_of(h);
    gint64 ends[] = {harness_polled(h, a), harness_polled(h, b), harness_polled(h, c)};
    g_autoptr(Harness) again = place_source(place, FILES "path: '**/[abc].json*'\n");
    harness_answer(again, a, ends[0]);
    harness_answer(again, b, ends[1]);
    harness_answer(again, c, 1);
    g_autofree char *rest = lines_of(again);
    assert_end(again);
    g_assert_cmpstr(rest, ==, "2024/02/c.json.gz: five@1");
    g_assert_cmpint(harness_polled(again, c), ==, ends[2]);
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
        g_assert_cmpint(ends[i], >, 3);
}

static void test_new_files(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_source(place, FILES "interval: 2s\n");
    h->bounded = false;
    g_assert_null(harness_poll(h, 0));
    g_assert_nonnull(strstr(harness_logs(h), "there is no file below"));
    place_put(place, "x/one.json", "1\n");
    harness_pass(h, 2000);
    const SfBatch *batch = harness_poll(h, 0);
    g_assert_cmpstr(batch->split->topic, ==, "x/one.json");
    g_assert_null(harness_poll(h, 0));
    place_put(place, "a/two.json", "2\n"); /* sorts in front of what was read */
    harness_pass(h, 2000);
    batch = harness_poll(h, 0);
    g_assert_cmpstr(batch->split->topic, ==, "a/two.json");
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->status, ==, SF_EMPTY);
    place_delete(place, "x/one.json"); /* what was read may go */
    harness_pass(h, 2000);
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->status, ==, SF_EMPTY);
}

static void check_change(const Place *place, const char *text)
{
    g_autoptr(Harness) h = place_source(place, FILES);
    h->bounded = false;
    place_put(place, "a.json", "one\ntwo\n");
    g_assert_cmpint(sf_rows(harness_poll(h, 0)), ==, 2);
    place_put(place, "a.json", text);
    g_autofree char *path = g_build_filename(place->path, "a.json", NULL);
    g_assert_cmpint(utime(path, &(struct utimbuf){.modtime = 1000}), ==, 0);
    harness_pass(h, 2000);
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->status, ==, SF_FATAL);
    g_assert_nonnull(strstr(h->err.message, "/a.json' was changed after it was read: it had 8 bytes, and has "));
}

static void test_changed(Place *place, gconstpointer unused)
{
    (void) unused;
    check_change(place, "one\ntwo\nthree\n");
    check_change(place, "one\n");
    check_change(place, "ONE\ntwo\n");
}

/* While nobody looked: sinks keep what the file was. */
static void test_changed_meanwhile(Place *place, gconstpointer unused)
{
    (void) unused;
    place_put(place, "a.json", "one\ntwo\n");
    g_autofree char *split = split_of(place, "a.json");
    g_autoptr(Harness) h = place_source(place, FILES);
    harness_answer(h, split, 1);
    harness_keep(h, split, -1, "7-1000");
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->status, ==, SF_CONFIG);
    g_assert_nonnull(strstr(h->err.message, "/a.json' was changed after it was read: a sink has rows of it as it was "
                                            "(bytes and time 7-1000), now it is 8-"));
}

/* One that changes before anything of it was read is read as it is then. */
static void test_changed_before(Place *place, gconstpointer unused)
{
    (void) unused;
    place_put(place, "a.json", "1\n");
    place_put(place, "b.json", "2\n");
    g_autoptr(Harness) h = place_source(place, FILES "max_files_per_trigger: 1\ninterval: 2s\n");
    h->bounded = false;
    g_autofree char *first = g_strdup(harness_poll(h, 0)->split->topic);
    const char *other = g_str_equal(first, "a.json") ? "b.json" : "a.json";
    place_put(place, other, "3\n4\n5\n");
    harness_pass(h, 2000);
    const SfBatch *batch = harness_poll(h, 0);
    g_assert_cmpstr(batch->split->topic, ==, other);
    g_assert_cmpint(sf_rows(batch), ==, 3);
}

static void test_missing(Place *place, gconstpointer unused)
{
    (void) unused;
    for (int i = 0; i < 2; i++) {
        place_put(place, "a.json", "1\n");
        place_put(place, "b.json", "2\n");
        g_autoptr(Harness) h = place_source(place, i == 0 ? FILES : FILES "on_missing: skip\n");
        g_autofree char *first = g_strdup(harness_poll(h, 0)->split->topic);
        place_delete(place, g_str_equal(first, "a.json") ? "b.json" : "a.json");
        g_assert_null(harness_poll(h, 0));
        g_assert_cmpint(h->status, ==, i == 0 ? SF_FATAL : SF_END);
        g_assert_nonnull(strstr(i == 0 ? h->err.message : harness_logs(h), "was listed and is missing now"));
    }
}

static void test_nothing(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_source(place, FILES "path: '*.csv'\n");
    place_put(place, "a.json", "1\n");
    g_assert_null(harness_poll(h, 0));
    g_assert_cmpint(h->status, ==, SF_CONFIG);
    g_assert_nonnull(strstr(h->err.message, "/*.csv'; is that the place, and the pattern?"));
}

/* As many files as may be begun, the others in the next run. */
static void test_quota(Place *place, gconstpointer unused)
{
    (void) unused;
    for (int i = 0; i < 5; i++) {
        g_autofree char *key = g_strdup_printf("%d.json", i);
        place_put(place, key, "1\n");
    }
    g_autoptr(Harness) h = place_source(place, FILES "maxFilesPerTrigger: 3\n");
    int files = 0;
    while (harness_poll(h, 0))
        files++;
    assert_end(h);
    g_assert_cmpint(files, ==, 3);
}

#define TEST(name, function)                                                                                           \
    g_test_add("/bronze-source-files/" name, Place, NULL, place_set_up, function, place_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("below", test_below);
    TEST("resumes", test_resumes);
    TEST("packed-resumes", test_packed_resumes);
    TEST("new-files", test_new_files);
    TEST("changed", test_changed);
    TEST("changed-meanwhile", test_changed_meanwhile);
    TEST("changed-before", test_changed_before);
    TEST("missing", test_missing);
    TEST("nothing", test_nothing);
    TEST("quota", test_quota);
    return g_test_run();
}
