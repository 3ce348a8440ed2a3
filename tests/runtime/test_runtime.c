/* The runtime on scripted plugins: whatever happens on the way, each ledger's ranges chain from 0 and each row is
 * there once. */
#include "fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A bounded run with one task knows that what was taken from it is with another process. */
static void test_splits_of_another_process_are_not_waited_for(Fixture *fixture, gconstpointer data)
{
    (void) data;
    gint64 begun = g_get_monotonic_time();
    g_assert_cmpint(run(SOURCE ", give_up: 5}\n" SINK("a", "n") "}\n"), ==, EXIT_OK);
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 5 * G_USEC_PER_SEC);
    Total got = total(fixture, "a", "n", "count/0");
    g_assert_cmpint(got.rows, >, 0);
    g_assert_cmpint(got.rows, <, ROWS);
}

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

/* A table's column offset may say anything: rows are cut by their positions, and none is lost, or comes twice. */
static void test_lagging_sink_of_a_table(Fixture *fixture, gconstpointer data)
{
    (void) data;
    static const gint64 shifts[] = {-5000, -1, 20, 5000};
    for (gsize i = 0; i < G_N_ELEMENTS(shifts); i++) {
        g_autofree char *a = g_strdup_printf("a%u", (guint) i), *b = g_strdup_printf("b%u", (guint) i);
        g_autofree char *source =
            g_strdup_printf("  n: {source: count-source, splits: 3, shift: %" G_GINT64_FORMAT, shifts[i]);
        g_autofree char *sink =
            g_strdup_printf("  a: {sink: ledger-sink, from: n, anywhere: true, path: '${DIR}/%s'}\n", a);
        g_autofree char *other =
            g_strdup_printf("  b: {sink: ledger-sink, from: n, anywhere: true, path: '${DIR}/%s'}\n", b);
        g_autofree char *before = g_strconcat(source, ", rows: 350}\n", sink, NULL);
        g_autofree char *after = g_strconcat(source, "}\n", sink, other, NULL);
        g_assert_cmpint(run(before), ==, EXIT_OK);
        g_assert_cmpint(run(after), ==, EXIT_OK);
        Total want = all;
        want.sum += ROWS * shifts[i];
        check(fixture, a, "n", want);
        check(fixture, b, "n", want);
    }
}

/* Rows that share positions cannot be cut apart: it stops, where it would lose some. */
static void test_lagging_sink_of_a_crowd(Fixture *fixture, gconstpointer data)
{
    (void) data;
    static const char both[] = SOURCE ", crowd: 2}\n" SINK("a", "n") "}\n" SINK("b", "n") "}\n";
    int status;
    g_assert_cmpint(run(SOURCE ", crowd: 2, rows: 350}\n" SINK("a", "n") "}\n"), ==, EXIT_OK);
    g_autofree char *log = run_heard("", both, &status);
    g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_FAILED);
    g_assert_nonnull(strstr(log, "rows for the positions"));
    g_assert_cmpint(total(fixture, "a", "n", "count/0").rows, ==, 700);
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

/* A sink keeps the origin beside its position; another one is told to the source. */
static void test_origins(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    const char *first = SOURCE ", rows: 100, origin: one}\n" SINK("a", "n") "}\n" SINK("b", "n") "}\n";
    const char *same = SOURCE ", rows: 200, origin: one}\n" SINK("a", "n") "}\n" SINK("b", "n") "}\n";
    const char *other = SOURCE ", rows: 300, origin: two}\n" SINK("a", "n") "}\n" SINK("b", "n") "}\n";
    const char *fresh = SOURCE ", rows: 300, origin: two}\n" SINK("c", "n") "}\n";
    const char *none = SOURCE ", rows: 300, origin: 'not one'}\n" SINK("a", "n") "}\n" SINK("b", "n") "}\n";
    int status = 0;
    g_assert_cmpint(run(first), ==, EXIT_OK);
    g_assert_cmpint(run(same), ==, EXIT_OK);
    g_autofree char *log = run_heard("", other, &status);
    g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_CONFIG);
    g_assert_nonnull(strstr(log, "count/0 was 'one'"));
    g_assert_cmpint(run(fresh), ==, EXIT_OK);
    g_assert_cmpint(run(none), ==, EXIT_OK);
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
/* A store that is away does not keep others waiting: what is not committed is read again, by whoever has the split. */
static void test_a_sink_that_is_away_does_not_keep_splits(Fixture *fixture, gconstpointer data)
{
    (void) data;
    static const char *const hooks[][2] = {{"commit", "fenced"}, {"recover", "retry"}};
    for (gsize i = 0; i < G_N_ELEMENTS(hooks); i++) {
        g_autofree char *over = g_strdup_printf("%s/over-%s", fixture->dir, hooks[i][0]);
        g_autofree char *steps = g_strdup_printf(
            SOURCE ", revoke_every: 5, patience: 300, over: '%s'}\n  a%" G_GSIZE_FORMAT
                   ": {sink: ledger-sink, from: n, path: '${DIR}/a%" G_GSIZE_FORMAT "', away: %s, until: '%s'}\n",
            over, i, i, hooks[i][0], over);
        g_autofree char *name = g_strdup_printf("a%" G_GSIZE_FORMAT, i), *said = NULL;
        g_assert_cmpint(run(steps), ==, EXIT_OK);
        g_assert_true(g_file_get_contents(over, &said, NULL, NULL));
        g_assert_cmpstr(said, ==, hooks[i][1]);
        check(fixture, name, "n", all);
    }
}

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

