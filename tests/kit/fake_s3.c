/* An object store in memory that answers as S3 does: PUT (with If-None-Match), GET, HEAD, DELETE, ListObjectsV2,
 * multipart. Checks no signature: the vectors do. */
#include "fake_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A request taken apart. */
typedef struct Target {
    char *path;
    GHashTable *query;
} Target;

static Target target_of(const FakeRequest *request)
{
    g_auto(GStrv) parts = g_strsplit(request->target, "?", 2);
    Target target = {.path = g_uri_unescape_string(parts[0], NULL)};
    target.query = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) pairs = g_strsplit(parts[1] ? parts[1] : "", "&", -1);
    for (char **pair = pairs; *pair; pair++) {
        g_auto(GStrv) halves = g_strsplit(*pair, "=", 2);
        if (halves[0])
            g_hash_table_replace(target.query, g_uri_unescape_string(halves[0], NULL),
                                 g_uri_unescape_string(halves[1] ? halves[1] : "", NULL));
    }
    return target;
}

static void target_done(Target *target)
{
    g_free(target->path);
    g_hash_table_unref(target->query);
}

void fake_s3_error(FakeAnswer *answer, int status, const char *code)
{
    answer->status = status;
    g_string_printf(answer->body, "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>on purpose</Message></Error>",
                    code);
}

static bool refused(FakeS3 *fake, const FakeRequest *request, const char *path, FakeAnswer *answer)
{
    if (!g_hash_table_contains(request->headers, "if-none-match") || !g_tree_lookup(fake->objects, path))
        return false;
    fake_s3_error(answer, 412, "PreconditionFailed");
    return true;
}

static void store_bytes(FakeS3 *fake, const char *path, GByteArray *bytes)
{
    g_hash_table_remove(fake->sums, path);
    g_tree_replace(fake->objects, g_strdup(path), g_bytes_new(bytes->data, bytes->len));
}

static void put_part(FakeS3 *fake, const FakeRequest *request, const Target *target, FakeAnswer *answer)
{
    const FakeUpload *upload = g_hash_table_lookup(fake->uploads, g_hash_table_lookup(target->query, "uploadId"));
    if (!upload || !g_str_equal(upload->path, target->path)) {
        fake_s3_error(answer, 404, "NoSuchUpload");
        return;
    }
    gint64 number = g_ascii_strtoll(g_hash_table_lookup(target->query, "partNumber"), NULL, 10);
    g_tree_replace(upload->parts, GINT_TO_POINTER((int) number), g_bytes_new(request->body->data, request->body->len));
    g_string_append_printf(answer->headers, "ETag: \"part-%d\"\r\n", (int) number);
}

static void put(FakeS3 *fake, const FakeRequest *request, const Target *target, FakeAnswer *answer)
{
    if (g_hash_table_contains(target->query, "partNumber")) {
        put_part(fake, request, target, answer);
    } else if (!refused(fake, request, target->path, answer)) {
        const char *sum = g_hash_table_lookup(request->headers, "x-amz-meta-sf-crc32");
        store_bytes(fake, target->path, request->body);
        if (sum)
            g_hash_table_replace(fake->sums, g_strdup(target->path), g_strdup(sum));
        g_string_append(answer->headers, "ETag: \"whole\"\r\n");
    }
}

static int by_number(gconstpointer a, gconstpointer b, gpointer unused)
{
    (void) unused;
    return GPOINTER_TO_INT(a) - GPOINTER_TO_INT(b);
}

void fake_upload_free(gpointer user)
{
    FakeUpload *upload = user;
    g_free(upload->path);
    g_free(upload->begun);
    g_tree_unref(upload->parts);
    g_free(upload);
}

static const char *add_upload(FakeS3 *fake, const char *path, char *begun)
{
    char *id = g_strdup_printf("upload/%u+", ++fake->next_upload);
    FakeUpload *upload = g_new0(FakeUpload, 1);
    upload->path = g_strdup(path);
    upload->begun = begun;
    upload->parts = g_tree_new_full(by_number, NULL, NULL, (GDestroyNotify) g_bytes_unref);
    g_hash_table_insert(fake->uploads, id, upload);
    return id;
}

