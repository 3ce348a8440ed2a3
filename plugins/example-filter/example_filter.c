/* The smallest useful plugin: keeps the rows whose number in one column reaches a minimum. Nulls do not. */
#include <sf/sf.h>

typedef struct Filter {
    const char *column;
    double min;
} Filter;

static const SfOption options[] = {
    SF_OPTION_STRING(Filter, column, .required = true, .doc = "Column to look at, of type double.", .example = "sales"),
    SF_OPTION_FLOAT(Filter, min, .value = "0", .doc = "Least value that stays."),
    SF_OPTION_END,
};

static const SfNeed needs[] = {{"$column", SF_FLOAT64}, {NULL}};

static bool keep_row(SfNode *node, const SfColumn *columns, int64_t row)
{
    const Filter *filter = node->state;
    return !sf_is_null(&columns[0], row) && sf_f64(&columns[0], row) >= filter->min;
}

SF_TRANSFORM_PLUGIN = {
    SF_TRANSFORM_HEAD(Filter, .name = "example-filter", .version = "1.0.0", .summary = "Keeps rows by a minimum",
                      .options = options),
    .needs = needs,
    .keep_row = keep_row,
};
