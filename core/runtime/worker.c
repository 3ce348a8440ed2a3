/* A sink's thread and its queue of batches and requests. Writing is write.c's, the beat commit.c's, rejects are
 * settle.c's. */
#include "worker.h"

#include "log.h"

#define QUEUE_LENGTH 64
#define QUEUE_BYTES (INT64_C(8) << 20) /* enough to go on while a sink writes; more only makes memory cold */
#define TICK_US (100 * 1000)
#define IDLE_MS 50

void worker_item_free(Item *item)
{
    shared_batch_unref(item->batch);
    request_unref(item->request);
    g_free(item);
}

/* ---- making and ending ------------------------------------------------ */

/* Sinks whose errors lead here commit before; see workers_commit. */
static guint level_of(const Attempt *attempt, const Step *step)
{
    guint level = 0;
    for (guint i = 0; i < step->inputs->len; i++) {
        const Edge *edge = step->inputs->pdata[i];
        const Worker *upstream = attempt->worker_of[edge->from->index];
        if (upstream)
            level = MAX(level, upstream->level + 1);
    }
    return level;
}

static SfStatus bind_inputs(Worker *worker, SfError *err)
{
    Attempt *attempt = worker->attempt;
    guint n = worker->step->inputs->len;
    g_autofree const struct ArrowSchema **inputs = g_new0(const struct ArrowSchema *, n);
    for (guint i = 0; i < n; i++) {
        const Edge *edge = worker->step->inputs->pdata[i];
        inputs[i] = edge->errors ? attempt->errors[edge->from->index] : attempt->out[edge->from->index];
    }
    SF_TRY(instance_bind(worker->instance, inputs, err));
    attempt->errors[worker->step->index] = worker->instance->errors;
    return SF_OK;
}

Worker *worker_new(Attempt *attempt, const Step *step, SfError *err)
{
    Worker *worker = g_new0(Worker, 1);
    worker->attempt = attempt;
    worker->step = step;
    worker->level = level_of(attempt, step);
    worker->chains = g_ptr_array_new_with_free_func(g_free);
    worker->by_split = g_new0(GPtrArray *, step->inputs->len);
    for (guint i = 0; i < step->inputs->len; i++)
        worker->by_split[i] = g_ptr_array_new();
    worker->context = (Context){.attempt = attempt,
                                .step = step,
                                .stats = &attempt->runner->stats[step->index],
                                .worker = worker,
                                .rejects = g_array_new(FALSE, TRUE, sizeof(Reject))};
    g_array_set_clear_func(worker->context.rejects, (GDestroyNotify) reject_clear);
    worker->instance =
        instance_new(step, attempt->pipeline, 0, attempt->runner->once, &host_services, &worker->context, err);
    if (!worker->instance || bind_inputs(worker, err) != SF_OK) {
        worker_free(worker);
        return NULL;
    }
    return worker;
}

void worker_interrupt(Worker *worker)
{
    const SfSink *sink = &worker->step->plugin->sink;
    if (sink->interrupt && g_atomic_int_get(&worker->opened))
        sink->interrupt(&worker->instance->node);
}

void worker_join(Worker *worker)
{
    if (worker->thread)
        g_thread_join(g_steal_pointer(&worker->thread));
}

void worker_free(Worker *worker)
{
    if (!worker)
        return;
    worker_join(worker);
    g_queue_clear_full(&worker->queue, (GDestroyNotify) worker_item_free);
    g_array_unref(worker->context.rejects);
    instance_free(worker->instance);
    budget_charge(&worker->attempt->runner->memory, -worker->context.charged);
    for (guint i = 0; i < worker->step->inputs->len; i++)
        g_ptr_array_unref(worker->by_split[i]);
    g_free(worker->by_split);
    g_ptr_array_unref(worker->chains);
    g_free(worker);
}

/* ---- the queue ------------------------------------------------ */

bool worker_has_room(const Worker *worker)
{
    return worker->queue.length < QUEUE_LENGTH && worker->queued_bytes < QUEUE_BYTES;
}

