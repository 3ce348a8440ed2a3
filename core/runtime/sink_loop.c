/* A sink's thread at work; see sink_loop.h. */
#include "sink_loop.h"

#include "config/hook.h"
#include "sink_commit.h"
#include "sink_write.h"

#define TICK_US (100 * 1000)
#define IDLE_TICK_US G_USEC_PER_SEC
#define LATE_PART 8

/* ---- hooks ------------------------------------------------ */

/* One after the other: what plugins load at first use (drivers, TLS) sets up what belongs to the whole process. */
static SfStatus call_open(gpointer data, SfError *err)
{
    static GMutex opening;
    SinkThread *sink = data;
    const SfSink *hooks = &sink->step->plugin->sink;
    if (!hooks->open)
        return SF_OK;
    g_mutex_lock(&opening);
    Hook before = hook_enter(&sink->instance->node, hooks->head.name, "open", NULL);
    SfStatus status = hooks->open(&sink->instance->node, err);
    hook_leave(&before);
    g_mutex_unlock(&opening);
    return status;
}

static SfStatus call_tick(gpointer data, SfError *err)
{
    SinkThread *sink = data;
    const SfSink *hooks = &sink->step->plugin->sink;
    Hook before = hook_enter(&sink->instance->node, hooks->head.name, "tick", NULL);
    SfStatus status = hooks->tick(&sink->instance->node, err);
    hook_leave(&before);
    return status;
}

typedef struct RecoverCall {
    SinkThread *sink;
    Request *request;
} RecoverCall;

static SfStatus call_recover(gpointer data, SfError *err)
{
    RecoverCall *call = data;
    const SfSink *hooks = &call->sink->step->plugin->sink;
    g_mutex_lock(&call->sink->context->lock);
    bool withdrawn = call->request->withdrawn;
    g_mutex_unlock(&call->sink->context->lock);
    if (withdrawn)
        return SF_EMPTY;
    if (!hooks->recover) /* at least once: it knows of nothing */
        return SF_OK;
    SfNode *node = &call->sink->instance->node;
    Hook before = hook_enter(node, hooks->head.name, "recover", NULL);
    SfStatus status = hooks->recover(node, call->request->chains, call->request->n_chains, err);
    hook_leave(&before);
    return status;
}

static SfStatus tick(SinkThread *sink, SfError *err)
{
    gint64 now = g_get_monotonic_time();
    if (!sink->step->plugin->sink.tick || now - sink->ticked_us < TICK_US)
        return SF_OK;
    sink->ticked_us = now;
    return context_retry(&sink->caller, call_tick, sink, true, err);
}

/* ---- the thread ------------------------------------------------ */

/* The question where to start has no answer any more when the pipeline stops. */
static SfStatus recover(SinkThread *sink, Request *request, SfError *err)
{
    return context_retry(&sink->caller, call_recover, &(RecoverCall){sink, request}, false, err);
}

static SfStatus answer(SinkThread *sink, Request *request, SfError *err)
{
    bool asks_start = !request->reason;
    SfStatus status = asks_start ? recover(sink, request, err) : sink_commit(sink, request->reason, err);
    g_mutex_lock(&sink->context->lock);
    request->answered = status == SF_OK;
    sink->answering = NULL;
    g_cond_broadcast(&sink->context->changed);
    g_mutex_unlock(&sink->context->lock);
    if (asks_start && (status == SF_RETRY || status == SF_EMPTY))
        return SF_OK; /* what was written is still to be committed */
    return status;
}

/* Lock held. */
static bool has_nothing(const SinkThread *sink)
{
    return sink->queue.length == 0 && !sink->roused && sink->context->phase < PHASE_CLOSE;
}

gint64 sink_tick_after(gint64 silent_us)
{
    return CLAMP(silent_us / LATE_PART, TICK_US, IDLE_TICK_US);
}

/* When the sink has something to do even if nobody gives it anything; G_MAXINT64: never. Lock held. */
static gint64 due_at(const SinkThread *sink)
{
    gint64 due = sink_commit_due(sink);
    if (!sink->step->plugin->sink.tick)
        return due;
    bool open = sink->since_us > 0 || ledger_has_open(sink->context->ledger, sink->step);
    gint64 after = open ? sink_tick_after(sink->ticked_us - sink->written_us) : IDLE_TICK_US;
    return MIN(due, sink->ticked_us + after);
}

/* Lock held; whoever gives the sink something takes the lock after the ledger's, and is heard. What makes a commit due
 * earlier than it was is told, too. */
static void sleep_until_needed(SinkThread *sink)
{
    Context *context = sink->context;
    while (has_nothing(sink)) {
        gint64 due = due_at(sink);
        if (due == G_MAXINT64)
            g_cond_wait(&context->changed, &context->lock);
        else if (due <= g_get_monotonic_time())
            break;
        else
            g_cond_wait_until(&context->changed, &context->lock, due);
    }
    sink->roused = false;
}

/* The next item, or NULL when it is time for something else. Sets *leave when no more will come. */
static Item *next_item(SinkThread *sink, bool *leave)
{
    Context *context = sink->context;
    g_mutex_lock(&context->lock);
    sleep_until_needed(sink);
    *leave = context->phase == PHASE_ABORT || (context->phase == PHASE_CLOSE && sink->queue.length == 0);
    bool full = !sink_has_room(sink);
    Item *item = *leave ? NULL : g_queue_pop_head(&sink->queue);
    sink->queued_bytes -= item && item->batch ? item->batch->batch.bytes : 0;
    sink->answering = item ? item->request : NULL;
    if (full && sink_has_room(sink))
        g_cond_broadcast(&context->changed);
    g_mutex_unlock(&context->lock);
    return item;
}

static SfStatus serve_queue(SinkThread *sink, SfError *err)
{
    for (bool leave = false; !leave;) {
        Item *item = next_item(sink, &leave);
        SfStatus status = SF_OK;
        if (item) {
            status = item->kind == ITEM_BATCH ? sink_write(sink, item, err) : answer(sink, item->request, err);
            sink_item_free(item);
        }
        if (status == SF_OK && !leave)
            status = tick(sink, err);
        if (status == SF_OK && !leave)
            status = sink_maybe_commit(sink, err);
        if (status == SF_RETRY) /* the attempt is being left */
            return SF_OK;
        if (status != SF_OK)
            return status;
    }
    return SF_OK;
}

static gpointer sink_main(gpointer data)
{
    SinkThread *sink = data;
    Context *context = sink->context;
    SfError err = {""};
    batch_count_kept(&sink->kept);
    SfStatus status = context_retry(&sink->caller, call_open, sink, false, &err);
    g_mutex_lock(&context->lock);
    g_atomic_int_set(&sink->opened, status == SF_OK);
    g_cond_broadcast(&context->changed);
    g_mutex_unlock(&context->lock);
    if (status == SF_OK)
        status = serve_queue(sink, &err);
    if (status != SF_OK && status != SF_RETRY)
        context_fail(context, sink->step, status, err.message);
    g_mutex_lock(&context->lock);
    sink->ended = true;
    g_cond_broadcast(&context->changed);
    g_mutex_unlock(&context->lock);
    return NULL;
}

void sink_start(SinkThread *sink)
{
    sink->thread = context_thread(sink->context, sink->step, sink_main, sink, &sink->ended);
}
