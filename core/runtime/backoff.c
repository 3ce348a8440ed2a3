/* Pauses between tries; see backoff.h. */
#include "backoff.h"

#define FIRST_MS 500
#define LONGEST_MS 30000

gint64 backoff_next(Backoff *backoff)
{
    gint64 pause = MIN(FIRST_MS << MIN(backoff->tries, 10), LONGEST_MS);
    backoff->tries++;
    return pause * g_random_int_range(80, 121) / 100;
}
