/* A sink's thread: takes batches and requests from its queue, keeps the beat, retries. Rejects are in settle.c. */
#include "worker.h"

#include "log.h"

#define QUEUE_LENGTH 64
#define TICK_US (100 * 1000)
#define IDLE_MS 50
#define SQUEEZE_US (200 * 1000)

static void item_free(Item *item)
{
    shared_batch_unref(item->batch);
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
    if (worker->step->error_outputs->len > 0 && n > 1)
        return sf_fail(err, SF_CONFIG,
                       "'%s' has several inputs, so its errors cannot be read; give each input a step of its own",
                       worker->step->name);
    attempt->errors[worker->step->index] = worker->instance->errors;
    return SF_OK;
}

Worker *worker_new(Attempt *attempt, const Step *step, SfError *err)
{
    Worker *worker = g_new0(Worker, 1);
    worker->attempt = attempt;
    worker->step = step;
    worker->level = level_of(attempt, step);
    worker->chains = g_new0(GPtrArray *, step->inputs->len);
    for (guint i = 0; i < step->inputs->len; i++)
        worker->chains[i] = g_ptr_array_new_with_free_func(g_free);
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
    g_queue_clear_full(&worker->queue, (GDestroyNotify) item_free);
    g_array_unref(worker->context.rejects);
    instance_free(worker->instance);
    budget_charge(-worker->context.charged);
    for (guint i = 0; i < worker->step->inputs->len; i++)
        g_ptr_array_unref(worker->chains[i]);
    g_free(worker->chains);
    g_free(worker);
}

/* ---- the queue ------------------------------------------------ */

bool worker_has_room(const Worker *worker)
{
    return worker->queue.length < QUEUE_LENGTH;
}

static void push(Worker *worker, Item *item)
{
    g_queue_push_tail(&worker->queue, item);
    g_cond_broadcast(&worker->attempt->changed);
}

static const struct ArrowSchema *input_schema(const Worker *worker, size_t input)
{
    const Edge *edge = worker->step->inputs->pdata[input];
    const Attempt *attempt = worker->attempt;
    return edge->errors ? attempt->errors[edge->from->index] : attempt->out[edge->from->index];
}

static SharedBatch *gap_batch(const Chain *chain, gint64 start, gint64 end)
{
    const struct ArrowSchema *schema = input_schema(chain->worker, chain->input);
    SfBatch gap = {.schema = schema, .split = &chain->split->split, .start = start, .end = end, .newest_us = INT64_MIN};
    return shared_batch_new(&gap);
}

/* A batch without rows that brings a chain from where its last batch ended to `end`. Lock held. */
static Item *gap_item(Chain *chain, gint64 end)
{
    Item gap = {
        .kind = ITEM_BATCH, .input = chain->input, .batch = gap_batch(chain, chain->queued, end), .chain = chain};
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
                push(worker, gap_item(chain, rows->start));
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
    Item *item = *leave ? NULL : g_queue_pop_head(&worker->queue);
    worker->answering = item ? item->request : NULL;
    g_mutex_unlock(&attempt->lock);
    return item;
}

/* ---- hooks ------------------------------------------------ */

typedef struct WriteCall {
    Worker *worker;
    size_t input;
    const SfBatch *batch;
} WriteCall;

/* One after the other: what plugins load at first use (drivers, TLS) sets up what belongs to the whole process. */
static SfStatus call_open(gpointer data, SfError *err)
{
    static GMutex opening;
    Worker *worker = data;
    const SfSink *sink = &worker->step->plugin->sink;
    if (!sink->open)
        return SF_OK;
    g_mutex_lock(&opening);
    SfStatus status = sink->open(&worker->instance->node, err);
    g_mutex_unlock(&opening);
    return status;
}

static SfStatus call_write(gpointer data, SfError *err)
{
    WriteCall *call = data;
    return call->worker->step->plugin->sink.write(&call->worker->instance->node, call->input, call->batch, err);
}

static SfStatus call_tick(gpointer data, SfError *err)
{
    Worker *worker = data;
    return worker->step->plugin->sink.tick(&worker->instance->node, err);
}

typedef struct AskCall {
    Worker *worker;
    Request *request;
    SfCommitReason reason;
} AskCall;

static SfStatus call_recover(gpointer data, SfError *err)
{
    AskCall *call = data;
    const SfSink *sink = &call->worker->step->plugin->sink;
    if (!sink->recover) /* at least once: it knows of nothing */
        return SF_OK;
    return sink->recover(&call->worker->instance->node, call->request->chains, call->request->n_chains, err);
}

