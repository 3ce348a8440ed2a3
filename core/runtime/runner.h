/* A pipeline's supervisor: one attempt after the other until it ends; its figures, which outlive attempts. */
#ifndef CORE_RUNNER_H
#define CORE_RUNNER_H

#include <json-c/json.h>

#include "budget.h"
#include "config/pipeline.h"
#include "guard.h"
#include "runtime.h"

typedef struct Attempt Attempt;

/* Of one step, over all attempts and tasks. Written by __atomic_*, once a batch. */
typedef struct StepStats {
    gint64 rows_in;
    gint64 rows_out; /* of a sink: rows committed or taken */
    gint64 rejected;
    gint64 commits;
    gint64 committed_us; /* wall clock of the last commit */
    gint64 newest_us;    /* latest event time seen */
    gint64 expected;     /* source: rows in all, or -1 */
    gint64 rate;         /* rows a second, lately */
    gint64 sampled;      /* rows when that was worked out; main thread */
    Guard guard;
    char *trouble; /* why it is being retried, or NULL; runner's lock */
} StepStats;

typedef enum RunnerState {
    RUNNER_STARTING,
    RUNNER_RUNNING,
    RUNNER_RETRYING,
    RUNNER_STOPPING,
    RUNNER_DONE,
    RUNNER_FAILED
} RunnerState;

typedef struct Runner {
    const Pipeline *pipeline;
    bool once;
    GThread *thread;
    GMutex lock;
    GCond changed;
    RunnerState state;
    gint64 stopped_us; /* monotonic: told to stop; 0: not */
    Attempt *attempt;  /* the one that runs, or NULL */
    guint attempts;
    char *last_restart; /* why the last attempt but this one ended, or NULL */
    gint64 patience_ms; /* without progress; 0: for ever */
    gint64 progress;    /* rows and commits when it was looked at */
    gint64 progress_us; /* monotonic: when it last grew */
    char *gave_up;      /* why, or NULL */
    gint64 gave_up_us;
    bool complete;     /* all that the last attempt has read is committed */
    gint64 started_us; /* wall clock */
    gint64 began_us;   /* the same, monotonic */
    gint64 sampled_us; /* likewise: when rates were worked out; main thread */
    ExitCode exit_code;
    StepStats *stats;   /* by step index */
    BudgetShare memory; /* what its rows and sinks hold */
} Runner;

/* A run that ends by itself (once) gives up when nothing has gone on for patience_ms (0: never). */
Runner *runner_new(const Pipeline *pipeline, bool once, gint64 patience_ms);
void runner_start(Runner *runner);
void runner_stop(Runner *runner); /* any thread; returns at once */
bool runner_ended(Runner *runner);

/* To be called often: ends a clean stop whose deadline is over, and a run that has no progress any more. Returns false
 * when that does not help either, since a hook does not return. */
bool runner_keep_deadline(Runner *runner);
/* Says which hook that is. */
void runner_log_stuck(Runner *runner);
void runner_free(Runner *runner); /* waits for the thread */

/* What `sfrun status` shows. Any thread. */
struct json_object *runner_status(Runner *runner);
/* The most memory that the process has had so far. */
gint64 report_peak_bytes(void);
/* The whole run, for the log's last record: pipeline, state, exit code, rows of every step. error: NULL, or what ended
 * it. Any thread. */
struct json_object *runner_summary(Runner *runner, ExitCode code, const char *error);

void stats_add(gint64 *counter, gint64 n);
gint64 stats_get(const gint64 *counter);
void runner_trouble(Runner *runner, StepStats *stats, const char *message); /* NULL: over */

#endif
