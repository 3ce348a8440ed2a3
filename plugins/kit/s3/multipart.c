/* Large objects in parts: several parts at once, the condition on the last step, nothing left behind by a failure. */
#include "s3.h"

#include <string.h>

#define PARTS_MAX 10000 /* Amazon S3 User Guide, "Amazon S3 multipart upload limits" */

typedef struct Upload {
    S3Store *store;
    StoreObject *object;
    char *id;
    gsize size;
    gsize part_size;
    size_t n_parts;
} Upload;

static void take_upload_id(gpointer user, const char *parent, const char *name, const char *text)
{
    char **id = user;
    if (g_str_equal(parent, "InitiateMultipartUploadResult") && g_str_equal(name, "UploadId") && !*id)
        *id = g_strdup(text);
}

static SfStatus begin_upload(Upload *upload, SfError *err)
{
    S3Call call = {.method = "POST", .key = upload->object->key};
    s3_call_ask(&call, "uploads", "");
    SfStatus status = s3_run_one(upload->store, &call, err);
    if (status == SF_OK)
        s3_xml_read(call.http.answer, take_upload_id, &upload->id);
    if (status == SF_EMPTY || (status == SF_OK && !upload->id))
        status = sf_fail(err, SF_RETRY, "cannot write 's3://%s/%s%s' in parts: the store gave no upload's id (%ld %s)",
                         upload->store->bucket, upload->store->prefix, upload->object->key, call.http.code, call.code);
    s3_call_done(&call);
    return status;
}

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

/* "<Part><PartNumber>1</PartNumber><ETag>…</ETag></Part>…" */
static char *part_list(const S3Call *calls, size_t n)
{
    GString *xml = g_string_new("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < n; i++) {
        g_autofree char *etag = g_markup_escape_text(calls[i].http.etag, -1);
        g_string_append_printf(xml, "<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag></Part>", i + 1, etag);
    }
    g_string_append(xml, "</CompleteMultipartUpload>");
    return g_string_free(xml, FALSE);
}

static SfStatus send_parts(Upload *upload, char **list, SfError *err)
{
    g_autofree S3Call *calls = g_new0(S3Call, upload->n_parts);
    g_auto(GStrv) numbers = g_new0(char *, upload->n_parts + 1);
    for (size_t i = 0; i < upload->n_parts; i++) {
        numbers[i] = g_strdup_printf("%zu", i + 1);
        gsize start = i * upload->part_size;
        calls[i].method = "PUT";
        calls[i].key = upload->object->key;
        calls[i].body =
            g_bytes_new_from_bytes(upload->object->body, start, MIN(upload->part_size, upload->size - start));
        s3_call_ask(&calls[i], "partNumber", numbers[i]);
        s3_call_ask(&calls[i], "uploadId", upload->id);
    }
    s3_run(upload->store, calls, upload->n_parts);
    SfStatus status = check_parts(upload, calls, err);
    if (status == SF_OK)
        *list = part_list(calls, upload->n_parts);
    for (size_t i = 0; i < upload->n_parts; i++) {
        g_bytes_unref(calls[i].body);
        s3_call_done(&calls[i]);
    }
    return status;
}

/* A lost answer shows as a missing upload or as a conflict with ourselves: what is there decides. */
static SfStatus settle_conflict(Upload *upload, const S3Call *call, SfError *err)
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

static SfStatus end_upload(Upload *upload, const char *list, bool *over, SfError *err)
{
    g_autoptr(GBytes) body = g_bytes_new_static(list, strlen(list));
    S3Call call = {.method = "POST", .key = upload->object->key, .only_new = upload->object->only_new, .body = body};
    s3_call_ask(&call, "uploadId", upload->id);
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

/* Parts cost money until their upload is ended; what this cannot end is left to the bucket's life-cycle rule. */
static void abort_upload(Upload *upload)
{
    S3Call call = {.method = "DELETE", .key = upload->object->key, .plain = true};
    s3_call_ask(&call, "uploadId", upload->id);
    s3_run(upload->store, &call, 1);
    s3_call_done(&call);
}

SfStatus s3_put_parts(S3Store *store, StoreObject *object, SfError *err)
{
    gsize size = g_bytes_get_size(object->body);
    gsize part_size = MAX((gsize) store->options->part_size, size / PARTS_MAX + 1);
    Upload upload = {.store = store,
                     .object = object,
                     .size = size,
                     .part_size = part_size,
                     .n_parts = (size + part_size - 1) / part_size};
    SF_TRY(begin_upload(&upload, err));
    g_autofree char *list = NULL;
    bool over = false;
    SfStatus status = send_parts(&upload, &list, err);
    if (status == SF_OK)
        status = end_upload(&upload, list, &over, err);
    if (!over)
        abort_upload(&upload);
    g_free(upload.id);
    return status;
}

/* One upload of a byte in the place of the probe. */
static SfStatus probe_parts(S3Store *store, bool *refused, SfError *err)
{
    g_autoptr(GBytes) body = g_bytes_new_static("x", 1);
    StoreObject object = {.key = S3_PROBE_KEY, .body = body, .only_new = true};
    Upload upload = {.store = store, .object = &object, .size = 1, .part_size = 1, .n_parts = 1};
    g_autofree char *list = NULL;
    SF_TRY(begin_upload(&upload, err));
    SfStatus status = send_parts(&upload, &list, err);
    if (status == SF_OK) {
        g_autoptr(GBytes) parts = g_bytes_new_static(list, strlen(list));
        S3Call call = {.method = "POST", .key = object.key, .only_new = true, .body = parts};
        s3_call_ask(&call, "uploadId", upload.id);
        status = s3_run_one(store, &call, err);
        *refused = call.conflict || status == SF_EMPTY; /* of an answer that was lost: ended, by us or for us */
        status = status == SF_EMPTY ? SF_OK : status;
        s3_call_done(&call);
    }
    if (*refused || status != SF_OK)
        abort_upload(&upload);
    g_free(upload.id);
    return status;
}

SfStatus s3_prove_parts(Store *base, SfError *err)
{
    bool refused = false;
    for (int i = 0; i < 2 && !refused; i++) {
        SfStatus status = probe_parts((S3Store *) base, &refused, err);
        if (status != SF_OK) /* it may know no parts at all */
            return status == SF_RETRY ? status : SF_OK;
    }
    if (refused)
        return SF_OK;
    return sf_fail(
        err, SF_CONFIG,
        "the store at '%s' ignores 'If-None-Match: *' at the end of an upload in parts, and would write over "
        "objects of others; use one that knows conditional writes there, too",
        base->url);
}
