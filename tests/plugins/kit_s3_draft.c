/* Bodies that go up in parts while the rest is still to come, against a server that fails as scripted. */
#include "s3_place.h"

#include <string.h>

#define PATH "/raw/t/k"
#define PART ((gsize) S3_PLACE_PART)

typedef struct Fixture {
    S3Place at;
    StoreDraft *draft;
    GByteArray *body; /* what was written so far, and the rest */
    GBytes *rest;
} Fixture;

static void expect(Fixture *f, SfStatus actual, SfStatus expected)
{
    if (actual != expected)
        g_test_message("%s", f->at.err.message);
    g_assert_cmpint(actual, ==, expected);
}

static void set_up(Fixture *f, gconstpointer unused)
{
    (void) unused;
    s3_place_init(&f->at, "s3://raw/t");
    f->body = g_byte_array_new();
    expect(f, store_open(f->at.store, &f->at.err), SF_OK);
    expect(f, store_prove_parts(f->at.store, &f->at.err), SF_OK);
    f->draft = store_draft_new(f->at.store, "k");
    g_assert_nonnull(f->draft);
    g_free(fake_s3_requests(f->at.fake));
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    (void) unused;
    store_draft_free(f->draft);
    s3_place_done(&f->at);
    g_byte_array_unref(f->body);
    g_bytes_unref(f->rest);
}

static void append(Fixture *f, gsize size)
{
    gsize before = f->body->len;
    g_byte_array_set_size(f->body, (guint) (before + size));
    for (gsize i = before; i < before + size; i++)
        f->body->data[i] = (guint8) (i * 2654435761U >> 24);
}

/* One part more; how much of it was taken. */
static gsize write_part(Fixture *f)
{
    append(f, PART);
    return store_draft_write(f->draft, (const char *) f->body->data + f->body->len - PART, PART);
}

static void write_parts(Fixture *f, int n)
{
    for (int i = 0; i < n; i++)
        g_assert_cmpuint(write_part(f), ==, PART);
}

static SfStatus put(Fixture *f, gsize rest, bool *created)
{
    if (!f->rest) {
        append(f, rest);
        f->rest = g_bytes_new(f->body->data + f->body->len - rest, rest);
    }
    StoreObject object = {.key = "k", .body = f->rest, .draft = f->draft, .only_new = true};
    SfStatus status = store_put_all(f->at.store, &object, 1, &f->at.err);
    *created = object.created;
    return status;
}

static bool put_rest(Fixture *f, gsize rest)
{
    bool created = false;
    expect(f, put(f, rest, &created), SF_OK);
    return created;
}

static void expect_stored(Fixture *f)
{
    g_autoptr(GBytes) there = fake_s3_get(f->at.fake, PATH);
    g_assert_nonnull(there);
    g_assert_cmpuint(g_bytes_get_size(there), ==, f->body->len);
    g_assert_true(memcmp(g_bytes_get_data(there, NULL), f->body->data, f->body->len) == 0);
}

static void wait_for_parts(Fixture *f, guint n)
{
    gint64 deadline = g_get_monotonic_time() + 120 * G_USEC_PER_SEC;
    while (fake_s3_parts(f->at.fake) < n && g_get_monotonic_time() < deadline)
        g_usleep(1000);
    g_assert_cmpuint(fake_s3_parts(f->at.fake), ==, n);
}

static void expect_no_upload(Fixture *f)
{
    g_clear_pointer(&f->draft, store_draft_free);
    g_assert_cmpuint(fake_s3_uploads(f->at.fake), ==, 0);
}

static void parts_go_up_while_the_rest_is_to_come(Fixture *f, gconstpointer unused)
{
    (void) unused;
    write_parts(f, 2);
    wait_for_parts(f, 2);
    g_autoptr(GBytes) early = fake_s3_get(f->at.fake, PATH);
    g_assert_null(early);
    g_assert_true(put_rest(f, 1000));
    expect_stored(f);
    g_assert_true(put_rest(f, 0)); /* is repeated when another object's put has failed */
    expect_no_upload(f);
}

static void what_the_store_has_is_not_held(Fixture *f, gconstpointer unused)
{
    (void) unused;
    gint64 deadline = g_get_monotonic_time() + 120 * G_USEC_PER_SEC;
    write_parts(f, 1);
    while (store_draft_held(f->draft) > 0 && g_get_monotonic_time() < deadline)
        g_usleep(1000);
    g_assert_cmpuint(store_draft_held(f->draft), ==, 0);
    g_assert_cmpuint(fake_s3_parts(f->at.fake), ==, 1);
    g_assert_true(put_rest(f, 0)); /* no part without bytes */
    expect_stored(f);
}

