/* A transform for the runtime's tests: passes rows on, drops those that `drop` divides, rejects those that `reject`
 * divides, damages what it gives, never gets to it. */
#include <glib.h>
#include <sf/sf.h>

typedef struct State {
    int64_t drop, reject;
    const char *away;
    bool damage;
} State;

static const SfOption options[] = {
    SF_OPTION_INT(State, drop, .value = "0", .doc = "Drops offsets that this divides."),
    SF_OPTION_INT(State, reject, .value = "0", .doc = "Rejects offsets that this divides."),
    SF_OPTION_STRING(State, away, .doc = "Asks for another try for ever, and makes this file."),
    SF_OPTION_BOOL(State, damage, .value = "false", .doc = "Gives columns of different lengths."), SF_OPTION_END};

static SfStatus apply(SfNode *node, const SfBatch *in, SfBatch *out, SfError *err)
{
    State *state = node->state;
    SfColumn offsets;
    if (state->away) {
        g_file_set_contents(state->away, "", 0, NULL);
        return sf_fail(err, SF_RETRY, "the picker is away");
    }
    g_autofree uint8_t *keep = g_malloc0((gsize) sf_rows(in) / 8 + 1);
    SF_TRY(sf_column(in, "offset", SF_INT64, &offsets, err));
    for (int64_t row = 0; row < sf_rows(in); row++) {
        int64_t offset = sf_i64(&offsets, row);
        if (state->reject && offset % state->reject == 0)
            sf_reject(node, in, row, "%" G_GINT64_FORMAT " is not wanted", (gint64) offset);
        else if (!state->drop || offset % state->drop != 0)
            keep[row >> 3] |= (uint8_t) (1u << (row & 7));
    }
    SF_TRY(sf_batch_keep(in, keep, out, err));
    if (state->damage)
        out->rows.children[0]->length--;
    return SF_OK;
}

SF_TRANSFORM_PLUGIN = {
    SF_TRANSFORM_HEAD(State, .name = "pick-transform", .version = "1.0.0", .summary = "Picks rows", .options = options),
    .apply = apply};
