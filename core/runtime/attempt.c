/* One attempt to run one pipeline: makes tasks and workers, watches over them, ends them in order. */
#include "attempt.h"

#include "backoff.h"
#include "log.h"
#include "task.h"
#include "worker.h"

#define WATCH_MS 50
#define INTERRUPT_MS 100
#define HAND_OVER_US (10 * G_USEC_PER_SEC)

void attempt_wait(Attempt *attempt, gint64 ms)
{
    g_cond_wait_until(&attempt->changed, &attempt->lock, g_get_monotonic_time() + ms * 1000);
}

void attempt_stop(Attempt *attempt)
{
    g_mutex_lock(&attempt->lock);
    attempt->stopping = true;
    if (attempt->phase == PHASE_RUN)
        attempt->phase = PHASE_DRAIN;
    g_cond_broadcast(&attempt->changed);
    g_mutex_unlock(&attempt->lock);
}

void attempt_fail(Attempt *attempt, const Step *step, SfStatus status, const char *message)
{
    g_autofree char *silent = *message ? NULL : g_strdup_printf("it said '%s' and no more", sf_status_name(status));
    g_mutex_lock(&attempt->lock);
    if (!attempt->failed) {
        attempt->failed = true;
        attempt->leave = true;
        attempt->outcome = status;
        if (step)
            sf_fail(&attempt->why, status, "%s '%s': %s", step->plugin->head.name, step->name,
                    silent ? silent : message);
        else
            sf_fail(&attempt->why, status, "%s", message);
        attempt->phase = PHASE_ABORT;
        g_cond_broadcast(&attempt->changed);
    }
    g_mutex_unlock(&attempt->lock);
}

GThread *attempt_thread(Attempt *attempt, const Step *step, GThreadFunc run, gpointer data, bool *ended)
{
    g_autoptr(GError) error = NULL;
    GThread *thread = g_thread_try_new(step->name, run, data, &error);
    if (thread)
        return thread;
    g_autofree char *cause = g_strdup_printf("%s; raise the limit of threads or memory (ulimit -u, ulimit -v, "
                                             "the service's TasksMax)",
                                             error->message);
    attempt_fail(attempt, step, SF_FATAL, cause);
    g_mutex_lock(&attempt->lock);
    *ended = true;
    g_mutex_unlock(&attempt->lock);
    return NULL;
}

bool attempt_goes_on(const Attempt *attempt, bool finish)
{
    return !attempt->leave && (finish || !attempt->stopping);
}

/* Waits before another try. Returns whether there is to be one. */
static bool pause_before(Context *context, gint64 ms, bool finish, const SfError *err)
{
    Attempt *attempt = context->attempt;
    gint64 until = g_get_monotonic_time() + ms * 1000;
    g_mutex_lock(&attempt->lock);
    bool go_on = attempt_goes_on(attempt, finish);
    g_mutex_unlock(&attempt->lock);
    if (!go_on)
        return false;
    log_line(LEVEL_WARNING, attempt->pipeline->name, context->step->name, "%s; trying again", err->message);
    runner_trouble(attempt->runner, context->stats, err->message);
    g_mutex_lock(&attempt->lock);
    while ((go_on = attempt_goes_on(attempt, finish)) && g_get_monotonic_time() < until)
        g_cond_wait_until(&attempt->changed, &attempt->lock, until);
    g_mutex_unlock(&attempt->lock);
    return go_on;
}

SfStatus attempt_insist(Context *context, SfStatus (*hook)(gpointer data, SfError *err), gpointer data, bool finish,
                        SfError *err)
{
    Attempt *attempt = context->attempt;
    Backoff backoff = {0};
    SfStatus status;
    while ((status = hook(data, err)) == SF_RETRY) {
        if (!pause_before(context, backoff_next(&backoff), finish, err))
            return SF_RETRY;
    }
    if (backoff.tries > 0 && status == SF_OK) {
        runner_trouble(attempt->runner, context->stats, NULL);
        log_line(LEVEL_INFO, attempt->pipeline->name, context->step->name, "goes on after %u tries", backoff.tries + 1);
    }
    return status;
}

