/* A plugin for a terminal, and the facts of an option row in words. */
#include "describe.h"
#include "cli.h"
#include "config/option_read.h"
#include "config/option_table.h"

#include <string.h>

const char *describe_kind(SfKind kind)
{
    return kind == SF_SOURCE ? "source" : kind == SF_TRANSFORM ? "transform" : "sink";
}

const char *describe_delivery(const Plugin *plugin)
{
    if (plugin->kind != SF_SINK)
        return NULL;
    return plugin->sink.delivery == SF_EXACTLY_ONCE ? "exactly once" : "at least once";
}

char *describe_facts(const SfOption *option)
{
    GString *out = g_string_new(option_type_name(option->type));
    if (option->words) {
        g_autofree char *words = g_strjoinv(", ", (char **) option->words);
        g_string_append_printf(out, " (%s)", words);
    }
    if (option->required)
        g_string_append(out, ", required");
    if (option->value)
        g_string_append_printf(out, ", default %s", *option->value ? option->value : "empty");
    if (option->min && option->max)
        g_string_append_printf(out, ", %s to %s", option->min, option->max);
    else if (option->min)
        g_string_append_printf(out, ", at least %s", option->min);
    else if (option->max)
        g_string_append_printf(out, ", at most %s", option->max);
    if (option->since)
        g_string_append_printf(out, ", since %s", option->since);
    if (option->deprecated_by)
        g_string_append_printf(out, ", deprecated: write %s", option->deprecated_by);
    return g_string_free(out, FALSE);
}

static void append_option(GString *out, const SfOption *option)
{
    g_autofree char *facts = describe_facts(option);
    g_string_append_printf(out, "\n  %s: %s\n", option_name(option), facts);
    if (option->doc) {
        g_string_append(out, "      ");
        cli_append_wrapped(out, option->doc, 6);
    }
    if (option->example)
        g_string_append_printf(out, "      Example: %s\n", option->example);
}

/* A Markdown table is too wide for a terminal: a row is its first cell, and below it the others. */
static void append_table(GString *out, const char *table)
{
    g_auto(GStrv) rows = g_strsplit(table, "\n", -1);
    g_string_append_c(out, '\n');
    for (char **row = rows; *row; row++) {
        bool title = row == rows || g_str_has_prefix(*row, "|-");
        gsize length = strlen(*row);
        if (title || length < strlen("| x |"))
            continue;
        g_autofree char *inner = g_strndup(*row + 2, length - strlen("|  |"));
        g_auto(GStrv) cells = g_strsplit(inner, " | ", -1);
        g_autofree char *rest = g_strjoinv(" → ", cells + 1);
        g_string_append_printf(out, "  %s\n      ", cells[0]);
        cli_append_wrapped(out, rest, 6);
    }
}

/* Lines of a list, and what is drawn with blanks, stay lines. */
static bool is_prose(const char *paragraph)
{
    return !strstr(paragraph, "\n- ") && !strstr(paragraph, "\n ") && *paragraph != ' ';
}

static void append_doc(GString *out, const char *doc)
{
    g_auto(GStrv) paragraphs = g_strsplit(doc, "\n\n", -1);
    for (char **paragraph = paragraphs; *paragraph; paragraph++) {
        g_strstrip(*paragraph);
        if (g_str_has_prefix(*paragraph, "|")) {
            append_table(out, *paragraph);
            continue;
        }
        if (is_prose(*paragraph))
            g_strdelimit(*paragraph, "\n", ' ');
        g_string_append(out, "\n  ");
        cli_append_wrapped(out, *paragraph, 2);
    }
}

char *describe_text(const Plugin *plugin)
{
    const SfHead *head = &plugin->head;
    const char *delivery = describe_delivery(plugin);
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "%s %s (%s)\n", head->name, head->version ? head->version : "",
                           describe_kind(plugin->kind));
    g_string_append_printf(out, "  %s\n", head->summary ? head->summary : "");
    if (delivery)
        g_string_append_printf(out, "  Delivery: %s\n", delivery);
    g_string_append_printf(out, "  Module: %s\n", plugin->path);
    if (head->doc)
        append_doc(out, head->doc);
    g_string_append(out, plugin->options->len > 0 ? "\nOptions:\n" : "\nIt has no options.\n");
    for (guint i = 0; i < plugin->options->len; i++)
        append_option(out, &g_array_index(plugin->options, SfOption, i));
    return g_string_free(out, FALSE);
}
