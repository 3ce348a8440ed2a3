/* Requests of the S3 store that go on at once: how many, and what one of them does to the others. */
#include "s3/s3.h"
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

/* Several at once, of which not the first hangs: it is given up all the same. */
static void any_request_that_hangs_is_given_up(Fixture *f, gconstpointer unused)
{
    (void) unused;
    StoreObject objects[S3_PLACE_MANY];
    f->options.timeout_ms = 300;
    s3_place_open(f);
    fake_s3_script(f->fake, (FakeScript){.part = "k/2", .fault = FAKE_HANG, .times = -1});
    g_assert_cmpint(s3_place_put_many(f, objects), ==, SF_RETRY);
    g_assert_nonnull(strstr(f->err.message, "k/2'"));
    for (int i = 0; i < S3_PLACE_MANY; i++)
        g_assert_cmpint(objects[i].created, ==, i != 2);
}

static void throttling_halves_the_connections_and_they_come_back_one_by_one(Fixture *f, gconstpointer unused)
{
    (void) unused;
    StoreObject objects[S3_PLACE_MANY];
    const Http *http = ((const S3Store *) f->store)->http;
    g_assert_cmpint(http_limit_now(http), ==, 4);
    fake_s3_script(f->fake, (FakeScript){.part = "k/3", .fault = FAKE_ANSWER, .status = 429, .code = "SlowDown"});
    g_assert_cmpint(s3_place_put_many(f, objects), ==, SF_OK);
    g_assert_cmpint(http_limit_now(http), ==, 3); /* 2, and the one that was sent again went through */
    for (int i = 0; i < 2; i++) {
        g_assert_cmpint(s3_place_put_many(f, objects), ==, SF_OK);
        g_assert_cmpint(http_limit_now(http), ==, 4); /* as many as there are */
    }
    fake_s3_script(f->fake,
                   (FakeScript){.part = "k/3", .fault = FAKE_ANSWER, .status = 503, .code = "SlowDown", .times = -1});
    g_assert_cmpint(s3_place_put_many(f, objects), ==, SF_RETRY);
    g_assert_cmpint(http_limit_now(http), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/store/s3/connections/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("any request that hangs is given up", any_request_that_hangs_is_given_up);
    ADD("throttling halves them, and they come back one by one",
        throttling_halves_the_connections_and_they_come_back_one_by_one);
    return g_test_run();
}
