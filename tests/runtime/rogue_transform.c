/* A transform that breaks the host's rules in the way that its option says. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sf/sf.h>

enum { NOTHING, EXITS, CRASHES, OVERFLOWS, ABORTS, HANGS, BABBLES };

typedef struct Rogue {
    int32_t does;
} Rogue;

static const char *const words[] = {"nothing", "exit", "crash", "overflow", "abort", "hang", "babble", NULL};

static const SfOption options[] = {
    SF_OPTION_ENUM(Rogue, does, .value = "nothing", .words = words, .doc = "What it does in apply."),
    SF_OPTION_END,
};

static SfStatus bind(SfNode *node, const struct ArrowSchema *in, struct ArrowSchema *out, SfError *err)
{
    static const SfField text = {.name = "text", .type = SF_UTF8};
    (void) node, (void) in;
    return sf_schema_make(&text, 1, out, err);
}

static int depth(volatile char *before)
{
    volatile char room[4096];
    room[0] = before ? *before : 1;
    return depth(room) + room[0];
}

/* A value that is no text, which no reader further on would take. */
static SfStatus babble(const SfBatch *in, SfBatch *out, SfError *err)
{
    struct ArrowSchema schema = {.release = NULL};
    SF_TRY(bind(NULL, NULL, &schema, err));
    SfBuilder *builder = sf_builder_new(&schema, err);
    sf_schema_done(&schema);
    SfStatus status = builder ? SF_OK : SF_FATAL;
    for (int64_t row = 0; row < sf_rows(in) && status == SF_OK; row++) {
        sf_add_str(sf_builder_column(builder, 0), row == 1 ? "caf\xE9" : "café", row == 1 ? 4 : 5);
        status = sf_builder_end_row(builder, err);
    }
    if (status == SF_OK)
        status = sf_builder_finish(builder, &out->rows, err);
    sf_builder_free(builder);
    return status;
}

static SfStatus apply(SfNode *node, const SfBatch *in, SfBatch *out, SfError *err)
{
    const Rogue *rogue = node->state;
    switch (rogue->does) {
    case EXITS:
        exit(0);
    case CRASHES:
        raise(SIGSEGV);
        break;
    case OVERFLOWS:
        return (SfStatus) depth(NULL);
    case ABORTS:
        abort();
    case HANGS:
        for (;;)
            pause();
    case BABBLES:
        return babble(in, out, err);
    default:
        break;
    }
    return SF_OK;
}

SF_TRANSFORM_PLUGIN = {
    SF_TRANSFORM_HEAD(Rogue, .name = "rogue-transform", .version = "1.0.0", .summary = "Breaks the rules",
                      .options = options),
    .bind = bind,
    .apply = apply,
};
