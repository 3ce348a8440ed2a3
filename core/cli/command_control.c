/* `sfrun pause|resume|stop|trigger PIPELINE`: what the user wants of pipelines that run, and whether they have come to
 * it. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "config/parse.h"
#include "runtime/runtime.h"
#include "runtime/status.h"
#include "status_print.h"

#define EXIT_NOT_RUNNING 3
#define LOOK_US (100 * 1000)

typedef struct Options {
    bool json;
    const char *state_dir;
    const char *why;
    const char *wait;
    int64_t pid;
} Options;

static const CliFlag flags[] = {
    CLI_FLAG(0, "TEXT", SF_OPTION_STRING(Options, why, .doc = "Shown by status to whoever wonders.")),
    CLI_FLAG(0, "DURATION",
             SF_OPTION_STRING(Options, wait, .value = "30s",
                              .doc = "How long to wait until it is so; 0: only say what is wanted.")),
    CLI_FLAG(0, "PID",
             SF_OPTION_INT(Options, pid, .value = "0", .min = "0",
                           .doc = "Only of that process, where several run the pipeline.")),
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(Options, json, .doc = "Print JSON.")),
    CLI_FLAG(0, "DIR", SF_OPTION_STRING(Options, state_dir, .doc = "Where the status sockets are.")),
    CLI_FLAGS_END};

#define EXITS                                                                                                          \
    "1  it has failed, a process has not taken the request, or it is not there yet when --wait is over: it goes on "   \
    "all the same\n3  no such pipeline is running"

const CliPage command_pause_page = {
    .name = "pause",
    .arguments = "PIPELINE",
    .summary = "Read nothing more, and keep everything",
    .text = "The pipeline reads nothing more and commits what it has read. Memberships of groups, connections and "
            "positions stay, so that nobody else takes its partitions over; `sfrun resume` goes on exactly there. A "
            "pause lasts as long as the process: it starts anew without it.",
    .flags = flags,
    .examples = "sfrun pause sales --why 'the warehouse moves'",
    .exits = EXITS,
    .least = 1,
    .most = 1};

const CliPage command_resume_page = {
    .name = "resume",
    .arguments = "PIPELINE",
    .summary = "Go on after a pause or a stop",
    .text = "Ends a pause; starts a pipeline that was stopped, has ended or has failed while its process went on. It "
            "goes on from what its sinks have.",
    .flags = flags,
    .examples = "sfrun resume sales",
    .exits = EXITS,
    .least = 1,
    .most = 1};

const CliPage command_stop_page = {
    .name = "stop",
    .arguments = "PIPELINE",
    .summary = "Stop a pipeline, and release everything",
    .text = "The pipeline commits what it has read within its 'shutdown' time, leaves its groups and closes its "
            "connections: other processes take its partitions over. Its process stays, also where it runs nothing "
            "else, so that `sfrun resume` can start it again; SIGTERM ends the process.",
    .flags = flags,
    .examples = "sfrun stop sales\nsfrun stop sales --pid 4711",
    .exits = EXITS,
    .least = 1,
    .most = 1};

const CliPage command_trigger_page = {
    .name = "trigger",
    .arguments = "PIPELINE",
    .summary = "Begin a run of a scheduled pipeline now",
    .text = "Begins a run now, whatever the schedule says, and waits for its end. Where a run goes on, another one "
            "follows it: one runs at a time.",
    .flags = flags,
    .examples = "sfrun trigger daily_sales --why 'late files came'\nsfrun trigger daily_sales --wait 1h",
    .exits = "1  the run has failed or was stopped, a process has not taken the request, or it has not ended yet when "
             "--wait is over: "
             "it goes on all the same\n3  no such pipeline is running",
    .least = 1,
    .most = 1};

/* A request, and the states in which it is done; anew: those count that are later than the wish. NULL: when the run has
 * ended that it begins. */
typedef struct Wish {
    const CliPage *page;
    const char *const *reached;
    bool anew;
} Wish;

/* What is said of a process that has ended meanwhile. */
#define ENDED "ended"

static const char *const paused[] = {"paused", "waiting", NULL};
static const char *const running[] = {"running", "done", "waiting", ENDED, NULL};
static const char *const stopped[] = {"stopped", "done", ENDED, NULL};

/* pid: 0: of whichever process. */
static struct json_object *request_of(const Wish *wish, const char *pipeline, const Options *options, gint64 pid)
{
    struct json_object *request = json_object_new_object();
    g_autofree char *by = g_strdup_printf("%s (sfrun %s)", g_get_user_name(), wish->page->name);
    json_object_object_add(request, "request", json_object_new_string(wish->page->name));
    json_object_object_add(request, "pipeline", json_object_new_string(pipeline));
    json_object_object_add(request, "by", json_object_new_string(by));
    if (options->why)
        json_object_object_add(request, "why", json_object_new_string(options->why));
    if (pid > 0)
        json_object_object_add(request, "pid", json_object_new_int64(pid));
    return request;
}

