/* What the commands that read object stores share: flags for the connection, which a pipeline's step can give, and a
 * word of the command line as a place in a store. */
#ifndef COMMANDS_OBJECTS_PLACE_H
#define COMMANDS_OBJECTS_PLACE_H

#include "cli/cli.h"
#include "store/store.h"

typedef struct PlaceOptions {
    StoreOptions store;
    const char *from;   /* a pipeline's file, whose steps' names stand for their URLs */
    GPtrArray *texts;   /* from there; owned, likewise the next */
    GPtrArray *secrets; /* that references have led to */
} PlaceOptions;

/* Names, defaults and environment as those of the sinks (STORE_OPTION_ROWS). */
#define PLACE_FLAGS(state, member)                                                                                     \
    CLI_FLAG('F', "FILE",                                                                                              \
             SF_OPTION_STRING(state, member.from, .name = "from",                                                      \
                              .doc = "Pipeline file: the name of a step, as in 'bronze' or 'bronze/sales_events', "    \
                                     "stands for its url, and its endpoint, region and credentials are taken.")),      \
        CLI_FLAG('e', "URL",                                                                                           \
                 SF_OPTION_STRING(state, member.store.endpoint, .name = "endpoint",                                    \
                                  .doc = "http(s)://host:port of a store that speaks S3; else AWS_ENDPOINT_URL, or "   \
                                         "AWS.")),                                                                     \
        CLI_FLAG(0, NULL,                                                                                              \
                 SF_OPTION_STRING(state, member.store.region, .name = "region",                                        \
                                  .doc = "Region of the bucket; else AWS_REGION, AWS_DEFAULT_REGION, or us-east-1.")), \
        CLI_FLAG(0, NULL,                                                                                              \
                 SF_OPTION_ENUM(state, member.store.path_style, .name = "path_style", .value = "auto",                 \
                                .words = store_path_styles,                                                            \
                                .doc = "Bucket in the URL's path instead of the host name; auto: with an endpoint.")), \
        CLI_FLAG(0, NULL,                                                                                              \
                 SF_OPTION_STRING(state, member.store.access_key_id, .name = "access_key_id",                          \
                                  .doc = "Access key; else AWS_ACCESS_KEY_ID, or the shared credentials file.")),      \
        CLI_FLAG(0, "REFERENCE",                                                                                       \
                 SF_OPTION_STRING(state, member.store.secret_access_key, .name = "secret_access_key",                  \
                                  .doc = "Its secret key, by file:PATH or exec:COMMAND; else "                         \
                                         "AWS_SECRET_ACCESS_KEY.")),                                                   \
        CLI_FLAG(0, "REFERENCE",                                                                                       \
                 SF_OPTION_STRING(state, member.store.session_token, .name = "session_token",                          \
                                  .doc = "Token of temporary credentials, likewise; else AWS_SESSION_TOKEN.")),        \
        CLI_FLAG(0, NULL,                                                                                              \
                 SF_OPTION_STRING(state, member.store.profile, .name = "profile",                                      \
                                  .doc = "Section of the shared credentials file; else AWS_PROFILE, or default.")),    \
        CLI_FLAG(0, NULL,                                                                                              \
                 SF_OPTION_STRING(state, member.store.ca_file, .name = "ca_file",                                      \
                                  .doc = "PEM file of the authorities to trust; else AWS_CA_BUNDLE, or the "           \
                                         "system's.")),                                                                \
        CLI_FLAG(0, NULL,                                                                                              \
                 SF_OPTION_BOOL(state, member.store.tls_verify, .name = "tls_verify", .value = "true",                 \
                                .doc = "Check the server's certificate; --tls-verify=false only for tests.")),         \
        CLI_FLAG(0, NULL,                                                                                              \
                 SF_OPTION_DURATION(state, member.store.timeout_ms, .name = "timeout", .value = "30s", .min = "100ms", \
                                    .max = "1h",                                                                       \
                                    .doc = "A request that makes no progress for so long is tried again."))

/* As cli_parse() with a page that has these flags; `options` lies within `all`. */
int place_parse(const CliPage *page, int argc, char **argv, gpointer all, PlaceOptions *options, CliLine *line);
void place_options_done(PlaceOptions *options);

/* One word: a store and what is meant in it. */
typedef struct Place {
    StoreOptions options; /* of the store */
    Store *store;
    char *root;  /* URL or path of the store's place */
    char *shown; /* the same as it was written; "": here */
    char *rest;  /* "", a key, or a pattern of keys, below it */
} Place;

/* "s3://bucket/a/b" → store at s3://bucket/a, rest "b"; with `whole` the store is at the word itself. Words may be
 * s3:// and file:// URLs, paths, and names of steps of --from. -1, or the exit status after a complaint. */
int place_open(const CliPage *page, const PlaceOptions *options, const char *word, bool whole, Place *out);
void place_done(Place *place);

/* "sfrun ls: <message>" on standard error; returns the exit status for it. */
int place_failed(const CliPage *page, const SfError *err);

/* "0 B", "1.5 MiB" */
char *place_size(gint64 bytes);

/* A key below the place as it is shown to people. */
char *place_name(const Place *place, const char *key);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PlaceOptions, place_options_done)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_done)

#endif
