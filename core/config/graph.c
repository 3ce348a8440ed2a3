/* References between steps → edges; what a graph must be; its topological order. Reads no options. */
#include "draft.h"
#include "suggest.h"
#include "value.h"

#include <string.h>

typedef struct Graph {
    GPtrArray *drafts;
    GHashTable *by_name; /* name → Draft * */
    Diagnostics *diagnostics;
    bool unresolved; /* a reference leads nowhere, so "nobody reads" would be guessing */
} Graph;

static void graph_say(const Graph *graph, const Draft *draft, const SfValue *place, const char *format, ...)
    SF_PRINTF(4, 5);
static void graph_say(const Graph *graph, const Draft *draft, const SfValue *place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    diagnostics_step(graph->diagnostics, draft->step->name);
    diagnostics_add(graph->diagnostics, place, "%s", message);
    diagnostics_step(graph->diagnostics, NULL);
}

/* "sales.error", "sales.rejects" where there is a step 'sales'. */
static bool other_output(const Graph *graph, const Draft *reader, const SfValue *ref, const char *name)
{
    const char *dot = strrchr(name, '.');
    g_autofree char *before = dot ? g_strndup(name, (gsize) (dot - name)) : NULL;
    const Draft *draft = before ? g_hash_table_lookup(graph->by_name, before) : NULL;
    if (draft && draft->kind == SF_SOURCE)
        graph_say(graph, reader, ref, "there is no step '%s'; read '%s'", name, before);
    else if (draft)
        graph_say(graph, reader, ref, "there is no step '%s'; the rows that '%s' refused are '%s.errors'", name, before,
                  before);
    return draft;
}

static void unknown_step(const Graph *graph, const Draft *reader, const SfValue *ref, const char *name)
{
    if (other_output(graph, reader, ref, name))
        return;
    char suggestion[256];
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < graph->drafts->len; i++) {
        const Draft *draft = g_ptr_array_index(graph->drafts, i);
        if (draft != reader)
            g_ptr_array_add(names, draft->step->name);
    }
    sf_suggest(name, (const char *const *) names->pdata, names->len, suggestion, sizeof suggestion);
    g_autofree char *shown = text_shown(name);
    graph_say(graph, reader, ref, "there is no step %s%s", shown, suggestion);
}

/* Whether the step has the output that is asked for. */
static bool has_output(const Graph *graph, const Draft *reader, const SfValue *ref, const Draft *draft, bool errors)
{
    const char *name = draft->step->name;
    if (errors && draft->kind == SF_SOURCE)
        graph_say(graph, reader, ref, "source '%s' refuses no rows, so there is no '%s.errors'; read '%s'", name, name,
                  name);
    else if (!errors && draft->kind == SF_SINK)
        graph_say(graph, reader, ref, "sink '%s' gives no rows; only those that it refused, as '%s.errors'", name,
                  name);
    else
        return true;
    return false;
}

static bool reads_already(const Step *to, const char *ref)
{
    for (guint i = 0; i < to->input_names->len; i++)
        if (g_str_equal(g_ptr_array_index(to->input_names, i), ref))
            return true;
    return false;
}

static void connect(Draft *from, bool errors, Draft *to, const SfValue *ref)
{
    Edge *edge = g_new0(Edge, 1);
    edge->from = from->step;
    edge->errors = errors;
    edge->to = to->step;
    edge->input = to->step->inputs->len;
    edge->place = ref;
    g_ptr_array_add(to->step->inputs, edge);
    g_ptr_array_add(to->step->input_names, g_strdup(ref->text));
    g_ptr_array_add(errors ? from->step->error_outputs : from->step->outputs, edge);
}

static bool graph_resolve(Graph *graph, Draft *reader, const SfValue *ref)
{
    bool errors = g_str_has_suffix(ref->text, ".errors");
    g_autofree char *name = g_strndup(ref->text, strlen(ref->text) - (errors ? strlen(".errors") : 0));
    Draft *draft = g_hash_table_lookup(graph->by_name, name);
    if (!draft) {
        unknown_step(graph, reader, ref, name);
        graph->unresolved = true;
        return false;
    }
    if (reads_already(reader->step, ref->text)) {
        graph_say(graph, reader, ref, "'%s' is there twice", ref->text);
        return false;
    }
    if (!has_output(graph, reader, ref, draft, errors))
        return false;
    connect(draft, errors, reader, ref);
    return true;
}

static void resolve_all(Graph *graph)
{
    for (guint i = 0; i < graph->drafts->len; i++) {
        Draft *draft = g_ptr_array_index(graph->drafts, i);
        for (guint k = 0; k < draft->refs->len; k++)
            draft->sound = graph_resolve(graph, draft, g_ptr_array_index(draft->refs, k)) && draft->sound;
        g_ptr_array_add(draft->step->input_names, NULL);
        graph->unresolved = graph->unresolved || draft->vague;
    }
}

/* What a transform may read: one input, whose ranges it keeps, and no sink's errors, which come when the sink commits
 * and not when the task reads. */
static void check_transform(const Graph *graph, Draft *draft)
{
    const GPtrArray *inputs = draft->step->inputs;
    if (inputs->len > 1) {
        const Edge *second = g_ptr_array_index(inputs, 1);
        graph_say(graph, draft, second->place, "a transform has one input; give '%s' a transform of its own",
                  second->place->text);
        draft->sound = false;
    }
    for (guint i = 0; i < inputs->len; i++) {
        const Edge *edge = g_ptr_array_index(inputs, i);
        if (edge->errors && edge->from->plugin && edge->from->plugin->kind == SF_SINK) {
            graph_say(graph, draft, edge->place, "'%s' are a sink's; only a sink can read them", edge->place->text);
            draft->sound = false;
        }
    }
}