bool worker_has_open(const Worker *worker)
{
    for (guint i = 0; i < worker->chains->len; i++) {
        const Chain *chain = worker->chains->pdata[i];
        if (chain->offered > chain->committed)
            return true;
    }
    return false;
}

static void push(Worker *worker, Item *item)
{
    g_queue_push_tail(&worker->queue, item);
    worker->queued_bytes += item->batch ? item->batch->batch.bytes : 0;
    g_cond_broadcast(&worker->attempt->changed);
}

static const struct ArrowSchema *input_schema(const Worker *worker, size_t input)
{
    const Edge *edge = worker->step->inputs->pdata[input];
    const Attempt *attempt = worker->attempt;
    return edge->errors ? attempt->errors[edge->from->index] : attempt->out[edge->from->index];
}

Item *worker_gap(Chain *chain, gint64 end)
{
    SfBatch range = {.schema = input_schema(chain->worker, chain->input),
                     .split = &chain->split->split,
                     .start = chain->queued,
                     .end = end,
                     .newest_us = INT64_MIN};
    Item gap = {.kind = ITEM_BATCH, .input = chain->input, .batch = shared_batch_new(&range), .chain = chain};
    chain->queued = end;
    return g_memdup2(&gap, sizeof gap);
}

void worker_advance(Chain *chain, gint64 end)
{
    chain->offered = MAX(chain->offered, end);
}

void worker_offer(Worker *worker, size_t input, SharedBatch *batch)
{
    const SfBatch *rows = &batch->batch;
    g_mutex_lock(&worker->attempt->lock);
    Chain *chain = chain_find(worker, input, rows->split);
    if (chain && rows->end > chain->offered) {
        if (sf_rows(rows) > 0) {
            if (rows->start > chain->queued)
                push(worker, worker_gap(chain, rows->start));
            Item item = {.kind = ITEM_BATCH, .input = input, .batch = shared_batch_ref(batch), .chain = chain};
            push(worker, g_memdup2(&item, sizeof item));
            chain->queued = rows->end;
        }
        worker_advance(chain, rows->end);
    }
    g_mutex_unlock(&worker->attempt->lock);
}

/* The next item, or NULL after a while. Sets *leave when there will be none. */
static Item *next_item(Worker *worker, bool *leave)
{
    Attempt *attempt = worker->attempt;
    g_mutex_lock(&attempt->lock);
    if (worker->queue.length == 0 && attempt->phase < PHASE_CLOSE)
        attempt_wait(attempt, IDLE_MS);
    *leave = attempt->phase == PHASE_ABORT || (attempt->phase == PHASE_CLOSE && worker->queue.length == 0);
    bool full = !worker_has_room(worker);
    Item *item = *leave ? NULL : g_queue_pop_head(&worker->queue);
    worker->queued_bytes -= item && item->batch ? item->batch->batch.bytes : 0;
    worker->answering = item ? item->request : NULL;
    if (full && worker_has_room(worker))
        g_cond_broadcast(&attempt->changed);
    g_mutex_unlock(&attempt->lock);
    return item;
}

/* ---- hooks ------------------------------------------------ */

/* One after the other: what plugins load at first use (drivers, TLS) sets up what belongs to the whole process. */
static SfStatus call_open(gpointer data, SfError *err)
{
    static GMutex opening;
    Worker *worker = data;
    const SfSink *sink = &worker->step->plugin->sink;
    if (!sink->open)
        return SF_OK;
    g_mutex_lock(&opening);
    Hook before = hook_enter(&worker->instance->node, sink->head.name, "open", NULL);
    SfStatus status = sink->open(&worker->instance->node, err);
    hook_leave(&before);
    g_mutex_unlock(&opening);
    return status;
}

