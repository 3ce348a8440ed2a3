/* Who has nothing to do does not wake: counted by the kernel, in a process of its own, while its source has polled so
 * many times. No time is asserted. */
#include "fixture.h"
#include "runtime/sink_loop.h"

#include <glib/gstdio.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Polls of the source in which nobody else may wake: some seconds. */
#define POLLS 30

/* How often the thread of that name has gone to sleep (proc(5), voluntary_ctxt_switches); -1: there is none. */
static gint64 sleeps_of(GPid pid, const char *name)
{
    g_autofree char *tasks = g_strdup_printf("/proc/%d/task", (int) pid);
    g_autoptr(GDir) dir = g_dir_open(tasks, 0, NULL);
    gint64 sleeps = -1;
    for (const char *task; dir && (task = g_dir_read_name(dir));) {
        g_autofree char *comm = g_build_filename(tasks, task, "comm", NULL), *is = NULL;
        g_autofree char *path = g_build_filename(tasks, task, "status", NULL), *status = NULL;
        if (!g_file_get_contents(comm, &is, NULL, NULL) || strcmp(g_strchomp(is), name) != 0)
            continue;
        const char *line = g_file_get_contents(path, &status, NULL, NULL) ? strstr(status, "\nvoluntary_ctxt") : NULL;
        if (line)
            sleeps = g_ascii_strtoll(strchr(line, ':') + 1, NULL, 10);
    }
    return sleeps;
}

static void await_polls(GPid pid, gint64 n)
{
    gint64 until = sleeps_of(pid, "n") + n;
    while (sleeps_of(pid, "n") < until)
        g_usleep(10 * 1000);
}

/* Until a few polls pass without it: what came before has had its effect. */
static void await_rest(GPid pid, const char *name)
{
    gint64 before;
    do {
        before = sleeps_of(pid, name);
        await_polls(pid, 5);
    } while (sleeps_of(pid, name) != before);
}

static void check_idle(const Fixture *fixture, const char *settings, const char *steps)
{
    static const char *const idle[] = {"a", "numbers"}; /* the sink, the pipeline */
    gint64 before[G_N_ELEMENTS(idle)];
    g_autofree char *marked = g_build_filename(fixture->dir, "a.marked", NULL);
    g_unlink(marked);
    GPid pid = run_apart(settings, steps, false, NULL);
    await_file(marked);
    for (gsize i = 0; i < G_N_ELEMENTS(idle); i++)
        await_rest(pid, idle[i]);
    for (gsize i = 0; i < G_N_ELEMENTS(idle); i++)
        before[i] = sleeps_of(pid, idle[i]);
    await_polls(pid, POLLS);
    for (gsize i = 0; i < G_N_ELEMENTS(idle); i++) {
        g_test_message("%s: %d", idle[i], (int) (sleeps_of(pid, idle[i]) - before[i]));
        g_assert_cmpint(before[i], >, 0);
        g_assert_cmpint(sleeps_of(pid, idle[i]), ==, before[i]);
    }
    kill(pid, SIGTERM);
    g_assert_cmpint(wait_for_end(pid), ==, 0);
}

/* 3 splits of 1000 rows are 84 batches. */
static void test_nothing_open(Fixture *fixture, gconstpointer data)
{
    (void) data;
    check_idle(fixture, "", SOURCE "}\n" SINK("a", "n") ", mark: 84}\n");
    check(fixture, "a", "n", all);
}

/* Rows that wait for their checkpoint: a deadline, and nothing to look at before it. */
static void test_open_rows(Fixture *fixture, gconstpointer data)
{
    (void) data;
    check_idle(fixture, "checkpoint: 1h\n", SOURCE "}\n" SINK("a", "n") ", mark: 84}\n");
    check(fixture, "a", "n", all); /* by the stop */
}

/* Ten times a second after a write, once when there was none for long, and never later than a part of that time. */
static void test_ticks_back_off(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    g_assert_cmpint(sink_tick_after(-1), ==, 100 * 1000);
    g_assert_cmpint(sink_tick_after(0), ==, 100 * 1000);
    g_assert_cmpint(sink_tick_after(800 * 1000 + 8), ==, 100 * 1000 + 1);
    g_assert_cmpint(sink_tick_after(4 * G_USEC_PER_SEC), ==, G_USEC_PER_SEC / 2);
    g_assert_cmpint(sink_tick_after(8 * G_USEC_PER_SEC), ==, G_USEC_PER_SEC);
    g_assert_cmpint(sink_tick_after(G_MAXINT64), ==, G_USEC_PER_SEC);
}

int main(int argc, char **argv)
{
    static const FixtureTest tests[] = {
        {"/idle/everything-is-committed", test_nothing_open},
        {"/idle/rows-wait-for-their-checkpoint", test_open_rows},
        {"/idle/ticks-back-off", test_ticks_back_off},
    };
    return fixture_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
