/* The server, and a store with four connections to it. */
#include "s3_place.h"

StoreOptions s3_place_options(FakeS3 *fake, const char *url)
{
    return (StoreOptions){.url = url,
                          .endpoint = fake_s3_url(fake),
                          .region = "us-east-1",
                          .access_key_id = "id",
                          .secret_access_key = S3_PLACE_SECRET,
                          .tls_verify = true,
                          .connections = 4,
                          .part_size = S3_PLACE_PART,
                          .timeout_ms = 5000};
}

void s3_place_open(S3Place *place)
{
    store_free(place->store);
    place->store = store_new(NULL, &place->options, &place->err);
    g_assert_nonnull(place->store);
}

void s3_place_init(S3Place *place, const char *url)
{
    place->fake = fake_s3_new();
    place->options = s3_place_options(place->fake, url);
    s3_place_open(place);
}

void s3_place_done(S3Place *place)
{
    store_free(place->store);
    fake_s3_free(place->fake);
}

SfStatus s3_place_put_many(S3Place *place, StoreObject *objects)
{
    static const char *const keys[S3_PLACE_MANY] = {"k/0", "k/1", "k/2", "k/3", "k/4", "k/5", "k/6", "k/7"};
    g_autoptr(GBytes) body = g_bytes_new_static("x", 1);
    for (int i = 0; i < S3_PLACE_MANY; i++)
        objects[i] = (StoreObject){.key = keys[i], .body = body};
    return store_put_all(place->store, objects, S3_PLACE_MANY, &place->err);
}
