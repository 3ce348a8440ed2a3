/* Binds a pipeline's steps without opening them: columns and types are wrong before anything runs, or never. */
#include "bind_host.h"
#include "draft.h"
#include "option_table.h"
#include "instance.h"
#include "options.h"
#include "standin.h"
#include "value.h"

#include <string.h>

typedef struct Binding {
    const Pipeline *pipeline;
    GHashTable *drafts;    /* const Step * → const Draft * */
    GHashTable *instances; /* const Step * → GPtrArray of Instance *, bound, or as far as they could be. Several: which
                            * columns it has is open. None: nothing is known of them */
    GHashTable *doubts;    /* const Step * → GPtrArray of texts: what was wrong with it or before it */
    GPtrArray *standins;   /* StandIn *, which instances have borrowed */
    Diagnostics *diagnostics;
} Binding;

/* How many values of a wrong option are tried, to see whether the step's columns depend on it. */
enum { MOST_VARIATIONS = 16 };

/* How often a plugin is given the columns that it asks for. */
enum { MOST_ASKED = 8 };

/* What stands in quotes in a message: the columns and values that it is about. */
static GPtrArray *quoted_in(const char *message)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) parts = g_strsplit(message, "'", -1);
    for (guint i = 1; parts[0] && parts[i] && parts[i + 1]; i += 2)
        if (*parts[i])
            g_ptr_array_add(found, g_strdup(parts[i]));
    return found;
}

static void add_doubts(GPtrArray *doubts, const char *message)
{
    g_autoptr(GPtrArray) quoted = quoted_in(message);
    for (guint i = 0; i < quoted->len; i++)
        g_ptr_array_add(doubts, g_strdup_printf("'%s'", (const char *) quoted->pdata[i]));
}

/* Whether a message may come from a mistake before it: it is about the same column. */
static bool is_doubtful(const Binding *binding, const Step *step, const char *message)
{
    const GPtrArray *doubts = g_hash_table_lookup(binding->doubts, step);
    for (guint i = 0; doubts && i < doubts->len; i++)
        if (strstr(message, doubts->pdata[i]))
            return true;
    return false;
}

/* A plugin that starts its message with an option's name ("key: …", "key 'x' …", "'key' …") means that line of the
 * step: the name, or NULL. */
static char *option_meant(const Step *step, const char *message)
{
    bool quoted = *message == '\'';
    const char *start = message + quoted;
    g_autofree char *name = g_strndup(start, strcspn(start, quoted ? "':" : ": "));
    return sf_value_get(step->options, name) && !option_is_own(name) ? g_steal_pointer(&name) : NULL;
}

static bool bind_is_among(const GPtrArray *names, const char *name)
{
    return g_ptr_array_find_with_equal_func((GPtrArray *) names, name, g_str_equal, NULL);
}

/* The message with the place that it has itself, or else that of the option it means. Where options of the step are
 * wrong, only what is said of the others counts: the rest may come from what stands in for them. */
static void say_one(const Binding *binding, const Step *step, const GPtrArray *wrong, const char *message)
{
    g_autofree char *file = NULL;
    int line, column;
    const char *text = diagnostic_split(message, &file, &line, &column);
    SfValue found = {.file = file, .line = line, .column = column};
    g_autofree char *option = option_meant(step, text);
    bool invented = file && g_strcmp0(file, step->place->file) != 0; /* of a value that stands in for a wrong one */
    bool guessed = wrong && (invented || !(file || option) || (option && bind_is_among(wrong, option)));
    if (guessed || is_doubtful(binding, step, text))
        return;
    const SfValue *place = option ? sf_value_get(step->options, option) : step->place;
    diagnostics_step(binding->diagnostics, step->name);
    diagnostics_add_option(binding->diagnostics, file ? &found : place, option, "%s", text);
    diagnostics_step(binding->diagnostics, NULL);
}

/* Whether some text of the user's has a line break in it, which may have come into a message. */
static bool has_lines(const SfValue *value)
{
    if (value->text && strchr(value->text, '\n'))
        return true;
    for (guint i = 0; value->items && i < value->items->len; i++)
        if (has_lines(value->items->pdata[i]) || (value->keys && has_lines(value->keys->pdata[i])))
            return true;
    return false;
}

/* Whether a line of a message is a mistake of its own, and not the rest of one that has the user's text in it. */
static bool begins_mistake(const Step *step, bool lines, const char *line)
{
    g_autofree char *file = NULL;
    g_autofree char *option = option_meant(step, line);
    int number, column;
    diagnostic_split(line, &file, &number, &column);
    return !lines || file || option;
}

/* sf_fail_also() puts several messages into one, a line each. */
static GPtrArray *messages_in(const Step *step, const char *message)
{
    bool lines = has_lines(step->options);
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) parts = g_strsplit(*message ? message : "it gave no reason", "\n", -1);
    g_autoptr(GString) one = g_string_new(parts[0]);
    for (char **part = parts; *part; part++) {
        if (part[1] && !begins_mistake(step, lines, part[1])) {
            g_string_append_printf(one, " %s", part[1]);
            continue;
        }
        g_ptr_array_add(found, g_strdup(one->str));
        g_string_assign(one, part[1] ? part[1] : "");
    }
    return found;
}

