/* Runs pipelines: one runner each, signals, the progress line, the status socket. */
#ifndef CORE_RUNTIME_H
#define CORE_RUNTIME_H

#include "config/pipeline.h"
#include "exit_code.h"
#include "private.h"

typedef struct RunOptions {
    bool once;             /* override the files' trigger */
    int64_t give_up_ms;    /* of runs that end by themselves: without progress for so long they fail; 0: never */
    bool progress;         /* progress line on a terminal */
    const char *state_dir; /* of status sockets; NULL: see status.h */
} RunOptions;

/* Runs all of them in this process until each has ended, or SIGTERM, SIGINT or SIGHUP (a second one ends the process
 * at once). The worst of the exit codes. Main thread. */
SF_PRIVATE ExitCode runtime_run(GPtrArray *pipelines, const RunOptions *options);

#endif
