/* A plugin as somebody outside the project writes it: built against the installed files alone. */
#include <sf/sf.h>

typedef struct Least {
    int64_t least;
} Least;

static const SfOption options[] = {SF_OPTION_INT(Least, least, .value = "1", .doc = "Smallest value that stays."),
                                   SF_OPTION_END};

static const SfNeed needs[] = {{"a", SF_INT64}, {NULL, 0}};

static bool keep_row(SfNode *node, const SfColumn *columns, int64_t row)
{
    const Least *state = node->state;
    return !sf_is_null(&columns[0], row) && sf_i64(&columns[0], row) >= state->least;
}

SF_TRANSFORM_PLUGIN = {SF_TRANSFORM_HEAD(Least, .name = "least", .version = "1.0.0",
                                         .summary = "Keeps rows with a large a", .options = options),
                       .needs = needs, .keep_row = keep_row};