static SfStatus call_commit(gpointer data, SfError *err)
{
    AskCall *call = data;
    const SfSink *sink = &call->worker->step->plugin->sink;
    return sink->commit ? sink->commit(&call->worker->instance->node, call->reason, err) : SF_OK;
}

static SfStatus insist(Worker *worker, SfStatus (*hook)(gpointer data, SfError *err), gpointer data, SfError *err)
{
    return attempt_insist(&worker->context, hook, data, err);
}

/* The whole batch is refused: its rows become rejects, its range goes on without them. */
static SfStatus refuse(Worker *worker, const Item *item, SfError *err)
{
    const SfBatch *batch = &item->batch->batch;
    g_autofree char *cause = g_strdup(err->message);
    for (int64_t row = 0; row < sf_rows(batch); row++)
        sf_reject(&worker->instance->node, batch, row, "%s", cause);
    SharedBatch *gap = gap_batch(item->chain, batch->start, batch->end);
    SfStatus status = insist(worker, call_write, &(WriteCall){worker, item->input, &gap->batch}, err);
    shared_batch_unref(gap);
    return status;
}

static SfStatus write_item(Worker *worker, const Item *item, SfError *err)
{
    const SfBatch *batch = &item->batch->batch;
    SfStatus status = insist(worker, call_write, &(WriteCall){worker, item->input, batch}, err);
    if (status == SF_REJECT)
        status = refuse(worker, item, err);
    if (status != SF_OK)
        return status;
    g_mutex_lock(&worker->attempt->lock);
    item->chain->written = batch->end;
    g_mutex_unlock(&worker->attempt->lock);
    worker->rows += sf_rows(batch);
    worker->bytes += batch->bytes;
    if (worker->since_us == 0)
        worker->since_us = g_get_monotonic_time();
    stats_add(&worker->context.stats->rows_in, sf_rows(batch));
    if (batch->newest_us > stats_get(&worker->context.stats->newest_us))
        __atomic_store_n(&worker->context.stats->newest_us, batch->newest_us, __ATOMIC_RELAXED);
    return SF_OK;
}

/* ---- committing ------------------------------------------------ */

/* What has moved on without rows is told to the sink before it commits; not past batches that wait in the queue. */
static SfStatus write_gaps(Worker *worker, SfError *err)
{
    g_autoptr(GPtrArray) gaps = g_ptr_array_new_with_free_func((GDestroyNotify) item_free);
    g_mutex_lock(&worker->attempt->lock);
    for (size_t input = 0; input < worker->step->inputs->len; input++) {
        for (guint i = 0; i < worker->chains[input]->len; i++) {
            Chain *chain = worker->chains[input]->pdata[i];
            if (chain && chain->written == chain->queued && chain->offered > chain->queued)
                g_ptr_array_add(gaps, gap_item(chain, chain->offered));
        }
    }
    g_mutex_unlock(&worker->attempt->lock);
    for (guint i = 0; i < gaps->len; i++)
        SF_TRY(write_item(worker, gaps->pdata[i], err));
    return SF_OK;
}

/* After a commit of everything an exactly-once sink has told of everything; others never tell. */
static SfStatus check_committed(Worker *worker, SfCommitReason reason, SfError *err)
{
    bool tells = worker->step->plugin->sink.delivery == SF_EXACTLY_ONCE;
    SfStatus status = SF_OK;
    g_mutex_lock(&worker->attempt->lock);
    for (guint input = 0; input < worker->step->inputs->len; input++) {
        for (guint i = 0; i < worker->chains[input]->len; i++) {
            Chain *chain = worker->chains[input]->pdata[i];
            if (!chain || chain->committed == chain->written)
                continue;
            if (!tells)
                chain->committed = chain->written;
            else if (reason > SF_COMMIT_CHECKPOINT)
                status = sf_fail(err, SF_FATAL,
                                 "it said that all is committed, but %s ends at %" G_GINT64_FORMAT
                                 " instead of %" G_GINT64_FORMAT,
                                 chain->split->name, chain->committed, chain->written);
        }
    }
    g_mutex_unlock(&worker->attempt->lock);
    return status;
}

static SfStatus commit(Worker *worker, SfCommitReason reason, SfError *err)
{
    SF_TRY(write_gaps(worker, err));
    SF_TRY(insist(worker, call_commit, &(AskCall){.worker = worker, .reason = reason}, err));
    SF_TRY(check_committed(worker, reason, err));
    worker->since_us = worker->rows = worker->bytes = 0;
    stats_add(&worker->context.stats->commits, 1);
    __atomic_store_n(&worker->context.stats->committed_us, g_get_real_time(), __ATOMIC_RELAXED);
    return SF_OK;
}