static void put_answer(gpointer answer)
{
    json_object_put(answer);
}

/* What the process says of the pipeline now, or NULL. */
static struct json_object *pipeline_in(const GPtrArray *processes, gint64 pid, const char *name)
{
    for (guint i = 0; i < processes->len; i++) {
        struct json_object *pipelines = status_list(processes->pdata[i], "pipelines");
        for (size_t k = 0; pipelines && k < json_object_array_length(pipelines); k++) {
            struct json_object *pipeline = json_object_array_get_idx(pipelines, k);
            if (status_int(processes->pdata[i], "pid") == pid && strcmp(status_text(pipeline, "pipeline"), name) == 0)
                return pipeline;
        }
    }
    return NULL;
}

/* Adds to `known` the answers of processes that have the pipeline. Returns what all have said. */
static GPtrArray *ask_once(const Wish *wish, const char *pipeline, const Options *options, gint64 pid, GPtrArray *known)
{
    struct json_object *request = request_of(wish, pipeline, options, pid);
    GPtrArray *answers = status_ask(options->state_dir, request);
    for (guint i = 0; i < answers->len; i++) {
        struct json_object *answer = answers->pdata[i];
        if (*status_text(answer, "request") && !json_object_object_get_ex(answer, "known", NULL))
            g_ptr_array_add(known, json_object_get(answer));
    }
    json_object_put(request);
    return answers;
}

static struct json_object *unheard(const Wish *wish, const char *pipeline, gint64 pid)
{
    struct json_object *answer = json_object_new_object();
    g_autofree char *error =
        g_strdup_printf("%s: process %" G_GINT64_FORMAT " runs '%s', but it answered with its status and may not have "
                        "taken the request; try again, or stop the process with SIGTERM if its version of sfrun does "
                        "not know the request",
                        wish->page->name, pid, pipeline);
    json_object_object_add(answer, "request", json_object_new_string(wish->page->name));
    json_object_object_add(answer, "pid", json_object_new_int64(pid));
    json_object_object_add(answer, "pipeline", json_object_new_string(pipeline));
    json_object_object_add(answer, "error", json_object_new_string(error));
    return answer;
}

/* Answers of processes that have the pipeline. One that has not heard the request in time, or is too old to know any,
 * answers with its status: it is asked once more, and it alone. */
static GPtrArray *ask_for(const Wish *wish, const char *pipeline, const Options *options)
{
    GPtrArray *known = g_ptr_array_new_with_free_func(put_answer);
    g_autoptr(GPtrArray) answers = ask_once(wish, pipeline, options, options->pid, known);
    for (guint i = 0; i < answers->len; i++) {
        gint64 pid = status_int(answers->pdata[i], "pid");
        guint before = known->len;
        if (*status_text(answers->pdata[i], "request") || !pipeline_in(answers, pid, pipeline) ||
            (options->pid > 0 && options->pid != pid))
            continue;
        g_ptr_array_unref(ask_once(wish, pipeline, options, pid, known));
        if (known->len == before)
            g_ptr_array_add(known, unheard(wish, pipeline, pid));
    }
    return known;
}

static bool is_refused(struct json_object *answer)
{
    return *status_text(answer, "error") != '\0';
}

/* Whether the run that was triggered has ended; of one before a later one no more is known. */
static bool has_run(struct json_object *answer)
{
    struct json_object *run = NULL;
    gint64 wanted = status_int(answer, "triggered");
    if (!json_object_object_get_ex(answer, "run", &run) || !run)
        return false;
    return status_int(run, "run") > wanted || (status_int(run, "run") == wanted && *status_text(run, "outcome"));
}

/* Nothing more is to be waited for. */
static bool is_settled(const Wish *wish, struct json_object *answer)
{
    static const char *const over[] = {"failed", "done", "stopped", NULL};
    struct json_object *desired = NULL;
    const char *state = status_text(answer, "state");
    bool known = json_object_object_get_ex(answer, "desired", &desired);
    if (is_refused(answer))
        return true;
    if (!wish->reached)
        return has_run(answer) || strcmp(state, ENDED) == 0;
    if (wish->anew && known && g_strv_contains(over, state))
        return status_int(answer, "state_since_ms") >= status_int(desired, "since_ms");
    return g_strv_contains(wish->reached, state) || g_strv_contains(over, state) || strcmp(state, ENDED) == 0;
}

