/* The log's queue and the thread that writes it; see log_out.h. */
#include "log_out.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_BYTES (256 << 10)
#define EXIT_MS 1000

static struct {
    GMutex lock;
    GCond changed;
    GQueue lines; /* char * */
    gsize bytes;  /* of them */
    guint dropped;
    char *(*lost)(guint n);
    char *progress; /* what is to stand there, or NULL */
    bool moved;     /* it is not what stands there */
    bool writing;
    bool started; /* the thread */
    bool alone;   /* no thread can be had */
} out;

/* One write a line, so that lines of several processes on one terminal or file do not mix. A log that cannot be written
 * has nobody to be told. */
static void put_text(const char *text)
{
    for (gsize left = strlen(text); left > 0;) {
        gssize n = write(STDERR_FILENO, text, left);
        if (n < 0 && errno == EAGAIN) /* somebody else has made the file non-blocking */
            poll(&(struct pollfd){.fd = STDERR_FILENO, .events = POLLOUT}, 1, -1);
        else if (n < 0 && errno != EINTR)
            return;
        left -= n > 0 ? (gsize) n : 0;
        text += n > 0 ? n : 0;
    }
}

/* The next text to write, or NULL. Lock held. */
static char *next_line(void)
{
    char *line = g_queue_pop_head(&out.lines);
    if (line) {
        out.bytes -= strlen(line);
    } else if (out.dropped > 0) {
        line = out.lost(out.dropped);
        out.dropped = 0;
    }
    return line;
}

/* With the progress taken away before the line and put back behind it. Lock held. */
static char *next_text(bool *shown)
{
    g_autofree char *line = next_line();
    if (!line && !out.moved)
        return NULL;
    bool shows = out.progress && *out.progress;
    char *text = g_strconcat(*shown || !line ? "\r\033[K" : "", line ? line : "", shows ? out.progress : "", NULL);
    *shown = shows;
    out.moved = false;
    return text;
}

static gpointer write_main(gpointer data)
{
    bool shown = false;
    (void) data;
    g_mutex_lock(&out.lock);
    for (;;) {
        g_autofree char *text = next_text(&shown);
        if (!text) {
            g_cond_wait(&out.changed, &out.lock);
            continue;
        }
        out.writing = true;
        g_mutex_unlock(&out.lock);
        put_text(text);
        g_mutex_lock(&out.lock);
        out.writing = false;
        g_cond_broadcast(&out.changed);
    }
    return NULL;
}

static void flush_at_exit(void)
{
    log_out_flush(EXIT_MS);
}

/* Without a thread (there are no more to be had) a line goes out only where it does not wait. Lock held. */
static void write_alone(void)
{
    static bool shown;
    struct pollfd log = {.fd = STDERR_FILENO, .events = POLLOUT};
    while (poll(&log, 1, 0) > 0 && (log.revents & POLLOUT)) {
        g_autofree char *text = next_text(&shown);
        if (!text)
            return;
        put_text(text);
    }
}

/* Lock held. */
static void wake(void)
{
    if (!out.started && !out.alone) {
        GThread *thread = g_thread_try_new("log", write_main, NULL, NULL);
        out.started = thread != NULL;
        out.alone = !thread;
        if (thread) {
            g_thread_unref(thread); /* nobody waits for its end */
            atexit(flush_at_exit);
        }
    }
    if (out.alone)
        write_alone();
    else
        g_cond_broadcast(&out.changed);
}

void log_out_line(char *line, char *(*lost)(guint n))
{
    gsize size = strlen(line);
    g_mutex_lock(&out.lock);
    out.lost = lost;
    if (out.dropped == 0 && out.bytes + size <= MOST_BYTES) { /* lines behind a gap would hide where it is */
        g_queue_push_tail(&out.lines, line);
        out.bytes += size;
    } else {
        out.dropped++;
        g_free(line);
    }
    wake();
    g_mutex_unlock(&out.lock);
}

void log_out_progress(const char *text)
{
    g_mutex_lock(&out.lock);
    if (g_strcmp0(out.progress ? out.progress : "", text) != 0) {
        g_free(out.progress);
        out.progress = g_strdup(text);
        out.moved = true;
        wake();
    }
    g_mutex_unlock(&out.lock);
}

gboolean log_out_flush(gint64 ms)
{
    gint64 until = g_get_monotonic_time() + ms * 1000;
    g_mutex_lock(&out.lock);
    while (out.started && (out.writing || out.moved || out.dropped > 0 || out.lines.length > 0) &&
           g_cond_wait_until(&out.changed, &out.lock, until))
        continue;
    gboolean done = !out.writing && out.lines.length == 0;
    g_mutex_unlock(&out.lock);
    return done;
}
