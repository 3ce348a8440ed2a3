/* One run of a pipeline: from its start to its end, over as many attempts as it takes; what came of it. A record, apart
 * from what runs: the runner writes it, under its lock. */
#ifndef CORE_RUN_H
#define CORE_RUN_H

#include "config/pipeline.h"
#include "exit_code.h"
#include "ledger.h"

/* COMPLETE: ended, and all that was read is committed. STOPPED: told to, and the same. PARTIAL: ended or stopped, and
 * what is not committed is read again. FAILED: it says why. */
typedef enum Outcome { OUTCOME_NONE, OUTCOME_COMPLETE, OUTCOME_STOPPED, OUTCOME_PARTIAL, OUTCOME_FAILED } Outcome;

/* Positions of one split that all sinks have committed in this run: [from, to). */
typedef struct RunRange {
    const Step *source;
    char *split;
    gint64 from, to;
} RunRange;

typedef struct Run {
    guint number; /* in this process, from 1; 0: there was none */
    char *cause;  /* "start", "resume" */
    char *by;
    gint64 started_us, ended_us; /* wall clock; 0: it has not ended */
    gint64 began_us, took_us;    /* monotonic; took_us: at its end */
    guint attempts;
    GArray *ranges; /* RunRange, of attempts that have ended, by source and split, then position */
    Outcome outcome;
    ExitCode exit_code;
    bool complete; /* all that the last attempt has read is committed */
    char *error;   /* in full, or NULL */
} Run;

/* Of one split more are joined: the oldest two, with whatever lies between them. */
enum { RUN_MOST_RANGES = 16 };

/* A new record in the place of the old one. */
void run_begin(Run *run, const char *cause, const char *by);

/* Takes the split's ranges of an attempt that has ended, or is being looked at: ranges that meet become one. */
void run_note(GArray *ranges, const SplitView *view);

/* An array for run_note(), and a copy of it. */
GArray *run_ranges_new(void);
GArray *run_ranges_copy(const GArray *ranges);

/* error: NULL where it ended well. Run.complete has been set. */
void run_end(Run *run, ExitCode code, const char *error, bool stopped);

/* Until now, or until its end. */
gint64 run_elapsed_us(const Run *run);

/* "complete", "stopped", "partial", "failed"; NULL: it has not ended. */
const char *outcome_name(Outcome outcome);

void run_done(Run *run);

#endif
