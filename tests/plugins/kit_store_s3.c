/* The S3 store against a loopback server that fails as scripted: outages, lost answers, races, permissions, hangs. */
#include "s3_place.h"

#include <glib/gstdio.h>
#include <string.h>

typedef S3Place Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    (void) unused;
    s3_place_init(f, "s3://raw/sales data/");
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

static SfStatus try_put_new(Fixture *f, const char *key, const char *text, bool *created)
{
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    return store_put_new(f->store, key, body, created, &f->err);
}

static bool put_new(Fixture *f, const char *key, const char *text)
{
    bool created = false;
    expect_status(f, try_put_new(f, key, text, &created), SF_OK);
    return created;
}

static SfStatus try_put(Fixture *f, const char *key, const char *text)
{
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    return store_put(f->store, key, body, &f->err);
}

static void expect_stored(Fixture *f, const char *path, const char *text)
{
    g_autoptr(GBytes) body = fake_s3_get(f->fake, path);
    g_assert_nonnull(body);
    g_assert_cmpmem(g_bytes_get_data(body, NULL), g_bytes_get_size(body), text, strlen(text));
}

static void keys_are_encoded_once(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect_status(f, try_put(f, "year=2024/a+b \xc3\xa9#?%.json", "x"), SF_OK);
    g_autofree char *requests = fake_s3_requests(f->fake);
    g_assert_cmpstr(requests, ==, "PUT /raw/sales%20data/year%3D2024/a%2Bb%20%C3%A9%23%3F%25.json\n");
    expect_stored(f, "/raw/sales data/year=2024/a+b \xc3\xa9#?%.json", "x");
    g_autofree char *expect_header = fake_s3_header(f->fake, "expect");
    g_assert_null(expect_header);
}

static void bodies_come_back(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GBytes) body = NULL;
    int64_t size = 0;
    expect_status(f, try_put(f, "k", "12345"), SF_OK);
    expect_status(f, store_get(f->store, "k", 5, &body, &f->err), SF_OK);
    g_assert_cmpmem(g_bytes_get_data(body, NULL), g_bytes_get_size(body), "12345", 5);
    expect_status(f, store_stat(f->store, "k", &size, &f->err), SF_OK);
    g_assert_cmpint(size, ==, 5);
    g_autoptr(GBytes) larger = NULL;
    expect_status(f, store_get(f->store, "k", 4, &larger, &f->err), SF_FATAL);
    expect_status(f, store_get(f->store, "none", 4, &larger, &f->err), SF_EMPTY);
    expect_status(f, store_stat(f->store, "none", &size, &f->err), SF_EMPTY);
    expect_status(f, store_delete(f->store, "k", &f->err), SF_OK);
    expect_status(f, store_delete(f->store, "k", &f->err), SF_OK);
    g_assert_cmpuint(fake_s3_count(f->fake), ==, 0);
}

static void only_the_first_creates(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_assert_true(put_new(f, "log/0", "mine"));
    g_assert_false(put_new(f, "log/0", "other"));
    g_assert_false(put_new(f, "log/0", "side")); /* of the same length */
    expect_stored(f, "/raw/sales data/log/0", "mine");
}

static void lost_success_counts_as_created(Fixture *f, gconstpointer unused)
{
    (void) unused;
    fake_s3_script(f->fake, (FakeScript){.method = "PUT", .fault = FAKE_DO_CUT});
    g_assert_true(put_new(f, "log/1", "mine"));
    fake_s3_script(f->fake,
                   (FakeScript){.method = "PUT", .fault = FAKE_DO_ANSWER, .status = 500, .code = "InternalError"});
    g_assert_true(put_new(f, "log/2", "mine"));
    fake_s3_script(f->fake, (FakeScript){.method = "PUT", .fault = FAKE_DO_CUT});
    fake_s3_set(f->fake, "/raw/sales data/log/3", "other");
    g_assert_false(put_new(f, "log/3", "mine"));
}

static void conflict_409_is_tried_again(Fixture *f, gconstpointer unused)
{
    (void) unused;
    fake_s3_script(
        f->fake,
        (FakeScript){.method = "PUT", .fault = FAKE_ANSWER, .status = 409, .code = "ConditionalRequestConflict"});
    g_assert_true(put_new(f, "log/0", "mine"));
    fake_s3_script(f->fake, (FakeScript){.method = "PUT", .fault = FAKE_ANSWER, .status = 304, .code = ""});
    fake_s3_set(f->fake, "/raw/sales data/log/1", "other");
    g_assert_false(put_new(f, "log/1", "mine"));
}

