/* When a sink commits, and what it has to say of it: the pipeline's beat, the process's memory. Worker's thread. */
#include "worker.h"

#define SQUEEZE_US (200 * 1000)

typedef struct CommitCall {
    Worker *worker;
    SfCommitReason reason;
} CommitCall;

static SfStatus call_commit(gpointer data, SfError *err)
{
    CommitCall *call = data;
    const SfSink *sink = &call->worker->step->plugin->sink;
    Hook before = hook_enter(&call->worker->instance->node, sink->head.name, "commit", NULL);
    SfStatus status = sink->commit ? sink->commit(&call->worker->instance->node, call->reason, err) : SF_OK;
    hook_leave(&before);
    return status;
}

/* Whether the chain has moved on without rows; not past batches that wait in the queue. Lock held. */
static bool has_gap(const Chain *chain)
{
    return chain->written == chain->queued && chain->offered > chain->queued;
}

/* The sink is told of gaps before it commits. */
static SfStatus write_gaps(Worker *worker, SfError *err)
{
    g_autoptr(GPtrArray) gaps = g_ptr_array_new_with_free_func((GDestroyNotify) worker_item_free);
    g_mutex_lock(&worker->attempt->lock);
    for (guint i = 0; i < worker->chains->len; i++) {
        Chain *chain = worker->chains->pdata[i];
        if (has_gap(chain))
            g_ptr_array_add(gaps, worker_gap(chain, chain->offered));
    }
    g_mutex_unlock(&worker->attempt->lock);
    for (guint i = 0; i < gaps->len; i++)
        SF_TRY(worker_write(worker, gaps->pdata[i], err));
    return SF_OK;
}

/* After a commit of everything an exactly-once sink has told of everything; others never tell. */
static SfStatus check_committed(Worker *worker, SfCommitReason reason, SfError *err)
{
    bool tells = worker->step->plugin->sink.delivery == SF_EXACTLY_ONCE;
    SfStatus status = SF_OK;
    g_mutex_lock(&worker->attempt->lock);
    for (guint i = 0; i < worker->chains->len; i++) {
        Chain *chain = worker->chains->pdata[i];
        if (!tells)
            chain->committed = chain->written;
        else if (reason > SF_COMMIT_CHECKPOINT && chain->committed != chain->written)
            status = sf_fail(err, SF_FATAL,
                             "it said that all is committed, but %s ends at %" G_GINT64_FORMAT
                             " instead of %" G_GINT64_FORMAT,
                             chain->split->name, chain->committed, chain->written);
    }
    g_mutex_unlock(&worker->attempt->lock);
    return status;
}

SfStatus worker_commit(Worker *worker, SfCommitReason reason, SfError *err)
{
    SF_TRY(write_gaps(worker, err));
    SF_TRY(attempt_insist(&worker->context, call_commit, &(CommitCall){worker, reason}, true, err));
    SF_TRY(check_committed(worker, reason, err));
    worker->since_us = worker->bytes = 0;
    __atomic_store_n(&worker->rows, 0, __ATOMIC_RELAXED);
    stats_add(&worker->context.stats->commits, 1);
    __atomic_store_n(&worker->context.stats->committed_us, g_get_real_time(), __ATOMIC_RELAXED);
    return SF_OK;
}

static gint64 held_by(const Worker *worker)
{
    return stats_get(&worker->context.charged) + stats_get(&worker->kept);
}

/* Whether this sink's commit is the one that helps: of those with rows to commit it holds the most, and enough to be
 * worth a small file or transaction, unless nothing else goes any more. */
static bool should_give_back(const Worker *worker)
{
    const Attempt *attempt = worker->attempt;
    gint64 held = held_by(worker);
    for (guint i = 0; i < attempt->workers->len; i++) {
        const Worker *other = attempt->workers->pdata[i];
        if (stats_get(&other->rows) > 0 && held_by(other) > held)
            return false;
    }
    return worker->rows > 0 && (held >= budget_own() / 4 || budget_full(&attempt->runner->memory));
}

static bool is_due(const Worker *worker, gint64 now)
{
    const Pipeline *pipeline = worker->attempt->pipeline;
    return now - worker->since_us >= pipeline->checkpoint_ms * 1000 ||
           (pipeline->checkpoint_rows > 0 && worker->rows >= pipeline->checkpoint_rows) ||
           (pipeline->checkpoint_bytes > 0 && worker->bytes >= pipeline->checkpoint_bytes);
}

SfStatus worker_beat(Worker *worker, SfError *err)
{
    gint64 now = g_get_monotonic_time();
    g_mutex_lock(&worker->attempt->lock);
    bool idle = worker->queue.length == 0;
    for (guint i = 0; idle && worker->since_us == 0 && i < worker->chains->len; i++) {
        if (has_gap(worker->chains->pdata[i]))
            worker->since_us = now;
    }
    g_mutex_unlock(&worker->attempt->lock);
    if (worker->since_us == 0)
        return SF_OK;
    if (is_due(worker, now))
        return worker_commit(worker, SF_COMMIT_CHECKPOINT, err);
    if (!idle || now - worker->squeezed_us < SQUEEZE_US || !budget_tight(&worker->attempt->runner->memory) ||
        !should_give_back(worker))
        return SF_OK;
    SfStatus status = worker_commit(worker, SF_COMMIT_MEMORY, err);
    worker->squeezed_us = g_get_monotonic_time();
    return status;
}
