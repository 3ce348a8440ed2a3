/* The table of requests, and how one is taken; see control.h. */
#include "control.h"

#include <string.h>
#include <unistd.h>

#include "config/suggest.h"
#include "data/printable.h"
#include "report.h"

#define DEPTH 8
#define LONGEST 400 /* of what is kept of a text */

static const char *argument_text(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(object, key, &value) && value ? json_object_get_string(value) : NULL;
}

static void add_to_answer(struct json_object *object, const char *key, const char *value)
{
    json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

/* What another process says, fit for logs and terminals, and not longer than it needs to be. */
static char *kept_text(const char *text)
{
    g_autofree char *line = message_line(text);
    return printable_cut(line, LONGEST, 0);
}

/* ---- handlers ------------------------------------------------ */

static SfStatus handle_status(const GPtrArray *runners, struct json_object *arguments, struct json_object *answer,
                              SfError *err)
{
    struct json_object *document = report_process(runners);
    (void) arguments, (void) err;
    json_object_object_foreach(document, key, value)
    {
        json_object_object_add(answer, key, json_object_get(value));
    }
    json_object_put(document);
    return SF_OK;
}

static SfStatus unknown_pipeline(const GPtrArray *runners, const char *name, SfError *err)
{
    char nearest[128];
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < runners->len; i++)
        g_ptr_array_add(names, runner_pipeline(runners->pdata[i])->name);
    sf_suggest(name, (const char *const *) names->pdata, names->len, nearest, sizeof nearest);
    g_autofree char *shown = kept_text(name);
    return sf_fail(err, SF_EMPTY, "pipeline '%s' is not in process %d%s", shown, (int) getpid(), nearest);
}

/* The runner that is meant, or NULL. */
static Runner *find_runner(const GPtrArray *runners, struct json_object *arguments, SfError *err)
{
    struct json_object *pid = NULL;
    const char *name = argument_text(arguments, "pipeline");
    bool elsewhere = json_object_object_get_ex(arguments, "pid", &pid) && json_object_get_int64(pid) != getpid();
    for (guint i = 0; !elsewhere && i < runners->len; i++) {
        if (strcmp(runner_pipeline(runners->pdata[i])->name, name) == 0)
            return runners->pdata[i];
    }
    unknown_pipeline(runners, name, err);
    return NULL;
}

/* Adds to the answer where the pipeline is and what it is to be. */
static void add_pipeline(Runner *runner, struct json_object *answer)
{
    json_object_object_add(answer, "pid", json_object_new_int(getpid()));
    add_to_answer(answer, "pipeline", runner_pipeline(runner)->name);
    report_states(runner, answer);
}

/* Who asks, fit to be kept. */
static char *asked_by(struct json_object *arguments)
{
    const char *by = argument_text(arguments, "by");
    return kept_text(by ? by : "the status socket");
}

/* Why, or NULL. */
static char *asked_why(struct json_object *arguments)
{
    const char *why = argument_text(arguments, "why");
    return why && *why ? kept_text(why) : NULL;
}

static SfStatus handle_wish(const GPtrArray *runners, struct json_object *arguments, struct json_object *answer,
                            Desired desired, SfError *err)
{
    Runner *runner = find_runner(runners, arguments, err);
    g_autofree char *by = asked_by(arguments), *why = asked_why(arguments);
    if (!runner)
        return SF_EMPTY;
    runner_want(runner, desired, by, why);
    add_pipeline(runner, answer);
    return SF_OK;
}

static SfStatus handle_pause(const GPtrArray *runners, struct json_object *arguments, struct json_object *answer,
                             SfError *err)
{
    return handle_wish(runners, arguments, answer, DESIRED_PAUSED, err);
}

static SfStatus handle_resume(const GPtrArray *runners, struct json_object *arguments, struct json_object *answer,
                              SfError *err)
{
    return handle_wish(runners, arguments, answer, DESIRED_RUNNING, err);
}

static SfStatus handle_stop(const GPtrArray *runners, struct json_object *arguments, struct json_object *answer,
                            SfError *err)
{
    return handle_wish(runners, arguments, answer, DESIRED_STOPPED, err);
}

static SfStatus handle_trigger(const GPtrArray *runners, struct json_object *arguments, struct json_object *answer,
                               SfError *err)
{
    Runner *runner = find_runner(runners, arguments, err);
    g_autofree char *by = asked_by(arguments), *why = asked_why(arguments);
    guint run = 0;
    if (!runner)
        return SF_EMPTY;
    SF_TRY(runner_trigger(runner, by, why, &run, err));
    add_pipeline(runner, answer);
    json_object_object_add(answer, "triggered", json_object_new_int64(run));
    return SF_OK;
}

/* ---- the table ------------------------------------------------ */

