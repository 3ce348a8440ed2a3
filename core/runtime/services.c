/* The services that plugins call through SfNode.host: thin, each hands over to the part that does it. */
#include <string.h>

#include "budget.h"
#include "fault.h"
#include "log.h"
#include "origin.h"
#include "task.h"
#include "worker.h"

static Context *context_of(SfNode *node)
{
    return node->host_data;
}

static void service_log(SfNode *node, SfLogLevel level, const char *message)
{
    static const LogLevel levels[] = {
        [SF_LOG_DEBUG] = LEVEL_DEBUG, [SF_LOG_INFO] = LEVEL_INFO, [SF_LOG_WARNING] = LEVEL_WARNING};
    bool known = level >= SF_LOG_DEBUG && level <= SF_LOG_WARNING;
    log_line(known ? levels[level] : LEVEL_INFO, node->pipeline, node->step, "%s", message);
}

static int64_t service_now_ms(SfNode *node)
{
    (void) node;
    return g_get_real_time() / 1000;
}

static int64_t service_monotonic_ms(SfNode *node)
{
    (void) node;
    return g_get_monotonic_time() / 1000;
}

static SfStatus service_assign(SfNode *node, SfAssignment *assignments, size_t n, SfError *err)
{
    hook_wait(true);
    SfStatus status = splits_assign(context_of(node)->task, assignments, n, err);
    hook_wait(false);
    return status;
}

static SfStatus service_revoke(SfNode *node, const SfSplit *const *splits, size_t n, bool lost, SfError *err)
{
    hook_wait(true);
    SfStatus status = splits_revoke(context_of(node)->task, splits, n, lost, err);
    hook_wait(false);
    return status;
}

static void service_lag(SfNode *node, const SfSplit *split, int64_t end)
{
    Attempt *attempt = context_of(node)->attempt;
    g_mutex_lock(&attempt->lock);
    ((SplitState *) (gpointer) split)->end = end;
    g_mutex_unlock(&attempt->lock);
}

/* The position of a row: its offset where the batch has one, before or after decoding; otherwise the batch's end. */
static int64_t position_of(const SfBatch *batch, int64_t row)
{
    static const char *const names[] = {"offset", "_offset"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        SfColumn column;
        if (sf_schema_find(batch->schema, names[i]) >= 0 &&
            sf_column(batch, names[i], SF_INT64, &column, NULL) == SF_OK && !sf_is_null(&column, row))
            return sf_i64(&column, row);
    }
    return batch->end - 1;
}

static void service_reject(SfNode *node, const SfBatch *batch, int64_t row, const char *cause)
{
    Context *context = context_of(node);
    if (row < 0 || row >= sf_rows(batch)) {
        attempt_fail(context->attempt, context->step, SF_FATAL, "it rejected a row that the batch does not have");
        return;
    }
    Reject reject = {
        .batch = sf_batch_ref(batch), .row = row, .position = position_of(batch, row), .cause = g_strdup(cause)};
    g_array_append_val(context->rejects, reject);
    stats_add(&context->stats->rejected, 1);
    guard_count(&context->stats->guard, cause, 1);
}

static SfStatus service_settle(SfNode *node, size_t input, const SfPosition *ends, size_t n, SfError *err)
{
    hook_wait(true);
    SfStatus status = worker_settle(context_of(node)->worker, input, ends, n, err);
    hook_wait(false);
    return status;
}

static void service_committed(SfNode *node, size_t input, const SfSplit *split, int64_t end)
{
    worker_committed(context_of(node)->worker, input, split, end);
}

static void service_charge(SfNode *node, int64_t bytes)
{
    Context *context = context_of(node);
    __atomic_add_fetch(&context->charged, bytes, __ATOMIC_RELAXED);
    budget_charge(&context->attempt->runner->memory, bytes);
}

static void service_fault(SfNode *node, const char *point)
{
    (void) node;
    fault_pass(point);
}

static void service_expect(SfNode *node, int64_t rows)
{
    __atomic_store_n(&context_of(node)->stats->expected, rows, __ATOMIC_RELAXED);
}

static void service_recovered(SfNode *node, size_t input, const SfSplit *split, int64_t position, int64_t committed_ms)
{
    const Context *context = context_of(node);
    g_mutex_lock(&context->attempt->lock);
    Chain *chain = chain_find(context->worker, input, split);
    if (chain && position != SF_POSITION_NONE && committed_ms > 0) {
        chain->known_end = position;
        chain->known_ms = committed_ms;
    }
    g_mutex_unlock(&context->attempt->lock);
}

static int64_t service_last_commit(SfNode *node, const SfSplit *split, int64_t *position)
{
    gint64 end = SF_POSITION_NONE;
    gint64 ms = splits_last_commit(context_of(node)->attempt, split, &end);
    *position = end;
    return ms;
}

static int64_t service_furthest(SfNode *node, const SfSplit *split)
{
    return splits_furthest(context_of(node)->attempt, split);
}

static void service_patience(SfNode *node, int64_t ms)
{
    context_of(node)->task->patience_ms = ms;
}

static void service_set_origin(SfNode *node, const SfSplit *split, const char *origin)
{
    Attempt *attempt = context_of(node)->attempt;
    g_mutex_lock(&attempt->lock);
    ((SplitState *) (gpointer) split)->origin = origin_keep(attempt->origins, origin);
    g_mutex_unlock(&attempt->lock);
}

static const char *service_origin(SfNode *node, const SfSplit *split)
{
    Attempt *attempt = context_of(node)->attempt;
    g_mutex_lock(&attempt->lock);
    const char *origin = ((const SplitState *) (gconstpointer) split)->origin;
    g_mutex_unlock(&attempt->lock);
    return origin;
}

static const char *service_other_origin(SfNode *node, const SfSplit *split)
{
    Attempt *attempt = context_of(node)->attempt;
    const SplitState *state = (const SplitState *) (gconstpointer) split;
    const char *other = NULL;
    g_mutex_lock(&attempt->lock);
    for (guint i = 0; state->origin && !other && i < state->chains->len; i++) {
        const Chain *chain = state->chains->pdata[i];
        if (chain->origin && chain->found != SF_POSITION_NONE && strcmp(chain->origin, state->origin) != 0)
            other = chain->origin;
    }
    g_mutex_unlock(&attempt->lock);
    return other;
}

static void service_recovered_origin(SfNode *node, size_t input, const SfSplit *split, const char *origin)
{
    const Context *context = context_of(node);
    g_mutex_lock(&context->attempt->lock);
    Chain *chain = chain_find(context->worker, input, split);
    if (chain)
        chain->origin = origin_keep(context->attempt->origins, origin);
    g_mutex_unlock(&context->attempt->lock);
}

const SfHost host_services = {
    .size = sizeof(SfHost),
    .log = service_log,
    .now_ms = service_now_ms,
    .assign = service_assign,
    .revoke = service_revoke,
    .lag = service_lag,
    .reject = service_reject,
    .settle = service_settle,
    .committed = service_committed,
    .charge = service_charge,
    .fault = service_fault,
    .expect = service_expect,
    .recovered = service_recovered,
    .last_commit = service_last_commit,
    .furthest = service_furthest,
    .monotonic_ms = service_monotonic_ms,
    .patience = service_patience,
    .set_origin = service_set_origin,
    .other_origin = service_other_origin,
    .origin = service_origin,
    .recovered_origin = service_recovered_origin,
};
