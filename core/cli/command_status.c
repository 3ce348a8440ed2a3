/* `sfrun status [PIPELINE]`: what the running pipelines of this user say of themselves. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "runtime/runtime.h"
#include "runtime/status.h"

typedef struct Options {
    bool json;
    const char *state_dir;
} Options;

static const CliFlag flags[] = {
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(Options, json, .doc = "Print JSON.")),
    CLI_FLAG(0, "DIR", SF_OPTION_STRING(Options, state_dir, .doc = "Where the status sockets are.")), CLI_FLAGS_END};

const CliPage command_status_page = {.name = "status",
                                     .arguments = "[PIPELINE]",
                                     .summary = "Show running pipelines: state, rows, positions, lag",
                                     .text = "Asks every sfrun process of this user on this machine. A split is shown "
                                             "with the position that its source has read up "
                                             "to, the one that all sinks have committed, and the lag behind the end.",
                                     .flags = flags,
                                     .examples = "sfrun status\nsfrun status sales --json",
                                     .exits = "3  no such pipeline is running",
                                     .most = 1};

#define EXIT_NOT_RUNNING 3

static const char *text_of(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(object, key, &value);
    const char *text = value ? json_object_get_string(value) : NULL;
    return text ? text : "";
}

static gint64 int_of(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(object, key, &value) ? json_object_get_int64(value) : -1;
}

static char *count(struct json_object *object, const char *key)
{
    gint64 n = int_of(object, key);
    return n < 0 ? g_strdup("-") : g_strdup_printf("%" G_GINT64_FORMAT, n);
}

static void print_steps(struct json_object *steps)
{
    printf("  %-18s %-10s %-22s %12s %12s %10s %8s  %s\n", "STEP", "KIND", "PLUGIN", "ROWS IN", "ROWS OUT", "REJECTED",
           "COMMITS", "TROUBLE");
    for (size_t i = 0; i < json_object_array_length(steps); i++) {
        struct json_object *step = json_object_array_get_idx(steps, i);
        g_autofree char *in = count(step, "rows_in"), *out = count(step, "rows_out");
        g_autofree char *rejected = count(step, "rejected"), *commits = count(step, "commits");
        printf("  %-18s %-10s %-22s %12s %12s %10s %8s  %s\n", text_of(step, "name"), text_of(step, "kind"),
               text_of(step, "plugin"), in, out, rejected, commits, text_of(step, "trouble"));
    }
}

static void print_splits(struct json_object *splits)
{
    if (json_object_array_length(splits) == 0)
        return;
    printf("  %-30s %14s %14s %14s %10s\n", "SPLIT", "READ", "COMMITTED", "END", "LAG");
    for (size_t i = 0; i < json_object_array_length(splits); i++) {
        struct json_object *split = json_object_array_get_idx(splits, i);
        g_autofree char *read = count(split, "read"), *committed = count(split, "committed");
        g_autofree char *end = count(split, "end"), *lag = count(split, "lag");
        printf("  %-30s %14s %14s %14s %10s\n", text_of(split, "split"), read, committed, end, lag);
    }
}

static void print_pipeline(struct json_object *process, struct json_object *pipeline)
{
    gint64 seconds = (g_get_real_time() / 1000 - int_of(pipeline, "started_ms")) / 1000;
    printf("%s: %s for %" G_GINT64_FORMAT " s, attempt %" G_GINT64_FORMAT ", pid %" G_GINT64_FORMAT
           ", %" G_GINT64_FORMAT " MiB at most, %s\n",
           text_of(pipeline, "pipeline"), text_of(pipeline, "state"), seconds, int_of(pipeline, "attempts"),
           int_of(process, "pid"), int_of(process, "peak_rss_bytes") >> 20, text_of(pipeline, "file"));
    if (*text_of(pipeline, "last_restart"))
        printf("  started anew after: %s\n", text_of(pipeline, "last_restart"));
    struct json_object *part = NULL;
    if (json_object_object_get_ex(pipeline, "steps", &part))
        print_steps(part);
    if (json_object_object_get_ex(pipeline, "splits", &part))
        print_splits(part);
}

/* Calls for each pipeline of that name (NULL: all); returns how many there were. */
static guint each_pipeline(const GPtrArray *processes, const char *name,
                           void (*visit)(struct json_object *process, struct json_object *pipeline))
{
    guint found = 0;
    for (guint i = 0; i < processes->len; i++) {
        struct json_object *pipelines = NULL;
        json_object_object_get_ex(processes->pdata[i], "pipelines", &pipelines);
        for (size_t k = 0; pipelines && k < json_object_array_length(pipelines); k++) {
            struct json_object *pipeline = json_object_array_get_idx(pipelines, k);
            if (name && strcmp(text_of(pipeline, "pipeline"), name) != 0)
                continue;
            found++;
            if (visit)
                visit(processes->pdata[i], pipeline);
        }
    }
    return found;
}

static void print_json(const GPtrArray *processes)
{
    struct json_object *array = json_object_new_array();
    for (guint i = 0; i < processes->len; i++)
        json_object_array_add(array, json_object_get(processes->pdata[i]));
    printf("%s\n", json_object_to_json_string_ext(array, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(array);
}

int command_status(int argc, char **argv)
{
    Options options = {0};
    g_auto(CliLine) line = {0};
    int status = cli_parse(&command_status_page, argc, argv, &options, &line);
    if (status >= 0)
        return status;
    g_autoptr(GPtrArray) processes = status_ask_all(options.state_dir);
    if (options.json)
        print_json(processes);
    guint found = each_pipeline(processes, line.words[0], options.json ? NULL : print_pipeline);
    if (found > 0)
        return EXIT_OK;
    if (line.words[0])
        fprintf(stderr, "sfrun status: no pipeline '%s' is running\n", line.words[0]);
    else
        fprintf(stderr, "sfrun status: no pipeline is running\n");
    return EXIT_NOT_RUNNING;
}
