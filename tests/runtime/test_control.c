/* Requests to a running process: refused where they are not ones, and carried out by the program's commands. */
#include "fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/printable.h"
#include "runtime/control.h"
#include "runtime/status.h"

#define ENDLESS SOURCE ", rows: 1000000000, batch: 10}\n" SINK("a", "n") ", slow_us: 200, mark: 20}\n"

static Pipeline *load(const char *name)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    g_autofree char *text = pipeline_text(name, "", SOURCE "}\n" SINK("a", "n") "}\n");
    Pipeline *pipeline = pipeline_load_text(text, "test.yaml", diagnostics);
    g_assert_nonnull(pipeline);
    return pipeline;
}

static GPtrArray *runners_of(Pipeline *const *pipelines, gsize n)
{
    GPtrArray *runners = g_ptr_array_new_with_free_func((GDestroyNotify) runner_free);
    for (gsize i = 0; i < n; i++)
        g_ptr_array_add(runners, runner_new(pipelines[i], &(RunnerOptions){.desired = DESIRED_STOPPED}));
    return runners;
}

/* Each text, its refusal, and nothing has come of it. */
static void test_refused(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    static const char *const cases[][2] = {
        {"{", "not a request"},
        {"[]", "not a request"},
        {"null", "not a request"},
        {"{}", "not a request"},
        {"\xff", "not a request"},
        {"{\"request\": null}", "not a request"},
        {"{\"request\": \"puase\", \"pipeline\": \"sales\"}", "unknown request 'puase'; did you mean 'pause'?"},
        {"{\"request\": \"a\\u001b[2J\"}", "unknown request 'a\\x1b[2J'"},
        {"{\"request\": \"pause\"}", "pause: 'pipeline' is missing"},
        {"{\"request\": \"pause\", \"pipeline\": 7}", "'pipeline' has to be of type string"},
        {"{\"request\": \"pause\", \"pipeline\": \"sales\", \"pid\": \"7\"}", "'pid' has to be of type int"},
        {"{\"request\": \"pause\", \"pipeline\": \"sales\", \"force\": true}", "unknown argument 'force'"},
        {"{\"request\": \"status\", \"pipeline\": \"sales\"}", "unknown argument 'pipeline'"},
        {"{\"request\": \"pause\", \"pipeline\": \"slaes\"}", "did you mean 'sales'?"},
        {"{\"request\": \"pause\", \"pipeline\": \"sales\", \"pid\": 1}", "pipeline 'sales' is not in process"},
    };
    Pipeline *pipelines[] = {load("sales"), load("copies")};
    g_autoptr(GPtrArray) runners = runners_of(pipelines, 2);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct json_object *answer = control_answer(runners, CONTROL_OPERATE, cases[i][0], strlen(cases[i][0]));
        const char *error = json_object_get_string(member(answer, "error"));
        g_autofree char *shown = printable(cases[i][0], "");
        g_test_message("%s: %s", shown, error);
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error, cases[i][1]));
        json_object_put(answer);
    }
    for (guint i = 0; i < runners->len; i++) {
        g_auto(States) states = {0};
        runner_states(runners->pdata[i], &states);
        g_assert_cmpint(states.desired.is, ==, DESIRED_STOPPED);
    }
    g_ptr_array_set_size(runners, 0);
    pipeline_free(pipelines[0]);
    pipeline_free(pipelines[1]);
}

static void test_roles_and_sizes(Fixture *fixture, gconstpointer data)
{
    (void) fixture, (void) data;
    static const char pause[] = "{\"request\": \"pause\", \"pipeline\": \"sales\", \"by\": \"ann\\n\"}";
    Pipeline *pipelines[] = {load("sales")};
    g_autoptr(GPtrArray) runners = runners_of(pipelines, 1);
    size_t n;
    const ControlRequest *requests = control_requests(&n);
    for (size_t i = 0; i < n; i++) { /* who may read gets at what is read alone */
        g_autofree char *text = g_strdup_printf("{\"request\": \"%s\", \"pipeline\": \"sales\"}", requests[i].name);
        struct json_object *answer = control_answer(runners, CONTROL_READ, text, strlen(text));
        bool refused = strstr(json_object_get_string(member(answer, "error")), "not allowed") != NULL;
        g_assert_cmpint(refused, ==, requests[i].role == CONTROL_OPERATE);
        json_object_put(answer);
    }
    g_autofree char *much = g_strnfill(CONTROL_MOST + 1, ' ');
    struct json_object *answer = control_answer(runners, CONTROL_OPERATE, much, CONTROL_MOST + 1);
    g_assert_nonnull(strstr(json_object_get_string(member(answer, "error")), "at most"));
    json_object_put(answer);
    answer = control_answer(runners, CONTROL_READ, "", 0);
    g_assert_cmpuint(json_object_array_length(member(answer, "pipelines")), ==, 1);
    g_assert_true(json_object_object_get_ex(answer, "memory_limit_bytes", NULL));
    g_assert_null(member(answer, "memory_limit_bytes")); /* nothing runs that has a part of it */
    json_object_put(answer);
    answer = control_answer(runners, CONTROL_OPERATE, pause, strlen(pause));
    g_assert_null(member(answer, "error"));
    g_assert_cmpint(json_object_get_int(member(answer, "pid")), ==, getpid());
    g_assert_cmpstr(json_object_get_string(member(member(answer, "desired"), "state")), ==, "paused");
    g_assert_true(g_str_has_prefix(json_object_get_string(member(member(answer, "desired"), "by")), "ann"));
    json_object_put(answer);
    g_ptr_array_set_size(runners, 0);
    pipeline_free(pipelines[0]);
}

