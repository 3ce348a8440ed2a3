/* A program's first steps; see process.h. */
#include "process.h"

#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "crash.h"
#include "log.h"
#include "runtime.h"

#define MOST_FILES 65536 /* more only makes loops over all numbers slow */

/* Taken, but as useless as before: who closed standard output learns that it cannot be written. */
static void take_descriptors(void)
{
    int got;
    do
        got = open("/dev/null", O_RDONLY); /* reading descriptor 0 is the end of the input */
    while (got >= 0 && got <= STDERR_FILENO);
    if (got >= 0)
        close(got);
}

static const char *field_of(const GLogField *fields, gsize n, const char *key)
{
    for (gsize i = 0; i < n; i++) {
        if (strcmp(fields[i].key, key) == 0 && fields[i].length < 0)
            return fields[i].value;
    }
    return NULL;
}

static LogLevel level_of(GLogLevelFlags level)
{
    if (level & G_LOG_LEVEL_CRITICAL)
        return LEVEL_ERROR;
    if (level & G_LOG_LEVEL_WARNING)
        return LEVEL_WARNING;
    return level & G_LOG_LEVEL_DEBUG ? LEVEL_DEBUG : LEVEL_INFO;
}

/* GLib would abort behind a fatal message. What is committed is committed: there is nothing to be looked at. */
G_GNUC_NORETURN static void die(const char *text)
{
    if (strstr(text, "failed to allocate"))
        log_last_words("there is no memory left: raise the limit (ulimit -v, the container's) or lower 'memory'");
    else
        log_last_words(text);
    _exit(EXIT_FAILED);
}

/* Libraries that are refused memory or a lock abort: GLib in its threads, librdkafka in its asserts. */
G_GNUC_NORETURN static void on_abort(int number)
{
    (void) number;
    crash_name_abort();
    log_last_words("a library gave up; where no line before says why, memory ran out: raise the limit (ulimit -v, the "
                   "container's) or lower 'memory'; SF_CORE_DUMPS=1 leaves a core dump");
    _exit(EXIT_FAILED);
}

static GLogWriterOutput on_message(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
    static _Thread_local bool inside;
    const char *text = field_of(fields, n, "MESSAGE"), *domain = field_of(fields, n, "GLIB_DOMAIN");
    (void) data;
    if (level & (G_LOG_FLAG_FATAL | G_LOG_LEVEL_ERROR))
        die(text ? text : "GLib gave up");
    if (inside || !text || g_log_writer_default_would_drop(level, domain))
        return G_LOG_WRITER_HANDLED;
    inside = true;
    log_line(level_of(level), NULL, NULL, "%s: %s", domain ? domain : "GLib", text);
    inside = false;
    return G_LOG_WRITER_HANDLED;
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= MOST_FILES)
        return;
    limit.rlim_cur = MIN(limit.rlim_max, MOST_FILES);
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* The limit is not kept by programs that take dumps by a pipe, what the filter leaves out is. PR_SET_DUMPABLE would
 * also keep our own user's debugger and leak checker away. */
static void leave_no_core(void)
{
    const char *wanted = g_getenv("SF_CORE_DUMPS");
    if (wanted && strcmp(wanted, "1") == 0)
        return;
    signal(SIGABRT, on_abort);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    int filter = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC); /* core(5) */
    gssize done = filter >= 0 ? write(filter, "0", 1) : 0;
    (void) done;
    if (filter >= 0)
        close(filter);
}

void process_begin(void)
{
    take_descriptors();
    tzset();
    g_log_set_writer_func(on_message, NULL, NULL);
    signal(SIGXFSZ, SIG_IGN);
    raise_file_limit();
    leave_no_core();
    crash_watch();
}
