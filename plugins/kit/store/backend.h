/* What a store's kind has to give; store.c checks keys before it calls one. Internal to the kit. */
#ifndef KIT_STORE_BACKEND_H
#define KIT_STORE_BACKEND_H

#include "store.h"

typedef struct StoreBackend {
    SfStatus (*open)(Store *store, SfError *err);
    SfStatus (*prove_parts)(Store *store, SfError *err); /* may be NULL */
    void (*interrupt)(Store *store);
    SfStatus (*get)(Store *store, const char *key, int64_t limit, GBytes **out, SfError *err);
    SfStatus (*read)(Store *store, const char *key, int64_t offset, int64_t size, GBytes **out, SfError *err);
    SfStatus (*stat_all)(Store *store, const char *const *keys, int64_t *sizes, size_t n, SfError *err);
    SfStatus (*sum_all)(Store *store, const char *const *keys, StoreSum *sums, size_t n, SfError *err);
    size_t (*draft_unit)(const Store *store);            /* NULL, and the next: takes no drafts */
    StoreDraft *(*draft)(Store *store, const char *key); /* NULL: none for the moment */
    void (*tidy)(Store *store, const char *prefix, int64_t older_ms, StoreOurs ours, gconstpointer user); /* or NULL */
    SfStatus (*put_all)(Store *store, StoreObject *objects, size_t n, SfError *err);
    SfStatus (*list)(Store *store, const char *prefix, const char *start_after, size_t max, GPtrArray *out,
                     SfError *err);
    SfStatus (*list_level)(Store *store, const char *prefix, const char *start_after, size_t max, GPtrArray *out,
                           SfError *err);
    SfStatus (*remove_all)(Store *store, const char *const *keys, size_t n, SfError *err);
    void (*free)(Store *store);
} StoreBackend;

/* Head of every kind's own draft. */
struct StoreDraft {
    size_t (*write)(StoreDraft *draft, const char *data, size_t size);
    size_t (*held)(StoreDraft *draft); /* may be NULL */
    void (*free)(StoreDraft *draft);
};

/* Head of every kind's own struct. */
struct Store {
    const StoreBackend *backend;
    SfNode *node;
    char *url;
};

/* `rest` is the URL behind "s3://" or the decoded path of a local directory. */
Store *store_file_new(const StoreOptions *options, const char *rest, SfError *err);
Store *store_s3_new(const StoreOptions *options, const char *rest, SfError *err);
SfStatus store_file_check(const StoreOptions *options, const char *rest, SfError *err);
SfStatus store_s3_check(const StoreOptions *options, const char *rest, SfError *err);

#endif