static bool is_through(struct json_object *pipeline)
{
    struct json_object *sink = json_object_array_get_idx(member(pipeline, "steps"), 1);
    return json_object_get_int(member(sink, "rows_in")) == 3 * 37;
}

/* Of a batch that is written again, what was rejected the first time does not count. */
static void test_rejects_of_a_retry(Fixture *fixture, gconstpointer data)
{
    (void) data;
    struct json_object *pipeline =
        run_until(fixture, is_through,
                  SOURCE ", rows: 37}\n" SINK("a", "n") ", reject: 11, twice: true}\n" SINK("bad", "a.errors") "}\n");
    struct json_object *sink = json_object_array_get_idx(member(pipeline, "steps"), 1);
    g_assert_cmpint(json_object_get_int(member(sink, "rejected")), ==, 3 * 4);
    g_assert_cmpint(total(fixture, "bad", "a.errors", "count/0").rows, ==, 4);
    json_object_put(pipeline);
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

/* Batches of 30 rows, of which every third is refused whole: by a transform, and by a sink. */
static void test_batches_are_refused(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(
        run(SOURCE ", batch: 30}\n  p: {transform: pick-transform, from: n, refuse: 90}\n" SINK("a", "p") "}\n" SINK(
            "bad", "p.errors") "}\n" SINK("b", "n") ", refuse: 90}\n" SINK("worse", "b.errors") "}\n"),
        ==, EXIT_OK);
    for (gsize i = 0; i < 2; i++) {
        Total kept = total(fixture, i ? "b" : "a", i ? "n" : "p", "count/0");
        Total refused = total(fixture, i ? "worse" : "bad", i ? "b.errors" : "p.errors", "count/0");
        g_assert_cmpint(kept.end, ==, ROWS);
        g_assert_cmpint(kept.rows + refused.rows, ==, ROWS);
        g_assert_cmpint(kept.sum + refused.sum, ==, all.sum);
        g_assert_cmpint(refused.rows, >, 0);
        g_assert_cmpint(kept.rows, >, 0);
    }
    Total first = total(fixture, "bad", "p.errors", "count/0");
    Total second = total(fixture, "worse", "b.errors", "count/0");
    g_assert_cmpint(first.rows, ==, second.rows);
    g_assert_cmpint(first.sum, ==, second.sum);
}

/* A row that is rejected twice is one row. */
static void test_rejected_twice(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run(SOURCE "}\n  p: {transform: pick-transform, from: n, reject: 7, doubly: true}\n" SINK(
                        "a", "p") "}\n" SINK("bad", "p.errors") "}\n"),
                    ==, EXIT_OK);
    check(fixture, "a", "p", numbers(7, false));
    check(fixture, "bad", "p.errors", numbers(7, true));
}

static void test_reject_of_no_row(Fixture *fixture, gconstpointer data)
{
    (void) data;
    int status = 0;
    g_autofree char *said = run_heard(
        "", SOURCE "}\n  p: {transform: pick-transform, from: n, astray: true}\n" SINK("a", "p") "}\n", &status);
    g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_FAILED);
    g_assert_nonnull(strstr(said, "pick-transform 'p': it rejected a row that the batch does not have"));
    g_assert_cmpint(total(fixture, "a", "p", "count/0").rows, ==, 0);
}

