/* A task's thread: polls its source and hands the batches to pass.c. Waits for sinks before a poll only, and serves
 * the source meanwhile. */
#include "task.h"

#include "log.h"
#include "worker.h"

#define POLL_MS 100
#define FULL_MS 20
#define PUBLISH_US (500 * 1000)

/* ---- making and ending ------------------------------------------------ */

const Context *task_context(const Task *task)
{
    return &task->contexts[task->source->index];
}

SfNode *task_node(Task *task)
{
    return &task->instances[task->source->index]->node;
}

bool task_quiet(const Task *task)
{
    return task->quiet && !(task->resumed && task->attempt->phase == PHASE_RUN);
}

bool task_ended(const Task *task)
{
    return task->ended;
}

static SfStatus bind(Task *task, const Step *step, SfError *err)
{
    Attempt *attempt = task->attempt;
    const struct ArrowSchema *input = NULL;
    if (step->inputs->len == 1) {
        const Edge *edge = step->inputs->pdata[0];
        input = edge->errors ? attempt->errors[edge->from->index] : attempt->out[edge->from->index];
    }
    Instance *instance = task->instances[step->index];
    SF_TRY(instance_bind(instance, &input, err));
    if (!attempt->out[step->index])
        attempt->out[step->index] = &instance->out;
    if (!attempt->errors[step->index] && step->plugin->kind == SF_TRANSFORM)
        attempt->errors[step->index] = instance->errors;
    return SF_OK;
}

static SfStatus make_instance(Task *task, const Step *step, SfError *err)
{
    Attempt *attempt = task->attempt;
    Context *context = &task->contexts[step->index];
    *context = (Context){.attempt = attempt,
                         .step = step,
                         .stats = &attempt->runner->stats[step->index],
                         .task = task,
                         .rejects = g_array_new(FALSE, TRUE, sizeof(Reject))};
    g_array_set_clear_func(context->rejects, (GDestroyNotify) reject_clear);
    task->instances[step->index] =
        instance_new(step, attempt->pipeline, task->number, attempt->runner->once, &host_services, context, err);
    return task->instances[step->index] ? bind(task, step, err) : SF_CONFIG;
}

Task *task_new(Attempt *attempt, const Step *source, guint number, SfError *err)
{
    const GPtrArray *steps = attempt->pipeline->steps;
    Task *task = g_new0(Task, 1);
    task->attempt = attempt;
    task->source = source;
    task->number = number;
    task->instances = g_new0(Instance *, steps->len);
    task->contexts = g_new0(Context, steps->len);
    for (guint i = 0; i < steps->len; i++) {
        const Step *step = steps->pdata[i];
        if (step->plugin->kind == SF_SINK || !step_reaches(source, step))
            continue;
        if (make_instance(task, step, err) != SF_OK) {
            task_free(task);
            return NULL;
        }
    }
    return task;
}

void task_interrupt(Task *task)
{
    const SfSource *source = &task->source->plugin->source;
    if (source->interrupt && g_atomic_int_get(&task->opened))
        source->interrupt(task_node(task));
}

void task_join(Task *task)
{
    if (task->thread)
        g_thread_join(g_steal_pointer(&task->thread));
}

void task_free(Task *task)
{
    if (!task)
        return;
    task_join(task);
    for (guint i = task->attempt->pipeline->steps->len; i-- > 0;) {
        instance_free(task->instances[i]);
        budget_charge(&task->attempt->runner->memory, -task->contexts[i].charged);
        if (task->contexts[i].rejects)
            g_array_unref(task->contexts[i].rejects);
    }
    g_free(task->instances);
    g_free(task->contexts);
    g_free(task);
}

/* ---- the thread ------------------------------------------------ */

/* Memory that no commit would give back is held for good: waiting for it would be for ever. Lock held. */
static bool has_memory(const Attempt *attempt)
{
    bool full = budget_full(&attempt->runner->memory);
    for (guint i = 0; full && i < attempt->workers->len; i++) {
        if (worker_has_open(attempt->workers->pdata[i]))
            return false;
    }
    return true;
}

/* Lock held. */
static bool has_room(const Task *task)
{
    const GPtrArray *workers = task->attempt->workers;
    for (guint i = 0; i < workers->len; i++) {
        const Worker *worker = workers->pdata[i];
        if (!worker_has_room(worker) && step_reaches(task->source, worker->step))
            return false;
    }
    return has_memory(task->attempt);
}

static bool all_opened(const Attempt *attempt)
{
    for (guint i = 0; i < attempt->workers->len; i++) {
        if (!g_atomic_int_get(&((Worker *) attempt->workers->pdata[i])->opened))
            return false;
    }
    return true;
}

static Phase phase_of(Task *task)
{
    g_mutex_lock(&task->attempt->lock);
    Phase phase = task->attempt->phase;
    g_mutex_unlock(&task->attempt->lock);
    return phase;
}

static SfStatus serve(Task *task, SfError *err)
{
    const SfSource *source = &task->source->plugin->source;
    Hook before = hook_enter(task_node(task), task->source->plugin->head.name, "serve", NULL);
    SfStatus status = source->serve ? source->serve(task_node(task), err) : SF_OK;
    hook_leave(&before);
    return status == SF_EMPTY || status == SF_RETRY ? SF_OK : status;
}

