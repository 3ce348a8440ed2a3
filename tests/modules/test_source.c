/* A source for tests of the configuration: it has an option of every type, and gives the columns that it is told. */
#include <stdio.h>
#include <string.h>
#include <sf/sf.h>

#define MAX_COLUMNS 16

typedef struct State {
    const char *text;
    int64_t count;
    double ratio;
    bool loud;
    int64_t room;
    int64_t wait;
    int64_t wait_ms;
    int32_t mode;
    SfList columns;
    SfMap properties;
    SfMap levels;
    const char *password;
    const SfValue *schema;
    const char *old_text;
} State;

static const char *const modes[] = {"fast", "careful", NULL};
static const char *const levels[] = {"low", "high", NULL};

static const SfOption options[] = {
    SF_OPTION_STRING(State, text, .value = "hello", .doc = "Any text."),
    SF_OPTION_INT(State, count, .value = "10", .min = "1", .max = "1_000", .doc = "A number."),
    SF_OPTION_FLOAT(State, ratio, .value = "0.5", .min = "0", .max = "1", .doc = "A share."),
    SF_OPTION_BOOL(State, loud, .value = "true", .doc = "Yes or no."),
    SF_OPTION_SIZE(State, room, .value = "64KiB", .max = "1GiB", .doc = "A size."),
    SF_OPTION_DURATION(State, wait, .value = "5s", .min = "10ms", .doc = "A duration."),
    SF_OPTION_DURATION(State, wait_ms, .name = "wait.interval.ms", .value = "-1", .min = "-1", .doc = "A bare one."),
    SF_OPTION_ENUM(State, mode, .value = "careful", .words = modes, .doc = "A word."),
    SF_OPTION_LIST(State, columns, .value = "[id int64, name utf8]", .doc = "Columns that it gives."),
    SF_OPTION_MAP(State, properties, .doc = "Pairs."),
    SF_OPTION_MAP(State, levels, .words = levels, .value = "{low: 1}", .doc = "Pairs of known keys."),
    SF_OPTION_SECRET(State, password, .doc = "A secret."),
    SF_OPTION_TREE(State, schema, .doc = "A tree.", .example = "{id: int}"),
    SF_OPTION_STRING(State, old_text, .deprecated_by = "text", .since = "1.1.0", .doc = "An old name."),
    SF_OPTION_END,
};

static SfStatus read_type(const char *word, SfType *out, SfError *err)
{
    static const char *const words[] = {
        [SF_BOOL] = "bool", [SF_INT32] = "int32",   [SF_INT64] = "int64", [SF_FLOAT64] = "float64",
        [SF_UTF8] = "utf8", [SF_BINARY] = "binary", [SF_DATE] = "date",
    };
    for (size_t type = SF_BOOL; type < sizeof words / sizeof *words; type++) {
        if (words[type] && strcmp(word, words[type]) == 0) {
            *out = (SfType) type;
            return SF_OK;
        }
    }
    return sf_fail(err, SF_CONFIG, "column type '%s' is unknown", word);
}

/* Every empty value is a mistake of its own. */
static SfStatus check_tree(const SfValue *schema, SfError *err)
{
    SfError all = {""}, one;
    for (size_t i = 0; schema && i < sf_value_size(schema); i++) {
        const SfValue *value = sf_value_at(schema, i);
        if (sf_value_kind(value) != SF_VALUE_NULL)
            continue;
        sf_value_fail(value, &one, "'%s' has no value", sf_value_text(sf_value_key(schema, i)));
        sf_fail_also(&all, &one);
    }
    return *all.message ? sf_fail(err, SF_CONFIG, "%s", all.message) : SF_OK;
}

static SfStatus bind(SfNode *node, struct ArrowSchema *out, SfError *err)
{
    const State *state = node->state;
    char names[MAX_COLUMNS][32];
    SfField fields[MAX_COLUMNS] = {0};
    size_t n = state->columns.size < MAX_COLUMNS ? state->columns.size : MAX_COLUMNS;
    for (size_t i = 0; i < n; i++) {
        char type[32];
        if (sscanf(state->columns.items[i], "%31s %31s", names[i], type) != 2)
            return sf_fail(err, SF_CONFIG, "'%s' is no column", state->columns.items[i]);
        fields[i].name = names[i];
        fields[i].nullable = true;
        SF_TRY(read_type(type, &fields[i].type, err));
    }
    if (state->schema && sf_value_kind(state->schema) != SF_VALUE_MAP)
        return sf_value_fail(state->schema, err, "'schema' takes a map");
    SF_TRY(check_tree(state->schema, err));
    return sf_schema_make(fields, n, out, err);
}

static SfStatus open_none(SfNode *node, SfError *err)
{
    (void) node, (void) err;
    return SF_OK;
}

static SfStatus poll_none(SfNode *node, int64_t timeout_ms, SfBatch *out, SfError *err)
{
    (void) node, (void) timeout_ms, (void) out, (void) err;
    return SF_END;
}

static void close_none(SfNode *node)
{
    (void) node;
}

SF_SOURCE_PLUGIN = {
    SF_SOURCE_HEAD(State, .name = "test-source", .version = "1.2.0", .summary = "Source for tests", .options = options,
                   .doc = "It has an option of every type."),
    .bind = bind,
    .open = open_none,
    .poll = poll_none,
    .close = close_none,
};
