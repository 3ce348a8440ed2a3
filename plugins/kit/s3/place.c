/* Where an S3 store is, and what it takes to talk to it: bucket, prefix, endpoint, region, credentials, connections. */
#include "s3.h"

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

/* Goes into URLs and signed headers as it is. */
static bool is_plain(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!g_ascii_isgraph(*c))
            return false;
    return *text != '\0';
}

static SfStatus check_region(const char *region, SfError *err)
{
    for (const char *c = region; *c; c++)
        if (!g_ascii_isalnum(*c) && !strchr("-_", *c))
            return sf_fail(err, SF_CONFIG, "region: '%s' is not the name of a region, such as eu-central-1", region);
    return SF_OK;
}

static SfStatus refuse_endpoint(const char *endpoint, SfError *err)
{
    if (strchr(endpoint, '@')) /* not shown: it may have a password */
        return sf_fail(err, SF_CONFIG, "endpoint: it has a user name; write 'access_key_id' and 'secret_access_key'");
    return sf_fail(err, SF_CONFIG, "endpoint: '%s' is not a server's address; write http://host:port or https://host",
                   endpoint);
}

static bool is_address(GUri *uri)
{
    const char *scheme = g_uri_get_scheme(uri), *host = g_uri_get_host(uri), *path = g_uri_get_path(uri);
    bool known = g_str_equal(scheme, "http") || g_str_equal(scheme, "https");
    bool more = g_uri_get_userinfo(uri) || g_uri_get_query(uri) || g_uri_get_fragment(uri);
    return known && host && *host && !more && (!*path || g_str_equal(path, "/"));
}

/* "http://host:port" → scheme and host, with the port as curl writes it into Host, which is signed: not the scheme's
 * own. */
static SfStatus split_endpoint(const char *endpoint, char **scheme, char **host, SfError *err)
{
    g_autoptr(GUri) uri = g_uri_parse(endpoint, G_URI_FLAGS_NONE, NULL);
    if (!uri || !is_plain(endpoint) || !is_address(uri))
        return refuse_endpoint(endpoint, err);
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
        return sf_fail(err, SF_CONFIG, "url: 's3://%s' does not name a bucket; write s3://bucket/prefix", rest);
    store->bucket = g_strdup(bucket);
    g_autoptr(GString) prefix = g_string_new(NULL);
    g_auto(GStrv) segments = g_strsplit(parts[1] ? parts[1] : "", "/", -1);
    for (char **segment = segments; *segment; segment++)
        if (**segment)
            g_string_append_printf(prefix, "%s/", *segment);
    store->prefix = g_strdup(prefix->str);
    return SF_OK;
}

SfStatus s3_store_place(S3Store *store, const StoreOptions *options, const char *rest, SfError *err)
{
    SF_TRY(split_place(store, rest, err));
    store->region = region_of(options);
    SF_TRY(check_region(store->region, err));
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

void s3_store_done(S3Store *store)
{
    http_free(store->http);
    sigv4_signer_done(&store->signer);
    s3_credentials_done(&store->credentials);
    g_free(store->bucket);
    g_free(store->prefix);
    g_free(store->scheme);
    g_free(store->host);
    g_free(store->base_path);
    g_free(store->region);
}

SfStatus s3_store_init(S3Store *store, const StoreOptions *options, const char *rest, SfError *err)
{
    store->options = options;
    SF_TRY(s3_store_place(store, options, rest, err));
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
