/* `sfrun audit`: whether every event of a pipeline is where it belongs, from the stores themselves. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "config/files.h"
#include "print.h"
#include "runtime/process.h"
#include "runtime/runtime.h"
#include "session.h"

#define EXIT_FAULTS 3
#define EXIT_UNKNOWN 4

typedef struct Options {
    bool quick;
    bool deep;
    bool json;
    SfList from;
} Options;

static const CliFlag flags[] = {
    CLI_FLAG('q', NULL,
             SF_OPTION_BOOL(Options, quick,
                            .doc = "Only ledgers, logs, statistics and counts: seconds, however much there is.")),
    CLI_FLAG('d', NULL,
             SF_OPTION_BOOL(Options, deep,
                            .doc = "Read all rows, run the pipeline's transforms over the source's once more, and "
                                   "compare position by position.")),
    CLI_FLAG(0, "[SPLIT@]POSITION",
             SF_OPTION_LIST(Options, from,
                            .doc = "Only from this position on, of one split, as in sales_events/0@120000, or of all; "
                                   "may be repeated.")),
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(Options, json, .doc = "Print JSON.")), CLI_FLAGS_END};

static const CliPage page = {
    .name = "audit",
    .arguments = "FILE",
    .summary = "Prove that every event of a pipeline is where it belongs",
    .text = "Asks the stores themselves, not counters: for each sink and split, records of the source = rows + rejects "
            "+ rows that a transform leaves out; ranges follow each other without a gap or an overlap; every object "
            "that the ledger names and every file of the table is there, with its size and, where the store knows it, "
            "its checksum; objects that nobody names are orphans. --quick leaves out the objects, --deep reads "
            "everything. It writes nothing, joins no group, and may run while the pipeline runs: each sink is asked "
            "for what it has committed.\n\nWhat cannot be known (records that retention has deleted, a ledger of an "
            "earlier version) is said, and is not taken for good. BEHIND is what the source has and the step has not "
            "read yet.",
    .flags = flags,
    .examples = "sfrun audit pipelines/sales.yaml\nsfrun audit pipelines/sales.yaml --quick --json\n"
                "sfrun audit pipelines/sales.yaml --deep --from sales_events/0@120000",
    .exits = "0  all of it balances\n1  something could not be read\n"
             "3  faults were found\n4  no fault was found, but something cannot be known",
    .least = 1,
    .most = 1};

/* "sales_events/0@120000", or "120000". */
static bool take_from(Audit *audit, const char *text)
{
    const char *at = strrchr(text, '@');
    const char *digits = at ? at + 1 : text;
    guint64 position = 0;
    if (!g_ascii_string_to_unsigned(digits, 10, 0, G_MAXINT64 - 1, &position, NULL))
        return false;
    gint64 *from = g_new(gint64, 1);
    *from = (gint64) position;
    g_hash_table_replace(audit->from, at ? g_strndup(text, (gsize) (at - text)) : g_strdup(""), from);
    return true;
}

static int report(const Audit *audit, bool json)
{
    if (json)
        print_json(audit);
    else
        print_text(audit);
    if (audit_found(audit, SF_AUDIT_FAULT) > 0)
        return EXIT_FAULTS;
    return audit_found(audit, SF_AUDIT_UNKNOWN) > 0 ? EXIT_UNKNOWN : EXIT_OK;
}

static int run(const Options *options, const Pipeline *pipeline)
{
    SfError err = {""};
    Audit audit;
    audit_init(&audit, pipeline, options->deep ? SF_AUDIT_DEEP : options->quick ? SF_AUDIT_QUICK : SF_AUDIT_STORED);
    audit.tell = isatty(STDERR_FILENO) && !options->json;
    int status = EXIT_OK;
    for (size_t i = 0; status == EXIT_OK && i < options->from.size; i++)
        if (!take_from(&audit, options->from.items[i]))
            status = cli_fail(&page, "--from takes a position, as in 120000 or sales_events/0@120000, not '%s'",
                              options->from.items[i]);
    if (status == EXIT_OK) {
        SfStatus done = audit_run(&audit, &err);
        if (done != SF_OK)
            fprintf(stderr, "%ssfrun audit: %s\n", audit.tell ? "\r\033[K" : "", err.message);
        status = done == SF_OK ? report(&audit, options->json) : done == SF_CONFIG ? EXIT_CONFIG : EXIT_FAILED;
    }
    audit_done(&audit);
    return status;
}

static int load_and_run(const Options *options, char **words)
{
    g_autoptr(GPtrArray) files = files_load(words);
    if (files_print_problems(files))
        return EXIT_CONFIG;
    if (files->len != 1)
        return cli_fail(&page, "'%s' has %u pipelines; name the file of one", words[0], files->len);
    const PipelineFile *file = files->pdata[0];
    return run(options, file->pipeline);
}

int main(int argc, char **argv)
{
    process_begin();
    Options options = {0};
    g_auto(CliLine) line = {0};
    argv[0] = (char *) page.name;
    int status = cli_parse(&page, argc, argv, &options, &line);
    if (status < 0 && options.quick && options.deep)
        status = cli_fail(&page, "--quick and --deep exclude each other");
    if (status < 0)
        status = load_and_run(&options, line.words);
    return cli_finish(status);
}
