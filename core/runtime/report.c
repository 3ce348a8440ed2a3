/* Status documents and last records; see report.h. */
#include "report.h"

#include <string.h>

#include "log.h"
#include "progress.h"

static const char *state_name(RunnerState state)
{
    static const char *const names[] = {"starting", "running", "retrying", "stopping", "done", "failed"};
    return names[state];
}

static const char *kind_name(SfKind kind)
{
    return kind == SF_SOURCE ? "source" : kind == SF_TRANSFORM ? "transform" : "sink";
}

static void add_int(struct json_object *object, const char *key, gint64 value)
{
    json_object_object_add(object, key, json_object_new_int64(value));
}

static void add_text(struct json_object *object, const char *key, const char *value)
{
    json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

/* Runner's lock held. */
static struct json_object *step_status(const Runner *runner, const Step *step)
{
    StepStats *stats = &runner->stats[step->index];
    struct json_object *object = json_object_new_object();
    add_text(object, "name", step->name);
    add_text(object, "kind", kind_name(step->plugin->kind));
    add_text(object, "plugin", step->plugin->head.name);
    if (step->plugin->kind != SF_SOURCE)
        add_int(object, "rows_in", stats_get(&stats->rows_in));
    if (step->plugin->kind != SF_SINK)
        add_int(object, "rows_out", stats_get(&stats->rows_out));
    add_int(object, "rows_per_s", stats_get(&stats->rate));
    if (step->plugin->kind != SF_SOURCE)
        add_int(object, "rejected", stats_get(&stats->rejected));
    if (step->plugin->kind == SF_SINK) {
        add_int(object, "commits", stats_get(&stats->commits));
        add_int(object, "last_commit_ms", stats_get(&stats->committed_us) / 1000);
    }
    g_autofree char *cause = guard_cause(&stats->guard);
    if (cause)
        add_text(object, "commonest_reject", cause);
    g_autofree char *trouble = trouble_get(&stats->trouble);
    add_text(object, "trouble", trouble);
    return object;
}

static struct json_object *chain_status(const ChainView *chain)
{
    struct json_object *object = json_object_new_object();
    add_text(object, "sink", chain->sink->name);
    add_text(object, "input", chain->sink->input_names->pdata[chain->input]);
    add_int(object, "written", chain->written);
    add_int(object, "committed", chain->committed);
    return object;
}

static void add_split(gpointer array, const SplitView *split)
{
    struct json_object *object = json_object_new_object(), *sinks = json_object_new_array();
    add_text(object, "source", split->source->name);
    add_text(object, "split", split->name);
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

struct json_object *report_status(Runner *runner)
{
    const Pipeline *pipeline = runner->pipeline;
    struct json_object *object = json_object_new_object();
    struct json_object *steps = json_object_new_array(), *splits = json_object_new_array();
    g_mutex_lock(&runner->lock);
    add_text(object, "pipeline", pipeline->name);
    add_text(object, "file", pipeline->file);
    add_text(object, "state", state_name(runner->state));
    add_int(object, "started_ms", runner->started_us / 1000);
    add_int(object, "uptime_ms", (g_get_monotonic_time() - runner->began_us) / 1000);
    add_int(object, "attempts", runner->attempts);
    add_text(object, "last_restart", runner->last_restart);
    for (guint i = 0; i < pipeline->steps->len; i++)
        json_object_array_add(steps, step_status(runner, pipeline->steps->pdata[i]));
    json_object_object_add(object, "steps", steps);
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

static struct json_object *summary_of(Runner *runner, ExitCode code, const char *error)
{
    const Pipeline *pipeline = runner->pipeline;
    struct json_object *object = json_object_new_object(), *steps = json_object_new_array();
    add_text(object, "event", "end");
    add_text(object, "pipeline", pipeline->name);
    add_text(object, "state", state_name(error ? RUNNER_FAILED : RUNNER_DONE));
    add_int(object, "exit_code", code);
    if (error)
        add_text(object, "error", error);
    g_mutex_lock(&runner->lock);
    json_object_object_add(object, "complete", json_object_new_boolean(runner->complete));
    add_int(object, "elapsed_ms", (g_get_monotonic_time() - runner->began_us) / 1000);
    add_int(object, "attempts", runner->attempts);
    add_int(object, "peak_rss_bytes", report_peak_bytes());
    for (guint i = 0; i < pipeline->steps->len; i++)
        json_object_array_add(steps, step_status(runner, pipeline->steps->pdata[i]));
    g_mutex_unlock(&runner->lock);
    json_object_object_add(object, "steps", steps);
    return object;
}

void report_end(Runner *runner, ExitCode code, const char *error)
{
    g_autoptr(GString) line = g_string_new(NULL);
    struct json_object *summary = summary_of(runner, code, error);
    if (error)
        g_string_append_printf(line, "%s", error);
    else
        g_string_append_printf(line, "ended, %s: ",
                               runner->complete ? "all is committed"
                                                : "what is not committed is read again at the next start");
    if (!error)
        progress_full(runner, g_get_monotonic_time() - runner->began_us, line);
    log_record(error ? LEVEL_ERROR : LEVEL_INFO, error ? runner->pipeline->name : NULL, line->str, summary);
    json_object_put(summary);
}
