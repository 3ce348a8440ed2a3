/* Records of runs; see run.h. */
#include "run.h"

#include <string.h>

static void range_done(gpointer data)
{
    g_free(((RunRange *) data)->split);
}

GArray *run_ranges_new(void)
{
    GArray *ranges = g_array_new(FALSE, FALSE, sizeof(RunRange));
    g_array_set_clear_func(ranges, range_done);
    return ranges;
}

GArray *run_ranges_copy(const GArray *ranges)
{
    GArray *copy = run_ranges_new();
    for (guint i = 0; i < ranges->len; i++) {
        RunRange range = g_array_index(ranges, RunRange, i);
        range.split = g_strdup(range.split);
        g_array_append_val(copy, range);
    }
    return copy;
}

void run_begin(Run *run, const char *cause, const char *by)
{
    guint number = run->number + 1;
    run_done(run);
    *run = (Run){.number = number,
                 .cause = g_strdup(cause),
                 .by = g_strdup(by),
                 .started_us = g_get_real_time(),
                 .began_us = g_get_monotonic_time(),
                 .ranges = run_ranges_new()};
}

/* ---- ranges ------------------------------------------------ */

static int compare_with_split(const RunRange *range, const SplitView *view)
{
    int order = strcmp(range->source->name, view->source->name);
    return order ? order : strcmp(range->split, view->name);
}

/* Where the split's ranges start, and how many there are. */
static guint find_ranges(const GArray *ranges, const SplitView *view, guint *n)
{
    guint first = 0;
    while (first < ranges->len && compare_with_split(&g_array_index(ranges, RunRange, first), view) < 0)
        first++;
    guint end = first;
    while (end < ranges->len && compare_with_split(&g_array_index(ranges, RunRange, end), view) == 0)
        end++;
    *n = end - first;
    return first;
}

static void join_next(GArray *ranges, guint at)
{
    RunRange *range = &g_array_index(ranges, RunRange, at), *next = range + 1;
    range->to = MAX(range->to, next->to);
    g_array_remove_index(ranges, at + 1);
}

static void note_range(GArray *ranges, const SplitView *view, gint64 from, gint64 to)
{
    guint n, first = find_ranges(ranges, view, &n), at = first;
    while (at < first + n && g_array_index(ranges, RunRange, at).to < from)
        at++;
    bool meets = at < first + n && g_array_index(ranges, RunRange, at).from <= to;
    if (meets) {
        RunRange *range = &g_array_index(ranges, RunRange, at);
        range->from = MIN(range->from, from);
        range->to = MAX(range->to, to);
    } else {
        RunRange range = {.source = view->source, .split = g_strdup(view->name), .from = from, .to = to};
        g_array_insert_val(ranges, at, range);
        n++;
    }
    while (at + 1 < first + n &&
           g_array_index(ranges, RunRange, at + 1).from <= g_array_index(ranges, RunRange, at).to) {
        join_next(ranges, at);
        n--;
    }
    if (n > RUN_MOST_RANGES)
        join_next(ranges, first);
}

void run_note(GArray *ranges, const SplitView *view)
{
    for (size_t i = 0; i < view->n_past; i++)
        note_range(ranges, view, view->past[i].from, view->past[i].to);
    if (view->from != SF_POSITION_NONE && view->committed > view->from)
        note_range(ranges, view, view->from, view->committed);
}

/* ---- the end ------------------------------------------------ */

static Outcome outcome_of(const char *error, bool stopped, bool complete)
{
    if (error)
        return OUTCOME_FAILED;
    if (!complete)
        return OUTCOME_PARTIAL;
    return stopped ? OUTCOME_STOPPED : OUTCOME_COMPLETE;
}

void run_end(Run *run, ExitCode code, const char *error, bool stopped)
{
    run->ended_us = g_get_real_time();
    run->took_us = g_get_monotonic_time() - run->began_us;
    run->exit_code = code;
    run->error = g_strdup(error);
    run->outcome = outcome_of(error, stopped, run->complete);
}

gint64 run_elapsed_us(const Run *run)
{
    return run->ended_us > 0 ? run->took_us : g_get_monotonic_time() - run->began_us;
}

const char *outcome_name(Outcome outcome)
{
    static const char *const names[] = {NULL, "complete", "stopped", "partial", "failed"};
    return names[outcome];
}

void run_done(Run *run)
{
    g_free(run->cause);
    g_free(run->by);
    g_free(run->error);
    if (run->ranges)
        g_array_unref(run->ranges);
    *run = (Run){0};
}
