/* HTTP requests over libcurl's multi interface: several at once over kept connections, with bounds on time without
 * progress and on the size of answers. Knows nothing of what is asked, follows no redirects, repeats nothing. One
 * thread at a time; http_interrupt() from any. */
#ifndef KIT_HTTP_H
#define KIT_HTTP_H

#include <glib.h>
#include <sf/sf.h>

typedef struct HttpOptions {
    int64_t connections;
    int64_t timeout_ms;  /* without a byte in either direction */
    int64_t request_ms;  /* of a request in all, and a second more for every 64 KiB of bodies; 0: no such bound */
    const char *ca_file; /* NULL: the system's */
    bool tls_verify;
} HttpOptions;

#define HTTP_INTERRUPTED "interrupted" /* the problem of a call that http_interrupt() ended */

typedef struct Http Http;

/* One request and its outcome. All inputs are borrowed until http_run() returns. */
typedef struct HttpCall {
    const char *method;
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    GBytes *body;               /* may be NULL */
    int64_t limit;              /* bytes of an answer's body: more is SF_FATAL */
    /* Takes the body of a success instead of `answer`, whatever its size; NULL for data: it begins, perhaps anew. */
    void (*take)(gpointer user, const char *data, size_t size);
    gpointer user;
    SfStatus status;       /* out: SF_OK an answer came, whatever its code; SF_RETRY none; SF_FATAL */
    long code;             /* out: of the answer */
    GByteArray *answer;    /* out: its body, never NULL after http_run() */
    int64_t length;        /* out: Content-Length, or -1: what HEAD asks for */
    char etag[128];        /* out: as sent, or "" */
    char region[64];       /* out: x-amz-bucket-region, or "" */
    char sum[16];          /* out: x-amz-meta-sf-crc32, or "" */
    int64_t ahead_s;       /* out: how much our clock is ahead of the server's (Date), or 0 */
    int64_t retry_after_s; /* out: or -1 */
    char problem[256];     /* out: why there is no answer */
} HttpCall;

Http *http_new(const HttpOptions *options, SfError *err);
void http_free(Http *http);

/* Runs all of them, at most `connections` at once; every call has its outcome afterwards. */
void http_run(Http *http, HttpCall *const *calls, size_t n);

/* Uses at most so many of the connections from now on (1 to all), and says how many those are. For servers that
 * throttle. */
int64_t http_limit(Http *http, int64_t connections);
int64_t http_limit_now(const Http *http);

/* Frees what the outcome holds; idempotent. */
void http_call_done(HttpCall *call);

/* Waits; false after an interrupt. */
bool http_pause(Http *http, int64_t ms);

/* What runs or pauses, or does so next, ends soon: its calls get SF_RETRY. */
void http_interrupt(Http *http);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Http, http_free)

#endif