static const ControlArgument no_arguments[] = {{.name = NULL}};
static const ControlArgument wish_arguments[] = {
    {"pipeline", json_type_string, true, "Its name."},
    {"by", json_type_string, false, "Who asks, for whoever wonders."},
    {"why", json_type_string, false, "Likewise."},
    {"pid", json_type_int, false, "Of that process only."},
    {.name = NULL},
};

static const ControlRequest requests[] = {
    {"status", CONTROL_READ, "What all pipelines do.", no_arguments, handle_status},
    {"pause", CONTROL_OPERATE, "Reads nothing more and commits what was read; memberships stay.", wish_arguments,
     handle_pause},
    {"resume", CONTROL_OPERATE, "Goes on after a pause; starts after a stop, an end or a failure.", wish_arguments,
     handle_resume},
    {"trigger", CONTROL_OPERATE, "Begins a run now; where one goes on, another one behind it.", wish_arguments,
     handle_trigger},
    {"stop", CONTROL_OPERATE, "Commits what was read and releases everything; the process stays.", wish_arguments,
     handle_stop},
};

const ControlRequest *control_requests(size_t *n)
{
    *n = G_N_ELEMENTS(requests);
    return requests;
}

/* ---- taking a request ------------------------------------------------ */

static const ControlRequest *find_request(const char *name, SfError *err)
{
    const char *names[G_N_ELEMENTS(requests)];
    char nearest[128];
    for (gsize i = 0; i < G_N_ELEMENTS(requests); i++) {
        if (strcmp(requests[i].name, name) == 0)
            return &requests[i];
        names[i] = requests[i].name;
    }
    sf_suggest(name, names, G_N_ELEMENTS(names), nearest, sizeof nearest);
    g_autofree char *shown = kept_text(name);
    sf_fail(err, SF_CONFIG, "unknown request '%s'%s", shown, nearest);
    return NULL;
}

static const ControlArgument *find_argument(const ControlRequest *request, const char *name)
{
    const ControlArgument *argument = request->arguments;
    while (argument->name && strcmp(argument->name, name) != 0)
        argument++;
    return argument->name ? argument : NULL;
}

static SfStatus check_arguments(const ControlRequest *request, struct json_object *asked, SfError *err)
{
    json_object_object_foreach(asked, key, value)
    {
        const ControlArgument *argument = find_argument(request, key);
        g_autofree char *shown = kept_text(key);
        if (strcmp(key, "request") == 0)
            continue;
        if (!argument)
            return sf_fail(err, SF_CONFIG, "%s: unknown argument '%s'", request->name, shown);
        if (!json_object_is_type(value, argument->type))
            return sf_fail(err, SF_CONFIG, "%s: '%s' has to be of type %s", request->name, argument->name,
                           json_type_to_name(argument->type));
    }
    for (const ControlArgument *argument = request->arguments; argument->name; argument++) {
        if (argument->required && !json_object_object_get_ex(asked, argument->name, NULL))
            return sf_fail(err, SF_CONFIG, "%s: '%s' is missing", request->name, argument->name);
    }
    return SF_OK;
}

static SfStatus take_request(const GPtrArray *runners, ControlRole role, struct json_object *asked,
                             struct json_object *answer, SfError *err)
{
    const char *name = json_object_is_type(asked, json_type_object) ? argument_text(asked, "request") : NULL;
    if (!name)
        return sf_fail(err, SF_CONFIG, "not a request: write {\"request\": \"status\"}");
    const ControlRequest *request = find_request(name, err);
    if (!request)
        return SF_CONFIG;
    if (request != requests) /* the first answers with a document */
        add_to_answer(answer, "request", request->name);
    if (request->role > role)
        return sf_fail(err, SF_CONFIG, "%s: not allowed to who may only read", request->name);
    SF_TRY(check_arguments(request, asked, err));
    return request->handle(runners, asked, answer, err);
}

static struct json_object *parse_request(const char *text, size_t size)
{
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
    json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *asked = json_tokener_parse_ex(tokener, text, (int) size);
    if (json_tokener_get_error(tokener) != json_tokener_success)
        asked = NULL;
    json_tokener_free(tokener);
    return asked;
}

struct json_object *control_answer(const GPtrArray *runners, ControlRole role, const char *text, size_t size)
{
    struct json_object *answer = json_object_new_object();
    SfError err = {""};
    SfStatus status;
    if (size > CONTROL_MOST) {
        status = sf_fail(&err, SF_CONFIG, "a request has %d bytes at most", CONTROL_MOST);
    } else if (size == 0) {
        status = handle_status(runners, NULL, answer, &err);
    } else {
        struct json_object *asked = parse_request(text, size);
        status = take_request(runners, role, asked, answer, &err);
        json_object_put(asked);
    }
    if (status != SF_OK)
        add_to_answer(answer, "error", err.message);
    if (status == SF_EMPTY)
        json_object_object_add(answer, "known", json_object_new_boolean(false));
    return answer;
}
