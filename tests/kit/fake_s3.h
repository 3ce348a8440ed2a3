/* A small HTTP/1.1 server on loopback for tests, and on top of it an object store in memory that speaks enough S3.
 * What goes wrong is scripted: the next requests that match get a fault each, in order. */
#ifndef TEST_FAKE_S3_H
#define TEST_FAKE_S3_H

#include <glib.h>
#include <stdbool.h>

typedef enum FakeFault {
    FAKE_NONE,
    FAKE_ANSWER,     /* answers `status` and `code` without doing anything */
    FAKE_DO_ANSWER,  /* does it, then answers that */
    FAKE_CUT,        /* closes the connection without doing anything */
    FAKE_DO_CUT,     /* does it, then closes without an answer */
    FAKE_HANG,       /* does nothing and answers nothing until the client leaves */
    FAKE_IGNORE_NEW, /* does it as if there were no If-None-Match */
    FAKE_BODY,       /* answers `status` with `code` as the whole body */
    FAKE_NO_LENGTH,  /* does it, and answers without Content-Length, then closes */
    FAKE_DRIP,       /* does nothing and answers a byte now and then, for ever */
} FakeFault;

typedef struct FakeScript {
    const char *method; /* NULL: any */
    const char *part;   /* of "path?query"; NULL: any */
    FakeFault fault;
    int status;
    const char *code;   /* of S3's error body */
    const char *header; /* one more: "Retry-After: 1"; may be NULL */
    int times;          /* 0: once; -1: for ever */
} FakeScript;

typedef struct FakeS3 FakeS3;

FakeS3 *fake_s3_new(void);
void fake_s3_free(FakeS3 *fake);
/* "http://127.0.0.1:PORT" */
const char *fake_s3_url(const FakeS3 *fake);
void fake_s3_script(FakeS3 *fake, FakeScript script);

/* Straight to what is stored, by "/bucket/key". */
void fake_s3_set(FakeS3 *fake, const char *path, const char *body);
void fake_s3_set_bytes(FakeS3 *fake, const char *path, const void *data, gsize size);
GBytes *fake_s3_get(FakeS3 *fake, const char *path); /* NULL: none */
guint fake_s3_count(FakeS3 *fake);                   /* objects */
guint fake_s3_uploads(FakeS3 *fake);                 /* begun and not ended */
guint fake_s3_parts(FakeS3 *fake);                   /* of all those */
/* An upload that somebody began at such a time: "2024-01-15T10:30:01Z". */
void fake_s3_begin_upload(FakeS3 *fake, const char *path, const char *begun);
/* From now on uploads are listed for an empty prefix, and for one that is a whole key: no more than MinIO does. */
void fake_s3_list_uploads_as_minio(FakeS3 *fake);
/* Ends all uploads, as a life-cycle rule does. */
void fake_s3_drop_uploads(FakeS3 *fake);
/* "PUT /bucket/key?query" lines of all requests so far, in order of arrival; then forgets them. */
char *fake_s3_requests(FakeS3 *fake);
/* Value of the header in the last request that had it, or NULL. */
char *fake_s3_header(FakeS3 *fake, const char *name);
guint fake_s3_answered(FakeS3 *fake);    /* requests whose answer was sent so far */
guint fake_s3_connections(FakeS3 *fake); /* accepted so far */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeS3, fake_s3_free)

#endif
