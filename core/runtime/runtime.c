/* The process's main loop while pipelines run: waits for their end or for signals, shows progress, answers status. */
#include "runtime.h"

#include <glib-unix.h>
#include <locale.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "budget.h"
#include "log.h"
#include "progress.h"
#include "report.h"
#include "status.h"

#define TASK_OVER (G_GINT64_CONSTANT(2) << 20)
#define WATCH_MS 20
#define PROGRESS_US (250 * 1000)
#define REPORT_US (10 * G_USEC_PER_SEC)
#define LAST_WORDS_MS 200
#define TWICE_US (G_USEC_PER_SEC / 2) /* timeout(1) signals the process and then its group: one stop, not two */

/* A terminal that goes asks for a stop, too. */
static const int stop_signals[] = {SIGTERM, SIGINT, SIGHUP};

typedef struct Runtime {
    GMainLoop *loop;
    GPtrArray *runners;
    StatusServer *server;
    bool progress;
    bool stopping;
    gint64 stopped_us;
    gint64 began_us;
    gint64 shown_us; /* in the log, the first report comes after its interval: a short run needs none beside its end */
} Runtime;

/* Waits for nothing, not even for who reads the log. */
static void end_by_force(Runtime *runtime)
{
    status_server_free(runtime->server);
    log_flush(LAST_WORDS_MS);
    _exit(EXIT_FAILED);
}

static gboolean on_signal(gpointer data)
{
    Runtime *runtime = data;
    gint64 now = g_get_monotonic_time();
    if (runtime->stopping && now - runtime->stopped_us < TWICE_US)
        return G_SOURCE_CONTINUE;
    if (runtime->stopping) {
        log_line(LEVEL_WARNING, NULL, NULL, "stopped by force; what was not committed is read again at the next start");
        end_by_force(runtime);
    }
    runtime->stopping = true;
    runtime->stopped_us = now;
    for (guint i = 0; i < runtime->runners->len; i++)
        runner_stop(runtime->runners->pdata[i]);
    log_line(LEVEL_INFO, NULL, NULL, "stopping: what was read is being committed");
    return G_SOURCE_CONTINUE;
}

static void show(Runtime *runtime, gint64 now)
{
    if (now - runtime->shown_us < (runtime->progress ? PROGRESS_US : REPORT_US))
        return;
    runtime->shown_us = now;
    g_autofree char *line = progress_line(runtime->runners, now - runtime->began_us,
                                          runtime->progress ? log_columns() : 0, runtime->progress && log_colours());
    if (runtime->progress)
        log_progress(line);
    else
        log_line(LEVEL_DEBUG, NULL, NULL, "%s", line);
}

/* Threads cannot be ended from outside, the process can. */
static void give_up(Runtime *runtime)
{
    for (guint i = 0; i < runtime->runners->len; i++) {
        if (!runner_ended(runtime->runners->pdata[i]))
            runner_log_stuck(runtime->runners->pdata[i]);
    }
    end_by_force(runtime);
}

static gboolean on_watch(gpointer data)
{
    Runtime *runtime = data;
    guint ended = 0, stuck = 0;
    for (guint i = 0; i < runtime->runners->len; i++) {
        progress_sample(runtime->runners->pdata[i]);
        ended += runner_ended(runtime->runners->pdata[i]);
        stuck += !runner_keep_deadline(runtime->runners->pdata[i]);
    }
    if (ended == runtime->runners->len)
        g_main_loop_quit(runtime->loop);
    else if (ended + stuck >= runtime->runners->len)
        give_up(runtime);
    else
        show(runtime, g_get_monotonic_time());
    return G_SOURCE_CONTINUE;
}

