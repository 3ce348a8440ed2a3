/* See kafka_command.h. */
#include "kafka_command.h"

#include "config/option_read.h"
#include "config/secret.h"
#include "data/printable.h"

#include <stdio.h>
#include <string.h>

const char *connection_brokers(const Connection *connection)
{
    const char *brokers = connection->brokers        ? connection->brokers
                          : connection->file_brokers ? connection->file_brokers
                                                     : g_getenv("KAFKA_BROKERS");
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

void connection_properties_free(SfMap *properties)
{
    for (size_t i = 0; i < properties->size; i++) {
        g_free((char *) properties->pairs[i].key);
        secret_free((char *) properties->pairs[i].value);
    }
    g_free((SfPair *) properties->pairs);
    *properties = (SfMap){0};
}

/* In place of an earlier one of that name. NULL, or what is wrong. */
static char *add_property(GArray *pairs, const char *name, const char *value, bool resolve)
{
    char *problem = NULL;
    bool reads = resolve && option_holds_secret(name);
    char *text =
        reads ? secret_resolve(value, g_str_has_suffix(name, ".pem"), &problem) : secret_copy(value, strlen(value));
    if (!text)
        return problem;
    for (guint i = 0; i < pairs->len; i++) {
        SfPair *pair = &g_array_index(pairs, SfPair, i);
        if (strcmp(pair->key, name) == 0) {
            secret_free((char *) pair->value);
            pair->value = text;
            return NULL;
        }
    }
    SfPair pair = {g_strdup(name), text};
    g_array_append_val(pairs, pair);
    return NULL;
}

/* A line of the file: name=value, a comment, or blank. */
static char *add_line(Connection *connection, GArray *pairs, char *line, bool resolve)
{
    g_autofree char *name = NULL;
    const char *value = NULL;
    g_strstrip(line);
    if (!*line || *line == '#')
        return NULL;
    if (!split_setting(line, &name, &value))
        return g_strdup("is not name=value");
    g_strchomp(name);
    g_autofree char *text = g_strchug(g_strdup(value));
    if (strcmp(name, "bootstrap.servers") != 0 && strcmp(name, "metadata.broker.list") != 0)
        return add_property(pairs, name, text, resolve);
    connection->file_brokers = g_intern_string(text);
    return NULL;
}

static int connection_add_file(const CliPage *page, Connection *connection, GArray *pairs, bool resolve)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    if (!g_file_get_contents(connection->file, &text, NULL, &error))
        return cli_fail(page, "--config: %s", error->message);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        g_autofree char *problem = add_line(connection, pairs, lines[i], resolve);
        if (problem)
            return cli_fail(page, "%s:%u: %s", connection->file, i + 1, problem);
    }
    return -1;
}

static int connection_add_flags(const CliPage *page, const Connection *connection, GArray *pairs, bool resolve)
{
    for (size_t i = 0; i < connection->properties.size; i++) {
        g_autofree char *name = NULL;
        const char *value = NULL;
        if (!split_setting(connection->properties.items[i], &name, &value))
            return cli_fail(page, "-X takes name=value, not '%s'", connection->properties.items[i]);
        g_autofree char *problem = add_property(pairs, name, value, resolve);
        if (problem)
            return cli_fail(page, "-X %s: %s", name, problem);
    }
    return -1;
}

int connection_properties(const CliPage *page, Connection *connection, bool resolve, SfMap *out)
{
    GArray *pairs = g_array_new(FALSE, TRUE, sizeof(SfPair));
    int status = connection->file ? connection_add_file(page, connection, pairs, resolve) : -1;
    if (status < 0)
        status = connection_add_flags(page, connection, pairs, resolve);
    out->size = pairs->len;
    out->pairs = (SfPair *) (void *) g_array_free(pairs, FALSE);
    if (status >= 0)
        connection_properties_free(out);
    return status;
}

rd_kafka_conf_t *connection_conf(const CliPage *page, Connection *connection, const KafkaSetting *defaults)
{
    KafkaOptions options = {.client_id = "sfrun"};
    SfError err = {""};
    if (connection_properties(page, connection, true, &options.kafka) >= 0)
        return NULL;
    options.brokers = connection_brokers(connection);
    rd_kafka_conf_t *conf = kafka_conf_new(&options, defaults, NULL, &err);
    connection_properties_free(&options.kafka);
    if (!conf)
        command_failed(page, SF_CONFIG, &err);
    return conf;
}

KafkaClient *connection_open(const CliPage *page, Connection *connection, int *status)
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
