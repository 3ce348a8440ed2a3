/* A transform for the runtime's tests: passes rows on, drops those that `drop` divides, rejects those that `reject`
 * divides, damages what it gives, never gets to it, refuses whole batches, and breaks rules of rejecting. */
#include <glib.h>
#include <sf/sf.h>

typedef struct State {
    int64_t drop, reject, refuse;
    const char *away;
    bool damage, doubly, astray, talk;
} State;

static const SfOption options[] = {
    SF_OPTION_INT(State, drop, .value = "0", .doc = "Drops offsets that this divides."),
    SF_OPTION_INT(State, reject, .value = "0", .doc = "Rejects offsets that this divides."),
    SF_OPTION_STRING(State, away, .doc = "Asks for another try for ever, and makes this file."),
    SF_OPTION_INT(State, refuse, .value = "0", .doc = "Refuses batches that start at what this divides."),
    SF_OPTION_BOOL(State, doubly, .value = "false", .doc = "Rejects each row twice."),
    SF_OPTION_BOOL(State, astray, .value = "false", .doc = "Rejects a row behind the last."),
    SF_OPTION_BOOL(State, talk, .value = "false", .doc = "Logs on all levels what the host's services say."),
    SF_OPTION_BOOL(State, damage, .value = "false", .doc = "Gives columns of different lengths."),
    SF_OPTION_END};

/* Clocks are compared with the system's: "clocks agree". */
static void talk(SfNode *node)
{
    int64_t wall = g_get_real_time() / 1000, monotonic = g_get_monotonic_time() / 1000;
    int64_t now = sf_now_ms(node), since = sf_monotonic_ms(node);
    bool agree = now >= wall && now < wall + 60000 && since >= monotonic && since < monotonic + 60000;
    sf_log(node, SF_LOG_DEBUG, "said softly");
    sf_log(node, SF_LOG_INFO, "clocks %s", agree ? "agree" : "differ");
    sf_log(node, SF_LOG_WARNING, "memory %" G_GINT64_FORMAT, (gint64) sf_memory(node));
    sf_log(node, (SfLogLevel) 77, "said on no level");
}

static SfStatus apply(SfNode *node, const SfBatch *in, SfBatch *out, SfError *err)
{
    State *state = node->state;
    SfColumn offsets;
    if (state->away) {
        g_file_set_contents(state->away, "", 0, NULL);
        return sf_fail(err, SF_RETRY, "the picker is away");
    }
    if (state->talk)
        talk(node);
    if (state->refuse && in->start % state->refuse == 0)
        return sf_fail(err, SF_REJECT, "the batch at %" G_GINT64_FORMAT " is not wanted", (gint64) in->start);
    if (state->astray)
        sf_reject(node, in, sf_rows(in), "there is no such row");
    g_autofree uint8_t *keep = g_malloc0((gsize) sf_rows(in) / 8 + 1);
    SF_TRY(sf_column(in, "offset", SF_INT64, &offsets, err));
    for (int64_t row = 0; row < sf_rows(in); row++) {
        int64_t offset = sf_i64(&offsets, row);
        bool unwanted = state->reject && offset % state->reject == 0;
        if (unwanted && state->doubly)
            sf_reject(node, in, row, "once");
        if (unwanted)
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
