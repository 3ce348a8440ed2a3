/* One batch to one sink: retried, refused as a whole, counted. Worker's thread. */
#include "worker.h"

typedef struct WriteCall {
    Worker *worker;
    size_t input;
    const SfBatch *batch;
} WriteCall;

static SfStatus call_write(gpointer data, SfError *err)
{
    WriteCall *call = data;
    Worker *worker = call->worker;
    const Plugin *plugin = worker->step->plugin;
    Hook before = hook_enter(&worker->instance->node, plugin->head.name, "write", call->batch);
    SfStatus status = plugin->sink.write(&worker->instance->node, call->input, call->batch, err);
    hook_leave(&before);
    if (status == SF_RETRY || status == SF_REJECT)
        rejects_take_back(&worker->context, call->batch);
    return status;
}

static SfStatus write_batch(Worker *worker, size_t input, const SfBatch *batch, SfError *err)
{
    return attempt_insist(&worker->context, call_write, &(WriteCall){worker, input, batch}, true, err);
}

/* The whole batch is refused: its rows become rejects, its range goes on without them. */
static SfStatus refuse(Worker *worker, const Item *item, SfError *err)
{
    const SfBatch *batch = &item->batch->batch;
    g_autofree char *cause = g_strdup(err->message);
    for (int64_t row = 0; row < sf_rows(batch); row++)
        sf_reject(&worker->instance->node, batch, row, "%s", cause);
    SfBatch range = {.schema = batch->schema,
                     .split = batch->split,
                     .start = batch->start,
                     .end = batch->end,
                     .newest_us = INT64_MIN};
    SharedBatch *gap = shared_batch_new(&range);
    SfStatus status = write_batch(worker, item->input, &gap->batch, err);
    shared_batch_unref(gap);
    return status;
}

SfStatus worker_write(Worker *worker, const Item *item, SfError *err)
{
    const SfBatch *batch = &item->batch->batch;
    SfStatus status = write_batch(worker, item->input, batch, err);
    if (status == SF_REJECT)
        status = refuse(worker, item, err);
    if (status != SF_OK)
        return status;
    g_mutex_lock(&worker->attempt->lock);
    item->chain->written = batch->end;
    g_mutex_unlock(&worker->attempt->lock);
    stats_add(&worker->rows, sf_rows(batch));
    worker->bytes += batch->bytes;
    if (worker->since_us == 0)
        worker->since_us = g_get_monotonic_time();
    stats_add(&worker->context.stats->rows_in, sf_rows(batch));
    if (batch->newest_us > stats_get(&worker->context.stats->newest_us))
        __atomic_store_n(&worker->context.stats->newest_us, batch->newest_us, __ATOMIC_RELAXED);
    return rejects_check(&worker->context, err);
}
