/* Batches to a sink; see sink_write.h. */
#include "sink_write.h"

#include "config/hook.h"
#include "rejects.h"

typedef struct WriteCall {
    SinkThread *sink;
    size_t input;
    const SfBatch *batch;
} WriteCall;

static SfStatus call_write(gpointer data, SfError *err)
{
    WriteCall *call = data;
    SinkThread *sink = call->sink;
    const Plugin *plugin = sink->step->plugin;
    Hook before = hook_enter(&sink->instance->node, plugin->head.name, "write", call->batch);
    SfStatus status = plugin->sink.write(&sink->instance->node, call->input, call->batch, err);
    hook_leave(&before);
    if (status == SF_RETRY || status == SF_REJECT)
        rejects_take_back(&sink->caller, call->batch);
    return status;
}

static SfStatus write_again(SinkThread *sink, size_t input, const SfBatch *batch, SfError *err)
{
    return context_retry(&sink->caller, call_write, &(WriteCall){sink, input, batch}, true, err);
}

/* The whole batch is refused: its rows become rejects, its range goes on without them. */
static SfStatus refuse(SinkThread *sink, const Item *item, SfError *err)
{
    const SfBatch *batch = &item->batch->batch;
    g_autofree char *cause = g_strdup(err->message);
    for (int64_t row = 0; row < sf_rows(batch); row++)
        sf_reject(&sink->instance->node, batch, row, "%s", cause);
    SfBatch range = {.schema = batch->schema,
                     .split = batch->split,
                     .start = batch->start,
                     .end = batch->end,
                     .newest_us = INT64_MIN};
    SharedBatch *gap = shared_batch_new(&range);
    SfStatus status = write_again(sink, item->input, &gap->batch, err);
    shared_batch_unref(gap);
    return status;
}

SfStatus sink_write(SinkThread *sink, const Item *item, SfError *err)
{
    const SfBatch *batch = &item->batch->batch;
    Ledger *ledger = sink->context->ledger;
    ledger_hand_out(ledger, sink->step, item->input, batch->split, batch->end);
    SfStatus status = write_again(sink, item->input, batch, err);
    if (status == SF_REJECT)
        status = refuse(sink, item, err);
    if (status != SF_OK)
        return status;
    ledger_written(ledger, sink->step, item->input, batch->split, batch->end);
    stats_add(&sink->rows, sf_rows(batch));
    sink->bytes += batch->bytes;
    sink->written_us = g_get_monotonic_time();
    if (sink->since_us == 0)
        sink->since_us = sink->written_us;
    stats_add(&sink->caller.stats->rows_in, sf_rows(batch));
    stats_add(&sink->caller.stats->bytes, batch->bytes);
    stats_newest(sink->caller.stats, batch->newest_us);
    return rejects_check(&sink->caller, err);
}
