/* What the S3 store makes of answers that are rare: several outcomes at once, credentials that end under way, odd
 * headers and ports. */
#include "s3/sigv4.h"
#include "s3_place.h"

#include <glib/gstdio.h>
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

static void every_object_has_its_outcome(Fixture *f, gconstpointer unused)
{
    (void) unused;
    StoreObject objects[S3_PLACE_MANY];
    fake_s3_script(f->fake,
                   (FakeScript){.part = "k/2", .fault = FAKE_ANSWER, .status = 400, .code = "InvalidArgument"});
    fake_s3_script(f->fake, (FakeScript){.part = "k/5", .fault = FAKE_ANSWER, .status = 403, .code = "AccessDenied"});
    g_assert_cmpint(s3_place_put_many(f, objects), ==, SF_FATAL);
    g_assert_nonnull(strstr(f->err.message, "k/2'"));
    for (int i = 0; i < S3_PLACE_MANY; i++)
        g_assert_cmpint(objects[i].created, ==, i != 2 && i != 5);
}

typedef struct Batch {
    Fixture *f;
    StoreObject objects[S3_PLACE_MANY];
    SfStatus status;
} Batch;

static gpointer put_batch(gpointer data)
{
    Batch *batch = data;
    batch->status = s3_place_put_many(batch->f, batch->objects);
    return NULL;
}

static void a_request_that_hangs_holds_up_no_other(Fixture *f, gconstpointer unused)
{
    (void) unused;
    f->options.timeout_ms = 60000;
    s3_place_open(f);
    fake_s3_script(f->fake, (FakeScript){.part = "k/0", .fault = FAKE_HANG});
    guint before = fake_s3_answered(f->fake);
    Batch batch = {.f = f};
    GThread *thread = g_thread_new("put", put_batch, &batch);
    gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    while (fake_s3_answered(f->fake) < before + S3_PLACE_MANY - 1 && g_get_monotonic_time() < deadline)
        g_thread_yield();
    g_assert_cmpuint(fake_s3_count(f->fake), ==, S3_PLACE_MANY - 1);
    store_interrupt(f->store);
    g_thread_join(thread);
    g_assert_cmpint(batch.status, ==, SF_RETRY);
    for (int i = 0; i < S3_PLACE_MANY; i++)
        g_assert_cmpint(batch.objects[i].created, ==, i != 0);
}

typedef struct Profile {
    char *path;
} Profile;

static void profile_write(const Profile *profile, const char *id)
{
    g_autofree char *text = g_strdup_printf("[job]\naws_access_key_id = %s\naws_secret_access_key = s\n", id);
    g_assert_true(g_file_set_contents(profile->path, text, -1, NULL));
}

