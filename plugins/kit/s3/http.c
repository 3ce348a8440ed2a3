/* HTTP over libcurl's multi interface. Every connection has a slot with its easy handle, which calls use one after
 * another. */
#include "http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#define POLL_MS 200 /* between looks at stalled calls */
#define CONNECT_MAX_MS 10000
#define UPLOAD_BUFFER (256 * 1024L)
#define RETRY_AFTER_MAX_S 86400
#define BYTES_PER_S (64 << 10) /* for which a request gets a second more */
#define DATE_SIZE 64
#define IDLE_S 20L /* S3 closes idle connections after about 20 s: a kept one that is older is not tried */

typedef struct Slot {
    Http *http;
    CURL *easy;
    struct curl_slist *headers;
    HttpCall *call;  /* NULL: free */
    curl_off_t seen; /* bytes moved at `moved_us` */
    gint64 moved_us;
    gint64 began_us;
    char detail[CURL_ERROR_SIZE];
} Slot;

struct Http {
    CURLM *multi;
    char *ca_file;
    bool tls_verify;
    int64_t timeout_ms;
    int64_t request_ms;
    size_t n_slots;
    size_t limit; /* of slots in use */
    Slot *slots;
    int interrupted; /* atomic */
};

static gpointer start_curl(gpointer unused)
{
    (void) unused;
    return GINT_TO_POINTER(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

Http *http_new(const HttpOptions *options, SfError *err)
{
    static GOnce once = G_ONCE_INIT;
    CURLM *multi = g_once(&once, start_curl, NULL) ? curl_multi_init() : NULL;
    if (!multi) {
        sf_fail(err, SF_FATAL, "libcurl does not start");
        return NULL;
    }
    Http *http = g_new0(Http, 1);
    http->multi = multi;
    http->ca_file = g_strdup(options->ca_file);
    http->tls_verify = options->tls_verify;
    http->timeout_ms = options->timeout_ms;
    http->request_ms = options->request_ms > 0 ? MAX(options->request_ms, options->timeout_ms) : 0;
    http->n_slots = (size_t) CLAMP(options->connections, 1, 256);
    http->limit = http->n_slots;
    http->slots = g_new0(Slot, http->n_slots);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long) http->n_slots);
    return http;
}

void http_free(Http *http)
{
    if (!http)
        return;
    for (size_t i = 0; i < http->n_slots; i++)
        curl_easy_cleanup(http->slots[i].easy);
    curl_multi_cleanup(http->multi);
    g_free(http->slots);
    g_free(http->ca_file);
    g_free(http);
}

int64_t http_limit(Http *http, int64_t connections)
{
    http->limit = (size_t) CLAMP(connections, 1, (int64_t) http->n_slots);
    return (int64_t) http->limit;
}

int64_t http_limit_now(const Http *http)
{
    return (int64_t) http->limit;
}

void http_interrupt(Http *http)
{
    g_atomic_int_set(&http->interrupted, 1);
    curl_multi_wakeup(http->multi);
}

static bool take_interrupt(Http *http)
{
    return g_atomic_int_compare_and_exchange(&http->interrupted, 1, 0);
}

bool http_pause(Http *http, int64_t ms)
{
    gint64 end = g_get_monotonic_time() + ms * 1000;
    while (!take_interrupt(http)) {
        gint64 left = (end - g_get_monotonic_time() + 999) / 1000;
        if (left <= 0)
            return true;
        curl_multi_poll(http->multi, NULL, 0, (int) MIN(left, 60000), NULL);
    }
    return false;
}

void http_call_done(HttpCall *call)
{
    g_clear_pointer(&call->answer, g_byte_array_unref);
}

static size_t on_body(char *data, size_t unit, size_t count, void *user)
{
    HttpCall *call = ((Slot *) user)->call;
    size_t size = unit * count;
    long code = 0;
    curl_easy_getinfo(((Slot *) user)->easy, CURLINFO_RESPONSE_CODE, &code);
    if (call->take && code == 200) {
        call->take(call->user, data, size);
        return size;
    }
    if ((int64_t) (call->answer->len + size) > call->limit) {
        call->status = SF_FATAL;
        g_snprintf(call->problem, sizeof call->problem, "the answer is larger than %" G_GINT64_FORMAT " bytes",
                   (gint64) call->limit);
        return 0;
    }
    g_byte_array_append(call->answer, (const guint8 *) data, (guint) size);
    return size;
}

