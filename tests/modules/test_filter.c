/* A row filter for tests: nothing but the columns it needs and a predicate. */
#include <sf/sf.h>

typedef struct State {
    int64_t least;
} State;

static const SfOption options[] = {
    SF_OPTION_INT(State, least, .value = "0", .doc = "The least id that stays."),
    SF_OPTION_END,
};

static const SfNeed needs[] = {{"id", SF_INT64}, {NULL, SF_INT64}};

static bool keep_row(SfNode *node, const SfColumn *columns, int64_t row)
{
    const State *state = node->state;
    return !sf_is_null(&columns[0], row) && sf_i64(&columns[0], row) >= state->least;
}

SF_TRANSFORM_PLUGIN = {
    SF_TRANSFORM_HEAD(State, .name = "test-filter", .version = "1.0.0", .summary = "Row filter for tests",
                      .options = options),
    .needs = needs,
    .keep_row = keep_row,
};