static void memory_is_bounded_however_much_comes(Fixture *f, gconstpointer unused)
{
    (void) unused;
    gsize most = 0;
    for (int i = 0; i < 12; i++) {
        g_assert_cmpuint(write_part(f), ==, PART);
        most = MAX(most, store_draft_held(f->draft));
    }
    g_assert_cmpuint(most, <=, 4 * PART);
    g_assert_true(put_rest(f, 5));
    expect_stored(f);
}

static void small_bodies_are_one_request(Fixture *f, gconstpointer unused)
{
    (void) unused;
    append(f, 1000);
    g_assert_cmpuint(store_draft_write(f->draft, (const char *) f->body->data, f->body->len), ==, 0);
    f->rest = g_bytes_new(f->body->data, f->body->len);
    g_assert_true(put_rest(f, 0));
    expect_stored(f);
    g_autofree char *requests = fake_s3_requests(f->at.fake);
    g_assert_cmpstr(requests, ==, "PUT " PATH "\n");
}

static void only_proven_stores_get_drafts(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_clear_pointer(&f->draft, store_draft_free);
    s3_place_open(&f->at);
    g_assert_null(store_draft_new(f->at.store, "k"));
    fake_s3_script(f->at.fake,
                   (FakeScript){.part = "uploads", .fault = FAKE_ANSWER, .status = 501, .code = "NotImplemented"});
    expect(f, store_prove_parts(f->at.store, &f->at.err), SF_OK);
    g_assert_null(store_draft_new(f->at.store, "k"));
}

static void a_foreign_object_stays(Fixture *f, gconstpointer unused)
{
    (void) unused;
    write_parts(f, 1);
    fake_s3_set(f->at.fake, PATH, "theirs");
    g_assert_false(put_rest(f, 10));
    g_assert_false(put_rest(f, 10));
    g_autoptr(GBytes) there = fake_s3_get(f->at.fake, PATH);
    g_assert_cmpmem(g_bytes_get_data(there, NULL), g_bytes_get_size(there), "theirs", 6);
    expect_no_upload(f);
}

/* The answer to the completion is lost: the object is there, and who asks by its sum finds that it is ours. */
static void a_lost_completion_is_no_loss(Fixture *f, gconstpointer unused)
{
    (void) unused;
    write_parts(f, 1);
    fake_s3_script(f->at.fake, (FakeScript){.method = "POST", .part = "uploadId", .fault = FAKE_DO_CUT});
    put_rest(f, 10);
    expect_stored(f);
    put_rest(f, 10);
    expect_stored(f);
    expect_no_upload(f);
}

static void lost_answers_are_asked_for_again(Fixture *f, gconstpointer unused)
{
    (void) unused;
    fake_s3_script(f->at.fake, (FakeScript){.method = "POST", .part = "?uploads", .fault = FAKE_DO_CUT});
    fake_s3_script(f->at.fake, (FakeScript){.part = "partNumber=1", .fault = FAKE_DO_CUT});
    fake_s3_script(
        f->at.fake,
        (FakeScript){.part = "partNumber=2", .fault = FAKE_DO_ANSWER, .status = 500, .code = "InternalError"});
    write_parts(f, 2);
    g_assert_true(put_rest(f, 10));
    expect_stored(f);
    g_clear_pointer(&f->draft, store_draft_free);
    g_assert_cmpuint(fake_s3_uploads(f->at.fake), ==, 1); /* nobody knows of the first: tidying up finds it */
}

static void outages_between_parts_are_bridged(Fixture *f, gconstpointer unused)
{
    (void) unused;
    bool created;
    const FakeScript away = {
        .part = "partNumber=2", .fault = FAKE_ANSWER, .status = 503, .code = "SlowDown", .times = 7};
    fake_s3_script(f->at.fake, away); /* three attempts of the sender, three of a put, one more of the next */
    write_parts(f, 3);
    expect(f, put(f, 10, &created), SF_RETRY);
    g_assert_nonnull(strstr(f->at.err.message, "503 SlowDown"));
    g_assert_false(created);
    g_assert_true(put_rest(f, 10));
    expect_stored(f);
    expect_no_upload(f);
}

