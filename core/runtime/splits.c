/* Positions: which split is whose, where each sink goes on, how far all of them are. The range ledger's side of the
 * host. */
#include "log.h"
#include "task.h"
#include "worker.h"

void split_state_free(SplitState *split)
{
    if (!split)
        return;
    g_ptr_array_unref(split->chains);
    g_free(split->key);
    g_free(split->name);
    g_free(split->topic);
    g_free(split);
}

bool step_reaches(const Step *from, const Step *to)
{
    if (from == to)
        return true;
    for (guint i = 0; i < to->inputs->len; i++) {
        const Edge *edge = to->inputs->pdata[i];
        if (step_reaches(from, edge->from))
            return true;
    }
    return false;
}

Chain *chain_find(const Worker *worker, size_t input, const SfSplit *split)
{
    const GPtrArray *chains = worker->by_split[input];
    return split->index < chains->len ? chains->pdata[split->index] : NULL;
}

/* The source's split of that name, made at first sight. Lock held. */
static SplitState *intern(Attempt *attempt, const Step *source, const SfAssignment *wanted)
{
    g_autofree char *key = g_strconcat(source->name, "/", wanted->name, NULL);
    SplitState *split = g_hash_table_lookup(attempt->splits, key);
    if (split)
        return split;
    split = g_new0(SplitState, 1);
    split->key = g_steal_pointer(&key);
    split->source = source;
    split->name = g_strdup(wanted->name);
    split->topic = g_strdup(wanted->topic ? wanted->topic : "");
    split->chains = g_ptr_array_new();
    split->end = SF_POSITION_NONE;
    split->split = (SfSplit){.name = split->name,
                             .topic = split->topic,
                             .partition = wanted->partition,
                             .index = g_hash_table_size(attempt->splits)};
    g_hash_table_insert(attempt->splits, split->key, split);
    return split;
}

static Chain *chain_of(Worker *worker, size_t input, SplitState *split)
{
    GPtrArray *chains = worker->by_split[input];
    if (split->split.index >= chains->len)
        g_ptr_array_set_size(chains, (gint) split->split.index + 1);
    Chain *chain = chains->pdata[split->split.index];
    if (!chain) {
        chain = g_new0(Chain, 1);
        chain->worker = worker;
        chain->input = input;
        chain->split = split;
        chains->pdata[split->split.index] = chain;
        g_ptr_array_add(worker->chains, chain);
        g_ptr_array_add(split->chains, chain);
    }
    return chain;
}

