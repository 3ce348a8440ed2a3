/* A pipeline file → a checked graph of steps: the top level. Steps are step.c's, wiring graph.c's, schemas bind.c's. */
#include "pipeline.h"
#include "option_table.h"
#include "draft.h"
#include "options.h"
#include "peers.h"
#include "settings.h"
#include "value.h"

#include <string.h>

#define MAX_STEPS 1000

static void free_draft(gpointer draft)
{
    draft_free(draft);
}

/* `checkpoint: 10s`, or a map. */
static void read_checkpoint(Pipeline *pipeline, const SfValue *value, Diagnostics *diagnostics)
{
    size_t n = 0;
    const SfOption *table = settings_checkpoint_table(&n);
    CheckpointSettings settings = {0};
    const SfValue *map = value->kind == SF_VALUE_MAP ? value : NULL;
    g_autoptr(OptionArena) arena = options_read_map(table, n, "'checkpoint'", map, NULL, &settings, diagnostics);
    if (value->kind == SF_VALUE_LIST) {
        diagnostics_add(diagnostics, value,
                        "'checkpoint' takes a duration, such as 10s, or {every: 10s, rows: 100000}");
    } else if (!map) {
        SfOption row = *option_find(table, n, "every");
        row.name = "checkpoint";
        OptionReader reader = {.arena = arena, .diagnostics = diagnostics};
        option_read(&reader, &row, value, &settings.every);
    }
    pipeline->checkpoint_ms = settings.every;
    pipeline->checkpoint_rows = settings.rows;
    pipeline->checkpoint_bytes = settings.bytes;
}

static void read_settings(Pipeline *pipeline, const SfValue *root, const Settings *settings, Diagnostics *diagnostics)
{
    pipeline->name = g_strdup(settings->pipeline ? settings->pipeline : "");
    pipeline->description = g_strdup(settings->description);
    pipeline->memory = settings->memory;
    pipeline->tasks = settings->tasks;
    pipeline->shutdown_ms = settings->shutdown;
    if (settings->trigger)
        trigger_read(&pipeline->trigger, settings->trigger, diagnostics);
    if (settings->max_rejects)
        pipeline->max_rejects =
            reject_limit_read(settings->max_rejects, sf_value_get(root, "max_rejects"), diagnostics);
    if (settings->pipeline)
        name_check(sf_value_get(root, "pipeline"), "pipeline", settings->pipeline, diagnostics);
    if (settings->checkpoint)
        read_checkpoint(pipeline, settings->checkpoint, diagnostics);
}

static GPtrArray *read_steps(const SfValue *steps, Diagnostics *diagnostics)
{
    GPtrArray *drafts = g_ptr_array_new_with_free_func(free_draft);
    if (steps->kind != SF_VALUE_MAP)
        diagnostics_add(diagnostics, steps, "'steps' takes a map: the name of each step, and what it does");
    else if (sf_value_size(steps) == 0 || sf_value_size(steps) > MAX_STEPS)
        diagnostics_add(diagnostics, steps, "a pipeline has 1 to %d steps, not %zu", MAX_STEPS, sf_value_size(steps));
    else
        for (size_t i = 0; i < sf_value_size(steps); i++)
            g_ptr_array_add(drafts, draft_read(sf_value_key(steps, i), sf_value_at(steps, i), diagnostics));
    return drafts;
}

static void read_graph(Pipeline *pipeline, const SfValue *root, const SfValue *steps, Diagnostics *diagnostics)
{
    g_autoptr(GPtrArray) drafts = read_steps(steps, diagnostics);
    if (drafts->len == 0)
        return;
    const SfValue *place = steps;
    for (size_t i = 0; i < sf_value_size(root); i++)
        if (sf_value_at(root, i) == steps)
            place = sf_value_key(root, i);
    graph_wire(drafts, place, pipeline->steps, diagnostics);
    pipeline_bind(pipeline, drafts, diagnostics);
    for (guint i = 0; i < drafts->len; i++)
        ((Draft *) g_ptr_array_index(drafts, i))->step = NULL; /* pipeline->steps owns them now */
    for (guint i = 0; i < pipeline->steps->len; i++) {
        Step *step = g_ptr_array_index(pipeline->steps, i);
        if (!step->max_rejects.given)
            step->max_rejects = pipeline->max_rejects;
    }
}

static void pipeline_read_root(Pipeline *pipeline, const SfValue *root, Diagnostics *diagnostics)
{
    size_t n = 0;
    const SfOption *table = settings_table(&n);
    Settings settings = {0};
    if (root->kind != SF_VALUE_MAP) {
        diagnostics_add(diagnostics, root, "a pipeline file is a map with 'pipeline' and 'steps'%s",
                        root->kind == SF_VALUE_NULL ? "; this one is empty" : peer_text(root));
        return;
    }
    if (peer_layout(root, diagnostics))
        return;
    /* keys x-… are the user's own: a place for anchors */
    g_autoptr(OptionArena) arena = options_read_map(table, n, "a pipeline", root, "x-", &settings, diagnostics);
    read_settings(pipeline, root, &settings, diagnostics);
    if (settings.steps)
        read_graph(pipeline, root, settings.steps, diagnostics);
}

static Pipeline *pipeline_read(Document *document, guint before, Diagnostics *diagnostics)
{
    g_autoptr(Pipeline) pipeline = g_new0(Pipeline, 1);
    pipeline->steps = pipeline_steps_new();
    if (document) {
        pipeline->document = document;
        pipeline->file = g_strdup(document->name);
        pipeline_read_root(pipeline, document_root(document), diagnostics);
    }
    diagnostics_sort(diagnostics);
    return diagnostics->n_errors == before ? g_steal_pointer(&pipeline) : NULL;
}

Pipeline *pipeline_load(const char *path, Diagnostics *diagnostics)
{
    guint before = diagnostics->n_errors;
    return pipeline_read(yaml_load_file(path, diagnostics), before, diagnostics);
}

Pipeline *pipeline_load_text(const char *text, const char *name, Diagnostics *diagnostics)
{
    guint before = diagnostics->n_errors;
    return pipeline_read(yaml_load_text(text, strlen(text), name, diagnostics), before, diagnostics);
}

void pipeline_free(Pipeline *pipeline)
{
    if (!pipeline)
        return;
    g_ptr_array_unref(pipeline->steps);
    trigger_done(&pipeline->trigger);
    document_free(pipeline->document);
    g_free(pipeline->description);
    g_free(pipeline->name);
    g_free(pipeline->file);
    g_free(pipeline);
}

Step *pipeline_step(const Pipeline *pipeline, const char *name)
{
    for (guint i = 0; i < pipeline->steps->len; i++) {
        Step *step = g_ptr_array_index(pipeline->steps, i);
        if (g_str_equal(step->name, name))
            return step;
    }
    return NULL;
}

bool step_reaches(const Step *from, const Step *to)
{
    if (from == to)
        return true;
    for (guint i = 0; i < to->inputs->len; i++) {
        const Edge *edge = to->inputs->pdata[i];
        if (step_reaches(from, edge->from))
            return true;
    }
    return false;
}