/* Copies the value of "<name>: value" if the line is that header. */
static bool header_value(const char *line, size_t size, const char *name, char *out, size_t out_size)
{
    size_t length = strlen(name);
    if (size <= length || line[length] != ':' || g_ascii_strncasecmp(line, name, length) != 0)
        return false;
    g_autofree char *value = g_strndup(line + length + 1, size - length - 1);
    g_strlcpy(out, g_strstrip(value), out_size);
    return true;
}

static size_t on_header(char *line, size_t unit, size_t count, void *user)
{
    HttpCall *call = ((Slot *) user)->call;
    size_t size = unit * count;
    char number[24], date[DATE_SIZE];
    if (header_value(line, size, "date", date, sizeof date)) {
        time_t theirs = curl_getdate(date, NULL);
        call->ahead_s = theirs > 0 ? g_get_real_time() / G_USEC_PER_SEC - theirs : 0;
    }
    header_value(line, size, "x-amz-meta-sf-crc32", call->sum, sizeof call->sum);
    if (header_value(line, size, "retry-after", number, sizeof number))
        call->retry_after_s = CLAMP(g_ascii_strtoll(number, NULL, 10), 0, RETRY_AFTER_MAX_S);
    else if (!header_value(line, size, "etag", call->etag, sizeof call->etag))
        header_value(line, size, "x-amz-bucket-region", call->region, sizeof call->region);
    return size;
}

static void set_transport(const Http *http, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2); /* or later */
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) MIN(http->timeout_ms, CONNECT_MAX_MS));
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
    if (http->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
    if (!http->tls_verify) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

/* Bodies go by POSTFIELDS, which needs no copy and no rewinding; an empty "Expect:" keeps curl from waiting for 100. */
static void set_body(Slot *slot, const HttpCall *call)
{
    gsize size = 0;
    const char *data = call->body ? g_bytes_get_data(call->body, &size) : NULL;
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) size);
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, data ? data : "");
    slot->headers = curl_slist_append(slot->headers, "Expect:");
    slot->headers = curl_slist_append(slot->headers, "Content-Type: application/octet-stream");
}

static void set_request(Slot *slot, const HttpCall *call)
{
    CURL *easy = slot->easy;
    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    bool has_body = call->body || g_str_equal(call->method, "PUT") || g_str_equal(call->method, "POST");
    for (const char *const *header = call->headers; header && *header; header++)
        slot->headers = curl_slist_append(slot->headers, *header);
    if (has_body)
        set_body(slot, call);
    if (g_str_equal(call->method, "HEAD"))
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, slot->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, slot);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->detail);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
}

static void http_prepare(HttpCall *call)
{
    http_call_done(call);
    call->answer = g_byte_array_new();
    call->status = SF_RETRY;
    call->code = 0;
    call->length = -1;
    call->retry_after_s = -1;
    call->etag[0] = call->region[0] = call->problem[0] = call->sum[0] = '\0';
    call->ahead_s = 0;
    if (call->take)
        call->take(call->user, NULL, 0);
}

static bool http_begin(Http *http, Slot *slot, HttpCall *call)
{
    if (slot->easy)
        curl_easy_reset(slot->easy);
    else
        slot->easy = curl_easy_init();
    slot->call = call;
    slot->seen = 0;
    slot->moved_us = slot->began_us = g_get_monotonic_time();
    slot->detail[0] = '\0';
    set_transport(http, slot->easy);
    set_request(slot, call);
    return curl_multi_add_handle(http->multi, slot->easy) == CURLM_OK;
}

static void release(Http *http, Slot *slot)
{
    curl_multi_remove_handle(http->multi, slot->easy);
    curl_slist_free_all(slot->headers);
    slot->headers = NULL;
    slot->call = NULL;
}

