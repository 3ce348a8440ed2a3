/* The command line as a whole: which command is meant, the overview, programs behind further commands. */
#include "cli.h"
#include "config/search_path.h"
#include "runtime/runtime.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM_PREFIX "sfrun-"

static const Command commands[] = {
    {&command_run_page, command_run},       {&command_check_page, command_check},
    {&command_status_page, command_status}, {&command_plugins_page, command_plugins},
    {&command_help_page, command_help},     {&command_completion_page, command_completion},
};

const Command *cli_commands(size_t *n)
{
    *n = G_N_ELEMENTS(commands);
    return commands;
}

const Command *cli_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (g_str_equal(commands[i].page->name, name))
            return &commands[i];
    return NULL;
}

/* ---- programs --------------------------------------------------------------------------------------------------- */

static char **program_dirs(void)
{
    return search_path("SF_COMMAND_PATH", "SF_COMMAND_DIR", SF_COMMANDDIR);
}

char *cli_find_program(const char *word)
{
    g_auto(GStrv) dirs = program_dirs();
    g_autofree char *file = g_strconcat(PROGRAM_PREFIX, word, NULL);
    for (char **dir = dirs; *dir && !strchr(word, '/'); dir++) {
        g_autofree char *path = g_build_filename(*dir, file, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE) && !g_file_test(path, G_FILE_TEST_IS_DIR))
            return g_steal_pointer(&path);
    }
    return NULL;
}

static gint by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* A file of a build directory (sfrun-topics.p) is no program. */
static bool is_program(const char *file, const char *path)
{
    return g_str_has_prefix(file, PROGRAM_PREFIX) && !strchr(file, '.') &&
           g_file_test(path, G_FILE_TEST_IS_EXECUTABLE) && !g_file_test(path, G_FILE_TEST_IS_DIR);
}

GPtrArray *cli_programs(void)
{
    g_auto(GStrv) dirs = program_dirs();
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (char **dir = dirs; *dir; dir++) {
        g_autoptr(GDir) entries = g_dir_open(*dir, 0, NULL);
        for (const char *file; entries && (file = g_dir_read_name(entries));) {
            g_autofree char *path = g_build_filename(*dir, file, NULL);
            if (!is_program(file, path) || g_hash_table_contains(seen, file + strlen(PROGRAM_PREFIX)))
                continue;
            char *name = g_strdup(file + strlen(PROGRAM_PREFIX));
            g_hash_table_add(seen, name);
            g_ptr_array_add(names, name);
        }
    }
    g_ptr_array_sort(names, by_text);
    return names;
}

char *cli_program_help(const char *word, const char *verb)
{
    g_autofree char *path = cli_find_program(word);
    char *argv[] = {path, (char *) (verb ? verb : "--help"), verb ? (char *) "--help" : NULL, NULL};
    char *help = NULL;
    if (path && !search_path_fault(path))
        g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &help, NULL, NULL, NULL);
    return help ? help : g_strdup("");
}

/* The paragraph behind the usage, as cli_help() makes it. */
char *cli_program_summary(const char *help)
{
    const char *start = g_str_has_prefix(help, "Usage: ") ? strstr(help, "\n\n") : NULL;
    char *summary = start ? g_strndup(start + 2, strcspn(start + 2, "\n")) : g_strdup("");
    if (g_str_has_suffix(summary, "."))
        summary[strlen(summary) - 1] = '\0';
    return summary;
}

int cli_run_program(const char *path, char **argv)
{
    const char *fault = search_path_fault(path);
    if (fault) {
        fprintf(stderr, "sfrun: '%s' is not run: %s\n", path, fault);
        return EXIT_FAILED;
    }
    execv(path, argv);
    fprintf(stderr, "sfrun: cannot run '%s': %s\n", path, g_strerror(errno));
    return EXIT_FAILED;
}

/* An earlier write may have shown it, whose errno is gone. */
static bool reader_has_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, 0) > 0 && (out.revents & POLLERR);
}

int cli_finish(int status)
{
    errno = 0;
    bool taken = fflush(stdout) == 0 && !ferror(stdout);
    int problem = errno;
    if (taken || problem == EPIPE || status != EXIT_OK || reader_has_gone())
        return status;
    fprintf(stderr, "sfrun: cannot write the output: %s\n", g_strerror(problem ? problem : EIO));
    return EXIT_FAILED;
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

static bool is_pipeline(const char *word)
{
    return strchr(word, '/') || g_str_equal(word, "-") || g_str_has_suffix(word, ".yaml") ||
           g_str_has_suffix(word, ".yml") || g_file_test(word, G_FILE_TEST_EXISTS);
}

int cli_unknown(const char *word)
{
    char suggestion[128];
    g_autoptr(GPtrArray) names = cli_programs();
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        g_ptr_array_add(names, g_strdup(commands[i].page->name));
    sf_suggest(word, (const char *const *) names->pdata, names->len, suggestion, sizeof suggestion);
    fprintf(stderr, "sfrun: '%s' is neither a command nor a pipeline file%s\n", word,
            *suggestion ? suggestion : "; `sfrun --help` lists the commands");
    return EXIT_CONFIG;
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

/* `sfrun --json status` is `sfrun status --json`: the first word that is no flag may be the command, unless a file has
 * its name. 0: there is none. */
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

int cli_main(int argc, char **argv)
{
    int late = argc > 2 ? late_word(argc, argv) : 0;
    if (late > 0) {
        char *command = argv[late];
        memmove(argv + 2, argv + 1, ((gsize) late - 1) * sizeof *argv);
        argv[1] = command;
    }
    return run_line(argc, argv);
}
