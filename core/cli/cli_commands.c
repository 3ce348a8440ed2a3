/* The built-in commands, for those who list them: help, completion, the manual page. */
#include "cli.h"

#include <stdio.h>

#include "runtime/runtime.h"

static const Command *commands;
static size_t n_commands;

void cli_use_commands(const Command *built_in, size_t n)
{
    commands = built_in;
    n_commands = n;
}

const Command *cli_commands(size_t *n)
{
    *n = n_commands;
    return commands;
}

const Command *cli_find(const char *name)
{
    for (size_t i = 0; i < n_commands; i++)
        if (g_str_equal(commands[i].page->name, name))
            return &commands[i];
    return NULL;
}

int cli_unknown(const char *word)
{
    char suggestion[128];
    g_autoptr(GPtrArray) names = cli_programs();
    for (size_t i = 0; i < n_commands; i++)
        g_ptr_array_add(names, g_strdup(commands[i].page->name));
    sf_suggest(word, (const char *const *) names->pdata, names->len, suggestion, sizeof suggestion);
    fprintf(stderr, "sfrun: '%s' is neither a command nor a pipeline file%s\n", word,
            *suggestion ? suggestion : "; `sfrun --help` lists the commands");
    return EXIT_CONFIG;
}
