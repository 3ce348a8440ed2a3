/* `trigger`: when a pipeline runs. */
#ifndef CORE_TRIGGER_H
#define CORE_TRIGGER_H

#include "cron.h"
#include "diagnostics.h"

/* CONTINUOUS: until it is stopped. ONCE: what is there now. SCHEDULED: likewise, again and again. */
typedef enum TriggerKind { TRIGGER_CONTINUOUS, TRIGGER_ONCE, TRIGGER_SCHEDULED } TriggerKind;

typedef struct Trigger {
    TriggerKind kind;
    char *text; /* as a person would write it: "@hourly", "every 5m", "after bronze" */
    Cron cron;  /* where zone is not NULL */
    GTimeZone *zone;
    gint64 every_ms;   /* from the start of one run to the next; 0: none */
    GPtrArray *after;  /* char *: pipelines of the same process, whose commits it follows; never NULL */
    bool catch_up;     /* what was missed, while a run went on or before the process, is made up for by one run */
    gint64 timeout_ms; /* of a run; 0: none */
    gint64 retries;    /* of a run that has failed */
    gint64 backoff_ms; /* before the first of them, twice as long before each of the next */
} Trigger;

/* Reads `trigger` (never NULL). What is wrong is told, and runs once. */
void trigger_read(Trigger *out, const SfValue *value, Diagnostics *diagnostics);
void trigger_done(Trigger *trigger);

/* When the clock begins the next run, in µs since 1970 and not before `now_us`, where the last one began at `began_us`
 * (0: there was none in this process); G_MAXINT64: never. What came while a run went on counts where `catch_up` is
 * set. What another pipeline has committed before this process may not have been followed: the first run begins at
 * once there, as it does with `catch_up`. */
gint64 trigger_next(const Trigger *trigger, gint64 began_us, gint64 now_us);

#endif
