/* See wake.h. */
#include "wake.h"

void wake_init(Wake *wake)
{
    if (wake->made)
        return;
    g_mutex_init(&wake->lock);
    g_cond_init(&wake->cond);
    wake->made = true;
}

void wake_done(Wake *wake)
{
    if (!wake->made)
        return;
    g_cond_clear(&wake->cond);
    g_mutex_clear(&wake->lock);
    wake->made = false;
}

void wake_interrupt(Wake *wake)
{
    g_mutex_lock(&wake->lock);
    wake->interrupted = true;
    g_cond_signal(&wake->cond);
    g_mutex_unlock(&wake->lock);
}

bool wake_sleep(Wake *wake, gint64 until_us)
{
    g_mutex_lock(&wake->lock);
    while (!wake->interrupted && g_get_monotonic_time() < until_us)
        g_cond_wait_until(&wake->cond, &wake->lock, until_us);
    bool interrupted = wake->interrupted;
    wake->interrupted = false;
    g_mutex_unlock(&wake->lock);
    return interrupted;
}
