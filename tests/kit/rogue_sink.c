/* A sink that breaks one of the host's rules, to see that the harness notices. It keeps its position for the
 * process. */
#include <sf/sf.h>

typedef enum Mode { GOOD, LEAVES, AHEAD, FORGETS, OVERPAID, REJECTS_NOTHING, REJECTS_BATCH } Mode;

typedef struct Rogue {
    int32_t mode;
    const SfSplit *split;
    int64_t end;
} Rogue;

static const char *const modes[] = {"good",     "leaves",          "ahead",         "forgets",
                                    "overpaid", "rejects nothing", "rejects batch", NULL};

static const SfOption options[] = {
    SF_OPTION_ENUM(Rogue, mode, .value = "good", .words = modes, .doc = "The rule to break."),
    SF_OPTION_END,
};

static int64_t stored = SF_POSITION_NONE;

static SfStatus recover(SfNode *node, SfRecovery *chains, size_t n, SfError *err)
{
    (void) err;
    const Rogue *rogue = node->state;
    for (size_t i = 0; i < n; i++)
        chains[i].position = rogue->mode == FORGETS ? SF_POSITION_NONE : stored;
    return SF_OK;
}

static SfStatus write_rows(SfNode *node, size_t input, const SfBatch *batch, SfError *err)
{
    (void) input;
    Rogue *rogue = node->state;
    if (rogue->mode == REJECTS_BATCH)
        return sf_fail(err, SF_REJECT, "not these");
    if (rogue->mode == REJECTS_NOTHING)
        sf_reject(node, batch, sf_rows(batch), "a row that is not there");
    if (rogue->mode == OVERPAID)
        sf_charge(node, -1);
    rogue->split = batch->split;
    rogue->end = batch->end;
    return SF_OK;
}

static SfStatus commit(SfNode *node, SfCommitReason reason, SfError *err)
{
    (void) reason, (void) err;
    Rogue *rogue = node->state;
    if (rogue->mode == LEAVES || !rogue->split)
        return SF_OK;
    stored = rogue->end + (rogue->mode == AHEAD ? 1 : 0);
    sf_committed(node, 0, rogue->split, stored);
    return SF_OK;
}

SF_SINK_PLUGIN = {
    SF_SINK_HEAD(Rogue, .name = "rogue-sink", .version = "1.0.0", .summary = "Breaks a rule", .options = options),
    .delivery = SF_EXACTLY_ONCE,
    .recover = recover,
    .write = write_rows,
    .commit = commit,
};
