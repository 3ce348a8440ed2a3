/* See model.h. */
#include "model.h"

#include <stdio.h>
#include <string.h>

#define TELL_US (200 * 1000)
#define MOST_NAMES 400     /* bytes, of splits in a message */
#define MOST_FINDINGS 1000 /* of a step that are kept */

static void chain_free(gpointer data)
{
    AuditChain *chain = data;
    g_free(chain->split);
    g_free(chain->topic);
    g_free(chain);
}

static void lane_free(gpointer data)
{
    AuditLane *lane = data;
    g_free(lane->topic);
    grid_done(&lane->grid);
    g_free(lane);
}

static void finding_clear(gpointer data)
{
    AuditFinding *finding = data;
    g_free(finding->place);
    g_free(finding->message);
}

static void spent_free(gpointer instance)
{
    instance_free(instance);
}

static void count_clear(gpointer data)
{
    g_free(((AuditCount *) data)->what);
}

static void step_init(AuditStep *step, Audit *audit, const Step *of)
{
    *step = (AuditStep){.audit = audit,
                        .step = of,
                        .chains = g_ptr_array_new_with_free_func(chain_free),
                        .lanes = g_ptr_array_new_with_free_func(lane_free),
                        .findings = g_array_new(FALSE, FALSE, sizeof(AuditFinding)),
                        .counts = g_array_new(FALSE, FALSE, sizeof(AuditCount)),
                        .spent = g_ptr_array_new_with_free_func(spent_free),
                        .totals = g_new(gint64, of->inputs->len + 1),
                        .gave_rows = g_new(bool, of->inputs->len + 1)};
    g_array_set_clear_func(step->findings, finding_clear);
    g_array_set_clear_func(step->counts, count_clear);
    step->caller = (Caller){.step = of, .rejects = rejects_new()};
    step_forget(step);
}

static void step_done(AuditStep *step)
{
    instance_free(step->instance);
    g_ptr_array_unref(step->spent);
    g_array_unref(step->caller.rejects);
    g_ptr_array_unref(step->chains);
    g_ptr_array_unref(step->lanes);
    g_array_unref(step->findings);
    g_array_unref(step->counts);
    g_free(step->totals);
    g_free(step->gave_rows);
}

void step_forget(AuditStep *step)
{
    if (step->step->inputs->len > 0) /* those of a source are replaced one by one */
        g_ptr_array_set_size(step->chains, 0);
    g_ptr_array_set_size(step->lanes, 0);
    g_array_set_size(step->findings, 0);
    g_array_set_size(step->counts, 0);
    memset(step->found, 0, sizeof step->found);
    for (guint i = 0; i < step->step->inputs->len + 1; i++) {
        step->totals[i] = -1;
        step->gave_rows[i] = false;
    }
}

void step_add_finding(AuditStep *step, SfAuditKind kind, const char *place, const char *message)
{
    if (kind < SF_AUDIT_FAULT || kind > SF_AUDIT_NOTE)
        kind = SF_AUDIT_UNKNOWN; /* of a later version */
    step->found[kind]++;
    if (step->findings->len >= MOST_FINDINGS)
        return;
    AuditFinding finding = {kind, g_strdup(place), g_strdup(message)};
    g_array_append_val(step->findings, finding);
}

void step_find(AuditStep *step, SfAuditKind kind, const char *place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    step_add_finding(step, kind, place, message);
}

void audit_init(Audit *audit, const Pipeline *pipeline, SfAuditDepth depth)
{
    *audit = (Audit){.pipeline = pipeline,
                     .depth = depth,
                     .from = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
                     .steps = g_new0(AuditStep, pipeline->steps->len + 1),
                     .lines = g_array_new(FALSE, FALSE, sizeof(AuditLine))};
    for (guint i = 0; i < pipeline->steps->len; i++)
        step_init(&audit->steps[i], audit, pipeline->steps->pdata[i]);
}

void audit_done(Audit *audit)
{
    for (guint i = audit->pipeline->steps->len; i-- > 0;)
        step_done(&audit->steps[i]);
    g_free(audit->steps);
    g_array_unref(audit->lines);
    g_hash_table_unref(audit->from);
}

