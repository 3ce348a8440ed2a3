/* `sfrun completion`: scripts for shells, made from the commands' pages. */
#include "cli.h"
#include "config/option_read.h"
#include "runtime/runtime.h"

#include <stdio.h>
#include <string.h>

const CliPage command_completion_page = {
    .name = "completion",
    .arguments = "bash|zsh",
    .summary = "Print a completion script for a shell",
    .text = "The script completes commands, their flags, words of flags, names of plugins, and files.",
    .examples = "source <(sfrun completion bash)\nsfrun completion zsh > ~/.zfunc/_sfrun",
    .least = 1,
    .most = 1,
};

static char *flag_words(const CliPage *page)
{
    GString *out = g_string_new(NULL);
    for (const CliFlag *flag = page->flags; flag && flag->option.field; flag++) {
        g_autofree char *name = cli_flag_name(flag);
        g_string_append_printf(out, "--%s ", name);
    }
    return g_string_free(g_string_append(out, "--help"), FALSE);
}

static char *command_words(void)
{
    size_t n = 0;
    const Command *commands = cli_commands(&n);
    g_autoptr(GPtrArray) programs = cli_programs();
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < n; i++)
        g_string_append_printf(out, "%s%s", i ? " " : "", commands[i].page->name);
    for (guint i = 0; i < programs->len; i++)
        g_string_append_printf(out, " %s", (const char *) g_ptr_array_index(programs, i));
    return g_string_free(out, FALSE);
}

/* "--log-format) words="human json";;" for each flag that takes a word of a list. */
static void print_enum_cases(const Command *commands, size_t n, const char *indent)
{
    for (size_t i = 0; i < n; i++) {
        for (const CliFlag *flag = commands[i].page->flags; flag && flag->option.field; flag++) {
            if (!flag->option.words)
                continue;
            g_autofree char *name = cli_flag_name(flag);
            g_autofree char *words = g_strjoinv(" ", (char **) flag->option.words);
            printf("%s%s:--%s) words=\"%s\" ;;\n", indent, commands[i].page->name, name, words);
        }
    }
}

#define LETTERS "abcdefghijklmnopqrstuvwxyz-"

static void add_word(GString *out, const char *start, gsize length)
{
    g_autofree char *word = g_strndup(start, length);
    g_auto(GStrv) there = g_strsplit(out->str, " ", -1);
    if (!g_strv_contains((const char *const *) there, word))
        g_string_append_printf(out, "%s%s", out->len ? " " : "", word);
}

/* The words before and between the bars of "Usage: sfrun topics [FLAG…] list | create NAME". */
static void add_verbs(GString *out, const char *help)
{
    g_autofree char *usage = g_strndup(help, strcspn(help, "\n"));
    const char *alternatives = strstr(usage, "] ");
    g_auto(GStrv) parts = g_strsplit(alternatives ? alternatives + 2 : "", " | ", -1);
    for (char **part = parts; part[0] && parts[1]; part++) {
        if (g_ascii_islower(**part))
            add_word(out, *part, strspn(*part, LETTERS));
    }
}

static void completion_add_flags(GString *out, const char *help)
{
    for (const char *at = help; (at = strstr(at, " --"));) {
        gsize length = strspn(at + 3, LETTERS);
        if (length > 0)
            add_word(out, at + 1, length + 2);
        at += length + 3;
    }
}

/* A program's sub-commands and all flags, out of its help; "" when it has none. */
static char *program_words(const char *word)
{
    g_autofree char *help = cli_program_help(word, NULL);
    GString *out = g_string_new(NULL);
    add_verbs(out, help);
    g_auto(GStrv) verbs = g_strsplit(out->str, " ", -1);
    completion_add_flags(out, help);
    for (char **verb = verbs; *verb; verb++) {
        g_autofree char *page = cli_program_help(word, *verb);
        completion_add_flags(out, page);
    }
    return g_string_free(out, FALSE);
}

static void print_program_cases(void)
{
    g_autoptr(GPtrArray) programs = cli_programs();
    for (guint i = 0; i < programs->len; i++) {
        const char *word = g_ptr_array_index(programs, i);
        g_autofree char *words = program_words(word);
        printf("           %s) words=\"%s\" ;;\n", word, words);
    }
}

static void print_bash(void)
{
    size_t n = 0;
    const Command *commands = cli_commands(&n);
    g_autofree char *names = command_words();
    g_autofree char *run = flag_words(&command_run_page); /* `sfrun FILE` is `sfrun run FILE` */
    printf("# bash completion of sfrun; made by `sfrun completion bash`\n"
           "_sfrun()\n{\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} "
           "words=\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        words=\"%s %s --version\"\n"
           "    else\n"
           "        case \"$command:$before\" in\n",
           names, run);
    print_enum_cases(commands, n, "        ");
    printf("        *) case $command in\n");
    for (size_t i = 0; i < n; i++) {
        g_autofree char *words = flag_words(commands[i].page);
        const char *more =
            g_str_equal(commands[i].page->name, "plugins") ? " $(sfrun plugins --names 2>/dev/null)" : "";
        const char *shells = g_str_equal(commands[i].page->name, "completion") ? " bash zsh" : "";
        const char *pages = g_str_equal(commands[i].page->name, "help") ? names : "";
        printf("           %s) words=\"%s%s%s%s%s\" ;;\n", commands[i].page->name, words, more, shells,
               *pages ? " " : "", pages);
    }
    print_program_cases();
    printf("           *) words=\"%s\" ;;\n"
           "           esac ;;\n"
           "        esac\n"
           "    fi\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
           "    local IFS=$'\\n'\n" /* names of files may have blanks */
           "    COMPREPLY+=($(compgen -f -- \"$word\"))\n"
           "}\n"
           "complete -o filenames -F _sfrun sfrun\n",
           run);
}

/* zsh runs the script for bash by its own layer for that. */
static void print_zsh(void)
{
    printf("#compdef sfrun\n# zsh completion of sfrun; made by `sfrun completion zsh`\n"
           "autoload -U +X bashcompinit && bashcompinit\n");
    print_bash();
}

int command_completion(int argc, char **argv)
{
    g_auto(CliLine) line = {0};
    int status = cli_parse(&command_completion_page, argc, argv, NULL, &line);
    if (status >= 0)
        return status;
    if (g_str_equal(line.words[0], "bash"))
        print_bash();
    else if (g_str_equal(line.words[0], "zsh"))
        print_zsh();
    else
        return cli_fail(&command_completion_page, "'%s' is neither bash nor zsh", line.words[0]);
    return EXIT_OK;
}
