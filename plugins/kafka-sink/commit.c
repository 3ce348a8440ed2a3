/* The end of a lane's transaction, and which lanes may have a producer. */
#include "sink.h"

/* Everything that the lane was given. Rejects of a sink are complete only when the broker has answered for every
 * row, so they are settled after the flush and before the end of the transaction. */
SfStatus lane_commit(Lane *lane, SfError *err)
{
    if (!lane_busy(lane) || !ranges_moved(lane->chains))
        return SF_OK;
    if (!lane->ending) {
        if (lane->client || lane->kept->len > 0)
            SF_TRY(delivery_flush(lane, err));
        SF_TRY(ranges_settle(lane->chains, err));
    }
    SF_TRY(transaction_commit(lane, err));
    chains_committed(lane, true);
    lane_forget(lane);
    if (lane->single) /* for this transaction only: it is slow */
        lane_shut(lane);
    lane->single = false;
    return SF_OK;
}

/* The one that was used least recently ends its transaction and closes, where as many are open as may be. */
SfStatus lanes_make_room(Sink *sink, SfError *err)
{
    Lane *oldest = NULL;
    guint open = 0;
    for (guint i = 0; i < sink->lanes->len; i++) {
        Lane *lane = sink->lanes->pdata[i];
        open += lane->client != NULL;
        bool better = lane->client && (!oldest || lane_busy(lane) < lane_busy(oldest) ||
                                       (lane_busy(lane) == lane_busy(oldest) && lane->used_us < oldest->used_us));
        if (better)
            oldest = lane;
    }
    if (open < LANES_OPEN)
        return SF_OK;
    SF_TRY(lane_commit(oldest, err));
    if (!lane_busy(oldest))
        lane_shut(oldest);
    return SF_OK;
}
