/* One step of a pipeline file: its kind and plugin, its options, and the names in its `from`. */
#include "draft.h"
#include "option_table.h"
#include "parse.h"
#include "suggest.h"
#include "options.h"
#include "peers.h"
#include "settings.h"
#include "value.h"

#include <string.h>

#define MAX_NAME 100

static const char *const kind_keys[] = {"source", "transform", "sink", NULL}; /* order of SfKind */

bool name_check(const SfValue *place, const char *what, const char *name, Diagnostics *diagnostics)
{
    g_autofree char *shown = text_shown(name);
    bool good = *name != 0;
    for (const char *c = name; *c; c++)
        good = good && (g_ascii_isalnum(*c) || *c == '_' || *c == '-');
    if (!good)
        diagnostics_add(diagnostics, place, "%s name %s may only have letters, digits, '_' and '-'", what, shown);
    else if (strlen(name) > MAX_NAME)
        diagnostics_add(diagnostics, place, "%s name %s has more than %d characters", what, shown, MAX_NAME);
    return good && strlen(name) <= MAX_NAME;
}

static void free_edge(gpointer edge)
{
    g_free(edge);
}

static Step *step_new(const SfValue *key, const SfValue *value)
{
    Step *step = g_new0(Step, 1);
    step->name = g_strdup(key->text);
    step->place = key;
    step->options = value;
    step->inputs = g_ptr_array_new_with_free_func(free_edge);
    step->outputs = g_ptr_array_new();
    step->error_outputs = g_ptr_array_new();
    step->input_names = g_ptr_array_new_with_free_func(g_free);
    return step;
}

static void step_free(Step *step)
{
    if (!step)
        return;
    g_ptr_array_unref(step->inputs);
    g_ptr_array_unref(step->outputs);
    g_ptr_array_unref(step->error_outputs);
    g_ptr_array_unref(step->input_names);
    g_free(step->name);
    g_free(step);
}

static void free_step(gpointer step)
{
    step_free(step);
}

GPtrArray *pipeline_steps_new(void)
{
    return g_ptr_array_new_with_free_func(free_step);
}

void draft_free(Draft *draft)
{
    step_free(draft->step);
    g_ptr_array_unref(draft->refs);
    g_free(draft);
}

/* The one key that says what the step is; NULL after a complaint. */
static const SfValue *find_kind(Draft *draft, const SfValue *map, Diagnostics *diagnostics)
{
    const SfValue *found = NULL;
    for (size_t i = 0; i < sf_value_size(map); i++) {
        const SfValue *key = sf_value_key(map, i);
        for (int kind = 0; kind_keys[kind]; kind++) {
            if (!g_str_equal(key->text, kind_keys[kind]))
                continue;
            if (found)
                diagnostics_add(diagnostics, key, "the step is a %s by line %d already; make two steps of it",
                                found->text, found->line);
            else
                draft->kind = (SfKind) (kind + 1);
            found = found ? found : key;
        }
    }
    return found;
}

/* The key that nearly says what the step is, "soruce"; or NULL. */
static const SfValue *near_kind(Draft *draft, const SfValue *map)
{
    for (size_t i = 0; i < sf_value_size(map); i++) {
        const SfValue *key = sf_value_key(map, i);
        const char *near = option_is_own(key->text) ? NULL : nearest_word(key->text, kind_keys, 3);
        for (int kind = 0; near && kind_keys[kind]; kind++)
            if (g_str_equal(near, kind_keys[kind])) {
                draft->kind = (SfKind) (kind + 1);
                return key;
            }
    }
    return NULL;
}

/* `type: kafka-source` names one of our plugins under another system's key. */
static const SfValue *peer_kind(Draft *draft, const SfValue *map, Diagnostics *diagnostics)
{
    SfError unheard = {0};
    const SfValue *key = peer_kind_key(map);
    const SfValue *value = key ? sf_value_get(map, key->text) : NULL;
    bool named = value && value->kind == SF_VALUE_SCALAR && !value->bad;
    const Plugin *plugin = named ? registry_load_as(value->text, 0, &unheard) : NULL;
    if (!plugin) {
        diagnostics_add(diagnostics, key ? key : draft->step->place,
                        "needs one of 'source: PLUGIN', 'transform: PLUGIN' and 'sink: PLUGIN'");
        return NULL;
    }
    draft->kind = plugin->kind;
    diagnostics_add(diagnostics, key, "'%s' is not a kind of step; write '%s: %s'", key->text,
                    kind_keys[plugin->kind - 1], value->text);
    return key;
}

