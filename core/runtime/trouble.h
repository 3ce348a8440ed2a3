/* Why a step is being retried, for the status and for who gives up. Any thread; its lock is held for nothing else. */
#ifndef CORE_TROUBLE_H
#define CORE_TROUBLE_H

#include <glib.h>

typedef struct Trouble {
    GMutex lock;
    char *text; /* NULL: none */
} Trouble;

void trouble_init(Trouble *trouble);
void trouble_done(Trouble *trouble);
void trouble_set(Trouble *trouble, const char *message); /* NULL: it is over */
char *trouble_get(Trouble *trouble);                     /* NULL: none; the caller's to free */

#endif
