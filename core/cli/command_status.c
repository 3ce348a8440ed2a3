/* `sfrun status [PIPELINE]`: what the running pipelines of this user say of themselves. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "runtime/runtime.h"
#include "runtime/status.h"
#include "status_print.h"

typedef struct Options {
    bool json;
    const char *state_dir;
} Options;

static const CliFlag flags[] = {
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(Options, json, .doc = "Print JSON.")),
    CLI_FLAG(0, "DIR", SF_OPTION_STRING(Options, state_dir, .doc = "Where the status sockets are.")), CLI_FLAGS_END};

const CliPage command_status_page = {
    .name = "status",
    .arguments = "[PIPELINE]",
    .summary = "Show running pipelines: state, rows, positions, lag",
    .text = "Asks every sfrun process of this user on this machine. Troubles come first. Of each "
            "step: ROWS read by a source or taken by another step, rows that went OUT, rows per second of late, rows "
            "it REJECTED, the time "
            "since its last COMMIT, and its LAG behind the end. Of each split: the position up to which its source has "
            "READ, the one "
            "that all sinks have COMMITTED, and each sink's own (\"sink < input\" where a sink has several inputs). On "
            "a narrow terminal "
            "counts become short, names are cut and columns left out; --json has everything.",
    .flags = flags,
    .examples = "sfrun status\nsfrun status sales --json",
    .exits = "3  no such pipeline is running",
    .most = 1};

#define EXIT_NOT_RUNNING 3

/* Takes other pipelines than that out of the documents (NULL: none), and processes that have none left. */
static void keep_only(const GPtrArray *processes, const char *name)
{
    for (guint i = 0; name && i < processes->len; i++) {
        struct json_object *pipelines = status_list(processes->pdata[i], "pipelines"), *kept = json_object_new_array();
        for (size_t k = 0; pipelines && k < json_object_array_length(pipelines); k++) {
            struct json_object *pipeline = json_object_array_get_idx(pipelines, k);
            if (strcmp(status_text(pipeline, "pipeline"), name) == 0)
                json_object_array_add(kept, json_object_get(pipeline));
        }
        json_object_object_add(processes->pdata[i], "pipelines", kept);
    }
}

static void status_print_json(const GPtrArray *processes, bool all)
{
    struct json_object *array = json_object_new_array();
    for (guint i = 0; i < processes->len; i++) {
        struct json_object *pipelines = status_list(processes->pdata[i], "pipelines");
        if (all || (pipelines && json_object_array_length(pipelines) > 0))
            json_object_array_add(array, json_object_get(processes->pdata[i]));
    }
    printf("%s\n", json_object_to_json_string_ext(array, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(array);
}

static guint count_pipelines(const GPtrArray *processes)
{
    guint found = 0;
    for (guint i = 0; i < processes->len; i++) {
        struct json_object *pipelines = status_list(processes->pdata[i], "pipelines");
        found += pipelines ? (guint) json_object_array_length(pipelines) : 0;
    }
    return found;
}

static void suggest(const GPtrArray *processes, const char *name, char *out, gsize size)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < processes->len; i++) {
        struct json_object *pipelines = status_list(processes->pdata[i], "pipelines");
        for (size_t k = 0; pipelines && k < json_object_array_length(pipelines); k++)
            g_ptr_array_add(names, (gpointer) status_text(json_object_array_get_idx(pipelines, k), "pipeline"));
    }
    sf_suggest(name ? name : "", (const char *const *) names->pdata, names->len, out, size);
}

int command_status(int argc, char **argv)
{
    Options options = {0};
    g_auto(CliLine) line = {0};
    int status = cli_parse(&command_status_page, argc, argv, &options, &line);
    if (status >= 0)
        return status;
    g_autoptr(GPtrArray) processes = status_ask_all(options.state_dir);
    const char *name = line.words[0];
    char nearest[128];
    suggest(processes, name, nearest, sizeof nearest);
    keep_only(processes, name);
    if (options.json)
        status_print_json(processes, !name);
    guint found = options.json ? count_pipelines(processes) : status_print(processes);
    if (found > 0)
        return EXIT_OK;
    if (name)
        fprintf(stderr, "sfrun status: no pipeline '%s' is running%s\n", name, nearest);
    else
        fprintf(stderr, "sfrun status: no pipeline is running\n");
    return EXIT_NOT_RUNNING;
}