/* Rejects are told apart by their split, not by the input that they came by. */
static void check_sink(const Graph *graph, const Draft *draft)
{
    const Step *step = draft->step;
    for (guint i = 0; step->inputs->len > 1 && i < step->error_outputs->len; i++) {
        const Edge *edge = g_ptr_array_index(step->error_outputs, i);
        diagnostics_step(graph->diagnostics, edge->to->name);
        diagnostics_add(graph->diagnostics, edge->place,
                        "'%s' has several inputs, so '%s' cannot be read; give each input a sink of its own",
                        step->name, edge->place->text);
        diagnostics_step(graph->diagnostics, NULL);
    }
}

static void check_inputs(const Graph *graph)
{
    for (guint i = 0; i < graph->drafts->len; i++) {
        Draft *draft = g_ptr_array_index(graph->drafts, i);
        if (draft->kind == SF_TRANSFORM)
            check_transform(graph, draft);
        else if (draft->kind == SF_SINK)
            check_sink(graph, draft);
    }
}

static void check_readers(const Graph *graph)
{
    for (guint i = 0; i < graph->drafts->len; i++) {
        const Draft *draft = g_ptr_array_index(graph->drafts, i);
        const Step *step = draft->step;
        bool gives = draft->kind == SF_SOURCE || draft->kind == SF_TRANSFORM;
        if (gives && step->outputs->len == 0 && !graph->unresolved)
            graph_say(graph, draft, step->place, "no step reads its rows; add a step with 'from: %s', or remove it",
                      step->name);
        if (draft->answers && step->error_outputs->len > 0) {
            const Edge *edge = g_ptr_array_index(step->error_outputs, 0);
            graph_say(graph, draft, sf_value_get(step->options, "on_reject"),
                      "'on_reject' has no effect, since step '%s' reads '%s.errors'; remove one of them",
                      edge->to->name, step->name);
        }
    }
}

static void check_sources(const Graph *graph, const SfValue *place)
{
    for (guint i = 0; i < graph->drafts->len; i++) {
        const Draft *draft = g_ptr_array_index(graph->drafts, i);
        if (draft->kind == SF_SOURCE || draft->kind == 0)
            return; /* a step of no known kind may be meant as one */
    }
    diagnostics_add(graph->diagnostics, place, "no step is a source, so there is nothing to read");
}

/* ---- order ------------------------------------------------------------------------------------------------------ */

static bool is_ready(const Step *step, GHashTable *placed)
{
    for (guint i = 0; i < step->inputs->len; i++) {
        const Edge *edge = g_ptr_array_index(step->inputs, i);
        if (!g_hash_table_contains(placed, edge->from))
            return false;
    }
    return !g_hash_table_contains(placed, step);
}

static bool place_ready(const Graph *graph, GHashTable *placed, GPtrArray *out, bool sources)
{
    guint before = out->len;
    for (guint i = 0; i < graph->drafts->len; i++) {
        const Draft *draft = g_ptr_array_index(graph->drafts, i);
        if ((draft->kind == SF_SOURCE) != sources || !is_ready(draft->step, placed))
            continue;
        g_hash_table_add(placed, draft->step);
        draft->step->index = out->len;
        g_ptr_array_add(out, draft->step);
    }
    return out->len > before;
}

/* From one step of a cycle back along inputs that are in one too, until a step comes again. */
static void say_cycle(const Graph *graph, GHashTable *placed, const Draft *start)
{
    const Step *step = start->step;
    g_autoptr(GPtrArray) path = g_ptr_array_new(); /* Edge *, each leads to the one before */
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    while (g_hash_table_add(seen, (gpointer) step)) {
        for (guint i = 0; i < step->inputs->len; i++) {
            const Edge *edge = g_ptr_array_index(step->inputs, i);
            if (!g_hash_table_contains(placed, edge->from)) {
                g_ptr_array_add(path, (gpointer) edge);
                break;
            }
        }
        step = ((const Edge *) g_ptr_array_index(path, path->len - 1))->from;
    }
    GString *text = g_string_new(step->name);
    const Edge *edge = NULL;
    for (guint i = path->len; i-- > 0;) {
        edge = g_ptr_array_index(path, i);
        g_string_append_printf(text, "%s → %s", edge->errors ? ".errors" : "", edge->to->name);
        if (edge->to == step)
            break;
    }
    diagnostics_add(graph->diagnostics, edge->place, "the steps form a cycle: %s", text->str);
    g_string_free(text, TRUE);
}

static void order(const Graph *graph, GPtrArray *out)
{
    g_autoptr(GHashTable) placed = g_hash_table_new(NULL, NULL);
    place_ready(graph, placed, out, true);
    while (place_ready(graph, placed, out, false))
        continue;
    bool said = false;
    for (guint i = 0; i < graph->drafts->len; i++) {
        const Draft *draft = g_ptr_array_index(graph->drafts, i);
        if (g_hash_table_contains(placed, draft->step))
            continue;
        if (!said)
            say_cycle(graph, placed, draft);
        said = true;
        g_ptr_array_add(out, draft->step);
    }
}

void graph_wire(GPtrArray *drafts, const SfValue *place, GPtrArray *out, Diagnostics *diagnostics)
{
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
    Graph graph = {.drafts = drafts, .by_name = by_name, .diagnostics = diagnostics};
    for (guint i = 0; i < drafts->len; i++) {
        Draft *draft = g_ptr_array_index(drafts, i);
        g_hash_table_insert(by_name, draft->step->name, draft);
    }
    resolve_all(&graph);
    check_inputs(&graph);
    check_readers(&graph);
    check_sources(&graph, place);
    order(&graph, out);
}
