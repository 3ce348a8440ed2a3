/* What an audit has found: what is wrong first, then a line for each layer; or the same as JSON. */
#include "print.h"

#include <json-c/json.h>
#include <stdio.h>

#include "cli/table.h"

#define RED "\033[31m"
#define YELLOW "\033[33m"
#define GREEN "\033[32m"
#define MOST_SHOWN 50 /* findings of a kind of one step, in a text */

static const char *const kinds[] = {
    [SF_AUDIT_FAULT] = "FAULT", [SF_AUDIT_ORPHAN] = "ORPHAN", [SF_AUDIT_UNKNOWN] = "UNKNOWN", [SF_AUDIT_NOTE] = "note"};

static const char *const keys[] = {
    [SF_AUDIT_FAULT] = "fault", [SF_AUDIT_ORPHAN] = "orphan", [SF_AUDIT_UNKNOWN] = "unknown", [SF_AUDIT_NOTE] = "note"};

static void print_findings_of(const AuditStep *step, SfAuditKind kind)
{
    gint64 shown = 0;
    const char *colour = kind == SF_AUDIT_FAULT ? RED : kind == SF_AUDIT_NOTE ? NULL : YELLOW;
    for (guint i = 0; i < step->findings->len && shown < MOST_SHOWN; i++) {
        const AuditFinding *finding = &g_array_index(step->findings, AuditFinding, i);
        if (finding->kind != kind)
            continue;
        g_autofree char *line =
            g_strdup_printf("%s %s: %s%s%s", kinds[kind], step->step->name, finding->place ? finding->place : "",
                            finding->place ? ": " : "", finding->message);
        table_paragraph(line, colour);
        shown++;
    }
    if (step->found[kind] > shown)
        printf("%s %s: and %" G_GINT64_FORMAT " more\n", kinds[kind], step->step->name, step->found[kind] - shown);
}

static void print_findings(const Audit *audit)
{
    for (SfAuditKind kind = SF_AUDIT_FAULT; kind <= SF_AUDIT_NOTE; kind++)
        for (guint i = 0; i < audit->pipeline->steps->len; i++)
            print_findings_of(&audit->steps[i], kind);
}

/* "1,024 objects, 3.1 MB" */
static char *counts_text(const AuditStep *step)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < step->counts->len; i++) {
        const AuditCount *count = &g_array_index(step->counts, AuditCount, i);
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT " %s", i > 0 ? ", " : "", count->n, count->what);
        if (count->bytes > 0) {
            g_autofree char *size = g_format_size_full((guint64) count->bytes, G_FORMAT_SIZE_IEC_UNITS);
            g_string_append_printf(text, " (%s)", size);
        }
    }
    return g_string_free(text, FALSE);
}

static const char *verdict_of(const AuditStep *step, const char **colour)
{
    *colour = step->found[SF_AUDIT_FAULT] > 0 ? RED : step->found[SF_AUDIT_UNKNOWN] > 0 ? YELLOW : GREEN;
    return step->found[SF_AUDIT_FAULT] > 0 ? "FAULT" : step->found[SF_AUDIT_UNKNOWN] > 0 ? "unknown" : "ok";
}

static void add_line(Table *table, const AuditStep *step, const AuditLine *line, bool first)
{
    const char *colour;
    const char *verdict = verdict_of(step, &colour);
    g_autofree char *counts = first ? counts_text(step) : g_strdup("");
    table_text(table, step->step->name, NULL);
    table_text(table, line ? (const char *) step->step->input_names->pdata[line->input] : "", NULL);
    table_count(table, line ? line->events : -1, NULL);
    table_count(table, line ? line->stored : -1, NULL);
    table_count(table, line ? line->rejected : -1, NULL);
    table_count(table, line ? line->behind : -1, NULL);
    table_text(table, verdict, colour);
    table_text(table, counts, NULL);
}

static void print_lines(const Audit *audit)
{
    static const TableColumn columns[] = {{"STEP", .left = true, .least = 8},
                                          {"INPUT", .left = true, .worth = 2},
                                          {"EVENTS"},
                                          {"ROWS"},
                                          {"REJECTED", .worth = 1},
                                          {"BEHIND", .worth = 1},
                                          {"VERDICT", .left = true},
                                          {"LOOKED AT", .left = true, .worth = 3}};
    g_autoptr(Table) table = table_new(columns, G_N_ELEMENTS(columns));
    for (guint i = 0; i < audit->pipeline->steps->len; i++) {
        const AuditStep *step = &audit->steps[i];
        guint lines = 0;
        for (guint k = 0; k < audit->lines->len; k++) {
            const AuditLine *line = &g_array_index(audit->lines, AuditLine, k);
            if (line->step == step)
                add_line(table, step, line, lines++ == 0);
        }
        if (lines == 0 && step->step->plugin->kind != SF_TRANSFORM)
            add_line(table, step, NULL, true);
    }
    table_print(table, table_room());
}