static void profile_done(Profile *profile)
{
    g_unsetenv("AWS_SHARED_CREDENTIALS_FILE");
    g_assert_cmpint(g_unlink(profile->path), ==, 0);
    g_free(profile->path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Profile, profile_done)

static Profile use_profile(Fixture *f)
{
    Profile profile = {.path = g_build_filename(g_get_tmp_dir(), "sf-answers-XXXXXX", NULL)};
    int fd = g_mkstemp(profile.path);
    g_assert_cmpint(fd, >=, 0);
    g_assert_true(g_close(fd, NULL));
    profile_write(&profile, "old");
    g_setenv("AWS_SHARED_CREDENTIALS_FILE", profile.path, TRUE);
    f->options.access_key_id = f->options.secret_access_key = NULL;
    f->options.profile = "job";
    s3_place_open(f);
    return profile;
}

static void all_refused_requests_take_the_new_credentials(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_auto(Profile) profile = use_profile(f);
    StoreObject objects[S3_PLACE_MANY];
    profile_write(&profile, "new");
    fake_s3_script(
        f->fake,
        (FakeScript){
            .method = "PUT", .fault = FAKE_ANSWER, .status = 400, .code = "ExpiredToken", .times = S3_PLACE_MANY});
    g_assert_cmpint(s3_place_put_many(f, objects), ==, SF_OK);
    for (int i = 0; i < S3_PLACE_MANY; i++)
        g_assert_true(objects[i].created);
}

/* What a HEAD is refused for stands in no body: a token that has expired is a plain 400. */
static void a_head_without_words_may_be_an_expired_token(Fixture *f, gconstpointer unused)
{
    (void) unused;
    int64_t size = 0;
    const FakeScript refused = {.method = "HEAD", .fault = FAKE_ANSWER, .status = 400, .code = ""};
    fake_s3_set(f->fake, "/raw/t/k", "12345");
    fake_s3_script(f->fake, refused);
    g_assert_cmpint(store_stat(f->store, "k", &size, &f->err), ==, SF_RETRY);
    g_auto(Profile) profile = use_profile(f);
    profile_write(&profile, "new");
    fake_s3_script(f->fake, refused);
    g_assert_cmpint(store_stat(f->store, "k", &size, &f->err), ==, SF_OK);
    g_assert_cmpint(size, ==, 5);
}

static SfStatus put_refused(Fixture *f, int status, const char *code, const char *header, int times)
{
    g_autoptr(GBytes) body = g_bytes_new_static("x", 1);
    fake_s3_script(
        f->fake,
        (FakeScript){
            .method = "PUT", .fault = FAKE_ANSWER, .status = status, .code = code, .header = header, .times = times});
    return store_put(f->store, "k", body, &f->err);
}

static void a_new_bucket_is_waited_for(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_assert_cmpint(put_refused(f, 307, "TemporaryRedirect", NULL, 3), ==, SF_RETRY);
    g_assert_nonnull(strstr(f->err.message, "307 TemporaryRedirect (on purpose); the bucket is new"));
}

static void no_server_makes_us_wait_for_ever(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_assert_cmpint(put_refused(f, 503, "SlowDown", "Retry-After: 9223372036854775807", 3), ==, SF_RETRY);
    g_assert_nonnull(strstr(f->err.message, "the store asks to wait 86400 s"));
}

/* ---- what is no absence ---- */

static void a_proxys_404_is_an_outage(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GBytes) body = NULL;
    int64_t size = 0;
    const FakeScript proxy = {.fault = FAKE_ANSWER, .status = 404, .code = "", .times = 3};
    fake_s3_set(f->fake, "/raw/t/k", "12345");
    fake_s3_script(f->fake, proxy);
    g_assert_cmpint(store_get(f->store, "k", 100, &body, &f->err), ==, SF_RETRY);
    g_assert_nonnull(strstr(f->err.message, "404"));
    g_assert_nonnull(strstr(f->err.message, "S3 does not answer like that"));
    FakeScript head = proxy;
    head.times = 1;
    fake_s3_script(f->fake, head); /* then its GET shows that it is there */
    g_assert_cmpint(store_stat(f->store, "k", &size, &f->err), ==, SF_RETRY);
    fake_s3_script(f->fake, (FakeScript){.fault = FAKE_ANSWER, .status = 404, .code = "", .times = 4});
    g_assert_cmpint(store_stat(f->store, "k", &size, &f->err), ==, SF_RETRY);
    g_assert_cmpint(store_stat(f->store, "k", &size, &f->err), ==, SF_OK);
    g_assert_cmpint(store_stat(f->store, "other", &size, &f->err), ==, SF_EMPTY);
    g_assert_cmpint(store_get(f->store, "other", 100, &body, &f->err), ==, SF_EMPTY);
}

static void a_404_at_open_is_not_a_missing_bucket(Fixture *f, gconstpointer unused)
{
    (void) unused;
    fake_s3_script(f->fake, (FakeScript){.fault = FAKE_ANSWER, .status = 404, .code = "", .times = 3});
    g_assert_cmpint(store_open(f->store, &f->err), ==, SF_RETRY);
    fake_s3_script(f->fake, (FakeScript){.fault = FAKE_ANSWER, .status = 404, .code = "NoSuchBucket"});
    g_assert_cmpint(store_open(f->store, &f->err), ==, SF_CONFIG);
    g_assert_nonnull(strstr(f->err.message, "create the bucket or correct 'url'"));
    g_assert_cmpint(store_open(f->store, &f->err), ==, SF_OK);
}

