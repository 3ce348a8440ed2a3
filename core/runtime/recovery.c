/* Assigning, revoking and publishing splits; see recovery.h. */
#include "recovery.h"

#include "requests.h"

/* One question a sink: all chains of these splits that the source reaches it by; NULL: it reaches none. */
static Request *make_request(const SinkThread *sink, const Step *source, const SfSplit *const *splits, size_t n)
{
    g_autoptr(GArray) chains = g_array_new(FALSE, TRUE, sizeof(SfRecovery));
    for (guint input = 0; input < sink->step->inputs->len; input++) {
        const Edge *edge = sink->step->inputs->pdata[input];
        if (!step_reaches(source, edge->from))
            continue;
        for (size_t i = 0; i < n; i++) {
            ledger_ask(sink->context->ledger, sink->step, input, splits[i]);
            SfRecovery recovery = {
                .input = input, .split = splits[i], .hint = SF_POSITION_NONE, .position = SF_POSITION_NONE};
            g_array_append_val(chains, recovery);
        }
    }
    if (chains->len == 0)
        return NULL;
    Request *request = request_new(0);
    request->n_chains = chains->len;
    request->chains = (SfRecovery *) (void *) g_array_free(g_steal_pointer(&chains), FALSE);
    return request;
}

static gint64 start_of(const SfSplit *split, const SfSplit *const *splits, const SfAssignment *assignments, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (splits[i] == split)
            return assignments[i].start;
    }
    return SF_POSITION_NONE;
}

/* Takes over one sink's answers. */
static void take_over(const SinkThread *sink, const Request *request, const SfSplit *const *splits,
                      const SfAssignment *assignments, size_t n)
{
    for (size_t i = 0; request && i < request->n_chains; i++) {
        const SfRecovery *answer = &request->chains[i];
        ledger_recover(sink->context->ledger, sink->step, answer->input, answer->split, answer->position,
                       start_of(answer->split, splits, assignments, n));
    }
}

/* Until when the source may wait for sinks; 0: without limit. */
static gint64 deadline_of(const SourceThread *source)
{
    return source->patience_ms > 0 ? g_get_monotonic_time() + source->patience_ms * 1000 : 0;
}

/* Asks all sinks where they are; the answers are in `requests`, one a sink. */
static SfStatus ask_sinks(SourceThread *source, const SfSplit *const *splits, size_t n, GPtrArray *requests,
                          SfError *err)
{
    const GPtrArray *sinks = source->context->sinks;
    for (guint i = 0; i < sinks->len; i++)
        g_ptr_array_add(requests, make_request(sinks->pdata[i], source->step, splits, n));
    return requests_ask(source->context, (SinkThread *const *) sinks->pdata, sinks->len,
                        (Request *const *) requests->pdata, deadline_of(source), err);
}

/* The splits are the source's in the same moment in which it is no longer quiet: see is_over() in attempt.c. */
static void assign(SourceThread *source, const SfSplit *const *splits, SfAssignment *assignments, size_t n)
{
    Context *context = source->context;
    g_mutex_lock(&context->lock);
    source->resumed = source->resumed || n > 0;
    ledger_assign(context->ledger, source, splits, assignments, n);
    g_mutex_unlock(&context->lock);
}

SfStatus recovery_assign(SourceThread *source, SfAssignment *assignments, size_t n, SfError *err)
{
    Context *context = source->context;
    g_autofree const SfSplit **splits = g_new0(const SfSplit *, n);
    g_autoptr(GPtrArray) requests = g_ptr_array_new_with_free_func((GDestroyNotify) request_unref);
    SF_TRY(ledger_claim(context->ledger, source, source->step, assignments, n, splits, err));
    SfStatus status = ask_sinks(source, splits, n, requests, err);
    if (status != SF_OK) {
        ledger_give_up(context->ledger, source, splits, n);
        return status == SF_EMPTY ? sf_fail_prefix(err, SF_RETRY, "asking where to go on") : status;
    }
    for (guint i = 0; i < context->sinks->len; i++)
        take_over(context->sinks->pdata[i], requests->pdata[i], splits, assignments, n);
    assign(source, splits, assignments, n);
    for (guint i = 0; i < context->sinks->len; i++) /* of errors that are complete beyond what they have */
        sink_rouse(context->sinks->pdata[i]);
    return SF_OK;
}

/* The next owner reads again what is not committed in time: others do not wait for a store of ours that is away. */
static SfStatus commit_in_time(SourceThread *source, SfError *err)
{
    SfStatus status = requests_commit(source->context, SF_COMMIT_REVOKE, deadline_of(source), err);
    if (status != SF_EMPTY)
        return status;
    return sf_fail_prefix(err, SF_FENCED, "splits are given back without what is not committed");
}

SfStatus recovery_revoke(SourceThread *source, const SfSplit *const *splits, size_t n, bool lost, SfError *err)
{
    if (lost) /* another process may have them already: nothing of theirs may be committed any more */
        return sf_fail(err, SF_FENCED, "%zu splits were lost to another process", n);
    SF_TRY(commit_in_time(source, err));
    recovery_publish(source, false);
    ledger_revoke(source->context->ledger, splits, n);
    return SF_OK;
}

void recovery_publish(SourceThread *source, bool last)
{
    const SfSource *hooks = &source->step->plugin->source;
    if (!hooks->committed)
        return;
    g_autoptr(GArray) positions = ledger_publish(source->context->ledger, source, last);
    if (positions->len > 0 || last)
        hooks->committed(source_node(source), (const SfPosition *) (const void *) positions->data, positions->len,
                         last);
}
