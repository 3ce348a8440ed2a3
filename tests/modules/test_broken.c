/* Modules that the registry must refuse, one per BROKEN_… of the build. */
#include <sf/sf.h>

typedef struct State {
    int64_t number;
} State;

static SfStatus apply(SfNode *node, const SfBatch *in, SfBatch *out, SfError *err)
{
    (void) node, (void) in, (void) out;
    return sf_fail(err, SF_FATAL, "not meant to run");
}

#if defined(BROKEN_ABI)

SF_API extern const SfTransform sf_plugin_v2;
const SfTransform sf_plugin_v2 = {
    SF_TRANSFORM_HEAD(State, .name = "broken-abi"),
    .apply = apply,
};

#elif defined(BROKEN_NO_SYMBOL)

SF_API int nothing_to_see(SfNode *node, SfError *err);
int nothing_to_see(SfNode *node, SfError *err)
{
    return apply(node, NULL, NULL, err);
}

#elif defined(BROKEN_UNRESOLVED)

SfStatus symbol_of_nobody(void);
static SfStatus open_other(SfNode *node, SfError *err)
{
    (void) node, (void) err;
    return symbol_of_nobody();
}

SF_TRANSFORM_PLUGIN = {SF_TRANSFORM_HEAD(State, .name = "broken-unresolved"), .open = open_other, .apply = apply};

#elif defined(BROKEN_NO_END)

/* What lies behind it is what the compiler puts there. */
static const struct {
    SfOption row;
    uint64_t junk[64];
} table = {SF_OPTION_INT(State, number, .doc = "A number."), {0x1122334455667788u, 0x99, 0x11, 0x22, 0x33}};

SF_TRANSFORM_PLUGIN = {SF_TRANSFORM_HEAD(State, .name = "broken-no-end", .options = &table.row), .apply = apply};

#elif defined(BROKEN_NAME)

SF_TRANSFORM_PLUGIN = {SF_TRANSFORM_HEAD(State, .name = "another-name"), .apply = apply};

#elif defined(BROKEN_HOOK)

static bool uses_apply(void)
{
    return apply(NULL, NULL, NULL, NULL) == SF_OK;
}

static SfStatus open_only(SfNode *node, SfError *err)
{
    (void) node, (void) err;
    return uses_apply() ? SF_OK : SF_FATAL;
}

SF_TRANSFORM_PLUGIN = {SF_TRANSFORM_HEAD(State, .name = "broken-hook"), .open = open_only};

#elif defined(BROKEN_KIND)

SF_TRANSFORM_PLUGIN = {
    .head = {.size = sizeof(SfTransform), .kind = (SfKind) 9, .name = "broken-kind", .option_size = sizeof(SfOption)},
    .apply = apply,
};

#elif defined(BROKEN_DEFAULT)

static const SfOption options[] = {
    SF_OPTION_INT(State, number, .value = "0", .min = "1", .doc = "A default below the least."),
    SF_OPTION_END,
};
SF_TRANSFORM_PLUGIN = {SF_TRANSFORM_HEAD(State, .name = "broken-default", .options = options), .apply = apply};

#elif defined(BROKEN_RESERVED)

static const SfOption options[] = {
    SF_OPTION_INT(State, number, .name = "from", .doc = "A name that steps use."),
    SF_OPTION_END,
};
SF_TRANSFORM_PLUGIN = {SF_TRANSFORM_HEAD(State, .name = "broken-reserved", .options = options), .apply = apply};

#elif defined(BROKEN_STATE)

static const SfOption options[] = {
    {.field = "far", .type = SF_OPTION_TYPE_INT, .offset = 4096, .doc = "A field behind the state."},
    SF_OPTION_END,
};
SF_TRANSFORM_PLUGIN = {SF_TRANSFORM_HEAD(State, .name = "broken-state", .options = options), .apply = apply};

#elif defined(BROKEN_LARGE)

SF_TRANSFORM_PLUGIN = {
    .head = {.size = sizeof(SfTransform),
             .kind = SF_TRANSFORM,
             .name = "broken-large",
             .option_size = sizeof(SfOption),
             .state_size = ((size_t) 64 << 20) + 1},
    .apply = apply,
};

#elif defined(BROKEN_ROWS)

static const SfOption options[] = {SF_OPTION_INT(State, number, .doc = "A number."), SF_OPTION_END};
SF_TRANSFORM_PLUGIN = {
    .head = {.size = sizeof(SfTransform),
             .kind = SF_TRANSFORM,
             .name = "broken-rows",
             .options = options,
             .option_size = sizeof(SfOption) - 1,
             .state_size = sizeof(State)},
    .apply = apply,
};

#elif defined(BROKEN_BIND)

static SfStatus bind(SfNode *node, const struct ArrowSchema *in, struct ArrowSchema *out, SfError *err)
{
    (void) node, (void) in, (void) out, (void) err;
    return SF_OK;
}

/* Sound but for what its hook does, and as large as a state may be. */
SF_TRANSFORM_PLUGIN = {
    .head = {.size = sizeof(SfTransform),
             .kind = SF_TRANSFORM,
             .name = "broken-bind",
             .option_size = sizeof(SfOption),
             .state_size = (size_t) 64 << 20},
    .bind = bind,
    .apply = apply,
};

#elif defined(OLDER)

/* As an older header had them: rows without the last members, a descriptor without the last hooks. */
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

typedef struct OlderTransform {
    SfHead head;
    SfStatus (*bind)(SfNode *node, const struct ArrowSchema *in, struct ArrowSchema *out, SfError *err);
    SfStatus (*open)(SfNode *node, SfError *err);
    SfStatus (*apply)(SfNode *node, const SfBatch *in, SfBatch *out, SfError *err);
} OlderTransform;

static const OlderOption options[] = {
    {.field = "number", .type = SF_OPTION_TYPE_INT, .value = "7", .doc = "A number."},
    {.field = "word", .type = SF_OPTION_TYPE_STRING, .value = "a", .doc = "Text over the number."},
    {.field = NULL},
};

SF_API extern const OlderTransform sf_plugin_v1;
const OlderTransform sf_plugin_v1 = {
    .head = {.size = sizeof(OlderTransform),
             .kind = SF_TRANSFORM,
             .name = "older-plugin",
             .version = "0.9.0",
             .summary = "Compiled against an older header",
             .options = (const SfOption *) (const void *) options,
             .option_size = sizeof(OlderOption),
             .state_size = sizeof(State)},
    .apply = apply,
};

#endif
