/* AWS Signature Version 4 ("Create a signed AWS API request", IAM User Guide), as S3 wants it: paths encoded once
 * and not normalised. Signs what it is given and sends nothing. Text is UTF-8 and never encoded by the caller. */
#ifndef KIT_SIGV4_H
#define KIT_SIGV4_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"
#define SIGV4_HASH_SIZE 32
#define SIGV4_TIME_SIZE 17 /* "20150830T123600Z" */

typedef struct SigV4Pair {
    const char *name;
    const char *value;
} SigV4Pair;

typedef struct SigV4Request {
    const char *method;
    const char *path; /* "/bucket/key" */
    const SigV4Pair *query;
    size_t n_query;
    const SigV4Pair *headers; /* all that are to be signed: host, x-amz-date, … */
    size_t n_headers;
    const char *payload_hash; /* hexadecimal, or SIGV4_UNSIGNED */
    int64_t time_s;           /* since 1970-01-01 UTC; the same as in x-amz-date */
} SigV4Request;

/* Credentials and scope, with the signing key of the day that was used last. One thread at a time. */
typedef struct SigV4Signer {
    char *access_key_id;
    char *secret_access_key;
    char *region;
    char *service;
    char day[9];
    uint8_t key[SIGV4_HASH_SIZE];
} SigV4Signer;

void sigv4_signer_init(SigV4Signer *signer, const char *access_key_id, const char *secret_access_key,
                       const char *region, const char *service);
/* Wipes the secrets; idempotent. */
void sigv4_signer_done(SigV4Signer *signer);

/* Appends text percent-encoded: all but A-Z a-z 0-9 - . _ ~, and '/' where it stays. */
void sigv4_encode(GString *out, const char *text, bool keep_slashes);

/* "a=1&b=": encoded and sorted, for the URL as for the signature. */
char *sigv4_query(const SigV4Pair *pairs, size_t n);

void sigv4_time(int64_t time_s, char out[SIGV4_TIME_SIZE]);
char *sigv4_hash(const void *data, size_t size);

/* The steps, for tests, and the value of the header Authorization. */
char *sigv4_canonical_request(const SigV4Request *request);
char *sigv4_string_to_sign(const SigV4Signer *signer, const SigV4Request *request);
char *sigv4_signature(SigV4Signer *signer, const SigV4Request *request);
char *sigv4_authorization(SigV4Signer *signer, const SigV4Request *request);

#endif
