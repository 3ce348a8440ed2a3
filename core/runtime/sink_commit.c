/* A sink's commits; see sink_commit.h. */
#include "sink_commit.h"

#include "config/hook.h"
#include "sink_write.h"

#define SQUEEZE_US (200 * 1000)

typedef struct CommitCall {
    SinkThread *sink;
    SfCommitReason reason;
} CommitCall;

static SfStatus call_commit(gpointer data, SfError *err)
{
    CommitCall *call = data;
    const SfSink *hooks = &call->sink->step->plugin->sink;
    Hook before = hook_enter(&call->sink->instance->node, hooks->head.name, "commit", NULL);
    SfStatus status = hooks->commit ? hooks->commit(&call->sink->instance->node, call->reason, err) : SF_OK;
    hook_leave(&before);
    return status;
}

/* The sink is told of gaps before it commits. */
static SfStatus write_gaps(SinkThread *sink, SfError *err)
{
    g_autoptr(GArray) gaps = ledger_take_gaps(sink->context->ledger, sink->step);
    SfStatus status = SF_OK;
    for (guint i = 0; status == SF_OK && i < gaps->len; i++) {
        Item *item = sink_gap(sink, &g_array_index(gaps, LedgerGap, i));
        status = sink_write(sink, item, err);
        sink_item_free(item);
    }
    return status;
}

/* After a commit of everything an exactly-once sink has told of everything; others never tell. */
static SfStatus check_committed(SinkThread *sink, SfCommitReason reason, SfError *err)
{
    bool tells = sink->step->plugin->sink.delivery == SF_EXACTLY_ONCE;
    return ledger_check_commit(sink->context->ledger, sink->step, tells, reason > SF_COMMIT_MEMORY, err);
}

SfStatus sink_commit(SinkThread *sink, SfCommitReason reason, SfError *err)
{
    SF_TRY(write_gaps(sink, err));
    SF_TRY(context_retry(&sink->caller, call_commit, &(CommitCall){sink, reason}, true, err));
    SF_TRY(check_committed(sink, reason, err));
    if (sink->step->plugin->sink.delivery != SF_EXACTLY_ONCE) /* others tell of each */
        context_committed(sink->context);
    sink->since_us = sink->bytes = 0;
    stats_set(&sink->rows, 0);
    stats_add(&sink->caller.stats->commits, 1);
    stats_set(&sink->caller.stats->committed_us, g_get_real_time());
    context_tell(sink->context); /* there may be memory, and another sink may hold the most now */
    return SF_OK;
}

static gint64 held_by(const SinkThread *sink)
{
    return stats_get(&sink->caller.charged) + stats_get(&sink->kept);
}

/* Whether this sink's commit is the one that helps: of those with rows to commit it holds the most, and enough to be
 * worth a small file or transaction, unless nothing else goes any more. */
static bool should_give_back(const SinkThread *sink)
{
    const Context *context = sink->context;
    gint64 held = held_by(sink);
    for (guint i = 0; i < context->sinks->len; i++) {
        const SinkThread *other = context->sinks->pdata[i];
        if (stats_get(&other->rows) > 0 && held_by(other) > held)
            return false;
    }
    return sink->rows > 0 && (held >= budget_own() / 4 || budget_full(context->memory));
}

static gint64 checkpoint_due(const SinkThread *sink)
{
    const Pipeline *pipeline = sink->context->pipeline;
    bool enough = (pipeline->checkpoint_rows > 0 && sink->rows >= pipeline->checkpoint_rows) ||
                  (pipeline->checkpoint_bytes > 0 && sink->bytes >= pipeline->checkpoint_bytes);
    return enough ? sink->since_us : sink->since_us + pipeline->checkpoint_ms * 1000;
}

static bool is_squeezed(const SinkThread *sink)
{
    return budget_tight(sink->context->memory) && should_give_back(sink);
}

gint64 sink_commit_due(const SinkThread *sink)
{
    if (sink->since_us == 0)
        return G_MAXINT64;
    gint64 due = checkpoint_due(sink);
    return is_squeezed(sink) ? MIN(due, sink->squeezed_us + SQUEEZE_US) : due;
}

SfStatus sink_maybe_commit(SinkThread *sink, SfError *err)
{
    gint64 now = g_get_monotonic_time();
    g_mutex_lock(&sink->context->lock);
    bool idle = sink->queue.length == 0;
    g_mutex_unlock(&sink->context->lock);
    if (idle && sink->since_us == 0 && ledger_has_gap(sink->context->ledger, sink->step))
        sink->since_us = now;
    if (sink->since_us == 0)
        return SF_OK;
    if (checkpoint_due(sink) <= now)
        return sink_commit(sink, SF_COMMIT_CHECKPOINT, err);
    if (!idle || now - sink->squeezed_us < SQUEEZE_US || !is_squeezed(sink))
        return SF_OK;
    SfStatus status = sink_commit(sink, SF_COMMIT_MEMORY, err);
    sink->squeezed_us = g_get_monotonic_time();
    return status;
}
