/* A sink for tests of the configuration: takes any rows but those with a column "forbidden". */
#include <sf/sf.h>

typedef struct State {
    const char *url;
    int64_t flush_size;
} State;

static const SfOption options[] = {
    SF_OPTION_STRING(State, url, .required = true, .doc = "Where rows go."),
    SF_OPTION_INT(State, flush_size, .name = "flush.size", .value = "1000", .min = "1", .doc = "Rows of an object."),
    SF_OPTION_STRING(State, url, .name = "store.url", .deprecated_by = "url", .doc = "The old name of url."),
    SF_OPTION_END,
};

static SfStatus bind(SfNode *node, size_t input, const struct ArrowSchema *schema, SfError *err)
{
    const State *state = node->state;
    if (!*state->url) /* a required option is there in bind, whatever else is wrong */
        return sf_fail(err, SF_CONFIG, "'url' is empty");
    if (sf_schema_find(schema, "forbidden") >= 0)
        return sf_fail(err, SF_CONFIG, "input '%s' has a column 'forbidden'", node->inputs[input]);
    return SF_OK;
}

static SfStatus open_none(SfNode *node, SfError *err)
{
    (void) node, (void) err;
    return SF_OK;
}

static SfStatus recover_none(SfNode *node, SfRecovery *chains, size_t n, SfError *err)
{
    (void) node, (void) err;
    for (size_t i = 0; i < n; i++)
        chains[i].position = SF_POSITION_NONE;
    return SF_OK;
}

static SfStatus write_none(SfNode *node, size_t input, const SfBatch *batch, SfError *err)
{
    (void) node, (void) input, (void) batch, (void) err;
    return SF_OK;
}

static SfStatus commit_none(SfNode *node, SfCommitReason reason, SfError *err)
{
    (void) node, (void) reason, (void) err;
    return SF_OK;
}

SF_SINK_PLUGIN = {
    SF_SINK_HEAD(State, .name = "test-sink", .version = "1.0.0", .summary = "Sink for tests", .options = options),
    .delivery = SF_AT_LEAST_ONCE,
    .bind = bind,
    .open = open_none,
    .recover = recover_none,
    .write = write_none,
    .commit = commit_none,
};