static void a_head_without_length_is_no_absence(Fixture *f, gconstpointer unused)
{
    (void) unused;
    int64_t size = 0;
    fake_s3_set(f->fake, "/raw/t/k", "12345");
    fake_s3_script(f->fake, (FakeScript){.method = "HEAD", .fault = FAKE_NO_LENGTH});
    g_assert_cmpint(store_stat(f->store, "k", &size, &f->err), ==, SF_RETRY);
    g_assert_nonnull(strstr(f->err.message, "no Content-Length"));
    g_assert_cmpint(store_stat(f->store, "k", &size, &f->err), ==, SF_OK);
    g_assert_cmpint(size, ==, 5);
}

/* Whatever the refusal is called: credentials are not to blame for a clock. */
static void a_wrong_clock_is_told_from_wrong_credentials(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_assert_cmpint(put_refused(f, 403, "SignatureDoesNotMatch", "Date: Mon, 01 Jan 2024 00:00:00 GMT", 1), ==,
                    SF_RETRY);
    g_assert_nonnull(strstr(f->err.message, "; this machine's clock is "));
    g_assert_nonnull(strstr(f->err.message, " s ahead of the store's: set it"));
    g_assert_null(strstr(f->err.message, "secret_access_key"));
    g_assert_cmpint(put_refused(f, 400, "AuthorizationHeaderMalformed", "Date: Fri, 01 Jan 2100 00:00:00 GMT", 3), ==,
                    SF_RETRY);
    g_assert_nonnull(strstr(f->err.message, " s behind the store's: set it"));
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) now = g_date_time_new_now(utc);
    g_autofree char *right = g_date_time_format(now, "Date: %a, %d %b %Y %H:%M:%S GMT");
    g_assert_cmpint(put_refused(f, 403, "SignatureDoesNotMatch", right, 1), ==, SF_RETRY);
    g_assert_nonnull(strstr(f->err.message, "'secret_access_key' does not belong to 'access_key_id'"));
}

/* ---- conditions ---- */

static void parts_must_honour_the_condition(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const FakeScript ignores = {.method = "POST", .part = "uploadId", .fault = FAKE_IGNORE_NEW, .times = 2};
    g_assert_cmpint(store_open(f->store, &f->err), ==, SF_OK);
    fake_s3_script(f->fake, ignores);
    g_assert_cmpint(store_prove_parts(f->store, &f->err), ==, SF_CONFIG);
    g_assert_nonnull(strstr(f->err.message, "ignores 'If-None-Match: *' at the end of an upload in parts"));
    g_assert_cmpint(store_prove_parts(f->store, &f->err), ==, SF_OK);
    g_assert_cmpuint(fake_s3_uploads(f->fake), ==, 0);
    fake_s3_script(f->fake,
                   (FakeScript){.method = "POST", .fault = FAKE_ANSWER, .status = 501, .code = "NotImplemented"});
    g_assert_cmpint(store_prove_parts(f->store, &f->err), ==, SF_OK);
    fake_s3_script(f->fake,
                   (FakeScript){.method = "POST", .fault = FAKE_ANSWER, .status = 503, .code = "SlowDown", .times = 3});
    g_assert_cmpint(store_prove_parts(f->store, &f->err), ==, SF_RETRY);
}

/* Our own objects say what they are; those of others are read. */
static void sums_come_without_reading(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GBytes) body = g_bytes_new_static("123456789", 9);
    const char *const keys[] = {"ours", "theirs", "none"};
    StoreSum sums[3];
    bool created = false;
    g_assert_cmpint(store_put_new(f->store, "ours", body, &created, &f->err), ==, SF_OK);
    g_assert_true(created);
    fake_s3_set(f->fake, "/raw/t/theirs", "123456789");
    g_free(fake_s3_requests(f->fake));
    g_assert_cmpint(store_sum_all(f->store, keys, sums, 3, &f->err), ==, SF_OK);
    for (int i = 0; i < 2; i++) {
        g_assert_cmpint(sums[i].size, ==, 9);
        g_assert_cmphex(sums[i].crc32, ==, 0xcbf43926);
    }
    g_assert_cmpint(sums[2].size, ==, -1);
    g_autofree char *requests = fake_s3_requests(f->fake);
    g_assert_null(strstr(requests, "GET /raw/t/ours"));
    g_assert_nonnull(strstr(requests, "GET /raw/t/theirs"));
}

/* ---- hostile words ---- */

