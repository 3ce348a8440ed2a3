/* The end of every program: its output must have been taken. */
#include "cli.h"
#include "runtime/runtime.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* An earlier write may have shown it, whose errno is gone. */
static bool reader_has_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, 0) > 0 && (out.revents & POLLERR);
}

int cli_finish(int status)
{
    errno = 0;
    bool taken = fflush(stdout) == 0 && !ferror(stdout);
    int problem = errno;
    if (taken || problem == EPIPE || status != EXIT_OK || reader_has_gone())
        return status;
    fprintf(stderr, "sfrun: cannot write the output: %s\n", g_strerror(problem ? problem : EIO));
    return EXIT_FAILED;
}
