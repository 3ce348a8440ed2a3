/* What the files of the S3 store share: the store's struct, one signed request with its outcome, XML. Internal to
 * the kit. */
#ifndef KIT_S3_H
#define KIT_S3_H

#include "http.h"
#include "sigv4.h"
#include "store/backend.h"

#define S3_QUERY_MAX 6
#define S3_SUM_SIZE 9                     /* of an object's CRC-32 as text */
#define S3_ANSWER_MAX (INT64_C(16) << 20) /* of lists and errors */

typedef struct S3Credentials {
    char *access_key_id;
    char *secret_access_key;
    char *session_token; /* NULL: none */
    bool renewable;      /* from a file that somebody may renew while we run */
} S3Credentials;

/* sender.c: requests that go on beside the store's thread, over connections of their own. */
typedef struct S3Sender {
    GMutex mutex;
    GCond changed;    /* of a lane's job, or `ending` */
    GPtrArray *lanes; /* under the mutex, as all below; NULL: none yet */
    bool ending;
} S3Sender;

typedef struct S3Store {
    Store base;
    const StoreOptions *options;
    Http *http;
    S3Credentials credentials;
    SigV4Signer signer;
    char *bucket;
    char *prefix;    /* "" or "a/b/" */
    char *scheme;    /* "https" */
    char *host;      /* with the port, and the bucket where that is its place */
    char *base_path; /* "/" or "/bucket/" */
    char *region;
    S3Sender sender;
    bool opened;
    bool parts_proven; /* see store_prove_parts() */
    bool away;         /* the last requests got no answer at all */
    bool warned;       /* of a connection that others may read or answer */
} S3Store;

/* One request: what is asked, and what came of it. */
typedef struct S3Call {
    const char *method;
    const char *key; /* below the URL's prefix; NULL: the bucket itself */
    SigV4Pair query[S3_QUERY_MAX];
    size_t n_query;
    bool only_new;         /* If-None-Match: * */
    int64_t range_size;    /* bytes that are asked for by Range; 0: all of the object */
    int64_t range_from;    /* likewise the first of them */
    char sum[S3_SUM_SIZE]; /* left with the object; "": none */
    bool plain;            /* no repetition in here */
    GBytes *body;
    int64_t limit;   /* bytes of the answer; 0: S3_ANSWER_MAX */
    SfStatus status; /* out: SF_OK, SF_EMPTY (no such key or upload), or what s3_call_fail() explains */
    bool conflict;   /* out: SF_OK, but nothing was written: an object is there already */
    HttpCall http;
    char code[64]; /* out: S3's error code, or "" */
    char message[256];
    char region[64]; /* out: the right one, where the store says it */
} S3Call;

/* place.c: into a zeroed struct; what s3_store_done() takes back also after a failure. `rest`: "bucket/prefix". */
SfStatus s3_store_init(S3Store *store, const StoreOptions *options, const char *rest, SfError *err);
SfStatus s3_store_place(S3Store *store, const StoreOptions *options, const char *rest, SfError *err); /* no more */
void s3_store_done(S3Store *store);

/* Takes them from the options, the environment or the shared credentials file. */
SfStatus s3_credentials_load(const StoreOptions *options, S3Credentials *out, SfError *err);
void s3_credentials_done(S3Credentials *credentials);

/* Signs and runs all of them, several at once, and repeats what fails for a moment only. */
void s3_run(S3Store *store, S3Call *calls, size_t n);
/* One; fails by s3_call_fail(). Returns SF_OK or SF_EMPTY otherwise. */
SfStatus s3_run_one(S3Store *store, S3Call *call, SfError *err);
void s3_call_done(S3Call *call);
void s3_call_ask(S3Call *call, const char *name, const char *value); /* adds to the query; value is borrowed */

/* Writes "cannot write 's3://bucket/key': 403 AccessDenied: …; <hint>" and returns the call's status. */
SfStatus s3_call_fail(const S3Store *store, const S3Call *call, SfError *err);
/* Reads code, message and region of an error's body into the call. */
void s3_call_read_error(S3Call *call);
/* What the answer means: sets status and conflict. */
void s3_call_judge(const S3Store *store, S3Call *call);

