/* Credentials: the options, then the environment, then the shared credentials file, as AWS's own tools look for
 * them (AWS SDKs and Tools Reference Guide, "Shared config and credentials files"). */
#include "s3.h"

#include <string.h>

static void wipe(char *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

void s3_credentials_done(S3Credentials *credentials)
{
    g_free(credentials->access_key_id);
    wipe(credentials->secret_access_key);
    wipe(credentials->session_token);
    *credentials = (S3Credentials){0};
}

static char *copy_given(const char *text)
{
    return text && *text ? g_strdup(text) : NULL;
}

static SfStatus load_options(const StoreOptions *options, S3Credentials *out, SfError *err)
{
    if (!options->secret_access_key || !*options->secret_access_key)
        return sf_fail(err, SF_CONFIG, "'access_key_id' is given without 'secret_access_key'");
    out->access_key_id = g_strdup(options->access_key_id);
    out->secret_access_key = g_strdup(options->secret_access_key);
    out->session_token = copy_given(options->session_token);
    return SF_OK;
}

static SfStatus load_environment(const char *access_key_id, S3Credentials *out, SfError *err)
{
    const char *secret = g_getenv("AWS_SECRET_ACCESS_KEY");
    if (!secret || !*secret)
        return sf_fail(err, SF_CONFIG, "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY");
    out->access_key_id = g_strdup(access_key_id);
    out->secret_access_key = g_strdup(secret);
    out->session_token = copy_given(g_getenv("AWS_SESSION_TOKEN"));
    return SF_OK;
}

static SfStatus load_file(const StoreOptions *options, S3Credentials *out, SfError *err)
{
    const char *profile = options->profile ? options->profile : g_getenv("AWS_PROFILE");
    if (!profile || !*profile)
        profile = "default";
    const char *given = g_getenv("AWS_SHARED_CREDENTIALS_FILE");
    g_autofree char *path =
        given && *given ? g_strdup(given) : g_build_filename(g_get_home_dir(), ".aws", "credentials", NULL);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) problem = NULL;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &problem))
        return sf_fail(err, SF_CONFIG,
                       "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, give "
                       "'access_key_id' and 'secret_access_key', or write them to '%s' (%s)",
                       path, problem->message);
    g_autofree char *id = g_key_file_get_string(file, profile, "aws_access_key_id", NULL);
    char *secret = g_key_file_get_string(file, profile, "aws_secret_access_key", NULL);
    if (!id || !secret) {
        wipe(secret);
        return sf_fail(err, SF_CONFIG, "'%s' has no aws_access_key_id and aws_secret_access_key in its section [%s]",
                       path, profile);
    }
    out->access_key_id = g_steal_pointer(&id);
    out->secret_access_key = secret;
    out->session_token = g_key_file_get_string(file, profile, "aws_session_token", NULL);
    out->renewable = true;
    return SF_OK;
}

static SfStatus load_credentials(const StoreOptions *options, S3Credentials *out, SfError *err)
{
    if (options->access_key_id && *options->access_key_id)
        return load_options(options, out, err);
    const char *access_key_id = g_getenv("AWS_ACCESS_KEY_ID");
    bool named = options->profile && *options->profile;
    if (!named && access_key_id && *access_key_id)
        return load_environment(access_key_id, out, err);
    return load_file(options, out, err);
}

/* They go into headers, which a line break would end. */
static SfStatus check_credential(const char *text, const char *what, SfError *err)
{
    for (const char *c = text ? text : ""; *c; c++) {
        if (g_ascii_iscntrl(*c) || *c == ' ')
            return sf_fail(err, SF_CONFIG,
                           "the %s of the S3 credentials has a blank, a line break or another control "
                           "character in it; take it out where it is set",
                           what);
    }
    return SF_OK;
}

SfStatus s3_credentials_load(const StoreOptions *options, S3Credentials *out, SfError *err)
{
    SF_TRY(load_credentials(options, out, err));
    SfStatus status = check_credential(out->access_key_id, "access key id", err);
    if (status == SF_OK)
        status = check_credential(out->secret_access_key, "secret access key", err);
    if (status == SF_OK)
        status = check_credential(out->session_token, "session token", err);
    if (status != SF_OK)
        s3_credentials_done(out);
    return status;
}
