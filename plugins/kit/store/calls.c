/* The calls of every store: keys are checked, and forms of other calls led to them. Transfers are the kinds' work. */
#include "backend.h"

#include <string.h>

#define KEY_MAX 1024 /* bytes, as S3 has it (Amazon S3 User Guide, "Naming Amazon S3 objects") */

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
                   "'%s' in '%s' is not a valid object key: it is empty, too long, not UTF-8, or has a segment "
                   "that is empty, '.' or '..'",
                   shown, store->url);
}

SfStatus store_get(Store *store, const char *key, int64_t limit, GBytes **out, SfError *err)
{
    SF_TRY(check_key(store, key, err));
    return store->backend->get(store, key, limit, out, err);
}

SfStatus store_read(Store *store, const char *key, int64_t offset, int64_t size, GBytes **out, SfError *err)
{
    SF_TRY(check_key(store, key, err));
    return store->backend->read(store, key, offset, size, out, err);
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

SfStatus store_list_level(Store *store, const char *prefix, const char *start_after, size_t max, GPtrArray *out,
                          SfError *err)
{
    return max ? store->backend->list_level(store, prefix, start_after, max, out, err) : SF_OK;
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
