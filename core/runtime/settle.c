/* Settling rejects; see settle.h. */
#include "settle.h"

#include "rejects.h"
#include "requests.h"

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
static GPtrArray *due(const SinkThread *sink, const SfPosition *ends, size_t n)
{
    GPtrArray *found = g_ptr_array_new();
    for (guint i = 0; i < sink->caller.rejects->len; i++) {
        Reject *reject = &g_array_index(sink->caller.rejects, Reject, i);
        if (lies_before(reject, ends, n))
            g_ptr_array_add(found, reject);
    }
    g_ptr_array_sort(found, by_place);
    return found;
}

/* One batch's rejects [first, last) to one reader, less those that it has from an earlier life. */
static SfStatus offer_batch(SinkThread *sink, const Edge *edge, const GPtrArray *rejects, guint first, guint last,
                            SfError *err)
{
    Context *context = sink->context;
    SinkThread *reader = context->sink_of[edge->to->index];
    const SfBatch *batch = ((const Reject *) rejects->pdata[first])->batch;
    g_autoptr(GPtrArray) fresh = g_ptr_array_new();
    gint64 end = SF_POSITION_NONE;

    gint64 start = ledger_offered(context->ledger, reader->step, edge->input, batch->split);
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
    SF_TRY(rejects_batch(&sink->caller, context->errors[sink->step->index], (const Reject *const *) fresh->pdata,
                         fresh->len, &rows, err));
    rows.start = start;
    rows.end = end;
    SharedBatch *shared = shared_batch_new(&rows);
    sink_offer(reader, edge->input, shared);
    shared_batch_unref(shared);
    return SF_OK;
}

static SfStatus offer_to(SinkThread *sink, const Edge *edge, const GPtrArray *rejects, SfError *err)
{
    for (guint first = 0, last; first < rejects->len; first = last) {
        const SfBatch *batch = ((const Reject *) rejects->pdata[first])->batch;
        for (last = first + 1; last < rejects->len && ((const Reject *) rejects->pdata[last])->batch == batch;)
            last++;
        SF_TRY(offer_batch(sink, edge, rejects, first, last, err));
    }
    return SF_OK;
}

static void forget(SinkThread *sink, const SfPosition *ends, size_t n)
{
    for (guint i = sink->caller.rejects->len; i-- > 0;) {
        if (lies_before(&g_array_index(sink->caller.rejects, Reject, i), ends, n))
            g_array_remove_index_fast(sink->caller.rejects, i);
    }
}

/* Hands the rejects before the ends to all readers. */
static SfStatus hand_over(SinkThread *sink, const SfPosition *ends, size_t n, bool *any, SfError *err)
{
    g_autoptr(GPtrArray) rejects = due(sink, ends, n);
    const GPtrArray *edges = sink->step->error_outputs;
    *any = rejects->len > 0 && edges->len > 0;
    if (rejects->len > 0 && edges->len == 0)
        SF_TRY(rejects_unread(&sink->caller, (const Reject *const *) rejects->pdata, rejects->len, err));
    for (guint i = 0; rejects->len > 0 && i < edges->len; i++)
        SF_TRY(offer_to(sink, edges->pdata[i], rejects, err));
    forget(sink, ends, n);
    return SF_OK;
}

SfStatus settle_rejects(SinkThread *sink, size_t input, const SfPosition *ends, size_t n, SfError *err)
{
    (void) input; /* a sink whose errors are read has one input */
    bool any = false;
    if (sink->caller.rejects->len == 0)
        return SF_OK;
    SF_TRY(hand_over(sink, ends, n, &any, err));
    if (!any)
        return SF_OK;
    g_autofree SinkThread **readers = g_new0(SinkThread *, sink->step->error_outputs->len);
    g_autoptr(GPtrArray) requests = g_ptr_array_new_with_free_func((GDestroyNotify) request_unref);
    guint n_readers = 0;
    for (guint i = 0; i < sink->step->error_outputs->len; i++) {
        const Edge *edge = sink->step->error_outputs->pdata[i];
        SinkThread *reader = sink->context->sink_of[edge->to->index];
        bool there = false;
        for (guint k = 0; k < n_readers; k++)
            there = there || readers[k] == reader;
        if (there)
            continue;
        g_ptr_array_add(requests, request_new(SF_COMMIT_SETTLE));
        readers[n_readers++] = reader;
    }
    return requests_ask(sink->context, readers, n_readers, (Request *const *) requests->pdata, 0, err);
}

/* The errors of a sink are complete up to where it has committed. */
void settle_committed(SinkThread *sink, size_t input, const SfSplit *split, gint64 end)
{
    const SfPosition ends = {.split = split, .position = end};
    SfError err = {""};
    SfStatus status = SF_OK;
    bool any;
    if (sink->caller.rejects->len > 0) /* of a sink that does not settle */
        status = hand_over(sink, &ends, 1, &any, &err);
    if (status == SF_OK)
        status = ledger_commit(sink->context->ledger, sink->step, input, split, end, &err);
    if (status != SF_OK)
        context_fail(sink->context, sink->step, status, err.message);
    const GPtrArray *edges = sink->step->error_outputs;
    for (guint i = 0; i < edges->len; i++)
        sink_rouse(sink->context->sink_of[((const Edge *) edges->pdata[i])->to->index]);
}
