/* `sfrun table vacuum`: the command line of care_vacuum(). */
#include "table.h"

#include <stdio.h>
#include <string.h>

#include "data/printable.h"
#include "delta/care/care.h"
#include "runtime/runtime.h"
#include "vacuum.h"

typedef struct VacuumOptions {
    TableOptions table;
    gint64 retention_ms; /* -1: the table's */
    bool dry_run;
    bool force;
} VacuumOptions;

static const CliFlag flags[] = {
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(VacuumOptions, dry_run, .doc = "Only say what would be deleted.")),
    CLI_FLAG('r', NULL,
             SF_OPTION_DURATION(VacuumOptions, retention_ms, .name = "retention", .min = "0",
                                .doc = "Keep what was removed, or written, within so long; by default the table's "
                                       "delta.deletedFileRetentionDuration, else 7 days.")),
    CLI_FLAG(0, NULL,
             SF_OPTION_BOOL(VacuumOptions, force,
                            .doc = "Take a retention shorter than the table's: nobody may be reading or writing.")),
    CLI_FLAG(0, NULL,
             SF_OPTION_BOOL(VacuumOptions, table.json, .name = "json", .doc = "Print JSON, one object a line.")),
    PLACE_FLAGS(VacuumOptions, table.place),
    CLI_FLAGS_END};

static const CliPage page = {
    .name = "table vacuum",
    .arguments = "URL",
    .summary = "Delete the files of a Delta table that no version needs any more",
    .text =
        "Deleted are files below the URL that no live version has, that were removed from the table longer ago than "
        "the retention (or never were in it: leavings of writers that were killed), and that are older than it. "
        "Files and directories whose names begin with '_' or '.' stay. Versions from before the retention can no "
        "longer be read afterwards. It may be stopped at any time, and called again.",
    .flags = flags,
    .examples = "sfrun table vacuum s3://processed-bucket/silver/sales --dry-run\n"
                "sfrun table vacuum --from pipelines/sales.yaml silver --retention 30d",
    .least = 1,
    .most = 1};

typedef struct Vacuum {
    const VacuumOptions *options;
    OpenTable *table;
} Vacuum;

static void tell_of_file(gpointer user, const StoreEntry *entry)
{
    const Vacuum *vacuum = user;
    bool dry = vacuum->options->dry_run;
    if (vacuum->options->table.json) {
        json_object *out = json_object_new_object();
        g_autofree char *time = time_json(entry->modified_ms), *valid = g_utf8_make_valid(entry->key, -1);
        json_add(out, "path", valid);
        json_add_number(out, "size", entry->size);
        json_add(out, "modified", time);
        json_object_object_add(out, "deleted", json_object_new_boolean(!dry));
        json_print(out);
    } else if (dry) {
        g_autofree char *size = place_size(entry->size), *time = time_text(entry->modified_ms);
        g_autofree char *name = printable(entry->key, "");
        printf("%10s  %s  %s\n", size, time, name);
    }
}

static void print_vacuumed(const Vacuum *vacuum, const CareVacuumed *done)
{
    bool dry = vacuum->options->dry_run;
    g_autofree char *size = place_size(done->bytes);
    if (vacuum->options->table.json) {
        json_object *out = json_object_new_object();
        json_add_number(out, dry ? "would_delete" : "deleted", done->files);
        json_add_number(out, "bytes", done->bytes);
        json_add_number(out, "kept", done->kept);
        json_print(out);
        return;
    }
    printf("%s %" G_GINT64_FORMAT " file%s (%s); %" G_GINT64_FORMAT " stay%s\n", dry ? "Would delete" : "Deleted",
           done->files, done->files == 1 ? "" : "s", size, done->kept, done->kept == 1 ? "s" : "");
}

static SfStatus vacuum_table(Vacuum *vacuum, SfError *err)
{
    const VacuumOptions *options = vacuum->options;
    CareVacuum how = {.retention_ms = options->retention_ms,
                      .dry_run = options->dry_run,
                      .force = options->force,
                      .tell = tell_of_file,
                      .user = vacuum};
    CareVacuumed done;
    SF_TRY(care_vacuum(vacuum->table->log, &how, &done, err));
    print_vacuumed(vacuum, &done);
    return SF_OK;
}

static int run_vacuum(const VacuumOptions *options, const char *word)
{
    SfError err = {""};
    g_auto(OpenTable) table = {0};
    int status = table_open(&page, &options->table, word, &table);
    if (status >= 0)
        return status;
    Vacuum vacuum = {.options = options, .table = &table};
    SfStatus done = vacuum_table(&vacuum, &err);
    return done == SF_OK ? EXIT_OK : place_failed(&page, &err);
}

int table_vacuum(int argc, char **argv)
{
    g_auto(CliLine) line = {0};
    VacuumOptions options = {.table.version = -1, .retention_ms = -1};
    argv[0] = (char *) page.name;
    int status = place_parse(&page, argc, argv, &options, &options.table.place, &line);
    if (status < 0)
        status = run_vacuum(&options, line.words[0]);
    place_options_done(&options.table.place);
    return status;
}
