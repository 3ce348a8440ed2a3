/* The services that plugins call; see services.h. */
#include "services.h"

#include "config/hook.h"
#include "fault.h"
#include "log.h"
#include "recovery.h"
#include "rejects.h"
#include "settle.h"

static Caller *caller_of(SfNode *node)
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
    SfStatus status = recovery_assign(caller_of(node)->source, assignments, n, err);
    hook_wait(false);
    return status;
}

static SfStatus service_revoke(SfNode *node, const SfSplit *const *splits, size_t n, bool lost, SfError *err)
{
    hook_wait(true);
    SfStatus status = recovery_revoke(caller_of(node)->source, splits, n, lost, err);
    hook_wait(false);
    return status;
}

static void service_lag(SfNode *node, const SfSplit *split, int64_t end)
{
    ledger_set_end(caller_of(node)->context->ledger, split, end);
}

/* The position of a row: its offset where the batch has one, before or after decoding; otherwise the batch's end. Rows
 * that were read from a table have the offsets of their events, not positions in the table. */
static int64_t position_of(const SfBatch *batch, int64_t row)
{
    static const char *const names[] = {"offset", "_offset"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        SfColumn column;
        if (sf_schema_find(batch->schema, names[i]) >= 0 &&
            sf_column(batch, names[i], SF_INT64, &column, NULL) == SF_OK && !sf_is_null(&column, row) &&
            sf_i64(&column, row) >= batch->start && sf_i64(&column, row) < batch->end)
            return sf_i64(&column, row);
    }
    return batch->end - 1;
}

static void service_reject(SfNode *node, const SfBatch *batch, int64_t row, const char *cause)
{
    Caller *caller = caller_of(node);
    if (row < 0 || row >= sf_rows(batch)) {
        context_fail(caller->context, caller->step, SF_FATAL, "it rejected a row that the batch does not have");
        return;
    }
    Reject reject = {
        .batch = sf_batch_ref(batch), .row = row, .position = position_of(batch, row), .cause = g_strdup(cause)};
    g_array_append_val(caller->rejects, reject);
    stats_add(&caller->stats->rejected, 1);
    guard_count(&caller->stats->guard, cause, 1);
}

static SfStatus service_settle(SfNode *node, size_t input, const SfPosition *ends, size_t n, SfError *err)
{
    hook_wait(true);
    SfStatus status = settle_rejects(caller_of(node)->sink, input, ends, n, err);
    hook_wait(false);
    return status;
}

static void service_committed(SfNode *node, size_t input, const SfSplit *split, int64_t end)
{
    settle_committed(caller_of(node)->sink, input, split, end);
    context_committed(caller_of(node)->context);
}

static void service_charge(SfNode *node, int64_t bytes)
{
    Caller *caller = caller_of(node);
    stats_add(&caller->charged, bytes);
    budget_charge(caller->context->memory, bytes);
}

static int64_t service_memory(SfNode *node)
{
    (void) node;
    return budget_part();
}

static void service_fault(SfNode *node, const char *point)
{
    (void) node;
    fault_pass(point);
}

static void service_expect(SfNode *node, int64_t rows)
{
    stats_set(&caller_of(node)->stats->expected, rows);
}

static void service_recovered(SfNode *node, size_t input, const SfSplit *split, int64_t position, int64_t committed_ms)
{
    const Caller *caller = caller_of(node);
    ledger_note_commit(caller->context->ledger, caller->step, input, split, position, committed_ms);
}

static int64_t service_last_commit(SfNode *node, const SfSplit *split, int64_t *position)
{
    gint64 end = SF_POSITION_NONE;
    gint64 ms = ledger_last_commit(caller_of(node)->context->ledger, split, &end);
    *position = end;
    return ms;
}

static int64_t service_furthest(SfNode *node, const SfSplit *split)
{
    return ledger_furthest(caller_of(node)->context->ledger, split);
}

static void service_patience(SfNode *node, int64_t ms)
{
    caller_of(node)->source->patience_ms = ms;
}

static void service_set_origin(SfNode *node, const SfSplit *split, const char *origin)
{
    ledger_set_origin(caller_of(node)->context->ledger, split, origin);
}

static const char *service_origin(SfNode *node, const SfSplit *split)
{
    return ledger_origin(caller_of(node)->context->ledger, split);
}

static const char *service_other_origin(SfNode *node, const SfSplit *split)
{
    return ledger_other_origin(caller_of(node)->context->ledger, split);
}

static void service_recovered_origin(SfNode *node, size_t input, const SfSplit *split, const char *origin)
{
    const Caller *caller = caller_of(node);
    ledger_note_origin(caller->context->ledger, caller->step, input, split, origin);
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
    .memory = service_memory,
};
