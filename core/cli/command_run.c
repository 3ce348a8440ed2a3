/* `sfrun run FILE…|DIR`: loads all pipelines, then runs them in one process. */
#include "cli.h"

#include "config/files.h"
#include "runtime/log.h"
#include "runtime/runtime.h"

typedef struct Options {
    bool once;
    bool quiet;
    bool verbose;
    int32_t log_format;
    bool json;
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
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(Options, json, .doc = "The same as --log-format json.")),
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

static ExitCode run_files(char **paths, const RunOptions *options)
{
    g_autoptr(GPtrArray) files = files_load(paths);
    g_autoptr(GPtrArray) pipelines = g_ptr_array_new();
    if (files_print_problems(files))
        return EXIT_CONFIG;
    for (guint i = 0; i < files->len; i++)
        g_ptr_array_add(pipelines, ((PipelineFile *) files->pdata[i])->pipeline);
    return runtime_run(pipelines, options);
}

int command_run(int argc, char **argv)
{
    Options options = {0};
    g_auto(CliLine) line = {0};
    int status = cli_parse(&command_run_page, argc, argv, &options, &line);
    if (status >= 0)
        return status;
    bool json = options.json || options.log_format == 1;
    log_setup(json ? LOG_JSON : LOG_HUMAN, options.quiet ? LEVEL_WARNING : options.verbose ? LEVEL_DEBUG : LEVEL_INFO);
    RunOptions run = {.once = options.once, .progress = !options.quiet && !json, .state_dir = options.state_dir};
    return run_files(line.words, &run);
}