static SfStatus call_tick(gpointer data, SfError *err)
{
    Worker *worker = data;
    const SfSink *sink = &worker->step->plugin->sink;
    Hook before = hook_enter(&worker->instance->node, sink->head.name, "tick", NULL);
    SfStatus status = sink->tick(&worker->instance->node, err);
    hook_leave(&before);
    return status;
}

typedef struct RecoverCall {
    Worker *worker;
    Request *request;
} RecoverCall;

static SfStatus call_recover(gpointer data, SfError *err)
{
    RecoverCall *call = data;
    const SfSink *sink = &call->worker->step->plugin->sink;
    g_mutex_lock(&call->worker->attempt->lock);
    bool withdrawn = call->request->withdrawn;
    g_mutex_unlock(&call->worker->attempt->lock);
    if (withdrawn)
        return SF_EMPTY;
    if (!sink->recover) /* at least once: it knows of nothing */
        return SF_OK;
    SfNode *node = &call->worker->instance->node;
    Hook before = hook_enter(node, sink->head.name, "recover", NULL);
    SfStatus status = sink->recover(node, call->request->chains, call->request->n_chains, err);
    hook_leave(&before);
    return status;
}

static SfStatus tick(Worker *worker, SfError *err)
{
    gint64 now = g_get_monotonic_time();
    if (!worker->step->plugin->sink.tick || now - worker->ticked_us < TICK_US)
        return SF_OK;
    worker->ticked_us = now;
    return attempt_insist(&worker->context, call_tick, worker, true, err);
}

/* ---- the thread ------------------------------------------------ */

/* The question where to start has no answer any more when the pipeline stops. */
static SfStatus recover(Worker *worker, Request *request, SfError *err)
{
    return attempt_insist(&worker->context, call_recover, &(RecoverCall){worker, request}, false, err);
}

static SfStatus answer(Worker *worker, Request *request, SfError *err)
{
    bool asks_start = !request->reason;
    SfStatus status = asks_start ? recover(worker, request, err) : worker_commit(worker, request->reason, err);
    g_mutex_lock(&worker->attempt->lock);
    request->answered = status == SF_OK;
    worker->answering = NULL;
    g_cond_broadcast(&worker->attempt->changed);
    g_mutex_unlock(&worker->attempt->lock);
    if (asks_start && (status == SF_RETRY || status == SF_EMPTY))
        return SF_OK; /* what was written is still to be committed */
    return status;
}

static SfStatus serve_queue(Worker *worker, SfError *err)
{
    for (bool leave = false; !leave;) {
        Item *item = next_item(worker, &leave);
        SfStatus status = SF_OK;
        if (item) {
            status = item->kind == ITEM_BATCH ? worker_write(worker, item, err) : answer(worker, item->request, err);
            worker_item_free(item);
        }
        if (status == SF_OK && !leave)
            status = tick(worker, err);
        if (status == SF_OK && !leave)
            status = worker_beat(worker, err);
        if (status == SF_RETRY) /* the attempt is being left */
            return SF_OK;
        if (status != SF_OK)
            return status;
    }
    return SF_OK;
}

static gpointer worker_main(gpointer data)
{
    Worker *worker = data;
    Attempt *attempt = worker->attempt;
    SfError err = {""};
    batch_count_kept(&worker->kept);
    SfStatus status = attempt_insist(&worker->context, call_open, worker, false, &err);
    g_mutex_lock(&attempt->lock);
    g_atomic_int_set(&worker->opened, status == SF_OK);
    g_cond_broadcast(&attempt->changed);
    g_mutex_unlock(&attempt->lock);
    if (status == SF_OK)
        status = serve_queue(worker, &err);
    if (status != SF_OK && status != SF_RETRY)
        attempt_fail(attempt, worker->step, status, err.message);
    g_mutex_lock(&attempt->lock);
    worker->ended = true;
    g_cond_broadcast(&attempt->changed);
    g_mutex_unlock(&attempt->lock);
    return NULL;
}

void worker_start(Worker *worker)
{
    worker->thread = attempt_thread(worker->attempt, worker->step, worker_main, worker, &worker->ended);
}
