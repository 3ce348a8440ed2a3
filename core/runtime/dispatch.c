/* Dispatching batches; see dispatch.h. */
#include "dispatch.h"

#include <inttypes.h>

#include "config/hook.h"
#include "data/rowfilter.h"
#include "rejects.h"
#include "sink_thread.h"

static void give_back(gpointer share, gint64 bytes)
{
    budget_charge(share, -bytes);
}

/* Moves the rows into a batch that may have many readers, and charges it to the memory budget. */
static SharedBatch *share(const SourceThread *source, SfBatch *rows)
{
    SharedBatch *shared = shared_batch_new(rows);
    shared->freed = give_back;
    shared->freed_data = source->context->memory;
    budget_charge(shared->freed_data, shared->batch.bytes);
    return shared;
}

/* While some sinks catch up, what only the others would get is not worked out again. */
static bool worth_it(Ledger *ledger, const Step *step, const SfBatch *batch)
{
    return !ledger_is_cut(ledger, batch->split, batch->start) || ledger_needs(ledger, batch->split, step, batch->end);
}

static SfStatus transform(SourceThread *source, const Step *step, SharedBatch *in, SfError *err);

static SfStatus dispatch_batch(SourceThread *source, const GPtrArray *edges, SharedBatch *batch, SfError *err)
{
    for (guint i = 0; i < edges->len; i++) {
        const Edge *edge = edges->pdata[i];
        if (edge->to->plugin->kind == SF_SINK)
            sink_offer(source->context->sink_of[edge->to->index], edge->input, batch);
        else if (worth_it(source->context->ledger, edge->to, &batch->batch))
            SF_TRY(transform(source, edge->to, batch, err));
    }
    return SF_OK;
}

/* The range goes on without rows: no batch is made for it. */
static void dispatch_range(SourceThread *source, const GPtrArray *edges, const SfBatch *range)
{
    for (guint i = 0; i < edges->len; i++) {
        const Edge *edge = edges->pdata[i];
        if (edge->to->plugin->kind == SF_SINK) {
            sink_advance(source->context->sink_of[edge->to->index], edge->input, range->split, range->end);
        } else {
            dispatch_range(source, edge->to->outputs, range);
            dispatch_range(source, edge->to->error_outputs, range);
        }
    }
}

static SfStatus dispatch_shared(SourceThread *source, const GPtrArray *edges, SharedBatch *shared, SfError *err)
{
    if (sf_rows(&shared->batch) > 0)
        return dispatch_batch(source, edges, shared, err);
    dispatch_range(source, edges, &shared->batch);
    return SF_OK;
}

static SfStatus dispatch_rows(SourceThread *source, const GPtrArray *edges, SfBatch *rows, SfError *err)
{
    SharedBatch *shared = share(source, rows);
    SfStatus status = dispatch_shared(source, edges, shared, err);
    shared_batch_unref(shared);
    return status;
}

static SfStatus dispatch_rejects(SourceThread *source, const Step *step, const SfBatch *in, SfError *err)
{
    Caller *caller = &source->callers[step->index];
    guint n = caller->rejects->len;
    if (n == 0) {
        dispatch_range(source, step->error_outputs, in);
        return SF_OK;
    }
    g_autofree const Reject **rejects = g_new(const Reject *, n);
    for (guint i = 0; i < n; i++)
        rejects[i] = &g_array_index(caller->rejects, Reject, i);
    SfStatus status;
    if (step->error_outputs->len == 0) {
        status = rejects_unread(caller, rejects, n, err);
    } else {
        SfBatch rows = {0};
        status = rejects_batch(caller, source->context->errors[step->index], rejects, n, &rows, err);
        if (status == SF_OK)
            status = dispatch_rows(source, step->error_outputs, &rows, err);
    }
    g_array_set_size(caller->rejects, 0);
    return status;
}

typedef struct ApplyCall {
    const SfTransform *transform;
    Instance *instance;
    Caller *caller;
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
        rejects_take_back(call->caller, call->in);
    return status;
}

/* An empty answer to rows is refused: they would be gone without a word. */
static SfStatus check_there(const ApplyCall *call, SfError *err)
{
    int64_t rows = sf_rows(call->in), rejected = call->caller->rejects->len;
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
    return sf_fail_prefix(err, status, "it gave rows that do not match its schema");
}

