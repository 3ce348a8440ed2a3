/* Status documents and last records; see report.h. */
#include "report.h"

#include <string.h>
#include <unistd.h>

#include "log.h"
#include "progress.h"
#include "runner_state.h"

static const char *kind_name(SfKind kind)
{
    return kind == SF_SOURCE ? "source" : kind == SF_TRANSFORM ? "transform" : "sink";
}

static void add_int(struct json_object *object, const char *key, gint64 value)
{
    json_object_object_add(object, key, json_object_new_int64(value));
}

static void report_text(struct json_object *object, const char *key, const char *value)
{
    json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

/* Runner's lock held. */
static struct json_object *step_status(const Runner *runner, const Step *step)
{
    StepStats *stats = &runner->stats[step->index];
    struct json_object *object = json_object_new_object();
    report_text(object, "name", step->name);
    report_text(object, "kind", kind_name(step->plugin->kind));
    report_text(object, "plugin", step->plugin->head.name);
    if (step->plugin->kind != SF_SOURCE)
        add_int(object, "rows_in", stats_get(&stats->rows_in));
    if (step->plugin->kind != SF_SINK)
        add_int(object, "rows_out", stats_get(&stats->rows_out));
    add_int(object, "bytes", stats_get(&stats->bytes));
    add_int(object, "rows_per_s", stats_get(&stats->rate));
    if (step->plugin->kind != SF_SOURCE)
        add_int(object, "rejected", stats_get(&stats->rejected));
    if (step->plugin->kind == SF_SINK) {
        add_int(object, "commits", stats_get(&stats->commits));
        add_int(object, "last_commit_ms", stats_get(&stats->committed_us) / 1000);
    }
    g_autofree char *cause = guard_cause(&stats->guard);
    if (cause)
        report_text(object, "commonest_reject", cause);
    g_autofree char *trouble = trouble_get(&stats->trouble);
    report_text(object, "trouble", trouble);
    return object;
}

static struct json_object *chain_status(const ChainView *chain)
{
    struct json_object *object = json_object_new_object();
    report_text(object, "sink", chain->sink->name);
    report_text(object, "input", chain->sink->input_names->pdata[chain->input]);
    add_int(object, "written", chain->written);
    add_int(object, "committed", chain->committed);
    return object;
}

static void add_split(gpointer array, const SplitView *split)
{
    struct json_object *object = json_object_new_object(), *sinks = json_object_new_array();
    report_text(object, "source", split->source->name);
    report_text(object, "split", split->name);
    json_object_object_add(object, "assigned", json_object_new_boolean(split->assigned));
    add_int(object, "read", split->read);
    for (size_t i = 0; i < split->n_chains; i++)
        json_object_array_add(sinks, chain_status(&split->chains[i]));
    add_int(object, "committed", split->committed);
    if (split->end != SF_POSITION_NONE) {
        add_int(object, "end", split->end);
        add_int(object, "lag", MAX(split->end - split->committed, 0));
    }
    json_object_object_add(object, "sinks", sinks);
    json_object_array_add(array, object);
}

/* ---- states and runs ------------------------------------------------ */

static void add_states(struct json_object *object, const Runner *runner)
{
    const DesiredState *desired = &runner->desired;
    report_text(object, "state", actual_name(runner->actual.is));
    add_int(object, "state_since_ms", runner->actual.since_us / 1000);
    report_text(object, "state_why", runner->actual.why);
    struct json_object *wish = json_object_new_object();
    report_text(wish, "state", desired_name(desired->is));
    add_int(wish, "since_ms", desired->since_us / 1000);
    report_text(wish, "by", desired->by);
    report_text(wish, "why", desired->why);
    json_object_object_add(object, "desired", wish);
}

static void note_split(gpointer ranges, const SplitView *view)
{
    run_note(ranges, view);
}

void report_states(Runner *runner, struct json_object *out)
{
    g_mutex_lock(&runner->lock);
    add_states(out, runner);
    g_mutex_unlock(&runner->lock);
}

/* What attempts have done that have ended, and what this one has so far. */
static struct json_object *ranges_of(const Runner *runner)
{
    struct json_object *array = json_object_new_array();
    g_autoptr(GArray) ranges = run_ranges_copy(runner->run.ranges);
    if (runner->attempt)
        ledger_show(attempt_context(runner->attempt)->ledger, note_split, ranges);
    for (guint i = 0; i < ranges->len; i++) {
        const RunRange *range = &g_array_index(ranges, RunRange, i);
        struct json_object *object = json_object_new_object();
        report_text(object, "source", range->source->name);
        report_text(object, "split", range->split);
        add_int(object, "from", range->from);
        add_int(object, "to", range->to);
        json_object_array_add(array, object);
    }
    return array;
}

/* Adds the run's record, but for its steps. Runner's lock held; there has been a run. */
static void add_run(struct json_object *object, const Runner *runner)
{
    const Run *run = &runner->run;
    add_int(object, "run", run->number);
    report_text(object, "cause", run->cause);
    report_text(object, "by", run->by);
    add_int(object, "started_ms", run->started_us / 1000);
    if (run->ended_us > 0) {
        add_int(object, "ended_ms", run->ended_us / 1000);
        report_text(object, "outcome", outcome_name(run->outcome));
        add_int(object, "exit_code", run->exit_code);
    }
    if (run->error)
        report_text(object, "error", run->error);
    add_int(object, "elapsed_ms", run_elapsed_us(run) / 1000);
    add_int(object, "attempts", run->attempts);
    json_object_object_add(object, "ranges", ranges_of(runner));
}

static struct json_object *steps_status(const Runner *runner)
{
    struct json_object *steps = json_object_new_array();
    for (guint i = 0; i < runner->pipeline->steps->len; i++)
        json_object_array_add(steps, step_status(runner, runner->pipeline->steps->pdata[i]));
    return steps;
}

struct json_object *report_status(Runner *runner)
{
    struct json_object *object = json_object_new_object(), *splits = json_object_new_array();
    g_mutex_lock(&runner->lock);
    report_text(object, "pipeline", runner->pipeline->name);
    report_text(object, "file", runner->pipeline->file);
    add_states(object, runner);
    if (runner->due.trigger)
        report_text(object, "trigger", runner->pipeline->trigger.text);
    if (due_next_us(&runner->due) >= 0 && runner->desired.is == DESIRED_RUNNING)
        add_int(object, "next_run_ms", due_next_us(&runner->due) / 1000);
    add_int(object, "started_ms", runner->started_us / 1000);
    add_int(object, "uptime_ms", (g_get_monotonic_time() - runner->began_us) / 1000);
    add_int(object, "attempts", runner->attempts);
    report_text(object, "last_restart", runner->last_restart);
    if (runner->run.number > 0) {
        struct json_object *run = json_object_new_object();
        add_run(run, runner);
        json_object_object_add(object, "run", run);
    }
    json_object_object_add(object, "steps", steps_status(runner));
    if (runner->attempt)
        ledger_show(attempt_context(runner->attempt)->ledger, add_split, splits);
    json_object_object_add(object, "splits", splits);
    g_mutex_unlock(&runner->lock);
    return object;
}

/* getrusage() would tell the peak of whoever started us, where that was larger: it lasts over exec. */
gint64 report_peak_bytes(void)
{
    g_autofree char *text = NULL;
    const char *peak = g_file_get_contents("/proc/self/status", &text, NULL, NULL) ? strstr(text, "\nVmHWM:") : NULL;
    return peak ? g_ascii_strtoll(peak + strlen("\nVmHWM:"), NULL, 10) * 1024 : 0; /* proc(5): kB */
}

static struct json_object *record_of(Runner *runner)
{
    const Run *run = &runner->run;
    struct json_object *object = json_object_new_object();
    report_text(object, "event", "end");
    report_text(object, "pipeline", runner->pipeline->name);
    g_mutex_lock(&runner->lock);
    report_text(object, "state", run->error ? "failed" : "done");
    json_object_object_add(object, "complete", json_object_new_boolean(run->complete));
    add_run(object, runner);
    add_int(object, "peak_rss_bytes", report_peak_bytes());
    json_object_object_add(object, "steps", steps_status(runner));
    g_mutex_unlock(&runner->lock);
    return object;
}

void report_end(Runner *runner)
{
    const Run *run = &runner->run; /* the runner's thread is the only one that writes it */
    g_autoptr(GString) line = g_string_new(NULL);
    struct json_object *record = record_of(runner);
    if (run->error)
        g_string_append_printf(line, "%s", run->error);
    else
        g_string_append_printf(line, "ended, %s: ",
                               run->complete ? "all is committed"
                                             : "what is not committed is read again at the next start");
    if (!run->error)
        progress_full(runner, run_elapsed_us(run), line);
    log_record(run->error ? LEVEL_ERROR : LEVEL_INFO, run->error ? runner->pipeline->name : NULL, line->str, record);
    json_object_put(record);
}

struct json_object *report_process(const GPtrArray *runners)
{
    struct json_object *object = json_object_new_object(), *pipelines = json_object_new_array();
    add_int(object, "pid", getpid());
    report_text(object, "version", SF_VERSION);
    add_int(object, "peak_rss_bytes", report_peak_bytes());
    add_int(object, "memory_used_bytes", budget_used());
    gint64 limit = budget_limit();
    json_object_object_add(object, "memory_limit_bytes", limit == G_MAXINT64 ? NULL : json_object_new_int64(limit));
    for (guint i = 0; i < runners->len; i++)
        json_object_array_add(pipelines, report_status(runners->pdata[i]));
    json_object_object_add(object, "pipelines", pipelines);
    return object;
}
