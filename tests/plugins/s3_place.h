/* An S3 store on a scripted loopback server. */
#ifndef TESTS_S3_PLACE_H
#define TESTS_S3_PLACE_H

#include "fake_s3.h"
#include "store/store.h"

#define S3_PLACE_SECRET "very-secret"
#define S3_PLACE_PART (INT64_C(5) << 20)

typedef struct S3Place {
    FakeS3 *fake;
    StoreOptions options; /* of the store; s3_place_open() takes what was changed */
    Store *store;
    SfError err;
} S3Place;

StoreOptions s3_place_options(FakeS3 *fake, const char *url);
void s3_place_init(S3Place *place, const char *url);
/* The store anew. */
void s3_place_open(S3Place *place);
void s3_place_done(S3Place *place);

/* Puts objects "k/0", "k/1", … of one byte each at once. */
#define S3_PLACE_MANY 8
SfStatus s3_place_put_many(S3Place *place, StoreObject *objects);

#endif