/* Tasks first: a step's rows have a schema once its source's task is made. Sinks in the order of the graph, so that the
 * schema of a sink's errors is there for the sink that reads them. */
static SfStatus make_tasks(Attempt *attempt, SfError *err)
{
    const Pipeline *pipeline = attempt->pipeline;
    for (guint i = 0; i < pipeline->steps->len; i++) {
        const Step *step = pipeline->steps->pdata[i];
        if (step->plugin->kind != SF_SOURCE)
            continue;
        for (gint64 number = 0; number < pipeline->tasks; number++) {
            Task *task = task_new(attempt, step, (guint) number, err);
            if (!task)
                return SF_CONFIG;
            g_ptr_array_add(attempt->tasks, task);
        }
    }
    return SF_OK;
}

static SfStatus make_workers(Attempt *attempt, SfError *err)
{
    const Pipeline *pipeline = attempt->pipeline;
    for (guint i = 0; i < pipeline->steps->len; i++) {
        const Step *step = pipeline->steps->pdata[i];
        if (step->plugin->kind != SF_SINK)
            continue;
        Worker *worker = worker_new(attempt, step, err);
        if (!worker)
            return SF_CONFIG;
        g_ptr_array_add(attempt->workers, worker);
        attempt->worker_of[step->index] = worker;
    }
    return SF_OK;
}

Attempt *attempt_new(const Pipeline *pipeline, Runner *runner, SfError *err)
{
    Attempt *attempt = g_new0(Attempt, 1);
    guint n = pipeline->steps->len;
    attempt->pipeline = pipeline;
    attempt->runner = runner;
    g_mutex_init(&attempt->lock);
    g_cond_init(&attempt->changed);
    attempt->tasks = g_ptr_array_new_with_free_func((GDestroyNotify) task_free);
    attempt->workers = g_ptr_array_new_with_free_func((GDestroyNotify) worker_free);
    attempt->worker_of = g_new0(Worker *, n);
    attempt->out = g_new0(const struct ArrowSchema *, n);
    attempt->errors = g_new0(const struct ArrowSchema *, n);
    attempt->origins = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    attempt->splits = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) split_state_free);
    if (make_tasks(attempt, err) != SF_OK || make_workers(attempt, err) != SF_OK) {
        attempt_free(attempt);
        return NULL;
    }
    return attempt;
}

/* Order: tasks and workers close their plugins, which may still hold batches; splits and schemas go last. */
void attempt_free(Attempt *attempt)
{
    if (!attempt)
        return;
    g_ptr_array_unref(attempt->workers);
    g_ptr_array_unref(attempt->tasks);
    g_hash_table_unref(attempt->splits);
    g_hash_table_unref(attempt->origins);
    g_free(attempt->worker_of);
    g_free(attempt->out);
    g_free(attempt->errors);
    g_cond_clear(&attempt->changed);
    g_mutex_clear(&attempt->lock);
    g_free(attempt);
}

/* The source's only task has been told since which splits it has, and this one was not among them. */
static bool went_elsewhere(const Attempt *attempt, const SplitState *split)
{
    return attempt->pipeline->tasks == 1 && split->former && split->former->assigned_us > split->revoked_us;
}

/* Whether a split that was not read to its end has just been taken from a task: another one of ours may get it. After a
 * while it has gone to another process, which reads the rest. Lock held. */
static bool on_the_way(const Attempt *attempt)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, attempt->splits);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const SplitState *split = value;
        if (!split->owner && split->next < split->end && !went_elsewhere(attempt, split) &&
            g_get_monotonic_time() - split->revoked_us < HAND_OVER_US)
            return true;
    }
    return false;
}

/* Lock held. */
static bool all_quiet(const Attempt *attempt)
{
    for (guint i = 0; i < attempt->tasks->len; i++) {
        if (!task_quiet(attempt->tasks->pdata[i]))
            return false;
    }
    return attempt->phase != PHASE_RUN || !on_the_way(attempt);
}

