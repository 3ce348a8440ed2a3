/* What other threads ask of sinks, and wait for: recover, commit. */
#include "worker.h"

#include <string.h>

#define INTERRUPT_MS 100

static bool all_answered(const Request *requests, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((requests[i].reason || requests[i].n_chains > 0) && !requests[i].answered)
            return false;
    }
    return true;
}

/* Takes unanswered requests back: their memory is the asker's. A worker that is in the midst of one answers first.
 * Lock held. */
static void take_back(Worker *worker, const Request *request)
{
    for (GList *link = worker->queue.head; link;) {
        GList *next = link->next;
        Item *item = link->data;
        if (item->request == request) {
            g_queue_delete_link(&worker->queue, link);
            g_free(item);
        }
        link = next;
    }
    while (worker->answering == request) {
        g_mutex_unlock(&worker->attempt->lock);
        worker_interrupt(worker);
        g_mutex_lock(&worker->attempt->lock);
        if (worker->answering == request)
            attempt_wait(worker->attempt, INTERRUPT_MS);
    }
}

SfStatus workers_ask(Attempt *attempt, Worker *const *workers, size_t n, Request *requests, SfError *err)
{
    bool finish = false; /* a commit helps to end, the question where to start does not */
    g_mutex_lock(&attempt->lock);
    for (size_t i = 0; i < n; i++) {
        finish = finish || requests[i].reason;
        if (!requests[i].reason && requests[i].n_chains == 0)
            continue;
        Item item = {.kind = ITEM_REQUEST, .request = &requests[i]};
        g_queue_push_tail(&workers[i]->queue, g_memdup2(&item, sizeof item));
    }
    g_cond_broadcast(&attempt->changed);
    while (attempt_goes_on(attempt, finish) && !all_answered(requests, n))
        attempt_wait(attempt, 1000);
    bool done = all_answered(requests, n);
    for (size_t i = 0; !done && i < n; i++)
        take_back(workers[i], &requests[i]);
    g_mutex_unlock(&attempt->lock);
    return done ? SF_OK : sf_fail(err, SF_RETRY, "the pipeline is stopping");
}

/* A sink that no split reaches may not even be open, and has nothing to commit. */
static void fill_level(Attempt *attempt, guint level, SfCommitReason reason, Request *requests)
{
    memset(requests, 0, sizeof *requests * attempt->workers->len);
    g_mutex_lock(&attempt->lock);
    for (guint i = 0; i < attempt->workers->len; i++) {
        const Worker *worker = attempt->workers->pdata[i];
        if (worker->level == level && worker->chains->len > 0)
            requests[i].reason = reason;
    }
    g_mutex_unlock(&attempt->lock);
}

SfStatus workers_commit(Attempt *attempt, SfCommitReason reason, SfError *err)
{
    guint deepest = 0;
    for (guint i = 0; i < attempt->workers->len; i++)
        deepest = MAX(deepest, ((const Worker *) attempt->workers->pdata[i])->level);
    g_autofree Request *requests = g_new0(Request, attempt->workers->len);
    for (guint level = 0; level <= deepest; level++) {
        fill_level(attempt, level, reason, requests);
        SF_TRY(workers_ask(attempt, (Worker *const *) attempt->workers->pdata, attempt->workers->len, requests, err));
    }
    return SF_OK;
}
