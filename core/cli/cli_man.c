/* The manual page sfrun(1), made from the commands' pages (roff by man(7)). */
#include "cli.h"
#include "config/option_read.h"

#include <string.h>

/* Text that roff takes as it is: no escapes, no request at the start of a line. */
static void man_append_text(GString *out, const char *text)
{
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\''))
            g_string_append(out, "\\&");
        if (*text == '\\')
            g_string_append(out, "\\e");
        else if (*text == '-')
            g_string_append(out, "\\-");
        else
            g_string_append_c(out, *text);
        start = *text == '\n';
    }
}

static void append_line(GString *out, const char *request, const char *text)
{
    g_string_append(out, request);
    man_append_text(out, text);
    g_string_append_c(out, '\n');
}

static void append_paragraphs(GString *out, const char *text)
{
    g_auto(GStrv) paragraphs = g_strsplit(text, "\n\n", -1);
    for (char **paragraph = paragraphs; *paragraph; paragraph++) {
        g_string_append(out, ".PP\n");
        append_line(out, "", *paragraph);
    }
}

static void append_flag(GString *out, const CliFlag *flag)
{
    const SfOption *option = &flag->option;
    g_autofree char *name = cli_flag_name(flag);
    g_string_append(out, ".TP\n\\fB");
    if (flag->letter)
        g_string_append_printf(out, "\\-%c\\fR, \\fB", flag->letter);
    g_string_append(out, "\\-\\-");
    man_append_text(out, name);
    g_string_append(out, "\\fR");
    if (option->type != SF_OPTION_TYPE_BOOL) {
        g_autofree char *value = cli_flag_value(flag);
        g_string_append_printf(out, " \\fI%s\\fR", value);
    }
    g_string_append_c(out, '\n');
    bool has_default = option->value && option->type != SF_OPTION_TYPE_BOOL;
    g_autofree char *text = g_strdup_printf("%s%s%s%s", option->doc ? option->doc : "", has_default ? " Default: " : "",
                                            has_default ? option->value : "", has_default ? "." : "");
    append_line(out, "", text);
}

static void append_command(GString *out, const CliPage *page)
{
    g_autofree char *title =
        g_strdup_printf("sfrun %s%s%s", page->name, page->arguments ? " " : "", page->arguments ? page->arguments : "");
    append_line(out, ".SS ", title);
    g_autofree char *summary = g_strconcat(page->summary, ".", NULL);
    append_line(out, "", summary);
    if (page->text)
        append_paragraphs(out, page->text);
    for (const CliFlag *flag = page->flags; flag && flag->option.field; flag++)
        append_flag(out, flag);
    if (page->exits)
        append_paragraphs(out, page->exits);
    if (page->examples) {
        g_string_append(out, ".PP\n.EX\n");
        append_line(out, "", page->examples);
        g_string_append(out, ".EE\n");
    }
}

/* A program's page is not ours to take apart: its help, as it is. */
static void append_program(GString *out, const char *word)
{
    g_autofree char *title = g_strconcat("sfrun ", word, NULL);
    g_autofree char *help = cli_program_help(word, NULL);
    append_line(out, ".SS ", title);
    g_string_append(out, ".EX\n");
    append_line(out, "", help);
    g_string_append(out, ".EE\n");
}

char *cli_man(void)
{
    g_autoptr(GPtrArray) programs = cli_programs();
    size_t n = 0;
    const Command *commands = cli_commands(&n);
    GString *out = g_string_new(".TH SFRUN 1 \"\" \"Streamforge " SF_VERSION "\"\n"
                                ".SH NAME\nsfrun \\- run stream processing pipelines\n"
                                ".SH SYNOPSIS\n\\fBsfrun\\fR [\\fIFLAG\\fR...] \\fIFILE\\fR...|\\fIDIR\\fR\n.br\n"
                                "\\fBsfrun\\fR \\fICOMMAND\\fR [\\fIFLAG\\fR...] ...\n"
                                ".SH DESCRIPTION\n");
    append_line(out, "",
                "Streamforge runs pipelines: YAML files that wire sources, transforms and sinks. Each sink stores, in "
                "the same atomic act as its rows, the positions that they come from, so every event arrives exactly "
                "once, whatever is killed when.");
    g_string_append(out, ".SH COMMANDS\n");
    for (size_t i = 0; i < n; i++)
        append_command(out, commands[i].page);
    for (guint i = 0; i < programs->len; i++)
        append_program(out, g_ptr_array_index(programs, i));
    g_string_append(out, ".SH EXIT STATUS\n");
    append_paragraphs(out, "0: done\n\n1: failed while at work\n\n2: wrong usage, or a mistake in a pipeline file");
    g_string_append(out, ".SH ENVIRONMENT\n.TP\n\\fBSF_PLUGIN_PATH\\fR\n"
                         "Directories that are searched for plugins first, separated by colons.\n"
                         ".TP\n\\fBSF_COMMAND_PATH\\fR\n"
                         "Likewise for the programs behind further commands, \\fBsfrun\\-\\fIword\\fR.\n"
                         ".TP\n\\fBSF_PLUGIN_DIR\\fR, \\fBSF_COMMAND_DIR\\fR\n"
                         "Searched last, instead of the directories of the installation; empty: none.\n");
    return g_string_free(out, FALSE);
}
