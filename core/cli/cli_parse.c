/* Flags and words of one command, by its page. Help texts are cli_help.c's. */
#include "cli.h"
#include "data/printable.h"
#include "config/option_read.h"
#include "config/option_name.h"
#include "runtime/runtime.h"

#include <stdio.h>
#include <string.h>

typedef struct Parsing {
    const CliPage *page;
    char *options;
    OptionArena *arena;
    GPtrArray *words;
    GHashTable *lists; /* const CliFlag * → GPtrArray * of what was given so far */
    int argc;
    char **argv;
    int next;
} Parsing;

int cli_fail(const CliPage *page, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *raw = g_strdup_vprintf(format, args), *message = message_line(raw);
    va_end(args);
    fprintf(stderr, "sfrun %s: %s\n", page->name, message);
    return EXIT_CONFIG;
}

static const CliFlag *find_long(const CliPage *page, const char *name)
{
    for (const CliFlag *flag = page->flags; flag && flag->option.field; flag++) {
        g_autofree char *candidate = cli_flag_name(flag);
        if (g_str_equal(candidate, name))
            return flag;
    }
    return NULL;
}

static const CliFlag *find_short(const CliPage *page, char letter)
{
    for (const CliFlag *flag = page->flags; flag && flag->option.field; flag++)
        if (flag->letter == letter)
            return flag;
    return NULL;
}

static int unknown_flag(const CliPage *page, const char *text)
{
    char suggestion[128];
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const CliFlag *flag = page->flags; flag && flag->option.field; flag++) {
        g_autofree char *name = cli_flag_name(flag);
        g_ptr_array_add(names, g_strconcat("--", name, NULL));
    }
    sf_suggest(text, (const char *const *) names->pdata, names->len, suggestion, sizeof suggestion);
    if (*suggestion)
        return cli_fail(page, "unknown flag '%s'%s", text, suggestion);
    return cli_fail(page, "unknown flag '%s'; `sfrun %s --help` lists the flags", text, page->name);
}

/* A repeated flag of a list adds an item, any other type takes the last value. */
static int set_flag(Parsing *parsing, const CliFlag *flag, const char *shown, const char *text)
{
    char *field = parsing->options + flag->option.offset;
    if (flag->option.type != SF_OPTION_TYPE_LIST) {
        g_autofree char *problem = option_read_text(parsing->arena, &flag->option, text, field);
        return problem ? cli_fail(parsing->page, "%s: %s", shown, problem) : -1;
    }
    GPtrArray *items = g_hash_table_lookup(parsing->lists, flag);
    if (!items) {
        items = g_ptr_array_new();
        g_hash_table_insert(parsing->lists, (gpointer) flag, items);
    }
    g_ptr_array_add(items, (gpointer) text);
    SfList list = {.size = items->len, .items = (const char *const *) items->pdata};
    memcpy(field, &list, sizeof list);
    return -1;
}

/* The value of a flag: behind '=', or the next argument. */
static int take_flag(Parsing *parsing, const CliFlag *flag, const char *shown, const char *attached)
{
    bool is_bool = flag->option.type == SF_OPTION_TYPE_BOOL;
    if (is_bool && !attached)
        return set_flag(parsing, flag, shown, "true");
    if (attached)
        return set_flag(parsing, flag, shown, attached);
    if (parsing->next >= parsing->argc)
        return cli_fail(parsing->page, "%s needs a value", shown);
    return set_flag(parsing, flag, shown, parsing->argv[parsing->next++]);
}

static int take_long(Parsing *parsing, const char *argument)
{
    const char *equals = strchr(argument, '=');
    g_autofree char *shown = equals ? g_strndup(argument, (gsize) (equals - argument)) : g_strdup(argument);
    const CliFlag *flag = find_long(parsing->page, shown + 2);
    if (!flag)
        return unknown_flag(parsing->page, shown);
    return take_flag(parsing, flag, shown, equals ? equals + 1 : NULL);
}

/* -X value, -Xvalue, -X=value is a value that starts with '='; bools may be joined: -qv. */
static int take_short(Parsing *parsing, const char *argument)
{
    for (const char *letter = argument + 1; *letter; letter++) {
        char shown[] = {'-', *letter, 0};
        const CliFlag *flag = find_short(parsing->page, *letter);
        if (!flag)
            return unknown_flag(parsing->page, g_ascii_isgraph(*letter) ? shown : argument);
        if (flag->option.type != SF_OPTION_TYPE_BOOL)
            return take_flag(parsing, flag, shown, letter[1] ? letter + 1 : NULL);
        int status = take_flag(parsing, flag, shown, NULL);
        if (status >= 0)
            return status;
    }
    return -1;
}

static int check_words(const Parsing *parsing)
{
    const CliPage *page = parsing->page;
    int n = (int) parsing->words->len;
    const char *usage = page->arguments ? page->arguments : "";
    if (n < page->least)
        return cli_fail(page, "too few arguments; usage: sfrun %s %s", page->name, usage);
    if (page->most >= 0 && n > page->most)
        return cli_fail(page, "'%s' is one argument too many; usage: sfrun %s %s",
                        (const char *) g_ptr_array_index(parsing->words, (guint) page->most), page->name, usage);
    return -1;
}

static int take_all(Parsing *parsing)
{
    bool only_words = false;
    while (parsing->next < parsing->argc) {
        char *argument = parsing->argv[parsing->next++];
        int status = -1;
        if (only_words || argument[0] != '-' || !argument[1])
            g_ptr_array_add(parsing->words, argument);
        else if (g_str_equal(argument, "--"))
            only_words = true;
        else if (g_str_equal(argument, "--help") || (g_str_equal(argument, "-h") && !find_short(parsing->page, 'h'))) {
            g_autofree char *help = cli_help(parsing->page);
            fputs(help, stdout);
            return EXIT_OK;
        } else if (argument[1] == '-')
            status = take_long(parsing, argument);
        else
            status = take_short(parsing, argument);
        if (status >= 0)
            return status;
    }
    return check_words(parsing);
}

static void free_items(gpointer items)
{
    g_ptr_array_unref(items);
}

int cli_parse(const CliPage *page, int argc, char **argv, gpointer options, CliLine *line)
{
    *line = (CliLine){.arena = option_arena_new(), .list = g_hash_table_new_full(NULL, NULL, NULL, free_items)};
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    Parsing parsing = {.page = page,
                       .options = options,
                       .arena = line->arena,
                       .words = words,
                       .lists = line->list,
                       .argc = argc,
                       .argv = argv,
                       .next = 1};
    for (const CliFlag *flag = page->flags; flag && flag->option.field; flag++)
        if (flag->option.value)
            g_free(option_read_text(line->arena, &flag->option, flag->option.value,
                                    parsing.options + flag->option.offset));
    int status = take_all(&parsing);
    line->n_words = (int) words->len;
    g_ptr_array_add(words, NULL);
    line->words = (char **) g_ptr_array_free(g_steal_pointer(&words), FALSE);
    return status;
}

void cli_line_done(CliLine *line)
{
    g_free(line->words);
    option_arena_free(line->arena);
    if (line->list)
        g_hash_table_unref(line->list);
    *line = (CliLine){0};
}
