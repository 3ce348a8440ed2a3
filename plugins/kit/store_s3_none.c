/* s3:// in a build without libcurl or OpenSSL: a clear refusal. */
#include "store_backend.h"

Store *store_s3_new(const StoreOptions *options, const char *rest, SfError *err)
{
    (void) options;
    sf_fail(err, SF_CONFIG,
            "url 's3://%s': this build has no S3 (configure it with -Ds3=enabled, which needs libcurl and "
            "OpenSSL), or use file:///directory",
            rest);
    return NULL;
}