SfStatus s3_list(Store *store, const char *prefix, const char *start_after, size_t max, GPtrArray *out, SfError *err);
SfStatus s3_list_level(Store *store, const char *prefix, const char *start_after, size_t max, GPtrArray *out,
                       SfError *err);
/* Makes a key of a listing one below the URL's prefix, in place. false: it does not begin with `prefix` there. */
bool s3_list_key(const S3Store *store, const char *prefix, bool encoded, char **key);

#define S3_PROBE_KEY "_sf/probe"
#define S3_PARTS_MAX 10000 /* of an object: Amazon S3 User Guide, "Amazon S3 multipart upload limits" */

/* upload.c: an upload in parts by its requests. Texts are borrowed until the call is over. */
SfStatus s3_upload_begin(S3Store *store, const char *key, char **id, SfError *err);
S3Call s3_upload_part(const char *key, const char *id, const char *number, GBytes *body);
/* The body of the call that completes: one etag a part. */
GBytes *s3_upload_list(const char *const *etags, size_t n);
S3Call s3_upload_complete(const char *key, const char *id, GBytes *list, bool only_new);
/* Parts cost money until their upload is ended; what this cannot end is left to the next tidy-up. */
void s3_upload_abort(S3Store *store, const char *key, const char *id);

/* multipart.c: whether the last step of an upload in parts honours its condition, see store_prove_parts(). */
SfStatus s3_prove_parts(Store *store, SfError *err);
/* Uploads in parts; object->created as store_put_new says. */
SfStatus s3_put_parts(S3Store *store, StoreObject *object, SfError *err);

/* draft.c: uploads in parts whose bodies are still to come. */
size_t s3_draft_unit(const Store *store);
StoreDraft *s3_draft(Store *store, const char *key);
bool s3_draft_has_begun(const StoreDraft *draft); /* the store has bytes of it */
SfStatus s3_put_drafts(S3Store *store, StoreObject **objects, size_t n, SfError *err);

/* tidy.c */
void s3_tidy(Store *store, const char *prefix, int64_t older_ms, StoreOurs ours, gconstpointer user);

typedef struct S3Job {
    S3Call call; /* nobody else's from start to done */
    bool done;   /* under the sender's mutex */
} S3Job;

/* Sends the call of a job beside this thread. Waits while as many go as may at once. false: it cannot, for the moment.
 * All of them by the store's thread, but the interrupt. */
bool s3_sender_start(S3Store *store, S3Job *job);
bool s3_sender_is_done(S3Sender *sender, const S3Job *job);
void s3_sender_wait(S3Sender *sender, const S3Job *job);   /* until it is done */
void s3_sender_cancel(S3Sender *sender, const S3Job *job); /* makes it done soon */
void s3_sender_interrupt(S3Sender *sender);                /* all of them; any thread */
void s3_sender_done(S3Sender *sender);

/* read.c */
SfStatus s3_read(Store *store, const char *key, int64_t offset, int64_t size, GBytes **out, SfError *err);
SfStatus s3_get(Store *store, const char *key, int64_t limit, GBytes **out, SfError *err);
SfStatus s3_stat_all(Store *store, const char *const *keys, int64_t *sizes, size_t n, SfError *err);
/* HEAD of each. Calls have SF_OK and a length, or SF_EMPTY where S3 itself has said that there is none: a proxy's 404
 * is an error. The caller's to end, with any status. */
SfStatus s3_head_all(S3Store *store, const char *const *keys, S3Call *calls, size_t n, SfError *err);
/* Whether the object that is there has just this body. */
SfStatus s3_holds(S3Store *store, const char *key, GBytes *body, bool *same, SfError *err);

/* sum.c */
SfStatus s3_sum_all(Store *store, const char *const *keys, StoreSum *sums, size_t n, SfError *err);
void s3_sum_write(GBytes *body, char *out); /* S3_SUM_SIZE bytes */

/* Calls `field` at the end of every element with its parent's name ("" for the root) and its text. false: no XML. */
typedef void (*S3XmlField)(gpointer user, const char *parent, const char *name, const char *text);
bool s3_xml_read(const GByteArray *xml, S3XmlField field, gpointer user);

#endif
