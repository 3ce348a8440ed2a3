/* The process's main loop while pipelines run: waits for their end or for signals, shows progress, answers status. */
#include "runtime.h"

#include <glib-unix.h>
#include <locale.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "control.h"
#include "log.h"
#include "progress.h"
#include "report.h"
#include "status.h"

#define PROGRESS_MS 250
#define SAMPLE_MS 1000
#define REPORT_US (10 * G_USEC_PER_SEC)
#define LAST_WORDS_MS 200
#define TWICE_US (G_USEC_PER_SEC / 2) /* timeout(1) signals the process and then its group: one stop, not two */

/* A terminal that goes asks for a stop, too. */
static const int stop_signals[] = {SIGTERM, SIGINT, SIGHUP};

typedef struct Runtime {
    GMainLoop *loop;
    GPtrArray *runners;
    StatusServer *server;
    GSource *told;     /* ready when a runner has something to tell */
    GSource *deadline; /* ready when one of them has to be looked at anyway */
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
        runner_leave(runtime->runners->pdata[i], "a signal", NULL);
    log_line(LEVEL_INFO, NULL, NULL, "stopping: what was read is being committed");
    return G_SOURCE_CONTINUE;
}

static void show(Runtime *runtime, gint64 now)
{
    if (now - runtime->shown_us < (runtime->progress ? 0 : REPORT_US))
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
        gint64 next = G_MAXINT64;
        if (runner_check(runtime->runners->pdata[i], &next) == RUNNER_STUCK)
            runner_log_stuck(runtime->runners->pdata[i]);
    }
    end_by_force(runtime);
}

/* A resume that is dispatched between this and the loop's end would start a run that nobody looks after: no runner
 * takes one from here on. */
static void quit(Runtime *runtime)
{
    for (guint i = 0; i < runtime->runners->len; i++)
        runner_leave(runtime->runners->pdata[i], "the process", NULL);
    g_main_loop_quit(runtime->loop);
}

/* Ends the loop when all have ended. */
static void look(Runtime *runtime)
{
    guint ended = 0, stuck = 0;
    gint64 next = G_MAXINT64;
    for (guint i = 0; i < runtime->runners->len; i++) {
        RunnerEnd end = runner_check(runtime->runners->pdata[i], &next);
        ended += end == RUNNER_ENDED;
        stuck += end == RUNNER_STUCK;
    }
    if (ended == runtime->runners->len)
        quit(runtime);
    else if (ended + stuck == runtime->runners->len)
        give_up(runtime);
    g_source_set_ready_time(runtime->deadline, next == G_MAXINT64 ? -1 : next);
}

static gboolean on_look(gpointer data)
{
    look(data);
    return G_SOURCE_CONTINUE;
}

/* Its ready time is taken back before the look, so that what is told meanwhile is looked at, too. */
static gboolean dispatch_ready(GSource *source, GSourceFunc callback, gpointer data)
{
    g_source_set_ready_time(source, -1);
    return callback(data);
}

static GSource *ready_source(Runtime *runtime)
{
    static GSourceFuncs hooks = {.dispatch = dispatch_ready};
    GSource *source = g_source_new(&hooks, sizeof(GSource));
    g_source_set_callback(source, on_look, runtime, NULL);
    g_source_attach(source, NULL);
    return source;
}

/* Any thread. */
static void on_told(gpointer data)
{
    Runtime *runtime = data;
    g_source_set_ready_time(runtime->told, 0);
}

static void on_run_end(Runner *runner, gpointer data)
{
    (void) data;
    report_end(runner);
}

static gboolean on_sample(gpointer data)
{
    Runtime *runtime = data;
    for (guint i = 0; i < runtime->runners->len; i++)
        progress_sample(runtime->runners->pdata[i]);
    show(runtime, g_get_monotonic_time());
    look(runtime);
    return G_SOURCE_CONTINUE;
}

/* Who may connect to the socket may do everything: it is the user, or root. */
static struct json_object *on_request(gpointer data, const char *asked, gsize size)
{
    const Runtime *runtime = data;
    return control_answer(runtime->runners, CONTROL_OPERATE, asked, size);
}

