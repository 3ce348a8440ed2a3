/* One audit: the pipeline's steps are bound and asked; sinks before the source's rows are read, so that what is
 * committed meanwhile is not missed, and sources first of all for what they still have. */
#include "session.h"

#include "compare.h"
#include "config/hook.h"
#include "replay.h"
#include "reports.h"

#include <stdio.h>

#define TRIES 4
#define RETRY_US (500 * 1000)

/* ---- the host ---------------------------------------------------------------------------------------------------- */

/* Warnings are for a person who audits, too; what a plugin says of its progress is not. */
static void host_log(SfNode *node, SfLogLevel level, const char *message)
{
    if (level == SF_LOG_WARNING)
        step_find(node->host_data, SF_AUDIT_NOTE, NULL, "%s", message);
}

static int64_t host_now_ms(SfNode *node)
{
    (void) node;
    return g_get_real_time() / 1000;
}

static int64_t host_monotonic_ms(SfNode *node)
{
    (void) node;
    return g_get_monotonic_time() / 1000;
}

static SfStatus host_assign(SfNode *node, SfAssignment *assignments, size_t n, SfError *err)
{
    (void) node, (void) assignments, (void) n;
    return sf_fail(err, SF_FATAL, "an audit must not announce splits");
}

static SfStatus host_revoke(SfNode *node, const SfSplit *const *splits, size_t n, bool lost, SfError *err)
{
    (void) node, (void) splits, (void) n, (void) lost;
    return sf_fail(err, SF_FATAL, "an audit must not give splits back");
}

static void host_lag(SfNode *node, const SfSplit *split, int64_t end)
{
    (void) node, (void) split, (void) end;
}

static void host_reject(SfNode *node, const SfBatch *batch, int64_t row, const char *cause)
{
    AuditStep *step = node->host_data;
    if (row < 0 || row >= sf_rows(batch))
        return;
    Reject reject = {.batch = sf_batch_ref(batch), .row = row, .cause = g_strdup(cause)};
    g_array_append_val(step->caller.rejects, reject);
}

static SfStatus host_settle(SfNode *node, size_t input, const SfPosition *ends, size_t n, SfError *err)
{
    (void) node, (void) input, (void) ends, (void) n;
    return sf_fail(err, SF_FATAL, "an audit must not commit");
}

static void host_committed(SfNode *node, size_t input, const SfSplit *split, int64_t end)
{
    (void) node, (void) input, (void) split, (void) end;
}

static void host_charge(SfNode *node, int64_t bytes)
{
    (void) node, (void) bytes;
}

static void host_fault(SfNode *node, const char *point)
{
    (void) node, (void) point;
}

static const SfHost host = {
    .size = offsetof(SfHost, recovered), /* what comes behind has an answer of its own where it is not there */
    .log = host_log,
    .now_ms = host_now_ms,
    .assign = host_assign,
    .revoke = host_revoke,
    .lag = host_lag,
    .reject = host_reject,
    .settle = host_settle,
    .committed = host_committed,
    .charge = host_charge,
    .fault = host_fault,
    .expect = host_charge,
    .monotonic_ms = host_monotonic_ms,
};

/* ---- steps ------------------------------------------------------------------------------------------------------ */

static SfStatus bind_step(AuditStep *step, SfError *err)
{
    const Audit *audit = step->audit;
    const GPtrArray *inputs = step->step->inputs;
    g_autofree const struct ArrowSchema **schemas = g_new0(const struct ArrowSchema *, inputs->len + 1);
    for (guint i = 0; i < inputs->len; i++) {
        const Edge *edge = inputs->pdata[i];
        const Instance *from = audit->steps[edge->from->index].instance;
        schemas[i] = edge->errors ? &from->errors[0] : &from->out;
    }
    g_autoptr(Instance) instance = instance_new(step->step, audit->pipeline, 0, true, &host, step, err);
    if (!instance)
        return SF_CONFIG;
    SF_TRY(instance_bind(instance, schemas, err));
    if (step->instance)
        g_ptr_array_add(step->spent, step->instance); /* others have borrowed its schema */
    step->instance = g_steal_pointer(&instance);
    return SF_OK;
}

typedef SfStatus (*AuditHook)(SfNode *node, SfAudit *audit, SfError *err);

static AuditHook hook_of(const AuditStep *step)
{
    const Plugin *plugin = step->step->plugin;
    return plugin->kind == SF_SOURCE ? plugin->source.audit : plugin->kind == SF_SINK ? plugin->sink.audit : NULL;
}

static SfStatus call_hook(AuditStep *step, SfError *err)
{
    Hook before = hook_enter(&step->instance->node, step->step->plugin->head.name, "audit", NULL);
    SfStatus status = hook_of(step)(&step->instance->node, &step->handed, err);
    hook_leave(&before);
    return status;
}

/* A hook is called once on a state: each time on a new one. */
static SfStatus ask_step(AuditStep *step, SfAuditDepth depth, bool again, SfError *err)
{
    SfStatus status = SF_RETRY;
    step->handed = reports_audit(step, depth);
    for (int i = 0; status == SF_RETRY && i < TRIES && (again || i == 0); i++) {
        if (i > 0)
            g_usleep((gulong) RETRY_US << i);
        step_forget(step);
        err->message[0] = '\0';
        status = bind_step(step, err);
        if (status == SF_OK)
            status = call_hook(step, err);
    }
    step->asked = status == SF_OK;
    return status == SF_OK ? SF_OK : sf_fail_prefix(err, status, "step '%s'", step->step->name);
}

static SfStatus ask_steps(Audit *audit, SfKind kind, SfAuditDepth depth, SfError *err)
{
    for (guint i = 0; i < audit->pipeline->steps->len; i++) {
        AuditStep *step = &audit->steps[i];
        if (step->step->plugin->kind != kind)
            continue;
        if (hook_of(step))
            SF_TRY(ask_step(step, depth, true, err));
        else
            step_find(step, SF_AUDIT_UNKNOWN, NULL, "%s cannot be audited: it does not say what it has",
                      step->step->plugin->head.name);
        audit_progress(audit, step->step->name, 0);
    }
    return SF_OK;
}

/* Its rows go through the transforms while it reads: half of them twice would be wrong, so that it is not tried again.
 */
static SfStatus replay_source(AuditStep *step, SfError *err)
{
    return ask_step(step, SF_AUDIT_DEEP, false, err);
}

static SfStatus replay(Audit *audit, SfError *err)
{
    SF_TRY(replay_open(audit, err));
    for (guint i = 0; i < audit->pipeline->steps->len; i++) {
        AuditStep *step = &audit->steps[i];
        if (step->step->plugin->kind == SF_SOURCE && hook_of(step))
            SF_TRY(replay_source(step, err));
    }
    return replay_end(audit, err);
}

SfStatus audit_run(Audit *audit, SfError *err)
{
    bool deep = audit->depth == SF_AUDIT_DEEP;
    for (guint i = 0; i < audit->pipeline->steps->len; i++)
        SF_TRY(bind_step(&audit->steps[i], err));
    SF_TRY(ask_steps(audit, SF_SOURCE, SF_AUDIT_QUICK, err)); /* what is gone from there cannot be compared */
    SF_TRY(ask_steps(audit, SF_SINK, audit->depth, err));
    SF_TRY(audit_check_from(audit, err));
    SF_TRY(deep ? replay(audit, err) : ask_steps(audit, SF_SOURCE, audit->depth, err));
    if (audit->tell)
        fprintf(stderr, "\r\033[K");
    compare_all(audit);
    return SF_OK;
}
