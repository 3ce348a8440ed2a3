/* Any bytes as a piece of a Delta log, by the first byte: a commit, a checkpoint, _last_checkpoint, or the keys that a
 * listing gives. Loading, planning an append, writing a checkpoint over it and cleaning end in an error or a state,
 * never in a crash. */
#include <string.h>

#include "delta/delta.h"
#include "fuzz.h"
#include "store/backend.h"

#define FIRST_COMMIT                                                                                                   \
    "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"                                                 \
    "{\"metaData\":{\"id\":\"x\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":\"{"            \
    "\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"id\\\",\\\"type\\\":\\\"long\\\","                  \
    "\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\",\"partitionColumns\":[],\"configuration\":{}}}\n"
#define COMMIT(n) "_delta_log/0000000000000000000" #n ".json"
#define CHECKPOINT "_delta_log/00000000000000000001.checkpoint.parquet"
#define HINT "_delta_log/_last_checkpoint"

enum { AS_COMMIT, AS_CHECKPOINT, AS_HINT, AS_KEYS, MODES };

static struct {
    const char *text;
    size_t size;
    int mode;
} input;

static void no_log(SfNode *node, SfLogLevel level, const char *message)
{
    (void) node, (void) level, (void) message;
}

static void no_fault(SfNode *node, const char *point)
{
    (void) node, (void) point;
}

static int64_t noon(SfNode *node)
{
    (void) node;
    return INT64_C(1700000000000);
}

static GBytes *given(void)
{
    return g_bytes_new(input.text, input.size);
}

static SfStatus get(Store *store, const char *key, int64_t limit, GBytes **out, SfError *err)
{
    (void) store, (void) limit, (void) err;
    static const char *const keys[] = {COMMIT(1), CHECKPOINT, HINT, ""};
    if (strcmp(key, keys[input.mode]) == 0)
        *out = given();
    else if (input.mode == AS_CHECKPOINT && strcmp(key, HINT) == 0)
        *out = g_bytes_new_static("{\"version\":1,\"size\":2}", 22);
    else if (input.mode != AS_CHECKPOINT && strcmp(key, COMMIT(0)) == 0)
        *out = g_bytes_new_static(FIRST_COMMIT, sizeof FIRST_COMMIT - 1);
    else
        return SF_EMPTY;
    return SF_OK;
}

static SfStatus stat_all(Store *store, const char *const *keys, int64_t *sizes, size_t n, SfError *err)
{
    (void) store, (void) err;
    for (size_t i = 0; i < n; i++)
        sizes[i] = strstr(keys[i], "checkpoint") ? 10 : -1;
    return SF_OK;
}

static void add_entry(const char *key, const char *after, GPtrArray *out)
{
    if (after && strcmp(key, after) <= 0)
        return;
    StoreEntry *entry = g_new0(StoreEntry, 1);
    entry->key = g_strdup(key);
    entry->size = 10;
    g_ptr_array_add(out, entry);
}

static SfStatus list(Store *store, const char *prefix, const char *after, size_t max, GPtrArray *out, SfError *err)
{
    (void) store, (void) prefix, (void) err;
    static const char *const keys[] = {COMMIT(0), CHECKPOINT, COMMIT(1)};
    for (int i = 0; i < 3; i++)
        if ((i == 1) == (input.mode == AS_CHECKPOINT) || (i == 2 && input.mode == AS_COMMIT))
            add_entry(keys[i], after, out);
    if (input.mode != AS_KEYS)
        return SF_OK;
    g_autofree char *text = g_strndup(input.text, input.size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", (gint) max);
    for (char **line = lines; *line && out->len + 1 < max; line++)
        add_entry(*line, after, out);
    return SF_OK;
}

static SfStatus put_all(Store *store, StoreObject *objects, size_t n, SfError *err)
{
    (void) store, (void) err;
    for (size_t i = 0; i < n; i++)
        objects[i].created = true;
    return SF_OK;
}

static SfStatus remove_all(Store *store, const char *const *keys, size_t n, SfError *err)
{
    (void) store, (void) keys, (void) n, (void) err;
    return SF_OK;
}

static void free_store(Store *store)
{
    (void) store;
}

static void plan(DeltaLog *log)
{
    SfError err = {0};
    struct ArrowSchema rows;
    bool changed;
    const SfField fields[] = {{.name = "id", .type = SF_INT64, .nullable = true},
                              {.name = "x", .type = SF_UTF8, .nullable = true}};
    g_autoptr(json_object) schema = log->metadata ? delta_schema_parse(log->metadata, &err) : NULL;
    if (!schema)
        return;
    g_assert_cmpint(sf_schema_make(fields, G_N_ELEMENTS(fields), &rows, &err), ==, SF_OK);
    if (delta_schema_merge(schema, &rows, DELTA_MERGE_EVOLVE, &changed, &err) == SF_OK) {
        DeltaProjection projection = {0};
        char *none[] = {NULL};
        g_autoptr(GPtrArray) checks = delta_checks_new(log, &rows, &err);
        g_autoptr(GPtrArray) rules = delta_rules_new(schema, &rows, &err);
        if (delta_schema_project(schema, delta_log_maps(log), &rows, none, &projection, &err) == SF_OK)
            delta_projection_done(&projection);
    }
    sf_schema_done(&rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const StoreBackend backend = {.get = get,
                                         .stat_all = stat_all,
                                         .list = list,
                                         .put_all = put_all,
                                         .remove_all = remove_all,
                                         .free = free_store};
    static const SfHost host = {.size = sizeof host, .log = no_log, .now_ms = noon, .fault = no_fault};
    static SfNode node = {.size = sizeof node, .pipeline = "p", .step = "s", .host = &host};
    static Store store = {.backend = &backend, .node = &node};
    if (size < 1)
        return 0;
    store.url = (char *) "file:///x";
    input.mode = data[0] % MODES;
    input.text = (const char *) data + 1;
    input.size = size - 1;
    SfError err = {0};
    g_autoptr(DeltaLog) log = delta_log_new(&node, &store);
    if (delta_log_load(log, &err) != SF_OK)
        return 0;
    delta_log_check_features(log, &err);
    delta_log_interval_ms(log, "delta.logRetentionDuration", 1);
    plan(log);
    delta_checkpoint_write(log, &err);
    delta_log_clean(log, &err);
    return 0;
}
