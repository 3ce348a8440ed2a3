/* Inside of the fake S3 server: one request, its answer, and the server's struct, which both of its files share. */
#ifndef TEST_FAKE_HTTP_H
#define TEST_FAKE_HTTP_H

#include "fake_s3.h"

typedef struct FakeRequest {
    char *method;
    char *target;        /* "/bucket/key?query", as sent */
    GHashTable *headers; /* lower-case name → value */
    GByteArray *body;
} FakeRequest;

typedef struct FakeUpload {
    char *path; /* "/bucket/key" */
    char *begun;
    GTree *parts; /* number → GBytes */
} FakeUpload;

void fake_upload_free(gpointer upload);

typedef struct FakeAnswer {
    int status;
    GString *headers; /* "Name: value\r\n" lines */
    GString *body;
} FakeAnswer;

struct FakeS3 {
    GMutex mutex; /* over all below but listener, thread, url */
    GArray *scripts;
    GString *log;
    GHashTable *last_headers;
    GTree *objects;      /* "/bucket/key" → GBytes, in bytewise order */
    GHashTable *sums;    /* "/bucket/key" → x-amz-meta-sf-crc32 */
    GHashTable *uploads; /* id → FakeUpload */
    bool exact_uploads;  /* see fake_s3_list_uploads_as_minio() */
    guint next_upload;
    guint connections;
    guint answered;     /* requests */
    GPtrArray *clients; /* of Client */
    int listener;
    GThread *thread;
    char *url;
};

/* Does what S3 would. The mutex is held. */
void fake_s3_serve(FakeS3 *fake, const FakeRequest *request, FakeAnswer *answer);
void fake_s3_error(FakeAnswer *answer, int status, const char *code);

#endif
