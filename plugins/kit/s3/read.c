/* What lies in the bucket: bodies, sizes, and whether there is anything at all. */
#include "s3.h"

SfStatus s3_get(Store *base, const char *key, int64_t limit, GBytes **out, SfError *err)
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

#define NO_SUCH_RANGE 416 /* RFC 9110, section 15.5.17: it begins behind the end */

/* A server may answer with all of the object, which is no more than what was asked for only at its beginning. */
static SfStatus settle_range(const S3Store *store, const S3Call *call, SfError *err)
{
    bool whole = call->http.code != 206 && (call->range_from > 0 || call->http.answer->len > call->range_size);
    if (!whole)
        return SF_OK;
    return sf_fail(err, SF_CONFIG, "cannot read '%s/%s' piece by piece: the endpoint ignores 'Range'", store->base.url,
                   call->key);
}

SfStatus s3_read(Store *base, const char *key, int64_t offset, int64_t size, GBytes **out, SfError *err)
{
    S3Store *store = (S3Store *) base;
    S3Call call = {.method = "GET", .key = key, .range_from = offset, .range_size = size, .limit = MAX(size, 64 << 10)};
    s3_run(store, &call, 1);
    SfStatus status = call.status;
    bool behind = call.http.status == SF_OK && call.http.code == NO_SUCH_RANGE;
    if (behind)
        status = SF_OK;
    else if (status == SF_OK)
        status = settle_range(store, &call, err);
    else if (status != SF_EMPTY)
        status = s3_call_fail(store, &call, err);
    if (status == SF_OK)
        *out = behind ? g_bytes_new_static("", 0) : g_byte_array_free_to_bytes(g_steal_pointer(&call.http.answer));
    s3_call_done(&call);
    return status;
}

/* A HEAD has no words: whether a 404 is S3's own, and what the object is, a GET's error says. */
static SfStatus confirm_absence(S3Store *store, S3Call *head, SfError *err)
{
    S3Call call = {.method = "GET", .key = head->key, .range_size = 1};
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

SfStatus s3_stat_all(Store *base, const char *const *keys, int64_t *sizes, size_t n, SfError *err)
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
