/* Reading from S3 as commands do: levels of keys, and objects piece by piece. */
#include "s3_place.h"

#include <string.h>

typedef S3Place Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    (void) unused;
    s3_place_init(f, "s3://raw/t");
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    (void) unused;
    s3_place_done(f);
}

static void expect_status(Fixture *f, SfStatus actual, SfStatus expected)
{
    if (actual != expected)
        g_test_message("%s", f->err.message);
    g_assert_cmpint(actual, ==, expected);
}

/* 1,500 beginnings with two objects each, and objects between them: pages end at both. */
static void one_level_goes_over_pages(Fixture *f, gconstpointer unused)
{
    (void) unused;
    for (int i = 0; i < 1500; i++) {
        g_autofree char *a = g_strdup_printf("/raw/t/%04d/a", i);
        g_autofree char *b = g_strdup_printf("/raw/t/%04d/b", i);
        g_autofree char *c = g_strdup_printf("/raw/t/%04d.json", i);
        fake_s3_set(f->fake, a, "x");
        fake_s3_set(f->fake, b, "x");
        fake_s3_set(f->fake, c, "xy");
    }
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    expect_status(f, store_list_level(f->store, "", NULL, 1234, entries, &f->err), SF_OK);
    g_autofree char *after = g_strdup(((StoreEntry *) entries->pdata[entries->len - 1])->key);
    expect_status(f, store_list_level(f->store, "", after, 10000, entries, &f->err), SF_OK);
    g_assert_cmpuint(entries->len, ==, 3000);
    for (guint i = 0; i < entries->len; i++) {
        const StoreEntry *entry = entries->pdata[i];
        g_autofree char *expected = g_strdup_printf(i % 2 ? "%04u/" : "%04u.json", i / 2);
        g_assert_cmpstr(entry->key, ==, expected);
        g_assert_cmpint(entry->size, ==, i % 2 ? -1 : 2);
    }
}

static void expect_piece(Fixture *f, const char *key, int64_t offset, int64_t size, const char *text)
{
    g_autoptr(GBytes) got = NULL;
    expect_status(f, store_read(f->store, key, offset, size, &got, &f->err), SF_OK);
    g_assert_cmpmem(g_bytes_get_data(got, NULL), g_bytes_get_size(got), text, strlen(text));
}

static void objects_are_read_piece_by_piece(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GBytes) none = NULL;
    fake_s3_set(f->fake, "/raw/t/x", "0123456789");
    fake_s3_set(f->fake, "/raw/t/empty", "");
    fake_s3_script(f->fake, (FakeScript){.method = "GET", .fault = FAKE_CUT});
    expect_piece(f, "x", 2, 4, "2345");
    expect_piece(f, "x", 8, 4, "89");
    expect_piece(f, "x", 10, 4, "");
    expect_piece(f, "empty", 0, 4, "");
    expect_status(f, store_read(f->store, "y", 0, 4, &none, &f->err), SF_EMPTY);
}

/* Else the beginning would be there twice. */
static void a_store_that_ignores_ranges_is_refused(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GBytes) none = NULL;
    fake_s3_script(f->fake, (FakeScript){.fault = FAKE_BODY, .status = 200, .code = "0123456789", .times = -1});
    expect_piece(f, "x", 0, 10, "0123456789");
    expect_status(f, store_read(f->store, "x", 2, 4, &none, &f->err), SF_CONFIG);
    expect_status(f, store_read(f->store, "x", 0, 4, &none, &f->err), SF_CONFIG);
    g_assert_nonnull(strstr(f->err.message, "the endpoint ignores 'Range'"));
}

static SfStatus list_answer(Fixture *f, const char *key, GPtrArray *out)
{
    g_autofree char *xml = g_strdup_printf("<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>%s</Key>"
                                           "<Size>1</Size></Contents></ListBucketResult>",
                                           key);
    fake_s3_script(f->fake, (FakeScript){.part = "list-type", .fault = FAKE_BODY, .status = 200, .code = xml});
    return store_list(f->store, "_sf/p/", NULL, 10, out, &f->err);
}

