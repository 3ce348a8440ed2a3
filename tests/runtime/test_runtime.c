/* The runtime on scripted plugins: whatever happens on the way, each ledger's ranges chain from 0 and each row is
 * there once. */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/log.h"
#include "runtime/runtime.h"

#define ROWS 1000

typedef struct Fixture {
    char *dir;
} Fixture;

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

static ExitCode run_with(const char *settings, const char *steps)
{
    g_autofree char *text =
        g_strdup_printf("pipeline: numbers\ncheckpoint: 20ms\nshutdown: 5s\n%ssteps:\n%s", settings, steps);
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    Pipeline *pipeline = pipeline_load_text(text, "test.yaml", diagnostics);
    for (guint i = 0; i < diagnostics->messages->len; i++)
        g_test_message("%s", (const char *) diagnostics->messages->pdata[i]);
    g_assert_nonnull(pipeline);
    g_autoptr(GPtrArray) pipelines = g_ptr_array_new_with_free_func((GDestroyNotify) pipeline_free);
    g_ptr_array_add(pipelines, pipeline);
    return runtime_run(pipelines, &(RunOptions){.once = true});
}

static ExitCode run(const char *steps)
{
    return run_with("", steps);
}

typedef struct Total {
    gint64 end, rows, sum, commits;
} Total;

/* Adds up one chain of a ledger; its ranges must chain from 0. */
static Total total(const Fixture *fixture, const char *ledger, const char *input, const char *split)
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

/* Numbers below ROWS that n divides (dividing = true) or does not. */
static Total numbers(gint64 n, bool dividing)
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

static void check(const Fixture *fixture, const char *ledger, const char *input, Total want)
{
    for (int i = 0; i < 3; i++) {
        g_autofree char *split = g_strdup_printf("count/%d", i);
        Total got = total(fixture, ledger, input, split);
        g_assert_cmpint(got.end, ==, want.end);
        g_assert_cmpint(got.rows, ==, want.rows);
        g_assert_cmpint(got.sum, ==, want.sum);
    }
}

static const Total all = {.end = ROWS, .rows = ROWS, .sum = ROWS * (ROWS - 1) / 2};

#define SOURCE "  n: {source: count-source, splits: 3, published: '${DIR}/published'"
#define SINK(name, from) "  " name ": {sink: ledger-sink, from: " from ", path: '${DIR}/" name "'"

static void test_all_rows(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run(SOURCE "}\n" SINK("a", "n") "}\n"), ==, EXIT_OK);
    check(fixture, "a", "n", all);
}

static void test_again_is_nothing_more(Fixture *fixture, gconstpointer data)
{
    (void) data;
    for (int i = 0; i < 2; i++)
        g_assert_cmpint(run(SOURCE "}\n" SINK("a", "n") "}\n"), ==, EXIT_OK);
    check(fixture, "a", "n", all);
}

static void test_lagging_sink(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run(SOURCE ", rows: 333}\n" SINK("a", "n") "}\n"), ==, EXIT_OK);
    g_assert_cmpint(run(SOURCE ", rows: 700}\n" SINK("b", "n") "}\n"), ==, EXIT_OK);
    g_assert_cmpint(run(SOURCE "}\n" SINK("a", "n") "}\n" SINK("b", "n") "}\n" SINK("c", "n") "}\n"), ==, EXIT_OK);
    check(fixture, "a", "n", all);
    check(fixture, "b", "n", all);
    check(fixture, "c", "n", all);
}

static void test_published(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *path = g_build_filename(fixture->dir, "published", NULL), *text = NULL;
    g_assert_cmpint(run(SOURCE "}\n" SINK("a", "n") "}\n"), ==, EXIT_OK);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "count/0 1000\n"));
    g_assert_nonnull(strstr(text, "count/2 1000\n"));
}

