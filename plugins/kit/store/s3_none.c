/* s3:// in a build without libcurl or OpenSSL: a clear refusal. */
#include "backend.h"

SfStatus store_s3_check(const StoreOptions *options, const char *rest, SfError *err)
{
    (void) options;
    return sf_fail(err, SF_CONFIG,
                   "url 's3://%s': this build has no S3 (configure it with -Ds3=enabled, which needs "
                   "libcurl and OpenSSL), or use file:///directory",
                   rest);
}

Store *store_s3_new(const StoreOptions *options, const char *rest, SfError *err)
{
    store_s3_check(options, rest, err);
    return NULL;
}
