/* The host's services as the harness gives them: recorded, answered by script, checked against the rules. */
#include "harness_private.h"

Harness *harness_of(const SfNode *node)
{
    return node->host_data;
}

Reading *harness_reading(Harness *h, const SfSplit *split)
{
    GPtrArray *readings = h->own->readings;
    for (guint i = 0; i < readings->len; i++)
        if (((Reading *) readings->pdata[i])->split == split)
            return readings->pdata[i];
    Reading *reading = g_new(Reading, 1);
    *reading =
        (Reading){.split = split, .polled = SF_POSITION_NONE, .published = SF_POSITION_NONE, .lag = SF_POSITION_NONE};
    g_ptr_array_add(readings, reading);
    return reading;
}

Chain *harness_chain(Harness *h, gsize input, const SfSplit *split)
{
    GPtrArray *chains = h->own->chains;
    for (guint i = 0; i < chains->len; i++) {
        Chain *chain = chains->pdata[i];
        if (chain->input == input && chain->split == split)
            return chain;
    }
    Chain *chain = g_new(Chain, 1);
    *chain = (Chain){.input = input, .split = split, .written = SF_POSITION_NONE, .committed = SF_POSITION_NONE};
    g_ptr_array_add(chains, chain);
    return chain;
}

static void take_log(SfNode *node, SfLogLevel level, const char *message)
{
    static const char *const names[] = {"", "debug", "info", "warning"};
    HarnessPrivate *p = harness_of(node)->own;
    g_mutex_lock(&p->mutex);
    g_string_append_printf(p->logs, "%s%s: %s", p->logs->len > 0 ? "\n" : "", names[level], message);
    g_mutex_unlock(&p->mutex);
}

static void take_fault(SfNode *node, const char *point)
{
    HarnessPrivate *p = harness_of(node)->own;
    g_mutex_lock(&p->mutex);
    g_string_append_printf(p->faults, "%s%s", p->faults->len > 0 ? " " : "", point);
    g_mutex_unlock(&p->mutex);
}

static gint64 tell_now(SfNode *node)
{
    return __atomic_load_n(&harness_of(node)->now_ms, __ATOMIC_RELAXED); /* threads of a plugin ask, too */
}

static gint64 tell_monotonic(SfNode *node)
{
    return harness_of(node)->monotonic_ms;
}

void harness_pass(Harness *h, gint64 ms)
{
    __atomic_fetch_add(&h->now_ms, ms, __ATOMIC_RELAXED);
    h->monotonic_ms += ms;
}

/* As the runtime: the lowest answer of the sinks, here the scripted one or what was published last. */
static SfStatus take_assign(SfNode *node, SfAssignment *assignments, size_t n, SfError *err)
{
    (void) err;
    Harness *h = harness_of(node);
    for (size_t i = 0; i < n; i++) {
        SfAssignment *a = &assignments[i];
        a->split = harness_split_make(h, a->name, a->topic, a->partition);
        Reading *reading = harness_reading(h, a->split);
        if (reading->assigned && reading->polled > reading->begun)
            g_error("%s: split '%s' is assigned twice", harness_name(h), a->name);
        const gint64 *answer = g_hash_table_lookup(h->own->answers, a->name);
        a->position = answer ? *answer : reading->published != SF_POSITION_NONE ? reading->published : a->start;
        a->position = h->own->fresh ? MIN(a->position, a->start) : a->position;
        reading->polled = reading->begun = a->position;
        reading->assigned = true;
    }
    return SF_OK;
}

static SfStatus take_revoke(SfNode *node, const SfSplit *const *splits, size_t n, bool lost, SfError *err)
{
    (void) err;
    Harness *h = harness_of(node);
    g_autofree SfPosition *positions = g_new(SfPosition, n + 1);
    for (size_t i = 0; i < n; i++) {
        Reading *reading = harness_reading(h, splits[i]);
        if (!reading->assigned)
            g_error("%s: split '%s' is revoked without having been assigned", harness_name(h), splits[i]->name);
        reading->assigned = false;
        if (!lost)
            reading->published = reading->polled;
        positions[i] = (SfPosition){.split = splits[i], .position = reading->polled};
    }
    if (!lost && h->own->plugin->source.committed)
        h->own->plugin->source.committed(node, positions, n, false);
    return SF_OK;
}

static void take_lag(SfNode *node, const SfSplit *split, int64_t end)
{
    harness_reading(harness_of(node), split)->lag = end;
}

void harness_add_reject(Harness *h, const SfBatch *batch, gint64 first, gint64 n, const char *cause)
{
    HarnessPrivate *p = h->own;
    for (gint64 row = first; row < first + n; row++) {
        g_string_append_printf(p->rejects, "%s%s@%" G_GINT64_FORMAT ": %s", p->rejects->len > 0 ? "\n" : "",
                               batch->split->name, harness_position(batch, row), cause);
        p->n_rejects++;
    }
}

static void take_reject(SfNode *node, const SfBatch *batch, int64_t row, const char *cause)
{
    Harness *h = harness_of(node);
    if (!shared_batch_of(batch))
        g_error("%s: a row is rejected that is not of a batch from the host", harness_name(h));
    if (row < 0 || row >= sf_rows(batch))
        g_error("%s: row %" G_GINT64_FORMAT " is rejected, of %" G_GINT64_FORMAT, harness_name(h), row, sf_rows(batch));
    harness_add_reject(h, batch, row, 1, cause);
}

