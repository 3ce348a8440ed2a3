/* `sfrun table URL --history`: the commits, newest first. */
#include "cli/table.h"
#include "table.h"

#include <stdio.h>

#include "data/printable.h"

#define USUAL_LIMIT 20

static void print_commit_json(const DeltaCommit *commit, const DeltaCommitInfo *info)
{
    json_object *out = json_object_new_object();
    g_autofree char *time = time_json(info->time_ms);
    json_add_number(out, "version", commit->version);
    json_add(out, "time", time);
    json_add(out, "operation", delta_json_text(info->info, "operation"));
    json_add_number(out, "files_added", info->added);
    json_add_number(out, "files_removed", info->removed);
    json_add_number(out, "bytes_added", info->added_bytes);
    json_add_number(out, "rows_added", info->added_rows);
    json_object_object_add(out, "data_change", json_object_new_boolean(info->data_change));
    json_object_object_add(out, "schema_change", json_object_new_boolean(info->schema));
    json_object_object_add(out, "commit_info", json_object_get(info->info));
    json_print(out);
}

static void add_commit_row(Table *shown, const DeltaCommit *commit, const DeltaCommitInfo *info)
{
    const char *operation = delta_json_text(info->info, "operation"),
               *engine = delta_json_text(info->info, "engineInfo");
    g_autofree char *version = g_strdup_printf("%" G_GINT64_FORMAT, commit->version);
    g_autofree char *time = time_text(info->time_ms), *size = place_size(info->added_bytes);
    g_autofree char *what = printable(operation ? operation : "-", ""), *who = printable(engine ? engine : "-", "");
    g_autofree char *short_what = printable_cut(what, 24, 0), *short_who = printable_cut(who, 28, 8);
    table_text(shown, version, NULL);
    table_text(shown, time, NULL);
    table_text(shown, short_what, NULL);
    table_count(shown, info->added_rows, NULL);
    table_count(shown, info->added, NULL);
    table_count(shown, info->removed, NULL);
    table_text(shown, size, NULL);
    table_text(shown, short_who, NULL);
}

SfStatus table_print_history(OpenTable *table, SfError *err)
{
    static const TableColumn columns[] = {
        {.title = "VERSION", .least = 7},     {.title = "TIME (UTC)", .left = true},
        {.title = "OPERATION", .left = true}, {.title = "ROWS", .worth = 1},
        {.title = "ADDED", .worth = 2},       {.title = "REMOVED", .worth = 2},
        {.title = "SIZE", .worth = 3},        {.title = "BY", .left = true, .worth = 4}};
    g_autoptr(GArray) commits = NULL;
    g_autoptr(Table) shown = table_new(columns, G_N_ELEMENTS(columns));
    gint64 left = table->options->limit >= 0 ? table->options->limit : USUAL_LIMIT;
    bool all = left == 0;
    SF_TRY(delta_commits_list(table->log, &commits, err));
    guint i = commits->len;
    for (; i > 0 && (all || left > 0) && !ferror(stdout); i--) {
        const DeltaCommit *commit = &g_array_index(commits, DeltaCommit, i - 1);
        g_auto(DeltaCommitInfo) info = {0};
        if (commit->version > table->log->version)
            continue;
        SF_TRY(delta_commit_info(table->log, commit, &info, err));
        if (table->options->json)
            print_commit_json(commit, &info);
        else
            add_commit_row(shown, commit, &info);
        left--;
    }
    if (!table->options->json)
        table_print(shown, table_room());
    if (i > 0)
        fprintf(stderr, "sfrun table: %u older commits are not shown; --limit 0 shows all\n", i);
    return SF_OK;
}