static void begin_upload(FakeS3 *fake, const Target *target, FakeAnswer *answer)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    const char *id = add_upload(fake, target->path, g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ"));
    g_string_printf(answer->body,
                    "<?xml version=\"1.0\"?><InitiateMultipartUploadResult><UploadId>%s</UploadId>"
                    "</InitiateMultipartUploadResult>",
                    id);
}

static gboolean append_part(gpointer number, gpointer bytes, gpointer whole)
{
    (void) number;
    g_byte_array_append(whole, g_bytes_get_data(bytes, NULL), (guint) g_bytes_get_size(bytes));
    return FALSE;
}

static void end_upload(FakeS3 *fake, const FakeRequest *request, const Target *target, FakeAnswer *answer)
{
    const char *id = g_hash_table_lookup(target->query, "uploadId");
    const FakeUpload *upload = g_hash_table_lookup(fake->uploads, id);
    if (!upload || !g_str_equal(upload->path, target->path)) {
        fake_s3_error(answer, 404, "NoSuchUpload");
        return;
    }
    GTree *parts = upload->parts;
    g_autofree char *list = g_strndup((const char *) request->body->data, request->body->len);
    g_autofree char *last =
        g_strdup_printf("<PartNumber>%d</PartNumber><ETag>\"part-%d\"", g_tree_nnodes(parts), g_tree_nnodes(parts));
    g_autofree char *escaped = g_strdup_printf("<PartNumber>%d</PartNumber><ETag>&quot;part-%d&quot;",
                                               g_tree_nnodes(parts), g_tree_nnodes(parts));
    if (!strstr(list, last) && !strstr(list, escaped)) {
        fake_s3_error(answer, 400, "InvalidPart");
        return;
    }
    if (refused(fake, request, target->path, answer))
        return;
    GByteArray *whole = g_byte_array_new();
    g_tree_foreach(parts, append_part, whole);
    store_bytes(fake, target->path, whole);
    g_byte_array_unref(whole);
    g_hash_table_remove(fake->uploads, id);
    g_string_assign(answer->body, "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>");
}

typedef struct Listing {
    const char *bucket; /* "/bucket/" */
    const char *prefix;
    const char *after;
    const char *delimiter; /* "": none */
    char *told;            /* the beginning that was told last */
    gint64 left;
    bool truncated;
    GString *xml;
} Listing;

static gboolean list_one(gpointer path, gpointer bytes, gpointer user)
{
    Listing *listing = user;
    if (!g_str_has_prefix(path, listing->bucket))
        return FALSE;
    const char *key = (const char *) path + strlen(listing->bucket);
    if (!g_str_has_prefix(key, listing->prefix) || strcmp(key, listing->after) <= 0)
        return FALSE;
    if (listing->told && g_str_has_prefix(key, listing->told))
        return FALSE;
    if (listing->left-- == 0) {
        listing->truncated = true;
        return TRUE;
    }
    const char *cut = *listing->delimiter ? strstr(key + strlen(listing->prefix), listing->delimiter) : NULL;
    g_autofree char *beginning = cut ? g_strndup(key, (gsize) (cut - key) + 1) : NULL;
    g_autofree char *escaped = g_uri_escape_string(beginning ? beginning : key, "/", FALSE);
    if (beginning) {
        g_string_append_printf(listing->xml, "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>", escaped);
        g_free(listing->told);
        listing->told = g_steal_pointer(&beginning);
        return FALSE;
    }
    g_auto(GStrv) words = g_strsplit(escaped, "%20", -1);
    g_autofree char *encoded = g_strjoinv("+", words);
    g_string_append_printf(listing->xml,
                           "<Contents><Size>%zu</Size><Key>%s</Key><LastModified>2024-01-15T10:30:01.500Z"
                           "</LastModified></Contents>",
                           g_bytes_get_size(bytes), encoded);
    return FALSE;
}

static const char *asked(const Target *target, const char *name)
{
    const char *value = g_hash_table_lookup(target->query, name);
    return value ? value : "";
}