/* Lock held. */
static bool has_gaps(const Worker *worker)
{
    for (guint input = 0; input < worker->step->inputs->len; input++) {
        for (guint i = 0; i < worker->chains[input]->len; i++) {
            const Chain *chain = worker->chains[input]->pdata[i];
            if (chain && chain->offered > chain->written)
                return true;
        }
    }
    return false;
}

static gint64 held_by(const Worker *worker)
{
    return __atomic_load_n(&worker->context.charged, __ATOMIC_RELAXED) +
           __atomic_load_n(&worker->kept, __ATOMIC_RELAXED);
}

/* Whether this sink's commit is the one that helps: it holds the most, and enough to be worth a small file or
 * transaction, unless nothing else goes any more. */
static bool should_give_back(const Worker *worker)
{
    gint64 held = held_by(worker);
    const GPtrArray *workers = worker->attempt->workers;
    for (guint i = 0; i < workers->len; i++) {
        if (held_by(workers->pdata[i]) > held)
            return false;
    }
    return worker->rows > 0 && (held >= budget_limit() / 8 || budget_full());
}

/* The pipeline's beat, and the process's memory. */
static SfStatus beat(Worker *worker, SfError *err)
{
    const Pipeline *pipeline = worker->attempt->pipeline;
    gint64 now = g_get_monotonic_time();
    g_mutex_lock(&worker->attempt->lock);
    bool idle = worker->queue.length == 0;
    if (worker->since_us == 0 && idle && has_gaps(worker))
        worker->since_us = now;
    g_mutex_unlock(&worker->attempt->lock);
    if (worker->since_us == 0)
        return SF_OK;
    if (now - worker->since_us >= pipeline->checkpoint_ms * 1000 ||
        (pipeline->checkpoint_rows > 0 && worker->rows >= pipeline->checkpoint_rows) ||
        (pipeline->checkpoint_bytes > 0 && worker->bytes >= pipeline->checkpoint_bytes))
        return commit(worker, SF_COMMIT_CHECKPOINT, err);
    if (!budget_tight() || !idle || !should_give_back(worker) || now - worker->squeezed_us < SQUEEZE_US)
        return SF_OK;
    SfStatus status = commit(worker, SF_COMMIT_MEMORY, err);
    worker->squeezed_us = g_get_monotonic_time();
    return status;
}

static SfStatus tick(Worker *worker, SfError *err)
{
    gint64 now = g_get_monotonic_time();
    if (!worker->step->plugin->sink.tick || now - worker->ticked_us < TICK_US)
        return SF_OK;
    worker->ticked_us = now;
    return insist(worker, call_tick, worker, err);
}

/* ---- the thread ------------------------------------------------ */

static SfStatus answer(Worker *worker, Request *request, SfError *err)
{
    SfStatus status = request->reason ? commit(worker, request->reason, err)
                                      : insist(worker, call_recover, &(AskCall){worker, request, 0}, err);
    g_mutex_lock(&worker->attempt->lock);
    request->answered = status == SF_OK;
    worker->answering = NULL;
    g_cond_broadcast(&worker->attempt->changed);
    g_mutex_unlock(&worker->attempt->lock);
    return status;
}

static SfStatus serve_queue(Worker *worker, SfError *err)
{
    for (bool leave = false; !leave;) {
        Item *item = next_item(worker, &leave);
        SfStatus status = SF_OK;
        if (item) {
            status = item->kind == ITEM_BATCH ? write_item(worker, item, err) : answer(worker, item->request, err);
            item_free(item);
        }
        if (status == SF_OK && !leave)
            status = tick(worker, err);
        if (status == SF_OK && !leave)
            status = beat(worker, err);
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
    SfStatus status = insist(worker, call_open, worker, &err);
    g_mutex_lock(&attempt->lock);
    g_atomic_int_set(&worker->opened, status == SF_OK);
    g_cond_broadcast(&attempt->changed);
    g_mutex_unlock(&attempt->lock);
    if (status == SF_OK)
        status = serve_queue(worker, &err);
    if (status != SF_OK && status != SF_RETRY)
        attempt_fail(attempt, worker->step, status, err.message);
    return NULL;
}

void worker_start(Worker *worker)
{
    worker->thread = g_thread_new(worker->step->name, worker_main, worker);
}