/* What failed is sent again while more comes in. */
static void failed_parts_are_sent_again_by_later_writes(Fixture *f, gconstpointer unused)
{
    (void) unused;
    fake_s3_script(f->at.fake, (FakeScript){.part = "partNumber=1",
                                            .fault = FAKE_ANSWER,
                                            .status = 403,
                                            .code = "AccessDenied"}); /* is not worth another attempt at once */
    write_parts(f, 1);
    gint64 deadline = g_get_monotonic_time() + 120 * G_USEC_PER_SEC;
    append(f, PART);
    while (store_draft_write(f->draft, (const char *) f->body->data + PART, PART) == 0) {
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
        g_usleep(1000);
    }
    g_assert_true(put_rest(f, 10));
    expect_stored(f);
}

static void an_upload_that_cannot_begin_leaves_the_body_to_the_caller(Fixture *f, gconstpointer unused)
{
    (void) unused;
    fake_s3_script(f->at.fake, (FakeScript){.method = "POST",
                                            .part = "?uploads",
                                            .fault = FAKE_ANSWER,
                                            .status = 403,
                                            .code = "AccessDenied",
                                            .times = 2});
    g_assert_cmpuint(write_part(f), ==, 0);
    append(f, 1000);
    f->rest = g_bytes_new(f->body->data, f->body->len);
    bool created;
    expect(f, put(f, 0, &created), SF_RETRY);
    g_assert_nonnull(strstr(f->at.err.message, "403 AccessDenied"));
    g_assert_true(put_rest(f, 0));
    expect_stored(f);
}

static void an_upload_that_others_ended_is_fenced(Fixture *f, gconstpointer when)
{
    bool created;
    write_parts(f, 1);
    wait_for_parts(f, 1);
    fake_s3_drop_uploads(f->at.fake);
    if (g_str_equal(when, "before a part"))
        write_part(f);
    expect(f, put(f, g_str_equal(when, "before the end") ? 0 : 10, &created), SF_FENCED);
    g_assert_nonnull(strstr(f->at.err.message, "the upload of 's3://raw/t/k' was ended by somebody else"));
    g_assert_false(created);
    expect(f, put(f, 0, &created), SF_FENCED);
    g_assert_cmpuint(fake_s3_count(f->at.fake), ==, 1); /* the probe */
}

static void what_is_dropped_is_given_up(Fixture *f, gconstpointer unused)
{
    (void) unused;
    fake_s3_script(f->at.fake, (FakeScript){.part = "partNumber=2", .fault = FAKE_HANG});
    write_parts(f, 2);
    wait_for_parts(f, 1);
    expect_no_upload(f);
    g_assert_cmpuint(fake_s3_count(f->at.fake), ==, 1);
}

static gpointer interrupt_soon(gpointer store)
{
    g_usleep(20000);
    store_interrupt(store);
    return NULL;
}

static void wait_for_request(Fixture *f, const char *part)
{
    bool seen = false;
    for (gint64 end = g_get_monotonic_time() + 120 * G_USEC_PER_SEC; !seen && g_get_monotonic_time() < end;) {
        g_autofree char *requests = fake_s3_requests(f->at.fake);
        seen = strstr(requests, part) != NULL;
        g_usleep(1000);
    }
    g_assert_true(seen);
}

static void interrupt_ends_the_wait_for_parts(Fixture *f, gconstpointer unused)
{
    (void) unused;
    bool created;
    f->at.options.timeout_ms = 600000;
    g_clear_pointer(&f->draft, store_draft_free);
    s3_place_open(&f->at);
    expect(f, store_prove_parts(f->at.store, &f->at.err), SF_OK);
    f->draft = store_draft_new(f->at.store, "k");
    fake_s3_script(f->at.fake, (FakeScript){.part = "partNumber=1", .fault = FAKE_HANG});
    write_parts(f, 1);
    wait_for_request(f, "partNumber=1");
    GThread *thread = g_thread_new("interrupt", interrupt_soon, f->at.store);
    expect(f, put(f, 10, &created), SF_RETRY);
    g_thread_join(thread);
    g_assert_true(put_rest(f, 10));
    expect_stored(f);
}

