/* A sink as an older header would have made it: shorter option rows, and a descriptor that ends before tick,
 * interrupt and close. It counts what it commits, in a file, so that it can be told from one that did nothing. */
#include <stdio.h>
#include <sf/sf.h>

typedef struct OlderOption {
    const char *field;
    const char *name;
    SfOptionType type;
    uint32_t offset;
    bool required;
    const char *value;
    const char *min;
    const char *max;
    const char *const *words;
    const char *doc;
} OlderOption;

typedef struct OlderSink {
    SfHead head;
    SfDelivery delivery;
    SfStatus (*bind)(SfNode *node, size_t input, const struct ArrowSchema *schema, SfError *err);
    SfStatus (*open)(SfNode *node, SfError *err);
    SfStatus (*recover)(SfNode *node, SfRecovery *chains, size_t n, SfError *err);
    SfStatus (*write)(SfNode *node, size_t input, const SfBatch *batch, SfError *err);
    SfStatus (*commit)(SfNode *node, SfCommitReason reason, SfError *err);
} OlderSink;

typedef struct State {
    const char *path;
    int64_t limit;
    const SfSplit *split;
    int64_t end;
} State;

static const OlderOption options[] = {
    {.field = "path", .type = SF_OPTION_TYPE_STRING, .offset = offsetof(State, path), .required = true, .doc = "File."},
    {.field = "limit",
     .type = SF_OPTION_TYPE_INT,
     .offset = offsetof(State, limit),
     .value = "7",
     .min = "1",
     .doc = "Limit."},
    {.field = NULL},
};

static SfStatus recover(SfNode *node, SfRecovery *chains, size_t n, SfError *err)
{
    (void) err;
    const State *state = node->state;
    FILE *file = fopen(state->path, "r");
    long long end = SF_POSITION_NONE;
    if (file && fscanf(file, "%lld", &end) != 1)
        end = SF_POSITION_NONE;
    if (file)
        fclose(file);
    for (size_t i = 0; i < n; i++)
        chains[i].position = end;
    return SF_OK;
}

static SfStatus write_rows(SfNode *node, size_t input, const SfBatch *batch, SfError *err)
{
    (void) input, (void) err;
    State *state = node->state;
    state->split = batch->split;
    state->end = batch->end;
    return SF_OK;
}

static SfStatus commit(SfNode *node, SfCommitReason reason, SfError *err)
{
    (void) reason;
    const State *state = node->state;
    FILE *file = fopen(state->path, "w");
    if (!file)
        return sf_fail(err, SF_RETRY, "cannot write '%s'", state->path);
    fprintf(file, "%lld\n", (long long) state->end);
    fclose(file);
    sf_committed(node, 0, state->split, state->end);
    return SF_OK;
}

SF_API extern const OlderSink sf_plugin_v1;
const OlderSink sf_plugin_v1 = {
    .head = {.size = sizeof(OlderSink),
             .kind = SF_SINK,
             .name = "older-sink",
             .version = "0.9.0",
             .summary = "Compiled against an older header",
             .options = (const SfOption *) (const void *) options,
             .option_size = sizeof(OlderOption),
             .state_size = sizeof(State)},
    .delivery = SF_EXACTLY_ONCE,
    .recover = recover,
    .write = write_rows,
    .commit = commit,
};
