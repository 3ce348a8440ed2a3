/* `sfrun status [PIPELINE]`: what the running pipelines of this user say of themselves. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "runtime/runtime.h"
#include "runtime/status.h"

typedef struct Options {
    bool json;
    const char *state_dir;
} Options;

static const CliFlag flags[] = {
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(Options, json, .doc = "Print JSON.")),
    CLI_FLAG(0, "DIR", SF_OPTION_STRING(Options, state_dir, .doc = "Where the status sockets are.")), CLI_FLAGS_END};

const CliPage command_status_page = {.name = "status",
                                     .arguments = "[PIPELINE]",
                                     .summary = "Show running pipelines: state, rows, positions, lag",
                                     .text = "Asks every sfrun process of this user on this machine. A split is shown "
                                             "with the position that its source has read up "
                                             "to, the one that all sinks have committed, and the lag behind the end.",
                                     .flags = flags,
                                     .examples = "sfrun status\nsfrun status sales --json",
                                     .exits = "3  no such pipeline is running",
                                     .most = 1};

#define EXIT_NOT_RUNNING 3

static const char *text_of(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(object, key, &value);
    const char *text = value ? json_object_get_string(value) : NULL;
    return text ? text : "";
}

static gint64 int_of(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(object, key, &value) ? json_object_get_int64(value) : -1;
}

static char *count(struct json_object *object, const char *key)
{
    gint64 n = int_of(object, key);
    return n < 0 ? g_strdup("-") : g_strdup_printf("%" G_GINT64_FORMAT, n);
}

/* Cells in rows of n_texts texts and n_counts counts; each column is as wide as its widest cell. */
typedef struct Table {
    guint n_texts;
    guint n_counts;
    GPtrArray *cells; /* char * */
} Table;

static void table_add(const Table *table, struct json_object *object, const char *const *keys)
{
    for (guint i = 0; i < table->n_texts + table->n_counts; i++)
        g_ptr_array_add(table->cells, i < table->n_texts ? g_strdup(text_of(object, keys[i])) : count(object, keys[i]));
}

static void table_print(const Table *table)
{
    guint n = table->n_texts + table->n_counts;
    g_autofree int *widths = g_new0(int, n);
    for (guint i = 0; i < table->cells->len; i++)
        widths[i % n] = MAX(widths[i % n], (int) g_utf8_strlen(table->cells->pdata[i], -1));
    for (guint i = 0; i < table->cells->len; i++) {
        const char *cell = table->cells->pdata[i];
        int blanks = widths[i % n] - (int) g_utf8_strlen(cell, -1);
        bool left = i % n < table->n_texts;
        printf("  %*s%s%*s%s", left ? 0 : blanks, "", cell, left ? blanks : 0, "", i % n == n - 1 ? "\n" : "");
    }
}

static void print_table(struct json_object *rows, guint n_texts, const char *const *titles, const char *const *keys)
{
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
    Table table = {.n_texts = n_texts, .n_counts = g_strv_length((char **) keys) - n_texts, .cells = cells};
    for (const char *const *title = titles; *title; title++)
        g_ptr_array_add(cells, g_strdup(*title));
    for (size_t i = 0; i < json_object_array_length(rows); i++)
        table_add(&table, json_object_array_get_idx(rows, i), keys);
    table_print(&table);
}

static void print_troubles(struct json_object *steps)
{
    for (size_t i = 0; i < json_object_array_length(steps); i++) {
        struct json_object *step = json_object_array_get_idx(steps, i);
        const char *trouble = text_of(step, "trouble");
        if (*trouble)
            printf("  trouble at '%s': %s\n", text_of(step, "name"), trouble);
    }
}

static void print_steps(struct json_object *steps)
{
    static const char *const titles[] = {"STEP", "PLUGIN", "ROWS IN", "ROWS OUT", "REJECTED", "COMMITS", NULL};
    static const char *const keys[] = {"name", "plugin", "rows_in", "rows_out", "rejected", "commits", NULL};
    print_table(steps, 2, titles, keys);
    print_troubles(steps);
}

static void print_splits(struct json_object *splits)
{
    static const char *const titles[] = {"SPLIT", "READ", "COMMITTED", "END", "LAG", NULL};
    static const char *const keys[] = {"split", "read", "committed", "end", "lag", NULL};
    if (json_object_array_length(splits) > 0)
        print_table(splits, 1, titles, keys);
}

