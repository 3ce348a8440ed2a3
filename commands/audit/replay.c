/* What every sink should have: the source's rows once more, through the pipeline's own transforms, in memory. Only the
 * positions of what comes out are kept, as differences to what the stores have. */
#include "replay.h"

#include <string.h>

#include "data/batch.h"
#include "data/rowfilter.h"

static gint64 lower(gint64 a, gint64 b)
{
    return a < 0 || b < 0 ? MAX(a, b) : MIN(a, b);
}

static gint64 lowest_stored(const AuditStep *step, const AuditChain *chain)
{
    return chain->topic ? step_lane((AuditStep *) step, chain->input, chain->topic, chain->partition)->lowest : -1;
}

/* The lowest start that any step's ranges say of the chain's split, from the same source, and the lowest position that
 * any of them has a row of; -1: none does. */
static gint64 known_start(const Audit *audit, const AuditStep *step, const AuditChain *chain, gint64 *stored)
{
    const Step *source = audit_source_of(step->step, chain->input);
    gint64 lowest = -1;
    *stored = -1;
    for (guint i = 0; i < audit->pipeline->steps->len; i++) {
        const AuditStep *other = &audit->steps[i];
        for (guint k = 0; other->step->inputs->len > 0 && k < other->chains->len; k++) {
            const AuditChain *its = other->chains->pdata[k];
            if (strcmp(its->split, chain->split) != 0 || audit_source_of(other->step, its->input) != source)
                continue;
            lowest = lower(lowest, its->start);
            *stored = lower(*stored, lowest_stored(other, its));
        }
    }
    return lowest;
}

gint64 replay_start(const Audit *audit, const AuditStep *step, const AuditChain *chain)
{
    const AuditChain *source = audit_source_chain(audit, step->step, chain->input, chain->split);
    gint64 start = chain->start;
    if (start == SF_POSITION_NONE) {
        gint64 stored;
        start = known_start(audit, step, chain, &stored);
        if (lowest_stored(step, chain) >= 0)
            start = lower(start, stored);
    }
    if (start < 0)
        start = source ? source->start : 0;
    start = MAX(start, audit_from(audit, chain->split));
    return source ? MAX(start, source->start) : start;
}

/* Where the source's rows are looked at from: what lies before the start is counted, where nobody knows it. */
static gint64 first_position(const Audit *audit, const AuditStep *step, const AuditChain *chain)
{
    const AuditChain *source = audit_source_chain(audit, step->step, chain->input, chain->split);
    gint64 start = replay_start(audit, step, chain), stored;
    if (!source || chain->start != SF_POSITION_NONE || known_start(audit, step, chain, &stored) >= 0)
        return start;
    return MIN(start, MAX(source->start, audit_from(audit, chain->split)));
}

void replay_wanted(const Audit *audit, const AuditStep *source, const char *split, gint64 *from, gint64 *to)
{
    *from = G_MAXINT64;
    *to = 0;
    for (guint i = 0; i < audit->pipeline->steps->len; i++) {
        const AuditStep *step = &audit->steps[i];
        for (guint k = 0; step->step->inputs->len > 0 && k < step->chains->len; k++) {
            const AuditChain *chain = step->chains->pdata[k];
            if (strcmp(chain->split, split) != 0 || audit_source_of(step->step, chain->input) != source->step)
                continue;
            *from = MIN(*from, first_position(audit, step, chain));
            *to = MAX(*to, chain->end);
        }
    }
    *from = MIN(*from, *to);
}

/* ---- rows at a sink's input ------------------------------------------------------------------------------------- */

static bool read_positions(const SfBatch *batch, const char *name, gint64 *out)
{
    SfColumn column;
    if (sf_schema_find(batch->schema, name) < 0 || sf_column(batch, name, SF_INT64, &column, NULL) != SF_OK)
        return false;
    for (gint64 row = 0; row < sf_rows(batch); row++) {
        out[row] = sf_is_null(&column, row) ? SF_POSITION_NONE : sf_i64(&column, row);
        if (out[row] < batch->start || out[row] >= batch->end)
            return false; /* of somebody else: a table's rows may say where their events were once */
    }
    return true;
}

static void positions_of(const SfBatch *batch, gint64 *out)
{
    if (read_positions(batch, "offset", out) || read_positions(batch, "_offset", out))
        return;
    for (gint64 row = 0; row < sf_rows(batch); row++)
        out[row] = batch->start + row;
}

/* The positions of a batch, in order: [first, first + count) of its rows lie in [from, to). */
typedef struct Cut {
    gint64 first;
    gint64 count;
} Cut;

static Cut cut_of(const gint64 *positions, gint64 n, gint64 from, gint64 to)
{
    Cut cut = {0, 0};
    while (cut.first < n && positions[cut.first] < from)
        cut.first++;
    while (cut.first + cut.count < n && positions[cut.first + cut.count] < to)
        cut.count++;
    return cut;
}

static SfStatus ask_rows(AuditStep *step, guint input, const SfBatch *batch, const Cut *cut, SfError *err)
{
    const SfSink *sink = &step->step->plugin->sink;
    if (!sink->audit_rows || cut->count == 0)
        return SF_OK;
    SfBatch piece = {0};
    SF_TRY(sf_batch_slice(batch, cut->first, cut->count, &piece, err));
    piece.schema = batch->schema;
    piece.split = batch->split;
    piece.start = batch->start;
    piece.end = batch->end;
    SharedBatch *shared = shared_batch_new(&piece);
    SfStatus status =
        shared ? sink->audit_rows(&step->instance->node, &step->handed, input, &shared->batch, err) : SF_OK;
    shared_batch_unref(shared);
    return status;
}

