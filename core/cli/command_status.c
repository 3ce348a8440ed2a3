/* `sfrun status [PIPELINE]`: what the running pipelines of this user say of themselves. */
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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

/* A column of a table: what is in it, and what is given up first where there is no room for all. */
typedef struct Column {
    const char *title;
    const char *key;
    bool text;
    guint worth; /* 0: always there */
} Column;

enum { MOST_COLUMNS = 16, NARROW = 80 };

/* Of the terminal; of a file, what most terminals have. */
static guint room(void)
{
    struct winsize size = {0};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : NARROW;
}

static char *cell(struct json_object *row, const Column *column)
{
    return column->text ? g_strdup(text_of(row, column->key)) : count(row, column->key);
}

static guint width_of(struct json_object *rows, const Column *column)
{
    guint width = (guint) g_utf8_strlen(column->title, -1);
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        g_autofree char *text = cell(json_object_array_get_idx(rows, i), column);
        width = MAX(width, (guint) g_utf8_strlen(text, -1));
    }
    return width;
}

static void print_cell(const char *text, guint width, bool left)
{
    int blanks = (int) width - (int) g_utf8_strlen(text, -1);
    printf("  %*s%s%*s", left ? 0 : blanks, "", text, left ? blanks : 0, "");
}

/* Each column is as wide as its widest cell; columns of the least worth go until the table fits. */
static void print_table(struct json_object *rows, const Column *columns, guint n)
{
    guint widths[MOST_COLUMNS], kept = G_MAXUINT;
    for (guint i = 0; i < n; i++)
        widths[i] = width_of(rows, &columns[i]);
    for (kept = 10; kept > 0; kept--) {
        guint width = 0;
        for (guint i = 0; i < n; i++)
            width += columns[i].worth < kept ? widths[i] + 2 : 0;
        if (width < room())
            break;
    }
    kept = MAX(kept, 1);
    for (size_t row = 0; row <= json_object_array_length(rows); row++) {
        for (guint i = 0; i < n; i++) {
            if (columns[i].worth >= kept)
                continue;
            g_autofree char *text =
                row == 0 ? g_strdup(columns[i].title) : cell(json_object_array_get_idx(rows, row - 1), &columns[i]);
            print_cell(text, widths[i], columns[i].text);
        }
        putchar('\n');
    }
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
    static const Column columns[] = {
        {"STEP", "name", true, 0},          {"PLUGIN", "plugin", true, 3},      {"ROWS IN", "rows_in", false, 0},
        {"ROWS OUT", "rows_out", false, 0}, {"ROWS/S", "rows_per_s", false, 1}, {"REJECTED", "rejected", false, 0},
        {"COMMITS", "commits", false, 2},
    };
    print_table(steps, columns, G_N_ELEMENTS(columns));
    print_troubles(steps);
}

/* "bronze 120, silver 100": how far each sink has committed; a line each where they do not fit. */
static void print_ends(struct json_object *split)
{
    struct json_object *sinks = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    if (!json_object_object_get_ex(split, "sinks", &sinks))
        return;
    for (size_t i = 0; i < json_object_array_length(sinks); i++) {
        struct json_object *sink = json_object_array_get_idx(sinks, i);
        gint64 committed = int_of(sink, "committed");
        g_autofree char *end = committed < 0 ? g_strdup("-") : g_strdup_printf("%" G_GINT64_FORMAT, committed);
        g_autofree char *one = g_strdup_printf("%s %s", text_of(sink, "sink"), end);
        if (line->len > 0 && 4 + line->len + 2 + strlen(one) >= room()) {
            printf("    %s\n", line->str);
            g_string_truncate(line, 0);
        }
        g_string_append_printf(line, "%s%s", line->len > 0 ? ", " : "", one);
    }
    if (line->len > 0)
        printf("    %s\n", line->str);
}

/* Of one sink it is the column COMMITTED. */
static bool has_several_sinks(struct json_object *split)
{
    struct json_object *sinks = NULL;
    return json_object_object_get_ex(split, "sinks", &sinks) && json_object_array_length(sinks) > 1;
}

static void print_splits(struct json_object *splits)
{
    static const Column columns[] = {
        {"SPLIT", "split", true, 0}, {"READ", "read", false, 2}, {"COMMITTED", "committed", false, 0},
        {"END", "end", false, 1},    {"LAG", "lag", false, 0},
    };
    if (json_object_array_length(splits) == 0)
        return;
    print_table(splits, columns, G_N_ELEMENTS(columns));
    bool told = false;
    for (size_t i = 0; i < json_object_array_length(splits); i++) {
        struct json_object *split = json_object_array_get_idx(splits, i);
        if (!has_several_sinks(split))
            continue;
        printf("%s", told ? "" : "  committed by each sink:\n");
        told = true;
        printf("  %s\n", text_of(split, "split"));
        print_ends(split);
    }
}

static void print_pipeline(struct json_object *process, struct json_object *pipeline)
{
    gint64 seconds = int_of(pipeline, "uptime_ms") / 1000;
    printf("%s: %s for %" G_GINT64_FORMAT " s, attempt %" G_GINT64_FORMAT ", pid %" G_GINT64_FORMAT
           ", peak %" G_GINT64_FORMAT " MiB\n  %s\n",
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
