/* Uploads that nobody ended (Amazon S3 API Reference: ListMultipartUploads). They are not objects, cost money, and the
 * process that knew of them is gone. */
#include "s3.h"

#include <string.h>

#define PAGES_MAX 20
#define PAGE_UPLOADS "1000"
#define AT_ONCE 100 /* given up in one go */

typedef struct Abandoned {
    char *key; /* below the URL's prefix */
    char *id;
    int64_t begun_ms;
} Abandoned;

typedef struct UploadPage {
    GPtrArray *uploads; /* Abandoned * */
    Abandoned *current; /* NULL: between two */
    char *next[2];      /* markers of key and id */
    bool encoded;
    bool truncated;
} UploadPage;

static void abandoned_free(gpointer user)
{
    Abandoned *upload = user;
    if (!upload)
        return;
    g_free(upload->key);
    g_free(upload->id);
    g_free(upload);
}

static void set_text(char **field, const char *text)
{
    g_free(*field);
    *field = g_strdup(text);
}

static void take_upload_field(UploadPage *page, const char *name, const char *text)
{
    if (!page->current) {
        page->current = g_new0(Abandoned, 1);
        page->current->begun_ms = INT64_MAX; /* what does not say is not old */
    }
    if (g_str_equal(name, "Key")) {
        set_text(&page->current->key, text);
    } else if (g_str_equal(name, "UploadId")) {
        set_text(&page->current->id, text);
    } else if (g_str_equal(name, "Initiated")) {
        g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);
        page->current->begun_ms = time ? g_date_time_to_unix(time) * 1000 : INT64_MAX;
    }
}

static void take_page_field(gpointer user, const char *parent, const char *name, const char *text)
{
    UploadPage *page = user;
    if (g_str_equal(parent, "Upload")) {
        take_upload_field(page, name, text);
    } else if (g_str_equal(name, "Upload")) {
        if (page->current && page->current->key && page->current->id)
            g_ptr_array_add(page->uploads, g_steal_pointer(&page->current));
        g_clear_pointer(&page->current, abandoned_free);
    } else if (g_str_equal(name, "NextKeyMarker")) {
        set_text(&page->next[0], text);
    } else if (g_str_equal(name, "NextUploadIdMarker")) {
        set_text(&page->next[1], text);
    } else if (g_str_equal(name, "EncodingType")) {
        page->encoded = g_str_equal(text, "url");
    } else if (g_str_equal(name, "IsTruncated")) {
        page->truncated = g_str_equal(text, "true");
    }
}

static bool read_uploads(S3Store *store, const char *prefix, char *const *markers, UploadPage *page)
{
    S3Call call = {.method = "GET", .plain = true};
    s3_call_ask(&call, "uploads", "");
    s3_call_ask(&call, "encoding-type", "url");
    s3_call_ask(&call, "max-uploads", PAGE_UPLOADS);
    s3_call_ask(&call, "prefix", prefix);
    if (markers[0])
        s3_call_ask(&call, "key-marker", markers[0]);
    if (markers[0] && markers[1])
        s3_call_ask(&call, "upload-id-marker", markers[1]);
    s3_run(store, &call, 1);
    bool good = call.status == SF_OK && s3_xml_read(call.http.answer, take_page_field, page);
    s3_call_done(&call);
    return good;
}

static void page_done(UploadPage *page)
{
    g_ptr_array_unref(page->uploads);
    abandoned_free(page->current);
    g_free(page->next[0]);
    g_free(page->next[1]);
}

static void give_up_all(S3Store *store, const GPtrArray *uploads)
{
    for (guint first = 0; first < uploads->len; first += AT_ONCE) {
        S3Call calls[AT_ONCE] = {0};
        guint n = MIN(uploads->len - first, AT_ONCE);
        for (guint i = 0; i < n; i++) {
            const Abandoned *upload = uploads->pdata[first + i];
            calls[i] = (S3Call){.method = "DELETE", .key = upload->key, .plain = true};
            s3_call_ask(&calls[i], "uploadId", upload->id);
        }
        s3_run(store, calls, n);
        for (guint i = 0; i < n; i++)
            s3_call_done(&calls[i]);
    }
}

/* Markers are to be sent as the keys are, not as the page has them. */
static void keep_markers(UploadPage *page, char **markers)
{
    for (int i = 0; i < 2; i++) {
        g_free(markers[i]);
        markers[i] = page->encoded && i == 0 && page->next[i] ? g_uri_unescape_string(page->next[i], NULL)
                                                              : g_strdup(page->next[i]);
    }
}

/* What is to go below the prefix. */
typedef struct Wanted {
    const char *prefix;
    int64_t before_ms;
    StoreOurs ours;
    gconstpointer user;
    GPtrArray *chosen; /* Abandoned * */
} Wanted;

/* Moves what is to go from the page; keys that are not below the prefix stay. */
static void choose(const S3Store *store, const Wanted *wanted, UploadPage *page)
{
    for (guint i = 0; i < page->uploads->len; i++) {
        Abandoned *upload = page->uploads->pdata[i];
        bool ends = upload->begun_ms < wanted->before_ms &&
                    s3_list_key(store, wanted->prefix, page->encoded, &upload->key) &&
                    wanted->ours(wanted->user, upload->key);
        if (ends)
            g_ptr_array_add(wanted->chosen, g_steal_pointer(&page->uploads->pdata[i]));
    }
}

/* Looks through the uploads of keys that begin with `asked`; returns whether there were any. */
static bool look_through(S3Store *store, const char *asked, const Wanted *wanted)
{
    char *markers[2] = {NULL, NULL};
    bool any = false, more = true;
    for (int i = 0; i < PAGES_MAX && more; i++) {
        UploadPage page = {.uploads = g_ptr_array_new_with_free_func(abandoned_free)};
        more = read_uploads(store, asked, markers, &page);
        any = any || page.uploads->len > 0;
        choose(store, wanted, &page);
        keep_markers(&page, markers);
        more = more && page.truncated && markers[0];
        page_done(&page);
    }
    g_free(markers[0]);
    g_free(markers[1]);
    return any;
}

/* MinIO lists the uploads of a prefix only if that is a whole key, which nobody knows any more, but those of a bucket
 * all. AWS does as it is asked, and a bucket there may be large. */
static bool may_hide_uploads(const S3Store *store)
{
    return !strstr(store->host, ".amazonaws.com");
}

void s3_tidy(Store *base, const char *prefix, int64_t older_ms, StoreOurs ours, gconstpointer user)
{
    S3Store *store = (S3Store *) base;
    if (!store->parts_proven)
        return;
    g_autoptr(GPtrArray) chosen = g_ptr_array_new_with_free_func(abandoned_free);
    g_autofree char *below = g_strconcat(store->prefix, prefix, NULL);
    Wanted wanted = {.prefix = prefix,
                     .before_ms = g_get_real_time() / 1000 - older_ms,
                     .ours = ours,
                     .user = user,
                     .chosen = chosen};
    if (!look_through(store, below, &wanted) && may_hide_uploads(store))
        look_through(store, "", &wanted);
    give_up_all(store, chosen);
}
