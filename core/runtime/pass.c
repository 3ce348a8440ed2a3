/* A batch on its way from the source through the transforms to the queues of the sinks. Waits for nobody. */
#include <inttypes.h>

#include "data/rowfilter.h"
#include "task.h"
#include "worker.h"

static void give_back(gpointer share, gint64 bytes)
{
    budget_charge(share, -bytes);
}

/* Moves the rows into a batch that may have many readers, and charges it to the memory budget. */
static SharedBatch *share(const Task *task, SfBatch *rows)
{
    SharedBatch *shared = shared_batch_new(rows);
    shared->freed = give_back;
    shared->freed_data = &task->attempt->runner->memory;
    budget_charge(shared->freed_data, shared->batch.bytes);
    return shared;
}

/* Whether a sink at or behind the step still needs rows of the batch. The split's own list of chains is the task's to
 * read; a sink's is every task's to extend. */
static bool needed(const Step *step, const SfBatch *batch)
{
    const SplitState *split = (const SplitState *) (gconstpointer) batch->split;
    for (guint i = 0; i < split->chains->len; i++) {
        const Chain *chain = split->chains->pdata[i];
        if (chain->recovered < batch->end && step_reaches(step, chain->worker->step))
            return true;
    }
    return false;
}

/* While some sinks catch up, what only the others would get is not worked out again. */
static bool worth_it(const Step *step, const SfBatch *batch)
{
    const SplitState *split = (const SplitState *) (gconstpointer) batch->split;
    return batch->start >= split->highest_cut || needed(step, batch);
}

static SfStatus transform(Task *task, const Step *step, SharedBatch *in, SfError *err);

static SfStatus pass_on(Task *task, const GPtrArray *edges, SharedBatch *batch, SfError *err)
{
    for (guint i = 0; i < edges->len; i++) {
        const Edge *edge = edges->pdata[i];
        if (edge->to->plugin->kind == SF_SINK)
            worker_offer(task->attempt->worker_of[edge->to->index], edge->input, batch);
        else if (worth_it(edge->to, &batch->batch))
            SF_TRY(transform(task, edge->to, batch, err));
    }
    return SF_OK;
}

/* The range goes on without rows: no batch is made for it. */
static void pass_range(Task *task, const GPtrArray *edges, const SfBatch *range)
{
    for (guint i = 0; i < edges->len; i++) {
        const Edge *edge = edges->pdata[i];
        if (edge->to->plugin->kind == SF_SINK) {
            g_mutex_lock(&task->attempt->lock);
            Chain *chain = chain_find(task->attempt->worker_of[edge->to->index], edge->input, range->split);
            if (chain)
                worker_advance(chain, range->end);
            g_mutex_unlock(&task->attempt->lock);
        } else {
            pass_range(task, edge->to->outputs, range);
            pass_range(task, edge->to->error_outputs, range);
        }
    }
}

static SfStatus pass_rows(Task *task, const GPtrArray *edges, SfBatch *rows, SfError *err)
{
    SharedBatch *shared = share(task, rows);
    SfStatus status = SF_OK;
    if (sf_rows(&shared->batch) > 0)
        status = pass_on(task, edges, shared, err);
    else
        pass_range(task, edges, &shared->batch);
    shared_batch_unref(shared);
    return status;
}

static SfStatus pass_rejects(Task *task, const Step *step, const SfBatch *in, SfError *err)
{
    Context *context = &task->contexts[step->index];
    guint n = context->rejects->len;
    if (n == 0) {
        pass_range(task, step->error_outputs, in);
        return SF_OK;
    }
    g_autofree const Reject **rejects = g_new(const Reject *, n);
    for (guint i = 0; i < n; i++)
        rejects[i] = &g_array_index(context->rejects, Reject, i);
    SfStatus status;
    if (step->error_outputs->len == 0) {
        status = rejects_unread(context, rejects, n, err);
    } else {
        SfBatch rows = {0};
        status = rejects_batch(context, task->attempt->errors[step->index], rejects, n, &rows, err);
        if (status == SF_OK)
            status = pass_rows(task, step->error_outputs, &rows, err);
    }
    g_array_set_size(context->rejects, 0);
    return status;
}

typedef struct ApplyCall {
    const SfTransform *transform;
    Instance *instance;
    Context *context;
    const SfBatch *in;
    SfBatch out;
} ApplyCall;

static SfStatus call_apply(gpointer data, SfError *err)
{
    ApplyCall *call = data;
    SfStatus (*apply)(SfNode *, const SfBatch *, SfBatch *, SfError *) = call->transform->apply;
    call->out = (SfBatch){.newest_us = call->in->newest_us};
    Hook before = hook_enter(&call->instance->node, call->transform->head.name, apply ? "apply" : "keep_row", call->in);
    SfStatus status = apply ? apply(&call->instance->node, call->in, &call->out, err)
                            : rowfilter_apply(call->transform, &call->instance->node, call->in, &call->out, err);
    hook_leave(&before);
    if (status == SF_RETRY || status == SF_REJECT)
        rejects_take_back(call->context, call->in);
    return status;
}

