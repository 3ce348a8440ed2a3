/* AWS Signature Version 4: canonical forms and HMACs. libcurl's own signer encodes and sorts too little in the
 * versions that are around (7.88 signs headers that it does not send), so it is not used. */
#include "sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <time.h>

#define ALGORITHM "AWS4-HMAC-SHA256"

void sigv4_signer_init(SigV4Signer *signer, const char *access_key_id, const char *secret_access_key,
                       const char *region, const char *service)
{
    *signer = (SigV4Signer){
        .access_key_id = g_strdup(access_key_id),
        .secret_access_key = g_strdup(secret_access_key),
        .region = g_strdup(region),
        .service = g_strdup(service),
    };
}

void sigv4_signer_done(SigV4Signer *signer)
{
    if (signer->secret_access_key)
        OPENSSL_cleanse(signer->secret_access_key, strlen(signer->secret_access_key));
    g_free(signer->access_key_id);
    g_free(signer->secret_access_key);
    g_free(signer->region);
    g_free(signer->service);
    OPENSSL_cleanse(signer, sizeof *signer);
}

void sigv4_encode(GString *out, const char *text, bool keep_slashes)
{
    for (const unsigned char *c = (const unsigned char *) text; *c; c++) {
        if (g_ascii_isalnum(*c) || strchr("-._~", *c) || (*c == '/' && keep_slashes))
            g_string_append_c(out, (char) *c);
        else
            g_string_append_printf(out, "%%%02X", *c);
    }
}

static int by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Sorted by encoded name, then encoded value: '=' sorts below nothing that a name may hold but '-', '.' and '%',
 * so the two are compared apart, by a separator that sorts below all. */
char *sigv4_query(const SigV4Pair *pairs, size_t n)
{
    g_autoptr(GPtrArray) encoded = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < n; i++) {
        GString *text = g_string_new(NULL);
        sigv4_encode(text, pairs[i].name, false);
        g_string_append_c(text, '\1');
        sigv4_encode(text, pairs[i].value, false);
        g_ptr_array_add(encoded, g_string_free(text, FALSE));
    }
    g_ptr_array_sort(encoded, by_text);
    g_ptr_array_add(encoded, NULL);
    char *joined = g_strjoinv("&", (char **) encoded->pdata);
    return g_strdelimit(joined, "\1", '=');
}

void sigv4_time(int64_t time_s, char out[SIGV4_TIME_SIZE])
{
    time_t time = (time_t) time_s;
    struct tm utc;
    if (!gmtime_r(&time, &utc) || !strftime(out, SIGV4_TIME_SIZE, "%Y%m%dT%H%M%SZ", &utc))
        out[0] = '\0';
}

static char *to_hex(const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = g_malloc(2 * size + 1);
    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * size] = '\0';
    return hex;
}

char *sigv4_hash(const void *data, size_t size)
{
    uint8_t digest[SIGV4_HASH_SIZE] = {0};
    EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL);
    return to_hex(digest, sizeof digest);
}

/* Leading and trailing blanks go, runs of them become one. */
static void append_trimmed(GString *out, const char *value)
{
    gsize start = out->len;
    for (const char *c = value; *c; c++) {
        bool blank = g_ascii_isspace(*c);
        if (!blank)
            g_string_append_c(out, *c);
        else if (out->len > start && out->str[out->len - 1] != ' ')
            g_string_append_c(out, ' ');
    }
    if (out->len > start && out->str[out->len - 1] == ' ')
        g_string_truncate(out, out->len - 1);
}

/* Values of a header that comes several times stay in their order. */
static int by_name(gconstpointer a, gconstpointer b)
{
    const SigV4Pair *left = *(const SigV4Pair *const *) a;
    const SigV4Pair *right = *(const SigV4Pair *const *) b;
    int order = g_ascii_strcasecmp(left->name, right->name);
    return order ? order : (left > right) - (left < right);
}