static void short_outages_are_bridged(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const int statuses[] = {500, 502, 503, 429};
    for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++) {
        fake_s3_script(f->fake, (FakeScript){.fault = FAKE_ANSWER, .status = statuses[i], .code = "SlowDown"});
        expect_status(f, try_put(f, "k", "x"), SF_OK);
    }
    fake_s3_script(f->fake, (FakeScript){.fault = FAKE_CUT});
    expect_status(f, try_put(f, "k", "x"), SF_OK);
}

static void long_outages_are_the_hosts(Fixture *f, gconstpointer unused)
{
    (void) unused;
    fake_s3_script(f->fake, (FakeScript){.fault = FAKE_ANSWER, .status = 503, .code = "SlowDown", .times = 3});
    expect_status(f, try_put(f, "k", "x"), SF_RETRY);
    g_assert_cmpstr(f->err.message, ==, "cannot write 's3://raw/sales data/k': 503 SlowDown (on purpose)");
    expect_status(f, try_put(f, "k", "x"), SF_OK);
    g_autofree char *before = fake_s3_requests(f->fake);
    fake_s3_script(
        f->fake,
        (FakeScript){
            .fault = FAKE_ANSWER, .status = 429, .code = "TooManyRequests", .header = "Retry-After: 60", .times = 2});
    expect_status(f, try_put(f, "k", "x"), SF_RETRY);
    g_assert_nonnull(strstr(f->err.message, "asks to wait 60 s"));
    g_autofree char *after = fake_s3_requests(f->fake); /* not asked again before the host's turn */
    g_assert_cmpstr(after, ==, "PUT /raw/sales%20data/k\n");
}

typedef struct Refusal {
    int status;
    const char *code;
    SfStatus expected;
    const char *hint;
} Refusal;

static void refusals_say_what_helps(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const Refusal refusals[] = {
        {403, "AccessDenied", SF_RETRY, "lack the permission"},
        {403, "SignatureDoesNotMatch", SF_RETRY, "'secret_access_key' does not belong"},
        {403, "RequestTimeTooSkewed", SF_RETRY, "clock is wrong"},
        {400, "ExpiredToken", SF_RETRY, "renew the credentials"},
        {400, "AuthorizationHeaderMalformed", SF_CONFIG, "correct 'region'"},
        {404, "NoSuchBucket", SF_CONFIG, "create the bucket or correct 'url'"},
        {501, "NotImplemented", SF_CONFIG, "lacks a feature"},
        {400, "InvalidArgument", SF_FATAL, "400 InvalidArgument"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
        fake_s3_script(f->fake,
                       (FakeScript){.fault = FAKE_ANSWER, .status = refusals[i].status, .code = refusals[i].code});
        expect_status(f, try_put(f, "k", "x"), refusals[i].expected);
        g_assert_nonnull(strstr(f->err.message, refusals[i].hint));
        g_assert_nonnull(strstr(f->err.message, "'s3://raw/sales data/k'"));
        g_assert_null(strstr(f->err.message, S3_PLACE_SECRET));
    }
}

static void silence_ends_by_lack_of_progress(Fixture *f, gconstpointer unused)
{
    (void) unused;
    f->options.timeout_ms = 100;
    store_free(f->store);
    f->store = store_new(NULL, &f->options, &f->err);
    fake_s3_script(f->fake, (FakeScript){.fault = FAKE_HANG, .times = 3});
    expect_status(f, try_put(f, "k", "x"), SF_RETRY);
    g_assert_nonnull(strstr(f->err.message, "no progress for 100 ms"));
    expect_status(f, try_put(f, "k", "x"), SF_OK);
}

static gpointer interrupt_soon(gpointer store)
{
    g_usleep(20000);
    store_interrupt(store);
    return NULL;
}

static void interrupt_ends_a_wait(Fixture *f, gconstpointer unused)
{
    (void) unused;
    fake_s3_script(f->fake, (FakeScript){.fault = FAKE_HANG});
    gint64 start = g_get_monotonic_time();
    GThread *thread = g_thread_new("interrupt", interrupt_soon, f->store);
    expect_status(f, try_put(f, "k", "x"), SF_RETRY);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 2 * G_USEC_PER_SEC);
    g_thread_join(thread);
    expect_status(f, try_put(f, "k", "x"), SF_OK);
}

