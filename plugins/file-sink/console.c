/* Standard output as a sink. */
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

SfStatus console_print(const GString *lines, SfError *err)
{
    for (gsize done = 0; done < lines->len;) {
        ssize_t n = write(STDOUT_FILENO, lines->str + done, lines->len - done);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd writable = {.fd = STDOUT_FILENO, .events = POLLOUT};
            (void) poll(&writable, 1, 1000);
        } else if (n < 0 && errno != EINTR) {
            return sf_fail(err, SF_FATAL, "cannot print to standard output: %s", g_strerror(errno));
        }
        done += (gsize) MAX(n, 0);
    }
    return SF_OK;
}