static void say_all(const Binding *binding, const Step *step, const GPtrArray *wrong, const GPtrArray *messages)
{
    GPtrArray *doubts = g_hash_table_lookup(binding->doubts, step);
    for (guint i = 0; i < messages->len; i++)
        say_one(binding, step, wrong, messages->pdata[i]);
    for (guint i = 0; i < messages->len; i++)
        add_doubts(doubts, messages->pdata[i]);
}

/* The instances of the step that an input comes from; NULL when nothing is known of its columns. */
static const GPtrArray *instances_before(const Binding *binding, const Step *step, guint input)
{
    const Edge *edge = g_ptr_array_index(step->inputs, input);
    return g_hash_table_lookup(binding->instances, edge->from);
}

/* How many ways there are to think of a step's inputs: 1 when all are known. *blind: of one nothing is. */
static guint ways_of(const Binding *binding, const Step *step, bool *blind)
{
    guint n = 1;
    *blind = step->plugin->kind != SF_SOURCE && step->inputs->len == 0;
    for (guint i = 0; i < step->inputs->len; i++) {
        const GPtrArray *before = instances_before(binding, step, i);
        n = MAX(n, before ? before->len : 1);
        *blind = *blind || !before;
    }
    return *blind ? 2 * STANDIN_TYPES : n;
}

/* The schemas of a step's inputs in one of those ways; where one is not known, the stand-in's. */
static const struct ArrowSchema **input_schemas(const Binding *binding, const Step *step, guint way,
                                                const struct ArrowSchema *standin)
{
    const struct ArrowSchema **schemas = g_new0(const struct ArrowSchema *, step->inputs->len + 1);
    schemas[0] = standin; /* of a step whose `from` leads nowhere */
    for (guint i = 0; i < step->inputs->len; i++) {
        const Edge *edge = g_ptr_array_index(step->inputs, i);
        const GPtrArray *before = instances_before(binding, step, i);
        const Instance *from = before ? before->pdata[way % before->len] : NULL;
        schemas[i] = !from ? standin : edge->errors ? &from->errors[0] : &from->out;
    }
    return schemas;
}

/* Takes over what is in doubt in the steps before. */
static void inherit_doubts(const Binding *binding, const Step *step)
{
    GPtrArray *doubts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < step->inputs->len; i++) {
        const Edge *edge = g_ptr_array_index(step->inputs, i);
        const GPtrArray *before = g_hash_table_lookup(binding->doubts, edge->from);
        for (guint k = 0; before && k < before->len; k++)
            g_ptr_array_add(doubts, g_strdup(before->pdata[k]));
    }
    g_hash_table_insert(binding->doubts, (gpointer) step, doubts);
}

static void free_instance(gpointer instance)
{
    instance_free(instance);
}

static bool same_columns(const Instance *a, const Instance *b)
{
    return a->plugin->kind == SF_SINK || sf_schema_equal(&a->out, &b->out);
}

/* Keeps an instance, unless one with these columns is there. Takes it over. */
static void keep_instance(const Binding *binding, const Step *step, Instance *instance)
{
    GPtrArray *instances = g_hash_table_lookup(binding->instances, step);
    g_autoptr(Instance) one = instance;
    if (!instances) {
        instances = g_ptr_array_new_with_free_func(free_instance);
        g_hash_table_insert(binding->instances, (gpointer) step, instances);
    }
    for (guint i = 0; i < instances->len; i++)
        if (same_columns(instances->pdata[i], one))
            return;
    g_ptr_array_add(instances, g_steal_pointer(&one));
}

/* A step that is wrong may know its columns all the same, so that what stands behind it is checked too. */
static void bind_sound(const Binding *binding, const Step *step)
{
    SfError err = {0};
    inherit_doubts(binding, step);
    g_autofree const struct ArrowSchema **inputs = input_schemas(binding, step, 0, NULL);
    g_autoptr(Instance) instance = instance_new_unresolved(step, binding->pipeline, &bind_host, NULL, &err);
    bool good = instance && instance_bind(instance, inputs, &err) == SF_OK;
    if (!good) {
        g_autoptr(GPtrArray) messages = messages_in(step, err.message);
        say_all(binding, step, NULL, messages);
    }
    if (good || (instance && instance_guess(instance, inputs)))
        keep_instance(binding, step, g_steal_pointer(&instance));
}

static guint variations_of(const Step *step, const GPtrArray *wrong)
{
    guint n = wrong->len > 0 ? 2 : 1;
    for (guint i = 0; i < wrong->len; i++) {
        const SfOption *option = option_find((const SfOption *) (gpointer) step->plugin->options->data,
                                             step->plugin->options->len, wrong->pdata[i]);
        if (option && option->type == SF_OPTION_TYPE_ENUM)
            n = MAX(n, g_strv_length((char **) option->words));
    }
    return MIN(n, MOST_VARIATIONS);
}

