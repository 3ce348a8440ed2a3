/* Objects in an S3 bucket, or in a store that speaks S3: the calls of a store by those of its parts. */
#include "s3/s3.h"

#include <string.h>

static void s3_interrupt(Store *base)
{
    S3Store *store = (S3Store *) base;
    http_interrupt(store->http);
    s3_sender_interrupt(&store->sender);
}

/* The first error is what is told; what is not there is none. */
static SfStatus end_calls(S3Store *store, S3Call *calls, size_t n, SfError *err)
{
    SfStatus status = SF_OK;
    for (size_t i = 0; i < n; i++) {
        if (status == SF_OK && calls[i].status != SF_OK && calls[i].status != SF_EMPTY)
            status = s3_call_fail(store, &calls[i], err);
        s3_call_done(&calls[i]);
    }
    return status;
}

static SfStatus settle_put(S3Store *store, StoreObject *object, S3Call *call, SfError *err)
{
    if (call->status == SF_EMPTY) /* a PUT finds nothing missing but its bucket */
        call->status = SF_RETRY;
    if (call->status != SF_OK)
        return s3_call_fail(store, call, err);
    object->created = true;
    return call->conflict ? s3_holds(store, object->key, object->body, &object->created, err) : SF_OK;
}

/* The first error is what is told; those that did succeed have their outcome all the same. */
static SfStatus put_small(S3Store *store, StoreObject **objects, size_t n, SfError *err)
{
    g_autofree S3Call *calls = g_new0(S3Call, n);
    for (size_t i = 0; i < n; i++) {
        calls[i].method = "PUT";
        calls[i].key = objects[i]->key;
        calls[i].body = objects[i]->body;
        calls[i].only_new = objects[i]->only_new;
        if (calls[i].only_new)
            s3_sum_write(objects[i]->body, calls[i].sum);
    }
    s3_run(store, calls, n);
    SfStatus status = SF_OK;
    for (size_t i = 0; i < n; i++) {
        SfStatus settled = settle_put(store, objects[i], &calls[i], status == SF_OK ? err : NULL);
        status = status == SF_OK ? settled : status;
        s3_call_done(&calls[i]);
    }
    return status;
}

/* How an object gets there. A draft of which the store has nothing yet does not count. */
typedef enum Way { WAY_SMALL, WAY_PARTS, WAY_DRAFT } Way;

static Way way_of(const S3Store *store, const StoreObject *object)
{
    if (object->draft && s3_draft_has_begun(object->draft))
        return WAY_DRAFT;
    return (int64_t) g_bytes_get_size(object->body) <= store->options->part_size ? WAY_SMALL : WAY_PARTS;
}

static size_t pick(const S3Store *store, StoreObject *objects, size_t n, Way way, StoreObject **out)
{
    size_t picked = 0;
    for (size_t i = 0; i < n; i++)
        if (way_of(store, &objects[i]) == way)
            out[picked++] = &objects[i];
    return picked;
}

static SfStatus s3_put_all(Store *base, StoreObject *objects, size_t n, SfError *err)
{
    S3Store *store = (S3Store *) base;
    g_autofree StoreObject **picked = g_new0(StoreObject *, n);
    size_t small = pick(store, objects, n, WAY_SMALL, picked);
    if (small > 0)
        SF_TRY(put_small(store, picked, small, err));
    size_t drafts = pick(store, objects, n, WAY_DRAFT, picked);
    if (drafts > 0)
        SF_TRY(s3_put_drafts(store, picked, drafts, err));
    size_t large = pick(store, objects, n, WAY_PARTS, picked);
    for (size_t i = 0; i < large; i++)
        SF_TRY(s3_put_parts(store, picked[i], err));
    return SF_OK;
}

static SfStatus s3_remove_all(Store *base, const char *const *keys, size_t n, SfError *err)
{
    S3Store *store = (S3Store *) base;
    g_autofree S3Call *calls = g_new0(S3Call, n);
    for (size_t i = 0; i < n; i++) {
        calls[i].method = "DELETE";
        calls[i].key = keys[i];
    }
    s3_run(store, calls, n);
    return end_calls(store, calls, n, err);
}

static SfStatus probe(S3Store *store, bool *refused, SfError *err)
{
    g_autofree char *id = g_uuid_string_random();
    g_autoptr(GBytes) body = g_bytes_new(id, strlen(id));
    S3Call call = {.method = "PUT", .key = S3_PROBE_KEY, .body = body, .only_new = true};
    SfStatus status = s3_run_one(store, &call, err);
    if (status == SF_EMPTY) { /* a PUT finds nothing missing but its bucket, and that has a name of its own */
        call.status = SF_RETRY;
        status = s3_call_fail(store, &call, err);
    }
    *refused = call.conflict;
    s3_call_done(&call);
    return status;
}

static bool is_this_machine(const char *host)
{
    static const char *const names[] = {"localhost", "127.", "[::1]"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_has_prefix(host, names[i]))
            return true;
    }
    return false;
}

/* Once a store. */
static void warn_of_connection(S3Store *store)
{
    SfNode *node = store->base.node;
    bool plain = g_str_equal(store->scheme, "http");
    if (store->warned || !node || is_this_machine(store->host))
        return;
    store->warned = true;
    if (plain)
        sf_log(node, SF_LOG_WARNING,
               "endpoint 'http://%s' is not encrypted: others on the way can read and change what goes through it, "
               "session tokens included; use https",
               store->host);
    else if (!store->options->tls_verify)
        sf_log(node, SF_LOG_WARNING,
               "'tls_verify: false': whoever answers as '%s' gets the data and may change it; trust the server's "
               "authority by 'ca_file' instead",
               store->host);
}

/* One of the first two conditional writes must be refused, or the store ignores the condition and two processes would
 * overwrite each other. */
static SfStatus s3_open(Store *base, SfError *err)
{
    S3Store *store = (S3Store *) base;
    bool refused = false;
    warn_of_connection(store);
    SF_TRY(probe(store, &refused, err));
    if (!refused)
        SF_TRY(probe(store, &refused, err));
    if (!refused)
        return sf_fail(err, SF_CONFIG,
                       "the store at '%s' ignores 'If-None-Match: *', without which nothing is exactly "
                       "once; use one that supports conditional writes",
                       base->url);
    store->opened = true;
    return SF_OK;
}

static void s3_free(Store *base)
{
    S3Store *store = (S3Store *) base;
    s3_sender_done(&store->sender);
    s3_store_done(store);
    g_free(base);
}

static const StoreBackend backend = {
    .open = s3_open,
    .prove_parts = s3_prove_parts,
    .interrupt = s3_interrupt,
    .get = s3_get,
    .read = s3_read,
    .stat_all = s3_stat_all,
    .sum_all = s3_sum_all,
    .draft_unit = s3_draft_unit,
    .draft = s3_draft,
    .tidy = s3_tidy,
    .put_all = s3_put_all,
    .list = s3_list,
    .list_level = s3_list_level,
    .remove_all = s3_remove_all,
    .free = s3_free,
};

SfStatus store_s3_check(const StoreOptions *options, const char *rest, SfError *err)
{
    S3Store *store = g_new0(S3Store, 1);
    SfStatus status = s3_store_place(store, options, rest, err);
    s3_free(&store->base);
    return status;
}

Store *store_s3_new(const StoreOptions *options, const char *rest, SfError *err)
{
    S3Store *store = g_new0(S3Store, 1);
    store->base.backend = &backend;
    if (s3_store_init(store, options, rest, err) == SF_OK)
        return &store->base;
    s3_free(&store->base);
    return NULL;
}