/* Levels, clocks and memory of the host, as a plugin has them. */
static void test_services(Fixture *fixture, gconstpointer data)
{
    (void) data;
    int status = 0;
    g_autofree char *said =
        run_heard("memory: 20MiB\n",
                  SOURCE "}\n  p: {transform: pick-transform, from: n, talk: true}\n" SINK("a", "p") "}\n", &status);
    g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_OK);
    g_assert_nonnull(strstr(said, "\"level\":\"DEBUG\",\"message\":\"said softly\""));
    g_assert_nonnull(strstr(said, "\"level\":\"INFO\",\"message\":\"clocks agree\""));
    g_assert_nonnull(strstr(said, "\"level\":\"INFO\",\"message\":\"said on no level\""));
    const char *memory = strstr(said, "\"level\":\"WARN\",\"message\":\"memory ");
    g_assert_nonnull(memory);
    gint64 bytes = g_ascii_strtoll(memory + strlen("\"level\":\"WARN\",\"message\":\"memory "), NULL, 10);
    g_assert_cmpint(bytes, >, 10 << 20);
    g_assert_cmpint(bytes, <=, 20 << 20);
    check(fixture, "a", "p", all);
}

/* The place of a row that stops a pipeline, and those of some that are dropped. */
static void test_places_of_rejects(Fixture *fixture, gconstpointer data)
{
    (void) data;
    (void) fixture;
    int status = 0;
    g_autofree char *stopped = run_heard("", SOURCE "}\n" SINK("a", "n") ", reject: 500}\n", &status);
    g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_FAILED);
    g_assert_nonnull(strstr(stopped, "/0 was rejected: 0 is divided by 500; let a sink read 'a.errors'"));
    g_autofree char *dropped = run_heard("", SOURCE "}\n" SINK("b", "n") ", reject: 500, on_reject: drop}\n", &status);
    g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_OK);
    g_assert_nonnull(strstr(dropped, "dropped row "));
    g_assert_nonnull(strstr(dropped, " is divided by 500"));
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

static void test_queues_are_bounded_by_bytes(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(run(SOURCE ", batch: 1, bytes: 1048576, most: 16}\n" SINK("a", "n") ", slow_us: 100}\n"), ==,
                    EXIT_OK);
    check(fixture, "a", "n", all);
}

/* Dies at the n-th passage of the point. */
static void run_killed(const char *steps, const char *fault)
{
    int status = wait_for_end(run_apart("", steps, true, fault));
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

int main(int argc, char **argv)
{
    static const FixtureTest tests[] = {
        {"/runtime/killed-anywhere", test_killed_anywhere},
        {"/runtime/all-rows", test_all_rows},
        {"/runtime/splits-of-another-process", test_splits_of_another_process_are_not_waited_for},
        {"/runtime/again-is-nothing-more", test_again_is_nothing_more},
        {"/runtime/lagging-sinks-catch-up", test_lagging_sink},
        {"/runtime/lagging-sinks-of-a-table", test_lagging_sink_of_a_table},
        {"/runtime/lagging-sinks-of-a-crowd", test_lagging_sink_of_a_crowd},
        {"/runtime/positions-are-published", test_published},
        {"/runtime/holes", test_holes},
        {"/runtime/ranges-without-rows", test_nothing_but_range},
        {"/runtime/origins", test_origins},
        {"/runtime/retries", test_retries},
        {"/runtime/fenced-starts-anew", test_fenced_starts_anew},
        {"/runtime/failure-ends", test_failure_ends},
        {"/runtime/damaged-rows-stop", test_damaged_rows_stop},
        {"/runtime/revokes", test_revokes},
        {"/runtime/away-does-not-keep-splits", test_a_sink_that_is_away_does_not_keep_splits},
        {"/runtime/splits-change-tasks", test_splits_change_tasks},
        {"/runtime/transform-rejects", test_transform_rejects},
        {"/runtime/sink-rejects", test_sink_rejects},
        {"/runtime/rejects-of-a-retry", test_rejects_of_a_retry},
        {"/runtime/rejects-of-rejects", test_rejects_of_rejects},
        {"/runtime/batches-are-refused", test_batches_are_refused},
        {"/runtime/rejected-twice", test_rejected_twice},
        {"/runtime/reject-of-no-row", test_reject_of_no_row},
        {"/runtime/services", test_services},
        {"/runtime/places-of-rejects", test_places_of_rejects},
        {"/runtime/unread-rejects-stop", test_unread_rejects_stop},
        {"/runtime/slow-sink-holds-back", test_slow_sink_holds_back},
        {"/runtime/queues-are-bounded-by-bytes", test_queues_are_bounded_by_bytes},
    };
    return fixture_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
