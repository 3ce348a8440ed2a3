/* `sfrun run FILE…|DIR`: loads all pipelines, then runs them in one process. */
#include "cli.h"

#include <unistd.h>

#include "config/files.h"
#include "config/options.h"
#include "config/parse.h"
#include "runtime/log.h"
#include "runtime/runtime.h"

typedef struct Options {
    bool once;
    const char *give_up_after;
    bool quiet;
    bool verbose;
    int32_t log_format;
    bool json;
    const char *state_dir;
} Options;

#define PATIENCE_MS (60 * 60 * 1000)

static const char *const formats[] = {"human", "json", NULL};

static const CliFlag flags[] = {
    CLI_FLAG('1', NULL, SF_OPTION_BOOL(Options, once, .doc = "Process what is there now, then stop.")),
    CLI_FLAG(0, "DURATION",
             SF_OPTION_STRING(
                 Options, give_up_after,
                 .doc =
                     "With --once or 'trigger: once': end with status 1 when nothing has gone on for so long, such as "
                     "10m; 0: never. Default: never on a terminal, 1h elsewhere.")),
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

static bool any_ends(const GPtrArray *pipelines)
{
    for (guint i = 0; i < pipelines->len; i++)
        if (((const Pipeline *) pipelines->pdata[i])->trigger.kind != TRIGGER_CONTINUOUS)
            return true;
    return false;
}

static ExitCode run_files(char **paths, const RunOptions *options, bool impatient)
{
    g_autoptr(GPtrArray) files = files_load(paths);
    g_autoptr(GPtrArray) pipelines = g_ptr_array_new();
    if (!options->once)
        files_check_triggers(files, true);
    if (files_print_problems(files))
        return EXIT_CONFIG;
    for (guint i = 0; i < files->len; i++)
        g_ptr_array_add(pipelines, ((PipelineFile *) files->pdata[i])->pipeline);
    if (impatient && !options->once && !any_ends(pipelines))
        return cli_fail(&command_run_page,
                        "--give-up-after is for runs that end by themselves; add --once, or 'trigger: once' to the "
                        "file");
    return runtime_run(pipelines, options);
}

/* Who sits at a terminal sees what it waits for; a job of cron's would stand in the way of the next one for ever. */
static bool read_patience(const char *text, int64_t *out_ms)
{
    if (text)
        return parse_duration(text, out_ms);
    *out_ms = isatty(STDERR_FILENO) ? 0 : PATIENCE_MS;
    return true;
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
    if (!read_patience(options.give_up_after, &run.give_up_ms))
        return cli_fail(&command_run_page, "--give-up-after takes a duration, such as 10m, not '%s'",
                        options.give_up_after);
    return run_files(line.words, &run, options.give_up_after != NULL);
}
