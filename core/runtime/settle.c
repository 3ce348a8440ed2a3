/* A sink's rejects on their way to the steps that read its errors: durable there before the sink's own commit. */
#include "worker.h"

#include "log.h"

/* Whether a reject belongs to the split and lies before its end. */
static bool lies_before(const Reject *reject, const SfPosition *ends, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (reject->batch->split == ends[i].split)
            return reject->position < ends[i].position;
    }
    return false;
}

static gint by_place(gconstpointer a, gconstpointer b)
{
    const Reject *left = *(const Reject *const *) a, *right = *(const Reject *const *) b;
    if (left->batch->split != right->batch->split)
        return left->batch->split->index < right->batch->split->index ? -1 : 1;
    if (left->batch->start != right->batch->start)
        return left->batch->start < right->batch->start ? -1 : 1;
    return left->row < right->row ? -1 : left->row > right->row;
}

/* Pointers to the rejects before the ends, in the order of their places. */
static GPtrArray *due(const Worker *worker, const SfPosition *ends, size_t n)
{
    GPtrArray *found = g_ptr_array_new();
    for (guint i = 0; i < worker->context.rejects->len; i++) {
        Reject *reject = &g_array_index(worker->context.rejects, Reject, i);
        if (lies_before(reject, ends, n))
            g_ptr_array_add(found, reject);
    }
    g_ptr_array_sort(found, by_place);
    return found;
}

/* One batch's rejects [first, last) to one reader, less those that it has from an earlier life. */
static SfStatus offer_batch(Worker *worker, const Edge *edge, const GPtrArray *rejects, guint first, guint last,
                            SfError *err)
{
    Attempt *attempt = worker->attempt;
    Worker *reader = attempt->worker_of[edge->to->index];
    const SfBatch *batch = ((const Reject *) rejects->pdata[first])->batch;
    g_autoptr(GPtrArray) fresh = g_ptr_array_new();
    gint64 end = SF_POSITION_NONE;

    g_mutex_lock(&attempt->lock);
    Chain *chain = chain_find(reader, edge->input, batch->split);
    gint64 start = chain ? chain->offered : G_MAXINT64;
    g_mutex_unlock(&attempt->lock);
    for (guint i = first; i < last; i++) {
        const Reject *reject = rejects->pdata[i];
        if (reject->position < start)
            continue;
        g_ptr_array_add(fresh, rejects->pdata[i]);
        end = MAX(end, reject->position + 1);
    }
    if (fresh->len == 0)
        return SF_OK;
    SfBatch rows = {0};
    SF_TRY(rejects_batch(&worker->context, attempt->errors[worker->step->index], (const Reject *const *) fresh->pdata,
                         fresh->len, &rows, err));
    rows.start = start;
    rows.end = end;
    SharedBatch *shared = shared_batch_new(&rows);
    worker_offer(reader, edge->input, shared);
    shared_batch_unref(shared);
    return SF_OK;
}

static SfStatus offer_to(Worker *worker, const Edge *edge, const GPtrArray *rejects, SfError *err)
{
    for (guint first = 0, last; first < rejects->len; first = last) {
        const SfBatch *batch = ((const Reject *) rejects->pdata[first])->batch;
        for (last = first + 1; last < rejects->len && ((const Reject *) rejects->pdata[last])->batch == batch;)
            last++;
        SF_TRY(offer_batch(worker, edge, rejects, first, last, err));
    }
    return SF_OK;
}

static void forget(Worker *worker, const SfPosition *ends, size_t n)
{
    for (guint i = worker->context.rejects->len; i-- > 0;) {
        if (lies_before(&g_array_index(worker->context.rejects, Reject, i), ends, n))
            g_array_remove_index_fast(worker->context.rejects, i);
    }
}

/* Hands the rejects before the ends to all readers. */
static SfStatus hand_over(Worker *worker, const SfPosition *ends, size_t n, bool *any, SfError *err)
{
    g_autoptr(GPtrArray) rejects = due(worker, ends, n);
    const GPtrArray *edges = worker->step->error_outputs;
    *any = rejects->len > 0 && edges->len > 0;
    if (rejects->len > 0 && edges->len == 0)
        SF_TRY(rejects_unread(&worker->context, (const Reject *const *) rejects->pdata, rejects->len, err));
    for (guint i = 0; rejects->len > 0 && i < edges->len; i++)
        SF_TRY(offer_to(worker, edges->pdata[i], rejects, err));
    forget(worker, ends, n);
    return SF_OK;
}

SfStatus worker_settle(Worker *worker, size_t input, const SfPosition *ends, size_t n, SfError *err)
{
    (void) input; /* a sink whose errors are read has one input */
    bool any = false;
    if (worker->context.rejects->len == 0)
        return SF_OK;
    SF_TRY(hand_over(worker, ends, n, &any, err));
    if (!any)
        return SF_OK;
    g_autofree Worker **readers = g_new0(Worker *, worker->step->error_outputs->len);
    g_autoptr(GPtrArray) requests = g_ptr_array_new_with_free_func((GDestroyNotify) request_unref);
    guint n_readers = 0;
    for (guint i = 0; i < worker->step->error_outputs->len; i++) {
        const Edge *edge = worker->step->error_outputs->pdata[i];
        Worker *reader = worker->attempt->worker_of[edge->to->index];
        bool there = false;
        for (guint k = 0; k < n_readers; k++)
            there = there || readers[k] == reader;
        if (there)
            continue;
        g_ptr_array_add(requests, request_new(SF_COMMIT_SETTLE));
        readers[n_readers++] = reader;
    }
    return workers_ask(worker->attempt, readers, n_readers, (Request *const *) requests->pdata, 0, err);
}

/* The errors of a sink are complete up to where it has committed. */
void worker_committed(Worker *worker, size_t input, const SfSplit *split, gint64 end)
{
    Attempt *attempt = worker->attempt;
    const GPtrArray *edges = worker->step->error_outputs;
    const SfPosition ends = {.split = split, .position = end};
    SfError err = {""};
    bool any;
    if (worker->context.rejects->len > 0) { /* of a sink that does not settle */
        SfStatus status = hand_over(worker, &ends, 1, &any, &err);
        if (status != SF_OK)
            attempt_fail(attempt, worker->step, status, err.message);
    }
    g_mutex_lock(&attempt->lock);
    Chain *chain = chain_find(worker, input, split);
    if (chain)
        chain->committed = MAX(chain->committed, end);
    for (guint i = 0; i < edges->len; i++) {
        const Edge *edge = edges->pdata[i];
        Chain *errors = chain_find(attempt->worker_of[edge->to->index], edge->input, split);
        if (errors)
            worker_advance(errors, end);
    }
    g_mutex_unlock(&attempt->lock);
}
