/* Waiting, failing and retrying within one attempt; see context.h. */
#include "context.h"

#include "backoff.h"
#include "log.h"

void context_init(Context *context, const Pipeline *pipeline, StepStats *stats, BudgetShare *memory, bool once)
{
    guint n = pipeline->steps->len;
    *context = (Context){.pipeline = pipeline, .stats = stats, .memory = memory, .once = once};
    g_mutex_init(&context->lock);
    g_cond_init(&context->changed);
    context->sink_of = g_new0(SinkThread *, n);
    context->out = g_new0(const struct ArrowSchema *, n);
    context->errors = g_new0(const struct ArrowSchema *, n);
}

void context_on_commit(Context *context, void (*on_commit)(gpointer data), gpointer data)
{
    context->on_commit = on_commit;
    context->on_commit_data = data;
}

void context_committed(const Context *context)
{
    if (context->on_commit)
        context->on_commit(context->on_commit_data);
}

void context_done(Context *context)
{
    g_free(context->sink_of);
    g_free(context->out);
    g_free(context->errors);
    g_cond_clear(&context->changed);
    g_mutex_clear(&context->lock);
}

const struct ArrowSchema *context_schema(const Context *context, const Edge *edge)
{
    return edge->errors ? context->errors[edge->from->index] : context->out[edge->from->index];
}

void context_fail(Context *context, const Step *step, SfStatus status, const char *message)
{
    g_autofree char *silent =
        *message ? NULL : g_strdup_printf("it returned '%s' without a message", sf_status_name(status));
    g_mutex_lock(&context->lock);
    if (!context->failed && !context->over) {
        context->failed = true;
        context->leave = true;
        context->outcome = status;
        if (step)
            sf_fail(&context->why, status, "%s '%s': %s", step->plugin->head.name, step->name,
                    silent ? silent : message);
        else
            sf_fail(&context->why, status, "%s", message);
        context->phase = PHASE_ABORT;
        g_cond_broadcast(&context->changed);
    }
    g_mutex_unlock(&context->lock);
}

GThread *context_thread(Context *context, const Step *step, GThreadFunc run, gpointer data, bool *ended)
{
    g_autoptr(GError) error = NULL;
    GThread *thread = g_thread_try_new(step->name, run, data, &error);
    if (thread)
        return thread;
    g_autofree char *cause = g_strdup_printf("%s; " THREAD_REMEDY, error->message);
    context_fail(context, step, SF_FATAL, cause);
    g_mutex_lock(&context->lock);
    *ended = true;
    g_mutex_unlock(&context->lock);
    return NULL;
}

bool context_goes_on(const Context *context, bool finish)
{
    return !context->leave && (finish || !context->stopping);
}

/* Waits before another try. Returns whether there is to be one. */
static bool pause_before(Caller *caller, gint64 ms, bool finish, const SfError *err)
{
    Context *context = caller->context;
    gint64 until = g_get_monotonic_time() + ms * 1000;
    g_mutex_lock(&context->lock);
    bool go_on = context_goes_on(context, finish);
    g_mutex_unlock(&context->lock);
    if (!go_on)
        return false;
    log_line(LEVEL_WARNING, context->pipeline->name, caller->step->name, "%s; trying again", err->message);
    trouble_set(&caller->stats->trouble, err->message);
    g_mutex_lock(&context->lock);
    while ((go_on = context_goes_on(context, finish)) && g_get_monotonic_time() < until)
        g_cond_wait_until(&context->changed, &context->lock, until);
    g_mutex_unlock(&context->lock);
    return go_on;
}

SfStatus context_retry(Caller *caller, SfStatus (*hook)(gpointer data, SfError *err), gpointer data, bool finish,
                       SfError *err)
{
    Context *context = caller->context;
    Backoff backoff = {0};
    SfStatus status;
    while ((status = hook(data, err)) == SF_RETRY) {
        if (!pause_before(caller, backoff_next(&backoff), finish, err))
            return SF_RETRY;
    }
    if (backoff.tries > 0 && status == SF_OK) {
        trouble_set(&caller->stats->trouble, NULL);
        log_line(LEVEL_INFO, context->pipeline->name, caller->step->name, "goes on after %u tries", backoff.tries + 1);
    }
    return status;
}

void context_wait(Context *context, gint64 ms)
{
    g_cond_wait_until(&context->changed, &context->lock, g_get_monotonic_time() + ms * 1000);
}

void context_tell(Context *context)
{
    g_mutex_lock(&context->lock);
    g_cond_broadcast(&context->changed);
    g_mutex_unlock(&context->lock);
}

void context_pause(Context *context, bool paused)
{
    g_mutex_lock(&context->lock);
    if (paused && context->phase == PHASE_RUN) {
        context->phase = PHASE_PAUSE;
        context->pauses++;
    } else if (!paused && context->phase == PHASE_PAUSE) {
        context->phase = PHASE_RUN;
    }
    g_cond_broadcast(&context->changed);
    g_mutex_unlock(&context->lock);
}

void context_drain(Context *context, bool stopping)
{
    g_mutex_lock(&context->lock);
    context->stopping = context->stopping || stopping;
    if (context->phase < PHASE_DRAIN)
        context->phase = PHASE_DRAIN;
    g_cond_broadcast(&context->changed);
    g_mutex_unlock(&context->lock);
}
