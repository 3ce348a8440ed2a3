/* `sfrun run FILE…|DIR`: loads all pipelines, then runs them in one process. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "runtime.h"

typedef struct Options {
    bool once;
    bool quiet;
    bool verbose;
    int32_t log_format;
    const char *state_dir;
} Options;

static const char *const formats[] = {"human", "json", NULL};

static const CliFlag flags[] = {
    CLI_FLAG('1', NULL, SF_OPTION_BOOL(Options, once, .doc = "Process what is there now, then stop.")),
    CLI_FLAG('q', NULL, SF_OPTION_BOOL(Options, quiet, .doc = "Warnings and errors only, no progress line.")),
    CLI_FLAG('v', NULL, SF_OPTION_BOOL(Options, verbose, .doc = "Debug lines too.")),
    CLI_FLAG(0, NULL,
             SF_OPTION_ENUM(Options, log_format, .value = "human", .words = formats,
                            .doc = "Log lines for people, or JSON.")),
    CLI_FLAG(0, "DIR", SF_OPTION_STRING(Options, state_dir, .doc = "Where the status socket goes.")),
    CLI_FLAGS_END};

const CliPage command_run_page = {
    .name = "run",
    .arguments = "FILE…|DIR",
    .summary = "Run pipelines",
    .text = "Runs pipelines until they end or the process is told to stop (SIGTERM, SIGINT): then what was read is "
            "committed "
            "within the pipeline's 'shutdown' time. All files are checked before the first step starts. A DIR stands "
            "for all its "
            "*.yaml files; all pipelines share one process and one memory budget.",
    .flags = flags,
    .examples =
        "sfrun pipelines/sales.yaml\nsfrun run --once pipelines/sales.yaml\nsfrun run --log-format json pipelines/",
    .least = 1,
    .most = -1};

static gint by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The path itself, or the *.yaml and *.yml files of a directory in order. */
static void add_files(GPtrArray *files, const char *path)
{
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_ptr_array_add(files, g_strdup(path));
        return;
    }
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint before = files->len;
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        if (g_str_has_suffix(name, ".yaml") || g_str_has_suffix(name, ".yml"))
            g_ptr_array_add(files, g_build_filename(path, name, NULL));
    }
    qsort(files->pdata + before, files->len - before, sizeof *files->pdata, by_text);
}

static bool known_name(const GPtrArray *pipelines, const Pipeline *pipeline, Diagnostics *diagnostics)
{
    for (guint i = 0; i < pipelines->len; i++) {
        const Pipeline *other = pipelines->pdata[i];
        if (strcmp(other->name, pipeline->name) != 0)
            continue;
        diagnostics_add(diagnostics, document_root(pipeline->document),
                        "pipeline '%s' is in %s already; names are unique in a process", pipeline->name, other->file);
        return true;
    }
    return false;
}

static GPtrArray *load_all(const GPtrArray *files)
{
    g_autoptr(GPtrArray) pipelines = g_ptr_array_new_with_free_func((GDestroyNotify) pipeline_free);
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    for (guint i = 0; i < files->len; i++) {
        Pipeline *pipeline = pipeline_load(files->pdata[i], diagnostics);
        if (pipeline && !known_name(pipelines, pipeline, diagnostics))
            g_ptr_array_add(pipelines, pipeline);
        else
            pipeline_free(pipeline);
    }
    for (guint i = 0; i < diagnostics->messages->len; i++)
        fprintf(stderr, "%s\n", (const char *) diagnostics->messages->pdata[i]);
    return diagnostics_any(diagnostics) ? NULL : g_steal_pointer(&pipelines);
}

static ExitCode run_files(char **paths, const RunOptions *options)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    for (char **path = paths; *path; path++)
        add_files(files, *path);
    if (files->len == 0) {
        fprintf(stderr, "sfrun run: there is no *.yaml file in '%s'\n", paths[0]);
        return EXIT_CONFIG;
    }
    g_autoptr(GPtrArray) pipelines = load_all(files);
    return pipelines ? runtime_run(pipelines, options) : EXIT_CONFIG;
}

int command_run(int argc, char **argv)
{
    Options options = {0};
    g_auto(CliLine) line = {0};
    int status = cli_parse(&command_run_page, argc, argv, &options, &line);
    if (status >= 0)
        return status;
    bool json = options.log_format == 1;
    log_setup(json ? LOG_JSON : LOG_HUMAN, options.quiet ? LEVEL_WARNING : options.verbose ? LEVEL_DEBUG : LEVEL_INFO);
    RunOptions run = {.once = options.once, .progress = !options.quiet && !json, .state_dir = options.state_dir};
    return run_files(line.words, &run);
}
