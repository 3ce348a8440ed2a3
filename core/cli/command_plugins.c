/* `sfrun plugins`: which plugins there are, and all that they say of themselves. */
#include "cli.h"
#include "describe.h"
#include "runtime/runtime.h"

#include <json-c/json.h>
#include <stdio.h>

typedef struct Options {
    bool json;
    bool markdown;
    bool schema;
    bool names;
} Options;

static const CliFlag flags[] = {
    CLI_FLAG(
        0, NULL,
        SF_OPTION_BOOL(Options, json,
                       .doc = "Print JSON: a list of plugins with all of their options, or the plugin that is named.")),
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(Options, markdown, .doc = "Print the reference page (docs/reference.md).")),
    CLI_FLAG(0, NULL,
             SF_OPTION_BOOL(Options, schema, .doc = "Print the JSON Schema (draft-07) of pipeline files for editors.")),
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(Options, names, .doc = "Print names only, one a line.")),
    CLI_FLAGS_END,
};

const CliPage command_plugins_page = {
    .name = "plugins",
    .arguments = "[NAME…]",
    .summary = "Show plugins and their options",
    .text = "Without a name: one line for each plugin that is there. With names: their full reference, every option "
            "with its type, default, range and meaning. Plugins are looked for in the directories of SF_PLUGIN_PATH, "
            "then in the directory of the installation.\n\nFor help while typing, let the YAML language server of your "
            "editor use the schema: put `# yaml-language-server: $schema=streamforge.schema.json` on top of a pipeline "
            "file.",
    .flags = flags,
    .examples = "sfrun plugins\nsfrun plugins kafka-source\nsfrun plugins --schema > streamforge.schema.json",
    .most = -1,
};

/* The plugins of these names, or all; those that cannot be loaded are complained about. */
static GPtrArray *plugins_load(char **names, bool *failed)
{
    GPtrArray *plugins = g_ptr_array_new();
    for (char **name = names; *name; name++) {
        SfError err;
        const Plugin *plugin = registry_load(*name, &err);
        if (plugin)
            g_ptr_array_add(plugins, (gpointer) plugin);
        else
            fprintf(stderr, "sfrun plugins: %s\n", err.message);
        *failed = *failed || !plugin;
    }
    return plugins;
}

static GPtrArray *load_all(bool *failed)
{
    g_autoptr(GPtrArray) names = registry_list();
    if (names->len == 0)
        fputs("sfrun plugins: there are no plugins; set SF_PLUGIN_PATH to the directories that have them\n", stderr);
    g_ptr_array_add(names, NULL);
    return plugins_load((char **) names->pdata, failed);
}

static void print_table(const GPtrArray *plugins)
{
    int width = 4;
    for (guint i = 0; i < plugins->len; i++) {
        const Plugin *plugin = g_ptr_array_index(plugins, i);
        width = MAX(width, (int) g_utf8_strlen(plugin->head.name, -1));
    }
    printf("%-9s  %-*s  %-8s  %s\n", "KIND", width, "NAME", "VERSION", "SUMMARY");
    for (SfKind kind = SF_SOURCE; kind <= SF_SINK; kind++) {
        for (guint i = 0; i < plugins->len; i++) {
            const Plugin *plugin = g_ptr_array_index(plugins, i);
            const SfHead *head = &plugin->head;
            if (plugin->kind == kind)
                printf("%-9s  %-*s  %-8s  %s\n", describe_kind(kind), width, head->name,
                       head->version ? head->version : "", head->summary ? head->summary : "");
        }
    }
}

static void print_names(const GPtrArray *plugins)
{
    for (guint i = 0; i < plugins->len; i++)
        puts(((const Plugin *) g_ptr_array_index(plugins, i))->head.name);
}

static void print_text(const GPtrArray *plugins)
{
    for (guint i = 0; i < plugins->len; i++) {
        g_autofree char *text = describe_text(g_ptr_array_index(plugins, i));
        printf("%s%s", i ? "\n" : "", text);
    }
}

static void print_object(struct json_object *object)
{
    puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
}

static void plugins_print_json(const GPtrArray *plugins, bool single)
{
    if (single && plugins->len == 1) {
        print_object(describe_json(g_ptr_array_index(plugins, 0)));
        return;
    }
    struct json_object *list = json_object_new_array();
    for (guint i = 0; i < plugins->len; i++)
        json_object_array_add(list, describe_json(g_ptr_array_index(plugins, i)));
    print_object(list);
}

static void print_markdown(const GPtrArray *plugins)
{
    g_autofree char *text = describe_markdown(plugins);
    fputs(text, stdout);
}

int command_plugins(int argc, char **argv)
{
    Options options = {0};
    g_auto(CliLine) line = {0};
    int status = cli_parse(&command_plugins_page, argc, argv, &options, &line);
    if (status >= 0)
        return status;
    if (options.json + options.markdown + options.schema + options.names > 1)
        return cli_fail(&command_plugins_page, "only one of --json, --markdown, --schema and --names can be printed");
    bool failed = false;
    g_autoptr(GPtrArray) plugins = line.n_words > 0 ? plugins_load(line.words, &failed) : load_all(&failed);
    if (options.json)
        plugins_print_json(plugins, line.n_words == 1);
    else if (options.markdown)
        print_markdown(plugins);
    else if (options.schema)
        print_object(describe_schema(plugins));
    else if (options.names)
        print_names(plugins);
    else if (line.n_words > 0)
        print_text(plugins);
    else
        print_table(plugins);
    return !failed ? EXIT_OK : line.n_words > 0 ? EXIT_CONFIG : EXIT_FAILED;
}
