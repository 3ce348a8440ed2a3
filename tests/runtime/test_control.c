/* Requests to a running process: refused where they are not ones, and carried out by the program's commands. */
#include "fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
        g_test_message("%s: %s", cases[i][0], error);
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

int main(int argc, char **argv)
{
    static const FixtureTest tests[] = {
        {"/control/refused", test_refused},
        {"/control/roles-and-sizes", test_roles_and_sizes},
        {"/control/commands", test_commands},
        {"/control/not-yet", test_not_yet},
    };
    return fixture_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
