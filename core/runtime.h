/* Runs pipelines: tasks, sink threads, the range ledger protocol, retries, triggers, clean stop. */
#ifndef CORE_RUNTIME_H
#define CORE_RUNTIME_H

#include "pipeline.h"

typedef enum ExitCode {
    EXIT_OK = 0,
    EXIT_FAILED = 1, /* stopped by an error while running */
    EXIT_CONFIG = 2, /* usage, or the pipeline file */
} ExitCode;

typedef struct RunOptions {
    bool once;           /* override the files' trigger */
    bool progress;       /* progress line on a terminal */
    const char *state_dir; /* status sockets; NULL: $XDG_RUNTIME_DIR/streamforge or /tmp/streamforge-<uid> */
} RunOptions;

/* Runs all of them in this process until each has ended, or SIGTERM or SIGINT. Main thread. */
ExitCode runtime_run(GPtrArray *pipelines, const RunOptions *options);

#endif
