/* `sfrun broker`: an embedded Kafka broker for demonstrations and tests: librdkafka's mock cluster, kept alive. */
#include "embedded.h"
#include "kafka_command.h"
#include "runtime/process.h"

#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define PARTITIONS_MAX 1000

typedef struct Options {
    SfList topics;
    int64_t nodes;
    const char *port_file;
} Options;

static const CliFlag flags[] = {
    CLI_FLAG('t', "NAME:PARTITIONS",
             SF_OPTION_LIST(Options, topics, .doc = "A topic that is there from the start. May be repeated.")),
    CLI_FLAG('n', "N",
             SF_OPTION_INT(Options, nodes, .value = "1", .min = "1", .max = "9", .doc = "Brokers of the cluster.")),
    CLI_FLAG(0, "FILE",
             SF_OPTION_STRING(Options, port_file, .doc = "File that gets the first broker's port, once it serves.")),
    CLI_FLAGS_END};

static const CliPage page = {
    .name = "broker",
    .summary = "Run an embedded Kafka broker for demonstrations",
    .text = "Prints the bootstrap servers and serves until SIGTERM or SIGINT. Everything is in memory, at most 5 MiB a "
            "partition (older records go). A topic that a client asks for is made with 4 partitions; `sfrun topics "
            "create` on "
            "this machine makes one with as many as you like. Transactions are accepted but not isolated, nothing is "
            "encrypted: "
            "not for data that matters.",
    .flags = flags,
    .examples = "sfrun broker --topics sales_events:3\nexport KAFKA_BROKERS=127.0.0.1:$(cat port)"};

/* "sales_events:3" or "sales_events" */
static const char *create_topic(void *cluster, const char *topic, int partitions)
{
    if (partitions < 1 || partitions > PARTITIONS_MAX)
        return "an embedded topic has 1 to 1000 partitions";
    rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(cluster, topic, partitions, 1);
    if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return "exists";
    return code ? rd_kafka_err2str(code) : NULL;
}

static int create_topics(rd_kafka_mock_cluster_t *cluster, const SfList *topics)
{
    for (size_t i = 0; i < topics->size; i++) {
        const char *text = topics->items[i], *colon = strrchr(text, ':');
        g_autofree char *name = colon ? g_strndup(text, (gsize) (colon - text)) : g_strdup(text);
        int64_t partitions = colon ? g_ascii_strtoll(colon + 1, NULL, 10) : 1;
        const char *wrong = create_topic(cluster, name, (int) CLAMP(partitions, 0, G_MAXINT));
        if (wrong)
            return cli_fail(&page, "--topics %s: %s", text, wrong);
    }
    return -1;
}

static int port_of(const char *bootstraps)
{
    const char *colon = strchr(bootstraps, ':');
    return colon ? (int) g_ascii_strtoll(colon + 1, NULL, 10) : 0;
}

static int serve(rd_kafka_mock_cluster_t *cluster, const Options *options, int stop)
{
    const char *bootstraps = rd_kafka_mock_cluster_bootstraps(cluster);
    int port = port_of(bootstraps);
    int status = create_topics(cluster, &options->topics);
    if (status >= 0)
        return status;
    if (options->port_file) {
        g_autofree char *text = g_strdup_printf("%d\n", port);
        g_autoptr(GError) error = NULL;
        if (!g_file_set_contents(options->port_file, text, -1, &error)) {
            fprintf(stderr, "sfrun broker: %s\n", error->message);
            return EXIT_FAILED;
        }
    }
    printf("%s\n", bootstraps);
    fflush(stdout);
    if (!embedded_serve(port, stop, create_topic, cluster)) {
        fprintf(stderr, "sfrun broker: the socket for `sfrun topics create` cannot be made: %s\n", g_strerror(errno));
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

/* Signals as a descriptor: blocked before librdkafka makes threads. */
static int signal_descriptor(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
    process_begin();
    Options options = {0};
    g_auto(CliLine) line = {0};
    char reason[256];
    argv[0] = (char *) page.name;
    int status = cli_parse(&page, argc, argv, &options, &line);
    if (status >= 0)
        return status;
    int stop = signal_descriptor();
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", reason,
                      sizeof reason); /* that it has no broker itself is as it should be */
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    rd_kafka_mock_cluster_t *cluster = rk ? rd_kafka_mock_cluster_new(rk, (int) options.nodes) : NULL;
    if (!cluster) {
        fprintf(stderr, "sfrun broker: no broker could be made: %s\n", rk ? "out of sockets" : reason);
        return EXIT_FAILED;
    }
    status = serve(cluster, &options, stop);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(rk);
    close(stop);
    return status;
}
