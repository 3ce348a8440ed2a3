/* Large bodies in parts: several parts at once, the condition on the last step, nothing left behind by a failure. */
#include "s3.h"

#include <string.h>

typedef struct Upload {
    S3Store *store;
    StoreObject *object;
    char *id;
    gsize size;
    gsize part_size;
    size_t n_parts;
} Upload;

static SfStatus check_parts(const Upload *upload, S3Call *calls, SfError *err)
{
    for (size_t i = 0; i < upload->n_parts; i++) {
        S3Call *call = &calls[i];
        if (call->status == SF_EMPTY || (call->status == SF_OK && !call->http.etag[0])) /* the upload was aborted */
            call->status = SF_RETRY;
        if (call->status != SF_OK)
            return s3_call_fail(upload->store, call, err);
    }
    return SF_OK;
}

static GBytes *list_parts(const S3Call *calls, size_t n)
{
    g_autofree const char **etags = g_new(const char *, n);
    for (size_t i = 0; i < n; i++)
        etags[i] = calls[i].http.etag;
    return s3_upload_list(etags, n);
}

static SfStatus send_parts(const Upload *upload, GBytes **list, SfError *err)
{
    g_autofree S3Call *calls = g_new0(S3Call, upload->n_parts);
    g_auto(GStrv) numbers = g_new0(char *, upload->n_parts + 1);
    for (size_t i = 0; i < upload->n_parts; i++) {
        gsize start = i * upload->part_size, size = MIN(upload->part_size, upload->size - start);
        numbers[i] = g_strdup_printf("%zu", i + 1);
        calls[i] = s3_upload_part(upload->object->key, upload->id, numbers[i],
                                  g_bytes_new_from_bytes(upload->object->body, start, size));
    }
    s3_run(upload->store, calls, upload->n_parts);
    SfStatus status = check_parts(upload, calls, err);
    if (status == SF_OK)
        *list = list_parts(calls, upload->n_parts);
    for (size_t i = 0; i < upload->n_parts; i++) {
        g_bytes_unref(calls[i].body);
        s3_call_done(&calls[i]);
    }
    return status;
}

/* A lost answer shows as a missing upload or as a conflict with ourselves: what is there decides. */
static SfStatus settle_conflict(const Upload *upload, const S3Call *call, SfError *err)
{
    StoreObject *object = upload->object;
    bool same = false;
    SF_TRY(s3_holds(upload->store, object->key, object->body, &same, err));
    if (!same && !call->conflict)
        return sf_fail(err, SF_RETRY, "cannot write 's3://%s/%s%s' in parts: the upload was ended by somebody else",
                       upload->store->bucket, upload->store->prefix, object->key);
    object->created = same;
    return SF_OK;
}

static SfStatus end_upload(const Upload *upload, GBytes *list, bool *over, SfError *err)
{
    S3Call call = s3_upload_complete(upload->object->key, upload->id, list, upload->object->only_new);
    SfStatus status = s3_run_one(upload->store, &call, err);
    if (status == SF_EMPTY || (status == SF_OK && call.conflict)) {
        status = settle_conflict(upload, &call, err);
        *over = call.status == SF_EMPTY;
    } else if (status == SF_OK) {
        upload->object->created = true;
        *over = true;
    }
    s3_call_done(&call);
    return status;
}

SfStatus s3_put_parts(S3Store *store, StoreObject *object, SfError *err)
{
    gsize size = g_bytes_get_size(object->body);
    gsize part_size = MAX((gsize) store->options->part_size, size / S3_PARTS_MAX + 1);
    Upload upload = {.store = store,
                     .object = object,
                     .size = size,
                     .part_size = part_size,
                     .n_parts = (size + part_size - 1) / part_size};
    SF_TRY(s3_upload_begin(store, object->key, &upload.id, err));
    g_autoptr(GBytes) list = NULL;
    bool over = false;
    SfStatus status = send_parts(&upload, &list, err);
    if (status == SF_OK)
        status = end_upload(&upload, list, &over, err);
    if (!over)
        s3_upload_abort(store, object->key, upload.id);
    g_free(upload.id);
    return status;
}

/* One upload of a byte in the place of the probe. */
static SfStatus probe_parts(S3Store *store, bool *refused, SfError *err)
{
    g_autoptr(GBytes) body = g_bytes_new_static("x", 1);
    StoreObject object = {.key = S3_PROBE_KEY, .body = body, .only_new = true};
    Upload upload = {.store = store, .object = &object, .size = 1, .part_size = 1, .n_parts = 1};
    g_autoptr(GBytes) list = NULL;
    SF_TRY(s3_upload_begin(store, object.key, &upload.id, err));
    SfStatus status = send_parts(&upload, &list, err);
    if (status == SF_OK) {
        S3Call call = s3_upload_complete(object.key, upload.id, list, true);
        status = s3_run_one(store, &call, err);
        *refused = call.conflict || status == SF_EMPTY; /* of an answer that was lost: ended, by us or for us */
        status = status == SF_EMPTY ? SF_OK : status;
        s3_call_done(&call);
    }
    if (*refused || status != SF_OK)
        s3_upload_abort(store, object.key, upload.id);
    g_free(upload.id);
    return status;
}

SfStatus s3_prove_parts(Store *base, SfError *err)
{
    S3Store *store = (S3Store *) base;
    bool refused = false;
    for (int i = 0; i < 2 && !refused; i++) {
        SfStatus status = probe_parts(store, &refused, err);
        if (status != SF_OK) /* it may know no parts at all */
            return status == SF_RETRY ? status : SF_OK;
    }
    store->parts_proven = refused;
    if (refused)
        return SF_OK;
    return sf_fail(err, SF_CONFIG,
                   "the store at '%s' ignores 'If-None-Match: *' at the end of an upload in parts, and would overwrite "
                   "objects of others; use a store that supports conditional writes there, too",
                   base->url);
}