/* Takes over the states of now. Whether all are settled. */
static bool look_again(const Wish *wish, const GPtrArray *answers, const Options *options)
{
    g_autoptr(GPtrArray) processes = status_ask_all(options->state_dir);
    bool settled = true;
    for (guint i = 0; i < answers->len; i++) {
        static const char *const taken[] = {"state", "state_since_ms", "state_why", "desired", "run"};
        struct json_object *answer = answers->pdata[i];
        if (is_refused(answer))
            continue;
        struct json_object *now = pipeline_in(processes, status_int(answer, "pid"), status_text(answer, "pipeline"));
        for (gsize k = 0; now && k < G_N_ELEMENTS(taken); k++)
            json_object_object_add(answer, taken[k], json_object_get(json_object_object_get(now, taken[k])));
        if (!now)
            json_object_object_add(answer, "state", json_object_new_string(ENDED));
        settled = settled && is_settled(wish, answer);
    }
    return settled;
}

static bool all_settled(const Wish *wish, const GPtrArray *answers)
{
    for (guint i = 0; i < answers->len; i++) {
        if (!is_settled(wish, answers->pdata[i]))
            return false;
    }
    return true;
}

/* "paused", "run 4 complete", "run 4 goes on". To be freed. */
static char *outcome_text(struct json_object *answer)
{
    struct json_object *run = NULL;
    gint64 wanted = status_int(answer, "triggered");
    json_object_object_get_ex(answer, "run", &run);
    if (wanted < 0)
        return g_strdup(status_text(answer, "state"));
    if (!run || status_int(run, "run") < wanted)
        return g_strdup_printf("run %" G_GINT64_FORMAT " has not begun", wanted);
    const char *outcome = status_int(run, "run") > wanted ? "is over, the log says how" : status_text(run, "outcome");
    return g_strdup_printf("run %" G_GINT64_FORMAT " %s", wanted, *outcome ? outcome : "goes on");
}

static void print_answers(const GPtrArray *answers, bool json)
{
    struct json_object *array = json_object_new_array();
    for (guint i = 0; i < answers->len; i++) {
        struct json_object *answer = answers->pdata[i];
        const char *error = status_text(answer, "error"), *why = status_text(answer, "state_why");
        g_autofree char *outcome = outcome_text(answer);
        json_object_array_add(array, json_object_get(answer));
        if (json)
            continue;
        if (*error)
            fprintf(stderr, "sfrun: %s\n", error);
        else
            printf("%s: %s (pid %" G_GINT64_FORMAT ")%s%s\n", status_text(answer, "pipeline"), outcome,
                   status_int(answer, "pid"), *why ? ": " : "", why);
    }
    if (json)
        printf("%s\n", json_object_to_json_string_ext(array, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(array);
}

/* What came of a run before the last is not known here. */
static bool has_completed(struct json_object *answer)
{
    struct json_object *run = NULL;
    json_object_object_get_ex(answer, "run", &run);
    return run && status_int(run, "run") == status_int(answer, "triggered") &&
           strcmp(status_text(run, "outcome"), "complete") == 0;
}

/* Whether each has taken the wish, and has come to it; come: that is not asked. */
static bool all_reached(const Wish *wish, const GPtrArray *answers, bool come)
{
    for (guint i = 0; i < answers->len; i++) {
        struct json_object *answer = answers->pdata[i];
        bool reached = come || (wish->reached ? g_strv_contains(wish->reached, status_text(answer, "state"))
                                              : has_completed(answer));
        if (!reached || is_refused(answers->pdata[i]))
            return false;
    }
    return true;
}

static int command_wish(const Wish *wish, int argc, char **argv)
{
    Options options = {0};
    gint64 wait_ms = 0;
    g_auto(CliLine) line = {0};
    int status = cli_parse(wish->page, argc, argv, &options, &line);
    if (status >= 0)
        return status;
    if (!parse_duration(options.wait, &wait_ms))
        return cli_fail(wish->page, "--wait takes a duration, such as 30s, not '%s'", options.wait);
    g_autoptr(GPtrArray) answers = ask_for(wish, line.words[0], &options);
    if (answers->len == 0) {
        fprintf(stderr, "sfrun %s: no pipeline '%s' is running; `sfrun status` lists those that are\n",
                wish->page->name, line.words[0]);
        return EXIT_NOT_RUNNING;
    }
    gint64 until = g_get_monotonic_time() + wait_ms * 1000;
    bool settled = all_settled(wish, answers);
    while (!settled && g_get_monotonic_time() < until) {
        g_usleep(LOOK_US);
        settled = look_again(wish, answers, &options);
    }
    print_answers(answers, options.json);
    return all_reached(wish, answers, wait_ms == 0) ? EXIT_OK : EXIT_FAILED;
}

int command_pause(int argc, char **argv)
{
    return command_wish(&(Wish){&command_pause_page, paused, false}, argc, argv);
}

int command_resume(int argc, char **argv)
{
    return command_wish(&(Wish){&command_resume_page, running, true}, argc, argv);
}

int command_trigger(int argc, char **argv)
{
    return command_wish(&(Wish){&command_trigger_page, NULL, false}, argc, argv);
}

int command_stop(int argc, char **argv)
{
    return command_wish(&(Wish){&command_stop_page, stopped, false}, argc, argv);
}
