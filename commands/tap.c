/* `sfrun tap`: shows a topic's records. Belongs to no group and commits nothing. */
#include "tap_print.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/process.h"

static const CliFlag flags[] = {
    CLI_FLAG('t', "TOPIC", SF_OPTION_STRING(TapOptions, topic, .value = "sales_events", .doc = "Topic to read.")),
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(TapOptions, from_beginning, .doc = "Begin at the first record, not at the end.")),
    CLI_FLAG(
        'n', "N",
        SF_OPTION_INT(TapOptions, max_messages, .value = "0", .min = "0", .doc = "Stop after N records; 0: never.")),
    CLI_FLAG('e', NULL, SF_OPTION_BOOL(TapOptions, exit, .doc = "Stop at the end of the topic.")),
    CLI_FLAG('p', "N",
             SF_OPTION_INT(TapOptions, partition, .value = "-1", .min = "-1", .doc = "One partition only; -1: all.")),
    CLI_FLAG('o', "N",
             SF_OPTION_STRING(TapOptions, offset, .doc = "Begin at this offset; negative: so many before the end.")),
    CLI_FLAG('k', NULL, SF_OPTION_BOOL(TapOptions, key, .doc = "Print the key and a tab before the value.")),
    CLI_FLAG('H', NULL, SF_OPTION_BOOL(TapOptions, headers, .doc = "Likewise the headers.")),
    CLI_FLAG('l', NULL, SF_OPTION_BOOL(TapOptions, place, .doc = "Likewise topic/partition@offset.")),
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(TapOptions, json, .doc = "Print whole records as JSON, one a line.")),
    CONNECTION_FLAGS(TapOptions, connection),
    CONNECTION_FILE_FLAG(TapOptions, connection),
    CLI_FLAGS_END};

static const CliPage page = {.name = "tap",
                             .summary = "Show the records of a Kafka topic",
                             .text =
                                 "Prints values, a line each, as they come. It joins no group and changes "
                                 "nothing. Records of transactions that "
                                 "are not committed are not shown (-X isolation.level=read_uncommitted shows them).",
                             .flags = flags,
                             .examples = "sfrun tap --topic sales_events --from-beginning --max-messages 5\n"
                                         "sfrun tap --topic sales_events_dlq --from-beginning --exit --json",
                             .exits = "130  interrupted"};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    stopped = number;
}

static KafkaClient *open_consumer(TapOptions *options)
{
    static const KafkaSetting defaults[] = {{"group.id", "sfrun-tap"},
                                            {"enable.auto.commit", "false"},
                                            {"enable.partition.eof", "true"},
                                            {"auto.offset.reset", "earliest"},
                                            {"queued.max.messages.kbytes", "16384"},
                                            {"fetch.wait.max.ms", "50"},
                                            {NULL, NULL}};
    SfError err = {""};
    rd_kafka_conf_t *conf = connection_conf(&page, &options->connection, defaults);
    KafkaClient *client = NULL;
    if (conf && kafka_client_new(NULL, RD_KAFKA_CONSUMER, conf, NULL, &client, &err) != SF_OK)
        command_failed(&page, SF_CONFIG, &err);
    return client;
}

static bool read_start(const TapOptions *options, int64_t *out)
{
    gint64 offset = 0;
    *out = options->from_beginning || options->exit ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END;
    if (!options->offset)
        return true;
    if (!g_ascii_string_to_signed(options->offset, 10, -1000000000, G_MAXINT64, &offset, NULL))
        return false;
    *out = offset < 0 ? RD_KAFKA_OFFSET_TAIL(-offset) : offset;
    return true;
}

/* Partitions to read, in `list`; -1 or the exit status. */
static int tap_choose(const TapOptions *options, int32_t partitions, rd_kafka_topic_partition_list_t *list)
{
    int64_t start = 0;
    if (!read_start(options, &start))
        return cli_fail(&page, "--offset: '%s' is not an offset, such as 1000 or -10", options->offset);
    if (options->partition >= partitions)
        return cli_fail(&page, "topic '%s' has %d partitions; there is no %" G_GINT64_FORMAT, options->topic,
                        partitions, options->partition);
    for (int32_t i = 0; i < partitions; i++) {
        if (options->partition < 0 || options->partition == i)
            rd_kafka_topic_partition_list_add(list, options->topic, i)->offset = start;
    }
    return -1;
}

/* `| head` has read enough, also where no further record shows it. */
static bool is_read(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, 0) <= 0 || !(out.revents & POLLERR);
}

/* Prints until there is a reason to stop; the number of records, or -1 after a complaint. */
static int64_t print_all(const TapOptions *options, KafkaClient *client, const rd_kafka_topic_partition_list_t *list)
{
    int64_t n = 0;
    g_autoptr(GHashTable) ended = g_hash_table_new(NULL, NULL); /* one that grows meanwhile ends more than once */
    SfError err = {""};
    while (!stopped && (options->max_messages == 0 || n < options->max_messages) &&
           !(options->exit && (int) g_hash_table_size(ended) == list->cnt)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka_client_handle(client), 200);
        rd_kafka_resp_err_t code = message ? message->err : RD_KAFKA_RESP_ERR_NO_ERROR;
        bool goes_on = true;
        if (!message) {
            fflush(stdout);
            if (!is_read())
                break;
            continue;
        }
        if (!code) {
            goes_on = tap_print(options, message);
            n++;
        }
        if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            g_hash_table_add(ended, GINT_TO_POINTER(message->partition));
        rd_kafka_message_destroy(message);
        if (!goes_on)
            break;
        if (code && code != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            command_failed(&page, kafka_fail(client, code, &err, "reading topic '%s'", options->topic), &err);
            return -1;
        }
    }
    return n;
}

static int read_topic(const TapOptions *options, KafkaClient *admin, KafkaClient *client)
{
    int32_t partitions = 0;
    SfError err = {""};
    SfStatus status = kafka_topic_partitions(admin, options->topic, COMMAND_MS, &partitions, &err);
    if (status == SF_EMPTY) {
        status = sf_fail(&err, SF_FATAL, "topic '%s' does not exist; `sfrun topics list` shows those that do",
                         options->topic);
    }
    if (status != SF_OK)
        return command_failed(&page, status, &err);
    g_autoptr(rd_kafka_topic_partition_list_t) list = rd_kafka_topic_partition_list_new(partitions);
    int refused = tap_choose(options, partitions, list);
    if (refused >= 0)
        return refused;
    rd_kafka_poll_set_consumer(kafka_client_handle(client));
    rd_kafka_assign(kafka_client_handle(client), list);
    int64_t n = print_all(options, client, list);
    fflush(stdout);
    rd_kafka_assign(kafka_client_handle(client), NULL);
    return n < 0 ? EXIT_FAILED : stopped == SIGINT ? 128 + SIGINT : EXIT_OK;
}

int main(int argc, char **argv)
{
    process_begin();
    TapOptions options = {0};
    g_auto(CliLine) line = {0};
    argv[0] = (char *) page.name;
    int status = cli_parse(&page, argc, argv, &options, &line);
    if (status >= 0)
        return status;
    options.terminal = isatty(STDOUT_FILENO);
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    signal(SIGPIPE, SIG_IGN);
    KafkaClient *admin = connection_open(&page, &options.connection, &status);
    KafkaClient *client = admin ? open_consumer(&options) : NULL;
    if (admin)
        status = client ? read_topic(&options, admin, client) : EXIT_CONFIG;
    kafka_client_free(client, 2000);
    kafka_client_free(admin, 2000);
    return cli_finish(status);
}