static SfStatus take_settle(SfNode *node, size_t input, const SfPosition *ends, size_t n, SfError *err)
{
    Harness *h = harness_of(node);
    h->settled++;
    for (size_t i = 0; i < n; i++)
        if (ends[i].position > harness_chain(h, input, ends[i].split)->written)
            g_error("%s: settles up to %" G_GINT64_FORMAT ", which was not written", harness_name(h), ends[i].position);
    if (h->settle_answer != SF_OK)
        return sf_fail(err, h->settle_answer, "the test says so");
    return SF_OK;
}

static void take_committed(SfNode *node, size_t input, const SfSplit *split, int64_t end)
{
    Harness *h = harness_of(node);
    Chain *chain = harness_chain(h, input, split);
    if (end > chain->written || end < chain->committed)
        g_error("%s: committed '%s' up to %" G_GINT64_FORMAT "; it was at %" G_GINT64_FORMAT
                ", written up to %" G_GINT64_FORMAT,
                harness_name(h), split->name, end, chain->committed, chain->written);
    chain->committed = end;
}

static void take_charge(SfNode *node, int64_t bytes)
{
    Harness *h = harness_of(node);
    h->charged += bytes;
    h->charged_peak = MAX(h->charged_peak, h->charged);
    if (h->charged < 0)
        g_error("%s: has given back more memory than it was charged", harness_name(h));
}

static void take_expect(SfNode *node, int64_t rows)
{
    harness_of(node)->expected = rows;
}

static void take_recovered(SfNode *node, size_t input, const SfSplit *split, int64_t position, int64_t committed_ms)
{
    (void) position;
    harness_chain(harness_of(node), input, split)->known_ms = committed_ms;
}

static int64_t tell_furthest(SfNode *node, const SfSplit *split)
{
    const gint64 *answer = g_hash_table_lookup(harness_of(node)->own->answers, split->name);
    return answer ? *answer : SF_POSITION_NONE;
}

static int64_t tell_last_commit(SfNode *node, const SfSplit *split, int64_t *position)
{
    const Keeping *keeping = g_hash_table_lookup(harness_of(node)->own->keepings, split->name);
    *position = tell_furthest(node, split);
    return keeping ? keeping->committed_ms : -1;
}

static void take_patience(SfNode *node, int64_t ms)
{
    harness_of(node)->patience_ms = ms;
}

static void take_origin(SfNode *node, const SfSplit *split, const char *origin)
{
    harness_set_origin(harness_of(node), split->name, origin);
}

static const char *tell_origin(SfNode *node, const SfSplit *split)
{
    return g_hash_table_lookup(harness_of(node)->own->origins, split->name);
}

static const char *tell_other_origin(SfNode *node, const SfSplit *split)
{
    const Keeping *keeping = g_hash_table_lookup(harness_of(node)->own->keepings, split->name);
    bool other = keeping && g_strcmp0(keeping->origin, tell_origin(node, split)) != 0;
    return other ? keeping->origin : NULL;
}

static void take_recovered_origin(SfNode *node, size_t input, const SfSplit *split, const char *origin)
{
    Chain *chain = harness_chain(harness_of(node), input, split);
    chain->origin = harness_hold_text(harness_of(node), g_strdup(origin));
}

static int64_t tell_memory(SfNode *node)
{
    return harness_of(node)->memory;
}

const SfHost harness_host = {
    .size = sizeof(SfHost),
    .log = take_log,
    .now_ms = tell_now,
    .assign = take_assign,
    .revoke = take_revoke,
    .lag = take_lag,
    .reject = take_reject,
    .settle = take_settle,
    .committed = take_committed,
    .charge = take_charge,
    .fault = take_fault,
    .expect = take_expect,
    .recovered = take_recovered,
    .last_commit = tell_last_commit,
    .furthest = tell_furthest,
    .monotonic_ms = tell_monotonic,
    .patience = take_patience,
    .set_origin = take_origin,
    .other_origin = tell_other_origin,
    .origin = tell_origin,
    .recovered_origin = take_recovered_origin,
    .memory = tell_memory,
};

void harness_keep(Harness *h, const char *split, int64_t committed_ms, const char *origin)
{
    Keeping *keeping = g_new0(Keeping, 1);
    *keeping = (Keeping){committed_ms, origin ? harness_hold_text(h, g_strdup(origin)) : NULL};
    g_hash_table_replace(h->own->keepings, g_strdup(split), keeping);
}

void harness_set_origin(Harness *h, const char *split, const char *origin)
{
    const char *kept = origin ? harness_hold_text(h, g_strdup(origin)) : NULL;
    g_hash_table_insert(h->own->origins, g_strdup(split), (gpointer) kept);
}

const char *harness_recovered_origin(Harness *h, gsize input, const char *split)
{
    return harness_chain(h, input, harness_split(h, split))->origin;
}

/* ---- what was recorded ---- */

static const char *copy_record(Harness *h, const GString *record)
{
    g_mutex_lock(&h->own->mutex);
    char *text = g_strdup(record->str);
    g_mutex_unlock(&h->own->mutex);
    return harness_hold_text(h, text);
}

const char *harness_rejects(Harness *h)
{
    return copy_record(h, h->own->rejects);
}

guint harness_n_rejects(Harness *h)
{
    return h->own->n_rejects;
}

const char *harness_logs(Harness *h)
{
    return copy_record(h, h->own->logs);
}

const char *harness_faults(Harness *h)
{
    return copy_record(h, h->own->faults);
}

void harness_forget(Harness *h)
{
    HarnessPrivate *p = h->own;
    g_mutex_lock(&p->mutex);
    g_string_truncate(p->logs, 0);
    g_string_truncate(p->rejects, 0);
    g_string_truncate(p->faults, 0);
    p->n_rejects = 0;
    g_mutex_unlock(&p->mutex);
    h->settled = 0;
}
