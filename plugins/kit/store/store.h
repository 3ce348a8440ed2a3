/* Object stores: one interface over a local directory (file://) and S3 (s3://). Keys are relative to the URL's
 * path, plain UTF-8 with '/', never encoded by the caller; no empty, "." or ".." segments. Bodies are borrowed for
 * the call.
 *
 * SF_RETRY: away, throttled (429, 503), timed out, or permission and credential errors (403), which a person may
 * mend while we wait; every call may be made again. SF_CONFIG: bucket missing, bad URL, a store that ignores
 * conditional writes. Used by one thread at a time; store_interrupt() from any. */
#ifndef KIT_STORE_H
#define KIT_STORE_H

#include <glib.h>
#include <sf/sf.h>

/* Options that every plugin with a store has; the macros below add their rows to its table. */
typedef struct StoreOptions {
    const char *url;
    const char
        *endpoint; /* http(s)://host:port of an S3 look-alike; NULL: AWS_ENDPOINT_URL of the environment, or AWS */
    const char *region;
    int32_t path_style;        /* number in store_path_styles */
    const char *access_key_id; /* NULL: AWS_ACCESS_KEY_ID, … of the environment, or the shared credentials file */
    const char *secret_access_key;
    const char *session_token;
    const char *profile; /* of the shared credentials file */
    const char *ca_file;
    bool tls_verify;
    bool sign_payload;   /* SHA-256 of every body in the signature */
    int64_t connections; /* requests at once */
    int64_t part_size;   /* larger bodies go up in parts of this size, and drafts as soon as they have so much */
    int64_t timeout_ms;  /* without progress */
    int64_t request_ms;  /* one request in all, and a second more for every 64 KiB; 0: no such bound */
    const char *mode;    /* of local files, octal digits; NULL: 0666 less the umask */
} StoreOptions;

extern const char *const store_path_styles[]; /* auto, true, false */

/* Of those who read; `text` is the doc of `url`. */
#define STORE_READER_ROWS(state, member, text)                                                                         \
    SF_OPTION_STRING(state, member.url, .name = "url", .required = true, .doc = text),                                 \
        SF_OPTION_STRING(state, member.endpoint, .name = "endpoint",                                                   \
                         .doc = "http(s)://host:port of a store that speaks S3; else AWS_ENDPOINT_URL, or AWS."),      \
        SF_OPTION_STRING(state, member.region, .name = "region",                                                       \
                         .doc = "Region of the bucket; else AWS_REGION, AWS_DEFAULT_REGION, or us-east-1."),           \
        SF_OPTION_ENUM(state, member.path_style, .name = "path_style", .value = "auto", .words = store_path_styles,    \
                       .doc = "Bucket in the URL's path instead of the host name; auto: with an endpoint."),           \
        SF_OPTION_STRING(state, member.access_key_id, .name = "access_key_id",                                         \
                         .doc = "Access key; else AWS_ACCESS_KEY_ID, or the shared credentials file."),                \
        SF_OPTION_SECRET(state, member.secret_access_key, .name = "secret_access_key",                                 \
                         .doc = "Secret key that belongs to access_key_id; else AWS_SECRET_ACCESS_KEY."),              \
        SF_OPTION_SECRET(state, member.session_token, .name = "session_token",                                         \
                         .doc = "Token of temporary credentials; else AWS_SESSION_TOKEN."),                            \
        SF_OPTION_STRING(state, member.profile, .name = "profile",                                                     \
                         .doc = "Section of the shared credentials file; else AWS_PROFILE, or default."),              \
        SF_OPTION_STRING(state, member.ca_file, .name = "ca_file",                                                     \
                         .doc = "PEM file of the authorities to trust; else AWS_CA_BUNDLE, or the system's."),         \
        SF_OPTION_BOOL(state, member.tls_verify, .name = "tls_verify", .value = "true",                                \
                       .doc = "Check the server's certificate; false only for tests."),                                \
        SF_OPTION_INT(state, member.connections, .name = "connections", .value = "8", .min = "1", .max = "256",        \
                      .doc = "Requests at once."),                                                                     \
        SF_OPTION_DURATION(state, member.timeout_ms, .name = "timeout", .value = "30s", .min = "100ms", .max = "1h",   \
                           .doc = "A request that makes no progress for so long is tried again."),                     \
        SF_OPTION_DURATION(state, member.request_ms, .name = "request_timeout", .value = "5m", .min = "1s",            \
                           .max = "1d",                                                                                \
                           .doc = "A request that takes so long in all is tried again; large bodies get a second "     \
                                  "more for every 64 KiB.")

#define STORE_OPTION_ROWS(state, member)                                                                               \
    STORE_READER_ROWS(state, member, "Where the objects go: s3://bucket/prefix or file:///directory."),                \
        SF_OPTION_BOOL(state, member.sign_payload, .name = "sign_payload", .value = "false",                           \
                       .doc = "Put the SHA-256 of every body into its signature; for stores that insist on it."),      \
        SF_OPTION_SIZE(state, member.part_size, .name = "part_size", .value = "5MiB", .min = "5MiB", .max = "1GiB",    \
                       .doc = "Larger objects are uploaded in parts of this size, which s3-bronze-sink sends while "   \
                              "rows come in; up to four of them wait in memory. S3 takes 10,000 parts an object."),    \
        SF_OPTION_STRING(state, member.mode, .name = "mode", .example = "0640",                                        \
                         .doc = "Permissions of the files below file://, octal; directories can be entered by those "  \
                                "who may read. By default the umask decides.")

typedef struct Store Store;

