/* Help texts from pages: usage, what it does, flags with types and defaults, examples, exit statuses. */
#include "cli.h"
#include "config/option_read.h"
#include "config/option_table.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH 80
#define MAX_WIDTH 100
#define MIN_WIDTH 40
#define MAX_LABEL 30

/* The terminal's, whichever end of us is one (a pager has taken standard output); lines longer than that are hard to
 * read. */
static glong width_of_terminal(void)
{
    const char *columns = g_getenv("COLUMNS");
    glong width = columns ? (glong) g_ascii_strtoll(columns, NULL, 10) : 0;
    struct winsize size = {0};
    if (width <= 0 && (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 || ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0))
        width = size.ws_col;
    return width > 0 ? CLAMP(width, MIN_WIDTH, MAX_WIDTH) : WIDTH;
}

/* Breaks a paragraph's lines at blanks; lines that start with a blank stay as they are. */
void cli_append_wrapped(GString *out, const char *text, guint indent)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    glong width = width_of_terminal();
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", -1);
        glong column = 0;
        for (char **word = words; *word; word++) {
            glong length = g_utf8_strlen(*word, -1);
            bool fits = column == 0 || column + 1 + length + (glong) indent <= width || **line == ' ';
            if (column > 0)
                g_string_append(out, fits ? " " : "\n");
            if (column > 0 && !fits) {
                g_string_append_printf(out, "%*s", (int) indent, "");
                column = 0;
            }
            g_string_append(out, *word);
            column += length + (column > 0 || !**word ? 1 : 0);
        }
        g_string_append_c(out, '\n');
        if (line[1])
            g_string_append_printf(out, "%*s", (int) indent, "");
    }
}

static char *flag_label(const CliFlag *flag)
{
    g_autofree char *name = cli_flag_name(flag);
    g_autofree char *letter = flag->letter ? g_strdup_printf("-%c, ", flag->letter) : g_strdup("    ");
    if (flag->option.type == SF_OPTION_TYPE_BOOL)
        return g_strdup_printf("  %s--%s", letter, name);
    g_autofree char *value = cli_flag_value(flag);
    return g_strdup_printf("  %s--%s %s", letter, name, value);
}

static void append_flag(GString *out, const char *label, guint width, const char *doc, const SfOption *option)
{
    GString *text = g_string_new(doc ? doc : "");
    if (option && option->value && option->type != SF_OPTION_TYPE_BOOL)
        g_string_append_printf(text, " Default: %s.", option->value);
    if (option && option->required)
        g_string_append(text, " Required.");
    guint length = (guint) g_utf8_strlen(label, -1);
    g_string_append(out, label);
    if (length > width)
        g_string_append_printf(out, "\n%*s", (int) width + 2, "");
    else
        g_string_append_printf(out, "%*s", (int) (width + 2 - length), "");
    cli_append_wrapped(out, text->str, width + 2);
    g_string_free(text, TRUE);
}

static void append_flags(GString *out, const CliPage *page)
{
    static const char help_label[] = "  -h, --help";
    guint width = (guint) strlen(help_label);
    for (const CliFlag *flag = page->flags; flag && flag->option.field; flag++) {
        g_autofree char *label = flag_label(flag);
        guint length = (guint) g_utf8_strlen(label, -1);
        width = length <= MAX_LABEL ? MAX(width, length) : width;
    }
    g_string_append(out, "\nFlags:\n");
    for (const CliFlag *flag = page->flags; flag && flag->option.field; flag++) {
        g_autofree char *label = flag_label(flag);
        append_flag(out, label, width, flag->option.doc, &flag->option);
    }
    append_flag(out, help_label, width, "Show this help.", NULL);
}

static void append_indented(GString *out, const char *title, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_string_append_printf(out, "\n%s:\n", title);
    for (char **line = lines; *line; line++)
        if (**line)
            g_string_append_printf(out, "  %s\n", *line);
}

char *cli_help(const CliPage *page)
{
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "Usage: sfrun %s", page->name);
    if (page->flags && page->flags->option.field)
        g_string_append(out, " [FLAG…]");
    if (page->arguments && *page->arguments)
        g_string_append_printf(out, " %s", page->arguments);
    g_string_append_printf(out, "\n\n%s.\n", page->summary);
    if (page->text) {
        g_string_append_c(out, '\n');
        cli_append_wrapped(out, page->text, 0);
    }
    append_flags(out, page);
    if (page->examples)
        append_indented(out, "Examples", page->examples);
    g_autofree char *exits = g_strconcat(
        "0  done\n1  failed while at work\n2  wrong usage, or a mistake in a pipeline file\n", page->exits, NULL);
    append_indented(out, "Exit status", exits);
    return g_string_free(out, FALSE);
}