gint64 audit_from(const Audit *audit, const char *split)
{
    const gint64 *from = g_hash_table_lookup(audit->from, split);
    if (!from)
        from = g_hash_table_lookup(audit->from, "");
    return from ? *from : 0;
}

/* Whether some step has the split, and up to the position; split "": any. */
static bool reaches(const Audit *audit, const char *split, gint64 position, GString *names)
{
    for (guint i = 0; i < audit->pipeline->steps->len; i++) {
        const GPtrArray *chains = audit->steps[i].chains;
        for (guint k = 0; k < chains->len; k++) {
            const AuditChain *chain = chains->pdata[k];
            bool same = *split == '\0' || strcmp(chain->split, split) == 0;
            if (same && chain->end >= position)
                return true;
            if (names->len < MOST_NAMES)
                g_string_append_printf(names, "%s%s (to %" G_GINT64_FORMAT ")", names->len > 0 ? ", " : "",
                                       chain->split, chain->end);
        }
    }
    return false;
}

SfStatus audit_check_from(const Audit *audit, SfError *err)
{
    GHashTableIter iter;
    gpointer split, position;
    g_hash_table_iter_init(&iter, audit->from);
    while (g_hash_table_iter_next(&iter, &split, &position)) {
        g_autoptr(GString) names = g_string_new(NULL);
        if (!reaches(audit, split, *(gint64 *) position, names))
            return sf_fail(err, SF_CONFIG,
                           "--from %s%s%" G_GINT64_FORMAT ": there is no such position; there are the splits %s",
                           (const char *) split, *(const char *) split ? "@" : "", *(gint64 *) position,
                           names->len > 0 ? names->str : "of no step");
    }
    return SF_OK;
}

void audit_progress(Audit *audit, const char *step, gint64 rows)
{
    gint64 now = g_get_monotonic_time();
    audit->seen += rows;
    if (!audit->tell || now - audit->told_us < TELL_US)
        return;
    audit->told_us = now;
    fprintf(stderr, "\r\033[K%s: %" G_GINT64_FORMAT " rows read", step, audit->seen);
    fflush(stderr);
}

gint64 audit_found(const Audit *audit, SfAuditKind kind)
{
    gint64 n = 0;
    for (guint i = 0; i < audit->pipeline->steps->len; i++)
        n += audit->steps[i].found[kind];
    return n;
}

/* ---- chains ----------------------------------------------------------------------------------------------------- */

AuditChain *step_chain(const AuditStep *step, guint input, const char *split)
{
    for (guint i = 0; i < step->chains->len; i++) {
        AuditChain *chain = step->chains->pdata[i];
        if (chain->input == input && strcmp(chain->split, split) == 0)
            return chain;
    }
    return NULL;
}

const AuditChain *step_chain_of(const AuditStep *step, guint input, const char *topic, gint32 partition)
{
    const AuditChain *found = NULL;
    for (guint i = 0; i < step->chains->len; i++) {
        const AuditChain *chain = step->chains->pdata[i];
        if (chain->input != input || chain->partition != partition || g_strcmp0(chain->topic, topic) != 0)
            continue;
        if (found)
            return NULL;
        found = chain;
    }
    return found;
}

const Step *audit_source_of(const Step *step, guint input)
{
    const Edge *edge = step->inputs->pdata[input];
    while (edge->from->inputs->len > 0)
        edge = edge->from->inputs->pdata[0];
    return edge->from;
}

const AuditChain *audit_source_chain(const Audit *audit, const Step *step, guint input, const char *split)
{
    const Step *source = step->inputs->len > 0 ? audit_source_of(step, input) : step;
    return step_chain(&audit->steps[source->index], 0, split);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

AuditLane *step_lane(AuditStep *step, guint input, const char *topic, gint32 partition)
{
    for (guint i = 0; i < step->lanes->len; i++) {
        AuditLane *lane = step->lanes->pdata[i];
        if (lane->input == input && lane->partition == partition && strcmp(lane->topic, topic) == 0)
            return lane;
    }
    AuditLane *lane = g_new0(AuditLane, 1);
    *lane = (AuditLane){.input = input, .topic = g_strdup(topic), .partition = partition, .lowest = -1};
    grid_init(&lane->grid);
    g_ptr_array_add(step->lanes, lane);
    return lane;
}
