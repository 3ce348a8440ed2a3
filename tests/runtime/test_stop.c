/* SIGTERM: what was read is committed, whatever waits is left at once, and there is an end to it in any case. */
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs until SIGTERM, which comes when the file is there. Returns the exit code; *ms is how long the stop took. */
static ExitCode stopped_at(const Fixture *fixture, const char *settings, const char *steps, const char *file,
                           gint64 *ms)
{
    SignalWhen when;
    g_autofree char *text = pipeline_text("numbers", settings, steps);
    signal_when(&when, fixture, file, getpid(), SIGTERM);
    ExitCode code = run_texts((const char *const[]){text, NULL}, false);
    gint64 ended = g_get_monotonic_time();
    signal_done(&when);
    *ms = (ended - when.sent_us) / 1000;
    return code;
}

static void test_commits(Fixture *fixture, gconstpointer data)
{
    (void) data;
    gint64 ms;
    g_assert_cmpint(stopped_at(fixture, "",
                               SOURCE ", rows: 1000000000, batch: 10}\n" SINK("a", "n") ", lazy: true, mark: 5}\n",
                               "a.marked", &ms),
                    ==, EXIT_OK);
    Total got = total(fixture, "a", "n", "count/0");
    g_assert_cmpint(got.rows, >, 0);
    g_assert_cmpint(got.rows, ==, got.end);
    g_assert_cmpint(got.commits, ==, 1);
}

/* Nothing has been read that a sink could commit, so that there is nothing to wait for. */
static void test_leaves_what_waits(Fixture *fixture, gconstpointer data)
{
    (void) data;
    static const struct {
        const char *steps, *file;
    } cases[] = {
        {SOURCE "}\n" SINK("a", "n") ", away: open}\n" SINK("b", "n") "}\n", "a.open"},
        {SOURCE "}\n" SINK("a", "n") ", away: recover}\n" SINK("b", "n") "}\n", "a.recover"},
        {SOURCE ", away: '${DIR}/n.open'}\n" SINK("a", "n") "}\n", "n.open"},
        {SOURCE "}\n  p: {transform: pick-transform, from: n, away: '${DIR}/p.apply'}\n" SINK("a", "p") "}\n",
         "p.apply"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 ms = 0;
        g_test_message("%s", cases[i].file);
        g_assert_cmpint(stopped_at(fixture, "shutdown: 20s\n", cases[i].steps, cases[i].file, &ms), ==, EXIT_OK);
        g_assert_cmpint(ms, <, 10000);
    }
}

/* While one branch's transform is away, the other branch's rows are committed. */
static void test_other_branch_commits(Fixture *fixture, gconstpointer data)
{
    (void) data;
    gint64 ms;
    g_assert_cmpint(stopped_at(fixture, "shutdown: 20s\n",
                               SOURCE "}\n" SINK("a", "n") "}\n  p: {transform: pick-transform, from: n, away: "
                                                           "'${DIR}/p.apply'}\n" SINK("b", "p") "}\n",
                               "p.apply", &ms),
                    ==, EXIT_OK);
    g_assert_cmpint(total(fixture, "b", "p", "count/0").end, ==, 0);
    g_assert_cmpint(
        run(SOURCE "}\n" SINK("a", "n") "}\n  p: {transform: pick-transform, from: n}\n" SINK("b", "p") "}\n"), ==,
        EXIT_OK);
    check(fixture, "a", "n", all);
    check(fixture, "b", "p", all);
}

/* Rows were read that cannot be committed: the deadline, and an exit status that says so. */
static void test_deadline(Fixture *fixture, gconstpointer data)
{
    (void) data;
    static const char *const hooks[] = {"write", "commit"};
    for (gsize i = 0; i < G_N_ELEMENTS(hooks); i++) {
        gint64 ms;
        g_autofree char *file = g_strdup_printf("a.%s", hooks[i]);
        g_autofree char *steps = g_strdup_printf(SOURCE "}\n" SINK("a", "n") ", away: %s}\n", hooks[i]);
        g_assert_cmpint(stopped_at(fixture, "shutdown: 1s\n", steps, file, &ms), ==, EXIT_FAILED);
        g_assert_cmpint(ms, >=, 1000);
        g_assert_cmpint(ms, <, 5000);
    }
}

/* A hook that never returns, in any of the places where the runtime waits for it, does not keep the process. */
static void test_hanging_hook(Fixture *fixture, gconstpointer data)
{
    (void) data;
    static const char *const hooks[] = {"open", "recover", "write", "commit"};
    SignalWhen when[G_N_ELEMENTS(hooks)];
    for (gsize i = 0; i < G_N_ELEMENTS(hooks); i++) {
        g_autofree char *file = g_strdup_printf("%s.%s", hooks[i], hooks[i]);
        g_autofree char *steps = g_strdup_printf(
            SOURCE "}\n  a: {sink: ledger-sink, from: n, path: '${DIR}/%s', hang: %s}\n", hooks[i], hooks[i]);
        signal_when(&when[i], fixture, file, run_apart("shutdown: 1s\n", steps, false, NULL), SIGTERM);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(hooks); i++) {
        int status = wait_for_end(when[i].pid);
        signal_done(&when[i]);
        g_test_message("%s", hooks[i]);
        g_assert_true(WIFEXITED(status));
        g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_FAILED);
    }
}

/* Whoever says it again gets it: the process ends at once, and no socket of a dead process stays. */
static void test_second_signal(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *hanging = g_build_filename(fixture->dir, "a.write", NULL);
    GPid pid = run_apart("shutdown: 600s\n", SOURCE "}\n" SINK("a", "n") ", hang: write}\n", false, NULL);
    await_file(hanging);
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) != pid) {
        kill(pid, SIGTERM);
        g_usleep(100 * 1000);
    }
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_FAILED);
    g_autofree char *socket = g_strdup_printf("%s/%d.sock", fixture->dir, (int) pid);
    g_assert_false(g_file_test(socket, G_FILE_TEST_EXISTS));
}

