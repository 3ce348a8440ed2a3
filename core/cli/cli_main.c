/* The command line as a whole: which command is meant. */
#include "cli.h"
#include "runtime/runtime.h"

#include <stdio.h>
#include <string.h>

static const Command built_in[] = {
    {&command_run_page, command_run},       {&command_check_page, command_check},
    {&command_status_page, command_status}, {&command_pause_page, command_pause},
    {&command_resume_page, command_resume}, {&command_trigger_page, command_trigger},
    {&command_stop_page, command_stop},     {&command_plugins_page, command_plugins},
    {&command_help_page, command_help},     {&command_completion_page, command_completion},
};

static bool is_pipeline(const char *word)
{
    return strchr(word, '/') || g_str_equal(word, "-") || g_str_has_suffix(word, ".yaml") ||
           g_str_has_suffix(word, ".yml") || g_file_test(word, G_FILE_TEST_EXISTS);
}

/* `sfrun FILE…`, and `sfrun --once FILE…`: a command line of run without the word. */
static int run_without_word(int argc, char **argv)
{
    g_autofree char **all = g_new0(char *, (gsize) argc + 2);
    all[0] = (char *) command_run_page.name;
    memcpy(all + 1, argv + 1, ((gsize) argc - 1) * sizeof *argv);
    return command_run(argc, all);
}

static int run_line(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    if (!word) {
        fputs("sfrun: name a pipeline file or a command; `sfrun --help` lists them\n", stderr);
        return EXIT_CONFIG;
    }
    if (g_str_equal(word, "--help") || g_str_equal(word, "-h"))
        return cli_print_overview();
    if (g_str_equal(word, "--version")) {
        printf("sfrun %s (plugin ABI 1)\n", SF_VERSION);
        return EXIT_OK;
    }
    const Command *command = cli_find(word);
    if (command)
        return command->run(argc - 1, argv + 1);
    if (*word == '-' && word[1])
        return run_without_word(argc, argv);
    g_autofree char *program = cli_find_program(word);
    if (program)
        return cli_run_program(program, argv + 1);
    return is_pipeline(word) ? run_without_word(argc, argv) : cli_unknown(word);
}

/* `sfrun --json status` is `sfrun status --json`: the first word that is not a flag may be the command, unless a file
 * has its name. 0: there is none. */
static int late_word(int argc, char **argv)
{
    for (int i = 2; i < argc && argv[1][0] == '-' && argv[1][1]; i++) {
        g_autofree char *program = argv[i][0] != '-' ? cli_find_program(argv[i]) : NULL;
        if (argv[i][0] == '-')
            continue;
        return !g_file_test(argv[i], G_FILE_TEST_EXISTS) && (cli_find(argv[i]) || program) ? i : 0;
    }
    return 0;
}

void cli_begin(void)
{
    cli_use_commands(built_in, G_N_ELEMENTS(built_in));
}

int cli_main(int argc, char **argv)
{
    cli_begin();
    int late = argc > 2 ? late_word(argc, argv) : 0;
    if (late > 0) {
        char *command = argv[late];
        memmove(argv + 2, argv + 1, ((gsize) late - 1) * sizeof *argv);
        argv[1] = command;
    }
    return run_line(argc, argv);
}
