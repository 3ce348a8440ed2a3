/* `sfrun produce`: sales events to a topic, by the same plugins as pipelines/producer.yaml: a pipeline made of the
 * flags. */
#include "json/write.h"
#include "kafka_command.h"
#include "runtime/log.h"
#include "runtime/process.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Whoever reads the log has so long for the last lines. */
#define LOG_MS 1000

typedef struct Options {
    Connection connection;
    int64_t events;
    const char *interval;
    double rate;
    const char *topic;
    const char *seed;
    double duplicates;
    double late;
    double broken;
    const char *start_date;
    int32_t delivery;
    int64_t partitions;
    bool quiet;
    bool json;
} Options;

static const char *const deliveries[] = {"exactly-once", "at-least-once", NULL};

static const CliFlag flags[] = {
    CLI_FLAG('n', "N", SF_OPTION_INT(Options, events, .value = "0", .min = "0", .doc = "How many events; 0: endless.")),
    CLI_FLAG(
        'i', "SECONDS",
        SF_OPTION_STRING(Options, interval, .value = "1", .doc = "Pause between two events: seconds, or 250ms, 2m.")),
    CLI_FLAG('t', "TOPIC", SF_OPTION_STRING(Options, topic, .value = "sales_events", .doc = "Topic to write to.")),
    CLI_FLAG(
        'r', "N",
        SF_OPTION_FLOAT(Options, rate, .value = "0", .min = "0", .doc = "Events per second, instead of --interval.")),
    CLI_FLAG('s', "N",
             SF_OPTION_STRING(Options, seed, .doc = "The same seed gives the same events; default: others each time.")),
    CLI_FLAG(0, "SHARE",
             SF_OPTION_FLOAT(Options, duplicates, .value = "0", .min = "0", .max = "1",
                             .doc = "Share of orders sent again.")),
    CLI_FLAG(0, "SHARE",
             SF_OPTION_FLOAT(Options, late, .value = "0", .min = "0", .max = "1",
                             .doc = "Share of events that lie days back.")),
    CLI_FLAG(0, "SHARE",
             SF_OPTION_FLOAT(Options, broken, .value = "0", .min = "0", .max = "1",
                             .doc = "Share of events that cannot be used.")),
    CLI_FLAG(0, "DAY",
             SF_OPTION_STRING(Options, start_date, .doc = "Date of the first event (2024-01-15); default: today.")),
    CLI_FLAG(
        'p', "N",
        SF_OPTION_INT(Options, partitions, .value = "0", .min = "0",
                      .doc = "Create the topic with so many partitions where it does not exist; 0: that is an error.")),
    CLI_FLAG(0, NULL,
             SF_OPTION_ENUM(Options, delivery, .value = "exactly-once", .words = deliveries,
                            .doc = "With transactions or without.")),
    CLI_FLAG('q', NULL, SF_OPTION_BOOL(Options, quiet, .doc = "Warnings and errors only, no progress line.")),
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(Options, json, .doc = "Log lines as JSON.")),
    CONNECTION_FLAGS(Options, connection),
    CONNECTION_FILE_FLAG(Options, connection),
    CLI_FLAGS_END};

static const CliPage page = {
    .name = "produce",
    .summary = "Produce sales events to a Kafka topic",
    .text = "Sends one event a second for ever, unless told otherwise. Each run makes new events; "
            "pipelines/producer.yaml is the "
            "same producer as a pipeline, which goes on where it stopped.",
    .flags = flags,
    .examples = "sfrun produce --events 100 --interval 0.5\nsfrun produce --rate 5000 --duplicates 0.05 --broken 0.01"};

/* A JSON text is a YAML text in double quotes: line breaks (of a certificate) stay, nothing in it has a meaning. */
static void append_quoted(GString *yaml, const char *value)
{
    g_auto(GStrv) references = g_strsplit(value, "${", -1);
    g_autofree char *plain = g_strjoinv("$${", references);
    json_write_text(yaml, plain, strlen(plain));
}

static void produce_append_text(GString *yaml, const char *name, const char *value)
{
    if (!value)
        return;
    g_string_append_printf(yaml, "    %s: ", name);
    append_quoted(yaml, value);
    g_string_append_c(yaml, '\n');
}

static void append_share(GString *yaml, const char *name, double share)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append_printf(yaml, "    %s: %s\n", name, g_ascii_dtostr(text, sizeof text, share));
}

/* "0.5" is seconds, as the flag's name says; anything else is a duration as pipelines have it. */
static char *interval_text(const char *text)
{
    char *end = NULL;
    double seconds = g_ascii_strtod(text, &end);
    if (end == text || *end || seconds < 0 || seconds > 86400)
        return g_strdup(text);
    return g_strdup_printf("%" G_GINT64_FORMAT "ms", (gint64) (seconds * 1000 + 0.5));
}