/* timeout(1) and service managers signal the process and its group in the same moment. */
static void test_two_signals_at_once(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *committed = g_build_filename(fixture->dir, "a", NULL);
    GPid pid = run_apart("", SOURCE "}\n" SINK("a", "n") ", slow_us: 1000}\n", false, NULL);
    await_file(committed);
    kill(pid, SIGTERM);
    kill(pid, SIGINT);
    int status = wait_for_end(pid);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_OK);
}

/* A pipe that is full to its last byte in place of standard error, for what is started meanwhile. Returns what was
 * there. */
static int stand_still(int ends[2])
{
    char zeros[4096] = {0};
    int saved = dup(STDERR_FILENO);
    g_assert_cmpint(pipe(ends), ==, 0);
    g_assert_cmpint(fcntl(ends[1], F_SETFL, O_NONBLOCK), ==, 0);
    for (gsize size = sizeof zeros; size > 0; size /= 2) {
        while (write(ends[1], zeros, size) > 0)
            continue;
    }
    g_assert_cmpint(fcntl(ends[1], F_SETFL, 0), ==, 0);
    g_assert_cmpint(dup2(ends[1], STDERR_FILENO), >=, 0);
    return saved;
}

static GPid run_unheard(const char *settings, const char *steps, int ends[2])
{
    setenv("SF_TEST_TALKS", "1", 1);
    int saved = stand_still(ends);
    GPid pid = run_apart(settings, steps, false, NULL);
    g_assert_cmpint(dup2(saved, STDERR_FILENO), >=, 0);
    close(saved);
    unsetenv("SF_TEST_TALKS");
    return pid;
}

/* A terminal that was stopped, a log shipper that hangs: rows go on, a stop commits them, a deadline is kept. */
static void test_nobody_reads_the_log(Fixture *fixture, gconstpointer data)
{
    (void) data;
    static const struct {
        const char *steps, *file;
        int code;
    } cases[] = {
        {SOURCE ", rows: 1000000000, batch: 10}\n" SINK("a", "n") ", lazy: true, mark: 50}\n", "a.marked", EXIT_OK},
        {SOURCE "}\n" SINK("b", "n") ", away: commit}\n", "b.commit", EXIT_FAILED},
        {SOURCE "}\n" SINK("c", "n") ", hang: commit}\n", "c.commit", EXIT_FAILED},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        int ends[2];
        GPid pid = run_unheard("shutdown: 2s\n", cases[i].steps, ends);
        g_autofree char *reached = g_build_filename(fixture->dir, cases[i].file, NULL);
        await_file(reached);
        kill(pid, SIGTERM);
        int status = wait_for_end(pid);
        g_test_message("%s", cases[i].file);
        g_assert_true(WIFEXITED(status));
        g_assert_cmpint(WEXITSTATUS(status), ==, cases[i].code);
        close(ends[0]);
        close(ends[1]);
    }
    g_assert_cmpint(total(fixture, "a", "n", "count/0").rows, >, 0);
}

/* A terminal that goes is a stop like any other. */
static void test_hang_up(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *marked = g_build_filename(fixture->dir, "a.marked", NULL);
    GPid pid =
        run_apart("", SOURCE ", rows: 1000000000, batch: 10}\n" SINK("a", "n") ", lazy: true, mark: 5}\n", false, NULL);
    await_file(marked);
    kill(pid, SIGHUP);
    int status = wait_for_end(pid);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_OK);
    g_assert_cmpint(total(fixture, "a", "n", "count/0").rows, >, 0);
}

static bool runs_again(struct json_object *pipeline)
{
    return json_object_get_int(member(pipeline, "attempts")) == 2 &&
           g_str_equal(json_object_get_string(member(pipeline, "state")), "running");
}

/* The status says why there was a new attempt, and nothing of the old one's troubles. */
static void test_status_of_a_new_attempt(Fixture *fixture, gconstpointer data)
{
    (void) data;
    struct json_object *pipeline = run_until(fixture, runs_again,
                                             SOURCE "}\n" SINK("a", "n") ", fence_at: 1, slow_us: 1000}\n" SINK(
                                                 "b", "n") ", away: write, until: '${DIR}/a.fenced'}\n");
    g_assert_nonnull(strstr(json_object_get_string(member(pipeline, "last_restart")), "somebody else"));
    struct json_object *steps = member(pipeline, "steps");
    for (size_t i = 0; i < json_object_array_length(steps); i++)
        g_assert_null(member(json_object_array_get_idx(steps, i), "trouble"));
    json_object_put(pipeline);
    g_assert_cmpint(run(SOURCE "}\n" SINK("a", "n") "}\n" SINK("b", "n") "}\n"), ==, EXIT_OK);
    check(fixture, "a", "n", all);
    check(fixture, "b", "n", all);
}

int main(int argc, char **argv)
{
    static const FixtureTest tests[] = {
        {"/stop/commits", test_commits},
        {"/stop/leaves-what-waits", test_leaves_what_waits},
        {"/stop/other-branch-commits", test_other_branch_commits},
        {"/stop/deadline", test_deadline},
        {"/stop/hanging-hook", test_hanging_hook},
        {"/stop/second-signal", test_second_signal},
        {"/stop/two-signals-at-once", test_two_signals_at_once},
        {"/stop/nobody-reads-the-log", test_nobody_reads_the_log},
        {"/stop/hang-up", test_hang_up},
        {"/stop/status-of-a-new-attempt", test_status_of_a_new_attempt},
    };
    return fixture_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
