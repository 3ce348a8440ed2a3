/* `sfrun table optimize`: the command line of care_optimize(). */
#include "optimize.h"

#include <stdio.h>

#include "delta/care/care.h"
#include "runtime/runtime.h"

typedef struct OptimizeOptions {
    TableOptions table;
    gint64 target;
    SfList sort_by;
    bool dry_run;
} OptimizeOptions;

static const CliFlag flags[] = {
    CLI_FLAG(0, "SIZE",
             SF_OPTION_SIZE(OptimizeOptions, target, .name = "target_size", .value = "128MiB", .min = "1KiB",
                            .max = "2GiB", .doc = "Files smaller than this are packed into files of about this size.")),
    CLI_FLAG(0, "NAME",
             SF_OPTION_LIST(OptimizeOptions, sort_by,
                            .doc = "Sort the rows of each new file by this column, nulls first; may be repeated. "
                                   "They are in memory at once, unpacked.")),
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(OptimizeOptions, dry_run, .doc = "Only say what would be packed.")),
    CLI_FLAG(0, NULL,
             SF_OPTION_BOOL(OptimizeOptions, table.json, .name = "json", .doc = "Print JSON, one object a line.")),
    PLACE_FLAGS(OptimizeOptions, table.place),
    CLI_FLAGS_END};

static const CliPage page = {
    .name = "table optimize",
    .arguments = "URL",
    .summary = "Pack the small files of a Delta table into larger ones",
    .text =
        "Files of one partition are packed together; deleted rows of those files go. The commits say that no data has "
        "changed, so streams from the table pass over them. Others may append meanwhile. When another writer removes "
        "a file that was read, the commit is not made, and the command ends with status 1: call it again. The small "
        "files "
        "stay for readers of older versions until `sfrun table vacuum` takes them. Killed at any time, it leaves "
        "the table as it was, or packed.\n\nIt takes memory of about the target size and the largest file.",
    .flags = flags,
    .examples = "sfrun table optimize s3://processed-bucket/silver/sales\n"
                "sfrun table optimize --from pipelines/sales.yaml silver --target-size 64MiB --dry-run",
    .least = 1,
    .most = 1};

static void print_packed(const OptimizeOptions *options, const OpenTable *table, const CareOptimized *done)
{
    bool dry = options->dry_run;
    g_autofree char *before = place_size(done->old_bytes), *after = place_size(done->new_bytes);
    if (options->table.json) {
        json_object *out = json_object_new_object();
        json_object_object_add(out, "dry_run", json_object_new_boolean(dry));
        json_add_number(out, "version", table->log->version);
        json_add_number(out, "commits", done->commits);
        json_add_number(out, "files_removed", done->old_files);
        json_add_number(out, "bytes_removed", done->old_bytes);
        json_add_number(out, "files_added", done->new_files);
        json_add_number(out, "bytes_added", dry ? -1 : done->new_bytes);
        json_add_number(out, "rows", dry ? -1 : done->rows);
        json_print(out);
    } else if (done->old_files == 0) {
        puts("Nothing to pack.");
    } else if (dry) {
        printf("Would pack %" G_GINT64_FORMAT " files (%s) into %" G_GINT64_FORMAT "\n", done->old_files, before,
               done->new_files);
    } else {
        printf("Packed %" G_GINT64_FORMAT " files (%s) into %" G_GINT64_FORMAT " (%s); version %" G_GINT64_FORMAT "\n",
               done->old_files, before, done->new_files, after, table->log->version);
    }
}

static SfStatus optimize_table(const OptimizeOptions *options, OpenTable *table, SfError *err)
{
    g_autofree const char **sort_by = g_new0(const char *, options->sort_by.size + 1);
    CareOptimize how = {
        .target = options->target, .dry_run = options->dry_run, .sort_by = sort_by, .codec = PARQUET_SNAPPY};
    CareOptimized done;
    for (size_t i = 0; i < options->sort_by.size; i++)
        sort_by[i] = options->sort_by.items[i];
    SF_TRY(care_optimize(table->log, &how, &done, err));
    print_packed(options, table, &done);
    return SF_OK;
}

static int run_optimize(const OptimizeOptions *options, const char *word)
{
    SfError err = {""};
    g_auto(OpenTable) table = {0};
    int status = table_open(&page, &options->table, word, &table);
    if (status >= 0)
        return status;
    return optimize_table(options, &table, &err) == SF_OK ? EXIT_OK : place_failed(&page, &err);
}

int table_optimize(int argc, char **argv)
{
    g_auto(CliLine) line = {0};
    OptimizeOptions options = {.table.version = -1};
    argv[0] = (char *) page.name;
    int status = place_parse(&page, argc, argv, &options, &options.table.place, &line);
    if (status < 0)
        status = run_optimize(&options, line.words[0]);
    place_options_done(&options.table.place);
    return status;
}
