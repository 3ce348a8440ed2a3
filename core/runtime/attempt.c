/* One attempt to run one pipeline: makes the threads, watches over them, ends them in order. The pipeline's thread. */
#include "attempt.h"

#include "requests.h"
#include "services.h"
#include "sink_loop.h"
#include "source_loop.h"

#define WATCH_MS 50
#define INTERRUPT_MS 100
#define HAND_OVER_US (10 * G_USEC_PER_SEC) /* after that a split has gone to another process, which reads the rest */

struct Attempt {
    Context context;
    GPtrArray *sources; /* SourceThread * */
    /* The pipeline's thread's: */
    guint settled; /* number of the pause for which everything is committed */
    AttemptTell *tell;
    gpointer tell_data;
    AttemptStage told;
};

void attempt_stop(Attempt *attempt)
{
    context_drain(&attempt->context, true);
}

void attempt_pause(Attempt *attempt, bool paused)
{
    context_pause(&attempt->context, paused);
}

Context *attempt_context(Attempt *attempt)
{
    return &attempt->context;
}

/* ---- making and freeing ------------------------------------------------ */

/* Sources first: a step's rows have a schema once its source's thread is made. Sinks in the order of the graph, so that
 * the schema of a sink's errors is there for the sink that reads them. */
static SfStatus make_sources(Attempt *attempt, SfError *err)
{
    const Pipeline *pipeline = attempt->context.pipeline;
    for (guint i = 0; i < pipeline->steps->len; i++) {
        const Step *step = pipeline->steps->pdata[i];
        if (step->plugin->kind != SF_SOURCE)
            continue;
        for (gint64 number = 0; number < pipeline->tasks; number++) {
            SourceThread *source = source_new(&attempt->context, step, (guint) number, err);
            if (!source)
                return SF_CONFIG;
            g_ptr_array_add(attempt->sources, source);
        }
    }
    return SF_OK;
}

static SfStatus make_sinks(Context *context, SfError *err)
{
    for (guint i = 0; i < context->pipeline->steps->len; i++) {
        const Step *step = context->pipeline->steps->pdata[i];
        if (step->plugin->kind != SF_SINK)
            continue;
        SinkThread *sink = sink_new(context, step, err);
        if (!sink)
            return SF_CONFIG;
        g_ptr_array_add(context->sinks, sink);
        context->sink_of[step->index] = sink;
    }
    return SF_OK;
}

static void on_memory(gpointer context)
{
    context_tell(context);
}

Attempt *attempt_new(const Pipeline *pipeline, StepStats *stats, BudgetShare *memory, bool once, SfError *err)
{
    Attempt *attempt = g_new0(Attempt, 1);
    Context *context = &attempt->context;
    context_init(context, pipeline, stats, memory, once);
    context->host = &host_services;
    context->sinks = g_ptr_array_new_with_free_func((GDestroyNotify) sink_free);
    context->ledger = ledger_new(pipeline);
    budget_listen(memory, on_memory, context);
    attempt->sources = g_ptr_array_new_with_free_func((GDestroyNotify) source_free);
    if (make_sources(attempt, err) != SF_OK || make_sinks(context, err) != SF_OK) {
        attempt_free(attempt);
        return NULL;
    }
    return attempt;
}

/* Order: the threads' parts close their plugins, which may still hold batches; splits and schemas go last. */
void attempt_free(Attempt *attempt)
{
    if (!attempt)
        return;
    budget_listen(attempt->context.memory, NULL, NULL);
    g_ptr_array_unref(attempt->context.sinks);
    g_ptr_array_unref(attempt->sources);
    ledger_free(attempt->context.ledger);
    context_done(&attempt->context);
    g_free(attempt);
}

/* ---- running ------------------------------------------------ */

/* Lock held. */
static bool all_sources_quiet(const Attempt *attempt)
{
    for (guint i = 0; i < attempt->sources->len; i++) {
        if (!source_quiet(attempt->sources->pdata[i]))
            return false;
    }
    return true;
}

/* Lock held. */
static bool all_sources_halted(const Attempt *attempt)
{
    for (guint i = 0; i < attempt->sources->len; i++) {
        if (!source_halted(attempt->sources->pdata[i]))
            return false;
    }
    return true;
}

/* All sources are read to their ends, or a stop has come through. Lock held. */
static bool is_over(const Attempt *attempt)
{
    const Context *context = &attempt->context;
    if (context->phase == PHASE_PAUSE || !all_sources_quiet(attempt))
        return false;
    return context->phase != PHASE_RUN || !ledger_on_the_way(context->ledger, HAND_OVER_US);
}

static void interrupt_sources(Attempt *attempt)
{
    for (guint i = 0; i < attempt->sources->len; i++)
        source_interrupt(attempt->sources->pdata[i]);
}

/* Lock held. */
static bool is_open(const Attempt *attempt)
{
    for (guint i = 0; i < attempt->sources->len; i++) {
        if (!g_atomic_int_get(&((SourceThread *) attempt->sources->pdata[i])->opened))
            return false;
    }
    return true;
}

/* Lock held. */
static AttemptStage stage_of(const Attempt *attempt)
{
    const Context *context = &attempt->context;
    if (context->phase == PHASE_PAUSE)
        return attempt->settled == context->pauses ? STAGE_PAUSED : STAGE_PAUSING;
    return is_open(attempt) ? STAGE_RUNNING : STAGE_STARTING;
}

