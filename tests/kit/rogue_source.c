/* A source that breaks one of the host's rules, to see that the harness notices. */
#include <string.h>
#include <sf/sf.h>

typedef enum Mode { GOOD, GAP, BACK, STRANGER, ROWS_AND_EMPTY, OUTSIDE, NULLS, UTF8, TWICE, ENDS } Mode;

typedef struct Rogue {
    int32_t mode;
    SfBuilder *builder;
    const SfSplit *split;
    SfSplit stranger;
    int64_t next;
} Rogue;

static const char *const modes[] = {"good", "gap",   "back", "stranger", "rows and empty", "outside", "nulls",
                                    "utf8", "twice", "ends", NULL};

static const SfOption options[] = {
    SF_OPTION_ENUM(Rogue, mode, .value = "good", .words = modes, .doc = "The rule to break."),
    SF_OPTION_END,
};

static SfStatus bind_schema(SfNode *node, struct ArrowSchema *out, SfError *err)
{
    (void) node;
    static const SfField fields[] = {{.name = "offset", .type = SF_INT64}, {.name = "text", .type = SF_UTF8}};
    return sf_schema_make(fields, 2, out, err);
}

static SfStatus open_rogue(SfNode *node, SfError *err)
{
    Rogue *rogue = node->state;
    struct ArrowSchema schema;
    SF_TRY(bind_schema(node, &schema, err));
    rogue->builder = sf_builder_new(&schema, err);
    sf_schema_done(&schema);
    return SF_OK;
}

static SfStatus assign(SfNode *node, SfError *err)
{
    Rogue *rogue = node->state;
    SfAssignment assignment = {.name = "t/0", .topic = "t", .start = 0};
    SF_TRY(sf_assign(node, &assignment, 1, err));
    rogue->split = assignment.split;
    rogue->next = assignment.position;
    return SF_OK;
}

static void damage(Rogue *rogue, SfBatch *out)
{
    struct ArrowArray *offsets = out->rows.children[0], *texts = out->rows.children[1];
    switch ((Mode) rogue->mode) {
    case GAP:
        out->start++;
        break;
    case BACK:
        out->end = out->start - 1;
        break;
    case STRANGER:
        rogue->stranger = *rogue->split;
        out->split = &rogue->stranger;
        break;
    case OUTSIDE:
        ((int64_t *) offsets->buffers[1])[2] = out->end;
        break;
    case NULLS:
        texts->null_count = 1;
        break;
    case UTF8:
        memset((char *) texts->buffers[2], 0xff, 1);
        break;
    case ENDS:
        ((int32_t *) texts->buffers[1])[1] = 7;
        break;
    default:
        break;
    }
}

static SfStatus poll_rogue(SfNode *node, int64_t timeout_ms, SfBatch *out, SfError *err)
{
    (void) timeout_ms;
    Rogue *rogue = node->state;
    if (!rogue->split || (rogue->mode == TWICE && rogue->next > 0)) /* once rows have come of it */
        SF_TRY(assign(node, err));
    for (int64_t n = rogue->next; n < rogue->next + 3; n++) {
        sf_add_i64(sf_builder_column(rogue->builder, 0), n);
        sf_add_str(sf_builder_column(rogue->builder, 1), "a", 1);
        SF_TRY(sf_builder_end_row(rogue->builder, err));
    }
    SF_TRY(sf_builder_finish(rogue->builder, &out->rows, err));
    out->split = rogue->split;
    out->start = rogue->next;
    out->end = rogue->next += 3;
    damage(rogue, out);
    return rogue->mode == ROWS_AND_EMPTY ? SF_EMPTY : SF_OK;
}

static void close_rogue(SfNode *node)
{
    sf_builder_free(((Rogue *) node->state)->builder);
}

SF_SOURCE_PLUGIN = {
    SF_SOURCE_HEAD(Rogue, .name = "rogue-source", .version = "1.0.0", .summary = "Breaks a rule", .options = options),
    .bind = bind_schema,
    .open = open_rogue,
    .poll = poll_rogue,
    .close = close_rogue,
};
