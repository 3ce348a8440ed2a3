/* The audit of bronze as a source: where the ledger of each split begins and ends, and its rows as a run would read
 * them. */
#include "source.h"

/* What stops a run is a fault of that split, and the others are read. */
static SfStatus audit_lane(SfNode *node, SfAudit *audit, Store *store, Lane *lane, const LaneOptions *options,
                           Blocks *blocks, SfError *err)
{
    int64_t from, to;
    Quota quota = {.files = INT64_MAX, .bytes = INT64_MAX};
    const SfSplit split = {.name = lane->name, .topic = lane->topic, .partition = lane->partition};
    sf_audit_wanted(audit, lane->name, &from, &to);
    lane->split = &split;
    SfStatus status = lane_begin(node, store, lane, options, MAX(from, lane->start), err);
    while (status == SF_OK && lane->position < to) {
        SfBatch batch = {0};
        status = lane_poll(node, store, lane, options, blocks, &quota, &batch, err);
        if (status == SF_OK)
            SF_TRY(sf_audit_batch(audit, &batch, err));
    }
    if (status == SF_FATAL)
        sf_audit_fault(audit, store_url(store), "%s", err->message);
    return status == SF_FATAL || status == SF_END || status == SF_EMPTY ? SF_OK : status;
}

SfStatus lanes_audit(SfNode *node, SfAudit *audit, Store *store, const GPtrArray *lanes, const LaneOptions *options,
                     Blocks *blocks, SfError *err)
{
    for (guint i = 0; i < lanes->len; i++) {
        Lane *lane = lanes->pdata[i];
        SF_TRY(entries_look_ahead(store, lane, err));
        SfAuditRange range = sf_audit_range_new(0, lane->name, lane->start, lane->end);
        range.topic = lane->topic;
        range.partition = lane->partition;
        range.place = lane->ledger;
        sf_audit_range(audit, &range);
    }
    for (guint i = 0; audit->depth == SF_AUDIT_DEEP && i < lanes->len; i++)
        SF_TRY(audit_lane(node, audit, store, lanes->pdata[i], options, blocks, err));
    if (lanes->len == 0)
        sf_audit_unknown(audit, store_url(store), "there is no ledger of s3-bronze-sink");
    return SF_OK;
}