static void servers_do_not_write_to_terminals(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GBytes) body = g_bytes_new_static("x", 1);
    fake_s3_script(f->fake,
                   (FakeScript){.fault = FAKE_BODY,
                                .status = 403,
                                .code = "<Error><Code>Access\302\233Denied&#127;</Code><Message>&#27;]0;owned&#7;"
                                        "&#10;[2026-01-01] INFO - forged</Message></Error>",
                                .times = 3});
    g_assert_cmpint(store_put(f->store, "k", body, &f->err), ==, SF_RETRY);
    g_assert_nonnull(strstr(f->err.message, "403 Access  Denied  ( ]0;owned  [2026-01-01] INFO - forged)"));
}

/* What does not fit is cut between characters, and bytes that are none of a character go. */
static void servers_words_stay_text(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GBytes) body = NULL;
    g_autoptr(GString) words = g_string_new("<Error><Code>Odd</Code><Message>");
    for (int i = 0; i < 200; i++)
        g_string_append(words, "\303\251");
    g_string_append(words, "</Message></Error>");
    fake_s3_script(f->fake, (FakeScript){.fault = FAKE_BODY, .status = 400, .code = words->str});
    g_assert_cmpint(store_get(f->store, "k", 100, &body, &f->err), ==, SF_FATAL);
    g_assert_nonnull(strstr(f->err.message, "\303\251\303\251)"));
    fake_s3_script(f->fake, (FakeScript){.fault = FAKE_ANSWER,
                                         .status = 301,
                                         .code = "PermanentRedirect",
                                         .header = "x-amz-bucket-region: eu\377west"});
    g_assert_cmpint(store_get(f->store, "k", 100, &body, &f->err), ==, SF_CONFIG);
    g_assert_nonnull(strstr(f->err.message, "the bucket is in region 'eu', not 'us-east-1'"));
}

/* A byte now and then is progress, and would hold the call up for ever. */
static void a_request_that_drips_has_an_end(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GBytes) body = NULL;
    f->options.timeout_ms = 2000; /* as long: a slow machine may be late with a byte */
    f->options.request_ms = 2000;
    s3_place_open(f);
    fake_s3_script(f->fake, (FakeScript){.fault = FAKE_DRIP, .times = -1});
    g_assert_cmpint(store_get(f->store, "k", 100, &body, &f->err), ==, SF_RETRY);
    g_test_message("%s", f->err.message);
    g_assert_nonnull(strstr(f->err.message, "not done after 2000 ms"));
}

/* As the server checks it: by the Host that has come. */
static void assert_signed(FakeS3 *fake, const char *path)
{
    g_autofree char *host = fake_s3_header(fake, "host");
    g_autofree char *time = fake_s3_header(fake, "x-amz-date");
    g_autofree char *sent = fake_s3_header(fake, "authorization");
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) moment = g_date_time_new_from_iso8601(time, utc);
    g_assert_nonnull(moment);
    const SigV4Pair headers[] = {{"host", host}, {"x-amz-content-sha256", SIGV4_UNSIGNED}, {"x-amz-date", time}};
    const SigV4Request request = {.method = "PUT",
                                  .path = path,
                                  .headers = headers,
                                  .n_headers = G_N_ELEMENTS(headers),
                                  .payload_hash = SIGV4_UNSIGNED,
                                  .time_s = g_date_time_to_unix(moment)};
    SigV4Signer signer;
    sigv4_signer_init(&signer, "id", S3_PLACE_SECRET, "us-east-1", "s3");
    g_autofree char *expected = sigv4_authorization(&signer, &request);
    sigv4_signer_done(&signer);
    g_assert_cmpstr(sent, ==, expected);
}

/* curl leaves the scheme's own port out of Host: what is signed must be what is sent. A proxy shows both. */
static void the_port_is_signed_as_it_is_sent(Fixture *f, gconstpointer unused)
{
    (void) unused;
    static const char *const endpoints[] = {"http://store.test", "http://store.test:80", "http://store.test:443",
                                            "http://[::1]:80"};
    g_autoptr(GBytes) body = g_bytes_new_static("x", 1);
    g_setenv("http_proxy", fake_s3_url(f->fake), TRUE);
    for (gsize i = 0; i < G_N_ELEMENTS(endpoints); i++) {
        f->options.endpoint = endpoints[i];
        s3_place_open(f);
        g_assert_cmpint(store_put(f->store, "k", body, &f->err), ==, SF_OK);
        assert_signed(f->fake, "/raw/t/k");
    }
    g_unsetenv("http_proxy");
}

