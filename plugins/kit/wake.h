/* A sleep that `interrupt` ends: of sources that look again after a while. */
#ifndef KIT_WAKE_H
#define KIT_WAKE_H

#include <glib.h>
#include <stdbool.h>

/* Zeroed, then wake_init(), which may come again; wake_done() takes one that is only zeroed, too. */
typedef struct Wake {
    GMutex lock; /* of all below */
    GCond cond;
    bool interrupted;
    bool made;
} Wake;

void wake_init(Wake *wake);
void wake_done(Wake *wake);

/* Ends the sleep, or the next one before it begins. Any thread, between init and done. */
void wake_interrupt(Wake *wake);

/* Until that monotonic time (µs; in the past: not at all). Returns whether it was interrupted, also since the last
 * one. One thread. */
bool wake_sleep(Wake *wake, gint64 until_us);

#endif