static void several_drafts_end_together(Fixture *f, gconstpointer unused)
{
    (void) unused;
    enum { N = 5 };
    char keys[N][8];
    StoreObject objects[N];
    g_autofree char *part = g_malloc(PART);
    g_autoptr(GBytes) rest = g_bytes_new_static("rest", 4);
    for (int i = 0; i < N; i++) {
        g_snprintf(keys[i], sizeof keys[i], "m/%d", i);
        memset(part, 'a' + i, PART);
        objects[i] = (StoreObject){
            .key = keys[i], .body = rest, .draft = store_draft_new(f->at.store, keys[i]), .only_new = true};
        if (i != 3) /* one has nothing yet */
            g_assert_cmpuint(store_draft_write(objects[i].draft, part, PART), ==, PART);
    }
    fake_s3_set(f->at.fake, "/raw/t/m/1", "theirs");
    expect(f, store_put_all(f->at.store, objects, N, &f->at.err), SF_OK);
    for (int i = 0; i < N; i++) {
        g_autofree char *path = g_strdup_printf("/raw/t/%s", keys[i]);
        g_autoptr(GBytes) there = fake_s3_get(f->at.fake, path);
        g_assert_cmpint(objects[i].created, ==, i != 1);
        g_assert_cmpuint(g_bytes_get_size(there), ==, i == 1 ? 6 : i == 3 ? 4 : PART + 4);
        store_draft_free(objects[i].draft);
    }
    g_assert_cmpuint(fake_s3_uploads(f->at.fake), ==, 0);
}

static bool begins_with_a(gconstpointer user, const char *key)
{
    g_assert_cmpstr(user, ==, "user");
    g_assert_true(g_str_has_prefix(key, "d/"));
    return g_str_has_prefix(key, "d/a");
}

#define HOUR_MS (INT64_C(3600) * 1000)

static void tidying_takes_what_is_old_and_ours(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const char *const paths[] = {"/raw/t/d/a \xc3\xa9+", "/raw/t/d/b", "/raw/t/e/a", "/raw/d/a"};
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
        fake_s3_begin_upload(f->at.fake, paths[i], "2024-01-15T10:30:01.000Z");
    g_autoptr(StoreDraft) young = store_draft_new(f->at.store, "d/a2");
    g_autofree char *part = g_malloc0(PART);
    g_assert_cmpuint(store_draft_write(young, part, PART), ==, PART);
    store_tidy(f->at.store, "d/", HOUR_MS, begins_with_a, "user");
    g_assert_cmpuint(fake_s3_uploads(f->at.fake), ==, 4);
    store_tidy(f->at.store, "d/", -HOUR_MS, begins_with_a, "user");
    g_assert_cmpuint(fake_s3_uploads(f->at.fake), ==, 3);
    fake_s3_script(f->at.fake,
                   (FakeScript){.part = "uploads=", .fault = FAKE_ANSWER, .status = 403, .code = "AccessDenied"});
    store_tidy(f->at.store, "d/", HOUR_MS, begins_with_a, "user"); /* lacks the permission: no error */
}

/* Where the prefix gives something, nobody asks for all of the bucket. */
static void tidying_asks_once_more_where_prefixes_hide(Fixture *f, gconstpointer unused)
{
    (void) unused;
    for (int minio = 0; minio < 2; minio++) {
        fake_s3_begin_upload(f->at.fake, "/raw/t/d/a/1", "2024-01-15T10:30:01.000Z");
        fake_s3_begin_upload(f->at.fake, "/raw/t/e/a/1", "2024-01-15T10:30:01.000Z");
        fake_s3_begin_upload(f->at.fake, "/raw/d/a/1", "2024-01-15T10:30:01.000Z");
        if (minio)
            fake_s3_list_uploads_as_minio(f->at.fake);
        g_free(fake_s3_requests(f->at.fake));
        store_tidy(f->at.store, "d/", HOUR_MS, begins_with_a, "user");
        g_autofree char *requests = fake_s3_requests(f->at.fake);
        g_assert_true((strstr(requests, "prefix=&uploads=") != NULL) == minio);
        g_assert_nonnull(strstr(requests, "DELETE /raw/t/d/a/1?uploadId="));
        g_assert_cmpuint(fake_s3_uploads(f->at.fake), ==, 2);
        fake_s3_drop_uploads(f->at.fake);
    }
}

/* More than are given up in one go. */
static void tidying_gives_up_however_many(Fixture *f, gconstpointer unused)
{
    (void) unused;
    for (int i = 0; i < 205; i++) {
        g_autofree char *path = g_strdup_printf("/raw/t/d/a/%d", i);
        fake_s3_begin_upload(f->at.fake, path, "2024-01-15T10:30:01.000Z");
    }
    store_tidy(f->at.store, "d/", HOUR_MS, begins_with_a, "user");
    g_assert_cmpuint(fake_s3_uploads(f->at.fake), ==, 0);
}