/* No key says what the step is: complains, and returns the key that was meant to; or NULL. */
static const SfValue *guess_kind(Draft *draft, const SfValue *map, Diagnostics *diagnostics)
{
    const SfValue *key = near_kind(draft, map);
    if (!key)
        return peer_kind(draft, map, diagnostics);
    g_autofree char *shown = text_shown(key->text);
    diagnostics_add(diagnostics, key, "%s is not a kind of step; did you mean '%s'?", shown,
                    kind_keys[draft->kind - 1]);
    return key;
}

/* The plugin that a wrong name is likely to mean, so that the other mistakes of its step are seen too; or NULL. */
static const Plugin *guess_plugin(const Draft *draft, const SfValue *map, const char *name)
{
    SfError unheard = {0};
    g_autofree char *near = registry_nearest(name, draft->kind);
    const Plugin *plugin = near ? registry_load_as(near, draft->kind, &unheard) : NULL;
    return plugin && plugin->kind == draft->kind && options_resemble(plugin, map) ? plugin : NULL;
}

/* The plugin of a step, or the one that is meant; NULL when nobody knows. */
static const Plugin *load_plugin(const Draft *draft, const SfValue *map, const SfValue *value, Diagnostics *diagnostics)
{
    SfError err = {0};
    if (value->bad)
        return NULL;
    if (value->kind != SF_VALUE_SCALAR) {
        diagnostics_add(diagnostics, value, "'%s' takes the name of a plugin", kind_keys[draft->kind - 1]);
        return NULL;
    }
    const Plugin *plugin = registry_load_as(value->text, draft->kind, &err);
    if (!plugin) {
        diagnostics_add(diagnostics, value, "%s", err.message);
        return guess_plugin(draft, map, value->text);
    }
    if (plugin->kind != draft->kind) {
        const char *right = kind_keys[plugin->kind - 1];
        diagnostics_add(diagnostics, value, "%s is a %s; write '%s: %s'", value->text, right, right, value->text);
    }
    return plugin;
}

static void add_ref(Draft *draft, const SfValue *value, Diagnostics *diagnostics)
{
    if (!value->bad && value->kind == SF_VALUE_SCALAR) {
        g_ptr_array_add(draft->refs, (gpointer) value);
        return;
    }
    draft->vague = true;
    if (!value->bad)
        diagnostics_add(diagnostics, value, "'from' takes names of steps, such as [events, sales.errors]");
}

static void add_refs(Draft *draft, const SfValue *from, Diagnostics *diagnostics)
{
    if (from->kind != SF_VALUE_LIST)
        add_ref(draft, from, diagnostics);
    for (size_t i = 0; from->kind == SF_VALUE_LIST && i < sf_value_size(from); i++)
        add_ref(draft, sf_value_at(from, i), diagnostics);
}

static bool is_empty(const SfValue *from)
{
    return !from || from->kind == SF_VALUE_NULL || (from->kind == SF_VALUE_LIST && from->items->len == 0);
}

/* The step names its input under Vector's key, and has been told so with its options. */
static bool has_peer_from(const Draft *draft, const SfValue *map)
{
    static const char *const keys[] = {"input", "inputs", NULL};
    const Plugin *plugin = draft->step->plugin;
    for (const char *const *key = keys; plugin && *key; key++)
        if (sf_value_get(map, *key) &&
            !option_find((const SfOption *) (gpointer) plugin->options->data, plugin->options->len, *key))
            return true;
    return false;
}

static void read_from(Draft *draft, const SfValue *map, Diagnostics *diagnostics)
{
    const SfValue *from = sf_value_get(map, "from");
    bool missing = is_empty(from);
    if (draft->kind == SF_SOURCE) {
        if (from)
            diagnostics_add(diagnostics, from, "a source reads from outside and takes no 'from'");
        return;
    }
    draft->vague = missing;
    if (!missing)
        add_refs(draft, from, diagnostics);
    else if (draft->kind != 0 && !(from ? from->bad : has_peer_from(draft, map)))
        diagnostics_add(diagnostics, from ? from : draft->step->place, "a %s needs 'from': the step whose rows it gets",
                        kind_keys[draft->kind - 1]);
}

