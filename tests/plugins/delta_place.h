/* A directory with a Delta log in it, for the tests of the Delta kit: commits are put there as text. */
#ifndef TEST_DELTA_PLACE_H
#define TEST_DELTA_PLACE_H

#include "delta/delta.h"
#include "harness.h"

typedef struct Place {
    char *dir;
    Harness *h;
    Store *store;
    DeltaLog *log;
    char *url;
    StoreOptions options;
} Place;

void place_init(Place *place);
void place_at(Place *place, const char *dir); /* which stays */
void place_done(Place *place);

void place_put(const Place *place, const char *key, const char *text, gssize size);
void place_put_commit(const Place *place, gint64 version, const char *text);
void place_loads(const Place *place, gint64 version); /* or the test ends */
/* Paths of the live files in a version's checkpoint, in its order, a blank behind each. */
char *place_checkpoint_paths(const Place *place, gint64 version);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_done)

#define PROTOCOL "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
#define METADATA                                                                                                       \
    "{\"metaData\":{\"id\":\"x\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":\"{"            \
    "\\\"type\\\":"                                                                                                    \
    "\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"id\\\",\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,"         \
    "\\\"metadata\\\":{}}]}\","                                                                                        \
    "\"partitionColumns\":[],\"configuration\":{\"own.key\":\"kept\"},\"unknown\":[1]}}\n"
#define ADD(path)                                                                                                      \
    "{\"add\":{\"path\":\"" path "\",\"partitionValues\":{},\"size\":1,\"modificationTime\":1,\"dataChange\":true}}\n"
#define TXN(app, version) "{\"txn\":{\"appId\":\"" app "\",\"version\":" #version "}}\n"

#endif
