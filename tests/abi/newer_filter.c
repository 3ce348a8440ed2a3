/* A row filter as a newer header would make it: a descriptor and option rows with members that this host does not
 * know. */
#include <sf/sf.h>

typedef struct NewerOption {
    SfOption row;
    const char *group;
    int64_t more[3];
} NewerOption;

typedef struct NewerTransform {
    SfTransform transform;
    void (*reload)(SfNode *node);
    int64_t more[5];
} NewerTransform;

typedef struct State {
    int64_t least;
    const char *column;
} State;

static const NewerOption options[] = {
    {.row = SF_OPTION_INT(State, least, .value = "2", .doc = "Least value."), .group = "limits", .more = {-1, -1, -1}},
    {.row = SF_OPTION_STRING(State, column, .value = "n", .doc = "Column."), .group = "input", .more = {-1, -1, -1}},
    {.row = SF_OPTION_END, .more = {-1, -1, -1}},
};

static const SfNeed needs[] = {{"$column", SF_INT64}, {NULL}};

static bool keep_row(SfNode *node, const SfColumn *columns, int64_t row)
{
    return sf_i64(&columns[0], row) >= ((const State *) node->state)->least;
}

static void reload(SfNode *node)
{
    ((State *) node->state)->least = 0;
}

SF_API extern const NewerTransform sf_plugin_v1;
const NewerTransform sf_plugin_v1 = {
    .transform = {.head = {.size = sizeof(NewerTransform),
                           .kind = SF_TRANSFORM,
                           .name = "newer-filter",
                           .version = "9.0.0",
                           .summary = "Compiled against a newer header",
                           .options = &options[0].row,
                           .option_size = sizeof(NewerOption),
                           .state_size = sizeof(State)},
                  .needs = needs,
                  .keep_row = keep_row},
    .reload = reload,
    .more = {-1, -1, -1, -1, -1},
};