static void http_finish(Http *http, Slot *slot, CURLcode result)
{
    HttpCall *call = slot->call;
    if (result == CURLE_OK) {
        curl_off_t length = -1;
        curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &call->code);
        curl_easy_getinfo(slot->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        call->length = length;
        call->status = SF_OK;
    } else if (!call->problem[0]) {
        g_strlcpy(call->problem, slot->detail[0] ? slot->detail : curl_easy_strerror(result), sizeof call->problem);
    }
    release(http, slot);
}

/* Why a call is given up, or NULL: no byte has moved for too long (servers that hang, connections that vanished), or
 * they come so slowly that it would never end. */
static const char *stalled(const Http *http, Slot *slot, gint64 now_us)
{
    curl_off_t up = 0, down = 0;
    long headers = 0;
    curl_easy_getinfo(slot->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(slot->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    curl_easy_getinfo(slot->easy, CURLINFO_HEADER_SIZE, &headers);
    if (up + down + headers != slot->seen) {
        slot->seen = up + down + headers;
        slot->moved_us = now_us;
    }
    if (now_us - slot->moved_us > http->timeout_ms * 1000)
        return "no progress for";
    int64_t allowed_us = http->request_ms * 1000 + (up + down) / BYTES_PER_S * G_USEC_PER_SEC;
    return http->request_ms > 0 && now_us - slot->began_us > allowed_us ? "not done after" : NULL;
}

static void give_up(Http *http, Slot *slot, const char *problem)
{
    g_strlcpy(slot->call->problem, problem, sizeof slot->call->problem);
    release(http, slot);
}

/* Returns how many slots have become free. */
static size_t http_collect(Http *http)
{
    size_t ended = 0;
    const CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(http->multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode result = message->data.result; /* the message dies with the handle's removal */
        Slot *slot = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &slot);
        http_finish(http, slot, result);
        ended++;
    }
    gint64 now_us = g_get_monotonic_time();
    for (size_t i = 0; i < http->n_slots; i++) {
        Slot *slot = &http->slots[i];
        const char *why = slot->call ? stalled(http, slot, now_us) : NULL;
        if (!why)
            continue;
        bool slow = now_us - slot->moved_us <= http->timeout_ms * 1000;
        g_autofree char *problem =
            g_strdup_printf("%s %" G_GINT64_FORMAT " ms", why, (gint64) (slow ? http->request_ms : http->timeout_ms));
        give_up(http, slot, problem);
        ended++;
    }
    return ended;
}

static size_t stop_all(Http *http)
{
    size_t ended = 0;
    for (size_t i = 0; i < http->n_slots; i++) {
        if (!http->slots[i].call)
            continue;
        give_up(http, &http->slots[i], HTTP_INTERRUPTED);
        ended++;
    }
    return ended;
}

static Slot *free_slot(Http *http)
{
    for (size_t i = 0; i < http->n_slots; i++)
        if (!http->slots[i].call)
            return &http->slots[i];
    return NULL;
}

/* Gives calls to the free slots; returns how many there are in work. */
static size_t http_fill(Http *http, HttpCall *const *calls, size_t n, size_t *next, size_t active)
{
    for (; *next < n && active < http->limit; (*next)++) {
        Slot *slot = free_slot(http);
        if (http_begin(http, slot, calls[*next]))
            active++;
        else
            give_up(http, slot, "libcurl takes no request");
    }
    return active;
}

void http_run(Http *http, HttpCall *const *calls, size_t n)
{
    for (size_t i = 0; i < n; i++)
        http_prepare(calls[i]);
    size_t next = 0, active = 0;
    while (next < n || active > 0) {
        active = http_fill(http, calls, n, &next, active);
        int running;
        curl_multi_perform(http->multi, &running);
        active -= http_collect(http);
        if (take_interrupt(http)) { /* what has been answered by now counts */
            curl_multi_perform(http->multi, &running);
            active -= http_collect(http);
            active -= stop_all(http);
            for (; next < n; next++)
                g_strlcpy(calls[next]->problem, HTTP_INTERRUPTED, sizeof calls[next]->problem);
        }
        if (active >= http->limit || (active > 0 && next == n))
            curl_multi_poll(http->multi, NULL, 0, (int) MIN(POLL_MS, http->timeout_ms), NULL);
    }
}
