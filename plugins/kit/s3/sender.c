/* Requests beside the store's thread: lanes, each a thread with connections and credentials of its own, which take a
 * job at a time. The store's thread and a lane share the job's pointer and its `done`, under the sender's mutex, and
 * nothing else: whoever holds a job has it to itself. */
#include "s3.h"

#include <string.h>

#define AHEAD (INT64_C(16) << 20) /* bytes of parts that are on their way at once */

typedef struct Lane {
    S3Sender *sender;
    S3Store store; /* the thread's */
    GThread *thread;
    S3Job *job; /* under the sender's mutex; NULL: free */
} Lane;

static gpointer run_lane(gpointer user)
{
    Lane *lane = user;
    S3Sender *sender = lane->sender;
    g_mutex_lock(&sender->mutex);
    for (;;) {
        while (!lane->job && !sender->ending)
            g_cond_wait(&sender->changed, &sender->mutex);
        S3Job *job = lane->job;
        if (!job)
            break;
        g_mutex_unlock(&sender->mutex);
        s3_run(&lane->store, &job->call, 1);
        g_mutex_lock(&sender->mutex);
        job->done = true;
        lane->job = NULL;
        g_cond_broadcast(&sender->changed);
    }
    g_mutex_unlock(&sender->mutex);
    return NULL;
}

static void lane_free(gpointer user)
{
    Lane *lane = user;
    if (lane->thread)
        g_thread_join(lane->thread);
    s3_store_done(&lane->store);
    g_free(lane);
}

/* The same place once more. */
static Lane *lane_new(S3Store *store)
{
    Lane *lane = g_new0(Lane, 1);
    lane->sender = &store->sender;
    lane->store.opened = store->opened;
    if (s3_store_init(&lane->store, store->options, strstr(store->base.url, "://") + 3, NULL) == SF_OK)
        lane->thread = g_thread_try_new("sf-upload", run_lane, lane, NULL);
    if (lane->thread)
        return lane;
    lane_free(lane);
    return NULL;
}

/* The mutex is held. */
static Lane *free_lane(const S3Sender *sender)
{
    for (guint i = 0; i < sender->lanes->len; i++) {
        Lane *lane = sender->lanes->pdata[i];
        if (!lane->job)
            return lane;
    }
    return NULL;
}

static size_t most_lanes(const StoreOptions *options)
{
    return (size_t) CLAMP(AHEAD / options->part_size, 1, options->connections);
}

bool s3_sender_start(S3Store *store, S3Job *job)
{
    S3Sender *sender = &store->sender;
    g_mutex_lock(&sender->mutex);
    if (!sender->lanes)
        sender->lanes = g_ptr_array_new_with_free_func(lane_free);
    if (!free_lane(sender) && sender->lanes->len < most_lanes(store->options)) {
        Lane *lane = lane_new(store);
        if (lane)
            g_ptr_array_add(sender->lanes, lane);
    }
    Lane *lane = NULL;
    while (sender->lanes->len > 0 && !(lane = free_lane(sender)))
        g_cond_wait(&sender->changed, &sender->mutex);
    if (lane) {
        job->done = false;
        lane->job = job;
        g_cond_broadcast(&sender->changed);
    }
    g_mutex_unlock(&sender->mutex);
    return lane != NULL;
}

bool s3_sender_is_done(S3Sender *sender, const S3Job *job)
{
    g_mutex_lock(&sender->mutex);
    bool done = job->done;
    g_mutex_unlock(&sender->mutex);
    return done;
}

void s3_sender_wait(S3Sender *sender, const S3Job *job)
{
    g_mutex_lock(&sender->mutex);
    while (!job->done)
        g_cond_wait(&sender->changed, &sender->mutex);
    g_mutex_unlock(&sender->mutex);
}

/* Those of one job, or of all. A lane that has just become idle ends its next one early, which is sent again. */
static void interrupt_lanes(S3Sender *sender, const S3Job *job)
{
    g_mutex_lock(&sender->mutex);
    for (guint i = 0; sender->lanes && i < sender->lanes->len; i++) {
        Lane *lane = sender->lanes->pdata[i];
        if (lane->job && (!job || lane->job == job))
            http_interrupt(lane->store.http);
    }
    g_mutex_unlock(&sender->mutex);
}

void s3_sender_cancel(S3Sender *sender, const S3Job *job)
{
    interrupt_lanes(sender, job);
}

void s3_sender_interrupt(S3Sender *sender)
{
    interrupt_lanes(sender, NULL);
}

void s3_sender_done(S3Sender *sender)
{
    g_mutex_lock(&sender->mutex);
    sender->ending = true;
    g_cond_broadcast(&sender->changed);
    g_mutex_unlock(&sender->mutex);
    g_clear_pointer(&sender->lanes, g_ptr_array_unref); /* joins: no other thread is left */
    g_mutex_clear(&sender->mutex);
    g_cond_clear(&sender->changed);
}
