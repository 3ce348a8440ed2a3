/* See fixture.h. */
#include "fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/process.h"
#include "runtime/status.h"

const Total all = {.end = ROWS, .rows = ROWS, .sum = ROWS * (ROWS - 1) / 2};

static void set_up(Fixture *fixture, gconstpointer data)
{
    (void) data;
    fixture->dir = g_dir_make_tmp("sf-runtime-XXXXXX", NULL);
    setenv("DIR", fixture->dir, 1);
    setenv("SF_STATE_DIR", fixture->dir, 1);
    unsetenv("SF_FAULT");
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autoptr(GDir) dir = g_dir_open(fixture->dir, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(fixture->dir, name, NULL);
        g_unlink(path);
    }
    g_rmdir(fixture->dir);
    g_free(fixture->dir);
}

char *pipeline_text(const char *name, const char *settings, const char *steps)
{
    return g_strdup_printf("pipeline: %s\n%s%s%ssteps:\n%s", name,
                           strstr(settings, "checkpoint:") ? "" : "checkpoint: 20ms\n",
                           strstr(settings, "shutdown:") ? "" : "shutdown: 5s\n", settings, steps);
}

ExitCode run_texts(const char *const *texts, bool once)
{
    g_autoptr(GPtrArray) pipelines = g_ptr_array_new_with_free_func((GDestroyNotify) pipeline_free);
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    for (; *texts; texts++)
        g_ptr_array_add(pipelines, pipeline_load_text(*texts, "test.yaml", diagnostics));
    g_autofree char *said = diagnostics_text(diagnostics);
    g_assert_cmpstr(said, ==, "");
    const char *patience = g_getenv("SF_TEST_GIVE_UP_MS");
    gint64 ms = patience ? g_ascii_strtoll(patience, NULL, 10) : 0;
    return runtime_run(pipelines, &(RunOptions){.once = once, .give_up_ms = ms});
}

ExitCode run_with(const char *settings, const char *steps)
{
    g_autofree char *text = pipeline_text("numbers", settings, steps);
    return run_texts((const char *const[]){text, NULL}, true);
}

ExitCode run(const char *steps)
{
    return run_with("", steps);
}

/* ---- other processes ------------------------------------------------ */

char *heard(void (*speak)(gpointer data), gpointer data)
{
    g_autofree char *path = NULL;
    char *text = NULL;
    int file = g_file_open_tmp("sf-heard-XXXXXX", &path, NULL), saved = dup(STDERR_FILENO);
    g_assert_true(log_flush(60 * 1000));
    g_assert_cmpint(dup2(file, STDERR_FILENO), >=, 0);
    speak(data);
    g_assert_true(log_flush(60 * 1000));
    g_assert_cmpint(dup2(saved, STDERR_FILENO), >=, 0);
    close(saved);
    close(file);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_unlink(path);
    return text;
}

typedef struct Apart {
    const char *settings, *steps;
    int status;
} Apart;

static void run_to_its_end(gpointer data)
{
    Apart *apart = data;
    apart->status = wait_for_end(run_apart(apart->settings, apart->steps, true, NULL));
}

char *run_heard(const char *settings, const char *steps, int *status)
{
    Apart apart = {.settings = settings, .steps = steps};
    setenv("SF_TEST_TALKS", "1", 1);
    char *text = heard(run_to_its_end, &apart);
    unsetenv("SF_TEST_TALKS");
    *status = apart.status;
    return text;
}

GPid run_apart(const char *settings, const char *steps, bool once, const char *fault)
{
    g_autofree char *text = pipeline_text("numbers", settings, steps);
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "SF_TEST_PIPELINE", text, TRUE);
    environment = g_environ_setenv(environment, "SF_TEST_ONCE", once ? "1" : "0", TRUE);
    const char *tsan = g_getenv("TSAN_OPTIONS"); /* an end by force leaves threads behind */
    g_autofree char *options = g_strconcat(tsan ? tsan : "", ":report_thread_leaks=0", NULL);
    environment = g_environ_setenv(environment, "TSAN_OPTIONS", options, TRUE);
    if (fault)
        environment = g_environ_setenv(environment, "SF_FAULT", fault, TRUE);
    const char *addresses = g_getenv("SF_TEST_ADDRESSES_KIB");
    g_autofree char *limited = g_strdup_printf("ulimit -S -v %s; exec '%s'", addresses ? addresses : "unlimited", self);
    char *argv[] = {(char *) "/bin/sh", (char *) "-c", limited, NULL};
    GPid pid = 0;
    g_assert_true(g_spawn_async(NULL, argv, environment, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL));
    return pid;
}

