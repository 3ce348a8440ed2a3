/* A plugin's audit hooks, and what they report as lines. */
#include "harness_private.h"

#include <sf/audit.h>

typedef struct Report {
    SfAudit audit; /* first: what the plugin is handed */
    Harness *harness;
    const Plugin *plugin;
    GString *text;
} Report;

static Report *report_of(SfAudit *audit)
{
    return (Report *) audit;
}

static const char *figure(char *room, gsize size, gint64 value)
{
    g_snprintf(room, size, "%" G_GINT64_FORMAT, value);
    return value < 0 ? "?" : room;
}

static void append_split(GString *out, const SfAuditRange *range)
{
    if (range->split)
        g_string_append(out, range->split);
    else if (range->topic)
        g_string_append_printf(out, "%s:%d", range->topic, range->partition);
    else
        g_string_append(out, "all");
}

static void take_range(SfAudit *audit, const SfAuditRange *range)
{
    Report *report = report_of(audit);
    char start[24], end[24], rows[24], rejected[24];
    if (range->size < sizeof *range)
        g_error("%s: a range has no size", report->plugin->head.name);
    if (report->plugin->kind == SF_SINK && range->input >= report->harness->own->schemas->len)
        g_error("%s: a range of input %u, of %u", report->plugin->head.name, range->input,
                report->harness->own->schemas->len);
    g_string_append_printf(report->text, "range input %u ", range->input);
    append_split(report->text, range);
    g_string_append_printf(report->text, " [%s, %s) rows %s rejected %s: %s\n",
                           figure(start, sizeof start, range->start), figure(end, sizeof end, range->end),
                           figure(rows, sizeof rows, range->rows), figure(rejected, sizeof rejected, range->rejected),
                           range->place ? range->place : "");
}

static gint compare(gconstpointer a, gconstpointer b)
{
    gint64 left = *(const gint64 *) a, right = *(const gint64 *) b;
    return (left > right) - (left < right);
}

static void take_rows(SfAudit *audit, uint32_t input, const char *topic, int32_t partition, const int64_t *positions,
                      size_t n)
{
    Report *report = report_of(audit);
    g_autoptr(GArray) sorted = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_array_append_vals(sorted, positions, (guint) n);
    g_array_sort(sorted, compare);
    g_string_append_printf(report->text, "rows input %u %s/%d:", input, topic, partition);
    for (guint i = 0; i < sorted->len; i++)
        g_string_append_printf(report->text, " %" G_GINT64_FORMAT, g_array_index(sorted, gint64, i));
    g_string_append_c(report->text, '\n');
}

static void take_finding(SfAudit *audit, SfAuditKind kind, const char *place, const char *message)
{
    static const char *const names[] = {[SF_AUDIT_FAULT] = "fault",
                                        [SF_AUDIT_ORPHAN] = "orphan",
                                        [SF_AUDIT_UNKNOWN] = "unknown",
                                        [SF_AUDIT_NOTE] = "note"};
    g_string_append_printf(report_of(audit)->text, "%s %s: %s\n", names[kind], place ? place : "", message);
}

static void take_checked(SfAudit *audit, const char *what, int64_t n, int64_t bytes)
{
    GString *text = report_of(audit)->text;
    g_string_append_printf(text, "checked %" G_GINT64_FORMAT " %s", n, what);
    if (bytes > 0)
        g_string_append_printf(text, ", %" G_GINT64_FORMAT " bytes", bytes);
    g_string_append_c(text, '\n');
}

static void tell_wanted(SfAudit *audit, const char *split, int64_t *from, int64_t *to)
{
    const Wanted *wanted = g_hash_table_lookup(report_of(audit)->harness->own->wanted, split);
    *from = wanted ? wanted->from : 0;
    *to = wanted ? wanted->to : G_MAXINT64;
}

