/* Binds a pipeline's steps without opening them: columns and types are wrong before anything runs, or never. */
#include "draft.h"
#include "option_table.h"
#include "instance.h"
#include "options.h"
#include "value.h"

#include <string.h>

/* ---- a host for bind hooks, which ask for nothing ---------------------------------------------------------------- */

static void no_log(SfNode *node, SfLogLevel level, const char *message)
{
    (void) node, (void) level, (void) message;
}

static int64_t now_ms(SfNode *node)
{
    (void) node;
    return g_get_real_time() / 1000;
}

static int64_t monotonic_ms(SfNode *node)
{
    (void) node;
    return g_get_monotonic_time() / 1000;
}

static SfStatus no_assign(SfNode *node, SfAssignment *assignments, size_t n, SfError *err)
{
    (void) node, (void) assignments, (void) n;
    return sf_fail(err, SF_FATAL, "bind must not announce splits");
}

static SfStatus no_revoke(SfNode *node, const SfSplit *const *splits, size_t n, bool lost, SfError *err)
{
    (void) node, (void) splits, (void) n, (void) lost;
    return sf_fail(err, SF_FATAL, "bind must not give splits back");
}

static void no_lag(SfNode *node, const SfSplit *split, int64_t end)
{
    (void) node, (void) split, (void) end;
}

static void no_reject(SfNode *node, const SfBatch *batch, int64_t row, const char *cause)
{
    (void) node, (void) batch, (void) row, (void) cause;
}

static void no_committed(SfNode *node, size_t input, const SfSplit *split, int64_t end)
{
    (void) node, (void) input, (void) split, (void) end;
}

static void no_charge(SfNode *node, int64_t bytes)
{
    (void) node, (void) bytes;
}

static void no_fault(SfNode *node, const char *point)
{
    (void) node, (void) point;
}

static const SfHost quiet_host = {
    .size = sizeof(SfHost),
    .log = no_log,
    .now_ms = now_ms,
    .assign = no_assign,
    .revoke = no_revoke,
    .lag = no_lag,
    .reject = no_reject,
    .committed = no_committed,
    .charge = no_charge,
    .fault = no_fault,
    .expect = no_charge,
    .monotonic_ms = monotonic_ms,
};

/* ---- the graph --------------------------------------------------------------------------------------------------- */

typedef struct Binding {
    const Pipeline *pipeline;
    GHashTable *drafts;    /* const Step * → const Draft * */
    GHashTable *instances; /* const Step * → Instance *, bound, or as far as it could be */
    GHashTable *doubts;    /* const Step * → GPtrArray of texts: what was wrong with it or before it */
    Diagnostics *diagnostics;
} Binding;

/* How many values of a wrong option are tried, to see whether the step's columns depend on it. */
enum { MOST_VARIATIONS = 16 };

/* What stands in quotes in a message: the columns and values that it is about. */
static void add_doubts(GPtrArray *doubts, const char *message)
{
    g_auto(GStrv) parts = g_strsplit(message, "'", -1);
    for (guint i = 1; parts[0] && parts[i] && parts[i + 1]; i += 2)
        if (*parts[i])
            g_ptr_array_add(doubts, g_strdup_printf("'%s'", parts[i]));
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
    bool guessed = wrong && (!(file || option) || (option && bind_is_among(wrong, option)));
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
static void bind_say(const Binding *binding, const Step *step, const GPtrArray *wrong, const char *message)
{
    bool lines = has_lines(step->options);
    g_auto(GStrv) parts = g_strsplit(*message ? message : "it says no more", "\n", -1);
    g_autoptr(GString) one = g_string_new(parts[0]);
    for (char **part = parts; *part; part++) {
        if (part[1] && !begins_mistake(step, lines, part[1])) {
            g_string_append_printf(one, " %s", part[1]);
            continue;
        }
        say_one(binding, step, wrong, one->str);
        g_string_assign(one, part[1] ? part[1] : "");
    }
}

/* The schemas of a step's inputs; NULL when one is not known. */
static const struct ArrowSchema **input_schemas(const Binding *binding, const Step *step)
{
    g_autofree const struct ArrowSchema **schemas = g_new0(const struct ArrowSchema *, step->inputs->len + 1);
    for (guint i = 0; i < step->inputs->len; i++) {
        const Edge *edge = g_ptr_array_index(step->inputs, i);
        const Instance *from = g_hash_table_lookup(binding->instances, edge->from);
        if (!from)
            return NULL;
        schemas[i] = edge->errors ? &from->errors[0] : &from->out;
    }
    return g_steal_pointer(&schemas);
}

/* Takes over what is in doubt in the steps before. */
static GPtrArray *inherit_doubts(const Binding *binding, const Step *step)
{
    GPtrArray *doubts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < step->inputs->len; i++) {
        const Edge *edge = g_ptr_array_index(step->inputs, i);
        const GPtrArray *before = g_hash_table_lookup(binding->doubts, edge->from);
        for (guint k = 0; before && k < before->len; k++)
            g_ptr_array_add(doubts, g_strdup(before->pdata[k]));
    }
    g_hash_table_insert(binding->doubts, (gpointer) step, doubts);
    return doubts;
}