static void interrupt_tasks(Attempt *attempt)
{
    for (guint i = 0; i < attempt->tasks->len; i++)
        task_interrupt(attempt->tasks->pdata[i]);
}

/* Until all tasks have ended, or a stop or a failure has come through. Returns whether it was a failure. */
static bool watch(Attempt *attempt)
{
    g_mutex_lock(&attempt->lock);
    while (!attempt->failed && !all_quiet(attempt)) {
        bool stopping = attempt->stopping;
        g_mutex_unlock(&attempt->lock);
        if (stopping)
            interrupt_tasks(attempt);
        g_mutex_lock(&attempt->lock);
        if (!attempt->failed && !all_quiet(attempt) && attempt->stopping == stopping)
            attempt_wait(attempt, WATCH_MS);
    }
    bool failed = attempt->failed;
    g_mutex_unlock(&attempt->lock);
    return failed;
}

/* Everything that was read is committed, unless it fails or the runner's deadline comes. */
static void drain(Attempt *attempt)
{
    g_mutex_lock(&attempt->lock);
    if (attempt->phase == PHASE_RUN)
        attempt->phase = PHASE_DRAIN;
    g_mutex_unlock(&attempt->lock);
    SfError err = {""};
    SfStatus status = workers_commit(attempt, SF_COMMIT_END, 0, &err);
    if (status != SF_OK && status != SF_RETRY)
        attempt_fail(attempt, NULL, status, err.message);
    g_mutex_lock(&attempt->lock);
    if (!attempt->failed)
        attempt->phase = PHASE_CLOSE;
    attempt->leave = true;
    g_cond_broadcast(&attempt->changed);
    g_mutex_unlock(&attempt->lock);
}

/* The first step whose thread has not ended. Lock held. */
static const Step *first_running(const Attempt *attempt)
{
    for (guint i = 0; i < attempt->workers->len; i++) {
        const Worker *worker = attempt->workers->pdata[i];
        if (!worker->ended)
            return worker->step;
    }
    for (guint i = 0; i < attempt->tasks->len; i++) {
        if (!task_ended(attempt->tasks->pdata[i]))
            return task_context(attempt->tasks->pdata[i])->step;
    }
    return NULL;
}

const Step *attempt_stuck(Attempt *attempt)
{
    g_mutex_lock(&attempt->lock);
    const Step *step = first_running(attempt);
    g_mutex_unlock(&attempt->lock);
    return step;
}

/* Again and again, since an interrupt that comes between two hooks may be forgotten by the second. */
static void interrupt_all(Attempt *attempt)
{
    interrupt_tasks(attempt);
    for (guint i = 0; i < attempt->workers->len; i++)
        worker_interrupt(attempt->workers->pdata[i]);
}

static void end_threads(Attempt *attempt)
{
    g_mutex_lock(&attempt->lock);
    while (first_running(attempt)) {
        bool failed = attempt->failed;
        g_mutex_unlock(&attempt->lock);
        if (failed)
            interrupt_all(attempt);
        g_mutex_lock(&attempt->lock);
        if (first_running(attempt) && attempt->failed == failed)
            attempt_wait(attempt, INTERRUPT_MS);
    }
    g_mutex_unlock(&attempt->lock);
    for (guint i = 0; i < attempt->tasks->len; i++)
        task_join(attempt->tasks->pdata[i]);
    for (guint i = 0; i < attempt->workers->len; i++)
        worker_join(attempt->workers->pdata[i]);
}

SfStatus attempt_run(Attempt *attempt, SfError *err)
{
    for (guint i = 0; i < attempt->workers->len; i++)
        worker_start(attempt->workers->pdata[i]);
    for (guint i = 0; i < attempt->tasks->len; i++)
        task_start(attempt->tasks->pdata[i]);
    if (!watch(attempt))
        drain(attempt);
    end_threads(attempt);
    if (!attempt->failed)
        return SF_OK;
    return sf_fail(err, attempt->outcome, "%s", attempt->why.message);
}

bool attempt_complete(const Attempt *attempt)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, attempt->splits);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (split_committed(value) < ((const SplitState *) value)->next)
            return false;
    }
    return !attempt->failed;
}