static void unreachable_endpoint_is_named(Fixture *f, gconstpointer unused)
{
    (void) unused;
    f->options.endpoint = "http://127.0.0.1:1";
    store_free(f->store);
    f->store = store_new(NULL, &f->options, &f->err);
    expect_status(f, try_put(f, "k", "x"), SF_RETRY);
    g_assert_nonnull(strstr(f->err.message, "(endpoint 'http://127.0.0.1:1')"));
}

static void bucket_goes_into_the_host_name_when_asked(Fixture *f, gconstpointer unused)
{
    (void) unused;
    f->options.path_style = 2;
    f->options.endpoint = "http://no.host.invalid:9000";
    store_free(f->store);
    f->store = store_new(NULL, &f->options, &f->err);
    expect_status(f, try_put(f, "k", "x"), SF_RETRY);
    g_assert_nonnull(strstr(f->err.message, "(endpoint 'http://raw.no.host.invalid:9000')"));
}

static void several_go_up_at_once_over_kept_connections(Fixture *f, gconstpointer unused)
{
    (void) unused;
    StoreObject objects[40];
    char keys[40][16];
    g_autoptr(GBytes) body = g_bytes_new_static("body", 4);
    for (int i = 0; i < 40; i++) {
        g_snprintf(keys[i], sizeof keys[i], "many/%02d", i);
        objects[i] = (StoreObject){.key = keys[i], .body = body, .only_new = i % 2 == 0};
    }
    fake_s3_script(f->fake, (FakeScript){.part = "many/07", .fault = FAKE_ANSWER, .status = 503, .code = "SlowDown"});
    expect_status(f, store_put_all(f->store, objects, 40, &f->err), SF_OK);
    for (int i = 0; i < 40; i++)
        g_assert_true(objects[i].created);
    g_assert_cmpuint(fake_s3_count(f->fake), ==, 40);
    g_assert_cmpuint(fake_s3_connections(f->fake), <=, 5);
}

/* As long as some go through, the rest is worth another try: more refusals than attempts, no error. */
static void throttled_requests_go_through_little_by_little(Fixture *f, gconstpointer unused)
{
    (void) unused;
    StoreObject objects[20];
    char keys[20][16];
    g_autoptr(GBytes) body = g_bytes_new_static("body", 4);
    for (int i = 0; i < 20; i++) {
        g_snprintf(keys[i], sizeof keys[i], "slow/%02d", i);
        objects[i] = (StoreObject){.key = keys[i], .body = body};
        for (int refusal = 0; refusal < i / 4; refusal++) /* the later the key, the more refusals: up to 4 */
            fake_s3_script(f->fake,
                           (FakeScript){.part = keys[i], .fault = FAKE_ANSWER, .status = 503, .code = "SlowDown"});
    }
    expect_status(f, store_put_all(f->store, objects, 20, &f->err), SF_OK);
    g_assert_cmpuint(fake_s3_count(f->fake), ==, 20);
}

static GBytes *large_body(char first)
{
    gsize size = (gsize) (2 * S3_PLACE_PART + 12345);
    char *data = g_malloc(size);
    memset(data, 'x', size);
    data[0] = first;
    return g_bytes_new_take(data, size);
}

static SfStatus put_large(Fixture *f, char first, bool *created)
{
    g_autoptr(GBytes) body = large_body(first);
    SfStatus status = store_put_new(f->store, "large", body, created, &f->err);
    g_autoptr(GBytes) there = fake_s3_get(f->fake, "/raw/sales data/large");
    if (status == SF_OK && *created)
        g_assert_true(there && g_bytes_equal(there, body));
    return status;
}

static void large_objects_go_up_in_parts(Fixture *f, gconstpointer unused)
{
    (void) unused;
    bool created = false;
    fake_s3_script(f->fake, (FakeScript){.part = "partNumber=2", .fault = FAKE_CUT});
    expect_status(f, put_large(f, 'a', &created), SF_OK);
    g_assert_true(created);
    expect_status(f, put_large(f, 'b', &created), SF_OK); /* another body: refused at the end, nothing left behind */
    g_assert_false(created);
    g_assert_cmpuint(fake_s3_uploads(f->fake), ==, 0);
}

