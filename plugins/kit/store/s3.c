/* Objects in an S3 bucket, or in a store that speaks S3: places, and the calls of a store by single requests. */
#include "s3/s3.h"

#include <string.h>

static char *environment(const char *const *names)
{
    for (; *names; names++) {
        const char *value = g_getenv(*names);
        if (value && *value)
            return g_strdup(value);
    }
    return NULL;
}

static char *region_of(const StoreOptions *options)
{
    if (options->region && *options->region)
        return g_strdup(options->region);
    char *region = environment((const char *const[]){"AWS_REGION", "AWS_DEFAULT_REGION", NULL});
    return region ? region : g_strdup("us-east-1");
}

static char *endpoint_of(const StoreOptions *options)
{
    if (options->endpoint && *options->endpoint)
        return g_strdup(options->endpoint);
    return environment((const char *const[]){"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", NULL});
}

/* "http://host:port" → scheme and host, with the port as curl writes it into Host, which is signed: not the scheme's
 * own. */
static SfStatus split_endpoint(const char *endpoint, char **scheme, char **host, SfError *err)
{
    g_autoptr(GUri) uri = g_uri_parse(endpoint, G_URI_FLAGS_NONE, NULL);
    const char *path = uri ? g_uri_get_path(uri) : "";
    bool known = uri && (g_str_equal(g_uri_get_scheme(uri), "http") || g_str_equal(g_uri_get_scheme(uri), "https"));
    if (!known || !g_uri_get_host(uri) || !*g_uri_get_host(uri) || (*path && !g_str_equal(path, "/")))
        return sf_fail(err, SF_CONFIG, "endpoint '%s' is none; write http://host:port or https://host", endpoint);
    bool ipv6 = strchr(g_uri_get_host(uri), ':') != NULL;
    *scheme = g_strdup(g_uri_get_scheme(uri));
    int number = g_uri_get_port(uri);
    bool own = number == (g_str_equal(*scheme, "http") ? 80 : 443);
    g_autofree char *port = number > 0 && !own ? g_strdup_printf(":%d", number) : g_strdup("");
    *host = g_strdup_printf(ipv6 ? "[%s]%s" : "%s%s", g_uri_get_host(uri), port);
    return SF_OK;
}

