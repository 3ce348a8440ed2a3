/* What a runner consists of. For runner.c, runner_deadline.c, report.c and progress.c alone; under the runner's lock,
 * except where it says otherwise. */
#ifndef CORE_RUNNER_STATE_H
#define CORE_RUNNER_STATE_H

#include "attempt.h"
#include "due.h"
#include "run.h"
#include "state.h"

struct Runner {
    const Pipeline *pipeline; /* constant */
    bool once;                /* likewise all up to the thread: see RunnerOptions */
    gint64 give_up_ms;
    GPtrArray *followers; /* Runner *, borrowed: those that `after` this one */
    void (*tell)(gpointer data);
    void (*tell_end)(struct Runner *runner, gpointer data);
    gpointer data;
    GThread *thread;
    GMutex lock;
    GCond changed;
    DesiredState desired;
    ActualState actual;
    bool leaving;       /* the thread is to end */
    bool wanted;        /* another run, though the last one has ended */
    char *wanted_by;    /* of a run that was triggered, or NULL */
    Due due;            /* when the next one begins by itself */
    gint64 stopped_us;  /* monotonic: this run was told to stop; 0: not */
    Attempt *attempt;   /* the one that runs, or NULL */
    guint attempts;     /* in this process */
    Run run;            /* the last, or the one that goes on */
    char *last_restart; /* why the last attempt but this one ended, or NULL */
    gint64 progress;    /* rows and commits when it was looked at */
    gint64 progress_us; /* monotonic: when it last grew */
    char *gave_up;      /* why, or NULL */
    gint64 gave_up_us;
    gint64 pause_us;     /* monotonic: the run was seen to be paused since then; 0: it is not */
    gint64 paused_us;    /* how long it was before */
    bool stuck_told;     /* it was said that a hook does not return */
    gint64 started_us;   /* wall clock */
    gint64 began_us;     /* the same, monotonic */
    gint64 sampled_us;   /* likewise: when rates were worked out; main thread */
    StepStats *stats;    /* by step index; each its own lock or atomic */
    BudgetShare *memory; /* what its rows and sinks hold; NULL between runs */
};

#endif
