/* A step's map → the plugin's state by its option table: unknown, missing and deprecated options, defaults. What one
 * value means is option_read.c's business. */
#include "options.h"
#include "suggest.h"
#include "option_table.h"
#include "peer_options.h"
#include "value.h"

#include <string.h>

typedef struct Filling {
    const SfOption *options;
    size_t n;
    const char *owner; /* the plugin, or what else has options */
    bool plugin;       /* the owner is one */
    const SfValue *map;
    const char *const *own_keys; /* that are somebody else's; NULL: none */
    const char *own_prefix;      /* of such keys; likewise */
    const SfValue *kind_key;     /* such a key; likewise */
    char *state;
    OptionReader reader;
} Filling;

/* ~ and null take a value back, as does an environment reference that gives nothing; an empty line is a mistake. */
static bool is_given(const SfValue *value)
{
    return value && value->kind != SF_VALUE_NULL;
}

static const SfValue *given(const Filling *filling, const char *name)
{
    const SfValue *value = filling->map ? sf_value_get(filling->map, name) : NULL;
    return is_given(value) ? value : NULL;
}

static void fill_defaults(const Filling *filling)
{
    for (size_t i = 0; i < filling->n; i++) {
        const SfOption *option = &filling->options[i];
        if (!option->value)
            continue;
        g_autofree char *problem =
            option_read_text(filling->reader.arena, option, option->value, filling->state + option->offset);
        if (problem)
            diagnostics_add(filling->reader.diagnostics, NULL, "default of option '%s': %s", option_name(option),
                            problem);
    }
}

static void check_deprecated(const Filling *filling, const SfOption *option, const SfValue *key)
{
    Diagnostics *diagnostics = filling->reader.diagnostics;
    const char *better = option->deprecated_by;
    if (better && given(filling, better))
        diagnostics_add_option(diagnostics, key, key->text,
                               "option '%s' is the old name of '%s', which is there too; remove it", key->text, better);
    else if (better)
        diagnostics_warn_option(diagnostics, key, key->text, "option '%s' is deprecated; write '%s'", key->text,
                                better);
}

static void fill_one(const Filling *filling, const SfValue *key, const SfValue *value)
{
    const SfOption *option = option_find(filling->options, filling->n, key->text);
    if (!option) {
        g_autofree char *shown = text_shown(key->text);
        g_autofree char *suggestion = peer_option(filling->options, filling->n, key->text);
        if (!suggestion)
            suggestion = option_suggest(filling->options, filling->n, filling->own_keys, key->text);
        if (filling->plugin && !*suggestion) {
            g_free(suggestion);
            suggestion = g_strdup_printf("; `sfrun plugins %s` lists them", filling->owner);
        }
        diagnostics_add_option(filling->reader.diagnostics, key, key->text, "%s has no option %s%s", filling->owner,
                               shown, suggestion);
        return;
    }
    check_deprecated(filling, option, key);
    if (is_given(value))
        option_read(&filling->reader, option, value, filling->state + option->offset);
    else if (value->blank)
        diagnostics_add_option(filling->reader.diagnostics, key, key->text, "option '%s' has no value", key->text);
}

static bool is_own(const Filling *filling, const SfValue *key)
{
    return key == filling->kind_key || (filling->own_keys && g_strv_contains(filling->own_keys, key->text)) ||
           (filling->own_prefix && g_str_has_prefix(key->text, filling->own_prefix));
}

static void fill_given(const Filling *filling)
{
    for (size_t i = 0; filling->map && i < sf_value_size(filling->map); i++) {
        const SfValue *key = sf_value_key(filling->map, i);
        if (!is_own(filling, key))
            fill_one(filling, key, sf_value_at(filling->map, i));
    }
}

/* Given by its own name, or by an old one. */
static bool is_satisfied(const Filling *filling, const SfOption *option)
{
    const char *name = option_name(option);
    const SfValue *value = filling->map ? sf_value_get(filling->map, name) : NULL;
    if (value && (is_given(value) || value->blank)) /* blank: it has been complained about */
        return true;
    for (size_t i = 0; i < filling->n; i++) {
        const SfOption *other = &filling->options[i];
        if (other->deprecated_by && g_str_equal(other->deprecated_by, name) && given(filling, option_name(other)))
            return true;
    }
    return false;
}

static void check_required(const Filling *filling, const SfValue *place)
{
    for (size_t i = 0; i < filling->n; i++) {
        const SfOption *option = &filling->options[i];
        if (!option->required || is_satisfied(filling, option))
            continue;
        const char *doc = option->doc ? option->doc : "";
        const char *stop = strchr(doc, '.'); /* the first sentence says what it is */
        diagnostics_add_option(filling->reader.diagnostics, place, option_name(option), "%s needs '%s'%s%.*s",
                               filling->owner, option_name(option), *doc ? ": " : "",
                               stop ? (int) (stop - doc) : (int) strlen(doc), doc);
    }
}

static void filling_fill(const Filling *filling, const SfValue *place)
{
    fill_defaults(filling);
    fill_given(filling);
    check_required(filling, place);
}

/* The `source:`, `transform:` or `sink:` of a step: where something that is missing is missed. */
static const SfValue *plugin_place(const SfValue *step)
{
    for (size_t i = 0; step && i < sf_value_size(step) && step->keys; i++) {
        const SfValue *key = sf_value_key(step, i);
        if (g_str_equal(key->text, "source") || g_str_equal(key->text, "transform") || g_str_equal(key->text, "sink"))
            return key;
    }
    return step;
}

