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

/* A sink that is still busy with a question that nobody waits for is told to leave it when the pipeline stops. A commit
 * is of use to the stop, whoever has asked for it. Lock held. */
static void leave_stale(SinkThread *sink)
{
    const Request *answering = sink->answering;
    if (!sink->context->stopping || !answering || answering->reason || !answering->withdrawn)
        return;
    g_mutex_unlock(&sink->context->lock);
    sink_interrupt(sink);
    g_mutex_lock(&sink->context->lock);
}

/* For whoever wonders why a group stands still. Lock held. */
static void warn_of_wait(const SinkThread *sink, const Request *request, gint64 deadline)
{
    gint64 seconds = (deadline - g_get_monotonic_time()) / G_USEC_PER_SEC + 1;
    log_line(LEVEL_WARNING, sink->context->pipeline->name, sink->step->name,
             request->reason
                 ? "other processes wait for splits of which it has not committed all yet; in %" G_GINT64_FORMAT
                   " s they get them, and what is not committed is dropped and read again"
                 : "has not said yet where its splits go on; asked again in %" G_GINT64_FORMAT " s",
             seconds);
}

/* What is asked together, and until when it is of use. */
typedef struct Round {
    Context *context;
    SinkThread *const *sinks;
    Request *const *requests; /* NULL: that sink is not asked */
    size_t n;
    gint64 deadline; /* 0: none */
    guint pause;     /* of use as long as that one lasts; 0: it is not for a pause */
    bool finish;     /* a commit helps to end, the question where to start does not */
    Phase begun;
} Round;

/* Whether the pipeline has begun or ended a pause, and the question is of no use now. Lock held. */
static bool is_overtaken(const Round *round)
{
    const Context *context = round->context;
    if (round->pause > 0)
        return context->phase != PHASE_PAUSE || context->pauses != round->pause;
    return !round->finish && round->begun == PHASE_RUN && context->phase == PHASE_PAUSE;
}

typedef enum Ending { ENDING_ANSWERED, ENDING_LATE, ENDING_OVERTAKEN, ENDING_LEFT } Ending;

/* Waits for answers. Lock held. */
static Ending wait_for_answers(const Round *round)
{
    gint64 now = g_get_monotonic_time(), deadline = round->deadline, half = now + (deadline - now) / 2;
    bool told = deadline == 0;
    size_t open;
    while ((open = first_open(round->requests, round->n)) < round->n) {
        now = g_get_monotonic_time();
        if (!context_goes_on(round->context, round->finish))
            return ENDING_LEFT;
        if (is_overtaken(round))
            return ENDING_OVERTAKEN;
        if (deadline && now >= deadline)
            return ENDING_LATE;
        if (!told && now >= half) {
            warn_of_wait(round->sinks[open], round->requests[open], deadline);
            told = true;
        }
        leave_stale(round->sinks[open]);
        gint64 until = told ? deadline : half;
        context_wait(round->context, deadline ? CLAMP((until - now) / 1000 + 1, 1, LOOK_MS) : LOOK_MS);
    }
    return ENDING_ANSWERED;
}

/* Lock held. */
static void hand_in(Round *round)
{
    for (size_t i = 0; i < round->n; i++) {
        if (!round->requests[i])
            continue;
        round->finish = round->finish || round->requests[i]->reason;
        g_atomic_int_inc(&round->requests[i]->references);
        Item item = {.kind = ITEM_REQUEST, .request = round->requests[i]};
        g_queue_push_tail(&round->sinks[i]->queue, g_memdup2(&item, sizeof item));
    }
    round->begun = round->context->phase;
    g_cond_broadcast(&round->context->changed);
}

static SfStatus ask_all(Round *round, SfError *err)
{
    Context *context = round->context;
    g_mutex_lock(&context->lock);
    hand_in(round);
    Ending ending = wait_for_answers(round);
    size_t open = first_open(round->requests, round->n);
    for (size_t i = open; i < round->n; i++) {
        Request *request = round->requests[i];
        if (!request || request->answered)
            continue;
        withdraw(round->sinks[i], request);
        if (ending == ENDING_LEFT)
            await_leaving(round->sinks[i], request);
    }
    g_mutex_unlock(&context->lock);
    if (open == round->n)
        return SF_OK;
    if (ending == ENDING_LATE)
        return sf_fail(err, SF_EMPTY, "'%s' has not answered in time", round->sinks[open]->step->name);
    return sf_fail(err, SF_RETRY,
                   ending == ENDING_OVERTAKEN ? "the pipeline pauses or goes on" : "the pipeline is stopping");
}

SfStatus requests_ask(Context *context, SinkThread *const *sinks, size_t n, Request *const *requests, gint64 deadline,
                      SfError *err)
{
    return ask_all(&(Round){.context = context, .sinks = sinks, .requests = requests, .n = n, .deadline = deadline},
                   err);
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

static SfStatus commit_levels(Context *context, SfCommitReason reason, gint64 deadline, guint pause, SfError *err)
{
    guint deepest = 0;
    for (guint i = 0; i < context->sinks->len; i++)
        deepest = MAX(deepest, ((const SinkThread *) context->sinks->pdata[i])->level);
    for (guint level = 0; level <= deepest; level++) {
        g_autoptr(GPtrArray) requests = g_ptr_array_new_with_free_func((GDestroyNotify) request_unref);
        g_ptr_array_set_size(requests, (gint) context->sinks->len);
        fill_level(context, level, reason, (Request **) requests->pdata);
        Round round = {.context = context,
                       .sinks = (SinkThread *const *) context->sinks->pdata,
                       .requests = (Request *const *) requests->pdata,
                       .n = context->sinks->len,
                       .deadline = deadline,
                       .pause = pause};
        SF_TRY(ask_all(&round, err));
    }
    return SF_OK;
}

SfStatus requests_commit(Context *context, SfCommitReason reason, gint64 deadline, SfError *err)
{
    return commit_levels(context, reason, deadline, 0, err);
}

SfStatus requests_commit_paused(Context *context, guint pause, SfError *err)
{
    return commit_levels(context, SF_COMMIT_REVOKE, 0, pause, err);
}
