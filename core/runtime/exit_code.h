/* How a run, and the process, ended. */
#ifndef CORE_EXIT_CODE_H
#define CORE_EXIT_CODE_H

typedef enum ExitCode {
    EXIT_OK = 0,
    EXIT_FAILED = 1, /* stopped by an error while running */
    EXIT_CONFIG = 2, /* usage, or the pipeline file */
} ExitCode;

#endif