/* Nothing is no answer to rows: they would be gone without a word. */
static SfStatus check_there(const ApplyCall *call, SfError *err)
{
    int64_t rows = sf_rows(call->in), rejected = call->context->rejects->len;
    if (call->out.rows.release || rejected >= rows)
        return SF_OK;
    return sf_fail(err, SF_FATAL,
                   "its hook apply left out->rows empty, so that %" PRId64 " of %" PRId64 " rows would be gone; fill "
                   "it, by sf_builder_finish() where no row stays",
                   rows - rejected, rows);
}

/* Rows that are not as their schema says would be read past their end further on. */
static SfStatus check_rows(SfBatch *batch, SfError *err)
{
    SfStatus status = batch_check(batch, err);
    if (status == SF_OK)
        return SF_OK;
    sf_batch_done(batch);
    return sf_fail_prefix(err, status, "it gave rows that are not as its schema says");
}

static SfStatus apply_step(Task *task, const Step *step, SharedBatch *in, SfError *err)
{
    ApplyCall call = {.transform = &step->plugin->transform,
                      .instance = task->instances[step->index],
                      .context = &task->contexts[step->index],
                      .in = &in->batch};
    SfStatus status = attempt_insist(call.context, call_apply, &call, false, err);
    if (status == SF_REJECT) {
        sf_batch_done(&call.out);
        g_autofree char *cause = g_strdup(err->message);
        for (int64_t row = 0; row < sf_rows(&in->batch); row++)
            sf_reject(&call.instance->node, &in->batch, row, "%s", cause);
    }
    if (status != SF_OK && status != SF_REJECT)
        return status;
    call.out.schema = task->attempt->out[step->index];
    call.out.split = in->batch.split;
    call.out.start = in->batch.start;
    call.out.end = in->batch.end;
    if (status == SF_OK)
        SF_TRY(check_there(&call, err));
    SF_TRY(check_rows(&call.out, err));
    stats_add(&call.context->stats->rows_in, sf_rows(&in->batch));
    stats_add(&call.context->stats->rows_out, sf_rows(&call.out));
    SF_TRY(pass_rows(task, step->outputs, &call.out, err));
    SF_TRY(pass_rejects(task, step, &in->batch, err));
    return rejects_check(call.context, err);
}

static SfStatus transform(Task *task, const Step *step, SharedBatch *in, SfError *err)
{
    SfStatus status = apply_step(task, step, in, err);
    if (status != SF_OK && status != SF_RETRY)
        attempt_fail(task->attempt, step, status, err->message); /* not the source, whose poll it is */
    return status;
}

/* ---- what the source gives ------------------------------------------------ */

/* First row at or after the position. */
static int64_t row_at(const SfBatch *batch, gint64 position)
{
    SfColumn offsets;
    int64_t low = 0, high = sf_rows(batch);
    if (sf_schema_find(batch->schema, "offset") < 0 || sf_column(batch, "offset", SF_INT64, &offsets, NULL) != SF_OK)
        return CLAMP(position - batch->start, 0, high);
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sf_i64(&offsets, middle) < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The next place in (from, end) where some sink goes on, or end. */
static gint64 next_cut(const SplitState *split, gint64 from, gint64 end)
{
    gint64 cut = end;
    for (guint i = 0; i < split->chains->len; i++) {
        gint64 place = ((const Chain *) split->chains->pdata[i])->recovered;
        if (place > from && place < cut)
            cut = place;
    }
    return cut;
}

/* In pieces, so that each sink gets all of a piece or nothing. */
static SfStatus pass_pieces(Task *task, const SplitState *split, SharedBatch *batch, SfError *err)
{
    for (gint64 from = batch->batch.start; from < batch->batch.end;) {
        gint64 to = next_cut(split, from, batch->batch.end);
        int64_t first = row_at(&batch->batch, from), last = row_at(&batch->batch, to);
        SfBatch piece = {0};
        SF_TRY(sf_batch_slice(&batch->batch, first, last - first, &piece, err));
        piece.schema = batch->batch.schema;
        piece.split = batch->batch.split;
        piece.start = from;
        piece.end = to;
        SF_TRY(pass_rows(task, task->source->outputs, &piece, err));
        from = to;
    }
    return SF_OK;
}

SfStatus task_accept(Task *task, SfBatch *polled, SfError *err)
{
    SplitState *split = (SplitState *) (gpointer) polled->split;
    polled->schema = task->attempt->out[task->source->index];
    if (!split || split->owner != task || polled->start != split->next || polled->end < polled->start) {
        sf_fail(err, SF_FATAL,
                "it gave the range [%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ") of %s, where %" G_GINT64_FORMAT
                " comes next",
                (gint64) polled->start, (gint64) polled->end, split ? split->name : "no split",
                split ? split->next : 0);
        sf_batch_done(polled);
        return SF_FATAL;
    }
    SF_TRY(check_rows(polled, err));
    StepStats *stats = task_context(task)->stats;
    stats_add(&stats->rows_out, sf_rows(polled));
    if (polled->newest_us > stats_get(&stats->newest_us))
        __atomic_store_n(&stats->newest_us, polled->newest_us, __ATOMIC_RELAXED);
    g_mutex_lock(&task->attempt->lock);
    split->next = polled->end;
    g_mutex_unlock(&task->attempt->lock);
    if (polled->start >= split->highest_cut)
        return pass_rows(task, task->source->outputs, polled, err);
    SharedBatch *whole = share(task, polled);
    SfStatus status = pass_pieces(task, split, whole, err);
    shared_batch_unref(whole);
    return status;
}