static Filling step_filling(const Plugin *plugin, const SfValue *step, gpointer state, OptionArena *arena,
                            Diagnostics *diagnostics, bool resolve)
{
    return (Filling){.options = (const SfOption *) (gpointer) plugin->options->data,
                     .n = plugin->options->len,
                     .owner = plugin->head.name,
                     .plugin = true,
                     .map = step,
                     .own_keys = option_own_keys,
                     .state = state,
                     .reader = {.arena = arena, .diagnostics = diagnostics, .resolve = resolve}};
}

void options_check(const Plugin *plugin, const SfValue *step, const SfValue *kind_key, Diagnostics *diagnostics)
{
    g_autoptr(OptionArena) arena = option_arena_new();
    g_autofree char *state = g_malloc0(MAX(plugin->head.state_size, 1));
    Filling filling = step_filling(plugin, step, state, arena, diagnostics, false);
    filling.kind_key = kind_key;
    filling_fill(&filling, kind_key ? kind_key : plugin_place(step));
}

bool options_resemble(const Plugin *plugin, const SfValue *step)
{
    guint n = 0, known = 0;
    for (size_t i = 0; i < sf_value_size(step); i++) {
        const char *key = sf_value_key(step, i)->text;
        if (option_is_own(key))
            continue;
        n++;
        known += option_find((const SfOption *) (gpointer) plugin->options->data, plugin->options->len, key) != NULL;
    }
    return n > 0 && 2 * known >= n;
}

static OptionArena *fill_state(const Plugin *plugin, const SfValue *step, gpointer state, bool resolve, SfError *err)
{
    g_autoptr(OptionArena) arena = option_arena_new();
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    Filling filling = step_filling(plugin, step, state, arena, diagnostics, resolve);
    filling_fill(&filling, plugin_place(step));
    if (diagnostics_any(diagnostics)) {
        diagnostics_sort(diagnostics);
        g_autofree char *line = diagnostic_line(diagnostics->errors->pdata[0], NULL);
        sf_fail(err, SF_CONFIG, "%s", line);
        return NULL;
    }
    return g_steal_pointer(&arena);
}

GPtrArray *options_wrong(const Plugin *plugin, const SfValue *step)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    options_check(plugin, step, NULL, diagnostics);
    for (guint i = 0; i < plugin->options->len; i++) {
        const char *name = option_name(&g_array_index(plugin->options, SfOption, i));
        const SfValue *value = sf_value_get(step, name);
        bool wrong = value && value->tainted; /* has been complained about before */
        for (guint k = 0; k < diagnostics->errors->len && !wrong; k++)
            wrong = g_strcmp0(((const Diagnostic *) diagnostics->errors->pdata[k])->option, name) == 0;
        if (wrong)
            g_ptr_array_add(names, g_strdup(name));
    }
    return names;
}

/* Some value of the option's type within its bounds, as text; NULL: what is in the state stays. */
static char *some_text(const SfOption *option, guint variation)
{
    static const char *const lists[] = {"[a]", "[b]"}, *const texts[] = {"a", "b"}, *const truths[] = {"false", "true"};
    switch (option->type) {
    case SF_OPTION_TYPE_ENUM:
        return g_strdup(option->words[variation % g_strv_length((char **) option->words)]);
    case SF_OPTION_TYPE_BOOL:
        return g_strdup(truths[variation % 2]);
    case SF_OPTION_TYPE_STRING:
    case SF_OPTION_TYPE_SECRET:
        return g_strdup(variation == 0 && option->value     ? option->value
                        : variation == 0 && option->example ? option->example
                                                            : texts[variation % 2]);
    case SF_OPTION_TYPE_LIST:
        return g_strdup(lists[variation % 2]);
    case SF_OPTION_TYPE_MAP:
    case SF_OPTION_TYPE_TREE:
        return g_strdup("{}");
    default:
        return g_strdup(option->value ? NULL : option->min);
    }
}

OptionArena *options_fill_somehow(const Plugin *plugin, const SfValue *step, const GPtrArray *wrong, guint variation,
                                  gpointer state)
{
    OptionArena *arena = option_arena_new();
    g_autoptr(Diagnostics) unheard = diagnostics_new();
    Filling filling = step_filling(plugin, step, state, arena, unheard, false);
    filling_fill(&filling, plugin_place(step));
    for (guint i = 0; i < wrong->len; i++) {
        const SfOption *option = option_find(filling.options, filling.n, wrong->pdata[i]);
        g_autofree char *text = option ? some_text(option, variation) : NULL;
        g_autofree char *problem = text ? option_read_text(arena, option, text, (char *) state + option->offset) : NULL;
    }
    return arena;
}

OptionArena *options_fill(const Plugin *plugin, const SfValue *step, gpointer state, SfError *err)
{
    return fill_state(plugin, step, state, true, err);
}

OptionArena *options_fill_unresolved(const Plugin *plugin, const SfValue *step, gpointer state, SfError *err)
{
    return fill_state(plugin, step, state, false, err);
}

OptionArena *options_read_map(const SfOption *options, size_t n, const char *owner, const SfValue *map,
                              const char *own_prefix, gpointer out, Diagnostics *diagnostics)
{
    OptionArena *arena = option_arena_new();
    Filling filling = {.options = options,
                       .n = n,
                       .owner = owner,
                       .map = map,
                       .own_prefix = own_prefix,
                       .state = out,
                       .reader = {.arena = arena, .diagnostics = diagnostics}};
    filling_fill(&filling, map);
    return arena;
}