/* Fills either with its text: "name:value\n…" and "name;name". */
static void canonical_headers(const SigV4Request *request, GString *lines, GString *names)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    for (size_t i = 0; i < request->n_headers; i++)
        g_ptr_array_add(sorted, (gpointer) &request->headers[i]);
    g_ptr_array_sort(sorted, by_name);
    const char *previous = NULL;
    for (guint i = 0; i < sorted->len; i++) {
        const SigV4Pair *header = sorted->pdata[i];
        if (previous && g_ascii_strcasecmp(previous, header->name) == 0) {
            g_string_append_c(g_string_truncate(lines, lines->len - 1), ',');
        } else {
            g_autofree char *name = g_ascii_strdown(header->name, -1);
            g_string_append_printf(lines, "%s:", name);
            g_string_append_printf(names, "%s%s", names->len ? ";" : "", name);
        }
        append_trimmed(lines, header->value);
        g_string_append_c(lines, '\n');
        previous = header->name;
    }
}

static char *signed_headers(const SigV4Request *request)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    GString *names = g_string_new(NULL);
    canonical_headers(request, lines, names);
    return g_string_free(names, FALSE);
}

char *sigv4_canonical_request(const SigV4Request *request)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    g_autoptr(GString) names = g_string_new(NULL);
    canonical_headers(request, lines, names);
    g_autofree char *query = sigv4_query(request->query, request->n_query);
    GString *text = g_string_new(request->method);
    g_string_append_c(text, '\n');
    sigv4_encode(text, request->path, true);
    g_string_append_printf(text, "\n%s\n%s\n%s\n%s", query, lines->str, names->str, request->payload_hash);
    return g_string_free(text, FALSE);
}

static char *scope_of(const SigV4Signer *signer, const char *time)
{
    return g_strdup_printf("%.8s/%s/%s/aws4_request", time, signer->region, signer->service);
}

char *sigv4_string_to_sign(const SigV4Signer *signer, const SigV4Request *request)
{
    char time[SIGV4_TIME_SIZE];
    sigv4_time(request->time_s, time);
    g_autofree char *scope = scope_of(signer, time);
    g_autofree char *canonical = sigv4_canonical_request(request);
    g_autofree char *hash = sigv4_hash(canonical, strlen(canonical));
    return g_strdup_printf(ALGORITHM "\n%s\n%s\n%s", time, scope, hash);
}

static void hmac(const void *key, size_t key_size, const char *text, uint8_t out[SIGV4_HASH_SIZE])
{
    HMAC(EVP_sha256(), key, (int) key_size, (const unsigned char *) text, strlen(text), out, NULL);
}

static void derive_key(SigV4Signer *signer, const char *time)
{
    if (strncmp(signer->day, time, 8) == 0)
        return;
    g_strlcpy(signer->day, time, sizeof signer->day);
    g_autofree char *secret = g_strconcat("AWS4", signer->secret_access_key, NULL);
    uint8_t key[SIGV4_HASH_SIZE];
    hmac(secret, strlen(secret), signer->day, key);
    hmac(key, sizeof key, signer->region, key);
    hmac(key, sizeof key, signer->service, key);
    hmac(key, sizeof key, "aws4_request", signer->key);
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(secret, strlen(secret));
}

char *sigv4_signature(SigV4Signer *signer, const SigV4Request *request)
{
    char time[SIGV4_TIME_SIZE];
    sigv4_time(request->time_s, time);
    derive_key(signer, time);
    g_autofree char *text = sigv4_string_to_sign(signer, request);
    uint8_t signature[SIGV4_HASH_SIZE];
    hmac(signer->key, sizeof signer->key, text, signature);
    return to_hex(signature, sizeof signature);
}

char *sigv4_authorization(SigV4Signer *signer, const SigV4Request *request)
{
    char time[SIGV4_TIME_SIZE];
    sigv4_time(request->time_s, time);
    g_autofree char *scope = scope_of(signer, time);
    g_autofree char *names = signed_headers(request);
    g_autofree char *signature = sigv4_signature(signer, request);
    return g_strdup_printf(ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s", signer->access_key_id, scope,
                           names, signature);
}
