/* Object stores: one interface over a local directory (file://) and S3 (s3://). Keys are relative to the URL's path, plain
 * UTF-8 with '/', never encoded by the caller. Bodies are borrowed for the call.
 *
 * SF_RETRY: away, throttled (429, 503), timed out, or permission and credential errors (403), which a person may mend while we
 * wait. SF_CONFIG: bucket missing at open, bad URL. Used by one thread at a time; store_interrupt() from any. */
#ifndef KIT_STORE_H
#define KIT_STORE_H

#include <glib.h>
#include <sf/sf.h>

/* Options that every plugin with a store has; the macro below adds their rows to its table. */
typedef struct StoreOptions {
    const char *url;
    const char *endpoint;          /* http(s)://host:port of an S3 look-alike; NULL: AWS */
    const char *region;
    bool path_style;
    const char *access_key_id;     /* NULL: AWS_ACCESS_KEY_ID, … of the environment */
    const char *secret_access_key;
    const char *session_token;
    const char *ca_file;
    bool tls_verify;
    int64_t connections;           /* requests at once */
    int64_t part_size;             /* bodies above go up in parts of this size */
    int64_t timeout_ms;            /* without progress */
} StoreOptions;

#define STORE_OPTION_ROWS(state, member) STORE_OPTION_ROWS_(state, member)

typedef struct Store Store;

/* Parses the URL and takes credentials; no I/O. NULL and err: SF_CONFIG. */
Store *store_new(SfNode *node, const StoreOptions *options, SfError *err);
void store_free(Store *store);

/* Checks that the place exists and can be written (creates a local directory). */
SfStatus store_open(Store *store, SfError *err);

/* Makes a waiting call return SF_RETRY soon. Any thread. */
void store_interrupt(Store *store);

/* "s3://bucket/prefix": for messages. */
const char *store_url(const Store *store);

/* The whole object; SF_EMPTY when there is none. `limit`: SF_FATAL when larger. */
SfStatus store_get(Store *store, const char *key, int64_t limit, GBytes **out, SfError *err);

/* Creates or replaces, durably. */
SfStatus store_put(Store *store, const char *key, GBytes *body, SfError *err);

/* Creates only if there is none (link(2), If-None-Match: *). *created = false: another body is there already. After an
 * answer that was lost, the object is read: the same bytes count as created. Write-once callers put something unique in. */
SfStatus store_put_new(Store *store, const char *key, GBytes *body, bool *created, SfError *err);

typedef struct StoreObject {
    const char *key;
    GBytes *body;
    bool only_new; /* as store_put_new; the outcome in created */
    bool created;
} StoreObject;

/* Several at once over the store's connections; returns when all are durable, or with the first error (others may be). */
SfStatus store_put_all(Store *store, StoreObject *objects, size_t n, SfError *err);

typedef struct StoreEntry {
    char *key;
    int64_t size;
    int64_t modified_ms;
} StoreEntry;

/* Keys with that prefix that sort (bytewise) after start_after (may be NULL), at most max, in order. Appends StoreEntry* to
 * out (free by store_entry_free). */
SfStatus store_list(Store *store, const char *prefix, const char *start_after, size_t max, GPtrArray *out, SfError *err);
void store_entry_free(StoreEntry *entry);

/* Deleting what is not there is fine. */
SfStatus store_delete(Store *store, const char *key, SfError *err);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreEntry, store_entry_free)

#endif
