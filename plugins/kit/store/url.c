/* From a URL to the kind of store that it names. */
#include "backend.h"

#include <string.h>

const char *const store_path_styles[] = {"auto", "true", "false", NULL};

typedef enum Kind { KIND_NONE, KIND_FILE, KIND_S3 } Kind;

/* The URL's kind and what is behind its scheme: a decoded path, or "bucket/prefix". */
static Kind split_url(const char *url, char **rest, SfError *err)
{
    const char *path = NULL;
    if (g_str_has_prefix(url, "s3://") || g_str_has_prefix(url, "s3a://")) {
        *rest = g_strdup(strstr(url, "://") + 3);
        return KIND_S3;
    }
    if (*url == '/' || g_str_has_prefix(url, "./") || g_str_has_prefix(url, "../")) {
        *rest = g_strdup(url);
        return KIND_FILE;
    }
    if (g_str_has_prefix(url, "file:///"))
        path = url + strlen("file://");
    else if (g_str_has_prefix(url, "file://localhost/"))
        path = url + strlen("file://localhost");
    *rest = path ? g_uri_unescape_string(path, NULL) : NULL;
    if (*rest)
        return KIND_FILE;
    bool server = g_str_has_prefix(url, "http://") || g_str_has_prefix(url, "https://");
    sf_fail(err, SF_CONFIG, "url: '%s' has no scheme that is known; write s3://bucket/prefix%s", url,
            server ? ", and the server as 'endpoint'" : ", file:///directory or ./directory");
    return KIND_NONE;
}

SfStatus store_check(const StoreOptions *options, SfError *err)
{
    g_autofree char *rest = NULL;
    Kind kind = split_url(options->url ? options->url : "", &rest, err);
    if (kind == KIND_NONE)
        return SF_CONFIG;
    return kind == KIND_S3 ? store_s3_check(options, rest, err) : store_file_check(options, rest, err);
}

Store *store_new(SfNode *node, const StoreOptions *options, SfError *err)
{
    if (store_check(options, err) != SF_OK)
        return NULL;
    g_autofree char *rest = NULL;
    bool s3 = split_url(options->url, &rest, err) == KIND_S3;
    Store *store = s3 ? store_s3_new(options, rest, err) : store_file_new(options, rest, err);
    if (!store)
        return NULL;
    store->node = node;
    store->url = g_strdup(options->url);
    for (size_t end = strlen(store->url); end > 1 && store->url[end - 1] == '/' && store->url[end - 2] != '/'; end--)
        store->url[end - 1] = '\0';
    return store;
}

void store_free(Store *store)
{
    if (!store)
        return;
    g_free(store->url);
    store->backend->free(store);
}
