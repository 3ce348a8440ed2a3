/* Where an S3 store is by its options and the environment, and by whose credentials. Nothing is sent. */
#include "s3/s3.h"

#include <glib/gstdio.h>
#include <string.h>

static const char *const variables[] = {"AWS_REGION",        "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_S3",
                                        "AWS_ENDPOINT_URL",  "AWS_ACCESS_KEY_ID",  "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN", "AWS_PROFILE",        "AWS_SHARED_CREDENTIALS_FILE"};

/* "NAME=value NAME=value", and none of the others. */
static void set_environment(const char *settings)
{
    for (gsize i = 0; i < G_N_ELEMENTS(variables); i++)
        g_unsetenv(variables[i]);
    g_auto(GStrv) parts = g_strsplit(settings, " ", -1);
    for (char **part = parts; *part; part++) {
        char *equals = strchr(*part, '=');
        if (!equals)
            continue;
        *equals = '\0';
        g_setenv(*part, equals + 1, TRUE);
    }
}

typedef struct Where {
    const char *rest; /* behind s3:// */
    const char *endpoint;
    const char *region;
    int32_t path_style; /* auto, true, false */
    const char *environment;
    const char *expected; /* scheme, host, path, region, bucket, prefix; or a message */
} Where;

static const Where places[] = {
    {"raw", NULL, NULL, 0, "", "https raw.s3.us-east-1.amazonaws.com / us-east-1 raw []"},
    {"raw/", NULL, "eu-west-1", 0, "AWS_REGION=eu-west-2", "https raw.s3.eu-west-1.amazonaws.com / eu-west-1 raw []"},
    {"raw/a//b/", NULL, "", 0, "AWS_REGION=eu-west-2 AWS_DEFAULT_REGION=x",
     "https raw.s3.eu-west-2.amazonaws.com / eu-west-2 raw [a/b/]"},
    {"raw/a", NULL, NULL, 0, "AWS_REGION= AWS_DEFAULT_REGION=eu-west-3",
     "https raw.s3.eu-west-3.amazonaws.com / eu-west-3 raw [a/]"},
    {"raw", NULL, "cn-north-1", 0, "", "https raw.s3.cn-north-1.amazonaws.com.cn / cn-north-1 raw []"},
    /* a certificate of *.s3… is not one of names with dots */
    {"raw.data", NULL, NULL, 0, "", "https s3.us-east-1.amazonaws.com /raw.data/ us-east-1 raw.data []"},
    {"raw.data", NULL, NULL, 2, "", "https raw.data.s3.us-east-1.amazonaws.com / us-east-1 raw.data []"},
    {"raw", NULL, NULL, 1, "", "https s3.us-east-1.amazonaws.com /raw/ us-east-1 raw []"},
    {"raw", "http://h:9000", NULL, 0, "", "http h:9000 /raw/ us-east-1 raw []"},
    {"raw", "http://h:9000/", NULL, 2, "", "http raw.h:9000 / us-east-1 raw []"},
    {"raw", "http://h:80", NULL, 0, "", "http h /raw/ us-east-1 raw []"},
    {"raw", "https://h:80", NULL, 0, "", "https h:80 /raw/ us-east-1 raw []"},
    {"raw", "https://h:443", NULL, 0, "", "https h /raw/ us-east-1 raw []"},
    {"raw", "http://[::1]:9000", NULL, 0, "", "http [::1]:9000 /raw/ us-east-1 raw []"},
    {"raw", NULL, NULL, 0, "AWS_ENDPOINT_URL=http://all:1", "http all:1 /raw/ us-east-1 raw []"},
    {"raw", "", NULL, 0, "AWS_ENDPOINT_URL=http://all:1 AWS_ENDPOINT_URL_S3=http://s3:2",
     "http s3:2 /raw/ us-east-1 raw []"},
    {"raw", "http://mine:3", NULL, 0, "AWS_ENDPOINT_URL=http://all:1", "http mine:3 /raw/ us-east-1 raw []"},
    {"raw", "http://h?x=1", NULL, 0, "", "endpoint: 'http://h?x=1' is not a server's address"},
    {"raw", "http://h#x", NULL, 0, "", "endpoint: 'http://h#x' is not a server's address"},
    {"raw", "http://h\n", NULL, 0, "", "is not a server's address"},
    {"raw", "http://a:b@h", NULL, 0, "", "endpoint: it has a user name; write"},
    {"raw", NULL, NULL, 0, "AWS_REGION=eu/west", "region: 'eu/west' is not the name of a region"},
    {"", NULL, NULL, 0, "", "url: 's3://' does not name a bucket"},
    {"ra w", NULL, NULL, 0, "", "url: 's3://ra w' does not name a bucket"},
};