/* Checks the URL and the endpoint, without credentials and I/O: for a plugin's bind. */
SfStatus store_check(const StoreOptions *options, SfError *err);

/* Parses the URL and takes credentials; no I/O but the shared credentials file. Options are borrowed until
 * store_free(). NULL and err: SF_CONFIG. */
Store *store_new(SfNode *node, const StoreOptions *options, SfError *err);
void store_free(Store *store);

/* Checks that the place exists, can be written and honours conditional writes (creates a local directory; in a
 * bucket one small object, _sf/probe). */
SfStatus store_open(Store *store, SfError *err);

/* After it, for who creates large objects only if there is none: the same for uploads in parts, whose condition is
 * another call's. A store that knows no parts is fine until there is something large. */
SfStatus store_prove_parts(Store *store, SfError *err);

/* Makes a waiting call return SF_RETRY soon. Any thread. */
void store_interrupt(Store *store);

/* "s3://bucket/prefix": for messages. */
const char *store_url(const Store *store);

/* The whole object; SF_EMPTY when there is none. `limit`: SF_FATAL when larger. */
SfStatus store_get(Store *store, const char *key, int64_t limit, GBytes **out, SfError *err);

/* At most `size` bytes from `offset` on, for objects that are read piece by piece: fewer, or none, only at the object's
 * end. SF_EMPTY when there is no such object. */
SfStatus store_read(Store *store, const char *key, int64_t offset, int64_t size, GBytes **out, SfError *err);

/* Its size; SF_EMPTY when there is none. */
SfStatus store_stat(Store *store, const char *key, int64_t *size, SfError *err);

/* Of n keys at once; -1 where there is none. */
SfStatus store_stat_all(Store *store, const char *const *keys, int64_t *sizes, size_t n, SfError *err);

/* Of n keys at once, read piece by piece where the store does not know. */
typedef struct StoreSum {
    int64_t size;   /* -1: there is none */
    uint32_t crc32; /* of all its bytes (RFC 1952, section 8) */
} StoreSum;
SfStatus store_sum_all(Store *store, const char *const *keys, StoreSum *sums, size_t n, SfError *err);

/* Creates or replaces, durably. */
SfStatus store_put(Store *store, const char *key, GBytes *body, SfError *err);

/* Creates only if there is none (link(2), If-None-Match: *). *created = false: another body is there already.
 * After an answer that was lost, the object is read: the same bytes count as created. Write-once callers put
 * something unique in. */
SfStatus store_put_new(Store *store, const char *key, GBytes *body, bool *created, SfError *err);

/* The beginning of a body, taken over by the store while the rest is still to come, so that it need not wait in
 * memory. NULL where the store takes none, or none for the moment: then all of the body is the caller's to keep.
 * Nothing of it can be seen under the key before it is put. */
typedef struct StoreDraft StoreDraft;
/* Bytes that a draft takes at once, at least; 0: the store takes no drafts. */
size_t store_draft_unit(const Store *store);
StoreDraft *store_draft_new(Store *store, const char *key);
/* Appends; how many of the bytes it took. What it did not take is the caller's to keep, and to offer again or to put as
 * the body's rest, which fails with the cause. */
size_t store_draft_write(StoreDraft *draft, const char *data, size_t size);
/* Bytes that wait in memory on their way; NULL: none. */
size_t store_draft_held(StoreDraft *draft);
/* Before its store. What was not put is dropped. */
void store_draft_free(StoreDraft *draft);

typedef struct StoreObject {
    const char *key;
    GBytes *body;
    StoreDraft *draft; /* of the same key: what comes before the body, or NULL. SF_FENCED: its bytes are lost */
    bool only_new;     /* as store_put_new; with a draft the same bytes of somebody else do not count as created */
    bool created;      /* out: it is durable, and with only_new it is ours */
} StoreObject;

/* Several at once over the store's connections; returns when all are durable, or with the first error: those that are
 * durable all the same have `created`. */
SfStatus store_put_all(Store *store, StoreObject *objects, size_t n, SfError *err);

typedef struct StoreEntry {
    char *key;
    int64_t size; /* -1: not an object, but what keys below it have in common, up to a '/' */
    int64_t modified_ms;
} StoreEntry;

/* Keys with that prefix that sort (bytewise) after start_after (may be NULL), at most max, in order. Appends
 * StoreEntry* to out (free by store_entry_free). */
SfStatus store_list(Store *store, const char *prefix, const char *start_after, size_t max, GPtrArray *out,
                    SfError *err);
/* The same of one level: what lies deeper is told as one entry, which ends in '/', for each common beginning. */
SfStatus store_list_level(Store *store, const char *prefix, const char *start_after, size_t max, GPtrArray *out,
                          SfError *err);
void store_entry_free(StoreEntry *entry);

/* Deleting what is not there is fine. Several at once; with the first error others may be gone. */
SfStatus store_delete(Store *store, const char *key, SfError *err);
SfStatus store_delete_all(Store *store, const char *const *keys, size_t n, SfError *err);

/* Gives up drafts that others left behind below a prefix, where they cost money and nobody sees them: those of keys
 * that `ours` says yes to, begun longer ago than older_ms. The caller knows that nobody who is alive goes on with them.
 * Tries its best: what fails is left to the next one, and to the bucket's life-cycle rule. */
typedef bool (*StoreOurs)(gconstpointer user, const char *key);
void store_tidy(Store *store, const char *prefix, int64_t older_ms, StoreOurs ours, gconstpointer user);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreDraft, store_draft_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreEntry, store_entry_free)

#endif
