/* One S3 request: signed, sent, and repeated while its failure looks like one of a moment. Longer outages are the
 * host's to wait for. */
#include "s3.h"

#include <string.h>

#define ATTEMPTS 3
#define PAUSE_MS 100
#define PAUSE_MAX_MS 2000

void s3_call_ask(S3Call *call, const char *name, const char *value)
{
    g_assert(call->n_query < S3_QUERY_MAX);
    call->query[call->n_query++] = (SigV4Pair){name, value};
}

void s3_call_done(S3Call *call)
{
    http_call_done(&call->http);
}

/* What one attempt sends; lives until the attempt is over. */
typedef struct Signed {
    char *url;
    char **headers;
} Signed;

static char *payload_hash(const S3Store *store, const S3Call *call)
{
    if (!store->options->sign_payload)
        return g_strdup(SIGV4_UNSIGNED);
    gsize size = 0;
    const char *data = call->body ? g_bytes_get_data(call->body, &size) : NULL;
    return sigv4_hash(data ? data : "", size);
}

static char *url_of(const S3Store *store, const S3Call *call, const char *path)
{
    GString *url = g_string_new(NULL);
    g_string_append_printf(url, "%s://%s", store->scheme, store->host);
    sigv4_encode(url, path, true);
    g_autofree char *query = sigv4_query(call->query, call->n_query);
    if (*query)
        g_string_append_printf(url, "?%s", query);
    return g_string_free(url, FALSE);
}

static Signed sign(S3Store *store, S3Call *call)
{
    int64_t now_s = g_get_real_time() / G_USEC_PER_SEC;
    char time[SIGV4_TIME_SIZE];
    sigv4_time(now_s, time);
    g_autofree char *hash = payload_hash(store, call);
    g_autofree char *path =
        call->key ? g_strconcat(store->base_path, store->prefix, call->key, NULL) : g_strdup(store->base_path);
    SigV4Pair headers[6] = {{"host", store->host}, {"x-amz-content-sha256", hash}, {"x-amz-date", time}};
    size_t n = 3;
    if (store->credentials.session_token)
        headers[n++] = (SigV4Pair){"x-amz-security-token", store->credentials.session_token};
    if (call->only_new)
        headers[n++] = (SigV4Pair){"if-none-match", "*"};
    if (call->sum[0])
        headers[n++] = (SigV4Pair){"x-amz-meta-sf-crc32", call->sum};
    SigV4Request request = {.method = call->method,
                            .path = path,
                            .query = call->query,
                            .n_query = call->n_query,
                            .headers = headers,
                            .n_headers = n,
                            .payload_hash = hash,
                            .time_s = now_s};
    g_autofree char *authorization = sigv4_authorization(&store->signer, &request);
    Signed sent = {.url = url_of(store, call, path), .headers = g_new0(char *, n + 2)};
    sent.headers[0] = g_strdup_printf("Authorization: %s", authorization);
    for (size_t i = 1; i < n; i++) /* curl writes Host by itself, the same */
        sent.headers[i] = g_strdup_printf("%s: %s", headers[i].name, headers[i].value);
    if (call->range_size > 0) /* not signed: proxies may change it */
        sent.headers[n] = g_strdup_printf("Range: bytes=%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT, call->range_from,
                                          call->range_from + call->range_size - 1);
    return sent;
}

static void send_all(S3Store *store, S3Call **pending, size_t n)
{
    g_autofree Signed *sent = g_new0(Signed, n);
    g_autofree HttpCall **calls = g_new0(HttpCall *, n);
    for (size_t i = 0; i < n; i++) {
        sent[i] = sign(store, pending[i]);
        HttpCall *call = &pending[i]->http;
        call->method = pending[i]->method;
        call->url = sent[i].url;
        call->headers = (const char *const *) sent[i].headers;
        call->body = pending[i]->body;
        call->limit = pending[i]->limit ? pending[i]->limit : S3_ANSWER_MAX;
        calls[i] = call;
    }
    http_run(store->http, calls, n);
    store->away = n > 0;
    for (size_t i = 0; i < n; i++) {
        store->away = store->away && calls[i]->status != SF_OK;
        g_strfreev(sent[i].headers);
        g_free(sent[i].url);
        s3_call_judge(store, pending[i]);
    }
}