static void places_are_found(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        const Where *where = &places[i];
        StoreOptions options = {.endpoint = where->endpoint, .region = where->region, .path_style = where->path_style};
        S3Store store = {0};
        SfError err = {0};
        set_environment(where->environment);
        if (s3_store_place(&store, &options, where->rest, &err) == SF_OK) {
            g_autofree char *found = g_strdup_printf("%s %s %s %s %s [%s]", store.scheme, store.host, store.base_path,
                                                     store.region, store.bucket, store.prefix);
            g_assert_cmpstr(found, ==, where->expected);
        } else {
            g_test_message("%s", err.message);
            g_assert_nonnull(strstr(err.message, where->expected));
        }
        s3_store_done(&store);
    }
}

typedef struct Whose {
    StoreOptions options;
    const char *environment; /* @: the file of below */
    const char *expected;    /* id, secret, token, whether they may be renewed; or a message */
} Whose;

static const char file_text[] = "[default]\naws_access_key_id = d-id\naws_secret_access_key = d-key\n"
                                "[other]\naws_access_key_id=o-id\naws_secret_access_key=o-key\naws_session_token=o-t\n"
                                "[half]\naws_access_key_id=h-id\n";

static const Whose credentials[] = {
    {{.access_key_id = "id", .secret_access_key = "key"}, "AWS_ACCESS_KEY_ID=e", "id key - fixed"},
    {{.access_key_id = "id", .secret_access_key = "key", .session_token = "t"}, "", "id key t fixed"},
    {{.access_key_id = "id", .secret_access_key = "key", .session_token = ""}, "", "id key - fixed"},
    {{.access_key_id = "id"}, "", "'access_key_id' is given without 'secret_access_key'"},
    {{.access_key_id = "id", .secret_access_key = ""}, "", "is given without 'secret_access_key'"},
    {{.access_key_id = ""}, "AWS_ACCESS_KEY_ID=e AWS_SECRET_ACCESS_KEY=k @", "e k - fixed"},
    {{0}, "AWS_ACCESS_KEY_ID=e AWS_SECRET_ACCESS_KEY=k AWS_SESSION_TOKEN=t", "e k t fixed"},
    {{0}, "AWS_ACCESS_KEY_ID=e", "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY"},
    {{0}, "AWS_ACCESS_KEY_ID=e AWS_SECRET_ACCESS_KEY=", "set without AWS_SECRET_ACCESS_KEY"},
    {{0}, "AWS_ACCESS_KEY_ID= @", "d-id d-key - renewed"},
    {{0}, "AWS_PROFILE=other @", "o-id o-key o-t renewed"},
    {{0}, "AWS_PROFILE= @", "d-id d-key - renewed"},
    {{.profile = "other"}, "AWS_ACCESS_KEY_ID=e AWS_SECRET_ACCESS_KEY=k AWS_PROFILE=half @", "o-id o-key o-t renewed"},
    {{.profile = "half"}, "@", "has no aws_access_key_id and aws_secret_access_key in its section [half]"},
    {{.profile = "none"}, "@", "in its section [none]"},
    {{0}, "AWS_SHARED_CREDENTIALS_FILE=/nothing/here", "no credentials: set AWS_ACCESS_KEY_ID"},
    {{.access_key_id = "i d", .secret_access_key = "key"}, "", "the access key id of the S3 credentials has a blank"},
    {{.access_key_id = "id", .secret_access_key = "k\177y"}, "", "the secret access key of the S3 credentials has"},
    {{.access_key_id = "id", .secret_access_key = "key", .session_token = "a\nb"}, "", "the session token of the S3"},
};

static void credentials_are_found(void)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("sf-credentials-XXXXXX", &path, NULL);
    g_assert_cmpint(fd, >=, 0);
    g_close(fd, NULL);
    g_assert_true(g_file_set_contents(path, file_text, -1, NULL));
    g_autofree char *file_setting = g_strconcat("AWS_SHARED_CREDENTIALS_FILE=", path, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(credentials); i++) {
        const Whose *whose = &credentials[i];
        g_auto(GStrv) parts = g_strsplit(whose->environment, "@", 2);
        g_autofree char *settings = g_strjoinv(file_setting, parts);
        S3Credentials found = {0};
        SfError err = {0};
        set_environment(settings);
        if (s3_credentials_load(&whose->options, &found, &err) == SF_OK) {
            g_autofree char *text =
                g_strdup_printf("%s %s %s %s", found.access_key_id, found.secret_access_key,
                                found.session_token ? found.session_token : "-", found.renewable ? "renewed" : "fixed");
            g_assert_cmpstr(text, ==, whose->expected);
        } else {
            g_test_message("%s", err.message);
            g_assert_nonnull(strstr(err.message, whose->expected));
            g_assert_null(found.secret_access_key);
        }
        s3_credentials_done(&found);
    }
    g_unlink(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/s3 place/places are found", places_are_found);
    g_test_add_func("/s3 place/credentials are found", credentials_are_found);
    return g_test_run();
}
