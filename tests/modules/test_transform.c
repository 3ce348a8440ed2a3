/* A transform for tests of the configuration: passes its input on, once it has found the columns that it wants. */
#include <sf/sf.h>

typedef struct State {
    SfList wants;
} State;

static const SfOption options[] = {
    SF_OPTION_LIST(State, wants, .doc = "Columns that the input must have."),
    SF_OPTION_END,
};

static SfStatus bind(SfNode *node, const struct ArrowSchema *in, struct ArrowSchema *out, SfError *err)
{
    const State *state = node->state;
    for (size_t i = 0; i < state->wants.size; i++)
        if (sf_schema_find(in, state->wants.items[i]) < 0)
            return sf_fail(err, SF_CONFIG, "wants: the input has no column '%s'", state->wants.items[i]);
    return sf_schema_copy(in, out, err);
}

static SfStatus apply(SfNode *node, const SfBatch *in, SfBatch *out, SfError *err)
{
    (void) node;
    return sf_batch_slice(in, 0, sf_rows(in), out, err);
}

SF_TRANSFORM_PLUGIN = {
    SF_TRANSFORM_HEAD(State, .name = "test-transform", .version = "1.0.0", .summary = "Transform for tests",
                      .options = options,
                      .doc = "A paragraph whose lines\nare joined.\n\n| type | takes | column |\n|---|---|---|\n"
                             "| `int` | a whole number | int32 |\n| `date` | 2024-01-15 | date |\n\n- a list\n- stays"),
    .bind = bind,
    .apply = apply,
};
