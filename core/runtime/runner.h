/* A pipeline's supervisor, of which a process has one for each pipeline. It makes a run where one is wanted, attempts
 * within the run until one ends well or trying again is of no use, and keeps what outlives them: what is wanted and
 * what is, figures, the record of the last run.
 *
 * Threads: its own, which makes runs and calls `tell_end`; all functions may be called by any other, except where it
 * says otherwise. Its lock is taken before an attempt's (ARCHITECTURE.md has the order); no function but runner_free()
 * waits for a plugin. */
#ifndef CORE_RUNNER_H
#define CORE_RUNNER_H

#include "exit_code.h"
#include "run.h"
#include "state.h"

typedef struct Runner Runner;

typedef struct RunnerOptions {
    bool once;         /* a run ends when what is there now is read */
    bool scheduled;    /* likewise, and the pipeline's trigger says when runs begin */
    gint64 give_up_ms; /* a run that ends by itself fails without progress for so long; 0: never */
    Desired desired;   /* at first */
    const char *by;    /* who wants that; NULL: "command line" */
    /* Something has changed that others may wait for: state, desired state, the end of a run. Any thread, with no lock
     * held; it must not wait. NULL: nobody wants to know. */
    void (*tell)(gpointer data);
    /* Of the end of a run, in the runner's thread, before its state does; no lock held. NULL likewise. */
    void (*tell_end)(Runner *runner, gpointer data);
    gpointer data; /* of both */
} RunnerOptions;

/* The pipeline's share of the memory budget is taken here, so that all are there before the first one runs. The
 * pipeline must outlive the runner. */
Runner *runner_new(const Pipeline *pipeline, const RunnerOptions *options);

/* `follower` is told of the commits of this one, or of the ends of its runs where those end by themselves. Before
 * either is started; it is freed after this one's last attempt has ended. */
void runner_add_follower(Runner *runner, Runner *follower);

/* Once. Without a thread the run has failed. */
void runner_start(Runner *runner);

/* What an operator wants; `by` and `why` (may be NULL) are shown. Returns at once, the states tell what comes of it.
 *
 * DESIRED_RUNNING ends a pause, and begins a new run after a stop, or where the last one has ended or failed.
 * DESIRED_PAUSED: nothing is read; what was read is committed; sources keep what they have. A run that begins is
 * paused, too; none is begun by it where the last one has ended or failed. DESIRED_STOPPED: what was read is committed
 * within `shutdown`, then everything is released. */
void runner_want(Runner *runner, Desired desired, const char *by, const char *why);

/* A run is to begin, though nothing is due; where one goes on, another one behind it. SF_CONFIG: the pipeline runs
 * until it is stopped, is paused or stopped, or the process is about to end. `why` may be NULL; *run: its number. */
SfStatus runner_trigger(Runner *runner, const char *by, const char *why, guint *run, SfError *err);

/* Likewise a stop, after which the runner's thread ends, too. */
void runner_leave(Runner *runner, const char *by, const char *why);

typedef enum RunnerEnd {
    RUNNER_GOES_ON,
    RUNNER_ENDED, /* the last run was the last, as long as nobody wants another */
    RUNNER_STUCK  /* a stop or the end of a run without progress is long overdue, since a hook does not return */
} RunnerEnd;

/* Keeps deadlines: of a stop, and of a run that has no progress. To be called after each `tell`, and when *next comes
 * (monotonic µs, lowered to its own next deadline); one thread. */
RunnerEnd runner_check(Runner *runner, gint64 *next);

/* Says which hook that is. */
void runner_log_stuck(Runner *runner);

/* A copy, to be freed by states_done(). */
void runner_states(Runner *runner, States *out);

/* Of the last run; EXIT_OK before. */
ExitCode runner_exit_code(Runner *runner);

const Pipeline *runner_pipeline(const Runner *runner);

/* Leaves, and waits for the thread. NULL is fine. */
void runner_free(Runner *runner);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Runner, runner_free)

#endif
