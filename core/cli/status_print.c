/* What an operator sees of running pipelines: troubles first, then how far every sink has got; see status_print.h. */
#include "status_print.h"

#include <stdio.h>
#include <string.h>

#include "data/printable.h"
#include "table.h"

#define RED "\033[31m"
#define YELLOW "\033[33m"
#define GREEN "\033[32m"

const char *status_text(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(object, key, &value);
    const char *text = value ? json_object_get_string(value) : NULL;
    return text ? text : "";
}

gint64 status_int(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(object, key, &value) ? json_object_get_int64(value) : -1;
}

struct json_object *status_list(struct json_object *object, const char *key)
{
    struct json_object *list = NULL;
    return json_object_object_get_ex(object, key, &list) && json_object_is_type(list, json_type_array) ? list : NULL;
}

static size_t length_of(struct json_object *list)
{
    return list ? json_object_array_length(list) : 0;
}

/* ---- texts --------------------------------------------------------------------------------------------------- */

/* In its greatest unit: "13 min". */
static char *duration_text(gint64 seconds)
{
    static const struct Unit {
        gint64 seconds;
        const char *name;
    } units[] = {{24 * 60 * 60, "d"}, {60 * 60, "h"}, {60, "min"}};
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        if (seconds >= 2 * units[i].seconds)
            return g_strdup_printf("%" G_GINT64_FORMAT " %s", seconds / units[i].seconds, units[i].name);
    }
    return g_strdup_printf("%d s", (int) MAX(seconds, 0));
}

static struct json_object *step_in_trouble(struct json_object *steps)
{
    for (size_t i = 0; i < length_of(steps); i++) {
        struct json_object *step = json_object_array_get_idx(steps, i);
        if (*status_text(step, "trouble"))
            return step;
    }
    return NULL;
}

static const char *state_colour(struct json_object *pipeline)
{
    const char *state = status_text(pipeline, "state");
    if (step_in_trouble(status_list(pipeline, "steps")) || strcmp(state, "failed") == 0)
        return RED;
    return strcmp(state, "running") == 0 || strcmp(state, "done") == 0 ? GREEN : YELLOW;
}

/* ---- lag ----------------------------------------------------------------------------------------------------- */

/* Of a sink, or of one of its inputs, behind its split's end; -1: unknown. */
static gint64 lag_behind(struct json_object *split, struct json_object *sink)
{
    gint64 end = status_int(split, "end"), committed = status_int(sink, "committed");
    return end < 0 || committed < 0 ? -1 : MAX(end - committed, 0);
}

static void add_lag(gint64 *sum, gint64 lag)
{
    if (lag >= 0)
        *sum = MAX(*sum, 0) + lag;
}

/* Of a source or a sink in all splits; -1: unknown. */
static gint64 step_lag(struct json_object *splits, const char *step)
{
    gint64 lag = -1;
    for (size_t i = 0; i < length_of(splits); i++) {
        struct json_object *split = json_object_array_get_idx(splits, i), *sinks = status_list(split, "sinks");
        if (strcmp(status_text(split, "source"), step) == 0)
            add_lag(&lag, status_int(split, "lag"));
        for (size_t k = 0; k < length_of(sinks); k++) {
            struct json_object *sink = json_object_array_get_idx(sinks, k);
            if (strcmp(status_text(sink, "sink"), step) == 0)
                add_lag(&lag, lag_behind(split, sink));
        }
    }
    return lag;
}

static gint64 pipeline_lag(struct json_object *pipeline)
{
    struct json_object *splits = status_list(pipeline, "splits");
    gint64 lag = -1;
    for (size_t i = 0; i < length_of(splits); i++)
        add_lag(&lag, status_int(json_object_array_get_idx(splits, i), "lag"));
    return lag;
}

/* ---- one pipeline ---------------------------------------------------------------------------------------------- */

/* How long it has been in its state. */
static char *state_age(struct json_object *pipeline)
{
    gint64 since_ms = status_int(pipeline, "state_since_ms"), uptime_ms = status_int(pipeline, "uptime_ms");
    return duration_text((since_ms > 0 ? g_get_real_time() / 1000 - since_ms : uptime_ms) / 1000);
}

/* Who wants it to be otherwise than running. */
static void print_wish(struct json_object *pipeline)
{
    struct json_object *desired = NULL;
    json_object_object_get_ex(pipeline, "desired", &desired);
    const char *state = desired ? status_text(desired, "state") : "", *why = desired ? status_text(desired, "why") : "";
    if (!*state || strcmp(state, "running") == 0)
        return;
    g_autofree char *age = duration_text((g_get_real_time() / 1000 - status_int(desired, "since_ms")) / 1000);
    g_autofree char *line = g_strdup_printf("  ! to be %s, says %s, for %s%s%s", state, status_text(desired, "by"), age,
                                            *why ? ": " : "", why);
    table_paragraph(line, YELLOW);
}

