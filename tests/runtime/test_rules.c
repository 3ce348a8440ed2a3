/* Rules between the runtime and its plugins: checkpoints by rows and bytes, batches out of turn, splits that are lost,
 * sinks with no more hooks than they must have. */
#include "fixture.h"

#include <string.h>
#include <sys/wait.h>

/* 1000 rows in batches of 37: 28 of them a split. */
enum { BATCHES = 28 };

/* One split, so that each line of the ledger is a commit. */
#define ONE_SPLIT "  n: {source: count-source, splits: 1, bytes: 1048576}\n"

static void check_commits(const Fixture *fixture, const char *checkpoint, const char *sink, gint64 commits)
{
    g_autofree char *settings = g_strdup_printf("checkpoint: %s\n", checkpoint);
    g_autofree char *steps =
        g_strdup_printf(ONE_SPLIT "  %s: {sink: ledger-sink, from: n, path: '${DIR}/%s'}\n", sink, sink);
    g_assert_cmpint(run_with(settings, steps), ==, EXIT_OK);
    Total got = total(fixture, sink, "n", "count/0");
    g_assert_cmpint(got.rows, ==, ROWS);
    g_assert_cmpint(got.sum, ==, all.sum);
    g_assert_cmpint(got.commits, ==, commits);
}

static void test_checkpoint_by_rows(Fixture *fixture, gconstpointer data)
{
    (void) data;
    check_commits(fixture, "{every: 1h, rows: 37}", "a", BATCHES);
    check_commits(fixture, "{every: 1h, rows: 38}", "b", BATCHES / 2);
}

static void test_checkpoint_by_bytes(Fixture *fixture, gconstpointer data)
{
    (void) data;
    check_commits(fixture, "{every: 1h, bytes: 1MiB}", "a", BATCHES);
    check_commits(fixture, "{every: 1h, bytes: 1025KiB}", "b", BATCHES / 2);
}

static void test_checkpoint_by_time_alone(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run_with("checkpoint: 1h\n", SOURCE ", bytes: 1024}\n" SINK("a", "n") "}\n"), ==, EXIT_OK);
    check(fixture, "a", "n", all);
    g_assert_cmpint(total(fixture, "a", "n", "count/0").commits, ==, 1);
}

/* What a source gives out of turn ends the run, and nothing of it comes to a sink. */
static void test_batches_out_of_turn(Fixture *fixture, gconstpointer data)
{
    static const char *const cheats[] = {"gap", "again", "back", "nobody"};
    (void) data;
    for (gsize i = 0; i < G_N_ELEMENTS(cheats); i++) {
        int status = 0;
        g_autofree char *steps =
            g_strdup_printf(SOURCE ", cheat: %s}\n  a%" G_GSIZE_FORMAT
                                   ": {sink: ledger-sink, from: n, path: '${DIR}/a%" G_GSIZE_FORMAT "'}\n",
                            cheats[i], i, i);
        g_autofree char *name = g_strdup_printf("a%" G_GSIZE_FORMAT, i);
        g_autofree char *said = run_heard("", steps, &status);
        g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_FAILED);
        g_assert_nonnull(strstr(said, "count-source 'n': it gave the range ["));
        g_assert_cmpint(total(fixture, name, "n", "count/0").end, <=, 6 * 37);
    }
}

/* Another process has them, as far as anybody knows: what is not committed is read again. */
static void test_splits_are_lost(Fixture *fixture, gconstpointer data)
{
    (void) data;
    int status = 0;
    g_autofree char *said =
        run_heard("", SOURCE ", lost: '${DIR}/lost'}\n" SINK("a", "n") ", lazy: true}\n" SINK("b", "n") "}\n", &status);
    g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_OK);
    g_assert_nonnull(strstr(said, "3 splits were lost to another process"));
    check(fixture, "a", "n", all);
    check(fixture, "b", "n", all);
}

/* Published are the positions of what it has written, although it never tells. */
static void test_plain_sink(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *path = g_build_filename(fixture->dir, "published", NULL), *published = NULL;
    g_assert_cmpint(run(SOURCE "}\n  a: {sink: plain-sink, from: n, path: '${DIR}/a'}\n"), ==, EXIT_OK);
    check(fixture, "a", "n", all);
    g_assert_true(g_file_get_contents(path, &published, NULL, NULL));
    for (int i = 0; i < 3; i++) {
        g_autofree char *line = g_strdup_printf("count/%d 1000\n", i);
        g_assert_nonnull(strstr(published, line));
    }
}

int main(int argc, char **argv)
{
    static const FixtureTest tests[] = {
        {"/rules/checkpoint-by-rows", test_checkpoint_by_rows},
        {"/rules/checkpoint-by-bytes", test_checkpoint_by_bytes},
        {"/rules/checkpoint-by-time-alone", test_checkpoint_by_time_alone},
        {"/rules/batches-out-of-turn", test_batches_out_of_turn},
        {"/rules/splits-are-lost", test_splits_are_lost},
        {"/rules/plain-sink", test_plain_sink},
    };
    return fixture_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
