/* See reports.h. */
#include "reports.h"

#include <string.h>

#include "replay.h"

/* "topic/3" and "topic/3@2" say it themselves, where neither the store nor the source does. */
static void guess_topic(AuditChain *chain)
{
    const char *slash = strrchr(chain->split, '/');
    gsize digits = slash ? strspn(slash + 1, G_CSET_DIGITS) : 0;
    if (chain->topic || digits == 0 || (slash[1 + digits] && slash[1 + digits] != '@'))
        return;
    chain->topic = g_strndup(chain->split, (gsize) (slash - chain->split));
    chain->partition = (gint32) g_ascii_strtoll(slash + 1, NULL, 10);
}

static AuditChain *chain_new(AuditStep *step, const SfAuditRange *range, char *split)
{
    AuditChain *chain = g_new0(AuditChain, 1);
    const AuditChain *known = audit_source_chain(step->audit, step->step, range->input, split);
    *chain = (AuditChain){.input = range->input,
                          .split = split,
                          .topic = g_strdup(range->topic ? range->topic
                                            : known      ? known->topic
                                                         : NULL),
                          .partition = range->topic || !known ? range->partition : known->partition,
                          .start = range->start};
    guess_topic(chain);
    g_ptr_array_add(step->chains, chain);
    return chain;
}

static gint64 add_known(gint64 sum, gint64 more)
{
    return sum < 0 || more < 0 ? -1 : sum + more;
}

/* Ranges chain: each start is the end of the one before. */
static void check_chained(AuditStep *step, const AuditChain *chain, const SfAuditRange *range)
{
    if (range->start == SF_POSITION_NONE || range->start == chain->end)
        return;
    gint64 low = MIN(range->start, chain->end), high = MAX(range->start, chain->end);
    step_find(step, SF_AUDIT_FAULT, range->place,
              range->start > chain->end
                  ? "%s: a gap: positions %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " are in no range"
                  : "%s: an overlap: positions %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " are in two ranges",
              chain->split, low, high - 1);
}

static void report_range(SfAudit *audit, const SfAuditRange *given)
{
    AuditStep *step = audit->host_data;
    SfAuditRange range = sf_audit_range_new(0, NULL, SF_POSITION_NONE, SF_POSITION_NONE);
    memcpy(&range, given, MIN(given->size, sizeof range));
    if (range.input >= MAX(step->step->inputs->len, 1))
        return;
    if (!range.split && !range.topic) {
        gint64 *total = &step->totals[range.input];
        *total = *total < 0 ? range.rows : add_known(*total, range.rows);
        return;
    }
    g_autofree char *split =
        range.split ? g_strdup(range.split) : g_strdup_printf("%s/%d", range.topic, range.partition);
    if (step->step->inputs->len > 0 && range.end <= audit_from(step->audit, split))
        return;
    AuditChain *chain = step_chain(step, range.input, split);
    bool source = step->step->inputs->len == 0;
    if (!chain)
        chain = chain_new(step, &range, g_steal_pointer(&split));
    else if (source)
        *chain = (AuditChain){
            .split = chain->split, .topic = chain->topic, .partition = chain->partition, .start = range.start};
    else
        check_chained(step, chain, &range);
    chain->end = chain->n_ranges > 0 ? MAX(chain->end, range.end) : range.end;
    chain->rows = chain->n_ranges > 0 ? add_known(chain->rows, range.rows) : range.rows;
    chain->rejected = chain->n_ranges > 0 ? add_known(chain->rejected, range.rejected) : range.rejected;
    chain->cut |= range.start < audit_from(step->audit, chain->split) && audit_from(step->audit, chain->split) > 0;
    chain->n_ranges++;
}

/* The step whose rejects the input brings, where that is a sink: whose rows may run ahead of what it has committed. */
static const AuditStep *rejecting_sink(const AuditStep *step, guint input)
{
    const Edge *edge = step->step->inputs->pdata[input];
    bool sink = edge->errors && edge->from->plugin->kind == SF_SINK;
    return sink ? &step->audit->steps[edge->from->index] : NULL;
}

typedef struct Window {
    gint64 from;
    gint64 to;
    bool strict; /* rows behind `to` are a fault */
} Window;

static Window window_of(const AuditStep *step, guint input, const char *topic, gint32 partition)
{
    const AuditStep *rejecting = rejecting_sink(step, input);
    const AuditChain *chain = step_chain_of(step, input, topic, partition);
    const AuditChain *other = rejecting ? step_chain_of(rejecting, 0, topic, partition) : NULL;
    Window window = {0, G_MAXINT64, chain && !other};
    if (other)
        chain = other;
    if (!chain)
        return window;
    const AuditChain *source = audit_source_chain(step->audit, step->step, input, chain->split);
    window.from = MAX(audit_from(step->audit, chain->split), source ? source->start : 0); /* else not comparable */
    window.to = chain->end;
    return window;
}

static void report_rows(SfAudit *audit, uint32_t input, const char *topic, int32_t partition, const int64_t *positions,
                        size_t n)
{
    AuditStep *step = audit->host_data;
    if (input >= step->step->inputs->len || !topic)
        return;
    AuditLane *lane = step_lane(step, input, topic, partition);
    step->gave_rows[input] = true;
    Window window = window_of(step, input, topic, partition);
    for (size_t i = 0; i < n; i++) {
        gint64 position = positions[i];
        if (position < window.from)
            continue;
        if (position >= window.to || position < 0) {
            if (window.strict && lane->beyond++ == 0)
                lane->beyond_first = position;
            continue;
        }
        grid_add(&lane->grid, position, 1);
        lane->stored++;
        if (lane->lowest < 0 || position < lane->lowest)
            lane->lowest = position;
    }
    audit_progress(step->audit, step->step->name, (gint64) n);
}

/* ---- the rest --------------------------------------------------------------------------------------------------- */

static void report_finding(SfAudit *audit, SfAuditKind kind, const char *place, const char *message)
{
    step_add_finding(audit->host_data, kind, place, message);
}

static void report_checked(SfAudit *audit, const char *what, int64_t n, int64_t bytes)
{
    AuditStep *step = audit->host_data;
    for (guint i = 0; i < step->counts->len; i++) {
        AuditCount *count = &g_array_index(step->counts, AuditCount, i);
        if (strcmp(count->what, what) != 0)
            continue;
        count->n += n;
        count->bytes += bytes;
        return;
    }
    AuditCount count = {g_strdup(what), n, bytes};
    g_array_append_val(step->counts, count);
}

static void tell_wanted(SfAudit *audit, const char *split, int64_t *from, int64_t *to)
{
    const AuditStep *step = audit->host_data;
    gint64 low = audit_from(step->audit, split), high = G_MAXINT64;
    if (step->step->inputs->len == 0 && step->handed.depth == SF_AUDIT_DEEP)
        replay_wanted(step->audit, step, split, &low, &high);
    *from = low;
    *to = high;
}

static SfStatus report_batch(SfAudit *audit, SfBatch *batch, SfError *err)
{
    return replay_batch(audit->host_data, batch, err);
}

SfAudit reports_audit(AuditStep *step, SfAuditDepth depth)
{
    return (SfAudit){.size = sizeof(SfAudit),
                     .depth = depth,
                     .host_data = step,
                     .range = report_range,
                     .rows = report_rows,
                     .find = report_finding,
                     .checked = report_checked,
                     .wanted = tell_wanted,
                     .batch = report_batch};
}