void print_text(const Audit *audit)
{
    gint64 faults = audit_found(audit, SF_AUDIT_FAULT), unknown = audit_found(audit, SF_AUDIT_UNKNOWN);
    gint64 orphans = audit_found(audit, SF_AUDIT_ORPHAN), behind = 0;
    print_findings(audit);
    print_lines(audit);
    printf("%s: ", audit->pipeline->name);
    if (faults > 0)
        printf("%" G_GINT64_FORMAT " fault%s", faults, faults == 1 ? "" : "s");
    else if (unknown > 0)
        printf("no fault found, but %" G_GINT64_FORMAT " thing%s cannot be known", unknown, unknown == 1 ? "" : "s");
    else
        printf("every event is where it belongs%s", audit->depth == SF_AUDIT_DEEP ? ""
                                                    : audit->depth == SF_AUDIT_STORED
                                                        ? ", by ledgers, statistics and what is stored"
                                                        : ", by ledgers and statistics");
    if (orphans > 0)
        printf("; %" G_GINT64_FORMAT " orphan%s", orphans, orphans == 1 ? "" : "s");
    for (guint i = 0; i < audit->lines->len; i++)
        behind = MAX(behind, g_array_index(audit->lines, AuditLine, i).behind);
    if (behind > 0)
        printf("; up to %" G_GINT64_FORMAT " records are still to be read", behind);
    printf("\n");
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static void json_put_text(struct json_object *to, const char *key, const char *text)
{
    json_object_object_add(to, key, text ? json_object_new_string(text) : NULL);
}

static void json_put_number(struct json_object *to, const char *key, gint64 number)
{
    json_object_object_add(to, key, number < 0 ? NULL : json_object_new_int64(number));
}

static struct json_object *findings_json(const Audit *audit)
{
    struct json_object *list = json_object_new_array();
    for (guint i = 0; i < audit->pipeline->steps->len; i++) {
        const AuditStep *step = &audit->steps[i];
        for (guint k = 0; k < step->findings->len; k++) {
            const AuditFinding *finding = &g_array_index(step->findings, AuditFinding, k);
            struct json_object *one = json_object_new_object();
            json_put_text(one, "kind", keys[finding->kind]);
            json_put_text(one, "step", step->step->name);
            json_put_text(one, "place", finding->place);
            json_put_text(one, "message", finding->message);
            json_object_array_add(list, one);
        }
    }
    return list;
}

static struct json_object *splits_json(const AuditStep *step, gint64 input)
{
    struct json_object *list = json_object_new_array();
    for (guint i = 0; i < step->chains->len; i++) {
        const AuditChain *chain = step->chains->pdata[i];
        if (input >= 0 && chain->input != (guint) input)
            continue;
        struct json_object *one = json_object_new_object();
        json_put_text(one, "split", chain->split);
        json_put_number(one, "start", chain->start);
        json_put_number(one, "end", chain->end);
        json_put_number(one, "rows", chain->rows);
        json_put_number(one, "ranges", chain->n_ranges);
        json_object_array_add(list, one);
    }
    return list;
}

static struct json_object *checked_json(const AuditStep *step)
{
    struct json_object *list = json_object_new_array();
    for (guint i = 0; i < step->counts->len; i++) {
        const AuditCount *count = &g_array_index(step->counts, AuditCount, i);
        struct json_object *one = json_object_new_object();
        json_put_text(one, "what", count->what);
        json_put_number(one, "count", count->n);
        json_put_number(one, "bytes", count->bytes);
        json_object_array_add(list, one);
    }
    return list;
}

static struct json_object *step_json(const Audit *audit, const AuditStep *step)
{
    const char *colour;
    struct json_object *one = json_object_new_object(), *inputs = json_object_new_array();
    json_put_text(one, "step", step->step->name);
    json_put_text(one, "plugin", step->step->plugin->head.name);
    json_put_text(one, "verdict", verdict_of(step, &colour));
    json_object_object_add(one, "checked", checked_json(step));
    for (guint i = 0; i < audit->lines->len; i++) {
        const AuditLine *line = &g_array_index(audit->lines, AuditLine, i);
        if (line->step != step)
            continue;
        struct json_object *input = json_object_new_object();
        json_put_text(input, "input", step->step->input_names->pdata[line->input]);
        json_put_number(input, "events", line->events);
        json_put_number(input, "rows", line->stored);
        json_put_number(input, "rejected", line->rejected);
        json_put_number(input, "behind", line->behind);
        json_object_object_add(input, "splits", splits_json(step, line->input));
        json_object_array_add(inputs, input);
    }
    if (step->step->inputs->len > 0)
        json_object_object_add(one, "inputs", inputs);
    else
        json_object_put(inputs);
    if (step->step->inputs->len == 0)
        json_object_object_add(one, "splits", splits_json(step, -1));
    return one;
}

void print_json(const Audit *audit)
{
    static const char *const depths[] = {
        [SF_AUDIT_QUICK] = "quick", [SF_AUDIT_STORED] = "stored", [SF_AUDIT_DEEP] = "deep"};
    struct json_object *all = json_object_new_object(), *steps = json_object_new_array();
    json_put_text(all, "pipeline", audit->pipeline->name);
    json_put_text(all, "depth", depths[audit->depth]);
    json_object_object_add(
        all, "balanced",
        json_object_new_boolean(audit_found(audit, SF_AUDIT_FAULT) == 0 && audit_found(audit, SF_AUDIT_UNKNOWN) == 0));
    for (SfAuditKind kind = SF_AUDIT_FAULT; kind <= SF_AUDIT_UNKNOWN; kind++) {
        g_autofree char *key = g_strdup_printf("%s%s", keys[kind], kind == SF_AUDIT_UNKNOWN ? "" : "s");
        json_put_number(all, key, audit_found(audit, kind));
    }
    json_object_object_add(all, "findings", findings_json(audit));
    for (guint i = 0; i < audit->pipeline->steps->len; i++)
        if (audit->steps[i].step->plugin->kind != SF_TRANSFORM)
            json_object_array_add(steps, step_json(audit, &audit->steps[i]));
    json_object_object_add(all, "steps", steps);
    printf("%s\n", json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(all);
}