static void print_pipeline(struct json_object *process, struct json_object *pipeline)
{
    gint64 seconds = int_of(pipeline, "uptime_ms") / 1000;
    printf("%s: %s for %" G_GINT64_FORMAT " s, attempt %" G_GINT64_FORMAT ", pid %" G_GINT64_FORMAT
           ", peak %" G_GINT64_FORMAT " MiB, %s\n",
           text_of(pipeline, "pipeline"), text_of(pipeline, "state"), seconds, int_of(pipeline, "attempts"),
           int_of(process, "pid"), int_of(process, "peak_rss_bytes") >> 20, text_of(pipeline, "file"));
    if (*text_of(pipeline, "last_restart"))
        printf("  started anew after: %s\n", text_of(pipeline, "last_restart"));
    struct json_object *part = NULL;
    if (json_object_object_get_ex(pipeline, "steps", &part))
        print_steps(part);
    if (json_object_object_get_ex(pipeline, "splits", &part))
        print_splits(part);
}

/* Calls for each pipeline; returns how many there were. */
static guint each_pipeline(const GPtrArray *processes,
                           void (*visit)(struct json_object *process, struct json_object *pipeline))
{
    guint found = 0;
    for (guint i = 0; i < processes->len; i++) {
        struct json_object *pipelines = NULL;
        json_object_object_get_ex(processes->pdata[i], "pipelines", &pipelines);
        for (size_t k = 0; pipelines && k < json_object_array_length(pipelines); k++) {
            found++;
            if (visit)
                visit(processes->pdata[i], json_object_array_get_idx(pipelines, k));
        }
    }
    return found;
}

/* Takes other pipelines than that out of the documents (NULL: none), and processes that have none left. */
static void keep_only(const GPtrArray *processes, const char *name)
{
    for (guint i = 0; name && i < processes->len; i++) {
        struct json_object *pipelines = NULL, *kept = json_object_new_array();
        json_object_object_get_ex(processes->pdata[i], "pipelines", &pipelines);
        for (size_t k = 0; pipelines && k < json_object_array_length(pipelines); k++) {
            struct json_object *pipeline = json_object_array_get_idx(pipelines, k);
            if (strcmp(text_of(pipeline, "pipeline"), name) == 0)
                json_object_array_add(kept, json_object_get(pipeline));
        }
        json_object_object_add(processes->pdata[i], "pipelines", kept);
    }
}

static void print_json(const GPtrArray *processes, bool all)
{
    struct json_object *array = json_object_new_array();
    for (guint i = 0; i < processes->len; i++) {
        struct json_object *pipelines = NULL;
        json_object_object_get_ex(processes->pdata[i], "pipelines", &pipelines);
        if (all || (pipelines && json_object_array_length(pipelines) > 0))
            json_object_array_add(array, json_object_get(processes->pdata[i]));
    }
    printf("%s\n", json_object_to_json_string_ext(array, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(array);
}

static void suggest(const GPtrArray *processes, const char *name, char *out, gsize size)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < processes->len; i++) {
        struct json_object *pipelines = NULL;
        json_object_object_get_ex(processes->pdata[i], "pipelines", &pipelines);
        for (size_t k = 0; pipelines && k < json_object_array_length(pipelines); k++)
            g_ptr_array_add(names, (gpointer) text_of(json_object_array_get_idx(pipelines, k), "pipeline"));
    }
    sf_suggest(name ? name : "", (const char *const *) names->pdata, names->len, out, size);
}

int command_status(int argc, char **argv)
{
    Options options = {0};
    g_auto(CliLine) line = {0};
    int status = cli_parse(&command_status_page, argc, argv, &options, &line);
    if (status >= 0)
        return status;
    g_autoptr(GPtrArray) processes = status_ask_all(options.state_dir);
    const char *name = line.words[0];
    char nearest[128];
    suggest(processes, name, nearest, sizeof nearest);
    keep_only(processes, name);
    if (options.json)
        print_json(processes, !name);
    guint found = each_pipeline(processes, options.json ? NULL : print_pipeline);
    if (found > 0)
        return EXIT_OK;
    if (name)
        fprintf(stderr, "sfrun status: no pipeline '%s' is running%s\n", name, nearest);
    else
        fprintf(stderr, "sfrun status: no pipeline is running\n");
    return EXIT_NOT_RUNNING;
}