/* One question a sink: all chains of these splits that the source reaches it by. Lock held for making chains. */
static Request *make_request(Worker *worker, const Step *source, SplitState *const *splits, size_t n)
{
    g_autoptr(GArray) chains = g_array_new(FALSE, TRUE, sizeof(SfRecovery));
    for (guint input = 0; input < worker->step->inputs->len; input++) {
        const Edge *edge = worker->step->inputs->pdata[input];
        if (!step_reaches(source, edge->from))
            continue;
        for (size_t i = 0; i < n; i++) {
            chain_of(worker, input, splits[i]);
            SfRecovery recovery = {
                .input = input, .split = &splits[i]->split, .hint = SF_POSITION_NONE, .position = SF_POSITION_NONE};
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

/* A sink's errors are complete up to where the sink has committed: what it committed, it does not reject again. */
static gint64 complete_up_to(const Attempt *attempt, const Edge *edge, const SfSplit *split)
{
    const Worker *upstream = edge->errors ? attempt->worker_of[edge->from->index] : NULL;
    const Chain *chain = upstream ? chain_find(upstream, 0, split) : NULL;
    return chain ? chain->recovered : SF_POSITION_NONE;
}

static gint64 start_of(const SfSplit *split, const SfAssignment *assignments, SplitState *const *splits, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (&splits[i]->split == split)
            return assignments[i].start;
    }
    return SF_POSITION_NONE;
}

/* Takes over one sink's answers. Where a sink's errors are complete beyond what their reader has, the reader gets the
 * range between without rows, so that its own ranges chain. Lock held; upstream sinks have been taken over before. */
static void take_over(Attempt *attempt, Worker *worker, const Request *request, const SfAssignment *assignments,
                      SplitState *const *splits, size_t n)
{
    for (size_t i = 0; request && i < request->n_chains; i++) {
        const SfRecovery *answer = &request->chains[i];
        const Edge *edge = worker->step->inputs->pdata[answer->input];
        Chain *chain = chain_find(worker, answer->input, answer->split);
        gint64 complete = complete_up_to(attempt, edge, answer->split);
        gint64 own = answer->position;
        chain->found = own;
        if (own == SF_POSITION_NONE)
            own = complete != SF_POSITION_NONE ? complete : start_of(answer->split, assignments, splits, n);
        chain->committed = chain->written = chain->queued = own;
        chain->recovered = chain->offered = MAX(own, complete);
    }
}

static void start_split(Task *task, SplitState *split, SfAssignment *assignment)
{
    gint64 lowest = assignment->start, highest = assignment->start;
    for (guint i = 0; i < split->chains->len; i++) {
        const Chain *chain = split->chains->pdata[i];
        lowest = i == 0 ? chain->recovered : MIN(lowest, chain->recovered);
        highest = i == 0 ? chain->recovered : MAX(highest, chain->recovered);
    }
    split->owner = task;
    split->next = split->published = lowest;
    split->highest_cut = highest;
    assignment->position = lowest;
    assignment->split = &split->split;
}

static SfStatus own(Task *task, Attempt *attempt, const Step *source, SfAssignment *assignments, size_t n,
                    SplitState **splits, SfError *err)
{
    for (size_t i = 0; i < n; i++) {
        splits[i] = intern(attempt, source, &assignments[i]);
        if (splits[i]->owner && splits[i]->owner != task)
            return sf_fail(err, SF_FENCED, "split '%s' of '%s' is read by another task already", splits[i]->name,
                           source->name);
    }
    return SF_OK;
}

/* Until when the source's task may wait for sinks; 0: without limit. */
static gint64 deadline_of(const Task *task)
{
    return task->patience_ms > 0 ? g_get_monotonic_time() + task->patience_ms * 1000 : 0;
}

SfStatus splits_assign(Task *task, SfAssignment *assignments, size_t n, SfError *err)
{
    const Context *context = task_context(task);
    Attempt *attempt = context->attempt;
    Worker **workers = (Worker **) attempt->workers->pdata;
    guint n_workers = attempt->workers->len;
    g_autofree SplitState **splits = g_new0(SplitState *, n);
    g_autoptr(GPtrArray) requests = g_ptr_array_new_with_free_func((GDestroyNotify) request_unref);

    g_mutex_lock(&attempt->lock);
    SfStatus status = own(task, attempt, context->step, assignments, n, splits, err);
    for (guint i = 0; status == SF_OK && i < n_workers; i++)
        g_ptr_array_add(requests, make_request(workers[i], context->step, splits, n));
    g_mutex_unlock(&attempt->lock);
    if (status == SF_OK)
        status = workers_ask(attempt, workers, n_workers, (Request *const *) requests->pdata, deadline_of(task), err);
    if (status == SF_EMPTY)
        return sf_fail_prefix(err, SF_RETRY, "asking where to go on");

    g_mutex_lock(&attempt->lock);
    for (guint i = 0; status == SF_OK && i < n_workers; i++)
        take_over(attempt, workers[i], requests->pdata[i], assignments, splits, n);
    for (size_t i = 0; status == SF_OK && i < n; i++)
        start_split(task, splits[i], &assignments[i]);
    task->resumed = task->resumed || (status == SF_OK && n > 0);
    task->assigned_us = status == SF_OK ? g_get_monotonic_time() : task->assigned_us;
    g_mutex_unlock(&attempt->lock);
    return status;
}

/* The next owner reads again what is not committed in time: others do not wait for a store of ours that is away. */
static SfStatus commit_in_time(Task *task, SfError *err)
{
    SfStatus status = workers_commit(task_context(task)->attempt, SF_COMMIT_REVOKE, deadline_of(task), err);
    if (status != SF_EMPTY)
        return status;
    return sf_fail_prefix(err, SF_FENCED, "splits are given back without what is not committed");
}

SfStatus splits_revoke(Task *task, const SfSplit *const *splits, size_t n, bool lost, SfError *err)
{
    const Context *context = task_context(task);
    Attempt *attempt = context->attempt;
    if (lost) /* another process may have them already: nothing of theirs may be committed any more */
        return sf_fail(err, SF_FENCED, "%zu splits were lost to another process", n);
    SF_TRY(commit_in_time(task, err));
    splits_publish(task, false);
    g_mutex_lock(&attempt->lock);
    for (size_t i = 0; i < n; i++) {
        SplitState *split = (SplitState *) (gpointer) splits[i];
        split->owner = NULL;
        split->revoked_us = g_get_monotonic_time();
        split->former = task;
    }
    g_mutex_unlock(&attempt->lock);
    return SF_OK;
}

gint64 splits_furthest(Attempt *attempt, const SfSplit *split)
{
    const SplitState *state = (const SplitState *) (gconstpointer) split;
    gint64 furthest = SF_POSITION_NONE;
    g_mutex_lock(&attempt->lock);
    for (guint i = 0; i < state->chains->len; i++) {
        const Chain *chain = state->chains->pdata[i];
        furthest = MAX(furthest, chain->found);
    }
    g_mutex_unlock(&attempt->lock);
    return furthest;
}

gint64 splits_last_commit(Attempt *attempt, const SfSplit *split, gint64 *position)
{
    const SplitState *state = (const SplitState *) (gconstpointer) split;
    gint64 newest = -1;
    g_mutex_lock(&attempt->lock);
    for (guint i = 0; i < state->chains->len; i++) {
        const Chain *chain = state->chains->pdata[i];
        if (chain->known_ms <= newest || chain->known_ms == 0)
            continue;
        newest = chain->known_ms;
        *position = chain->known_end;
    }
    g_mutex_unlock(&attempt->lock);
    return newest;
}

gint64 split_committed(const SplitState *split)
{
    gint64 lowest = split->next;
    for (guint i = 0; i < split->chains->len; i++) {
        const Chain *chain = split->chains->pdata[i];
        lowest = MIN(lowest, chain->committed);
    }
    return lowest;
}

void splits_publish(Task *task, bool last)
{
    const Context *context = task_context(task);
    Attempt *attempt = context->attempt;
    const SfSource *source = &context->step->plugin->source;
    if (!source->committed)
        return;
    g_autoptr(GArray) positions = g_array_new(FALSE, FALSE, sizeof(SfPosition));
    GHashTableIter iter;
    gpointer value;
    g_mutex_lock(&attempt->lock);
    g_hash_table_iter_init(&iter, attempt->splits);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        SplitState *split = value;
        gint64 now = split->owner == task ? split_committed(split) : SF_POSITION_NONE;
        if (split->owner != task || (now == split->published && !last))
            continue;
        split->published = now;
        SfPosition position = {.split = &split->split, .position = now};
        g_array_append_val(positions, position);
    }
    g_mutex_unlock(&attempt->lock);
    if (positions->len > 0 || last)
        source->committed(task_node(task), (const SfPosition *) (const void *) positions->data, positions->len, last);
}
