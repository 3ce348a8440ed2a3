/* Assigning, revoking and publishing splits; see recovery.h. */
#include "recovery.h"

#include "requests.h"

/* The source's split of that name, made at first sight. Lock held. */
static Split *intern(Context *context, const Step *source, const SfAssignment *wanted)
{
    g_autofree char *key = g_strconcat(source->name, "/", wanted->name, NULL);
    Split *split = g_hash_table_lookup(context->splits, key);
    if (split)
        return split;
    split = split_new(source, wanted, g_hash_table_size(context->splits), g_steal_pointer(&key));
    g_hash_table_insert(context->splits, split->key, split);
    return split;
}

/* One question a sink: all chains of these splits that the source reaches it by. Lock held for making chains. */
static Request *make_request(SinkThread *sink, const Step *source, Split *const *splits, size_t n)
{
    g_autoptr(GArray) chains = g_array_new(FALSE, TRUE, sizeof(SfRecovery));
    for (guint input = 0; input < sink->step->inputs->len; input++) {
        const Edge *edge = sink->step->inputs->pdata[input];
        if (!step_reaches(source, edge->from))
            continue;
        for (size_t i = 0; i < n; i++) {
            sink_chain_of(sink, input, splits[i]);
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
static gint64 complete_up_to(const Context *context, const Edge *edge, const SfSplit *split)
{
    const SinkThread *upstream = edge->errors ? context->sink_of[edge->from->index] : NULL;
    const Chain *chain = upstream ? sink_chain(upstream, 0, split) : NULL;
    return chain ? chain->recovered : SF_POSITION_NONE;
}

static gint64 start_of(const SfSplit *split, const SfAssignment *assignments, Split *const *splits, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (&splits[i]->split == split)
            return assignments[i].start;
    }
    return SF_POSITION_NONE;
}

/* Takes over one sink's answers. Where a sink's errors are complete beyond what their reader has, the reader gets the
 * range between without rows, so that its own ranges chain. Lock held; upstream sinks have been taken over before. */
static void take_over(Context *context, SinkThread *sink, const Request *request, const SfAssignment *assignments,
                      Split *const *splits, size_t n)
{
    for (size_t i = 0; request && i < request->n_chains; i++) {
        const SfRecovery *answer = &request->chains[i];
        const Edge *edge = sink->step->inputs->pdata[answer->input];
        Chain *chain = sink_chain(sink, answer->input, answer->split);
        gint64 complete = complete_up_to(context, edge, answer->split);
        gint64 own = answer->position;
        chain->found = own;
        if (own == SF_POSITION_NONE)
            own = complete != SF_POSITION_NONE ? complete : start_of(answer->split, assignments, splits, n);
        chain->committed = chain->written = chain->queued = own;
        chain->recovered = chain->offered = MAX(own, complete);
    }
}

static void start_split(SourceThread *source, Split *split, SfAssignment *assignment)
{
    gint64 lowest = assignment->start, highest = assignment->start;
    for (guint i = 0; i < split->chains->len; i++) {
        const Chain *chain = split->chains->pdata[i];
        lowest = i == 0 ? chain->recovered : MIN(lowest, chain->recovered);
        highest = i == 0 ? chain->recovered : MAX(highest, chain->recovered);
    }
    split->owner = source;
    split->next = split->published = lowest;
    split->highest_cut = highest;
    assignment->position = lowest;
    assignment->split = &split->split;
}

static SfStatus own(SourceThread *source, SfAssignment *assignments, size_t n, Split **splits, SfError *err)
{
    for (size_t i = 0; i < n; i++) {
        splits[i] = intern(source->context, source->step, &assignments[i]);
        if (splits[i]->owner && splits[i]->owner != source)
            return sf_fail(err, SF_FENCED, "split '%s' of '%s' is read by another task already", splits[i]->name,
                           source->step->name);
    }
    return SF_OK;
}

/* Until when the source may wait for sinks; 0: without limit. */
static gint64 deadline_of(const SourceThread *source)
{
    return source->patience_ms > 0 ? g_get_monotonic_time() + source->patience_ms * 1000 : 0;
}

SfStatus recovery_assign(SourceThread *source, SfAssignment *assignments, size_t n, SfError *err)
{
    const Caller *caller = source_caller(source);
    Context *context = caller->context;
    SinkThread **sinks = (SinkThread **) context->sinks->pdata;
    guint n_sinks = context->sinks->len;
    g_autofree Split **splits = g_new0(Split *, n);
    g_autoptr(GPtrArray) requests = g_ptr_array_new_with_free_func((GDestroyNotify) request_unref);

    g_mutex_lock(&context->lock);
    SfStatus status = own(source, assignments, n, splits, err);
    for (guint i = 0; status == SF_OK && i < n_sinks; i++)
        g_ptr_array_add(requests, make_request(sinks[i], caller->step, splits, n));
    g_mutex_unlock(&context->lock);
    if (status == SF_OK)
        status = requests_ask(context, sinks, n_sinks, (Request *const *) requests->pdata, deadline_of(source), err);
    if (status == SF_EMPTY)
        return sf_fail_prefix(err, SF_RETRY, "asking where to go on");

    g_mutex_lock(&context->lock);
    for (guint i = 0; status == SF_OK && i < n_sinks; i++)
        take_over(context, sinks[i], requests->pdata[i], assignments, splits, n);
    for (size_t i = 0; status == SF_OK && i < n; i++)
        start_split(source, splits[i], &assignments[i]);
    source->resumed = source->resumed || (status == SF_OK && n > 0);
    source->assigned_us = status == SF_OK ? g_get_monotonic_time() : source->assigned_us;
    g_mutex_unlock(&context->lock);
    return status;
}

/* The next owner reads again what is not committed in time: others do not wait for a store of ours that is away. */
static SfStatus commit_in_time(SourceThread *source, SfError *err)
{
    SfStatus status = requests_commit(source_caller(source)->context, SF_COMMIT_REVOKE, deadline_of(source), err);
    if (status != SF_EMPTY)
        return status;
    return sf_fail_prefix(err, SF_FENCED, "splits are given back without what is not committed");
}

SfStatus recovery_revoke(SourceThread *source, const SfSplit *const *splits, size_t n, bool lost, SfError *err)
{
    const Caller *caller = source_caller(source);
    Context *context = caller->context;
    if (lost) /* another process may have them already: nothing of theirs may be committed any more */
        return sf_fail(err, SF_FENCED, "%zu splits were lost to another process", n);
    SF_TRY(commit_in_time(source, err));
    recovery_publish(source, false);
    g_mutex_lock(&context->lock);
    for (size_t i = 0; i < n; i++) {
        Split *split = (Split *) (gpointer) splits[i];
        split->owner = NULL;
        split->revoked_us = g_get_monotonic_time();
        split->former = source;
    }
    g_mutex_unlock(&context->lock);
    return SF_OK;
}

gint64 recovery_furthest(Context *context, const SfSplit *split)
{
    const Split *state = (const Split *) (gconstpointer) split;
    gint64 furthest = SF_POSITION_NONE;
    g_mutex_lock(&context->lock);
    for (guint i = 0; i < state->chains->len; i++) {
        const Chain *chain = state->chains->pdata[i];
        furthest = MAX(furthest, chain->found);
    }
    g_mutex_unlock(&context->lock);
    return furthest;
}

gint64 recovery_last_commit(Context *context, const SfSplit *split, gint64 *position)
{
    const Split *state = (const Split *) (gconstpointer) split;
    gint64 newest = -1;
    g_mutex_lock(&context->lock);
    for (guint i = 0; i < state->chains->len; i++) {
        const Chain *chain = state->chains->pdata[i];
        if (chain->known_ms <= newest || chain->known_ms == 0)
            continue;
        newest = chain->known_ms;
        *position = chain->known_end;
    }
    g_mutex_unlock(&context->lock);
    return newest;
}

void recovery_publish(SourceThread *source, bool last)
{
    const Caller *caller = source_caller(source);
    Context *context = caller->context;
    const SfSource *hooks = &caller->step->plugin->source;
    if (!hooks->committed)
        return;
    g_autoptr(GArray) positions = g_array_new(FALSE, FALSE, sizeof(SfPosition));
    GHashTableIter iter;
    gpointer value;
    g_mutex_lock(&context->lock);
    g_hash_table_iter_init(&iter, context->splits);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Split *split = value;
        gint64 now = split->owner == source ? split_committed(split) : SF_POSITION_NONE;
        if (split->owner != source || (now == split->published && !last))
            continue;
        split->published = now;
        SfPosition position = {.split = &split->split, .position = now};
        g_array_append_val(positions, position);
    }
    g_mutex_unlock(&context->lock);
    if (positions->len > 0 || last)
        hooks->committed(source_node(source), (const SfPosition *) (const void *) positions->data, positions->len,
                         last);
}
