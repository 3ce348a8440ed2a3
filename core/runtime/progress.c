/* One line for all pipelines: each source with its rate and lag, each sink, and whoever rejects rows. */
#include "progress.h"

#include <string.h>

#include "data/printable.h"
#include "runner_state.h"

#define SAMPLE_US G_USEC_PER_SEC
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

/* Columns of steps' names where not all of them fit. */
enum { LONGEST_CUT = 20, SHORTEST_CUT = 3 };

/* What is given up for want of room. */
typedef struct Form {
    bool brief; /* 1.2M instead of 1,234,567 */
    bool bare;  /* without the pipeline's name */
    bool total; /* rejects of all steps in one, and no share of what is expected */
    guint name; /* columns of a step's name at most; 0: all */
    bool tight; /* no blanks between steps */
    bool colours;
} Form;

static void append_count(GString *out, const Form *form, gint64 n)
{
    g_autofree char *count = form->brief ? printable_brief_count(n) : printable_count(n);
    g_string_append(out, count);
}

static void append_name(GString *out, const Form *form, const char *name)
{
    g_autofree char *shown = form->name > 0 ? printable_cut(name, form->name, 0) : g_strdup(name);
    g_string_append(out, shown);
}

/* Of all splits whose end is known; -1: of none. */
static gint64 lag_of(Runner *runner, const Step *source)
{
    g_mutex_lock(&runner->lock);
    gint64 lag = runner->attempt ? ledger_lag(attempt_context(runner->attempt)->ledger, source) : -1;
    g_mutex_unlock(&runner->lock);
    return lag;
}

static void append_source(Runner *runner, const Step *step, const Form *form, gint64 elapsed_us, GString *out)
{
    const StepStats *stats = &runner->stats[step->index];
    gint64 rows = stats_get(&stats->rows_out), expected = stats_get(&stats->expected), lag = lag_of(runner, step);
    gint64 rate = stats_get(&stats->rate), passed = stats_get(&stats->passed);
    append_count(out, form, rows);
    if (expected > 0 && !form->total)
        g_string_append_printf(out, " (%d %%)", (int) MIN(100, passed * 100 / expected));
    if (rate == 0 && elapsed_us > 0)
        rate = (gint64) ((double) rows * 1e6 / (double) elapsed_us);
    g_string_append_c(out, ' ');
    append_count(out, form, rate);
    g_string_append(out, "/s");
    if (lag >= 0) {
        g_string_append(out, " lag ");
        append_count(out, form, lag);
    }
}

static void append_bar(GString *out, const Form *form)
{
    if (out->len > 0)
        g_string_append(out, form->tight ? "|" : " | ");
}

static void append_rejected(GString *out, const Form *form, gint64 rejected)
{
    g_string_append(out, form->colours ? YELLOW : "");
    append_count(out, form, rejected);
    g_string_append(out, " rejected");
    g_string_append(out, form->colours ? PLAIN : "");
}

static void append_step(Runner *runner, const Step *step, const Form *form, gint64 elapsed_us, GString *out)
{
    const StepStats *stats = &runner->stats[step->index];
    gint64 rejected = stats_get(&stats->rejected);
    SfKind kind = step->plugin->kind;
    if (kind == SF_TRANSFORM && (rejected == 0 || form->total))
        return;
    append_bar(out, form);
    append_name(out, form, step->name);
    if (kind == SF_SOURCE) {
        g_string_append_c(out, ' ');
        append_source(runner, step, form, elapsed_us, out);
    } else if (kind == SF_SINK) {
        g_string_append_c(out, ' ');
        append_count(out, form, stats_get(&stats->rows_in));
    }
    if (rejected == 0 || form->total)
        return;
    g_string_append(out, kind == SF_TRANSFORM ? " " : ", ");
    append_rejected(out, form, rejected);
}

static char *one_line(Runner *runner, const Form *form, gint64 elapsed_us)
{
    const Pipeline *pipeline = runner->pipeline;
    GString *out = g_string_new(form->bare ? "" : pipeline->name);
    for (guint i = 0; i < pipeline->steps->len; i++)
        append_step(runner, pipeline->steps->pdata[i], form, elapsed_us, out);
    gint64 rejected = 0;
    for (guint i = 0; form->total && i < pipeline->steps->len; i++)
        rejected += stats_get(&runner->stats[i].rejected);
    if (rejected > 0) {
        append_bar(out, form);
        append_rejected(out, form, rejected);
    }
    return g_string_free(out, FALSE);
}

void progress_full(Runner *runner, gint64 elapsed_us, GString *out)
{
    g_autofree char *text = one_line(runner, &(Form){0}, elapsed_us);
    g_string_append(out, text);
}

/* Returns how many columns the line takes. */
static guint write_line(const GPtrArray *runners, gint64 elapsed_us, const Form *form, GString *line)
{
    g_string_truncate(line, 0);
    for (guint i = 0; i < runners->len; i++) {
        g_autofree char *text = one_line(runners->pdata[i], form, elapsed_us);
        g_string_append_printf(line, "%s%s", i > 0 ? "  " : "", text);
    }
    return printable_width(line->str);
}

char *progress_line(const GPtrArray *runners, gint64 elapsed_us, guint columns, bool colours)
{
    static const Form forms[] = {
        {0},
        {.brief = true},
        {.brief = true, .bare = true},
        {.brief = true, .bare = true, .total = true},
        {.brief = true, .bare = true, .total = true, .tight = true},
    };
    g_autoptr(GString) line = g_string_new(NULL);
    Form form = {0};
    bool fits = false;
    for (gsize f = 0; f < G_N_ELEMENTS(forms) && !fits; f++) {
        form = forms[f];
        form.colours = colours;
        fits = write_line(runners, elapsed_us, &form, line) < columns || columns == 0;
    }
    for (form.name = LONGEST_CUT; form.name >= SHORTEST_CUT && !fits; form.name--)
        fits = write_line(runners, elapsed_us, &form, line) < columns;
    return g_string_free(g_steal_pointer(&line), FALSE);
}

void progress_sample(Runner *runner)
{
    gint64 now = g_get_monotonic_time(), passed = now - runner->sampled_us;
    if (passed < SAMPLE_US)
        return;
    for (guint i = 0; i < runner->pipeline->steps->len; i++) {
        const Step *step = runner->pipeline->steps->pdata[i];
        StepStats *stats = &runner->stats[i];
        gint64 rows = stats_get(step->plugin->kind == SF_SOURCE ? &stats->rows_out : &stats->rows_in);
        bool comparable = runner->sampled_us > 0 && rows >= stats->sampled;
        double rate = comparable ? (double) (rows - stats->sampled) * 1e6 / (double) passed : 0;
        double before = (double) stats_get(&stats->rate);
        stats->sampled = rows;
        stats_set(&stats->rate, (gint64) (before > 0 ? 0.5 * before + 0.5 * rate : rate));
    }
    runner->sampled_us = now;
}