static void lost_end_of_an_upload_counts_as_created(Fixture *f, gconstpointer unused)
{
    (void) unused;
    bool created = false;
    fake_s3_script(f->fake, (FakeScript){.method = "POST", .part = "uploadId", .fault = FAKE_DO_CUT});
    expect_status(f, put_large(f, 'a', &created), SF_OK);
    g_assert_true(created);
}

static void failed_uploads_are_aborted(Fixture *f, gconstpointer unused)
{
    (void) unused;
    bool created = false;
    fake_s3_script(
        f->fake,
        (FakeScript){.part = "partNumber=3", .fault = FAKE_ANSWER, .status = 503, .times = 3, .code = "SlowDown"});
    expect_status(f, put_large(f, 'a', &created), SF_RETRY);
    g_assert_cmpuint(fake_s3_uploads(f->fake), ==, 0);
    /* An error that hides behind 200, as CompleteMultipartUpload may send it. */
    fake_s3_script(f->fake, (FakeScript){.method = "POST",
                                         .part = "uploadId",
                                         .fault = FAKE_ANSWER,
                                         .status = 200,
                                         .code = "InternalError",
                                         .times = 3});
    expect_status(f, put_large(f, 'a', &created), SF_RETRY);
    g_assert_nonnull(strstr(f->err.message, "InternalError"));
    expect_status(f, put_large(f, 'a', &created), SF_OK);
    g_assert_true(created);
}

static void listing_goes_over_pages(Fixture *f, gconstpointer unused)
{
    (void) unused;
    for (int i = 0; i < 2100; i++) {
        g_autofree char *path = g_strdup_printf("/raw/sales data/p/%04d +&\xc3\xa9", i);
        fake_s3_set(f->fake, path, "abc");
    }
    fake_s3_set(f->fake, "/raw/other", "x");
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    expect_status(f, store_list(f->store, "p/", "p/0049 +&\xc3\xa9", 2040, entries, &f->err), SF_OK);
    g_assert_cmpuint(entries->len, ==, 2040);
    const StoreEntry *first = entries->pdata[0], *last = entries->pdata[2039];
    g_assert_cmpstr(first->key, ==, "p/0050 +&\xc3\xa9");
    g_assert_cmpstr(last->key, ==, "p/2089 +&\xc3\xa9");
    g_assert_cmpint(first->size, ==, 3);
    g_assert_cmpint(first->modified_ms, ==, INT64_C(1705314601500));
}

static void open_proves_conditional_writes(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect_status(f, store_open(f->store, &f->err), SF_OK);
    expect_status(f, store_open(f->store, &f->err), SF_OK);
    g_autofree char *requests = fake_s3_requests(f->fake);
    g_assert_cmpstr(requests, ==,
                    "PUT /raw/sales%20data/_sf/probe\nPUT /raw/sales%20data/_sf/probe\n"
                    "PUT /raw/sales%20data/_sf/probe\n");
    fake_s3_script(f->fake, (FakeScript){.fault = FAKE_IGNORE_NEW, .times = -1});
    expect_status(f, store_open(f->store, &f->err), SF_CONFIG);
    g_assert_nonnull(strstr(f->err.message, "ignores 'If-None-Match: *'"));
}

static void missing_bucket_is_a_mistake_at_open(Fixture *f, gconstpointer unused)
{
    (void) unused;
    f->options.url = "s3://missing/x";
    store_free(f->store);
    f->store = store_new(NULL, &f->options, &f->err);
    expect_status(f, store_open(f->store, &f->err), SF_CONFIG);
    g_assert_nonnull(strstr(f->err.message, "404 NoSuchBucket (on purpose); create the bucket or correct 'url'"));
}

