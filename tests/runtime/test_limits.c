/* Runs that must not end well: too many rejects, nothing that goes on. And what the end says of a run. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define PICK(more) "  p: {transform: pick-transform, from: n, " more "}\n"

typedef struct Case {
    const char *settings, *steps;
    ExitCode code;
    const char *said; /* in the log, or NULL */
} Case;

static void run_case(const Case *wanted)
{
    int status = 0;
    g_autofree char *log = run_heard(wanted->settings, wanted->steps, &status);
    g_test_message("%s%s%s", wanted->settings, wanted->steps, log);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, wanted->code);
    g_assert_true(!wanted->said || strstr(log, wanted->said));
}

static void run_cases(const Case *cases, gsize n)
{
    for (gsize i = 0; i < n; i++)
        run_case(&cases[i]);
}

/* Without a limit of the user's: a warning above 1 %, an end when nothing of the first 1,000 rows was taken. */
static void test_rejects_by_default(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    static const Case cases[] = {
        {"", SOURCE "}\n" PICK("reject: 1, on_reject: drop") SINK("a", "p") "}\n", EXIT_FAILED,
         "(100 %) were rejected"},
        {"", SOURCE "}\n" PICK("reject: 1") SINK("b", "p") "}\n" SINK("c", "p.errors") "}\n", EXIT_FAILED,
         "is not wanted; fix the cause, or set 'max_rejects: 100%'"},
        {"", SOURCE "}\n" SINK("d", "n") ", reject: 1}\n" SINK("e", "d.errors") "}\n", EXIT_FAILED, "is divided by 1"},
        {"", SOURCE "}\n" PICK("reject: 50, on_reject: drop") SINK("f", "p") "}\n", EXIT_OK,
         "60 of 3000 rows (2 %) were rejected, most of them like this: 0 is not wanted"},
        {"", SOURCE ", rows: 100}\n" PICK("reject: 1, on_reject: drop") SINK("g", "p") "}\n", EXIT_FAILED,
         "no row is left"},
        {"", SOURCE ", rows: 100}\n" PICK("reject: 1") SINK("h", "p") "}\n" SINK("i", "p.errors") "}\n", EXIT_OK,
         "300 of 300 rows (100 %) were rejected"},
    };
    run_cases(cases, G_N_ELEMENTS(cases));
    g_assert_cmpint(total(fixture, "i", "p.errors", "count/0").rows, ==, 100);
}

static void test_no_warning_for_few(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    int status = 0;
    g_autofree char *log =
        run_heard("", SOURCE "}\n" PICK("reject: 200, on_reject: drop") SINK("a", "p") "}\n", &status);
    g_assert_cmpint(status, ==, 0);
    g_assert_null(strstr(log, "were rejected"));
}

static void test_max_rejects(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    static const char *const limits[][2] = {{"max_rejects: 30", "max_rejects: 29"},
                                            {"max_rejects: 2%", "max_rejects: 0.9 %"},
                                            {"max_rejects: 0.02", "max_rejects: 0.009"},
                                            {"max_rejects: 100%", "max_rejects: 0"}};
    for (gsize i = 0; i < G_N_ELEMENTS(limits); i++) {
        for (gsize k = 0; k < 2; k++) {
            g_autofree char *steps = g_strdup_printf(
                SOURCE "}\n  p: {transform: pick-transform, from: n, reject: 100, on_reject: drop, %s}\n"
                       "  a: {sink: ledger-sink, from: p, path: '${DIR}/a%d%d'}\n",
                limits[i][k], (int) i, (int) k);
            run_case(&(Case){"", steps, k == 0 ? EXIT_OK : EXIT_FAILED, k == 0 ? NULL : "more than its 'max_rejects'"});
        }
    }
}

/* A step's own limit goes before the pipeline's; a step that has none has the pipeline's. */
static void test_max_rejects_of_the_pipeline(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    static const Case cases[] = {
        {"max_rejects: 5\n", SOURCE "}\n" PICK("reject: 100, on_reject: drop") SINK("a", "p") "}\n", EXIT_FAILED,
         "pick-transform 'p': "},
        {"max_rejects: 5\n", SOURCE "}\n" PICK("reject: 100, on_reject: drop, max_rejects: 50") SINK("b", "p") "}\n",
         EXIT_OK, NULL},
        {"max_rejects: 100%\n", SOURCE "}\n" PICK("reject: 1, on_reject: drop") SINK("c", "p") "}\n", EXIT_OK, NULL},
    };
    run_cases(cases, G_N_ELEMENTS(cases));
}

