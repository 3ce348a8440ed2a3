/* A sink's queue of batches and requests; see sink_thread.h. */
#include "sink_thread.h"

#include "rejects.h"

#define QUEUE_LENGTH 64
#define QUEUE_BYTES (INT64_C(8) << 20) /* enough to go on while a sink writes; more only makes memory cold */

/* ---- requests and items ------------------------------------------------ */

Request *request_new(SfCommitReason reason)
{
    Request *request = g_new0(Request, 1);
    request->references = 1;
    request->reason = reason;
    return request;
}

void request_unref(Request *request)
{
    if (!request || !g_atomic_int_dec_and_test(&request->references))
        return;
    g_free(request->chains);
    g_free(request);
}

void sink_item_free(Item *item)
{
    shared_batch_unref(item->batch);
    request_unref(item->request);
    g_free(item);
}

/* ---- making and ending ------------------------------------------------ */

/* Sinks whose errors lead here commit before; see requests_commit. */
static guint level_of(const Context *context, const Step *step)
{
    guint level = 0;
    for (guint i = 0; i < step->inputs->len; i++) {
        const Edge *edge = step->inputs->pdata[i];
        const SinkThread *upstream = context->sink_of[edge->from->index];
        if (upstream)
            level = MAX(level, upstream->level + 1);
    }
    return level;
}

static SfStatus bind_inputs(SinkThread *sink, SfError *err)
{
    Context *context = sink->context;
    guint n = sink->step->inputs->len;
    g_autofree const struct ArrowSchema **inputs = g_new0(const struct ArrowSchema *, n);
    for (guint i = 0; i < n; i++)
        inputs[i] = context_schema(context, sink->step->inputs->pdata[i]);
    SF_TRY(instance_bind(sink->instance, inputs, err));
    context->errors[sink->step->index] = sink->instance->errors;
    return SF_OK;
}

SinkThread *sink_new(Context *context, const Step *step, SfError *err)
{
    SinkThread *sink = g_new0(SinkThread, 1);
    sink->context = context;
    sink->step = step;
    sink->level = level_of(context, step);
    sink->caller = (Caller){.context = context,
                            .step = step,
                            .stats = &context->stats[step->index],
                            .sink = sink,
                            .rejects = rejects_new()};
    sink->instance = instance_new(step, context->pipeline, 0, context->once, context->host, &sink->caller, err);
    if (!sink->instance || bind_inputs(sink, err) != SF_OK) {
        sink_free(sink);
        return NULL;
    }
    return sink;
}

void sink_interrupt(SinkThread *sink)
{
    const SfSink *hooks = &sink->step->plugin->sink;
    if (hooks->interrupt && g_atomic_int_get(&sink->opened))
        hooks->interrupt(&sink->instance->node);
}

void sink_free(SinkThread *sink)
{
    if (!sink)
        return;
    if (sink->thread)
        g_thread_join(sink->thread);
    g_queue_clear_full(&sink->queue, (GDestroyNotify) sink_item_free);
    g_array_unref(sink->caller.rejects);
    instance_free(sink->instance);
    budget_charge(sink->context->memory, -sink->caller.charged);
    g_free(sink);
}

/* ---- the queue ------------------------------------------------ */

bool sink_has_room(const SinkThread *sink)
{
    return sink->queue.length < QUEUE_LENGTH && sink->queued_bytes < QUEUE_BYTES;
}

static void push(SinkThread *sink, Item *item)
{
    g_queue_push_tail(&sink->queue, item);
    sink->queued_bytes += item->batch ? item->batch->batch.bytes : 0;
    g_cond_broadcast(&sink->context->changed);
}

Item *sink_gap(const SinkThread *sink, const LedgerGap *gap)
{
    SfBatch range = {.schema = context_schema(sink->context, sink->step->inputs->pdata[gap->input]),
                     .split = gap->split,
                     .start = gap->start,
                     .end = gap->end,
                     .newest_us = INT64_MIN};
    Item item = {.kind = ITEM_BATCH, .input = gap->input, .batch = shared_batch_new(&range)};
    return g_memdup2(&item, sizeof item);
}

/* Nobody else offers to that chain meanwhile, so the order of its batches is the ledger's. */
static void push_rows(SinkThread *sink, size_t input, SharedBatch *batch, gint64 gap_start)
{
    Item item = {.kind = ITEM_BATCH, .input = input, .batch = shared_batch_ref(batch)};
    LedgerGap gap = {.input = input, .split = batch->batch.split, .start = gap_start, .end = batch->batch.start};
    g_mutex_lock(&sink->context->lock);
    if (gap_start != SF_POSITION_NONE)
        push(sink, sink_gap(sink, &gap));
    push(sink, g_memdup2(&item, sizeof item));
    g_mutex_unlock(&sink->context->lock);
}

void sink_offer(SinkThread *sink, size_t input, SharedBatch *batch)
{
    const SfBatch *rows = &batch->batch;
    Ledger *ledger = sink->context->ledger;
    gint64 gap = SF_POSITION_NONE;
    if (sf_rows(rows) == 0)
        sink_advance(sink, input, rows->split, rows->end);
    else if (ledger_queue(ledger, sink->step, input, rows->split, rows->start, rows->end, &gap))
        push_rows(sink, input, batch, gap);
}

void sink_advance(SinkThread *sink, size_t input, const SfSplit *split, gint64 end)
{
    if (ledger_advance(sink->context->ledger, sink->step, input, split, end))
        sink_rouse(sink);
}

void sink_rouse(SinkThread *sink)
{
    g_mutex_lock(&sink->context->lock);
    sink->roused = true;
    g_cond_broadcast(&sink->context->changed);
    g_mutex_unlock(&sink->context->lock);
}
