/* A pipeline's supervisor: one attempt after the other until it ends; its figures, which outlive attempts. */
#ifndef CORE_RUNNER_H
#define CORE_RUNNER_H

#include "attempt.h"
#include "exit_code.h"

typedef enum RunnerState {
    RUNNER_STARTING,
    RUNNER_RUNNING,
    RUNNER_RETRYING,
    RUNNER_STOPPING,
    RUNNER_DONE,
    RUNNER_FAILED
} RunnerState;

typedef struct Runner Runner;

/* Tells of the end, in the runner's thread, before its state does. error: NULL, or what ended it. Lock not held. */
typedef void RunnerEnd(Runner *runner, ExitCode code, const char *error);

struct Runner {
    const Pipeline *pipeline;
    RunnerEnd *tell_end;
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
};

/* A run that ends by itself (once) gives up when nothing has gone on for patience_ms (0: never). */
Runner *runner_new(const Pipeline *pipeline, bool once, gint64 patience_ms, RunnerEnd *tell_end);
void runner_start(Runner *runner);
void runner_stop(Runner *runner); /* any thread; returns at once */
bool runner_ended(Runner *runner);

/* To be called often: ends a clean stop whose deadline is over, and a run that has no progress any more. Returns false
 * when that does not help either, since a hook does not return. */
bool runner_keep_deadline(Runner *runner);
/* Says which hook that is. */
void runner_log_stuck(Runner *runner);
void runner_free(Runner *runner); /* waits for the thread */

#endif
