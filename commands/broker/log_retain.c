/* Retention of a partition; see log.h. What is outdated is gone for readers at once, and from the file when that is
 * worth a copy of the rest. */
#include <unistd.h>

#include "log.h"

#define COPY_SIZE (256 * 1024)

static bool is_outdated(const Log *log, const Batch *batch, gint64 keep_ms, gint64 keep_bytes, gint64 now_ms)
{
    bool old = keep_ms >= 0 && batch->max_ms >= 0 && batch->max_ms < now_ms - keep_ms;
    return old || (keep_bytes >= 0 && log->size - batch->at - batch->size >= keep_bytes);
}

static void forget_aborted(Log *log)
{
    for (guint i = log->aborted->len; i-- > 0;) {
        if (g_array_index(log->aborted, Aborted, i).last < log->start)
            g_array_remove_index(log->aborted, i);
    }
}

void log_retain(Log *log, gint64 keep_ms, gint64 keep_bytes, gint64 now_ms)
{
    gint64 stable = log_stable(log), start = log->start, newest_ms = G_MININT64;
    guint first = log_find(log, log->start);
    while (first + 1 < log->batches->len) {
        const Batch *batch = &g_array_index(log->batches, Batch, first);
        if (batch->last >= stable || !is_outdated(log, batch, keep_ms, keep_bytes, now_ms))
            break;
        log->start = batch->last + 1;
        first++;
    }
    if (log->start == start)
        return;
    for (guint i = first; i < log->batches->len; i++) {
        Batch *batch = &g_array_index(log->batches, Batch, i);
        newest_ms = batch->control ? newest_ms : MAX(newest_ms, batch->max_ms);
        batch->newest_ms = newest_ms;
    }
    forget_aborted(log);
}

gint64 log_dead(const Log *log)
{
    guint first = log_find(log, log->start);
    return first < log->batches->len ? g_array_index(log->batches, Batch, first).at : 0;
}

static bool copy(int from, gint64 at, gint64 size, int to)
{
    g_autofree guint8 *buffer = g_malloc(COPY_SIZE);
    for (gint64 done = 0; done < size;) {
        gssize n = pread(from, buffer, (gsize) MIN(size - done, COPY_SIZE), at + done);
        if (n <= 0 || pwrite(to, buffer, (gsize) n, done) != n)
            return false;
        done += n;
    }
    return true;
}

bool log_copy(const Log *log, int fd)
{
    gint64 dead = log_dead(log);
    return copy(log->fd, dead, log->size - dead, fd);
}

void log_replace(Log *log, int fd)
{
    gint64 dead = log_dead(log);
    close(log->fd);
    log->fd = fd;
    log->size -= dead;
    g_array_remove_range(log->batches, 0, log_find(log, log->start));
    for (guint i = 0; i < log->batches->len; i++)
        g_array_index(log->batches, Batch, i).at -= dead;
}