static void join_followers(const GPtrArray *runners)
{
    for (guint i = 0; i < runners->len; i++) {
        for (guint k = 0; k < runners->len; k++) {
            const Trigger *trigger = &runner_pipeline(runners->pdata[k])->trigger;
            const char *name = runner_pipeline(runners->pdata[i])->name;
            if (g_ptr_array_find_with_equal_func(trigger->after, name, g_str_equal, NULL))
                runner_add_follower(runners->pdata[i], runners->pdata[k]);
        }
    }
}

static void runtime_start(Runtime *runtime, const GPtrArray *pipelines, const RunOptions *options)
{
    runtime->began_us = g_get_monotonic_time();
    runtime->shown_us = runtime->progress ? 0 : runtime->began_us;
    for (guint i = 0; i < pipelines->len; i++) {
        const Pipeline *pipeline = pipelines->pdata[i];
        RunnerOptions of_one = {.once = options->once || pipeline->trigger.kind != TRIGGER_CONTINUOUS,
                                .scheduled = !options->once && pipeline->trigger.kind == TRIGGER_SCHEDULED,
                                .give_up_ms = options->give_up_ms,
                                .tell = on_told,
                                .tell_end = on_run_end,
                                .data = runtime};
        g_ptr_array_add(runtime->runners, runner_new(pipeline, &of_one));
    }
    join_followers(runtime->runners);
    for (guint i = 0; i < runtime->runners->len; i++)
        runner_start(runtime->runners->pdata[i]);
}

static ExitCode worst(const GPtrArray *runners)
{
    ExitCode code = EXIT_OK;
    for (guint i = 0; i < runners->len; i++)
        code = MAX(code, runner_exit_code(runners->pdata[i]));
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

/* What belongs to the process, before there are threads. */
static void set_up_process(void)
{
    /* The PostgreSQL driver does it at its first connection, and while the locale's name changes from "C" to a longer
     * one, json-c's duplocale() in another thread writes behind what it has measured. */
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN); /* a status reader or a server that goes is an error of a write, not our end */
    /* Batches are made by one thread and freed by another: without this, arenas grow by a page at a time (16,000
     * mprotect calls for a million events). */
    mallopt(M_TOP_PAD, 1 << 20);
    /* With an arena for each thread, what one thread frees is of no use to others: a quarter to a third of a process
     * that works off a backlog was free memory. Two took no more CPU than sixteen (1M events, 1 and 6 tasks, 2 cores).
     * Each reserves 64 MiB of addresses. */
    mallopt(M_ARENA_MAX, addresses_are_limited() ? 1 : 2);
}

ExitCode runtime_run(GPtrArray *pipelines, const RunOptions *options)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GPtrArray) runners = g_ptr_array_new_with_free_func((GDestroyNotify) runner_free);
    Runtime runtime = {.loop = loop, .runners = runners, .progress = options->progress && isatty(STDERR_FILENO)};
    guint sources[G_N_ELEMENTS(stop_signals) + 1] = {
        g_timeout_add(runtime.progress ? PROGRESS_MS : SAMPLE_MS, on_sample, &runtime)};
    for (gsize i = 0; i < G_N_ELEMENTS(stop_signals); i++)
        sources[i + 1] = is_ignored(stop_signals[i]) ? 0 : g_unix_signal_add(stop_signals[i], on_signal, &runtime);
    runtime.told = ready_source(&runtime);
    runtime.deadline = ready_source(&runtime);
    set_up_process();
    runtime_start(&runtime, pipelines, options);
    runtime.server = status_server_new(options->state_dir, on_request, &runtime);
    g_main_loop_run(loop);
    log_progress(""); /* the runners' last lines say what it said */
    for (gsize i = 0; i < G_N_ELEMENTS(sources); i++) {
        if (sources[i] > 0)
            g_source_remove(sources[i]);
    }
    status_server_free(runtime.server);
    ExitCode code = worst(runners);
    g_ptr_array_set_size(runners, 0); /* they tell no more after this */
    g_source_destroy(runtime.told);
    g_source_unref(runtime.told);
    g_source_destroy(runtime.deadline);
    g_source_unref(runtime.deadline);
    return code;
}