static void append_source(GString *yaml, const Options *options)
{
    g_autofree char *interval = interval_text(options->interval);
    g_autofree char *seed = options->seed ? g_strdup(options->seed) : g_strdup_printf("%u", g_random_int());
    g_string_append(yaml, "steps:\n  events:\n    source: generator-source\n");
    g_string_append_printf(yaml, "    events: %" G_GINT64_FORMAT "\n", options->events);
    produce_append_text(yaml, "interval", interval);
    produce_append_text(yaml, "seed", seed);
    produce_append_text(yaml, "topic", options->topic);
    produce_append_text(yaml, "start_date", options->start_date);
    append_share(yaml, "rate", options->rate);
    append_share(yaml, "duplicates", options->duplicates);
    append_share(yaml, "late", options->late);
    append_share(yaml, "broken", options->broken);
}

static void append_sink(GString *yaml, const Options *options, const SfMap *properties)
{
    g_string_append(yaml, "  topic:\n    sink: kafka-sink\n    from: events\n");
    produce_append_text(yaml, "brokers", connection_brokers(&options->connection));
    produce_append_text(yaml, "topic", options->topic);
    produce_append_text(yaml, "delivery", deliveries[options->delivery]);
    produce_append_text(yaml, "missing_topic", "stop");
    g_string_append_printf(yaml, "    partitions: %" G_GINT64_FORMAT "\n", options->partitions);
    if (properties->size > 0)
        g_string_append(yaml, "    kafka:\n");
    for (size_t i = 0; i < properties->size; i++) {
        g_autoptr(GString) key = g_string_new("  ");
        append_quoted(key, properties->pairs[i].key);
        produce_append_text(yaml, key->str, properties->pairs[i].value);
    }
}

/* The name is another one in each run: positions belong to a pipeline's name, and each run starts at event 0. */
static char *pipeline_text(const Options *options, const SfMap *properties)
{
    GString *yaml = g_string_new(NULL);
    g_string_append_printf(yaml, "pipeline: produce-%" G_GINT64_FORMAT "-%d\n", g_get_real_time() / 1000,
                           (int) getpid());
    g_string_append(yaml, "checkpoint: 500ms\n");
    append_source(yaml, options);
    append_sink(yaml, options, properties);
    return g_string_free(yaml, FALSE);
}

static bool is_flag(const char *name)
{
    for (const CliFlag *flag = flags; flag->option.field; flag++) {
        g_autofree char *known = cli_flag_name(flag);
        if (g_str_equal(known, name))
            return true;
    }
    return false;
}

/* The place and the step are of a file that nobody has written; the option may be a flag. */
static void produce_complain(const Diagnostic *diagnostic, bool json)
{
    g_autofree char *name = g_strdup(diagnostic->option ? diagnostic->option : "");
    g_strdelimit(name, "_", '-');
    g_autofree char *text =
        is_flag(name) ? g_strdup_printf("--%s: %s", name, diagnostic_cause(diagnostic)) : g_strdup(diagnostic->text);
    if (json)
        log_line(LEVEL_ERROR, NULL, NULL, "%s", text);
    else
        fprintf(stderr, "sfrun produce: %s\n", text);
}

static int run(const char *text, bool quiet, bool json)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    g_autoptr(Pipeline) pipeline = pipeline_load_text(text, "produce", diagnostics);
    for (guint i = 0; !pipeline && i < diagnostics->errors->len; i++)
        produce_complain(diagnostics->errors->pdata[i], json);
    if (!pipeline) {
        log_flush(LOG_MS);
        return EXIT_CONFIG;
    }
    g_autoptr(GPtrArray) pipelines = g_ptr_array_new();
    g_ptr_array_add(pipelines, pipeline);
    RunOptions options = {.progress = !quiet && !json && isatty(STDERR_FILENO)};
    return (int) runtime_run(pipelines, &options);
}

int main(int argc, char **argv)
{
    process_begin();
    Options options = {0};
    g_auto(CliLine) line = {0};
    SfMap properties;
    argv[0] = (char *) page.name;
    int status = cli_parse(&page, argc, argv, &options, &line);
    if (status < 0)
        status = connection_properties(&page, &options.connection, false, &properties);
    if (status >= 0)
        return status;
    log_setup(options.json ? LOG_JSON : LOG_PLAIN, options.quiet ? LEVEL_WARNING : LEVEL_INFO);
    g_autofree char *text = pipeline_text(&options, &properties);
    status = run(text, options.quiet, options.json);
    connection_properties_free(&properties);
    return status;
}
