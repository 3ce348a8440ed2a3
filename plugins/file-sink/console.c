/* Standard output as a sink: prints at once, and tells the host on commit. */
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

typedef struct End {
    size_t input;
    const SfSplit *split;
    int64_t end;
} End;

void console_init(Console *console)
{
    console->ends = g_array_new(FALSE, FALSE, sizeof(End));
}

void console_done(Console *console)
{
    g_clear_pointer(&console->ends, g_array_unref);
}

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

void console_add(Console *console, size_t input, const SfBatch *batch)
{
    for (guint i = 0; i < console->ends->len; i++) {
        End *end = &g_array_index(console->ends, End, i);
        if (end->input == input && end->split == batch->split) {
            end->end = batch->end;
            return;
        }
    }
    End end = {.input = input, .split = batch->split, .end = batch->end};
    g_array_append_val(console->ends, end);
}

void console_commit(Console *console, SfNode *node)
{
    for (guint i = 0; i < console->ends->len; i++) {
        const End *end = &g_array_index(console->ends, End, i);
        sf_committed(node, end->input, end->split, end->end);
    }
    g_array_set_size(console->ends, 0);
}
