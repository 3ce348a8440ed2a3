/* `sfrun broker`: an embedded Kafka broker for demonstrations and tests; broker/ is what it is made of. */
#include "broker/server.h"
#include "kafka_command.h"
#include "runtime/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

typedef struct Options {
    SfList topics;
    int64_t port;
    const char *dir;
    const char *port_file;
} Options;

static const CliFlag flags[] = {
    CLI_FLAG('t', "NAME:PARTITIONS",
             SF_OPTION_LIST(Options, topics, .doc = "A topic that is there from the start. May be repeated.")),
    CLI_FLAG('p', "N",
             SF_OPTION_INT(Options, port, .value = "9092", .min = "0", .max = "65535",
                           .doc = "Port on 127.0.0.1; 0: any that is free.")),
    CLI_FLAG('d', "DIRECTORY",
             SF_OPTION_STRING(Options, dir,
                              .doc = "Where topics, records and groups' positions are kept; made where it "
                                     "is missing. Without it all goes with the process.")),
    CLI_FLAG(0, "FILE", SF_OPTION_STRING(Options, port_file, .doc = "File that gets the port, once it serves.")),
    CLI_FLAGS_END};

static const CliPage page = {
    .name = "broker",
    .summary = "Run an embedded Kafka broker for demonstrations",
    .text =
        "Prints what to export and serves until SIGTERM or SIGINT: topics, groups, transactions, exactly once, for "
        "any Kafka client of the same user on this machine. One node, without copies, encryption and compaction; what "
        "is written survives a kill, not a power failure: not for data that matters. A topic that a producer asks for "
        "is made with one partition.",
    .flags = flags,
    .examples = "sfrun broker --topics sales_events:3\nsfrun broker --dir ~/.local/share/streamforge/broker\n"
                "export KAFKA_BROKERS=127.0.0.1:9092"};

static const char *broker_reason_of(Code code)
{
    return code == CODE_INVALID_TOPIC        ? "a topic's name has 1 to 249 letters, digits, '.', '_' and '-'"
           : code == CODE_INVALID_PARTITIONS ? "a topic has 1 to 10000 partitions"
                                             : "its files cannot be made";
}

/* "sales_events:3" or "sales_events"; one that is there stays as it is. -1, or the exit status. */
static int create_topics(Broker *broker, const SfList *topics)
{
    for (size_t i = 0; i < topics->size; i++) {
        const char *text = topics->items[i], *colon = strrchr(text, ':');
        g_autofree char *name = colon ? g_strndup(text, (gsize) (colon - text)) : g_strdup(text);
        gint64 partitions = 1;
        if (colon && !g_ascii_string_to_signed(colon + 1, 10, 0, G_MAXINT32, &partitions, NULL))
            return cli_fail(&page, "--topics %s: '%s' is not a number of partitions", text, colon + 1);
        Code code = store_create(broker, name, (gint32) partitions, NULL);
        if (code != CODE_OK && code != CODE_TOPIC_EXISTS)
            return cli_fail(&page, "--topics %s: %s", text, broker_reason_of(code));
    }
    return -1;
}

static int broker_fail(const char *what, const char *why)
{
    fprintf(stderr, "sfrun broker: %s: %s\n", what, why);
    return EXIT_FAILED;
}

static int serve(Broker *broker, Server *server, const Options *options, int stop)
{
    int status = create_topics(broker, &options->topics);
    if (status >= 0)
        return status;
    if (options->port_file) {
        g_autofree char *text = g_strdup_printf("%d\n", broker->port);
        g_autoptr(GError) error = NULL;
        if (!g_file_set_contents(options->port_file, text, -1, &error))
            return broker_fail("--port-file", error->message);
    }
    printf("export KAFKA_BROKERS=%s:%d\n", broker->host, broker->port);
    fflush(stdout);
    server_run(server, stop);
    return EXIT_OK;
}

/* Signals as a descriptor. */
static int signal_descriptor(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
    process_begin();
    Options options = {0};
    g_auto(CliLine) line = {0};
    argv[0] = (char *) page.name;
    int status = cli_parse(&page, argc, argv, &options, &line);
    if (status >= 0)
        return status;
    int stop = signal_descriptor();
    g_autofree char *problem = NULL;
    Broker *broker = store_open(options.dir, &problem);
    if (!broker)
        return broker_fail(options.dir ? "--dir" : "temporary files", problem);
    Server *server = server_new(broker, (gint32) options.port);
    g_autofree char *where = g_strdup_printf("port %" G_GINT64_FORMAT " (--port takes another)", options.port);
    status = server ? serve(broker, server, &options, stop) : broker_fail(where, g_strerror(errno));
    if (server)
        server_free(server);
    store_close(broker);
    close(stop);
    return status;
}
