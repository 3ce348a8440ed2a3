/* Uploads in parts by their requests (Amazon S3 API Reference: CreateMultipartUpload, UploadPart,
 * CompleteMultipartUpload, AbortMultipartUpload). */
#include "s3.h"

#include <string.h>

static void take_upload_id(gpointer user, const char *parent, const char *name, const char *text)
{
    char **id = user;
    if (g_str_equal(parent, "InitiateMultipartUploadResult") && g_str_equal(name, "UploadId") && !*id)
        *id = g_strdup(text);
}

SfStatus s3_upload_begin(S3Store *store, const char *key, char **id, SfError *err)
{
    S3Call call = {.method = "POST", .key = key};
    s3_call_ask(&call, "uploads", "");
    SfStatus status = s3_run_one(store, &call, err);
    if (status == SF_OK)
        s3_xml_read(call.http.answer, take_upload_id, id);
    if (status == SF_EMPTY || (status == SF_OK && !*id))
        status = sf_fail(err, SF_RETRY, "cannot write 's3://%s/%s%s' in parts: the store gave no upload id (%ld %s)",
                         store->bucket, store->prefix, key, call.http.code, call.code);
    s3_call_done(&call);
    return status;
}

S3Call s3_upload_part(const char *key, const char *id, const char *number, GBytes *body)
{
    S3Call call = {.method = "PUT", .key = key, .body = body};
    s3_call_ask(&call, "partNumber", number);
    s3_call_ask(&call, "uploadId", id);
    return call;
}

/* "<Part><PartNumber>1</PartNumber><ETag>…</ETag></Part>…" */
GBytes *s3_upload_list(const char *const *etags, size_t n)
{
    GString *xml = g_string_new("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < n; i++) {
        g_autofree char *etag = g_markup_escape_text(etags[i], -1);
        g_string_append_printf(xml, "<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag></Part>", i + 1, etag);
    }
    g_string_append(xml, "</CompleteMultipartUpload>");
    return g_string_free_to_bytes(xml);
}

S3Call s3_upload_complete(const char *key, const char *id, GBytes *list, bool only_new)
{
    S3Call call = {.method = "POST", .key = key, .only_new = only_new, .body = list};
    s3_call_ask(&call, "uploadId", id);
    return call;
}

void s3_upload_abort(S3Store *store, const char *key, const char *id)
{
    if (store->away) /* a close is not to wait for each */
        return;
    S3Call call = {.method = "DELETE", .key = key, .plain = true};
    s3_call_ask(&call, "uploadId", id);
    s3_run(store, &call, 1);
    s3_call_done(&call);
}