static void read_answer(Draft *draft, const SfValue *map, Diagnostics *diagnostics)
{
    const SfValue *value = sf_value_get(map, "on_reject");
    if (!value || value->kind == SF_VALUE_NULL)
        return;
    size_t n = 0;
    gint32 answer = ON_REJECT_STOP;
    const SfOption *table = settings_step_table(&n);
    g_autoptr(OptionArena) arena = option_arena_new();
    OptionReader reader = {.arena = arena, .diagnostics = diagnostics};
    option_read(&reader, option_find(table, n, "on_reject"), value, &answer);
    draft->step->on_reject = (OnReject) answer;
    draft->answers = true;
    if (draft->kind == SF_SOURCE)
        diagnostics_add(diagnostics, value, "a source refuses no rows and takes no 'on_reject'");
}

RejectLimit reject_limit_read(const char *text, const SfValue *value, Diagnostics *diagnostics)
{
    RejectLimit limit = {.given = true, .rows = -1};
    gsize length = strlen(text);
    bool percent = length > 0 && text[length - 1] == '%';
    g_autofree char *number = g_strchomp(g_strndup(text, length - percent));
    if (!percent && parse_int(number, &limit.rows) && limit.rows >= 0)
        return limit;
    bool share = parse_float(number, &limit.share) && limit.rows == -1;
    limit.share /= percent ? 100 : 1;
    if (!share || limit.share < 0 || limit.share > 1)
        diagnostics_add(diagnostics, value,
                        "'max_rejects' takes a number of rows, such as 100, or a share, such as 5%%, not '%s'", text);
    return limit;
}

static void read_limit(Draft *draft, const SfValue *map, Diagnostics *diagnostics)
{
    const SfValue *value = sf_value_get(map, "max_rejects");
    const char *text = NULL;
    size_t n = 0;
    if (!value || value->kind == SF_VALUE_NULL)
        return;
    const SfOption *table = settings_step_table(&n);
    g_autoptr(OptionArena) arena = option_arena_new();
    OptionReader reader = {.arena = arena, .diagnostics = diagnostics};
    if (option_read(&reader, option_find(table, n, "max_rejects"), value, &text))
        draft->step->max_rejects = reject_limit_read(text, value, diagnostics);
    if (draft->kind == SF_SOURCE)
        diagnostics_add(diagnostics, value, "a source refuses no rows and takes no 'max_rejects'");
}

static void step_read_map(Draft *draft, const SfValue *map, Diagnostics *diagnostics)
{
    const SfValue *key = find_kind(draft, map, diagnostics);
    const SfValue *guessed = key ? NULL : guess_kind(draft, map, diagnostics);
    const SfValue *said = key ? key : guessed;
    const Plugin *plugin = said ? load_plugin(draft, map, sf_value_get(map, said->text), diagnostics) : NULL;
    bool right = plugin && plugin->kind == draft->kind;
    if (right || (plugin && options_resemble(plugin, map)))
        options_check(plugin, map, guessed, diagnostics);
    draft->step->plugin = right ? plugin : NULL;
    read_from(draft, map, diagnostics);
    read_answer(draft, map, diagnostics);
    read_limit(draft, map, diagnostics);
}

Draft *draft_read(const SfValue *key, const SfValue *value, Diagnostics *diagnostics)
{
    Draft *draft = g_new0(Draft, 1);
    guint before = diagnostics->n_errors;
    draft->step = step_new(key, value);
    draft->refs = g_ptr_array_new();
    if (name_check(key, "step", key->text, diagnostics))
        diagnostics_step(diagnostics, key->text);
    if (value->kind == SF_VALUE_MAP)
        step_read_map(draft, value, diagnostics);
    else if (!value->bad)
        diagnostics_add(diagnostics, key, "needs a map with 'source', 'transform' or 'sink'");
    diagnostics_step(diagnostics, NULL);
    draft->vague = draft->vague || draft->kind == 0;
    draft->sound = draft->step->plugin && !value->tainted && diagnostics->n_errors == before;
    return draft;
}
