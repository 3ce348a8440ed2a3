/* Lanes: which a split has, and what one carries. */
#include <string.h>

#include "sink.h"

bool interrupted(Sink *sink)
{
    return g_atomic_int_compare_and_exchange(&sink->interrupted, 1, 0);
}

Lane *lane_of(const Sink *sink, const SfSplit *split)
{
    if (sink->delivery != DELIVERY_EXACTLY_ONCE)
        return sink->lanes->len > 0 ? sink->lanes->pdata[0] : NULL;
    return g_hash_table_lookup(sink->lane_by_split, split);
}

static void clear_chain(gpointer chain)
{
    g_free(((Chain *) chain)->group);
}

Lane *lane_new(SfNode *node, const SfSplit *split)
{
    Sink *sink = node->state;
    Lane *lane = g_new0(Lane, 1);
    lane->sink = sink;
    lane->node = node;
    lane->split = split;
    if (sink->delivery == DELIVERY_EXACTLY_ONCE)
        lane->id = g_strdup_printf("%s.%s.%s", node->pipeline, node->step, split->name);
    lane->chains = ranges_new(node, sizeof(Chain), clear_chain);
    lane->kept = g_array_new(FALSE, TRUE, sizeof(Kept));
    lane->ends = g_array_new(FALSE, TRUE, sizeof(End));
    g_ptr_array_add(sink->lanes, lane);
    g_hash_table_insert(sink->lane_by_split, (gpointer) split, lane);
    return lane;
}

bool lane_busy(const Lane *lane)
{
    return lane->kept->len > 0 || lane->begun_us > 0 || !lane->id;
}

void lane_forget(Lane *lane)
{
    for (guint i = 0; i < lane->kept->len; i++) {
        Kept *kept = &g_array_index(lane->kept, Kept, i);
        sf_batch_unref(kept->batch);
        g_free(kept->refused);
        g_free(kept->large);
        g_free(kept->cut);
    }
    g_array_set_size(lane->kept, 0);
    lane->blunt = lane->undecided = lane->ended = false;
    lane->refusal = RD_KAFKA_RESP_ERR_NO_ERROR;
}
