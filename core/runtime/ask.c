/* What other threads ask of sinks, and wait for: recover, commit. */
#include "log.h"
#include "worker.h"

#define INTERRUPT_MS 100
#define LOOK_MS 1000

Request *request_new(SfCommitReason reason)
{
    Request *request = g_new0(Request, 1);
    request->references = 1;
    request->reason = reason;
    return request;
}

void request_unref(Request *request)
{
    if (!request || !g_atomic_int_dec_and_test(&request->references))
        return;
    g_free(request->chains);
    g_free(request);
}

/* The first that has not answered; n: all have. Lock held. */
static size_t first_open(Request *const *requests, size_t n)
{
    size_t i = 0;
    while (i < n && (!requests[i] || requests[i]->answered))
        i++;
    return i;
}

/* Takes a request out of the queue that the worker has not come to. Lock held. */
static void withdraw(Worker *worker, Request *request)
{
    request->withdrawn = true;
    for (GList *link = worker->queue.head; link;) {
        GList *next = link->next;
        Item *item = link->data;
        if (item->request == request) {
            g_queue_delete_link(&worker->queue, link);
            worker_item_free(item);
        }
        link = next;
    }
}

/* A worker that is in the midst of it is told to leave it. Lock held. */
static void await_leaving(Worker *worker, const Request *request)
{
    while (worker->answering == request) {
        g_mutex_unlock(&worker->attempt->lock);
        worker_interrupt(worker);
        g_mutex_lock(&worker->attempt->lock);
        if (worker->answering == request)
            attempt_wait(worker->attempt, INTERRUPT_MS);
    }
}

/* A worker that is still busy with what nobody waits for is told to leave it when the pipeline stops. Lock held. */
static void leave_stale(Worker *worker)
{
    if (!worker->attempt->stopping || !worker->answering || !worker->answering->withdrawn)
        return;
    g_mutex_unlock(&worker->attempt->lock);
    worker_interrupt(worker);
    g_mutex_lock(&worker->attempt->lock);
}

/* For whoever wonders why a group stands still. Lock held. */
static void tell(const Worker *worker, const Request *request, gint64 deadline)
{
    gint64 seconds = (deadline - g_get_monotonic_time()) / G_USEC_PER_SEC + 1;
    log_line(LEVEL_WARNING, worker->attempt->pipeline->name, worker->step->name,
             request->reason
                 ? "other processes wait for splits of which it has not committed all yet; in %" G_GINT64_FORMAT
                   " s they get them, and what is not committed is dropped and read again"
                 : "has not said yet where its splits go on; asked again in %" G_GINT64_FORMAT " s",
             seconds);
}

/* Waits for answers. Whether it was in vain because the time is over. Lock held. */
static bool wait_for_answers(Attempt *attempt, Worker *const *workers, size_t n, Request *const *requests, bool finish,
                             gint64 deadline)
{
    gint64 now = g_get_monotonic_time(), half = now + (deadline - now) / 2;
    bool told = deadline == 0;
    size_t open;
    while (attempt_goes_on(attempt, finish) && (open = first_open(requests, n)) < n) {
        now = g_get_monotonic_time();
        if (deadline && now >= deadline)
            return true;
        if (!told && now >= half) {
            tell(workers[open], requests[open], deadline);
            told = true;
        }
        leave_stale(workers[open]);
        gint64 until = told ? deadline : half;
        attempt_wait(attempt, deadline ? CLAMP((until - now) / 1000 + 1, 1, LOOK_MS) : LOOK_MS);
    }
    return false;
}

SfStatus workers_ask(Attempt *attempt, Worker *const *workers, size_t n, Request *const *requests, gint64 deadline,
                     SfError *err)
{
    bool finish = false; /* a commit helps to end, the question where to start does not */
    g_mutex_lock(&attempt->lock);
    for (size_t i = 0; i < n; i++) {
        if (!requests[i])
            continue;
        finish = finish || requests[i]->reason;
        g_atomic_int_inc(&requests[i]->references);
        Item item = {.kind = ITEM_REQUEST, .request = requests[i]};
        g_queue_push_tail(&workers[i]->queue, g_memdup2(&item, sizeof item));
    }
    g_cond_broadcast(&attempt->changed);
    bool late = wait_for_answers(attempt, workers, n, requests, finish, deadline);
    size_t open = first_open(requests, n);
    for (size_t i = open; i < n; i++) {
        if (!requests[i] || requests[i]->answered)
            continue;
        withdraw(workers[i], requests[i]);
        if (!late)
            await_leaving(workers[i], requests[i]);
    }
    g_mutex_unlock(&attempt->lock);
    if (open == n)
        return SF_OK;
    if (late)
        return sf_fail(err, SF_EMPTY, "'%s' has not answered in time", workers[open]->step->name);
    return sf_fail(err, SF_RETRY, "the pipeline is stopping");
}

/* A sink that no split reaches may not even be open, and has nothing to commit. */
static void fill_level(Attempt *attempt, guint level, SfCommitReason reason, Request **requests)
{
    g_mutex_lock(&attempt->lock);
    for (guint i = 0; i < attempt->workers->len; i++) {
        const Worker *worker = attempt->workers->pdata[i];
        if (worker->level == level && worker->chains->len > 0)
            requests[i] = request_new(reason);
    }
    g_mutex_unlock(&attempt->lock);
}

SfStatus workers_commit(Attempt *attempt, SfCommitReason reason, gint64 deadline, SfError *err)
{
    guint deepest = 0;
    for (guint i = 0; i < attempt->workers->len; i++)
        deepest = MAX(deepest, ((const Worker *) attempt->workers->pdata[i])->level);
    for (guint level = 0; level <= deepest; level++) {
        g_autoptr(GPtrArray) requests = g_ptr_array_new_with_free_func((GDestroyNotify) request_unref);
        g_ptr_array_set_size(requests, (gint) attempt->workers->len);
        fill_level(attempt, level, reason, (Request **) requests->pdata);
        SF_TRY(workers_ask(attempt, (Worker *const *) attempt->workers->pdata, attempt->workers->len,
                           (Request *const *) requests->pdata, deadline, err));
    }
    return SF_OK;
}
