/* What S3's answers mean: the status that the host acts on, and the words for a person (Amazon S3 API Reference, "Error
 * responses"). Codes that other servers give for the same thing are among them. */
#include "s3.h"

#include <limits.h>
#include <string.h>

#define SKEW_S 300 /* of a clock, from which on a refusal may be for that: S3 allows 900 */

typedef struct Meaning {
    const char *code;
    SfStatus status; /* SF_OK: as the HTTP status says */
    const char *hint;
} Meaning;

static const Meaning meanings[] = {
    {"AccessDenied", SF_RETRY, "these credentials lack the permission, or a bucket policy denies it"},
    {"AllAccessDisabled", SF_RETRY, "the account or bucket is disabled"},
    {"AuthorizationHeaderMalformed", SF_CONFIG, "correct 'region'"},
    {"BadDigest", SF_RETRY, NULL},
    {"BucketAlreadyExists", SF_OK, NULL},
    {"EntityTooSmall", SF_CONFIG, "raise 'part_size'"},
    {"ExpiredToken", SF_RETRY, "renew the credentials"},
    {"IllegalLocationConstraintException", SF_CONFIG, "correct 'region'"},
    {"IncompleteBody", SF_RETRY, NULL},
    {"InvalidAccessKeyId", SF_RETRY, "the store does not know 'access_key_id'"},
    {"InvalidBucketName", SF_CONFIG, "correct the bucket in 'url'"},
    {"InvalidToken", SF_RETRY, "renew the credentials"},
    {"KeyTooLongError", SF_CONFIG, "shorten the prefix in 'url'"},
    {"MethodNotAllowed", SF_CONFIG, "is 'endpoint' an S3 store?"},
    {"NoSuchKey", SF_EMPTY, NULL},
    {"NoSuchUpload", SF_EMPTY, NULL},
    {"NotImplemented", SF_CONFIG, "the store lacks a feature that exactly once needs"},
    {"PermanentRedirect", SF_CONFIG, "correct 'region' or 'endpoint'"},
    {"RequestTimeTooSkewed", SF_RETRY, "this machine's clock is wrong: set it"},
    {"RequestTimeout", SF_RETRY, NULL},
    {"SignatureDoesNotMatch", SF_RETRY, "'secret_access_key' does not belong to 'access_key_id'"},
    {"TemporaryRedirect", SF_RETRY, "the bucket is new, and its name does not lead to its region yet"},
    {"TokenRefreshRequired", SF_RETRY, "renew the credentials"},
    {"XAmzContentSHA256Mismatch", SF_RETRY, NULL},
    {"XAdminUserNotFound", SF_RETRY, "the store does not know 'access_key_id'"},
};

static const Meaning *meaning_of(const char *code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++)
        if (g_str_equal(meanings[i].code, code))
            return &meanings[i];
    return NULL;
}

static void take_error_field(gpointer user, const char *parent, const char *name, const char *text)
{
    S3Call *call = user;
    if (!g_str_equal(parent, "Error"))
        return;
    if (g_str_equal(name, "Code"))
        g_strlcpy(call->code, text, sizeof call->code);
    else if (g_str_equal(name, "Message"))
        g_strlcpy(call->message, text, sizeof call->message);
    else if (g_str_equal(name, "Region"))
        g_strlcpy(call->region, text, sizeof call->region);
}

/* Servers' words go to logs and terminals: no control characters (C0, DEL, C1), and nothing cut inside a character. */
static void make_printable(char *text)
{
    const char *end;
    if (!g_utf8_validate(text, -1, &end))
        text[end - text] = '\0';
    for (char *c = text; *c; c++) {
        bool c1 = (unsigned char) c[0] == 0xC2 && (unsigned char) c[1] < 0xA0;
        if ((unsigned char) *c < ' ' || *c == 0x7F || c1)
            *c = ' ';
        if (c1)
            *++c = ' ';
    }
}

void s3_call_read_error(S3Call *call)
{
    call->code[0] = call->message[0] = '\0';
    g_strlcpy(call->region, call->http.region, sizeof call->region);
    s3_xml_read(call->http.answer, take_error_field, call);
    if (!call->code[0] && call->http.code == 301)
        g_strlcpy(call->code, "PermanentRedirect", sizeof call->code);
    make_printable(call->code);
    make_printable(call->message);
    make_printable(call->region);
}

/* Refusals that may be for a clock of ours that is wrong, whatever the store calls them. */
static bool clock_is_wrong(const S3Call *call)
{
    bool refused = call->http.code == 403 || call->http.code == 400 || call->http.code == 401;
    return refused && ABS(call->http.ahead_s) > SKEW_S;
}

/* What an HTTP status means where no code in the body says more; answers to HEAD have no body. */
typedef struct Answer {
    long from; /* HTTP status codes, both ends included; the first that fits counts */
    long to;
    SfStatus head;
    SfStatus others;
} Answer;

