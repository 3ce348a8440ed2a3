/* `sfrun table`: looks into Delta tables, on S3 and in directories, without Spark. */
#include "optimize.h"
#include "table.h"

#include <stdio.h>

#include "runtime/process.h"
#include "runtime/runtime.h"
#include "vacuum.h"

static const CliFlag flags[] = {
    CLI_FLAG('n', "N", SF_OPTION_INT(TableOptions, rows, .value = "-1", .min = "-1", .doc = "Show N rows.")),
    CLI_FLAG('w', "CONDITION",
             SF_OPTION_STRING(TableOptions, where,
                              .doc = "Only rows that it holds for: a column, = != < <= > >= and a value, [NOT] IN (…), "
                                     "[NOT] BETWEEN … AND …, IS [NOT] NULL; with AND, OR, NOT and parentheses. Texts, "
                                     "dates and times stand in single quotes.")),
    CLI_FLAG('c', "NAME,…",
             SF_OPTION_LIST(TableOptions, columns, .doc = "Only these columns, in this order; may be repeated.")),
    CLI_FLAG(0, NULL,
             SF_OPTION_BOOL(TableOptions, count, .doc = "How many rows there are, of those that --where leaves.")),
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(TableOptions, history, .doc = "The commits, newest first.")),
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(TableOptions, files, .doc = "The files of the version.")),
    CLI_FLAG(0, "N",
             SF_OPTION_INT(TableOptions, limit, .value = "-1", .min = "-1",
                           .doc = "Of --history (20 by default) and --files (all by default); 0: all.")),
    CLI_FLAG('v', "N",
             SF_OPTION_INT(TableOptions, version, .value = "-1", .min = "-1", .doc = "The table as of this version.")),
    CLI_FLAG('t', "TIME",
             SF_OPTION_STRING(TableOptions, timestamp,
                              .doc = "The table as it was then, as 2024-01-15 or 2024-01-15T10:30:01Z (UTC).")),
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(TableOptions, explain, .doc = "Also say how many files were read of how many.")),
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(TableOptions, json, .doc = "Print JSON, one object a line.")),
    PLACE_FLAGS(TableOptions, place),
    CLI_FLAGS_END};

static const CliPage page = {
    .name = "table",
    .arguments = "optimize URL | vacuum URL | URL",
    .summary = "Show a Delta table: schema, files, history, rows",
    .text =
        "URL is s3://bucket/table, file:///directory or a path; with --from also the name of a step. Without further "
        "flags: version, files, size, rows, partitions, protocol, properties, columns, and the positions that "
        "writers keep in it. --where reads no file whose partition or statistics exclude it. Deletion vectors and "
        "column mapping are read.\n\n`sfrun table optimize URL` packs small files, `sfrun table vacuum URL` deletes "
        "what no version needs; each has a page of its own, as `sfrun table optimize --help`.",
    .flags = flags,
    .examples = "sfrun table s3://processed-bucket/silver/sales\n"
                "sfrun table demo/processed-bucket/silver/sales --history\n"
                "sfrun table --from pipelines/sales.yaml silver --count --where \"order_date = '2024-01-15'\"\n"
                "sfrun table silver/sales -n 10 -c order_id,sales -w \"region = 'EU' AND sales >= 100.50\" --explain\n"
                "sfrun table silver/sales --version 3 --rows 5 --json",
    .least = 1,
    .most = 1};

static SfStatus print(OpenTable *table, SfError *err)
{
    const TableOptions *options = table->options;
    bool rows = options->count || options->rows >= 0 || options->where || options->columns.size > 0;
    if (options->history)
        return table_print_history(table, err);
    if (options->files)
        return table_print_files(table, err);
    return rows ? table_print_rows(table, err) : table_print_summary(table, err);
}

static int run(const TableOptions *options, const char *word)
{
    SfError err = {""};
    g_auto(OpenTable) table = {0};
    int status = table_open(&page, options, word, &table);
    if (status >= 0)
        return status;
    SfStatus done = print(&table, &err);
    if (done == SF_OK)
        return EXIT_OK;
    if (err.message[0])
        place_failed(&page, &err);
    return done == SF_CONFIG ? EXIT_CONFIG : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    process_begin();
    g_auto(CliLine) line = {0};
    TableOptions options = {0};
    if (argc > 1 && g_str_equal(argv[1], "vacuum"))
        return cli_finish(table_vacuum(argc - 1, argv + 1));
    if (argc > 1 && g_str_equal(argv[1], "optimize"))
        return cli_finish(table_optimize(argc - 1, argv + 1));
    argv[0] = (char *) page.name;
    int status = place_parse(&page, argc, argv, &options, &options.place, &line);
    if (status < 0)
        status = run(&options, line.words[0]);
    place_options_done(&options.place);
    return cli_finish(status);
}