static SfStatus apply_step(SourceThread *source, const Step *step, SharedBatch *in, SfError *err)
{
    ApplyCall call = {.transform = &step->plugin->transform,
                      .instance = source->instances[step->index],
                      .caller = &source->callers[step->index],
                      .in = &in->batch};
    SfStatus status = context_retry(call.caller, call_apply, &call, false, err);
    if (status == SF_REJECT) {
        sf_batch_done(&call.out);
        g_autofree char *cause = g_strdup(err->message);
        for (int64_t row = 0; row < sf_rows(&in->batch); row++)
            sf_reject(&call.instance->node, &in->batch, row, "%s", cause);
    }
    if (status != SF_OK && status != SF_REJECT)
        return status;
    call.out.schema = source->context->out[step->index];
    call.out.split = in->batch.split;
    call.out.start = in->batch.start;
    call.out.end = in->batch.end;
    if (status == SF_OK)
        SF_TRY(check_there(&call, err));
    SF_TRY(check_rows(&call.out, err));
    stats_add(&call.caller->stats->rows_in, sf_rows(&in->batch));
    stats_add(&call.caller->stats->bytes, in->batch.bytes);
    stats_add(&call.caller->stats->rows_out, sf_rows(&call.out));
    SF_TRY(dispatch_rows(source, step->outputs, &call.out, err));
    SF_TRY(dispatch_rejects(source, step, &in->batch, err));
    return rejects_check(call.caller, err);
}

static SfStatus transform(SourceThread *source, const Step *step, SharedBatch *in, SfError *err)
{
    SfStatus status = apply_step(source, step, in, err);
    if (status != SF_OK && status != SF_RETRY)
        context_fail(source->context, step, status, err->message); /* not the source, whose poll it is */
    return status;
}

/* ---- what the source gives ------------------------------------------------ */

/* The rows' positions, where their column offset has them: ascending, and within the batch's range. A table may have a
 * column of that name that says something else; its rows count from the start. */
static bool find_offsets(const SfBatch *batch, SfColumn *out)
{
    int64_t number = sf_schema_find(batch->schema, "offset"), before = batch->start - 1;
    bool has = number >= 0 && !(batch->schema->children[number]->flags & ARROW_FLAG_NULLABLE);
    if (!has || sf_column(batch, "offset", SF_INT64, out, NULL) != SF_OK)
        return false;
    for (int64_t row = 0; row < sf_rows(batch); row++) {
        int64_t offset = sf_i64(out, row);
        if (offset <= before || offset >= batch->end)
            return false;
        before = offset;
    }
    return true;
}

/* First row at or after the position; offsets NULL: rows count from the start. The end is behind all rows. */
static int64_t row_at(const SfBatch *batch, const SfColumn *offsets, gint64 position)
{
    int64_t low = 0, high = sf_rows(batch);
    if (position >= batch->end)
        return high;
    if (!offsets)
        return CLAMP(position - batch->start, 0, high);
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sf_i64(offsets, middle) < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* More rows than positions cannot be told apart by them. */
static SfStatus check_room(const SfBatch *batch, SfError *err)
{
    if (sf_rows(batch) <= batch->end - batch->start)
        return SF_OK;
    return sf_fail(err, SF_FATAL,
                   "%s: it gave %" PRId64 " rows for the positions %" PRId64 " to %" PRId64
                   ", so that they cannot be divided between sinks that go on at different positions; a range needs a "
                   "position for each row",
                   batch->split->name, sf_rows(batch), batch->start, batch->end - 1);
}

/* In pieces, so that each sink gets all of a piece or nothing. */
static SfStatus dispatch_pieces(SourceThread *source, SharedBatch *batch, SfError *err)
{
    SfColumn column;
    const SfColumn *offsets = find_offsets(&batch->batch, &column) ? &column : NULL;
    for (gint64 from = batch->batch.start; from < batch->batch.end;) {
        gint64 to = ledger_next_cut(source->context->ledger, batch->batch.split, from, batch->batch.end);
        if (to < batch->batch.end)
            SF_TRY(check_room(&batch->batch, err));
        int64_t first = row_at(&batch->batch, offsets, from), last = row_at(&batch->batch, offsets, to);
        SfBatch piece = {0};
        SF_TRY(sf_batch_slice(&batch->batch, first, last - first, &piece, err));
        piece.schema = batch->batch.schema;
        piece.split = batch->batch.split;
        piece.start = from;
        piece.end = to;
        SF_TRY(dispatch_rows(source, source->step->outputs, &piece, err));
        from = to;
    }
    return SF_OK;
}

SfStatus dispatch_polled(SourceThread *source, SfBatch *polled, SfError *err)
{
    Ledger *ledger = source->context->ledger;
    polled->schema = source->context->out[source->step->index];
    SfStatus status = ledger_read(ledger, source, polled->split, polled->start, polled->end, err);
    if (status != SF_OK) {
        sf_batch_done(polled);
        return status;
    }
    SF_TRY(check_rows(polled, err));
    StepStats *stats = source_caller(source)->stats;
    stats_add(&stats->rows_out, sf_rows(polled));
    stats_add(&stats->passed, polled->end - polled->start);
    stats_newest(stats, polled->newest_us);
    SharedBatch *whole = share(source, polled);
    stats_add(&stats->bytes, whole->batch.bytes);
    if (ledger_is_cut(ledger, whole->batch.split, whole->batch.start))
        status = dispatch_pieces(source, whole, err);
    else
        status = dispatch_shared(source, source->step->outputs, whole, err);
    shared_batch_unref(whole);
    return status;
}