/* "bucket/a/b" → bucket and "a/b/". */
static SfStatus split_place(S3Store *store, const char *rest, SfError *err)
{
    g_auto(GStrv) parts = g_strsplit(rest, "/", 2);
    const char *bucket = parts[0] ? parts[0] : "";
    if (!*bucket ||
        strspn(bucket, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != strlen(bucket))
        return sf_fail(err, SF_CONFIG, "url 's3://%s' names no bucket; write s3://bucket/prefix", rest);
    store->bucket = g_strdup(bucket);
    g_autoptr(GString) prefix = g_string_new(NULL);
    g_auto(GStrv) segments = g_strsplit(parts[1] ? parts[1] : "", "/", -1);
    for (char **segment = segments; *segment; segment++)
        if (**segment)
            g_string_append_printf(prefix, "%s/", *segment);
    store->prefix = g_strdup(prefix->str);
    return SF_OK;
}

static SfStatus set_place(S3Store *store, const StoreOptions *options, const char *rest, SfError *err)
{
    SF_TRY(split_place(store, rest, err));
    store->region = region_of(options);
    g_autofree char *endpoint = endpoint_of(options);
    bool path_style =
        options->path_style == 1 || (options->path_style == 0 && (endpoint || strchr(store->bucket, '.')));
    g_autofree char *host = NULL;
    if (endpoint) {
        SF_TRY(split_endpoint(endpoint, &store->scheme, &host, err));
    } else {
        store->scheme = g_strdup("https");
        host = g_strdup_printf("s3.%s.amazonaws.com%s", store->region,
                               g_str_has_prefix(store->region, "cn-") ? ".cn" : "");
    }
    store->host = path_style ? g_steal_pointer(&host) : g_strdup_printf("%s.%s", store->bucket, host);
    store->base_path = path_style ? g_strdup_printf("/%s/", store->bucket) : g_strdup("/");
    return SF_OK;
}

static void s3_interrupt(Store *base)
{
    http_interrupt(((S3Store *) base)->http);
}

static SfStatus s3_get(Store *base, const char *key, int64_t limit, GBytes **out, SfError *err)
{
    S3Call call = {.method = "GET", .key = key, .limit = MAX(limit, 64 << 10)};
    SfStatus status = s3_run_one((S3Store *) base, &call, err);
    if (status == SF_OK && (int64_t) call.http.answer->len > limit)
        status = sf_fail(err, SF_FATAL, "'%s/%s' has %u bytes, more than the %" G_GINT64_FORMAT " that it may have",
                         base->url, key, call.http.answer->len, (gint64) limit);
    if (status == SF_OK)
        *out = g_byte_array_free_to_bytes(g_steal_pointer(&call.http.answer));
    s3_call_done(&call);
    return status;
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

/* A HEAD has no words: whether a 404 is S3's own, and what the object is, a GET's error says. */
static SfStatus confirm_absence(S3Store *store, S3Call *head, SfError *err)
{
    S3Call call = {.method = "GET", .key = head->key, .first_byte = true};
    SfStatus status = s3_run_one(store, &call, err);
    if (status == SF_OK)
        status = sf_fail(err, SF_RETRY, "'%s/%s' was not there, and then it was", store->base.url, head->key);
    head->status = status;
    s3_call_done(&call);
    return status == SF_EMPTY ? SF_OK : status;
}

static SfStatus settle_head(S3Store *store, S3Call *call, SfError *err)
{
    if (call->http.code == 404 && call->http.status == SF_OK)
        return confirm_absence(store, call, err);
    if (call->status != SF_OK)
        return s3_call_fail(store, call, err);
    if (call->http.length < 0)
        return sf_fail(err, SF_RETRY, "cannot read '%s/%s': the answer to HEAD has no Content-Length", store->base.url,
                       call->key);
    return SF_OK;
}

SfStatus s3_head_all(S3Store *store, const char *const *keys, S3Call *calls, size_t n, SfError *err)
{
    for (size_t i = 0; i < n; i++) {
        calls[i].method = "HEAD";
        calls[i].key = keys[i];
    }
    s3_run(store, calls, n);
    for (size_t i = 0; i < n; i++)
        SF_TRY(settle_head(store, &calls[i], err));
    return SF_OK;
}

static SfStatus s3_stat_all(Store *base, const char *const *keys, int64_t *sizes, size_t n, SfError *err)
{
    g_autofree S3Call *calls = g_new0(S3Call, n);
    SfStatus status = s3_head_all((S3Store *) base, keys, calls, n, err);
    for (size_t i = 0; i < n; i++) {
        sizes[i] = calls[i].status == SF_OK ? calls[i].http.length : -1;
        s3_call_done(&calls[i]);
    }
    return status;
}

SfStatus s3_holds(S3Store *store, const char *key, GBytes *body, bool *same, SfError *err)
{
    int64_t size = -1;
    *same = false;
    SF_TRY(s3_stat_all(&store->base, &key, &size, 1, err));
    if (size != (int64_t) g_bytes_get_size(body))
        return SF_OK;
    g_autoptr(GBytes) there = NULL;
    SfStatus status = s3_get(&store->base, key, size, &there, err);
    *same = status == SF_OK && g_bytes_equal(there, body);
    return status == SF_EMPTY ? SF_OK : status;
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

static SfStatus s3_put_all(Store *base, StoreObject *objects, size_t n, SfError *err)
{
    S3Store *store = (S3Store *) base;
    g_autofree StoreObject **small = g_new0(StoreObject *, n);
    size_t n_small = 0;
    for (size_t i = 0; i < n; i++)
        if ((int64_t) g_bytes_get_size(objects[i].body) <= store->options->part_size)
            small[n_small++] = &objects[i];
    if (n_small > 0)
        SF_TRY(put_small(store, small, n_small, err));
    for (size_t i = 0; i < n; i++)
        if ((int64_t) g_bytes_get_size(objects[i].body) > store->options->part_size)
            SF_TRY(s3_put_parts(store, &objects[i], err));
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
                       "once; use one that knows conditional writes",
                       base->url);
    store->opened = true;
    return SF_OK;
}

static void s3_free(Store *base)
{
    S3Store *store = (S3Store *) base;
    http_free(store->http);
    sigv4_signer_done(&store->signer);
    s3_credentials_done(&store->credentials);
    g_free(store->bucket);
    g_free(store->prefix);
    g_free(store->scheme);
    g_free(store->host);
    g_free(store->base_path);
    g_free(store->region);
    g_free(store);
}

static const StoreBackend backend = {
    .open = s3_open,
    .prove_parts = s3_prove_parts,
    .interrupt = s3_interrupt,
    .get = s3_get,
    .stat_all = s3_stat_all,
    .sum_all = s3_sum_all,
    .put_all = s3_put_all,
    .list = s3_list,
    .remove_all = s3_remove_all,
    .free = s3_free,
};

static SfStatus set_up(S3Store *store, const StoreOptions *options, const char *rest, SfError *err)
{
    SF_TRY(set_place(store, options, rest, err));
    SF_TRY(s3_credentials_load(options, &store->credentials, err));
    sigv4_signer_init(&store->signer, store->credentials.access_key_id, store->credentials.secret_access_key,
                      store->region, "s3");
    const char *bundle = g_getenv("AWS_CA_BUNDLE");
    HttpOptions http = {
        .connections = options->connections,
        .timeout_ms = options->timeout_ms,
        .request_ms = options->request_ms,
        .ca_file = options->ca_file    ? options->ca_file
                   : bundle && *bundle ? bundle
                                       : NULL,
        .tls_verify = options->tls_verify,
    };
    store->http = http_new(&http, err);
    return store->http ? SF_OK : SF_FATAL;
}

SfStatus store_s3_check(const StoreOptions *options, const char *rest, SfError *err)
{
    S3Store *store = g_new0(S3Store, 1);
    SfStatus status = set_place(store, options, rest, err);
    s3_free(&store->base);
    return status;
}

Store *store_s3_new(const StoreOptions *options, const char *rest, SfError *err)
{
    S3Store *store = g_new0(S3Store, 1);
    store->base.backend = &backend;
    store->options = options;
    if (set_up(store, options, rest, err) == SF_OK)
        return &store->base;
    s3_free(&store->base);
    return NULL;
}