static void test_holes(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run(SOURCE ", rows: 500, hole: 2}\n" SINK("a", "n") "}\n"), ==, EXIT_OK);
    g_assert_cmpint(run(SOURCE ", hole: 2}\n" SINK("a", "n") "}\n" SINK("b", "n") "}\n"), ==, EXIT_OK);
    check(fixture, "a", "n", numbers(2, false));
    check(fixture, "b", "n", numbers(2, false));
}

static void test_nothing_but_range(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run(SOURCE "}\n  p: {transform: pick-transform, from: n, drop: 1}\n" SINK("a", "p") "}\n"), ==,
                    EXIT_OK);
    check(fixture, "a", "p", (Total){.end = ROWS});
}

static void test_retries(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run(SOURCE ", retry_every: 30}\n" SINK("a", "n") ", retry_every: 40}\n"), ==, EXIT_OK);
    check(fixture, "a", "n", all);
}

static void test_fenced_starts_anew(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run(SOURCE "}\n" SINK("a", "n") ", fence_at: 1}\n" SINK("b", "n") "}\n"), ==, EXIT_OK);
    check(fixture, "a", "n", all);
    check(fixture, "b", "n", all);
}

static void test_failure_ends(Fixture *fixture, gconstpointer data)
{
    (void) data;
    (void) fixture;
    g_assert_cmpint(run(SOURCE "}\n" SINK("a", "n") ", fail_at: 1}\n"), ==, EXIT_FAILED);
    g_assert_cmpint(run(SOURCE "}\n" SINK("a", "n") "}\n"), ==, EXIT_OK);
    check(fixture, "a", "n", all);
}

static void test_damaged_rows_stop(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run(SOURCE "}\n  p: {transform: pick-transform, from: n, damage: true}\n" SINK("a", "p") "}\n"), ==,
                    EXIT_FAILED);
    g_assert_cmpint(total(fixture, "a", "p", "count/0").rows, ==, 0);
}

static void test_revokes(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run(SOURCE ", revoke_every: 10}\n" SINK("a", "n") ", lazy: true}\n" SINK("b", "n") "}\n"), ==,
                    EXIT_OK);
    check(fixture, "a", "n", all);
    check(fixture, "b", "n", all);
}

/* One run reads to the end what was there, whichever of its tasks has it. */
static void test_splits_change_tasks(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run_with("tasks: 2\n", SOURCE ", hand_over: 5}\n" SINK("a", "n") "}\n"), ==, EXIT_OK);
    check(fixture, "a", "n", all);
}

static const char rejecting_transform[] = SOURCE
    "}\n  p: {transform: pick-transform, from: n, reject: 7}\n" SINK("a", "p") "}\n" SINK("bad", "p.errors") "}\n";

static void test_transform_rejects(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run(rejecting_transform), ==, EXIT_OK);
    check(fixture, "a", "p", numbers(7, false));
    check(fixture, "bad", "p.errors", numbers(7, true));
}

static const char rejecting_sink[] = SOURCE "}\n" SINK("a", "n") ", reject: 11}\n" SINK("bad", "a.errors") "}\n";

static void test_sink_rejects(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run(rejecting_sink), ==, EXIT_OK);
    check(fixture, "a", "n", numbers(11, false));
    check(fixture, "bad", "a.errors", numbers(11, true));
}

/* A step that reads errors has errors of its own: with one _step and one _error, its own. */
static void test_rejects_of_rejects(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run(SOURCE "}\n  p: {transform: pick-transform, from: n, reject: 7}\n" SINK(
                        "a", "p") "}\n"
                                  "  q: {transform: pick-transform, from: p.errors, reject: 14}\n" SINK(
                                      "b", "q") "}\n" SINK("c", "q.errors") "}\n"),
                    ==, EXIT_OK);
    check(fixture, "c", "q.errors", numbers(14, true));
    Total seven = numbers(7, true), fourteen = numbers(14, true);
    check(fixture, "b", "q", (Total){.end = ROWS, .rows = seven.rows - fourteen.rows, .sum = seven.sum - fourteen.sum});
}

