/* See kafka_command.h. */
#include "kafka_command.h"
#include "data/printable.h"

#include <stdio.h>
#include <string.h>

const char *connection_brokers(const Connection *connection)
{
    const char *brokers = connection->brokers ? connection->brokers : g_getenv("KAFKA_BROKERS");
    return brokers && *brokers ? brokers : "localhost:9092";
}

int command_failed(const CliPage *page, SfStatus status, const SfError *err)
{
    g_autofree char *text = message_line(err->message);
    fprintf(stderr, "sfrun %s: %s\n", page->name, text);
    return status == SF_CONFIG ? EXIT_CONFIG : EXIT_FAILED;
}

bool split_setting(const char *text, char **name, const char **value)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return false;
    *name = g_strndup(text, (gsize) (equals - text));
    *value = equals + 1;
    return true;
}

int connection_properties(const CliPage *page, const Connection *connection, SfMap *out)
{
    SfPair *pairs = g_new0(SfPair, connection->properties.size + 1);
    for (size_t i = 0; i < connection->properties.size; i++) {
        char *name = NULL;
        if (!split_setting(connection->properties.items[i], &name, &pairs[i].value)) {
            for (size_t before = 0; before < i; before++)
                g_free((char *) pairs[before].key);
            g_free(pairs);
            return cli_fail(page, "-X takes name=value, not '%s'", connection->properties.items[i]);
        }
        pairs[i].key = name;
    }
    *out = (SfMap){.size = connection->properties.size, .pairs = pairs};
    return -1;
}

rd_kafka_conf_t *connection_conf(const CliPage *page, const Connection *connection, const KafkaSetting *defaults)
{
    KafkaOptions options = {.brokers = connection_brokers(connection), .client_id = "sfrun"};
    SfError err = {""};
    if (connection_properties(page, connection, &options.kafka) >= 0)
        return NULL;
    rd_kafka_conf_t *conf = kafka_conf_new(&options, defaults, NULL, &err);
    for (size_t i = 0; i < options.kafka.size; i++)
        g_free((char *) options.kafka.pairs[i].key);
    g_free((SfPair *) options.kafka.pairs);
    if (!conf)
        command_failed(page, SF_CONFIG, &err);
    return conf;
}

KafkaClient *connection_open(const CliPage *page, const Connection *connection, int *status)
{
    rd_kafka_conf_t *conf = connection_conf(page, connection, NULL);
    SfError err = {""};
    KafkaClient *client = NULL;
    if (conf && kafka_client_new(NULL, RD_KAFKA_PRODUCER, conf, NULL, &client, &err) != SF_OK)
        command_failed(page, SF_CONFIG, &err);
    *status = EXIT_CONFIG;
    if (!client)
        return NULL;
    gint64 deadline = g_get_monotonic_time() + COMMAND_MS * 1000;
    SfStatus answer = kafka_client_probe(client, 1000, &err);
    while (answer == SF_RETRY && !kafka_client_down(client) && g_get_monotonic_time() < deadline)
        answer = kafka_client_probe(client, 1000, &err);
    if (answer == SF_OK)
        return client;
    *status = command_failed(page, answer, &err);
    kafka_client_free(client, 1000);
    return NULL;
}