/* Markers are sent as keys are, which a page may have encoded. */
static void tidying_goes_over_pages(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const char *const pages[] = {
        "<R><EncodingType>url</EncodingType><Upload><Initiated>2024-01-15T10:30:01Z</Initiated>"
        "<Key>t/d/a%2B%C3%A9</Key><UploadId>one</UploadId></Upload><NextKeyMarker>t/d/a%2B%C3%A9</NextKeyMarker>"
        "<NextUploadIdMarker>o%ne</NextUploadIdMarker><IsTruncated>true</IsTruncated></R>",
        "<R><Upload><Key>t/d/a+c</Key><UploadId>young</UploadId></Upload><Upload><Key>t/d/a</Key></Upload>"
        "<Upload><Initiated>never</Initiated><Key>t/d/a</Key><UploadId>ageless</UploadId></Upload>"
        "<Upload><Initiated>2024-01-15T10:30:01Z</Initiated><Key>t/d/a+b</Key><UploadId>two</UploadId></Upload>"
        "<NextKeyMarker>t/d/a+b</NextKeyMarker><IsTruncated>true</IsTruncated></R>",
        "<R><IsTruncated>false</IsTruncated></R>"};
    for (gsize i = 0; i < G_N_ELEMENTS(pages); i++)
        fake_s3_script(f->at.fake,
                       (FakeScript){.part = "uploads=", .fault = FAKE_BODY, .status = 200, .code = pages[i]});
    g_free(fake_s3_requests(f->at.fake));
    store_tidy(f->at.store, "d/", HOUR_MS, begins_with_a, "user");
    g_autofree char *requests = fake_s3_requests(f->at.fake);
    g_test_message("%s", requests);
    g_assert_nonnull(strstr(requests, "key-marker=t%2Fd%2Fa%2B%C3%A9&"));
    g_assert_nonnull(strstr(requests, "upload-id-marker=o%25ne&"));
    g_assert_nonnull(strstr(requests, "key-marker=t%2Fd%2Fa%2Bb&"));
    g_assert_nonnull(strstr(requests, "DELETE /raw/t/d/a%2B%C3%A9?uploadId=one"));
    g_assert_nonnull(strstr(requests, "DELETE /raw/t/d/a%2Bb?uploadId=two"));
    g_assert_null(strstr(requests, "ageless"));
    g_assert_null(strstr(requests, "uploadId=young"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/store/s3/draft/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("parts go up while the rest is to come", parts_go_up_while_the_rest_is_to_come);
    ADD("what the store has is not held", what_the_store_has_is_not_held);
    ADD("memory is bounded however much comes", memory_is_bounded_however_much_comes);
    ADD("small bodies are one request", small_bodies_are_one_request);
    ADD("only proven stores get drafts", only_proven_stores_get_drafts);
    ADD("a foreign object stays", a_foreign_object_stays);
    ADD("a lost completion is no loss", a_lost_completion_is_no_loss);
    ADD("lost answers are asked for again", lost_answers_are_asked_for_again);
    ADD("outages between parts are bridged", outages_between_parts_are_bridged);
    ADD("failed parts are sent again by later writes", failed_parts_are_sent_again_by_later_writes);
    ADD("an upload that cannot begin leaves the body to the caller",
        an_upload_that_cannot_begin_leaves_the_body_to_the_caller);
    static const char *const moments[] = {"before a part", "before the rest", "before the end"};
    for (gsize i = 0; i < G_N_ELEMENTS(moments); i++) {
        g_autofree char *name =
            g_strdup_printf("/store/s3/draft/an upload that others ended is fenced, %s", moments[i]);
        g_test_add(name, Fixture, moments[i], set_up, an_upload_that_others_ended_is_fenced, tear_down);
    }
    ADD("what is dropped is given up", what_is_dropped_is_given_up);
    ADD("interrupt ends the wait for parts", interrupt_ends_the_wait_for_parts);
    ADD("several drafts end together", several_drafts_end_together);
    ADD("tidying asks for a bucket once more where prefixes hide", tidying_asks_once_more_where_prefixes_hide);
    ADD("tidying gives up however many", tidying_gives_up_however_many);
    ADD("tidying goes over pages", tidying_goes_over_pages);
    ADD("tidying takes what is old and ours", tidying_takes_what_is_old_and_ours);
    return g_test_run();
}