/* What is there is committed before a pause counts as one. Lock held, and released meanwhile. */
static void settle_for_pause(Attempt *attempt)
{
    Context *context = &attempt->context;
    guint pause = context->pauses;
    SfError err = {""};
    g_mutex_unlock(&context->lock);
    SfStatus status = requests_commit_paused(context, pause, &err);
    if (status == SF_OK)
        attempt->settled = pause;
    else if (status != SF_RETRY) /* the pause is over, or the attempt is left */
        context_fail(context, NULL, status, err.message);
    g_mutex_lock(&context->lock);
}

/* Polls are left again and again, since an interrupt that comes between two hooks may be forgotten by the second. Lock
 * held, and released meanwhile. */
static void leave_polls(Attempt *attempt)
{
    Context *context = &attempt->context;
    Phase phase = context->phase;
    g_mutex_unlock(&context->lock);
    interrupt_sources(attempt);
    g_mutex_lock(&context->lock);
    bool left = phase == PHASE_PAUSE ? all_sources_halted(attempt) : all_sources_quiet(attempt);
    if (!context->failed && context->phase == phase && !left)
        context_wait(context, WATCH_MS);
}

/* Lock held, and released meanwhile. Whether there was something to tell. */
static bool tell_stage(Attempt *attempt)
{
    AttemptStage stage = stage_of(attempt);
    if (stage == attempt->told)
        return false;
    attempt->told = stage;
    g_mutex_unlock(&attempt->context.lock);
    attempt->tell(attempt->tell_data, stage);
    g_mutex_lock(&attempt->context.lock);
    return true;
}

/* Until the next change, or until splits on the way have had their time. Lock held, and released meanwhile. */
static void watch_on(Attempt *attempt)
{
    Context *context = &attempt->context;
    if (tell_stage(attempt))
        return;
    if (context->stopping)
        leave_polls(attempt);
    else if (context->phase == PHASE_PAUSE && !all_sources_halted(attempt))
        leave_polls(attempt);
    else if (context->phase == PHASE_PAUSE && attempt->settled != context->pauses)
        settle_for_pause(attempt);
    else if (context->phase == PHASE_RUN && all_sources_quiet(attempt))
        context_wait(context, WATCH_MS);
    else
        g_cond_wait(&context->changed, &context->lock);
}

/* Until it is over, or has failed, which is returned. */
static bool watch(Attempt *attempt)
{
    Context *context = &attempt->context;
    g_mutex_lock(&context->lock);
    while (!context->failed && !is_over(attempt))
        watch_on(attempt);
    bool failed = context->failed;
    g_mutex_unlock(&context->lock);
    return failed;
}

/* Everything that was read is committed, unless it fails or the runner's deadline comes. */
static void drain(Context *context)
{
    context_drain(context, false);
    SfError err = {""};
    SfStatus status = requests_commit(context, SF_COMMIT_END, 0, &err);
    if (status != SF_OK && status != SF_RETRY)
        context_fail(context, NULL, status, err.message);
    g_mutex_lock(&context->lock);
    if (!context->failed)
        context->phase = PHASE_CLOSE;
    context->leave = true;
    g_cond_broadcast(&context->changed);
    g_mutex_unlock(&context->lock);
}

/* The first step whose thread has not ended. Lock held. */
static const Step *first_running(const Attempt *attempt)
{
    const GPtrArray *sinks = attempt->context.sinks;
    for (guint i = 0; i < sinks->len; i++) {
        const SinkThread *sink = sinks->pdata[i];
        if (!sink->ended)
            return sink->step;
    }
    for (guint i = 0; i < attempt->sources->len; i++) {
        const SourceThread *source = attempt->sources->pdata[i];
        if (!source->ended)
            return source->step;
    }
    return NULL;
}

const Step *attempt_stuck(Attempt *attempt)
{
    g_mutex_lock(&attempt->context.lock);
    const Step *step = first_running(attempt);
    g_mutex_unlock(&attempt->context.lock);
    return step;
}

/* Again and again, since an interrupt that comes between two hooks may be forgotten by the second. */
static void interrupt_all(Attempt *attempt)
{
    interrupt_sources(attempt);
    for (guint i = 0; i < attempt->context.sinks->len; i++)
        sink_interrupt(attempt->context.sinks->pdata[i]);
}

/* Until nobody calls a hook any more; attempt_free() joins them. */
static void end_threads(Attempt *attempt)
{
    Context *context = &attempt->context;
    g_mutex_lock(&context->lock);
    while (first_running(attempt)) {
        bool failed = context->failed;
        g_mutex_unlock(&context->lock);
        if (failed)
            interrupt_all(attempt);
        g_mutex_lock(&context->lock);
        if (first_running(attempt) && context->failed == failed)
            context_wait(context, INTERRUPT_MS);
    }
    g_mutex_unlock(&context->lock);
}

/* Takes the outcome, which stays as it is: a deadline that passes from now on comes too late. */
static SfStatus close_attempt(Context *context, SfError *err)
{
    g_mutex_lock(&context->lock);
    context->over = true;
    SfStatus status = context->failed ? sf_fail(err, context->outcome, "%s", context->why.message) : SF_OK;
    g_mutex_unlock(&context->lock);
    return status;
}

SfStatus attempt_run(Attempt *attempt, AttemptTell *tell, gpointer data, SfError *err)
{
    Context *context = &attempt->context;
    attempt->tell = tell;
    attempt->tell_data = data;
    for (guint i = 0; i < context->sinks->len; i++)
        sink_start(context->sinks->pdata[i]);
    for (guint i = 0; i < attempt->sources->len; i++)
        source_start(attempt->sources->pdata[i]);
    if (!watch(attempt))
        drain(context);
    end_threads(attempt);
    return close_attempt(context, err);
}

bool attempt_complete(const Attempt *attempt)
{
    return !attempt->context.failed && ledger_complete(attempt->context.ledger);
}
