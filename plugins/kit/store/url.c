/* From a URL to the kind of store that it names. */
#include "backend.h"

#include <string.h>

#include "ignored.h"

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
    const Ignored rule = {"mode", kind == KIND_S3 && options->mode, "on s3:// URLs, whose objects have no permissions"};
    SF_TRY(ignored_refuse(&rule, 1, err));
    return kind == KIND_S3 ? store_s3_check(options, rest, err) : store_file_check(options, rest, err);
}

/* A URL may come from the environment, a bucket here and a directory there, so these are not refused. */
static void say_ignored(SfNode *node, const StoreOptions *options)
{
    const struct {
        const char *option;
        bool given;
    } of_buckets[] = {{"endpoint", options->endpoint && *options->endpoint},
                      {"region", options->region && *options->region},
                      {"path_style", options->path_style != 0},
                      {"access_key_id", options->access_key_id && *options->access_key_id},
                      {"secret_access_key", options->secret_access_key && *options->secret_access_key},
                      {"session_token", options->session_token && *options->session_token},
                      {"profile", options->profile && *options->profile},
                      {"ca_file", options->ca_file && *options->ca_file},
                      {"sign_payload", options->sign_payload}};
    g_autoptr(GString) names = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(of_buckets); i++)
        if (of_buckets[i].given)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", of_buckets[i].option);
    if (node && names->len > 0)
        sf_log(node, SF_LOG_WARNING, "no effect on '%s', which is a directory: %s", options->url, names->str);
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
    if (!s3)
        say_ignored(node, options);
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
