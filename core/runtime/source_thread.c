/* What a source's thread has; see source_thread.h. */
#include "source_thread.h"

#include "rejects.h"

/* ---- making and ending ------------------------------------------------ */

Caller *source_caller(SourceThread *source)
{
    return &source->callers[source->step->index];
}

SfNode *source_node(SourceThread *source)
{
    return &source->instances[source->step->index]->node;
}

bool source_quiet(const SourceThread *source)
{
    return source->quiet && !((source->resumed || source->halted) && source->context->phase == PHASE_RUN);
}

bool source_halted(const SourceThread *source)
{
    return source->quiet || !g_atomic_int_get(&source->opened);
}

static SfStatus bind(SourceThread *source, const Step *step, SfError *err)
{
    Context *context = source->context;
    const struct ArrowSchema *input = step->inputs->len == 1 ? context_schema(context, step->inputs->pdata[0]) : NULL;
    Instance *instance = source->instances[step->index];
    SF_TRY(instance_bind(instance, &input, err));
    if (!context->out[step->index])
        context->out[step->index] = &instance->out;
    if (!context->errors[step->index] && step->plugin->kind == SF_TRANSFORM)
        context->errors[step->index] = instance->errors;
    return SF_OK;
}

static SfStatus make_instance(SourceThread *source, const Step *step, SfError *err)
{
    Context *context = source->context;
    Caller *caller = &source->callers[step->index];
    *caller = (Caller){.context = context,
                       .step = step,
                       .stats = &context->stats[step->index],
                       .source = source,
                       .rejects = rejects_new()};
    source->instances[step->index] =
        instance_new(step, context->pipeline, source->number, context->once, context->host, caller, err);
    return source->instances[step->index] ? bind(source, step, err) : SF_CONFIG;
}

SourceThread *source_new(Context *context, const Step *step, guint number, SfError *err)
{
    const GPtrArray *steps = context->pipeline->steps;
    SourceThread *source = g_new0(SourceThread, 1);
    source->context = context;
    source->step = step;
    source->number = number;
    source->instances = g_new0(Instance *, steps->len);
    source->callers = g_new0(Caller, steps->len);
    for (guint i = 0; i < steps->len; i++) {
        const Step *reached = steps->pdata[i];
        if (reached->plugin->kind == SF_SINK || !step_reaches(step, reached))
            continue;
        if (make_instance(source, reached, err) != SF_OK) {
            source_free(source);
            return NULL;
        }
    }
    return source;
}

void source_interrupt(SourceThread *source)
{
    const SfSource *hooks = &source->step->plugin->source;
    if (hooks->interrupt && g_atomic_int_get(&source->opened))
        hooks->interrupt(source_node(source));
}

void source_free(SourceThread *source)
{
    if (!source)
        return;
    if (source->thread)
        g_thread_join(source->thread);
    for (guint i = source->context->pipeline->steps->len; i-- > 0;) {
        instance_free(source->instances[i]);
        budget_charge(source->context->memory, -source->callers[i].charged);
        if (source->callers[i].rejects)
            g_array_unref(source->callers[i].rejects);
    }
    g_free(source->instances);
    g_free(source->callers);
    g_free(source);
}
