/* One plugin instance: its state, filled from the options, and its schemas, bound. Opens nothing. */
#include "instance.h"
#include "error_schema.h"
#include "hook.h"
#include "options.h"
#include "data/rowfilter.h"

#include <string.h>

static Instance *make(const Step *step, const Pipeline *pipeline, guint task, bool bounded, const SfHost *host,
                      gpointer host_data)
{
    static const char *const nowhere[] = {"", NULL};
    bool lost = step->plugin->kind != SF_SOURCE && step->inputs->len == 0; /* its `from` is wrong */
    Instance *instance = g_new0(Instance, 1);
    instance->step = step;
    instance->plugin = step->plugin;
    instance->errors = g_new0(struct ArrowSchema, step->inputs->len + 1);
    instance->node = (SfNode){
        .size = sizeof(SfNode),
        .task = task,
        .pipeline = pipeline->name,
        .step = step->name,
        .state = g_malloc0(MAX(step->plugin->head.state_size, 1)),
        .host = host,
        .host_data = host_data,
        .inputs = lost ? nowhere : (const char *const *) step->input_names->pdata,
        .n_inputs = lost ? 1 : step->inputs->len,
        .bounded = bounded,
        .tasks = (guint) CLAMP(pipeline->tasks, 0, G_MAXINT32),
    };
    return instance;
}

Instance *instance_new(const Step *step, const Pipeline *pipeline, guint task, bool bounded, const SfHost *host,
                       gpointer host_data, SfError *err)
{
    g_autoptr(Instance) instance = make(step, pipeline, task, bounded, host, host_data);
    instance->arena = options_fill(step->plugin, step->options, instance->node.state, err);
    return instance->arena ? g_steal_pointer(&instance) : NULL;
}

Instance *instance_new_unresolved(const Step *step, const Pipeline *pipeline, const SfHost *host, gpointer host_data,
                                  SfError *err)
{
    g_autoptr(Instance) instance =
        make(step, pipeline, 0, pipeline->trigger.kind != TRIGGER_CONTINUOUS, host, host_data);
    instance->arena = options_fill_unresolved(step->plugin, step->options, instance->node.state, err);
    return instance->arena ? g_steal_pointer(&instance) : NULL;
}

Instance *instance_new_somehow(const Step *step, const Pipeline *pipeline, const GPtrArray *wrong, guint variation,
                               const SfHost *host)
{
    Instance *instance = make(step, pipeline, 0, pipeline->trigger.kind != TRIGGER_CONTINUOUS, host, NULL);
    instance->arena = options_fill_somehow(step->plugin, step->options, wrong, variation, instance->node.state);
    return instance;
}

static SfStatus bind_transform(Instance *instance, const struct ArrowSchema *input, SfError *err)
{
    const SfTransform *transform = &instance->plugin->transform;
    if (!transform->bind)
        SF_TRY(sf_schema_copy(input, &instance->out, err)); /* known, even if the filter is wrong */
    if (rowfilter_is(transform))
        SF_TRY(rowfilter_bind(transform, &instance->node, input, err));
    return transform->bind ? transform->bind(&instance->node, input, &instance->out, err) : SF_OK;
}

static SfStatus bind_sink(Instance *instance, const struct ArrowSchema *const *inputs, SfError *err)
{
    const SfSink *sink = &instance->plugin->sink;
    for (size_t i = 0; sink->bind && i < instance->node.n_inputs; i++)
        SF_TRY(sink->bind(&instance->node, i, inputs[i], err));
    return SF_OK;
}

static SfStatus bind_kind(Instance *instance, const struct ArrowSchema *const *inputs, SfError *err)
{
    switch (instance->plugin->kind) {
    case SF_SOURCE:
        return instance->plugin->source.bind(&instance->node, &instance->out, err);
    case SF_TRANSFORM:
        return bind_transform(instance, inputs[0], err);
    default:
        return bind_sink(instance, inputs, err);
    }
}

static SfStatus make_error_schemas(Instance *instance, const struct ArrowSchema *const *inputs, SfError *err)
{
    for (size_t i = 0; i < instance->node.n_inputs; i++)
        SF_TRY(error_schema_make(inputs[i], &instance->errors[i], err));
    return SF_OK;
}

static SfStatus bind_any(Instance *instance, const struct ArrowSchema *const *inputs, SfError *err)
{
    Hook before = hook_enter(&instance->node, instance->plugin->head.name, "bind", NULL);
    SfStatus status = bind_kind(instance, inputs, err);
    hook_leave(&before);
    return status;
}

SfStatus instance_bind(Instance *instance, const struct ArrowSchema *const *inputs, SfError *err)
{
    SF_TRY(bind_any(instance, inputs, err));
    if (instance->plugin->kind != SF_SINK) {
        if (!instance->out.release)
            return sf_fail(err, SF_FATAL, "%s gave no schema", instance->plugin->head.name);
        SF_TRY(sf_schema_check(&instance->out, err));
    }
    return make_error_schemas(instance, inputs, err);
}

bool instance_guess(Instance *instance, const struct ArrowSchema *const *inputs)
{
    bool known = instance->plugin->kind == SF_SINK || sf_schema_check(&instance->out, NULL) == SF_OK;
    return known && make_error_schemas(instance, inputs, NULL) == SF_OK;
}

static void close_plugin(Instance *instance)
{
    const Plugin *plugin = instance->plugin;
    void (*close)(SfNode *) = plugin->kind == SF_SOURCE      ? plugin->source.close
                              : plugin->kind == SF_TRANSFORM ? plugin->transform.close
                                                             : plugin->sink.close;
    Hook before = hook_enter(&instance->node, plugin->head.name, "close", NULL);
    if (close)
        close(&instance->node);
    hook_leave(&before);
}

void instance_free(Instance *instance)
{
    if (!instance)
        return;
    if (instance->arena) /* without it the plugin has never heard of this state */
        close_plugin(instance);
    for (size_t i = 0; i < instance->node.n_inputs; i++)
        sf_schema_done(&instance->errors[i]);
    sf_schema_done(&instance->out);
    option_arena_free(instance->arena);
    g_free(instance->errors);
    g_free(instance->node.state);
    g_free(instance);
}