/* A row that a sink is asked for again is rejected once. */
static void test_rejects_count_once(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    run_case(&(Case){
        "", SOURCE "}\n" SINK("a", "n") ", twice: true, reject: 100, max_rejects: 30}\n" SINK("b", "a.errors") "}\n",
        EXIT_OK, NULL});
}

static void test_gives_up(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    static const Case cases[] = {
        {"", SOURCE "}\n" SINK("a", "n") ", away: open}\n", EXIT_FAILED, "the ledger is away for open"},
        {"", SOURCE "}\n" SINK("b", "n") ", away: recover}\n", EXIT_FAILED, "the ledger is away for recover"},
        {"", SOURCE "}\n" SINK("c", "n") ", away: commit}\n", EXIT_FAILED, "the ledger is away for commit"},
        {"", SOURCE ", away: '${DIR}/n.open'}\n" SINK("d", "n") "}\n", EXIT_FAILED, "the numbers cannot be opened"},
        {"", SOURCE "}\n" SINK("e", "n") ", hang: write}\n", EXIT_FAILED, "without progress (--give-up-after)"},
    };
    setenv("SF_TEST_GIVE_UP_MS", "3000", 1);
    run_cases(cases, G_N_ELEMENTS(cases));
    setenv("SF_TEST_GIVE_UP_MS", "600000", 1); /* what goes on does not end by it, however slow */
    run_case(&(Case){"", SOURCE "}\n" SINK("f", "n") ", fence_at: 1}\n", EXIT_OK, NULL});
    unsetenv("SF_TEST_GIVE_UP_MS");
}

static struct json_object *last_record(const char *log)
{
    g_test_message("%s", log);
    g_auto(GStrv) lines = g_strsplit(log, "\n", -1);
    guint n = g_strv_length(lines);
    g_assert_cmpuint(n, >=, 2);
    struct json_object *record = json_tokener_parse(lines[n - 2]);
    g_assert_nonnull(record);
    g_assert_cmpstr(json_object_get_string(member(record, "event")), ==, "end");
    return record;
}

/* Programs read the end of a run from one object. */
static void test_end_is_one_record(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    int status = 0;
    g_autofree char *log =
        run_heard("", SOURCE "}\n" PICK("reject: 100, on_reject: drop") SINK("a", "p") "}\n", &status);
    struct json_object *record = last_record(log), *steps = member(record, "steps");
    g_assert_cmpstr(json_object_get_string(member(record, "pipeline")), ==, "numbers");
    g_assert_cmpstr(json_object_get_string(member(record, "state")), ==, "done");
    g_assert_cmpint(json_object_get_int(member(record, "exit_code")), ==, 0);
    g_assert_true(json_object_get_boolean(member(record, "complete")));
    g_assert_cmpuint(json_object_array_length(steps), ==, 3);
    struct json_object *pick = json_object_array_get_idx(steps, 1);
    g_assert_cmpint(json_object_get_int(member(pick, "rows_in")), ==, 3 * ROWS);
    g_assert_cmpint(json_object_get_int(member(pick, "rejected")), ==, 30);
    g_assert_nonnull(strstr(json_object_get_string(member(pick, "commonest_reject")), "is not wanted"));
    json_object_put(record);

    g_autofree char *failed = run_heard("", SOURCE "}\n" SINK("b", "n") ", fail_at: 1}\n", &status);
    record = last_record(failed);
    g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_FAILED);
    g_assert_cmpstr(json_object_get_string(member(record, "state")), ==, "failed");
    g_assert_cmpint(json_object_get_int(member(record, "exit_code")), ==, EXIT_FAILED);
    g_assert_nonnull(strstr(json_object_get_string(member(record, "error")), "the ledger is broken"));
    json_object_put(record);
}

