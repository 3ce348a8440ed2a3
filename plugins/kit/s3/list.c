/* Listing by ListObjectsV2, page by page. Pages continue by start-after, not by tokens, which servers disagree on. */
#include "s3.h"

#include <string.h>

#define PAGE_MAX 1000
#define LAST_CHARACTER "\xF4\x8F\xBF\xBF" /* U+10FFFF: sorts behind all that may follow a key's beginning */

typedef struct Page {
    const char *prefix; /* that was asked for, below the store's */
    GPtrArray *entries;
    StoreEntry *current;
    bool level;     /* beginnings that keys share are told, not what is below them */
    bool encoded;   /* keys are percent-encoded */
    bool truncated; /* there are more */
} Page;

static void take_object_field(Page *page, const char *name, const char *text)
{
    if (!page->current)
        page->current = g_new0(StoreEntry, 1);
    if (g_str_equal(name, "Key")) {
        g_free(page->current->key);
        page->current->key = g_strdup(text);
    } else if (g_str_equal(name, "Size")) {
        page->current->size = MAX(g_ascii_strtoll(text, NULL, 10), 0);
    } else if (g_str_equal(name, "LastModified")) {
        g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);
        page->current->modified_ms =
            time ? g_date_time_to_unix(time) * 1000 + g_date_time_get_microsecond(time) / 1000 : 0;
    }
}

static void take_field(gpointer user, const char *parent, const char *name, const char *text)
{
    Page *page = user;
    if (g_str_equal(parent, "Contents")) {
        take_object_field(page, name, text);
    } else if (g_str_equal(parent, "CommonPrefixes") && g_str_equal(name, "Prefix") && page->level) {
        StoreEntry *entry = g_new0(StoreEntry, 1);
        entry->key = g_strdup(text);
        entry->size = -1;
        g_ptr_array_add(page->entries, entry);
    } else if (g_str_equal(name, "Contents") && page->current && page->current->key) {
        g_ptr_array_add(page->entries, g_steal_pointer(&page->current));
    } else if (g_str_equal(name, "EncodingType")) {
        page->encoded = g_str_equal(text, "url");
    } else if (g_str_equal(name, "IsTruncated")) {
        page->truncated = g_str_equal(text, "true");
    }
}

/* Callers rely on the prefix. */
bool s3_list_key(const S3Store *store, const char *prefix, bool encoded, char **key)
{
    if (encoded) {
        g_autofree char *spaced = g_strdelimit(g_strdup(*key), "+", ' ');
        char *decoded = g_uri_unescape_string(spaced, NULL);
        if (!decoded)
            return false;
        g_free(*key);
        *key = decoded;
    }
    size_t size = strlen(store->prefix);
    if (strncmp(*key, store->prefix, size) != 0)
        return false;
    memmove(*key, *key + size, strlen(*key + size) + 1);
    return g_str_has_prefix(*key, prefix);
}

static SfStatus refuse_key(const S3Store *store, const Page *page, const char *key, SfError *err)
{
    g_autofree char *shown = g_strescape(key, NULL);
    return sf_fail(err, SF_FATAL,
                   "listing 's3://%s/%s%s' gave the key '%.200s', which is not below it: is 'endpoint' an S3 store?",
                   store->bucket, store->prefix, page->prefix, shown);
}

static int by_key(gconstpointer a, gconstpointer b)
{
    return strcmp((*(StoreEntry *const *) a)->key, (*(StoreEntry *const *) b)->key);
}

static SfStatus read_page(S3Store *store, S3Call *call, Page *page, SfError *err)
{
    SfStatus status = s3_run_one(store, call, err);
    if (status == SF_EMPTY)
        return sf_fail(err, SF_RETRY, "cannot list 's3://%s/%s': %ld %s", store->bucket, store->prefix, call->http.code,
                       call->code);
    SF_TRY(status);
    bool good = s3_xml_read(call->http.answer, take_field, page);
    g_clear_pointer(&page->current, store_entry_free);
    if (!good)
        return sf_fail(err, SF_RETRY, "cannot list 's3://%s/%s': the answer is not XML; is 'endpoint' an S3 store?",
                       store->bucket, store->prefix);
    for (guint i = 0; i < page->entries->len; i++) {
        StoreEntry *entry = page->entries->pdata[i];
        if (!s3_list_key(store, page->prefix, page->encoded, &entry->key))
            return refuse_key(store, page, entry->key, err);
    }
    if (page->level)
        g_ptr_array_sort(page->entries, by_key);
    return SF_OK;
}

static SfStatus get_page(S3Store *store, const char *prefix, const char *after, size_t max, Page *page, SfError *err)
{
    g_autofree char *full_prefix = g_strconcat(store->prefix, prefix, NULL);
    g_autofree char *full_after = after ? g_strconcat(store->prefix, after, NULL) : NULL;
    g_autofree char *count = g_strdup_printf("%zu", MIN(max, PAGE_MAX));
    S3Call call = {.method = "GET"};
    if (page->level)
        s3_call_ask(&call, "delimiter", "/");
    s3_call_ask(&call, "list-type", "2");
    s3_call_ask(&call, "encoding-type", "url");
    s3_call_ask(&call, "max-keys", count);
    s3_call_ask(&call, "prefix", full_prefix);
    if (full_after)
        s3_call_ask(&call, "start-after", full_after);
    SfStatus status = read_page(store, &call, page, err);
    s3_call_done(&call);
    return status;
}

/* Where a listing goes on behind a key. Servers disagree on whether a beginning is told again when it is itself the
 * place; behind all that it may stand for, it is not. */
static char *place_behind(const char *prefix, const char *key, bool level)
{
    bool beginning = level && key && g_str_has_suffix(key, "/") && strlen(key) > strlen(prefix);
    return beginning ? g_strconcat(key, LAST_CHARACTER, NULL) : g_strdup(key);
}

static SfStatus list_pages(Store *base, const char *prefix, const char *start_after, bool level, size_t max,
                           GPtrArray *out, SfError *err)
{
    S3Store *store = (S3Store *) base;
    g_autofree char *after = place_behind(prefix, start_after, level);
    for (bool more = true; more && max > 0;) {
        g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        Page page = {.prefix = prefix, .entries = entries, .level = level};
        SF_TRY(get_page(store, prefix, after, max, &page, err));
        more = page.truncated && entries->len > 0;
        for (guint i = 0; i < entries->len && max > 0; i++, max--) {
            StoreEntry *entry = g_steal_pointer(&entries->pdata[i]);
            if (after && strcmp(entry->key, after) <= 0) {
                store_entry_free(entry);
                return sf_fail(err, SF_FATAL, "listing '%s' did not go on behind '%s'", base->url, after);
            }
            g_free(after);
            after = place_behind(prefix, entry->key, level);
            g_ptr_array_add(out, entry);
        }
    }
    return SF_OK;
}

SfStatus s3_list(Store *base, const char *prefix, const char *start_after, size_t max, GPtrArray *out, SfError *err)
{
    return list_pages(base, prefix, start_after, false, max, out, err);
}

SfStatus s3_list_level(Store *base, const char *prefix, const char *start_after, size_t max, GPtrArray *out,
                       SfError *err)
{
    return list_pages(base, prefix, start_after, true, max, out, err);
}