/* Gives the stand-in the columns that a message is about. False when it has them all. */
static bool add_asked(StandIn *standin, const char *message)
{
    g_autoptr(GPtrArray) quoted = quoted_in(message);
    bool any = false;
    for (guint i = 0; i < quoted->len; i++)
        any |= standin_add(standin, quoted->pdata[i]);
    return any;
}

/* Binds in one of the ways to think of its inputs and of its wrong options. NULL: its columns are not known then. */
static Instance *bind_way(const Binding *binding, const Step *step, const GPtrArray *wrong, guint way, StandIn *standin,
                          SfError *err)
{
    for (guint asked = 0; asked < MOST_ASKED; asked++) {
        *err = (SfError){0};
        const struct ArrowSchema *columns = standin ? standin_schema(standin) : NULL;
        if (standin && !columns)
            return NULL;
        g_autofree const struct ArrowSchema **inputs = input_schemas(binding, step, way, columns);
        g_autoptr(Instance) instance = instance_new_somehow(step, binding->pipeline, wrong, way, &bind_host);
        bool good = instance_bind(instance, inputs, err) == SF_OK;
        if (!good && standin && add_asked(standin, err->message))
            continue;
        bool known = good || instance_guess(instance, inputs);
        return known ? g_steal_pointer(&instance) : NULL;
    }
    return NULL;
}

static void keep_common(GPtrArray *messages, const GPtrArray *others)
{
    for (guint i = messages->len; i-- > 0;)
        if (!bind_is_among(others, messages->pdata[i]))
            g_ptr_array_remove_index(messages, i);
}

/* A step whose inputs are not known, or with wrong options: what is wrong with its other options is said, and its
 * columns are known where they are the same whatever the wrong ones are meant to be. */
static void bind_doubtful(const Binding *binding, const Step *step, const GPtrArray *wrong, guint ways, bool blind)
{
    g_autoptr(GPtrArray) messages = NULL;
    guint n = MAX(ways, variations_of(step, wrong));
    bool open = false;
    inherit_doubts(binding, step);
    for (guint i = 0; i < n; i++) {
        SfError err = {0};
        StandIn *standin = blind ? standin_new(i, i < STANDIN_TYPES) : NULL;
        g_ptr_array_add(binding->standins, standin);
        Instance *instance = bind_way(binding, step, wrong, i, standin, &err);
        open = open || (instance && step->plugin->kind != SF_SINK && standin_shows(&instance->out));
        if (instance)
            keep_instance(binding, step, instance);
        g_autoptr(GPtrArray) said = *err.message ? messages_in(step, err.message) : g_ptr_array_new();
        if (!messages)
            messages = g_steal_pointer(&said);
        else if (ways > 1)
            keep_common(messages, said);
    }
    say_all(binding, step, wrong, messages);
    const GPtrArray *instances = g_hash_table_lookup(binding->instances, step);
    if (open || (ways == 1 && instances && instances->len > 1))
        g_hash_table_remove(binding->instances, step);
}

static void bind_step(const Binding *binding, const Step *step)
{
    const Draft *draft = g_hash_table_lookup(binding->drafts, step);
    if (!step->plugin || step->options->kind != SF_VALUE_MAP)
        return;
    bool blind = false;
    guint ways = ways_of(binding, step, &blind);
    if (draft->sound && ways == 1) {
        bind_sound(binding, step);
        return;
    }
    g_autoptr(GPtrArray) wrong = options_wrong(step->plugin, step->options);
    bind_doubtful(binding, step, wrong, ways, blind);
}

static void free_array(gpointer array)
{
    g_ptr_array_unref(array);
}

static void free_standin(gpointer standin)
{
    standin_free(standin);
}

void pipeline_bind(const Pipeline *pipeline, GPtrArray *all, Diagnostics *diagnostics)
{
    g_autoptr(GPtrArray) standins = g_ptr_array_new_with_free_func(free_standin);
    g_autoptr(GHashTable) instances = g_hash_table_new_full(NULL, NULL, NULL, free_array);
    g_autoptr(GHashTable) drafts = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) doubts = g_hash_table_new_full(NULL, NULL, NULL, free_array);
    Binding binding = {.pipeline = pipeline,
                       .drafts = drafts,
                       .instances = instances,
                       .doubts = doubts,
                       .standins = standins,
                       .diagnostics = diagnostics};
    for (guint i = 0; i < all->len; i++) {
        const Draft *draft = g_ptr_array_index(all, i);
        g_hash_table_insert(drafts, draft->step, (gpointer) draft);
    }
    for (guint i = 0; i < pipeline->steps->len; i++)
        bind_step(&binding, g_ptr_array_index(pipeline->steps, i));
}
