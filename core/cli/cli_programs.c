/* Programs behind further commands (topics, produce, …): finding them, asking them, running them. */
#include "cli.h"
#include "config/search_path.h"
#include "runtime/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM_PREFIX "sfrun-"

static char **program_dirs(void)
{
    return search_path("SF_COMMAND_PATH", "SF_COMMAND_DIR", SF_COMMANDDIR);
}

static bool is_program(const char *path)
{
    return g_file_test(path, G_FILE_TEST_IS_EXECUTABLE) && !g_file_test(path, G_FILE_TEST_IS_DIR);
}

char *cli_find_program(const char *word)
{
    g_auto(GStrv) dirs = program_dirs();
    g_autofree char *file = g_strconcat(PROGRAM_PREFIX, word, NULL);
    for (char **dir = dirs; *dir && !strchr(word, '/'); dir++) {
        g_autofree char *path = g_build_filename(*dir, file, NULL);
        if (is_program(path))
            return g_steal_pointer(&path);
    }
    return NULL;
}

/* A file of a build directory (sfrun-topics.p) is not a program. */
static char *program_word(const char *file, const char *path)
{
    bool named = g_str_has_prefix(file, PROGRAM_PREFIX) && !strchr(file, '.');
    return named && is_program(path) ? g_strdup(file + strlen(PROGRAM_PREFIX)) : NULL;
}

GPtrArray *cli_programs(void)
{
    g_auto(GStrv) dirs = program_dirs();
    return search_path_list(dirs, program_word);
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