int wait_for_end(GPid pid)
{
    int status = 0;
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return status;
}

void await_file(const char *path)
{
    while (!g_file_test(path, G_FILE_TEST_EXISTS))
        g_usleep(1000);
}

void await_named(const Fixture *fixture, const char *name)
{
    g_autofree char *path = g_build_filename(fixture->dir, name, NULL);
    await_file(path);
}

void make_named(const Fixture *fixture, const char *name)
{
    g_autofree char *path = g_build_filename(fixture->dir, name, NULL);
    g_assert_true(g_file_set_contents(path, "", 0, NULL));
}

static gpointer signal_main(gpointer data)
{
    SignalWhen *when = data;
    await_file(when->path);
    when->sent_us = g_get_monotonic_time();
    kill(when->pid, when->signal);
    return NULL;
}

void signal_when(SignalWhen *when, const Fixture *fixture, const char *file, GPid pid, int signal)
{
    *when = (SignalWhen){.path = g_build_filename(fixture->dir, file, NULL), .pid = pid, .signal = signal};
    when->sent = g_thread_new("signal", signal_main, when);
}

void signal_done(SignalWhen *when)
{
    g_thread_join(when->sent);
    g_free(when->path);
}

/* ---- status ------------------------------------------------ */

typedef struct Watch {
    const char *dir;
    bool (*is_wanted)(struct json_object *pipeline);
    struct json_object *pipeline;
} Watch;

struct json_object *member(struct json_object *object, const char *key)
{
    return json_object_object_get(object, key);
}

static gpointer watch_main(gpointer data)
{
    Watch *watch = data;
    while (!watch->pipeline) {
        g_autoptr(GPtrArray) documents = status_ask_all(watch->dir);
        struct json_object *pipeline =
            documents->len > 0 ? json_object_array_get_idx(member(documents->pdata[0], "pipelines"), 0) : NULL;
        if (pipeline && watch->is_wanted(pipeline))
            watch->pipeline = json_object_get(pipeline);
    }
    kill(getpid(), SIGTERM);
    return NULL;
}

struct json_object *run_until(const Fixture *fixture, bool (*is_wanted)(struct json_object *pipeline),
                              const char *steps)
{
    Watch watch = {.dir = fixture->dir, .is_wanted = is_wanted};
    GThread *thread = g_thread_new("watch", watch_main, &watch);
    g_autofree char *text = pipeline_text("numbers", "", steps);
    g_assert_cmpint(run_texts((const char *const[]){text, NULL}, false), ==, EXIT_OK);
    g_thread_join(thread);
    return watch.pipeline;
}

/* ---- ledgers ------------------------------------------------ */

Total total(const Fixture *fixture, const char *ledger, const char *input, const char *split)
{
    g_autofree char *path = g_build_filename(fixture->dir, ledger, NULL), *text = NULL;
    Total sum = {0};
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return sum;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", -1);
        if (g_strv_length(words) != 6 || strcmp(words[0], input) != 0 || strcmp(words[1], split) != 0)
            continue;
        g_assert_cmpint(g_ascii_strtoll(words[2], NULL, 10), ==, sum.end);
        sum.end = g_ascii_strtoll(words[3], NULL, 10);
        sum.rows += g_ascii_strtoll(words[4], NULL, 10);
        sum.sum += g_ascii_strtoll(words[5], NULL, 10);
        sum.commits++;
    }
    return sum;
}

Total numbers(gint64 n, bool dividing)
{
    Total sum = {.end = ROWS};
    for (gint64 i = 0; i < ROWS; i++) {
        if ((i % n == 0) == dividing) {
            sum.rows++;
            sum.sum += i;
        }
    }
    return sum;
}

void check(const Fixture *fixture, const char *ledger, const char *input, Total want)
{
    for (int i = 0; i < 3; i++) {
        g_autofree char *split = g_strdup_printf("count/%d", i);
        Total got = total(fixture, ledger, input, split);
        g_assert_cmpint(got.end, ==, want.end);
        g_assert_cmpint(got.rows, ==, want.rows);
        g_assert_cmpint(got.sum, ==, want.sum);
    }
}

int fixture_main(int argc, char **argv, const FixtureTest *tests, gsize n)
{
    const char *text = g_getenv("SF_TEST_PIPELINE");
    log_setup(LOG_JSON, text && g_getenv("SF_TEST_TALKS") ? LEVEL_DEBUG : LEVEL_ERROR);
    if (text)
        process_begin();
    if (text)
        return run_texts((const char *const[]){text, NULL}, g_str_equal(g_getenv("SF_TEST_ONCE"), "1"));
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < n; i++)
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
    return g_test_run();
}