static void test_unread_rejects_stop(Fixture *fixture, gconstpointer data)
{
    (void) data;
    (void) fixture;
    g_assert_cmpint(run(SOURCE "}\n" SINK("a", "n") ", reject: 11}\n"), ==, EXIT_FAILED);
    g_assert_cmpint(run(SOURCE "}\n" SINK("a", "n") ", reject: 11, on_reject: drop}\n"), ==, EXIT_OK);
    check(fixture, "a", "n", numbers(11, false));
}

static void test_slow_sink_holds_back(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run(SOURCE ", batch: 1}\n" SINK("a", "n") ", slow_us: 100}\n" SINK("b", "n") "}\n"), ==, EXIT_OK);
    check(fixture, "a", "n", all);
    check(fixture, "b", "n", all);
}

/* Dies at the n-th passage of the point, in a child. */
static void run_killed(const char *steps, const char *fault)
{
    pid_t child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        setenv("SF_FAULT", fault, 1);
        _exit(run(steps));
    }
    int status = 0;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
                  (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    g_test_message("%s: %s", fault, WIFSIGNALED(status) ? "killed" : "ended");
}

static void test_killed_anywhere(Fixture *fixture, gconstpointer data)
{
    (void) data;
    static const char *const points[] = {"ledger-before-append:1", "ledger-before-append:2", "ledger-before-append:3",
                                         "ledger-after-append:1", "ledger-after-append:2"};
    for (gsize i = 0; i < G_N_ELEMENTS(points); i++)
        run_killed(rejecting_sink, points[i]);
    g_assert_cmpint(run(rejecting_sink), ==, EXIT_OK);
    check(fixture, "a", "n", numbers(11, false));
    check(fixture, "bad", "a.errors", numbers(11, true));
}

static gpointer stop_soon(gpointer data)
{
    (void) data;
    g_usleep(100 * 1000);
    kill(getpid(), SIGTERM);
    return NULL;
}

static void test_sigterm_commits(Fixture *fixture, gconstpointer data)
{
    (void) data;
    GThread *thread = g_thread_new("stop", stop_soon, NULL);
    g_assert_cmpint(run(SOURCE ", rows: 1000000000, batch: 10}\n" SINK("a", "n") ", lazy: true}\n"), ==, EXIT_OK);
    g_thread_join(thread);
    Total got = total(fixture, "a", "n", "count/0");
    g_assert_cmpint(got.rows, >, 0);
    g_assert_cmpint(got.rows, ==, got.end);
    g_assert_cmpint(got.commits, ==, 1);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(Fixture *fixture, gconstpointer data);
    } tests[] = {
        {"/runtime/killed-anywhere", test_killed_anywhere}, /* forks: before any thread was made */
        {"/runtime/all-rows", test_all_rows},
        {"/runtime/again-is-nothing-more", test_again_is_nothing_more},
        {"/runtime/lagging-sinks-catch-up", test_lagging_sink},
        {"/runtime/positions-are-published", test_published},
        {"/runtime/holes", test_holes},
        {"/runtime/ranges-without-rows", test_nothing_but_range},
        {"/runtime/retries", test_retries},
        {"/runtime/fenced-starts-anew", test_fenced_starts_anew},
        {"/runtime/failure-ends", test_failure_ends},
        {"/runtime/damaged-rows-stop", test_damaged_rows_stop},
        {"/runtime/revokes", test_revokes},
        {"/runtime/splits-change-tasks", test_splits_change_tasks},
        {"/runtime/transform-rejects", test_transform_rejects},
        {"/runtime/sink-rejects", test_sink_rejects},
        {"/runtime/rejects-of-rejects", test_rejects_of_rejects},
        {"/runtime/unread-rejects-stop", test_unread_rejects_stop},
        {"/runtime/slow-sink-holds-back", test_slow_sink_holds_back},
        {"/runtime/sigterm-commits", test_sigterm_commits},
    };
    g_test_init(&argc, &argv, NULL);
    log_setup(LOG_HUMAN, LEVEL_ERROR);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
    return g_test_run();
}