/* Memory and threads that are not to be had: an error and status 1, or a run that does with less, never a death. */
static void test_little_memory(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    g_test_skip("the sanitizers need addresses without limit");
#else
    guint failed = 0;
    for (int kib = 24000; kib <= 120000; kib += 4000) {
        int status = 0;
        g_autofree char *limit = g_strdup_printf("%d", kib);
        g_autofree char *steps =
            g_strdup_printf(SOURCE ", bytes: 1000}\n  a: {sink: ledger-sink, from: n, path: '${DIR}/a%d'}\n", kib);
        setenv("SF_TEST_ADDRESSES_KIB", limit, 1);
        g_autofree char *log = run_heard("", steps, &status);
        unsetenv("SF_TEST_ADDRESSES_KIB");
        g_test_message("%d KiB: %s", kib, log);
        bool loaded = *log != '\0' && !strstr(log, "error while loading shared libraries");
        g_assert_true(WIFEXITED(status));
        if (!loaded)
            continue;
        failed += WEXITSTATUS(status) != 0;
        g_assert_cmpint(WEXITSTATUS(status), <=, EXIT_FAILED);
        g_assert_true(WEXITSTATUS(status) == 0 || strstr(log, "limit") || strstr(log, "memory"));
    }
    g_assert_cmpuint(failed, >, 0);
#endif
}

/* A small process that a large one has started says how large it was itself. */
static void test_peak_is_its_own(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    const gsize size = (gsize) 400 << 20;
    int status = 0;
    g_autofree char *large = g_malloc(size);
    memset(large, 1, size);
    g_autofree char *log = run_heard("", SOURCE "}\n" SINK("a", "n") "}\n", &status);
    struct json_object *record = last_record(log);
    gint64 peak = json_object_get_int64(member(record, "peak_rss_bytes"));
    g_assert_cmpint(status, ==, 0);
    g_assert_cmpint(peak, >, 1 << 20);
    g_assert_cmpint(peak, <, (gint64) size);
    json_object_put(record);
}

/* How often the process's threads of that name have gone to sleep; 0: there is none. */
static gint64 sleeps_of(GPid pid, const char *thread)
{
    g_autofree char *tasks = g_strdup_printf("/proc/%d/task", (int) pid);
    g_autoptr(GDir) dir = g_dir_open(tasks, 0, NULL);
    gint64 sum = 0;
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(tasks, name, "status", NULL), *text = NULL;
        g_autofree char *head = g_strdup_printf("Name:\t%s\n", thread);
        if (!g_file_get_contents(path, &text, NULL, NULL) || !g_str_has_prefix(text, head))
            continue;
        const char *count = strstr(text, "\nvoluntary_ctxt_switches:");
        sum += count ? g_ascii_strtoll(count + strlen("\nvoluntary_ctxt_switches:"), NULL, 10) : 0;
    }
    return sum;
}

/* While the source looks for more twenty times, the sinks that have committed everything do nothing at all. */
static void test_idle_sinks_sleep(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *committed = g_build_filename(fixture->dir, "asleep", NULL);
    GPid pid = run_apart("", SOURCE "}\n" SINK("asleep", "n") "}\n", false, NULL);
    await_file(committed);
    bool slept = false;
    for (guint round = 0; round < 20 && !slept; round++) { /* the first may see commits */
        gint64 before = sleeps_of(pid, "asleep"), polls = sleeps_of(pid, "n");
        while (sleeps_of(pid, "n") < polls + 20)
            g_usleep(10 * 1000);
        slept = before > 0 && sleeps_of(pid, "asleep") == before;
    }
    g_assert_true(slept);
    kill(pid, SIGTERM);
    int status = wait_for_end(pid);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_OK);
    check(fixture, "asleep", "n", all);
}

/* Clients of servers have things to do meanwhile: their sinks' ticks go on. */
static void test_idle_sinks_tick(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *ticked = g_build_filename(fixture->dir, "ticking.ticked", NULL);
    GPid pid =
        run_apart("", SOURCE "}\n  ticking: {sink: ticking-sink, from: n, path: '${DIR}/ticking'}\n", false, NULL);
    await_file(ticked);
    kill(pid, SIGTERM);
    int status = wait_for_end(pid);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_OK);
    check(fixture, "ticking", "n", all);
}

int main(int argc, char **argv)
{
    static const FixtureTest tests[] = {
        {"/limits/rejects-by-default", test_rejects_by_default},
        {"/limits/no-warning-for-few", test_no_warning_for_few},
        {"/limits/max-rejects", test_max_rejects},
        {"/limits/max-rejects-of-the-pipeline", test_max_rejects_of_the_pipeline},
        {"/limits/rejects-count-once", test_rejects_count_once},
        {"/limits/gives-up", test_gives_up},
        {"/limits/little-memory", test_little_memory},
        {"/limits/peak-is-its-own", test_peak_is_its_own},
        {"/limits/end-is-one-record", test_end_is_one_record},
        {"/limits/idle-sinks-sleep", test_idle_sinks_sleep},
        {"/limits/idle-sinks-tick", test_idle_sinks_tick},
    };
    return fixture_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
