/* Questions to sinks, and waiting for answers; see requests.h. */
#include "requests.h"

#include "log.h"

#define INTERRUPT_MS 100
#define LOOK_MS 1000

/* The first that has not answered; n: all have. Lock held. */
static size_t first_open(Request *const *requests, size_t n)
{
    size_t i = 0;
    while (i < n && (!requests[i] || requests[i]->answered))
        i++;
    return i;
}

/* Takes a request out of the queue that the sink has not come to. Lock held. */
static void withdraw(SinkThread *sink, Request *request)
{
    request->withdrawn = true;
    for (GList *link = sink->queue.head; link;) {
        GList *next = link->next;
        Item *item = link->data;
        if (item->request == request) {
            g_queue_delete_link(&sink->queue, link);
            sink_item_free(item);
        }
        link = next;
    }
}

/* A sink that is in the midst of it is told to leave it. Lock held. */
static void await_leaving(SinkThread *sink, const Request *request)
{
    while (sink->answering == request) {
        g_mutex_unlock(&sink->context->lock);
        sink_interrupt(sink);
        g_mutex_lock(&sink->context->lock);
        if (sink->answering == request)
            context_wait(sink->context, INTERRUPT_MS);
    }
}

/* A sink that is still busy with what nobody waits for is told to leave it when the pipeline stops. Lock held. */
static void leave_stale(SinkThread *sink)
{
    if (!sink->context->stopping || !sink->answering || !sink->answering->withdrawn)
        return;
    g_mutex_unlock(&sink->context->lock);
    sink_interrupt(sink);
    g_mutex_lock(&sink->context->lock);
}

/* For whoever wonders why a group stands still. Lock held. */
static void tell(const SinkThread *sink, const Request *request, gint64 deadline)
{
    gint64 seconds = (deadline - g_get_monotonic_time()) / G_USEC_PER_SEC + 1;
    log_line(LEVEL_WARNING, sink->context->pipeline->name, sink->step->name,
             request->reason
                 ? "other processes wait for splits of which it has not committed all yet; in %" G_GINT64_FORMAT
                   " s they get them, and what is not committed is dropped and read again"
                 : "has not said yet where its splits go on; asked again in %" G_GINT64_FORMAT " s",
             seconds);
}

/* Waits for answers. Whether it was in vain because the time is over. Lock held. */
static bool wait_for_answers(Context *context, SinkThread *const *sinks, size_t n, Request *const *requests,
                             bool finish, gint64 deadline)
{
    gint64 now = g_get_monotonic_time(), half = now + (deadline - now) / 2;
    bool told = deadline == 0;
    size_t open;
    while (context_goes_on(context, finish) && (open = first_open(requests, n)) < n) {
        now = g_get_monotonic_time();
        if (deadline && now >= deadline)
            return true;
        if (!told && now >= half) {
            tell(sinks[open], requests[open], deadline);
            told = true;
        }
        leave_stale(sinks[open]);
        gint64 until = told ? deadline : half;
        context_wait(context, deadline ? CLAMP((until - now) / 1000 + 1, 1, LOOK_MS) : LOOK_MS);
    }
    return false;
}

SfStatus requests_ask(Context *context, SinkThread *const *sinks, size_t n, Request *const *requests, gint64 deadline,
                      SfError *err)
{
    bool finish = false; /* a commit helps to end, the question where to start does not */
    g_mutex_lock(&context->lock);
    for (size_t i = 0; i < n; i++) {
        if (!requests[i])
            continue;
        finish = finish || requests[i]->reason;
        g_atomic_int_inc(&requests[i]->references);
        Item item = {.kind = ITEM_REQUEST, .request = requests[i]};
        g_queue_push_tail(&sinks[i]->queue, g_memdup2(&item, sizeof item));
    }
    g_cond_broadcast(&context->changed);
    bool late = wait_for_answers(context, sinks, n, requests, finish, deadline);
    size_t open = first_open(requests, n);
    for (size_t i = open; i < n; i++) {
        if (!requests[i] || requests[i]->answered)
            continue;
        withdraw(sinks[i], requests[i]);
        if (!late)
            await_leaving(sinks[i], requests[i]);
    }
    g_mutex_unlock(&context->lock);
    if (open == n)
        return SF_OK;
    if (late)
        return sf_fail(err, SF_EMPTY, "'%s' has not answered in time", sinks[open]->step->name);
    return sf_fail(err, SF_RETRY, "the pipeline is stopping");
}

/* A sink that no split reaches may not even be open, and has nothing to commit. */
static void fill_level(Context *context, guint level, SfCommitReason reason, Request **requests)
{
    for (guint i = 0; i < context->sinks->len; i++) {
        const SinkThread *sink = context->sinks->pdata[i];
        if (sink->level == level && ledger_reaches(context->ledger, sink->step))
            requests[i] = request_new(reason);
    }
}

SfStatus requests_commit(Context *context, SfCommitReason reason, gint64 deadline, SfError *err)
{
    guint deepest = 0;
    for (guint i = 0; i < context->sinks->len; i++)
        deepest = MAX(deepest, ((const SinkThread *) context->sinks->pdata[i])->level);
    for (guint level = 0; level <= deepest; level++) {
        g_autoptr(GPtrArray) requests = g_ptr_array_new_with_free_func((GDestroyNotify) request_unref);
        g_ptr_array_set_size(requests, (gint) context->sinks->len);
        fill_level(context, level, reason, (Request **) requests->pdata);
        SF_TRY(requests_ask(context, (SinkThread *const *) context->sinks->pdata, context->sinks->len,
                            (Request *const *) requests->pdata, deadline, err));
    }
    return SF_OK;
}
