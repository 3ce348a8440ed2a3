/* The store's front: URLs, checked keys, and the calls that are forms of others. Transfers are the kinds' work. */
#include "backend.h"

#include <string.h>

#define KEY_MAX 1024 /* bytes, as S3 has it (Amazon S3 User Guide, "Naming Amazon S3 objects") */

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
    sf_fail(err, SF_CONFIG, "url: '%s' is of no known kind; write s3://bucket/prefix%s", url,
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

SfStatus store_open(Store *store, SfError *err)
{
    return store->backend->open(store, err);
}

SfStatus store_prove_parts(Store *store, SfError *err)
{
    return store->backend->prove_parts ? store->backend->prove_parts(store, err) : SF_OK;
}

void store_interrupt(Store *store)
{
    if (store && store->backend->interrupt)
        store->backend->interrupt(store);
}

const char *store_url(const Store *store)
{
    return store->url;
}

static bool good_segment(const char *segment, size_t size)
{
    return size > 0 && !(size == 1 && segment[0] == '.') && !(size == 2 && segment[0] == '.' && segment[1] == '.');
}

/* A key that leaves the URL's place, or that one of the kinds cannot hold, is our caller's mistake or hostile data. */
static SfStatus check_key(const Store *store, const char *key, SfError *err)
{
    size_t size = strlen(key);
    bool good = size > 0 && size <= KEY_MAX && g_utf8_validate(key, (gssize) size, NULL);
    for (const char *segment = key; good;) {
        size_t length = strcspn(segment, "/");
        good = good_segment(segment, length);
        if (!segment[length])
            break;
        segment += length + 1;
    }
    if (good)
        return SF_OK;
    g_autofree char *shown = g_utf8_make_valid(key, (gssize) MIN(size, 200));
    return sf_fail(err, SF_FATAL,
                   "'%s' in '%s' is no object key: it is empty, too long, no UTF-8, or has a segment "
                   "that is empty, '.' or '..'",
                   shown, store->url);
}

SfStatus store_get(Store *store, const char *key, int64_t limit, GBytes **out, SfError *err)
{
    SF_TRY(check_key(store, key, err));
    return store->backend->get(store, key, limit, out, err);
}

SfStatus store_stat(Store *store, const char *key, int64_t *size, SfError *err)
{
    int64_t found = -1;
    SF_TRY(store_stat_all(store, &key, &found, 1, err));
    if (found < 0)
        return SF_EMPTY;
    *size = found;
    return SF_OK;
}

SfStatus store_stat_all(Store *store, const char *const *keys, int64_t *sizes, size_t n, SfError *err)
{
    for (size_t i = 0; i < n; i++)
        SF_TRY(check_key(store, keys[i], err));
    return n ? store->backend->stat_all(store, keys, sizes, n, err) : SF_OK;
}

SfStatus store_sum_all(Store *store, const char *const *keys, StoreSum *sums, size_t n, SfError *err)
{
    for (size_t i = 0; i < n; i++)
        SF_TRY(check_key(store, keys[i], err));
    return n ? store->backend->sum_all(store, keys, sums, n, err) : SF_OK;
}

SfStatus store_put(Store *store, const char *key, GBytes *body, SfError *err)
{
    StoreObject object = {.key = key, .body = body};
    return store_put_all(store, &object, 1, err);
}

SfStatus store_put_new(Store *store, const char *key, GBytes *body, bool *created, SfError *err)
{
    StoreObject object = {.key = key, .body = body, .only_new = true};
    SF_TRY(store_put_all(store, &object, 1, err));
    *created = object.created;
    return SF_OK;
}

size_t store_draft_unit(const Store *store)
{
    return store->backend->draft_unit ? store->backend->draft_unit(store) : 0;
}

StoreDraft *store_draft_new(Store *store, const char *key)
{
    bool can = store->backend->draft && check_key(store, key, NULL) == SF_OK; /* else the put tells why not */
    return can ? store->backend->draft(store, key) : NULL;
}

size_t store_draft_write(StoreDraft *draft, const char *data, size_t size)
{
    return draft->write(draft, data, size);
}

size_t store_draft_held(StoreDraft *draft)
{
    return draft && draft->held ? draft->held(draft) : 0;
}

void store_tidy(Store *store, const char *prefix, int64_t older_ms, StoreOurs ours, gconstpointer user)
{
    if (store->backend->tidy)
        store->backend->tidy(store, prefix, older_ms, ours, user);
}

void store_draft_free(StoreDraft *draft)
{
    if (draft)
        draft->free(draft);
}

SfStatus store_put_all(Store *store, StoreObject *objects, size_t n, SfError *err)
{
    for (size_t i = 0; i < n; i++) {
        SF_TRY(check_key(store, objects[i].key, err));
        objects[i].created = false;
    }
    return n ? store->backend->put_all(store, objects, n, err) : SF_OK;
}

SfStatus store_list(Store *store, const char *prefix, const char *start_after, size_t max, GPtrArray *out, SfError *err)
{
    return max ? store->backend->list(store, prefix, start_after, max, out, err) : SF_OK;
}

void store_entry_free(StoreEntry *entry)
{
    if (!entry)
        return;
    g_free(entry->key);
    g_free(entry);
}

SfStatus store_delete(Store *store, const char *key, SfError *err)
{
    return store_delete_all(store, &key, 1, err);
}

SfStatus store_delete_all(Store *store, const char *const *keys, size_t n, SfError *err)
{
    for (size_t i = 0; i < n; i++)
        SF_TRY(check_key(store, keys[i], err));
    return n ? store->backend->remove_all(store, keys, n, err) : SF_OK;
}
