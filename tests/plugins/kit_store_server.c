/* The S3 store against a real server: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and a bucket in
 * SF_TEST_BUCKET say which; without them everything is skipped. Keys go below a prefix of this run. */
#include "store/store.h"

#include <string.h>
#include <time.h>

#define WRITERS 8

typedef struct Fixture {
    char *url;
    StoreOptions options;
    Store *store;
    SfError err;
} Fixture;

static const char *run_id;

static void set_up(Fixture *f, gconstpointer unused)
{
    (void) unused;
    f->url = g_strdup_printf("s3://%s/store-test/%s", g_getenv("SF_TEST_BUCKET"), run_id);
    f->options =
        (StoreOptions){.url = f->url, .tls_verify = true, .connections = 4, .part_size = 5 << 20, .timeout_ms = 30000};
    f->store = store_new(NULL, &f->options, &f->err);
    if (!f->store || store_open(f->store, &f->err) != SF_OK || store_prove_parts(f->store, &f->err) != SF_OK)
        g_error("%s", f->err.message);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    (void) unused;
    store_free(f->store);
    g_free(f->url);
}

static void expect_ok(Fixture *f, SfStatus status)
{
    if (status != SF_OK)
        g_error("%s: %s", sf_status_name(status), f->err.message);
}

static GBytes *filled(gsize size, char with)
{
    char *data = g_malloc(size);
    memset(data, with, size);
    return g_bytes_new_take(data, size);
}

static void expect_body(Fixture *f, const char *key, GBytes *body)
{
    g_autoptr(GBytes) there = NULL;
    expect_ok(f, store_get(f->store, key, 1 << 30, &there, &f->err));
    g_assert_true(g_bytes_equal(there, body));
}

static void odd_keys_come_back(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const char *const keys[] = {"odd/year=2024/t+0+0000000001.json",
                                "odd/a b",
                                "odd/caf\xc3\xa9",
                                "odd/\xf0\x9f\x98\x80",
                                "odd/100%",
                                "odd/q?x&y#z",
                                "odd/(a),b;c:d@e!f'g*h$i",
                                "odd/~._-"};
    g_autoptr(GBytes) body = filled(10, 'x');
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        expect_ok(f, store_put(f->store, keys[i], body, &f->err));
        expect_body(f, keys[i], body);
    }
    expect_ok(f, store_list(f->store, "odd/", NULL, 100, entries, &f->err));
    g_assert_cmpuint(entries->len, ==, G_N_ELEMENTS(keys));
    for (guint i = 0; i < entries->len; i++) {
        const StoreEntry *entry = entries->pdata[i];
        g_assert_true(g_strv_contains(
            (const char *const[]){keys[0], keys[1], keys[2], keys[3], keys[4], keys[5], keys[6], keys[7], NULL},
            entry->key));
        g_assert_cmpint(entry->size, ==, 10);
        g_assert_cmpint(ABS(entry->modified_ms - g_get_real_time() / 1000), <, 3600000);
        expect_ok(f, store_delete(f->store, entry->key, &f->err));
    }
}

typedef struct Writer {
    const StoreOptions *options;
    const char *key;
    int number;
    gsize size;
    bool created;
} Writer;

static gpointer race(gpointer user)
{
    Writer *writer = user;
    SfError err;
    Store *store = store_new(NULL, writer->options, &err);
    g_autoptr(GBytes) body = filled(writer->size, (char) ('a' + writer->number));
    SfStatus status;
    do
        status = store_put_new(store, writer->key, body, &writer->created, &err);
    while (status == SF_RETRY);
    if (status != SF_OK)
        g_error("%s", err.message);
    store_free(store);
    return NULL;
}

static void run_race(Fixture *f, const char *key, gsize size)
{
    Writer writers[WRITERS];
    GThread *threads[WRITERS];
    int winner = -1;
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (Writer){.options = &f->options, .key = key, .number = i, .size = size};
        threads[i] = g_thread_new("writer", race, &writers[i]);
    }
    for (int i = 0; i < WRITERS; i++) {
        g_thread_join(threads[i]);
        if (!writers[i].created)
            continue;
        g_assert_cmpint(winner, ==, -1);
        winner = i;
    }
    g_assert_cmpint(winner, >=, 0);
    g_autoptr(GBytes) body = filled(size, (char) ('a' + winner));
    expect_body(f, key, body);
}