static void list(FakeS3 *fake, const Target *target, FakeAnswer *answer)
{
    Listing listing = {.bucket = target->path,
                       .prefix = asked(target, "prefix"),
                       .after = asked(target, "start-after"),
                       .delimiter = asked(target, "delimiter"),
                       .left = g_ascii_strtoll(asked(target, "max-keys"), NULL, 10),
                       .xml = answer->body};
    g_string_assign(answer->body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult>"
                                  "<EncodingType>url</EncodingType>");
    g_tree_foreach(fake->objects, list_one, &listing);
    g_free(listing.told);
    g_string_append_printf(answer->body, "<IsTruncated>%s</IsTruncated></ListBucketResult>",
                           listing.truncated ? "true" : "false");
}

/* A page has all of them. */
static void list_uploads(FakeS3 *fake, const Target *target, FakeAnswer *answer)
{
    g_autofree char *below = g_strconcat(target->path, asked(target, "prefix"), NULL);
    g_string_assign(answer->body,
                    "<?xml version=\"1.0\"?><ListMultipartUploadsResult><EncodingType>url</EncodingType>");
    GHashTableIter iter;
    gpointer id, user;
    g_hash_table_iter_init(&iter, fake->uploads);
    while (g_hash_table_iter_next(&iter, &id, &user)) {
        const FakeUpload *upload = user;
        bool hidden = fake->exact_uploads && *asked(target, "prefix") && !g_str_equal(upload->path, below);
        if (hidden || !g_str_has_prefix(upload->path, below))
            continue;
        g_autofree char *key = g_uri_escape_string(upload->path + strlen(target->path), "/", FALSE);
        g_string_append_printf(answer->body,
                               "<Upload><Initiated>%s</Initiated><Key>%s</Key><UploadId>%s</UploadId></Upload>",
                               upload->begun, key, (const char *) id);
    }
    g_string_append(answer->body, "<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>");
}

/* "Range: bytes=2-5" of a body. false: it begins behind its end. */
static bool cut_range(const FakeRequest *request, const char **data, gsize *size, FakeAnswer *answer)
{
    const char *range = g_hash_table_lookup(request->headers, "range");
    unsigned long long first = 0, last = 0;
    if (!range || sscanf(range, "bytes=%llu-%llu", &first, &last) != 2)
        return true;
    if (first >= *size)
        return false;
    *data += first;
    *size = MIN(*size - first, last - first + 1);
    answer->status = 206;
    return true;
}

static void get(FakeS3 *fake, const FakeRequest *request, const Target *target, FakeAnswer *answer)
{
    GBytes *bytes = g_tree_lookup(fake->objects, target->path);
    gsize size = 0;
    const char *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;
    if (bytes && !cut_range(request, &data, &size, answer)) {
        fake_s3_error(answer, 416, "InvalidRange");
    } else if (bytes) {
        const char *sum = g_hash_table_lookup(fake->sums, target->path);
        g_string_append_len(answer->body, data, (gssize) size);
        if (sum)
            g_string_append_printf(answer->headers, "x-amz-meta-sf-crc32: %s\r\n", sum);
    } else {
        fake_s3_error(answer, 404, "NoSuchKey");
    }
}

void fake_s3_serve(FakeS3 *fake, const FakeRequest *request, FakeAnswer *answer)
{
    Target target = target_of(request);
    if (g_str_has_prefix(target.path, "/missing/"))
        fake_s3_error(answer, 404, "NoSuchBucket");
    else if (g_str_equal(request->method, "PUT"))
        put(fake, request, &target, answer);
    else if (g_hash_table_contains(target.query, "list-type"))
        list(fake, &target, answer);
    else if (g_str_equal(request->method, "GET") && g_hash_table_contains(target.query, "uploads"))
        list_uploads(fake, &target, answer);
    else if (g_str_equal(request->method, "GET") || g_str_equal(request->method, "HEAD"))
        get(fake, request, &target, answer);
    else if (g_hash_table_contains(target.query, "uploads"))
        begin_upload(fake, &target, answer);
    else if (g_str_equal(request->method, "POST"))
        end_upload(fake, request, &target, answer);
    else if (g_hash_table_contains(target.query, "uploadId"))
        g_hash_table_remove(fake->uploads, g_hash_table_lookup(target.query, "uploadId"));
    else
        g_tree_remove(fake->objects, target.path);
    target_done(&target);
}