static SfStatus expect_batch(AuditStep *step, guint input, const SfBatch *batch, SfError *err)
{
    const AuditChain *chain = step_chain(step, input, batch->split->name);
    gint64 n = sf_rows(batch);
    if (!step->asked || !chain || n == 0)
        return SF_OK;
    g_autofree gint64 *positions = g_new(gint64, (gsize) n);
    positions_of(batch, positions);
    gint64 start = replay_start(step->audit, step, chain);
    Cut cut = cut_of(positions, n, start, chain->end);
    Cut before = cut_of(positions, n, first_position(step->audit, step, chain), start);
    AuditLane *lane = step_lane(step, input, batch->split->topic, batch->split->partition);
    for (gint64 row = cut.first; row < cut.first + cut.count; row++)
        grid_add(&lane->grid, positions[row], -1);
    lane->expected += cut.count;
    if (before.count > 0 && lane->before == 0)
        lane->before_first = positions[before.first];
    lane->before += before.count;
    return ask_rows(step, input, batch, &cut, err);
}

/* ---- transforms ------------------------------------------------------------------------------------------------- */

static SfStatus replay_rows(Audit *audit, const GPtrArray *edges, SfBatch *rows, SfError *err);

static SfStatus replay_errors(AuditStep *step, const SfBatch *in, SfError *err)
{
    GArray *rejects = step->caller.rejects;
    if (rejects->len == 0 || step->step->error_outputs->len == 0) {
        g_array_set_size(rejects, 0);
        return SF_OK;
    }
    g_autofree const Reject **all = g_new(const Reject *, rejects->len);
    for (guint i = 0; i < rejects->len; i++)
        all[i] = &g_array_index(rejects, Reject, i);
    SfBatch rows = {.newest_us = in->newest_us};
    SF_TRY(rejects_batch(&step->caller, &step->instance->errors[0], all, rejects->len, &rows, err));
    g_array_set_size(rejects, 0);
    return replay_rows(step->audit, step->step->error_outputs, &rows, err);
}

static SfStatus apply(AuditStep *step, const SfBatch *in, SfBatch *out, SfError *err)
{
    const SfTransform *transform = &step->step->plugin->transform;
    SfStatus status = rowfilter_is(transform) ? rowfilter_apply(transform, &step->instance->node, in, out, err)
                                              : transform->apply(&step->instance->node, in, out, err);
    if (status != SF_REJECT)
        return status;
    sf_batch_done(out);
    g_autofree char *cause = g_strdup(err->message);
    for (gint64 row = 0; row < sf_rows(in); row++)
        sf_reject(&step->instance->node, in, row, "%s", cause);
    return SF_OK;
}

static SfStatus replay_transform(AuditStep *step, const SfBatch *in, SfError *err)
{
    SfBatch out = {.newest_us = in->newest_us};
    SF_TRY(apply(step, in, &out, err));
    out.schema = &step->instance->out;
    out.split = in->split;
    out.start = in->start;
    out.end = in->end;
    SF_TRY(replay_rows(step->audit, step->step->outputs, &out, err));
    return replay_errors(step, in, err);
}

static SfStatus replay_rows(Audit *audit, const GPtrArray *edges, SfBatch *rows, SfError *err)
{
    SharedBatch *shared = shared_batch_new(rows);
    SfStatus status = SF_OK;
    for (guint i = 0; status == SF_OK && shared && i < edges->len; i++) {
        const Edge *edge = edges->pdata[i];
        AuditStep *to = &audit->steps[edge->to->index];
        status = edge->to->plugin->kind == SF_SINK ? expect_batch(to, (guint) edge->input, &shared->batch, err)
                                                   : replay_transform(to, &shared->batch, err);
        if (status != SF_OK)
            sf_fail_prefix(err, status, "step '%s'", edge->to->name);
    }
    shared_batch_unref(shared);
    return status;
}

SfStatus replay_batch(AuditStep *source, SfBatch *batch, SfError *err)
{
    batch->schema = &source->instance->out;
    audit_progress(source->audit, source->step->name, sf_rows(batch));
    return replay_rows(source->audit, source->step->outputs, batch, err);
}

SfStatus replay_open(Audit *audit, SfError *err)
{
    for (guint i = 0; i < audit->pipeline->steps->len; i++) {
        AuditStep *step = &audit->steps[i];
        const Plugin *plugin = step->step->plugin;
        if (plugin->kind == SF_TRANSFORM && plugin->transform.open)
            SF_TRY(plugin->transform.open(&step->instance->node, err));
    }
    return SF_OK;
}

SfStatus replay_end(Audit *audit, SfError *err)
{
    for (guint i = 0; i < audit->pipeline->steps->len; i++) {
        AuditStep *step = &audit->steps[i];
        const Plugin *plugin = step->step->plugin;
        if (plugin->kind != SF_SINK || !plugin->sink.audit_rows || !step->asked)
            continue;
        SfStatus status = plugin->sink.audit_rows(&step->instance->node, &step->handed, 0, NULL, err);
        if (status != SF_OK)
            return sf_fail_prefix(err, status, "step '%s'", step->step->name);
    }
    return SF_OK;
}
