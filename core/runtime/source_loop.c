/* A source's thread at work; see source_loop.h. Waits for sinks before a poll only, and serves the source meanwhile. */
#include "source_loop.h"

#include "config/hook.h"
#include "dispatch.h"
#include "log.h"
#include "recovery.h"
#include "sink_thread.h"

/* A poll that can be interrupted is one of few. */
#define POLL_MS 500
#define POLL_ALONE_MS 100
/* Others of a group wait for what the source is served. */
#define SERVE_MS 100
#define SERVE_PAUSED_MS 500
#define LOOK_MS 1000 /* of a source that need not be served */
#define PUBLISH_US (500 * 1000)
#define TELL_US (200 * 1000) /* between two calls for memory */

/* Memory that no commit would give back is held for good, or until more rows come: waiting for it would be for ever.
 * Lock held. */
static bool has_memory(const Context *context)
{
    bool full = budget_full(context->memory);
    for (guint i = 0; full && i < context->sinks->len; i++) {
        const SinkThread *sink = context->sinks->pdata[i];
        bool can_commit = stats_get(&sink->rows) > 0 || sink->queue.length > 0;
        if (can_commit && ledger_has_open(context->ledger, sink->step))
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

static SfStatus call_serve(SourceThread *source, SfError *err)
{
    const SfSource *hooks = &source->step->plugin->source;
    Hook before = hook_enter(source_node(source), source->step->plugin->head.name, "serve", NULL);
    SfStatus status = hooks->serve ? hooks->serve(source_node(source), err) : SF_OK;
    hook_leave(&before);
    return status;
}

/* What is wrong with a source that is not polled: logged when it begins, and its trouble until it is over. */
static void tell_served(SourceThread *source, const char *cause)
{
    if (cause && !source->served_badly)
        log_line(LEVEL_WARNING, source->context->pipeline->name, source->step->name, "%s", cause);
    if (cause || source->served_badly)
        trouble_set(&source_caller(source)->stats->trouble, cause);
    source->served_badly = cause != NULL;
}

static SfStatus serve(SourceThread *source, SfError *err)
{
    SfStatus status = call_serve(source, err);
    tell_served(source, status == SF_RETRY ? err->message : NULL);
    return status == SF_EMPTY || status == SF_RETRY ? SF_OK : status;
}

/* When to serve it next, in ms. Lock held. */
static gint64 serve_after(const SourceThread *source)
{
    if (!source->step->plugin->source.serve)
        return LOOK_MS;
    return source->context->phase == PHASE_PAUSE ? SERVE_PAUSED_MS : SERVE_MS;
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
        if (context->phase == PHASE_RUN)
            context_wait(context, MIN(serve_after(source), (until - g_get_monotonic_time()) / 1000 + 1));
        g_mutex_unlock(&context->lock);
        status = call_serve(source, err); /* what is wrong has been told */
        status = status == SF_EMPTY || status == SF_RETRY ? SF_OK : status;
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

/* Until there is room, or it is time to serve. Sinks of other pipelines may hold the memory: they are told, once they
 * can see that somebody waits. */
static void wait_for_room(SourceThread *source)
{
    Context *context = source->context;
    gint64 now = g_get_monotonic_time();
    budget_await(true);
    if (budget_full(context->memory) && now - source->told_us >= TELL_US) {
        source->told_us = now;
        budget_tell();
    }
    g_mutex_lock(&context->lock);
    gint64 until = now + serve_after(source) * 1000;
    while (context->phase == PHASE_RUN && !has_room(source) && g_get_monotonic_time() < until)
        g_cond_wait_until(&context->changed, &context->lock, until);
    g_mutex_unlock(&context->lock);
    budget_await(false);
}

static SfStatus poll_once(SourceThread *source, SfError *err)
{
    Context *context = source->context;
    g_mutex_lock(&context->lock);
    bool room = has_room(source);
    g_mutex_unlock(&context->lock);
    if (!room) {
        wait_for_room(source);
        return serve(source, err);
    }
    tell_served(source, NULL); /* it can say so itself again */
    SfBatch batch = {.newest_us = INT64_MIN};
    const Plugin *plugin = source->step->plugin;
    Hook before = hook_enter(source_node(source), plugin->head.name, "poll", NULL);
    SfStatus status =
        plugin->source.poll(source_node(source), plugin->source.interrupt ? POLL_MS : POLL_ALONE_MS, &batch, err);
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
    while (context->phase < PHASE_DRAIN && !all_opened(context))
        g_cond_wait(&context->changed, &context->lock);
    bool leave = context->phase >= PHASE_DRAIN;
    g_mutex_unlock(&context->lock);
    SfStatus status = leave ? SF_RETRY : SF_OK;
    for (guint i = context->pipeline->steps->len; status == SF_OK && i-- > 0;) {
        if (source->instances[i])
            status = context_retry(&source->callers[i], call_open, source->instances[i], false, err);
    }
    g_mutex_lock(&context->lock);
    g_atomic_int_set(&source->opened, status == SF_OK);
    g_cond_broadcast(&context->changed);
    g_mutex_unlock(&context->lock);
    return status == SF_RETRY ? SF_END : status;
}

/* Served meanwhile, and told what is committed, so that lag tools see no more than there is in a pause. Lock held, and
 * released in between. */
static SfStatus rest_once(SourceThread *source, SfError *err)
{
    Context *context = source->context;
    SfStatus status = SF_OK;
    bool opened = g_atomic_int_get(&source->opened);
    context_wait(context, serve_after(source));
    g_mutex_unlock(&context->lock);
    if (opened)
        status = serve(source, err);
    if (opened && status == SF_OK)
        publish_sometimes(source);
    g_mutex_lock(&context->lock);
    return status;
}

/* Nothing is polled; the membership stays: until the pause is over, there are new splits to read, or the sinks have
 * committed. SF_OK: it goes on; SF_EMPTY: it is time to close. */
static SfStatus rest(SourceThread *source, bool halted, SfError *err)
{
    Context *context = source->context;
    SfStatus status = SF_OK;
    g_mutex_lock(&context->lock);
    source->quiet = true;
    source->halted = halted;
    source->resumed = false; /* what came before is read, or stays for the next run */
    g_cond_broadcast(&context->changed);
    while (context->phase < PHASE_CLOSE && status == SF_OK && source_quiet(source))
        status = rest_once(source, err);
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
            status = rest(source, status == SF_OK, &err);
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
