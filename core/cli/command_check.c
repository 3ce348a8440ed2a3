/* `sfrun check`: says what is wrong with pipeline files, or what is in them. Opens nothing. */
#include "cli.h"
#include "config/files.h"
#include "runtime/runtime.h"

#include <json-c/json.h>
#include <stdio.h>

typedef struct Options {
    bool json;
} Options;

static const CliFlag flags[] = {
    CLI_FLAG(
        0, NULL,
        SF_OPTION_BOOL(Options, json,
                       .doc = "Print a JSON list of {file, line, column, severity, step, option, text, message}.")),
    CLI_FLAGS_END,
};

const CliPage command_check_page = {
    .name = "check",
    .arguments = "FILE…|DIR",
    .summary = "Check pipeline files without running them",
    .text = "Reads every file and reports all of its mistakes at once, each with file:line:column: syntax, names of "
            "steps, plugins and options, types and ranges of values, the graph, and the columns that each step expects "
            "of those before it. Nothing is opened: no broker, store or database is asked, and no secret is read. "
            "A DIR stands for its *.yaml files, '-' for standard input.\n\nEnvironment references (${NAME}) are "
            "replaced as `sfrun run` does it, so variables without a default must be set here too.",
    .flags = flags,
    .examples = "sfrun check pipelines/sales.yaml\nsfrun check pipelines/\nsfrun check --json sales.yaml",
    .least = 1,
    .most = -1,
};

static void print_good(const PipelineFile *file)
{
    const GPtrArray *steps = file->pipeline->steps;
    printf("%s: ok (%u step%s: ", file->path, steps->len, steps->len == 1 ? "" : "s");
    for (guint i = 0; i < steps->len; i++)
        printf("%s%s", i ? ", " : "", ((const Step *) g_ptr_array_index(steps, i))->name);
    printf(")\n");
}

static struct json_object *text_or_null(const char *text)
{
    return text ? json_object_new_string(text) : NULL;
}

static void add_problem(struct json_object *list, const PipelineFile *file, const char *severity,
                        const Diagnostic *diagnostic)
{
    bool placed = diagnostic->file;
    struct json_object *problem = json_object_new_object();
    g_autofree char *message = diagnostic_message(diagnostic);
    json_object_object_add(problem, "file", json_object_new_string(placed ? diagnostic->file : file->path));
    json_object_object_add(problem, "line", placed ? json_object_new_int(diagnostic->line) : NULL);
    json_object_object_add(problem, "column", placed ? json_object_new_int(diagnostic->column) : NULL);
    json_object_object_add(problem, "severity", json_object_new_string(severity));
    json_object_object_add(problem, "step", text_or_null(diagnostic->step));
    json_object_object_add(problem, "option", text_or_null(diagnostic->option));
    json_object_object_add(problem, "text", json_object_new_string(diagnostic_cause(diagnostic)));
    json_object_object_add(problem, "message", json_object_new_string(message));
    json_object_array_add(list, problem);
}

static bool check_print_json(const GPtrArray *files)
{
    bool any = false;
    struct json_object *list = json_object_new_array();
    for (guint i = 0; i < files->len; i++) {
        const PipelineFile *file = g_ptr_array_index(files, i);
        for (guint k = 0; k < file->diagnostics->errors->len; k++)
            add_problem(list, file, "error", g_ptr_array_index(file->diagnostics->errors, k));
        for (guint k = 0; k < file->diagnostics->warnings->len; k++)
            add_problem(list, file, "warning", g_ptr_array_index(file->diagnostics->warnings, k));
        any = any || diagnostics_any(file->diagnostics);
    }
    puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(list);
    return any;
}

int command_check(int argc, char **argv)
{
    Options options = {0};
    g_auto(CliLine) line = {0};
    int status = cli_parse(&command_check_page, argc, argv, &options, &line);
    if (status >= 0)
        return status;
    g_autoptr(GPtrArray) files = files_load(line.words);
    files_check_triggers(files, false);
    if (options.json)
        return check_print_json(files) ? EXIT_CONFIG : EXIT_OK;
    for (guint i = 0; i < files->len; i++) {
        const PipelineFile *file = g_ptr_array_index(files, i);
        if (file->pipeline)
            print_good(file);
    }
    return files_print_problems(files) ? EXIT_CONFIG : EXIT_OK;
}