static SfStatus take_batch(SfAudit *audit, SfBatch *batch, SfError *err)
{
    (void) err;
    Report *report = report_of(audit);
    HarnessPrivate *p = report->harness->own;
    batch->schema = p->outputs->pdata[p->outputs->len - 1];
    if (!batch->split)
        g_error("%s: a batch without a split", report->plugin->head.name);
    if (batch->rows.release)
        rows_assert_valid(batch->schema, &batch->rows);
    g_string_append_printf(report->text, "batch %s [%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT "):", batch->split->name,
                           batch->start, batch->end);
    for (gint64 row = 0; row < sf_rows(batch); row++)
        g_string_append_printf(report->text, " %" G_GINT64_FORMAT, harness_position(batch, row));
    g_string_append_c(report->text, '\n');
    sf_batch_done(batch);
    return SF_OK;
}

void harness_audit_wanted(Harness *h, const char *split, gint64 from, gint64 to)
{
    Wanted *wanted = g_new(Wanted, 1);
    *wanted = (Wanted){from, to};
    g_hash_table_replace(h->own->wanted, g_strdup(split), wanted);
}

static SfStatus expect_rows(Report *report, SfNode *node, const gsize *inputs, const SfBatch *const *expected, gsize n,
                            SfError *err)
{
    const SfSink *sink = &report->plugin->sink;
    if (!sink->audit_rows)
        g_error("%s has no hook audit_rows", report->plugin->head.name);
    g_string_truncate(report->text, 0);
    for (gsize i = 0; i < n; i++)
        SF_TRY(sink->audit_rows(node, &report->audit, (guint32) inputs[i], expected[i], err));
    return sink->audit_rows(node, &report->audit, 0, NULL, err);
}

static SfStatus audit_bound(Report *report, SfNode *node, const gsize *inputs, const SfBatch *const *expected, gsize n,
                            SfError *err)
{
    const Plugin *plugin = report->plugin;
    SfStatus (*audit)(SfNode *, SfAudit *, SfError *) =
        plugin->kind == SF_SOURCE ? plugin->source.audit : plugin->sink.audit;
    if (plugin->kind == SF_TRANSFORM || !audit)
        g_error("%s has no hook audit", plugin->head.name);
    SF_TRY(audit(node, &report->audit, err));
    return expected ? expect_rows(report, node, inputs, expected, n, err) : SF_OK;
}

static const char *audit_all(Harness *h, SfAuditDepth depth, const gsize *inputs, const SfBatch *const *expected,
                             gsize n)
{
    harness_try_bind(h); /* so that the inputs are known */
    harness_need_ok(h, "bind");
    HarnessPrivate *p = h->own;
    Report report = {.audit = {.size = sizeof(SfAudit),
                               .depth = depth,
                               .range = take_range,
                               .rows = take_rows,
                               .find = take_finding,
                               .checked = take_checked,
                               .wanted = tell_wanted,
                               .batch = take_batch},
                     .harness = h,
                     .plugin = p->plugin,
                     .text = g_string_new(NULL)};
    SfError err = {""};
    g_autoptr(Instance) instance = instance_new(&p->step, &p->pipeline, 0, true, &harness_host, h, &err);
    SfStatus status = instance ? SF_OK : SF_CONFIG;
    if (instance)
        status = instance_bind(instance, (const struct ArrowSchema *const *) p->schemas->pdata, &err);
    if (status == SF_OK)
        status = audit_bound(&report, &instance->node, inputs, expected, n, &err);
    if (status != SF_OK)
        g_string_append_printf(report.text, "status %s: %s\n", sf_status_name(status), err.message);
    return harness_hold_text(h, g_string_free(report.text, FALSE));
}

const char *harness_audit(Harness *h, SfAuditDepth depth)
{
    return audit_all(h, depth, NULL, NULL, 0);
}

const char *harness_audit_rows(Harness *h, const gsize *inputs, const SfBatch *const *expected, gsize n)
{
    return audit_all(h, SF_AUDIT_DEEP, inputs, expected, n);
}
