/* A host for bind hooks of a pipeline that does not run: they ask for nothing, and what they say is not heard. */
#include "bind_host.h"

static void no_log(SfNode *node, SfLogLevel level, const char *message)
{
    (void) node, (void) level, (void) message;
}

static int64_t now_ms(SfNode *node)
{
    (void) node;
    return g_get_real_time() / 1000;
}

static int64_t monotonic_ms(SfNode *node)
{
    (void) node;
    return g_get_monotonic_time() / 1000;
}

static SfStatus no_assign(SfNode *node, SfAssignment *assignments, size_t n, SfError *err)
{
    (void) node, (void) assignments, (void) n;
    return sf_fail(err, SF_FATAL, "bind must not announce splits");
}

static SfStatus no_revoke(SfNode *node, const SfSplit *const *splits, size_t n, bool lost, SfError *err)
{
    (void) node, (void) splits, (void) n, (void) lost;
    return sf_fail(err, SF_FATAL, "bind must not give splits back");
}

static void no_lag(SfNode *node, const SfSplit *split, int64_t end)
{
    (void) node, (void) split, (void) end;
}

static void no_reject(SfNode *node, const SfBatch *batch, int64_t row, const char *cause)
{
    (void) node, (void) batch, (void) row, (void) cause;
}

static void no_committed(SfNode *node, size_t input, const SfSplit *split, int64_t end)
{
    (void) node, (void) input, (void) split, (void) end;
}

static void no_charge(SfNode *node, int64_t bytes)
{
    (void) node, (void) bytes;
}

static void no_fault(SfNode *node, const char *point)
{
    (void) node, (void) point;
}

const SfHost bind_host = {
    .size = sizeof(SfHost),
    .log = no_log,
    .now_ms = now_ms,
    .assign = no_assign,
    .revoke = no_revoke,
    .lag = no_lag,
    .reject = no_reject,
    .committed = no_committed,
    .charge = no_charge,
    .fault = no_fault,
    .expect = no_charge,
    .monotonic_ms = monotonic_ms,
};