/* ---- the program ------------------------------------------------ */

/* `sfrun <words>`; returns its standard output, *status its exit status. */
static char *sfrun(const char *words, int *status)
{
    g_autofree char *line = g_strdup_printf("%s %s", g_getenv("SF_TEST_SFRUN"), words);
    char *out = NULL;
    g_autofree char *err = NULL;
    int raw = 0;
    g_assert_true(g_spawn_command_line_sync(line, &out, &err, &raw, NULL));
    g_assert_true(WIFEXITED(raw));
    *status = WEXITSTATUS(raw);
    g_test_message("%s -> %d\n%s%s", words, *status, out, err);
    return out;
}

static gint64 rows_of(const Fixture *fixture)
{
    return total(fixture, "a", "n", "count/0").rows;
}

static void expect(const char *words, int wanted, const char *part)
{
    int status;
    g_autofree char *out = sfrun(words, &status);
    g_assert_cmpint(status, ==, wanted);
    g_assert_nonnull(strstr(out, part));
}

static void test_commands(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *marked = g_build_filename(fixture->dir, "a.marked", NULL);
    g_autofree char *json = NULL;
    int status;
    GPid pid = run_apart("", ENDLESS, false, NULL);
    await_file(marked);
    expect("pause numbers --why 'the warehouse moves' --wait 60s", 0, "numbers: paused (pid ");
    gint64 rows = rows_of(fixture);
    g_assert_cmpint(rows, >, 0);
    expect("status", 0, ": the warehouse moves");
    json = sfrun("status --json numbers", &status);
    g_assert_nonnull(strstr(json, "\"state\":\"paused\""));
    g_assert_nonnull(strstr(json, "(sfrun pause)"));
    g_assert_cmpint(rows_of(fixture), ==, rows);
    expect("stop numbers --wait 60s", 0, "numbers: stopped");
    expect("resume numbers --json --wait 60s", 0, "\"state\":\"running\"");
    while (rows_of(fixture) == rows)
        g_usleep(1000);
    expect("pause slaes", 3, "");
    expect("pause numbers --pid 1", 3, "");
    expect("pause numbers --wait soon", 2, "");
    expect("stop numbers --wait 60s", 0, "numbers: stopped");
    kill(pid, SIGTERM); /* it has nothing to run, and waits for a wish */
    g_assert_cmpint(wait_for_end(pid), ==, 0);
    Total got = total(fixture, "a", "n", "count/0");
    g_assert_cmpint(got.rows, ==, got.end);
    g_assert_cmpint(got.sum, ==, got.end * (got.end - 1) / 2);
}

static void await_status(const char *part, bool there)
{
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    bool found = !there;
    while (found != there && g_get_monotonic_time() < deadline) {
        int status;
        g_autofree char *out = sfrun("status", &status);
        found = strstr(out, part) != NULL;
    }
    g_assert_cmpint(found, ==, there);
}

/* A paused source is served, and what that shows is its trouble: until it is over. */
static void test_trouble_of_a_paused_source(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *marked = g_build_filename(fixture->dir, "a.marked", NULL);
    g_autofree char *ill = g_build_filename(fixture->dir, "ill", NULL);
    g_autofree char *steps = g_strdup_printf(
        SOURCE ", rows: 1000000000, batch: 10, ill: '%s'}\n" SINK("a", "n") ", slow_us: 200, mark: 20}\n", ill);
    GPid pid = run_apart("", steps, false, NULL);
    await_file(marked);
    expect("pause numbers --wait 60s", 0, "numbers: paused (pid ");
    expect("status", 0, "");
    g_assert_true(g_file_set_contents(ill, "", 0, NULL));
    await_status("is in trouble: the numbers are ill", true);
    g_remove(ill);
    await_status("is in trouble", false);
    g_assert_true(g_file_set_contents(ill, "", 0, NULL));
    await_status("is in trouble: the numbers are ill", true);
    expect("resume numbers --wait 60s", 0, "numbers: running"); /* whoever is polled speaks for itself */
    await_status("is in trouble", false);
    kill(pid, SIGTERM);
    g_assert_cmpint(wait_for_end(pid), ==, 0);
}

