/* Waiting between tries: 0.5 s, doubled up to 30 s, each ± 20 % so that many do not come back at once. */
#ifndef CORE_BACKOFF_H
#define CORE_BACKOFF_H

#include <glib.h>

typedef struct Backoff {
    guint tries;
} Backoff;

/* The next pause in ms. */
gint64 backoff_next(Backoff *backoff);

#endif