static void credentials_come_from_a_file_that_may_be_renewed(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "sf-credentials", NULL);
    g_assert_true(g_file_set_contents(path, "[job]\naws_access_key_id = old\naws_secret_access_key = s\n", -1, NULL));
    g_setenv("AWS_SHARED_CREDENTIALS_FILE", path, TRUE);
    f->options.access_key_id = f->options.secret_access_key = NULL;
    f->options.profile = "job";
    store_free(f->store);
    f->store = store_new(NULL, &f->options, &f->err);
    g_assert_nonnull(f->store);
    g_assert_true(g_file_set_contents(
        path, "[job]\naws_access_key_id=new\naws_secret_access_key=s\naws_session_token=t\n", -1, NULL));
    fake_s3_script(f->fake, (FakeScript){.fault = FAKE_ANSWER, .status = 403, .code = "ExpiredToken"});
    expect_status(f, try_put(f, "k", "x"), SF_OK);
    g_autofree char *authorization = fake_s3_header(f->fake, "authorization");
    g_autofree char *token = fake_s3_header(f->fake, "x-amz-security-token");
    g_assert_nonnull(strstr(authorization, "Credential=new/"));
    g_assert_nonnull(strstr(authorization, "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"));
    g_assert_cmpstr(token, ==, "t");
    f->options.profile = "absent";
    g_assert_null(store_new(NULL, &f->options, &f->err));
    g_assert_nonnull(strstr(f->err.message, "section [absent]"));
    g_unsetenv("AWS_SHARED_CREDENTIALS_FILE");
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void bodies_are_hashed_when_asked(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect_status(f, try_put(f, "k", "x"), SF_OK);
    g_autofree char *unsigned_payload = fake_s3_header(f->fake, "x-amz-content-sha256");
    g_assert_cmpstr(unsigned_payload, ==, "UNSIGNED-PAYLOAD");
    f->options.sign_payload = true;
    expect_status(f, try_put(f, "k", "x"), SF_OK);
    g_autofree char *hash = fake_s3_header(f->fake, "x-amz-content-sha256");
    g_assert_cmpstr(hash, ==, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881");
}

static void places_that_mean_nothing_are_refused(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const char *const urls[] = {"s3://", "s3:///x", "s3://b?c/x"};
    for (gsize i = 0; i < G_N_ELEMENTS(urls); i++) {
        StoreOptions options = s3_place_options(f->fake, urls[i]);
        g_assert_null(store_new(NULL, &options, &f->err));
        g_assert_nonnull(strstr(f->err.message, "does not name a bucket"));
    }
    const char *const endpoints[] = {"localhost:9000", "ftp://x", "http://", "http://x/path"};
    for (gsize i = 0; i < G_N_ELEMENTS(endpoints); i++) {
        StoreOptions options = s3_place_options(f->fake, "s3://b/x");
        options.endpoint = endpoints[i];
        g_assert_null(store_new(NULL, &options, &f->err));
        g_assert_nonnull(strstr(f->err.message, "endpoint"));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/store/s3/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("keys are encoded once", keys_are_encoded_once);
    ADD("bodies come back", bodies_come_back);
    ADD("only the first creates", only_the_first_creates);
    ADD("lost success counts as created", lost_success_counts_as_created);
    ADD("conflict 409 is tried again, 304 is a refusal", conflict_409_is_tried_again);
    ADD("short outages are bridged", short_outages_are_bridged);
    ADD("long outages are the host's", long_outages_are_the_hosts);
    ADD("refusals say what helps", refusals_say_what_helps);
    ADD("silence ends by lack of progress", silence_ends_by_lack_of_progress);
    ADD("interrupt ends a wait", interrupt_ends_a_wait);
    ADD("unreachable endpoint is named", unreachable_endpoint_is_named);
    ADD("bucket goes into the host name when asked", bucket_goes_into_the_host_name_when_asked);
    ADD("several go up at once over kept connections", several_go_up_at_once_over_kept_connections);
    ADD("throttled requests go through little by little", throttled_requests_go_through_little_by_little);
    ADD("large objects go up in parts", large_objects_go_up_in_parts);
    ADD("lost end of an upload counts as created", lost_end_of_an_upload_counts_as_created);
    ADD("failed uploads are aborted", failed_uploads_are_aborted);
    ADD("listing goes over pages", listing_goes_over_pages);
    ADD("open proves conditional writes", open_proves_conditional_writes);
    ADD("missing bucket is a mistake at open", missing_bucket_is_a_mistake_at_open);
    ADD("credentials come from a file that may be renewed", credentials_come_from_a_file_that_may_be_renewed);
    ADD("bodies are hashed when asked", bodies_are_hashed_when_asked);
    ADD("places that mean nothing are refused", places_that_mean_nothing_are_refused);
    return g_test_run();
}