static void keys_that_were_not_asked_for_are_refused(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const char *const keys[] = {"t/_sf", "t", "", "x", "t/_sf/q/0", "_sf/p/0", "t/_sf/p", "T/_sf/p/0", "t//_sf/p/0"};
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_assert_cmpint(list_answer(f, keys[i], entries), ==, SF_FATAL);
        g_assert_nonnull(strstr(f->err.message, "which is not below it"));
    }
    g_assert_cmpint(list_answer(f, "&#27;]0;owned&#7;&#10;x", entries), ==, SF_FATAL);
    g_assert_null(strpbrk(f->err.message, "\033\007\n"));
    g_assert_cmpuint(entries->len, ==, 0);
    g_assert_cmpint(list_answer(f, "t/_sf/p/0", entries), ==, SF_OK);
    g_assert_cmpuint(entries->len, ==, 1);
}

/* Answers that are no listing, or one without an end, are told apart from an empty place. */
static void answers_that_are_no_listing_are_refused(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GString) deep = g_string_new(NULL);
    for (int i = 0; i < 1000; i++)
        g_string_append(deep, "<a>");
    const struct {
        const char *body;
        SfStatus status;
        const char *said;
    } answers[] = {
        {"hello", SF_RETRY, "the answer is not XML; is 'endpoint' an S3 store?"},
        {"<ListBucketResult><Contents><Key>t/b</Key>", SF_RETRY, "the answer is not XML"},
        {deep->str, SF_RETRY, "the answer is not XML"},
        {"<ListBucketResult><Contents><Key>t/a</Key><Size>1</Size></Contents></ListBucketResult>", SF_FATAL,
         "did not go on behind 'b'"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        fake_s3_script(f->fake,
                       (FakeScript){.part = "list-type=2", .fault = FAKE_BODY, .status = 200, .code = answers[i].body});
        expect_status(f, store_list(f->store, "", "b", 10, entries, &f->err), answers[i].status);
        if (!strstr(f->err.message, answers[i].said))
            g_error("'%s' says nothing of '%s'", f->err.message, answers[i].said);
        g_assert_cmpuint(entries->len, ==, 0);
    }
}

static void objects_above_the_limit_are_refused(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GBytes) body = NULL;
    fake_s3_set(f->fake, "/raw/t/a", "0123456789");
    expect_status(f, store_get(f->store, "a", 10, &body, &f->err), SF_OK);
    g_assert_cmpuint(g_bytes_get_size(body), ==, 10);
    g_autoptr(GBytes) none = NULL;
    expect_status(f, store_get(f->store, "a", 9, &none, &f->err), SF_FATAL);
    g_assert_null(none);
    g_assert_nonnull(strstr(f->err.message, "/t/a' has 10 bytes, more than the 9 that it may have"));
    g_autofree char *large = g_strnfill(100000, 'x'); /* not even taken to its end */
    fake_s3_set(f->fake, "/raw/t/a", large);
    expect_status(f, store_get(f->store, "a", 9, &none, &f->err), SF_FATAL);
    g_assert_nonnull(strstr(f->err.message, "the answer is larger than 65536 bytes"));
    expect_status(f, store_get(f->store, "a", 100000, &none, &f->err), SF_OK);
}

#define ADD(name, function) g_test_add("/s3/reading/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("one level goes over pages", one_level_goes_over_pages);
    ADD("objects are read piece by piece", objects_are_read_piece_by_piece);
    ADD("a store that ignores ranges is refused", a_store_that_ignores_ranges_is_refused);
    ADD("answers that are no listing are refused", answers_that_are_no_listing_are_refused);
    ADD("objects above the limit are refused", objects_above_the_limit_are_refused);
    ADD("keys that were not asked for are refused", keys_that_were_not_asked_for_are_refused);
    return g_test_run();
}