/* What cannot be committed keeps it from being paused: said after the time, with status 1; it stays wanted. */
static void test_not_yet(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *marked = g_build_filename(fixture->dir, "a.marked", NULL);
    GPid pid =
        run_apart("checkpoint: 1h\nshutdown: 1s\n",
                  SOURCE ", rows: 1000000000, batch: 10}\n" SINK("a", "n") ", mark: 20, away: commit}\n", false, NULL);
    await_file(marked);
    expect("pause numbers --wait 300ms", 1, "numbers: pausing");
    expect("pause numbers --wait 0", 0, "numbers: pausing");
    kill(pid, SIGTERM);
    wait_for_end(pid);
}

/* ---- another server ------------------------------------------------ */

/* A process that does not always understand what it is asked: an older one, or one that has not heard it in time. */
typedef struct Deaf {
    int times; /* it answers with its status, whatever it was asked */
    int pid, asked;
    int refuses; /* with an error after that */
    const char *words;
    int status;
    char *out;
    gint done; /* atomic */
} Deaf;

/* Silence counts as well, in which a request may have been lost under load. */
static struct json_object *answer_deaf(gpointer data, const char *asked, gsize size)
{
    Deaf *deaf = data;
    g_autofree char *text = NULL;
    (void) asked, (void) size;
    if (++deaf->asked <= deaf->times)
        text = g_strdup_printf("{\"pid\": %d, \"pipelines\": [{\"pipeline\": \"sales\", \"state\": \"running\"}]}",
                               deaf->pid);
    else if (deaf->refuses)
        text = g_strdup("{\"request\": \"stop\", \"error\": \"stop: not today\"}");
    else
        text = g_strdup_printf("{\"request\": \"stop\", \"pid\": %d, \"pipeline\": \"sales\", \"state\": \"stopped\"}",
                               deaf->pid);
    return json_tokener_parse(text);
}

static gpointer ask_deaf(gpointer data)
{
    Deaf *deaf = data;
    deaf->out = sfrun(deaf->words, &deaf->status);
    g_atomic_int_set(&deaf->done, 1);
    g_main_context_wakeup(NULL);
    return NULL;
}

static void test_deaf_servers(Fixture *fixture, gconstpointer data)
{
    (void) data;
    static const struct {
        int times, refuses;
        const char *words, *out;
        int status, asked;
    } cases[] = {
        {1, 0, "stop sales", "sales: stopped (pid 4711)", 0, 2},
        {9, 0, "stop sales", "", 1, 2},
        {9, 0, "stop sales --wait 0 --json", "it answered with its status", 1, 2},
        {9, 0, "stop sales --pid 4712", "", 3, 1}, /* another process is meant */
        {9, 0, "stop others", "", 3, 1},
        {0, 1, "stop sales --json", "not today", 1, 1},
        {0, 1, "stop sales --wait 0", "", 1, 1},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Deaf deaf = {.times = cases[i].times, .refuses = cases[i].refuses, .pid = 4711, .words = cases[i].words};
        StatusServer *server = status_server_new(fixture->dir, answer_deaf, &deaf);
        g_assert_nonnull(server);
        GThread *thread = g_thread_new("ask", ask_deaf, &deaf);
        while (!g_atomic_int_get(&deaf.done))
            g_main_context_iteration(NULL, TRUE);
        g_thread_join(thread);
        status_server_free(server);
        g_assert_cmpint(deaf.status, ==, cases[i].status);
        g_assert_nonnull(strstr(deaf.out, cases[i].out));
        g_assert_cmpint(deaf.asked, ==, cases[i].asked);
        g_free(deaf.out);
    }
}

int main(int argc, char **argv)
{
    static const FixtureTest tests[] = {
        {"/control/refused", test_refused},
        {"/control/roles-and-sizes", test_roles_and_sizes},
        {"/control/commands", test_commands},
        {"/control/not-yet", test_not_yet},
        {"/control/paused-in-trouble", test_trouble_of_a_paused_source},
        {"/control/deaf-servers", test_deaf_servers},
    };
    return fixture_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