/* Credentials in a file may have been renewed since. */
static bool renew(S3Store *store)
{
    if (!store->credentials.renewable)
        return false;
    S3Credentials fresh = {0};
    if (s3_credentials_load(store->options, &fresh, NULL) != SF_OK)
        return false;
    bool changed = !g_str_equal(fresh.access_key_id, store->credentials.access_key_id) ||
                   !g_str_equal(fresh.secret_access_key, store->credentials.secret_access_key) ||
                   g_strcmp0(fresh.session_token, store->credentials.session_token) != 0;
    if (!changed) {
        s3_credentials_done(&fresh);
        return false;
    }
    sigv4_signer_done(&store->signer);
    s3_credentials_done(&store->credentials);
    store->credentials = fresh;
    sigv4_signer_init(&store->signer, fresh.access_key_id, fresh.secret_access_key, store->region, "s3");
    return true;
}

/* The answer to a HEAD has no body that says ExpiredToken: a 400 is all there is of it. */
static bool credentials_refused(const S3Call *call)
{
    return call->http.code == 403 || (call->http.code == 400 && g_str_equal(call->method, "HEAD")) ||
           g_str_equal(call->code, "ExpiredToken") || g_str_equal(call->code, "InvalidToken") ||
           g_str_equal(call->code, "TokenRefreshRequired");
}

static bool may_be_repeated(const S3Call *call)
{
    return call->status == SF_RETRY && !call->plain && !g_str_equal(call->http.problem, HTTP_INTERRUPTED);
}

/* All that were refused under the old credentials are sent again under new ones. */
static size_t keep_failed(S3Store *store, S3Call **pending, size_t n)
{
    bool refused = false;
    for (size_t i = 0; i < n; i++)
        refused = refused || (may_be_repeated(pending[i]) && credentials_refused(pending[i]));
    bool renewed = refused && renew(store);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        bool soon = credentials_refused(pending[i]) ? renewed : pending[i]->http.retry_after_s * 1000 <= PAUSE_MAX_MS;
        if (may_be_repeated(pending[i]) && soon)
            pending[kept++] = pending[i];
    }
    return kept;
}

/* Doubles from attempt to attempt, with jitter: several clients that failed together shall not come back together. */
static int64_t pause_of(S3Call *const *pending, size_t n, int attempt)
{
    int64_t pause = (int64_t) PAUSE_MS << (2 * attempt);
    for (size_t i = 0; i < n; i++)
        pause = MAX(pause, pending[i]->http.retry_after_s * 1000);
    return MIN(pause, PAUSE_MAX_MS) * g_random_int_range(75, 126) / 100;
}

/* Half the connections where the store throttles, one more where it does not. */
static void adapt(S3Store *store, S3Call *const *sent, size_t n)
{
    bool throttled = false;
    for (size_t i = 0; i < n; i++)
        throttled = throttled || sent[i]->http.code == 503 || sent[i]->http.code == 429;
    int64_t now = http_limit_now(store->http);
    http_limit(store->http, throttled ? now / 2 : now + 1);
}

void s3_run(S3Store *store, S3Call *calls, size_t n)
{
    g_autofree S3Call **pending = g_new0(S3Call *, n);
    for (size_t i = 0; i < n; i++)
        pending[i] = &calls[i];
    size_t left = n;
    for (int attempt = 0; left > 0; attempt++) {
        size_t sent = left;
        send_all(store, pending, sent);
        adapt(store, pending, sent);
        left = keep_failed(store, pending, sent);
        if (left < sent) /* some have gone through: it is worth while to go on */
            attempt = 0;
        if (attempt + 1 == ATTEMPTS || (left > 0 && !http_pause(store->http, pause_of(pending, left, attempt))))
            return;
    }
}

SfStatus s3_run_one(S3Store *store, S3Call *call, SfError *err)
{
    s3_run(store, call, 1);
    return call->status == SF_OK || call->status == SF_EMPTY ? call->status : s3_call_fail(store, call, err);
}
