/* GLib's mutexes and conditions by pthread's, for builds with the thread sanitizer only: GLib's own are futexes, which
 * it does not see. The program's symbols come before the library's; GLib's inner locks stay its own. */
#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define SHOWN __attribute__((visibility("default")))

/* Made at first use: a zeroed GMutex is one that works. */
static pthread_mutex_t *mutex_of(GMutex *mutex)
{
    pthread_mutex_t *there = __atomic_load_n((pthread_mutex_t **) &mutex->p, __ATOMIC_ACQUIRE);
    if (there)
        return there;
    pthread_mutex_t *fresh = malloc(sizeof *fresh);
    pthread_mutex_init(fresh, NULL);
    if (__atomic_compare_exchange_n((pthread_mutex_t **) &mutex->p, &there, fresh, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return fresh;
    pthread_mutex_destroy(fresh);
    free(fresh);
    return there;
}

static pthread_cond_t *cond_of(GCond *cond)
{
    pthread_cond_t *there = __atomic_load_n((pthread_cond_t **) &cond->p, __ATOMIC_ACQUIRE);
    if (there)
        return there;
    pthread_cond_t *fresh = malloc(sizeof *fresh);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(fresh, &attributes);
    pthread_condattr_destroy(&attributes);
    if (__atomic_compare_exchange_n((pthread_cond_t **) &cond->p, &there, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return fresh;
    pthread_cond_destroy(fresh);
    free(fresh);
    return there;
}

SHOWN void(g_mutex_init)(GMutex *mutex)
{
    mutex->p = NULL;
}

SHOWN void(g_mutex_clear)(GMutex *mutex)
{
    if (mutex->p)
        pthread_mutex_destroy(mutex->p);
    free(mutex->p);
    mutex->p = NULL;
}

SHOWN void(g_mutex_lock)(GMutex *mutex)
{
    pthread_mutex_lock(mutex_of(mutex));
}

SHOWN gboolean(g_mutex_trylock)(GMutex *mutex)
{
    return pthread_mutex_trylock(mutex_of(mutex)) == 0;
}

SHOWN void(g_mutex_unlock)(GMutex *mutex)
{
    pthread_mutex_unlock(mutex_of(mutex));
}

SHOWN void(g_cond_init)(GCond *cond)
{
    cond->p = NULL;
}

SHOWN void(g_cond_clear)(GCond *cond)
{
    if (cond->p)
        pthread_cond_destroy(cond->p);
    free(cond->p);
    cond->p = NULL;
}

SHOWN void(g_cond_wait)(GCond *cond, GMutex *mutex)
{
    pthread_cond_wait(cond_of(cond), mutex_of(mutex));
}

SHOWN gboolean(g_cond_wait_until)(GCond *cond, GMutex *mutex, gint64 end_time)
{
    struct timespec end = {.tv_sec = end_time / G_USEC_PER_SEC, .tv_nsec = end_time % G_USEC_PER_SEC * 1000};
    return pthread_cond_timedwait(cond_of(cond), mutex_of(mutex), &end) != ETIMEDOUT;
}

SHOWN void(g_cond_signal)(GCond *cond)
{
    pthread_cond_signal(cond_of(cond));
}

SHOWN void(g_cond_broadcast)(GCond *cond)
{
    pthread_cond_broadcast(cond_of(cond));
}