static struct json_object *document(gpointer data)
{
    Runtime *runtime = data;
    struct json_object *object = json_object_new_object(), *pipelines = json_object_new_array();
    json_object_object_add(object, "pid", json_object_new_int64(getpid()));
    json_object_object_add(object, "version", json_object_new_string(SF_VERSION));
    json_object_object_add(object, "peak_rss_bytes", json_object_new_int64(report_peak_bytes()));
    json_object_object_add(object, "memory_used_bytes", json_object_new_int64(budget_used()));
    json_object_object_add(object, "memory_limit_bytes", json_object_new_int64(budget_limit()));
    for (guint i = 0; i < runtime->runners->len; i++)
        json_object_array_add(pipelines, report_status(runtime->runners->pdata[i]));
    json_object_object_add(object, "pipelines", pipelines);
    return object;
}

/* One budget a process: the largest that a file asks for. It is a soft bound: each source thread may go over it by a
 * batch, and its sinks by what they make of it. */
static void setup_budget(const GPtrArray *pipelines)
{
    gint64 memory = 0, over = 0;
    for (guint i = 0; i < pipelines->len; i++) {
        const Pipeline *pipeline = pipelines->pdata[i];
        memory = MAX(memory, pipeline->memory);
        over += pipeline->tasks * TASK_OVER;
    }
    budget_setup(memory - MIN(over, memory / 4), pipelines->len);
}

static void start(Runtime *runtime, const GPtrArray *pipelines, const RunOptions *options)
{
    runtime->began_us = g_get_monotonic_time();
    runtime->shown_us = runtime->progress ? 0 : runtime->began_us;
    for (guint i = 0; i < pipelines->len; i++) {
        const Pipeline *pipeline = pipelines->pdata[i];
        Runner *runner =
            runner_new(pipeline, options->once || pipeline->trigger == TRIGGER_ONCE, options->give_up_ms, report_end);
        g_ptr_array_add(runtime->runners, runner);
        runner_start(runner);
    }
}

static ExitCode worst(const GPtrArray *runners)
{
    ExitCode code = EXIT_OK;
    for (guint i = 0; i < runners->len; i++)
        code = MAX(code, ((const Runner *) runners->pdata[i])->exit_code);
    return code;
}

/* nohup(1) has it so. */
static bool is_ignored(int signal)
{
    struct sigaction action;
    return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static bool addresses_are_limited(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

ExitCode runtime_run(GPtrArray *pipelines, const RunOptions *options)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GPtrArray) runners = g_ptr_array_new_with_free_func((GDestroyNotify) runner_free);
    Runtime runtime = {.loop = loop, .runners = runners, .progress = options->progress && isatty(STDERR_FILENO)};
    guint sources[G_N_ELEMENTS(stop_signals) + 1] = {g_timeout_add(WATCH_MS, on_watch, &runtime)};
    for (gsize i = 0; i < G_N_ELEMENTS(stop_signals); i++)
        sources[i + 1] = is_ignored(stop_signals[i]) ? 0 : g_unix_signal_add(stop_signals[i], on_signal, &runtime);
    /* Before there are threads: the PostgreSQL driver does it at its first connection, and while the locale's name
     * changes from "C" to a longer one, json-c's duplocale() in another thread writes behind what it has measured. */
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN); /* a status reader or a server that goes is an error of a write, not our end */
    /* Batches are made by one thread and freed by another: without this, arenas grow by a page at a time (16,000
     * mprotect calls for a million events). */
    mallopt(M_TOP_PAD, 1 << 20);
    /* With an arena for each thread, what one thread frees is of no use to others: a quarter to a third of a process
     * that works off a backlog was free memory. Two took no more CPU than sixteen (1M events, 1 and 6 tasks, 2 cores).
     * Each reserves 64 MiB of addresses. */
    mallopt(M_ARENA_MAX, addresses_are_limited() ? 1 : 2);
    setup_budget(pipelines);
    start(&runtime, pipelines, options);
    runtime.server = status_server_new(options->state_dir, document, &runtime);
    g_main_loop_run(loop);
    log_progress(""); /* the runners' last lines say what it said */
    for (gsize i = 0; i < G_N_ELEMENTS(sources); i++) {
        if (sources[i] > 0)
            g_source_remove(sources[i]);
    }
    status_server_free(runtime.server);
    return worst(runners);
}