static void one_of_many_writers_creates(Fixture *f, gconstpointer unused)
{
    (void) unused;
    for (int round = 0; round < 50; round++) {
        g_autofree char *key = g_strdup_printf("race/%d", round);
        run_race(f, key, 100);
    }
}

static void one_of_many_uploads_in_parts_creates(Fixture *f, gconstpointer unused)
{
    (void) unused;
    for (int round = 0; round < 3; round++) {
        g_autofree char *key = g_strdup_printf("parts/%d", round);
        run_race(f, key, (gsize) (11 << 20));
    }
}

static void listing_goes_over_pages(Fixture *f, gconstpointer unused)
{
    (void) unused;
    enum { KEYS = 1100 };
    g_autofree StoreObject *objects = g_new0(StoreObject, KEYS);
    g_auto(GStrv) keys = g_new0(char *, KEYS + 1);
    g_autoptr(GBytes) body = filled(3, 'x');
    for (int i = 0; i < KEYS; i++) {
        keys[i] = g_strdup_printf("list/%05d.json", i);
        objects[i] = (StoreObject){.key = keys[i], .body = body, .only_new = true};
    }
    expect_ok(f, store_put_all(f->store, objects, KEYS, &f->err));
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    expect_ok(f, store_list(f->store, "list/", "list/00010.json", 1050, entries, &f->err));
    g_assert_cmpuint(entries->len, ==, 1050);
    for (guint i = 0; i < entries->len; i++)
        g_assert_cmpstr(((StoreEntry *) entries->pdata[i])->key, ==, keys[11 + i]);
}

static void wrong_secret_is_told(Fixture *f, gconstpointer unused)
{
    (void) unused;
    f->options.access_key_id = g_getenv("AWS_ACCESS_KEY_ID");
    f->options.secret_access_key = "wrong";
    Store *store = store_new(NULL, &f->options, &f->err);
    g_assert_cmpint(store_open(store, &f->err), ==, SF_RETRY);
    g_test_message("%s", f->err.message);
    g_assert_nonnull(strstr(f->err.message, "403 SignatureDoesNotMatch"));
    store_free(store);
}

static void missing_bucket_is_told(Fixture *f, gconstpointer unused)
{
    (void) unused;
    f->options.url = "s3://no-such-bucket-of-ours/x";
    Store *store = store_new(NULL, &f->options, &f->err);
    g_assert_cmpint(store_open(store, &f->err), ==, SF_CONFIG);
    g_test_message("%s", f->err.message);
    g_assert_nonnull(strstr(f->err.message, "404 NoSuchBucket"));
    store_free(store);
}

static void figures(Fixture *f, gconstpointer unused)
{
    (void) unused;
    enum { OBJECTS = 400, SIZE = 256 << 10 };
    g_autofree StoreObject *objects = g_new0(StoreObject, OBJECTS);
    g_auto(GStrv) keys = g_new0(char *, OBJECTS + 1);
    g_autoptr(GBytes) body = filled(SIZE, 'x');
    for (int i = 0; i < OBJECTS; i++) {
        keys[i] = g_strdup_printf("figures/%05d", i);
        objects[i] = (StoreObject){.key = keys[i], .body = body};
    }
    gint64 start = g_get_monotonic_time();
    gint64 cpu = (gint64) clock();
    expect_ok(f, store_put_all(f->store, objects, OBJECTS, &f->err));
    double wall = (double) (g_get_monotonic_time() - start) / 1e6;
    g_test_message("%d PUTs of 256 KiB: %.0f/s, %.0f MB/s, client CPU %.2f s per 1000", OBJECTS, OBJECTS / wall,
                   OBJECTS * (SIZE / 1e6) / wall, (double) ((gint64) clock() - cpu) / CLOCKS_PER_SEC / OBJECTS * 1000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *id = g_uuid_string_random();
    run_id = id;
    if (!g_getenv("SF_TEST_BUCKET") || !g_getenv("AWS_ENDPOINT_URL")) {
        g_printerr("no server: set AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and SF_TEST_BUCKET\n");
        return 1;
    }
#define ADD(name, function) g_test_add("/store/server/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("odd keys come back", odd_keys_come_back);
    ADD("one of many writers creates", one_of_many_writers_creates);
    ADD("one of many uploads in parts creates", one_of_many_uploads_in_parts_creates);
    ADD("listing goes over pages", listing_goes_over_pages);
    ADD("wrong secret is told", wrong_secret_is_told);
    ADD("missing bucket is told", missing_bucket_is_told);
    ADD("figures", figures);
    return g_test_run();
}
