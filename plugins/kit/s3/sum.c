/* What an object is, without keeping it: our own PUTs leave the checksum with it, and else it is read. */
#include <libdeflate.h>
#include <string.h>

#include "s3.h"

#define SUM_DIGITS 8

void s3_sum_write(GBytes *body, char *out)
{
    gsize size;
    const char *data = g_bytes_get_data(body, &size);
    g_snprintf(out, S3_SUM_SIZE, "%08x", libdeflate_crc32(0, data ? data : "", size));
}

/* false: the object has no sum as we write it. */
static bool read_sum(const HttpCall *http, uint32_t *crc32)
{
    const char *text = http->sum;
    if (strlen(text) != SUM_DIGITS || strspn(text, "0123456789abcdef") != SUM_DIGITS)
        return false;
    *crc32 = (uint32_t) g_ascii_strtoull(text, NULL, 16);
    return true;
}

static void take_sum(gpointer user, const char *data, size_t size)
{
    StoreSum *sum = user;
    if (!data) { /* it begins, or is begun anew */
        *sum = (StoreSum){.size = 0};
        return;
    }
    sum->size += (int64_t) size;
    sum->crc32 = libdeflate_crc32(sum->crc32, data, size);
}

static SfStatus read_for_sums(S3Store *store, const char *key, StoreSum *sum, SfError *err)
{
    S3Call call = {.method = "GET", .key = key, .http = {.take = take_sum, .user = sum}};
    SfStatus status = s3_run_one(store, &call, err);
    if (status != SF_OK)
        sum->size = -1;
    s3_call_done(&call);
    return status == SF_EMPTY ? SF_OK : status;
}

SfStatus s3_sum_all(Store *base, const char *const *keys, StoreSum *sums, size_t n, SfError *err)
{
    S3Store *store = (S3Store *) base;
    g_autofree S3Call *calls = g_new0(S3Call, n);
    SfStatus status = s3_head_all(store, keys, calls, n, err);
    for (size_t i = 0; i < n; i++) {
        sums[i] = (StoreSum){.size = calls[i].status == SF_OK ? calls[i].http.length : -1};
        if (status == SF_OK && sums[i].size >= 0 && !read_sum(&calls[i].http, &sums[i].crc32))
            status = read_for_sums(store, keys[i], &sums[i], err);
        s3_call_done(&calls[i]);
    }
    return status;
}
