/* docs/reference.md: everything that a pipeline file may say, from the tables that read it. */
#include "describe.h"
#include "config/option_read.h"
#include "config/settings.h"
#include "config/option_table.h"

#include <string.h>

/* Text for a table's cell: a bar would end it, a line break end the row. */
static void append_cell(GString *out, const char *text)
{
    for (; text && *text; text++) {
        if (*text == '|')
            g_string_append(out, "\\|");
        else
            g_string_append_c(out, *text == '\n' ? ' ' : *text);
    }
}

static void append_code(GString *out, const char *text)
{
    g_string_append_c(out, '`');
    append_cell(out, text);
    g_string_append_c(out, '`');
}

static void append_type(GString *out, const SfOption *option)
{
    g_string_append(out, option_type_name(option->type));
    for (size_t i = 0; option->words && option->words[i]; i++) {
        g_string_append(out, i ? ", " : ": ");
        append_code(out, option->words[i]);
    }
}

static void append_default(GString *out, const SfOption *option)
{
    if (option->required)
        g_string_append(out, "**required**");
    else if (option->value)
        append_code(out, *option->value ? option->value : "\"\"");
}

static void append_range(GString *out, const SfOption *option)
{
    if (!option->min && !option->max)
        return;
    if (option->min)
        append_code(out, option->min);
    g_string_append(out, "…");
    if (option->max)
        append_code(out, option->max);
}

static void append_meaning(GString *out, const SfOption *option)
{
    append_cell(out, option->doc);
    if (option->example) {
        g_string_append(out, " Example: ");
        append_code(out, option->example);
    }
    if (option->since)
        g_string_append_printf(out, " Since %s.", option->since);
    if (option->deprecated_by)
        g_string_append_printf(out, " Deprecated: write `%s`.", option->deprecated_by);
}

static void append_table(GString *out, const SfOption *options, size_t n)
{
    if (n == 0) {
        g_string_append(out, "It has no options.\n");
        return;
    }
    g_string_append(out, "| Option | Type | Default | Range | Meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < n; i++) {
        g_string_append(out, "| ");
        append_code(out, option_name(&options[i]));
        g_string_append(out, " | ");
        append_type(out, &options[i]);
        g_string_append(out, " | ");
        append_default(out, &options[i]);
        g_string_append(out, " | ");
        append_range(out, &options[i]);
        g_string_append(out, " | ");
        append_meaning(out, &options[i]);
        g_string_append(out, " |\n");
    }
}

static void append_plugin(GString *out, const Plugin *plugin)
{
    const SfHead *head = &plugin->head;
    const char *delivery = describe_delivery(plugin);
    g_string_append_printf(out, "\n### %s\n\n%s.", head->name, head->summary ? head->summary : "");
    if (delivery)
        g_string_append_printf(out, " Delivery: %s.", delivery);
    g_string_append(out, "\n\n");
    if (head->doc)
        g_string_append_printf(out, "%s\n\n", head->doc);
    append_table(out, (const SfOption *) (gpointer) plugin->options->data, plugin->options->len);
}

static void append_kind(GString *out, const GPtrArray *plugins, SfKind kind, const char *title)
{
    bool any = false;
    for (guint i = 0; i < plugins->len; i++) {
        const Plugin *plugin = g_ptr_array_index(plugins, i);
        if (plugin->kind != kind)
            continue;
        if (!any)
            g_string_append_printf(out, "\n## %s\n", title);
        any = true;
        append_plugin(out, plugin);
    }
}

static const char head_text[] =
    "# Reference\n\n"
    "<!-- Made by `sfrun plugins --markdown` from the option tables; `ninja reference` writes it anew. -->\n\n"
    "Everything that a pipeline file may say. `sfrun plugins NAME` shows the same for one plugin, `sfrun plugins "
    "--schema` gives editors a JSON Schema of it.\n\n"
    "## Notation\n\n"
    "| Type | Written |\n|---|---|\n"
    "| string | `text`, in quotes where YAML wants them |\n"
    "| int | `10`, `-3`, `1_000_000` |\n"
    "| float | `0.25`, `1e6` |\n"
    "| bool | `true`, `false` |\n"
    "| size | `512` (bytes), `64KiB`, `8MiB`, `1GiB`, `10MB` |\n"
    "| duration | `250ms`, `5s`, `10m`, `1h30m`, `7d`; a bare number is milliseconds where the name ends in `.ms`, and "
    "an error elsewhere |\n"
    "| enum | one of the words |\n"
    "| list | `[a, b]`, or one item without brackets |\n"
    "| map | `{key: value}` |\n"
    "| secret | the secret, `file:PATH` (first line break at the end is cut off), or `exec:COMMAND` (its output; no "
    "shell); never printed |\n"
    "| tree | a value of its own shape, which the option's meaning tells |\n\n"
    "`${NAME}` in a value is replaced by the environment variable of that name, `${NAME:-default}` by the default "
    "where "
    "it is unset or empty; `$${` stands for a plain `${`. `~` or `null` takes a value back to its default. Anchors "
    "(`&name`), aliases (`*name`) and merges (`<<: *name`) work; keys on top that start with `x-` are yours.\n\n"
    "## Pipeline files\n\n";

char *describe_markdown(const GPtrArray *plugins)
{
    size_t n = 0;
    GString *out = g_string_new(head_text);
    const SfOption *table = settings_table(&n);
    append_table(out, table, n);
    g_string_append(out, "\n`checkpoint` as a map:\n\n");
    table = settings_checkpoint_table(&n);
    append_table(out, table, n);
    g_string_append(out, "\n`trigger` as a map:\n\n");
    table = settings_trigger_table(&n);
    append_table(out, table, n);
    g_string_append(out, "\nEvery step, beside the options of its plugin:\n\n");
    table = settings_step_table(&n);
    append_table(out, table, n);
    append_kind(out, plugins, SF_SOURCE, "Sources");
    append_kind(out, plugins, SF_TRANSFORM, "Transforms");
    append_kind(out, plugins, SF_SINK, "Sinks");
    return g_string_free(out, FALSE);
}
