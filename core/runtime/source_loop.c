/* A source's thread at work; see source_loop.h. Waits for sinks before a poll only, and serves the source meanwhile. */
#include "source_loop.h"

#include "config/hook.h"
#include "dispatch.h"
#include "log.h"
#include "recovery.h"
#include "sink_thread.h"

#define POLL_MS 100
#define FULL_MS 20
#define PUBLISH_US (500 * 1000)

/* Memory that no commit would give back is held for good: waiting for it would be for ever. Lock held. */
static bool has_memory(const Context *context)
{
    bool full = budget_full(context->memory);
    for (guint i = 0; full && i < context->sinks->len; i++) {
        if (ledger_has_open(context->ledger, ((const SinkThread *) context->sinks->pdata[i])->step))
            return false;
    }
    return true;
}

/* Lock held. */
static bool has_room(const SourceThread *source)
{
    const GPtrArray *sinks = source->context->sinks;
    for (guint i = 0; i < sinks->len; i++) {
        const SinkThread *sink = sinks->pdata[i];
        if (!sink_has_room(sink) && step_reaches(source->step, sink->step))
            return false;
    }
    return has_memory(source->context);
}

static bool all_opened(const Context *context)
{
    for (guint i = 0; i < context->sinks->len; i++) {
        if (!g_atomic_int_get(&((SinkThread *) context->sinks->pdata[i])->opened))
            return false;
    }
    return true;
}

static Phase phase_of(SourceThread *source)
{
    g_mutex_lock(&source->context->lock);
    Phase phase = source->context->phase;
    g_mutex_unlock(&source->context->lock);
    return phase;
}

static SfStatus serve(SourceThread *source, SfError *err)
{
    const SfSource *hooks = &source->step->plugin->source;
    Hook before = hook_enter(source_node(source), source->step->plugin->head.name, "serve", NULL);
    SfStatus status = hooks->serve ? hooks->serve(source_node(source), err) : SF_OK;
    hook_leave(&before);
    return status == SF_EMPTY || status == SF_RETRY ? SF_OK : status;
}

/* A source that cannot be asked now is asked again after a while. Meanwhile it is served, for others of its group wait
 * for its answers. */
static SfStatus pause_after(SourceThread *source, const SfError *cause, SfError *err)
{
    Context *context = source->context;
    SfStatus status = SF_OK;
    if (phase_of(source) != PHASE_RUN)
        return SF_OK;
    gint64 until = g_get_monotonic_time() + backoff_next(&source->backoff) * 1000;
    log_line(LEVEL_WARNING, context->pipeline->name, source->step->name, "%s; trying again", cause->message);
    trouble_set(&source_caller(source)->stats->trouble, cause->message);
    while (status == SF_OK && phase_of(source) == PHASE_RUN && g_get_monotonic_time() < until) {
        g_mutex_lock(&context->lock);
        context_wait(context, POLL_MS);
        g_mutex_unlock(&context->lock);
        status = serve(source, err);
    }
    return status;
}

static void publish_sometimes(SourceThread *source)
{
    gint64 now = g_get_monotonic_time();
    if (now - source->published_us < PUBLISH_US)
        return;
    source->published_us = now;
    recovery_publish(source, false);
}

static SfStatus poll_once(SourceThread *source, SfError *err)
{
    Context *context = source->context;
    g_mutex_lock(&context->lock);
    bool room = has_room(source);
    if (!room)
        context_wait(context, FULL_MS);
    g_mutex_unlock(&context->lock);
    if (!room)
        return serve(source, err);
    SfBatch batch = {.newest_us = INT64_MIN};
    const Plugin *plugin = source->step->plugin;
    Hook before = hook_enter(source_node(source), plugin->head.name, "poll", NULL);
    SfStatus status = plugin->source.poll(source_node(source), POLL_MS, &batch, err);
    hook_leave(&before);
    if (status == SF_RETRY) {
        const SfError cause = *err;
        return pause_after(source, &cause, err);
    }
    if (source->backoff.tries > 0) {
        source->backoff.tries = 0;
        trouble_set(&source_caller(source)->stats->trouble, NULL);
    }
    if (status == SF_EMPTY)
        return SF_OK;
    if (status == SF_OK)
        status = dispatch_polled(source, &batch, err);
    return status == SF_RETRY ? SF_OK : status; /* the attempt ends: what was not passed on is read again */
}

static SfStatus call_open(gpointer data, SfError *err)
{
    Instance *instance = data;
    const Plugin *plugin = instance->plugin;
    SfStatus (*open)(SfNode *, SfError *) = plugin->kind == SF_SOURCE ? plugin->source.open : plugin->transform.open;
    Hook before = hook_enter(&instance->node, plugin->head.name, "open", NULL);
    SfStatus status = open ? open(&instance->node, err) : SF_OK;
    hook_leave(&before);
    return status;
}

/* After all sinks, so that the first question to them does not wait for a server that is away. */
static SfStatus open_all(SourceThread *source, SfError *err)
{
    Context *context = source->context;
    g_mutex_lock(&context->lock);
    while (context->phase == PHASE_RUN && !all_opened(context))
        context_wait(context, POLL_MS);
    bool leave = context->phase != PHASE_RUN;
    g_mutex_unlock(&context->lock);
    SfStatus status = leave ? SF_RETRY : SF_OK;
    for (guint i = context->pipeline->steps->len; status == SF_OK && i-- > 0;) {
        if (source->instances[i])
            status = context_retry(&source->callers[i], call_open, source->instances[i], false, err);
    }
    g_atomic_int_set(&source->opened, status == SF_OK);
    return status == SF_RETRY ? SF_END : status;
}

/* Nothing more is polled; the membership stays until the sinks have committed. SF_OK: there are new splits to read;
 * SF_EMPTY: it is time to close. */
static SfStatus wait_for_close(SourceThread *source, SfError *err)
{
    Context *context = source->context;
    SfStatus status = SF_OK;
    g_mutex_lock(&context->lock);
    source->quiet = true;
    source->resumed = false; /* what came before is read, or stays for the next run */
    g_cond_broadcast(&context->changed);
    while (context->phase < PHASE_CLOSE && status == SF_OK && !(source->resumed && context->phase == PHASE_RUN)) {
        context_wait(context, FULL_MS);
        g_mutex_unlock(&context->lock);
        if (g_atomic_int_get(&source->opened))
            status = serve(source, err);
        g_mutex_lock(&context->lock);
    }
    if (status == SF_OK && context->phase != PHASE_RUN)
        status = SF_EMPTY;
    source->quiet = status != SF_OK;
    g_mutex_unlock(&context->lock);
    return status;
}

static gpointer source_main(gpointer data)
{
    SourceThread *source = data;
    SfError err = {""};
    SfStatus status = open_all(source, &err);
    do {
        while (status == SF_OK && phase_of(source) == PHASE_RUN) {
            status = poll_once(source, &err);
            publish_sometimes(source);
        }
        if (status == SF_OK || status == SF_END)
            status = wait_for_close(source, &err);
    } while (status == SF_OK);
    if (status != SF_EMPTY)
        context_fail(source->context, source->step, status, err.message);
    if (g_atomic_int_get(&source->opened))
        recovery_publish(source, true);
    g_mutex_lock(&source->context->lock);
    source->ended = true;
    g_cond_broadcast(&source->context->changed);
    g_mutex_unlock(&source->context->lock);
    return NULL;
}

void source_start(SourceThread *source)
{
    source->thread = context_thread(source->context, source->step, source_main, source, &source->ended);
}