/* When a schedule's next run begins, and what came of the last one. */
static void print_schedule(struct json_object *pipeline)
{
    const char *trigger = status_text(pipeline, "trigger");
    gint64 next_ms = status_int(pipeline, "next_run_ms");
    if (!*trigger)
        return;
    g_autofree char *time = next_ms >= 0 ? duration_text(MAX(next_ms - g_get_real_time() / 1000, 0) / 1000) : NULL;
    struct json_object *run = NULL;
    json_object_object_get_ex(pipeline, "run", &run);
    g_autofree char *last =
        run ? g_strdup_printf("; run %" G_GINT64_FORMAT " (%s): %s", status_int(run, "run"), status_text(run, "cause"),
                              *status_text(run, "outcome") ? status_text(run, "outcome") : "goes on")
            : g_strdup("");
    g_autofree char *line = g_strdup_printf("  %s%s%s%s", trigger, time ? ", next in " : "", time ? time : "", last);
    table_paragraph(line, NULL);
}

static void print_head(struct json_object *process, struct json_object *pipeline)
{
    g_autofree char *age = state_age(pipeline);
    g_autofree char *title =
        g_strdup_printf("%s: %s for %s", status_text(pipeline, "pipeline"), status_text(pipeline, "state"), age);
    g_autofree char *more = g_strdup_printf(
        "  attempt %" G_GINT64_FORMAT ", pid %" G_GINT64_FORMAT ", peak %" G_GINT64_FORMAT " MiB",
        status_int(pipeline, "attempts"), status_int(process, "pid"), status_int(process, "peak_rss_bytes") >> 20);
    guint room = table_room() > 0 ? table_room() - 2 : G_MAXINT;
    g_autofree char *file = printable_cut(status_text(pipeline, "file"), room, room - 1);
    table_paragraph(title, state_colour(pipeline));
    printf("  %s\n", file);
    table_paragraph(more, NULL);
    print_schedule(pipeline);
    print_wish(pipeline);
}

/* Why it is in its state, where that is over: of a failure there is no step to complain any more. */
static void print_failure(struct json_object *pipeline)
{
    const char *why = status_text(pipeline, "state_why");
    g_autofree char *line = g_strdup_printf("  ! %s", why);
    if (*why && strcmp(status_text(pipeline, "state"), "failed") == 0)
        table_paragraph(line, RED);
}

static void print_complaints(struct json_object *pipeline)
{
    struct json_object *steps = status_list(pipeline, "steps");
    const char *restart = status_text(pipeline, "last_restart");
    g_autofree char *again = g_strdup_printf("  ! started anew after: %s", restart);
    for (size_t i = 0; i < length_of(steps); i++) {
        struct json_object *step = json_object_array_get_idx(steps, i);
        const char *trouble = status_text(step, "trouble"), *cause = status_text(step, "commonest_reject");
        g_autofree char *first = g_strdup_printf("  ! %s is in trouble: %s", status_text(step, "name"), trouble);
        g_autofree char *second = g_strdup_printf("  ! %s rejects, mostly: %s", status_text(step, "name"), cause);
        if (*trouble)
            table_paragraph(first, RED);
        if (*cause)
            table_paragraph(second, YELLOW);
    }
    if (*restart)
        table_paragraph(again, YELLOW);
}

static void add_age(Table *table, struct json_object *step)
{
    gint64 at = status_int(step, "last_commit_ms");
    g_autofree char *age = at > 0 ? duration_text(g_get_real_time() / G_USEC_PER_SEC - at / 1000) : g_strdup("-");
    table_text(table, age, NULL);
}

static void print_steps(struct json_object *steps, struct json_object *splits)
{
    static const TableColumn columns[] = {
        {"STEP", true, 0, .least = 16}, {"PLUGIN", true, 3},    {"ROWS", false, 0},   {"OUT", false, 2},
        {"ROWS/S", false, 0},           {"REJECTED", false, 0}, {"COMMIT", false, 1}, {"LAG", false, 0},
    };
    g_autoptr(Table) table = table_new(columns, G_N_ELEMENTS(columns));
    for (size_t i = 0; i < length_of(steps); i++) {
        struct json_object *step = json_object_array_get_idx(steps, i);
        gint64 in = status_int(step, "rows_in"), out = status_int(step, "rows_out");
        gint64 rejected = status_int(step, "rejected");
        table_text(table, status_text(step, "name"), *status_text(step, "trouble") ? RED : NULL);
        table_text(table, status_text(step, "plugin"), NULL);
        table_count(table, in < 0 ? out : in, NULL);
        table_count(table, in < 0 ? -1 : out, NULL);
        table_count(table, status_int(step, "rows_per_s"), NULL);
        table_count(table, rejected, rejected > 0 ? YELLOW : NULL);
        add_age(table, step);
        table_count(table, step_lag(splits, status_text(step, "name")), NULL);
    }
    table_print(table, table_room());
}

