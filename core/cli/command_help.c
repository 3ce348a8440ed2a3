/* `sfrun help` and `sfrun --help`: the overview, a command's page, the manual page. */
#include "cli.h"
#include "runtime/runtime.h"

#include <stdio.h>
#include <string.h>

typedef struct Options {
    bool man;
} Options;

static const CliFlag flags[] = {
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(Options, man, .doc = "Print the manual page sfrun(1) in roff.")),
    CLI_FLAGS_END,
};

const CliPage command_help_page = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "Show what commands there are, or what one does",
    .flags = flags,
    .examples = "sfrun help\nsfrun help check\nsfrun help --man | man -l -",
    .most = 1,
};

static const char examples[] = "  sfrun pipelines/sales.yaml            run a pipeline until it is stopped\n"
                               "  sfrun --once pipelines/sales.yaml     take what is there now, then end\n"
                               "  sfrun check pipelines/                check all pipelines of a directory\n"
                               "  sfrun plugins kafka-source            every option of a plugin\n"
                               "  sfrun status                          state, positions and lag of what runs\n"
                               "  sfrun tap --from-beginning -n 5       look into the topic sales_events\n";

static const char variables[] =
    "  SF_PLUGIN_PATH    directories that are searched for plugins first, separated by ':'\n"
    "  SF_COMMAND_PATH   likewise for programs behind further commands (sfrun-<word>)\n"
    "  SF_PLUGIN_DIR, SF_COMMAND_DIR\n"
    "                    searched last, instead of the directories of the installation; empty: none\n"
    "  ${NAME} in a pipeline file is replaced by the environment variable of that name\n";

int cli_print_overview(void)
{
    size_t n = 0;
    const Command *commands = cli_commands(&n);
    g_autoptr(GPtrArray) programs = cli_programs();
    printf("Usage: sfrun [FLAG…] FILE…|DIR\n       sfrun COMMAND [FLAG…] …\n\n"
           "Streamforge runs pipelines: YAML files that wire sources, transforms and sinks.\n\nCommands:\n");
    for (size_t i = 0; i < n; i++)
        printf("  %-12s %s\n", commands[i].page->name, commands[i].page->summary);
    for (guint i = 0; i < programs->len; i++) {
        const char *name = g_ptr_array_index(programs, i);
        g_autofree char *help = cli_program_help(name, NULL);
        g_autofree char *summary = cli_program_summary(help);
        printf("  %-12s %s\n", name, summary);
    }
    printf("\n`sfrun COMMAND --help` shows a command's flags and examples; `sfrun FILE` is `sfrun run FILE`.\n");
    printf("\nExamples:\n%s\nEnvironment:\n%s", examples, variables);
    printf("\nExit status:\n  0  done\n  1  failed while at work\n  2  wrong usage, or a mistake in a pipeline file\n");
    return EXIT_OK;
}

/* A further command shows its page itself. */
static int help_by_program(const char *word)
{
    g_autofree char *program = cli_find_program(word);
    char *argv[] = {(char *) word, (char *) "--help", NULL};
    if (!program)
        return cli_unknown(word);
    return cli_run_program(program, argv);
}

int command_help(int argc, char **argv)
{
    Options options = {0};
    g_auto(CliLine) line = {0};
    int status = cli_parse(&command_help_page, argc, argv, &options, &line);
    if (status >= 0)
        return status;
    if (options.man) {
        g_autofree char *man = cli_man();
        fputs(man, stdout);
        return EXIT_OK;
    }
    if (line.n_words == 0)
        return cli_print_overview();
    const Command *command = cli_find(line.words[0]);
    if (!command)
        return help_by_program(line.words[0]);
    g_autofree char *help = cli_help(command->page);
    fputs(help, stdout);
    return EXIT_OK;
}