const char *fake_s3_url(const FakeS3 *fake)
{
    return fake->url;
}

void fake_s3_script(FakeS3 *fake, FakeScript script)
{
    g_mutex_lock(&fake->mutex);
    g_array_append_val(fake->scripts, script);
    g_mutex_unlock(&fake->mutex);
}

void fake_s3_set(FakeS3 *fake, const char *path, const char *body)
{
    fake_s3_set_bytes(fake, path, body, strlen(body));
}

void fake_s3_set_bytes(FakeS3 *fake, const char *path, const void *data, gsize size)
{
    g_mutex_lock(&fake->mutex);
    g_tree_replace(fake->objects, g_strdup(path), g_bytes_new(data, size));
    g_hash_table_remove(fake->sums, path);
    g_mutex_unlock(&fake->mutex);
}

GBytes *fake_s3_get(FakeS3 *fake, const char *path)
{
    g_mutex_lock(&fake->mutex);
    GBytes *bytes = g_tree_lookup(fake->objects, path);
    if (bytes)
        g_bytes_ref(bytes);
    g_mutex_unlock(&fake->mutex);
    return bytes;
}

guint fake_s3_count(FakeS3 *fake)
{
    g_mutex_lock(&fake->mutex);
    guint count = (guint) g_tree_nnodes(fake->objects);
    g_mutex_unlock(&fake->mutex);
    return count;
}

guint fake_s3_uploads(FakeS3 *fake)
{
    g_mutex_lock(&fake->mutex);
    guint count = g_hash_table_size(fake->uploads);
    g_mutex_unlock(&fake->mutex);
    return count;
}

guint fake_s3_parts(FakeS3 *fake)
{
    guint count = 0;
    GHashTableIter iter;
    gpointer upload;
    g_mutex_lock(&fake->mutex);
    g_hash_table_iter_init(&iter, fake->uploads);
    while (g_hash_table_iter_next(&iter, NULL, &upload))
        count += (guint) g_tree_nnodes(((FakeUpload *) upload)->parts);
    g_mutex_unlock(&fake->mutex);
    return count;
}

void fake_s3_begin_upload(FakeS3 *fake, const char *path, const char *begun)
{
    g_mutex_lock(&fake->mutex);
    add_upload(fake, path, g_strdup(begun));
    g_mutex_unlock(&fake->mutex);
}

void fake_s3_list_uploads_as_minio(FakeS3 *fake)
{
    g_mutex_lock(&fake->mutex);
    fake->exact_uploads = true;
    g_mutex_unlock(&fake->mutex);
}

void fake_s3_drop_uploads(FakeS3 *fake)
{
    g_mutex_lock(&fake->mutex);
    g_hash_table_remove_all(fake->uploads);
    g_mutex_unlock(&fake->mutex);
}

char *fake_s3_requests(FakeS3 *fake)
{
    g_mutex_lock(&fake->mutex);
    char *requests = g_string_free(fake->log, FALSE);
    fake->log = g_string_new(NULL);
    g_mutex_unlock(&fake->mutex);
    return requests;
}

char *fake_s3_header(FakeS3 *fake, const char *name)
{
    g_mutex_lock(&fake->mutex);
    char *value = g_strdup(g_hash_table_lookup(fake->last_headers, name));
    g_mutex_unlock(&fake->mutex);
    return value;
}

guint fake_s3_answered(FakeS3 *fake)
{
    g_mutex_lock(&fake->mutex);
    guint count = fake->answered;
    g_mutex_unlock(&fake->mutex);
    return count;
}

guint fake_s3_connections(FakeS3 *fake)
{
    g_mutex_lock(&fake->mutex);
    guint count = fake->connections;
    g_mutex_unlock(&fake->mutex);
    return count;
}
