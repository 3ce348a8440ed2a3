/* Rejected rows become batches of their step's errors output: the row as the step got it, _step and _error. */
#include "rejects.h"

#include "log.h"

static void reject_clear(Reject *reject)
{
    if (reject->batch)
        sf_batch_unref(reject->batch);
    g_free(reject->cause);
}

GArray *rejects_new(void)
{
    GArray *rejects = g_array_new(FALSE, TRUE, sizeof(Reject));
    g_array_set_clear_func(rejects, (GDestroyNotify) reject_clear);
    return rejects;
}

void rejects_take_back(Caller *caller, const SfBatch *batch)
{
    for (guint i = caller->rejects->len; i-- > 0;) {
        if (g_array_index(caller->rejects, Reject, i).batch != batch)
            continue;
        guard_count(&caller->stats->guard, g_array_index(caller->rejects, Reject, i).cause, -1);
        g_array_remove_index_fast(caller->rejects, i);
        stats_add(&caller->stats->rejected, -1);
    }
}

/* The rows' bits, and how many they are: a row that was rejected twice counts once. */
static gint64 mark_rows(const Reject *const *rejects, size_t n, guint8 *bits)
{
    gint64 rows = 0;
    for (size_t i = 0; i < n; i++) {
        guint8 bit = (guint8) (1u << (rejects[i]->row & 7));
        rows += !(bits[rejects[i]->row >> 3] & bit);
        bits[rejects[i]->row >> 3] |= bit;
    }
    return rows;
}

static gint by_row(gconstpointer a, gconstpointer b)
{
    gint64 left = (*(const Reject *const *) a)->row, right = (*(const Reject *const *) b)->row;
    return left < right ? -1 : left > right;
}

/* Columns _step and _error. */
static SfStatus build_causes(const Caller *caller, const Reject *const *rejects, size_t n, struct ArrowArray *out,
                             SfError *err)
{
    static const SfField fields[] = {{.name = "_step", .type = SF_UTF8}, {.name = "_error", .type = SF_UTF8}};
    struct ArrowSchema schema = {0};
    SF_TRY(sf_schema_make(fields, G_N_ELEMENTS(fields), &schema, err));
    SfBuilder *builder = sf_builder_new(&schema, err);
    sf_schema_done(&schema);
    if (!builder)
        return SF_FATAL;
    g_autofree const Reject **sorted = g_memdup2(rejects, n * sizeof *rejects);
    qsort(sorted, n, sizeof *sorted, by_row);
    SfStatus status = SF_OK;
    for (size_t i = 0; status == SF_OK && i < n; i++) {
        if (i > 0 && sorted[i]->row == sorted[i - 1]->row)
            continue;
        sf_add_str(sf_builder_column(builder, 0), caller->step->name, (int64_t) strlen(caller->step->name));
        sf_add_str(sf_builder_column(builder, 1), sorted[i]->cause, (int64_t) strlen(sorted[i]->cause));
        status = sf_builder_end_row(builder, err);
    }
    if (status == SF_OK)
        status = sf_builder_finish(builder, out, err);
    sf_builder_free(builder);
    return status;
}

/* Moves the columns that are not our own into `columns`; returns how many. */
static size_t move_columns(const struct ArrowSchema *schema, struct ArrowArray *rows, struct ArrowArray *columns)
{
    size_t n = 0;
    for (gint64 i = 0; i < rows->n_children; i++) {
        const char *name = schema ? schema->children[i]->name : "";
        if (g_str_equal(name, "_step") || g_str_equal(name, "_error")) /* of an errors output that the step read */
            continue;
        columns[n++] = *rows->children[i];
        rows->children[i]->release = NULL;
    }
    sf_array_done(rows);
    return n;
}

SfStatus rejects_batch(const Caller *caller, const struct ArrowSchema *schema, const Reject *const *rejects, size_t n,
                       SfBatch *out, SfError *err)
{
    const SfBatch *batch = rejects[0]->batch;
    g_autofree guint8 *bits = g_malloc0((gsize) sf_rows(batch) / 8 + 1);
    gint64 rows = mark_rows(rejects, n, bits);
    SfBatch kept = {0};
    struct ArrowArray causes = {0};
    SF_TRY(sf_batch_keep(batch, bits, &kept, err));
    SfStatus status = build_causes(caller, rejects, n, &causes, err);
    if (status != SF_OK) {
        sf_batch_done(&kept);
        return status;
    }
    g_autofree struct ArrowArray *columns = g_new0(struct ArrowArray, kept.rows.n_children + 2);
    size_t n_columns = move_columns(batch->schema, &kept.rows, columns);
    n_columns += move_columns(NULL, &causes, columns + n_columns);
    SfBatch made = {
        .schema = schema, .split = batch->split, .start = batch->start, .end = batch->end, .newest_us = INT64_MIN};
    SF_TRY(sf_rows_from_columns(columns, n_columns, rows, &made.rows, err));
    *out = made;
    return SF_OK;
}

static char *place_of(const Reject *reject)
{
    const SfSplit *split = reject->batch->split;
    return g_strdup_printf("%s/%d/%" G_GINT64_FORMAT, split->topic, split->partition, reject->position);
}

SfStatus rejects_check(const Caller *caller, SfError *err)
{
    return guard_check(&caller->stats->guard, caller->step, caller->context->pipeline->name,
                       stats_get(&caller->stats->rows_in), stats_get(&caller->stats->rejected), err);
}

SfStatus rejects_unread(const Caller *caller, const Reject *const *rejects, size_t n, SfError *err)
{
    const Step *step = caller->step;
    if (step->on_reject == ON_REJECT_STOP) {
        g_autofree char *place = place_of(rejects[0]);
        return sf_fail(err, SF_FATAL,
                       "row %s was rejected: %s; let a sink read '%s.errors', or set 'on_reject: drop' there", place,
                       rejects[0]->cause, step->name);
    }
    for (size_t i = 0; i < n && guard_shows(&caller->stats->guard); i++) {
        g_autofree char *place = place_of(rejects[i]);
        log_line(LEVEL_WARNING, caller->context->pipeline->name, step->name, "dropped row %s: %s", place,
                 rejects[i]->cause);
    }
    return SF_OK;
}