/* A source that cannot be asked now is asked again after a while. Meanwhile it is served, for others of its group wait
 * for its answers. */
static SfStatus pause_after(Task *task, const SfError *cause, SfError *err)
{
    Attempt *attempt = task->attempt;
    SfStatus status = SF_OK;
    if (phase_of(task) != PHASE_RUN)
        return SF_OK;
    gint64 until = g_get_monotonic_time() + backoff_next(&task->backoff) * 1000;
    log_line(LEVEL_WARNING, attempt->pipeline->name, task->source->name, "%s; trying again", cause->message);
    runner_trouble(attempt->runner, task_context(task)->stats, cause->message);
    while (status == SF_OK && phase_of(task) == PHASE_RUN && g_get_monotonic_time() < until) {
        g_mutex_lock(&attempt->lock);
        attempt_wait(attempt, POLL_MS);
        g_mutex_unlock(&attempt->lock);
        status = serve(task, err);
    }
    return status;
}

static void publish_sometimes(Task *task)
{
    gint64 now = g_get_monotonic_time();
    if (now - task->published_us < PUBLISH_US)
        return;
    task->published_us = now;
    splits_publish(task, false);
}

static SfStatus poll_once(Task *task, SfError *err)
{
    Attempt *attempt = task->attempt;
    g_mutex_lock(&attempt->lock);
    bool room = has_room(task);
    if (!room)
        attempt_wait(attempt, FULL_MS);
    g_mutex_unlock(&attempt->lock);
    if (!room)
        return serve(task, err);
    SfBatch batch = {.newest_us = INT64_MIN};
    const Plugin *plugin = task->source->plugin;
    Hook before = hook_enter(task_node(task), plugin->head.name, "poll", NULL);
    SfStatus status = plugin->source.poll(task_node(task), POLL_MS, &batch, err);
    hook_leave(&before);
    if (status == SF_RETRY) {
        const SfError cause = *err;
        return pause_after(task, &cause, err);
    }
    if (task->backoff.tries > 0) {
        task->backoff.tries = 0;
        runner_trouble(attempt->runner, task_context(task)->stats, NULL);
    }
    if (status == SF_EMPTY)
        return SF_OK;
    if (status == SF_OK)
        status = task_accept(task, &batch, err);
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
static SfStatus open_all(Task *task, SfError *err)
{
    Attempt *attempt = task->attempt;
    g_mutex_lock(&attempt->lock);
    while (attempt->phase == PHASE_RUN && !all_opened(attempt))
        attempt_wait(attempt, POLL_MS);
    bool leave = attempt->phase != PHASE_RUN;
    g_mutex_unlock(&attempt->lock);
    SfStatus status = leave ? SF_RETRY : SF_OK;
    for (guint i = attempt->pipeline->steps->len; status == SF_OK && i-- > 0;) {
        if (task->instances[i])
            status = attempt_insist(&task->contexts[i], call_open, task->instances[i], false, err);
    }
    g_atomic_int_set(&task->opened, status == SF_OK);
    return status == SF_RETRY ? SF_END : status;
}

/* Nothing more is polled; the membership stays until the sinks have committed. SF_OK: there are new splits to read;
 * SF_EMPTY: it is time to close. */
static SfStatus wait_for_close(Task *task, SfError *err)
{
    Attempt *attempt = task->attempt;
    SfStatus status = SF_OK;
    g_mutex_lock(&attempt->lock);
    task->quiet = true;
    task->resumed = false; /* what came before is read, or stays for the next run */
    g_cond_broadcast(&attempt->changed);
    while (attempt->phase < PHASE_CLOSE && status == SF_OK && !(task->resumed && attempt->phase == PHASE_RUN)) {
        attempt_wait(attempt, FULL_MS);
        g_mutex_unlock(&attempt->lock);
        if (g_atomic_int_get(&task->opened))
            status = serve(task, err);
        g_mutex_lock(&attempt->lock);
    }
    if (status == SF_OK && attempt->phase != PHASE_RUN)
        status = SF_EMPTY;
    task->quiet = status != SF_OK;
    g_mutex_unlock(&attempt->lock);
    return status;
}

static gpointer task_main(gpointer data)
{
    Task *task = data;
    SfError err = {""};
    SfStatus status = open_all(task, &err);
    do {
        while (status == SF_OK && phase_of(task) == PHASE_RUN) {
            status = poll_once(task, &err);
            publish_sometimes(task);
        }
        if (status == SF_OK || status == SF_END)
            status = wait_for_close(task, &err);
    } while (status == SF_OK);
    if (status != SF_EMPTY)
        attempt_fail(task->attempt, task->source, status, err.message);
    if (g_atomic_int_get(&task->opened))
        splits_publish(task, true);
    g_mutex_lock(&task->attempt->lock);
    task->ended = true;
    g_cond_broadcast(&task->attempt->changed);
    g_mutex_unlock(&task->attempt->lock);
    return NULL;
}

void task_start(Task *task)
{
    task->thread = attempt_thread(task->attempt, task->source, task_main, task, &task->ended);
}