static const Answer answers[] = {
    {307, 307, SF_RETRY, SF_RETRY},     /* Temporary Redirect */
    {300, 399, SF_CONFIG, SF_CONFIG},   /* the place is another one */
    {400, 400, SF_RETRY, SF_FATAL},     /* an expired token, which only a body would name */
    {401, 401, SF_RETRY, SF_RETRY},     /* Unauthorized */
    {403, 403, SF_RETRY, SF_RETRY},     /* Forbidden */
    {404, 404, SF_EMPTY, SF_RETRY},     /* a proxy's says nothing of the object; who asked by HEAD finds out */
    {405, 405, SF_CONFIG, SF_CONFIG},   /* Method Not Allowed */
    {408, 409, SF_RETRY, SF_RETRY},     /* Request Timeout, Conflict */
    {429, 429, SF_RETRY, SF_RETRY},     /* Too Many Requests */
    {501, 501, SF_CONFIG, SF_CONFIG},   /* Not Implemented */
    {500, LONG_MAX, SF_RETRY, SF_RETRY} /* the server's own trouble */
};

static SfStatus status_of_http(const S3Call *call)
{
    for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
        const Answer *answer = &answers[i];
        if (call->http.code >= answer->from && call->http.code <= answer->to)
            return g_str_equal(call->method, "HEAD") ? answer->head : answer->others;
    }
    return SF_FATAL;
}

static SfStatus status_of(const S3Store *store, const S3Call *call)
{
    const Meaning *meaning = meaning_of(call->code);
    if (clock_is_wrong(call))
        return SF_RETRY;
    if (meaning && meaning->status != SF_OK)
        return meaning->status;
    if (g_str_equal(call->code, "NoSuchBucket"))
        return store->opened ? SF_RETRY : SF_CONFIG;
    return status_of_http(call);
}

void s3_call_judge(const S3Store *store, S3Call *call)
{
    call->conflict = false;
    call->status = call->http.status;
    if (call->status != SF_OK)
        return;
    /* CompleteMultipartUpload sends 200 first and may put an error into the body then. */
    bool hidden = call->http.code == 200 && g_str_equal(call->method, "POST");
    if (call->http.code >= 200 && call->http.code < 300 && !hidden)
        return;
    s3_call_read_error(call);
    if (hidden)
        call->status = call->code[0] ? SF_RETRY : SF_OK;
    else if (call->only_new && (call->http.code == 412 || call->http.code == 304))
        call->conflict = true;
    else
        call->status = status_of(store, call);
}

static const char *verb_of(const S3Call *call)
{
    if (g_str_equal(call->method, "PUT") || g_str_equal(call->method, "POST"))
        return "write";
    if (g_str_equal(call->method, "DELETE"))
        return "delete";
    return call->key ? "read" : "list";
}

static void append_hint(const S3Store *store, const S3Call *call, GString *text)
{
    const Meaning *meaning = meaning_of(call->code);
    const char *hint = meaning ? meaning->hint : NULL;
    if (g_str_equal(call->code, "NoSuchBucket"))
        hint = "create the bucket or correct 'url'";
    else if (call->http.code == 403 && !hint)
        hint = "check the credentials and their permissions";
    else if (call->http.code == 404 && !hint)
        hint = "S3 does not answer like that; is 'endpoint' right?";
    if (clock_is_wrong(call))
        g_string_append_printf(text, "; this machine's clock is %" G_GINT64_FORMAT " s %s the store's: set it",
                               (gint64) ABS(call->http.ahead_s), call->http.ahead_s > 0 ? "ahead of" : "behind");
    else if (hint)
        g_string_append_printf(text, "; %s", hint);
    if (call->region[0] && !g_str_equal(call->region, store->region))
        g_string_append_printf(text, "; the bucket is in region '%s', not '%s'", call->region, store->region);
    if (call->http.retry_after_s > 0)
        g_string_append_printf(text, "; the store asks to wait %" G_GINT64_FORMAT " s",
                               (gint64) call->http.retry_after_s);
}

/* By libcurl's texts: another host's certificate is not mended by trusting its authority. */
static void append_tls_hint(const char *problem, GString *text)
{
    if (strstr(problem, "host name") || strstr(problem, "hostname"))
        g_string_append(text,
                        "; the certificate is for another name: write that one in 'endpoint', or get the server a "
                        "certificate for this one");
    else if (strstr(problem, "expired") || strstr(problem, "not yet valid"))
        g_string_append(text, "; the server needs a new certificate, or this machine's clock is wrong");
    else if (strstr(problem, "certificate"))
        g_string_append(text, "; name the authority of its certificate by 'ca_file'");
}

SfStatus s3_call_fail(const S3Store *store, const S3Call *call, SfError *err)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "cannot %s 's3://%s/%s%s'", verb_of(call), store->bucket, store->prefix,
                           call->key ? call->key : "");
    if (call->http.status != SF_OK) {
        g_string_append_printf(text, ": %s (endpoint '%s://%s')", call->http.problem, store->scheme, store->host);
        append_tls_hint(call->http.problem, text);
    } else {
        g_string_append_printf(text, ": %ld", call->http.code);
        if (call->code[0])
            g_string_append_printf(text, " %s", call->code);
        if (call->message[0])
            g_string_append_printf(text, " (%s)", call->message);
        append_hint(store, call, text);
    }
    return sf_fail(err, call->status, "%s", text->str);
}