/* A step that is wrong may know its columns all the same, so that what stands behind it is checked too. */
static void bind_sound(const Binding *binding, const Step *step, const struct ArrowSchema *const *inputs)
{
    SfError err = {0};
    GPtrArray *doubts = inherit_doubts(binding, step);
    g_autoptr(Instance) instance = instance_new_unresolved(step, binding->pipeline, &quiet_host, NULL, &err);
    bool good = instance && instance_bind(instance, inputs, &err) == SF_OK;
    if (!good) {
        bind_say(binding, step, NULL, err.message);
        add_doubts(doubts, err.message);
    }
    if (good || (instance && instance_guess(instance, inputs)))
        g_hash_table_insert(binding->instances, (gpointer) step, g_steal_pointer(&instance));
}

static Instance *bind_variation(const Binding *binding, const Step *step, const GPtrArray *wrong, guint variation,
                                const struct ArrowSchema *const *inputs, SfError *err)
{
    g_autoptr(Instance) instance = instance_new_somehow(step, binding->pipeline, wrong, variation, &quiet_host);
    bool known = instance_bind(instance, inputs, err) == SF_OK || instance_guess(instance, inputs);
    return known ? g_steal_pointer(&instance) : NULL;
}

static bool same_columns(const Instance *a, const Instance *b)
{
    return a->plugin->kind == SF_SINK || sf_schema_equal(&a->out, &b->out);
}

static guint variations_of(const Step *step, const GPtrArray *wrong)
{
    guint n = 2;
    for (guint i = 0; i < wrong->len; i++) {
        const SfOption *option = option_find((const SfOption *) (gpointer) step->plugin->options->data,
                                             step->plugin->options->len, wrong->pdata[i]);
        if (option && option->type == SF_OPTION_TYPE_ENUM)
            n = MAX(n, g_strv_length((char **) option->words));
    }
    return MIN(n, MOST_VARIATIONS);
}

/* A step with wrong options: what is wrong with its others is said, and its columns are known where they are the same
 * whatever the wrong ones are meant to be. */
static void bind_doubtful(const Binding *binding, const Step *step, const GPtrArray *wrong,
                          const struct ArrowSchema *const *inputs)
{
    SfError err = {0};
    GPtrArray *doubts = inherit_doubts(binding, step);
    g_autoptr(Instance) known = bind_variation(binding, step, wrong, 0, inputs, &err);
    if (*err.message) {
        bind_say(binding, step, wrong, err.message);
        add_doubts(doubts, err.message);
    }
    bool same = true;
    for (guint i = 1; i < variations_of(step, wrong) && same; i++) {
        SfError unheard = {0};
        g_autoptr(Instance) other = bind_variation(binding, step, wrong, i, inputs, &unheard);
        same = !known || !other || same_columns(known, other);
        if (!known)
            known = g_steal_pointer(&other);
    }
    if (known && same)
        g_hash_table_insert(binding->instances, (gpointer) step, g_steal_pointer(&known));
}

static void bind_step(const Binding *binding, const Step *step)
{
    const Draft *draft = g_hash_table_lookup(binding->drafts, step);
    bool reads = !draft->vague && (draft->kind == SF_SOURCE || step->inputs->len > 0);
    if (!step->plugin || step->options->kind != SF_VALUE_MAP || !(draft->sound || reads))
        return;
    g_autofree const struct ArrowSchema **inputs = input_schemas(binding, step);
    if (!inputs)
        return;
    if (draft->sound) {
        bind_sound(binding, step, inputs);
        return;
    }
    g_autoptr(GPtrArray) wrong = options_wrong(step->plugin, step->options);
    bind_doubtful(binding, step, wrong, inputs);
}

static void free_doubts(gpointer doubts)
{
    g_ptr_array_unref(doubts);
}

static void free_instance(gpointer instance)
{
    instance_free(instance);
}

void pipeline_bind(const Pipeline *pipeline, GPtrArray *all, Diagnostics *diagnostics)
{
    g_autoptr(GHashTable) instances = g_hash_table_new_full(NULL, NULL, NULL, free_instance);
    g_autoptr(GHashTable) drafts = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) doubts = g_hash_table_new_full(NULL, NULL, NULL, free_doubts);
    Binding binding = {
        .pipeline = pipeline, .drafts = drafts, .instances = instances, .doubts = doubts, .diagnostics = diagnostics};
    for (guint i = 0; i < all->len; i++) {
        const Draft *draft = g_ptr_array_index(all, i);
        g_hash_table_insert(drafts, draft->step, (gpointer) draft);
    }
    for (guint i = 0; i < pipeline->steps->len; i++)
        bind_step(&binding, g_ptr_array_index(pipeline->steps, i));
}