static bool has_two_inputs(struct json_object *sinks, const char *name)
{
    guint n = 0;
    for (size_t i = 0; i < length_of(sinks); i++)
        n += strcmp(status_text(json_object_array_get_idx(sinks, i), "sink"), name) == 0 ? 1 : 0;
    return n > 1;
}

/* Positions keep all their digits: they are copied to other tools. */
static void add_position(Table *table, gint64 position)
{
    g_autofree char *text = position < 0 ? g_strdup("-") : g_strdup_printf("%" G_GINT64_FORMAT, position);
    table_text(table, text, NULL);
}

/* A line for each sink under its split's; of one sink it is the split's own. */
static void add_sinks(Table *table, struct json_object *split)
{
    struct json_object *sinks = status_list(split, "sinks");
    for (size_t i = 0; length_of(sinks) > 1 && i < length_of(sinks); i++) {
        struct json_object *sink = json_object_array_get_idx(sinks, i);
        const char *name = status_text(sink, "sink"), *input = status_text(sink, "input");
        bool named = *input && has_two_inputs(sinks, name);
        g_autofree char *label = named ? g_strdup_printf("  %s < %s", name, input) : g_strdup_printf("  %s", name);
        table_text(table, label, NULL);
        table_text(table, "", NULL);
        add_position(table, status_int(sink, "committed"));
        table_text(table, "", NULL);
        table_count(table, lag_behind(split, sink), NULL);
    }
}

static void print_splits(struct json_object *splits)
{
    static const TableColumn columns[] = {
        {"SPLIT", true, 0, .least = 26},
        {"READ", false, 2},
        {"COMMITTED", false, 0},
        {"END", false, 1},
        {"LAG", false, 0},
    };
    g_autoptr(Table) table = table_new(columns, G_N_ELEMENTS(columns));
    for (size_t i = 0; i < length_of(splits); i++) {
        struct json_object *split = json_object_array_get_idx(splits, i);
        table_text(table, status_text(split, "split"), NULL);
        add_position(table, status_int(split, "read"));
        add_position(table, status_int(split, "committed"));
        add_position(table, status_int(split, "end"));
        table_count(table, status_int(split, "lag"), NULL);
        add_sinks(table, split);
    }
    if (length_of(splits) > 0)
        table_print(table, table_room());
}

static void print_pipeline(struct json_object *process, struct json_object *pipeline)
{
    struct json_object *steps = status_list(pipeline, "steps"), *splits = status_list(pipeline, "splits");
    print_head(process, pipeline);
    print_failure(pipeline);
    print_complaints(pipeline);
    print_steps(steps, splits);
    print_splits(splits);
}

/* ---- all of them ----------------------------------------------------------------------------------------------- */

/* Of what its sources give, and of all its steps. */
static void add_sums(Table *table, struct json_object *steps)
{
    gint64 rate = -1, rejected = 0;
    for (size_t i = 0; i < length_of(steps); i++) {
        struct json_object *step = json_object_array_get_idx(steps, i);
        if (strcmp(status_text(step, "kind"), "source") == 0)
            add_lag(&rate, status_int(step, "rows_per_s"));
        rejected += MAX(status_int(step, "rejected"), 0);
    }
    table_count(table, rate, NULL);
    table_count(table, rejected, rejected > 0 ? YELLOW : NULL);
}

static void add_overview(Table *table, struct json_object *pipeline)
{
    struct json_object *steps = status_list(pipeline, "steps"), *trouble = step_in_trouble(steps);
    g_autofree char *age = state_age(pipeline);
    table_text(table, status_text(pipeline, "pipeline"), state_colour(pipeline));
    table_text(table, status_text(pipeline, "state"), NULL);
    table_text(table, age, NULL);
    add_sums(table, steps);
    table_count(table, pipeline_lag(pipeline), NULL);
    table_text(table, trouble ? status_text(trouble, "name") : "", trouble ? RED : NULL);
}

guint status_print(const GPtrArray *processes)
{
    static const TableColumn columns[] = {
        {"PIPELINE", true, 0, .least = 16},
        {"STATE", true, 0},
        {"FOR", false, 2},
        {"ROWS/S", false, 0},
        {"REJECTED", false, 0},
        {"LAG", false, 0},
        {"TROUBLE", true, 1},
    };
    g_autoptr(Table) overview = table_new(columns, G_N_ELEMENTS(columns));
    guint found = 0;
    for (guint i = 0; i < processes->len; i++) {
        struct json_object *pipelines = status_list(processes->pdata[i], "pipelines");
        for (size_t k = 0; k < length_of(pipelines); k++) {
            struct json_object *pipeline = json_object_array_get_idx(pipelines, k);
            printf("%s", found++ > 0 ? "\n" : "");
            print_pipeline(processes->pdata[i], pipeline);
            add_overview(overview, pipeline);
        }
    }
    if (found > 1) {
        putchar('\n');
        table_print(overview, table_room());
    }
    return found;
}