/* They go into headers, which a line break would end. */
static void credentials_have_no_line_breaks(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const StoreOptions good = f->options;
    StoreOptions bad[] = {good, good, good, good};
    bad[0].access_key_id = "id\r\nx-amz-acl: public-read";
    bad[1].secret_access_key = S3_PLACE_SECRET "\n";
    bad[2].session_token = "token\r\nx: y";
    bad[3].secret_access_key = S3_PLACE_SECRET " ";
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        f->options = bad[i];
        g_assert_null(store_new(NULL, &f->options, &f->err));
        g_assert_nonnull(strstr(f->err.message, "control character"));
        g_assert_null(strstr(f->err.message, S3_PLACE_SECRET));
        g_assert_null(strstr(f->err.message, "x-amz-acl"));
    }
    f->options = good;
}

static GString *logged;

static void log_to_text(SfNode *node, SfLogLevel level, const char *message)
{
    (void) node;
    if (level == SF_LOG_WARNING)
        g_string_append_printf(logged, "%s\n", message);
}

/* Said once, and not of this machine. */
static void connections_that_others_may_read_are_warned_of(Fixture *f, gconstpointer unused)
{
    (void) unused;
    static const struct {
        const char *endpoint;
        bool tls_verify;
        const char *said;
    } cases[] = {{"http://no.host.invalid:9000", true, "is not encrypted"},
                 {"https://no.host.invalid:9000", false, "tls_verify: false"},
                 {"https://no.host.invalid:9000", true, NULL},
                 {"http://127.0.0.1:1", true, NULL}};
    const SfHost host = {.size = sizeof host, .log = log_to_text};
    SfNode node = {.host = &host};
    logged = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        StoreOptions options = f->options;
        options.endpoint = cases[i].endpoint;
        options.tls_verify = cases[i].tls_verify;
        Store *store = store_new(&node, &options, &f->err);
        g_assert_nonnull(store);
        g_string_truncate(logged, 0);
        store_interrupt(store);
        g_assert_cmpint(store_open(store, &f->err), ==, SF_RETRY);
        store_interrupt(store);
        g_assert_cmpint(store_open(store, &f->err), ==, SF_RETRY);
        store_free(store);
        const char *first = cases[i].said ? strstr(logged->str, cases[i].said) : NULL;
        g_assert_true(cases[i].said ? first && !strstr(first + 1, cases[i].said) : logged->len == 0);
    }
    g_string_free(logged, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/store/s3/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("every object has its outcome", every_object_has_its_outcome);
    ADD("servers' words stay text", servers_words_stay_text);
    ADD("a request that hangs holds up no other", a_request_that_hangs_holds_up_no_other);
    ADD("all refused requests take the new credentials", all_refused_requests_take_the_new_credentials);
    ADD("credentials have no line breaks", credentials_have_no_line_breaks);
    ADD("connections that others may read are warned of", connections_that_others_may_read_are_warned_of);
    ADD("a HEAD without words may be an expired token", a_head_without_words_may_be_an_expired_token);
    ADD("a new bucket is waited for", a_new_bucket_is_waited_for);
    ADD("no server makes us wait for ever", no_server_makes_us_wait_for_ever);
    ADD("a proxy's 404 is an outage", a_proxys_404_is_an_outage);
    ADD("a 404 at open is not a missing bucket", a_404_at_open_is_not_a_missing_bucket);
    ADD("a HEAD without length is no absence", a_head_without_length_is_no_absence);
    ADD("a wrong clock is told from wrong credentials", a_wrong_clock_is_told_from_wrong_credentials);
    ADD("parts must honour the condition", parts_must_honour_the_condition);
    ADD("sums come without reading", sums_come_without_reading);
    ADD("servers do not write to terminals", servers_do_not_write_to_terminals);
    ADD("a request that drips has an end", a_request_that_drips_has_an_end);
    ADD("the port is signed as it is sent", the_port_is_signed_as_it_is_sent);
    return g_test_run();
}
