/* What the commands that talk to Kafka share: flags for the connection, a client, errors on standard error. */
#ifndef COMMANDS_KAFKA_COMMAND_H
#define COMMANDS_KAFKA_COMMAND_H

#include "cli/cli.h"
#include "kafka/kafka.h"
#include "runtime/runtime.h"

typedef struct Connection {
    const char *brokers; /* NULL: $KAFKA_BROKERS, else localhost:9092 */
    SfList properties;
} Connection;

#define CONNECTION_FLAGS(state, member)                                                                                \
    CLI_FLAG('b', "HOST:PORT,…",                                                                                       \
             SF_OPTION_STRING(state, member.brokers, .name = "brokers",                                                \
                              .doc = "Bootstrap servers; default: $KAFKA_BROKERS, else localhost:9092.")),             \
        CLI_FLAG('X', "NAME=VALUE",                                                                                    \
                 SF_OPTION_LIST(state, member.properties, .name = "property",                                          \
                                .doc = "Any librdkafka property, as security.protocol=SASL_SSL. May be repeated."))

/* How long a command waits for the broker. */
#define COMMAND_MS 15000

const char *connection_brokers(const Connection *connection);

/* -1 and `out` (pairs point into the command line; free pairs by g_free()), or the exit status after a complaint. */
int connection_properties(const CliPage *page, const Connection *connection, SfMap *out);

/* A configuration from the flags; NULL after a complaint. */
rd_kafka_conf_t *connection_conf(const CliPage *page, const Connection *connection, const KafkaSetting *defaults);

/* A connected client; NULL after a complaint, and then *status is the exit status for it. */
KafkaClient *connection_open(const CliPage *page, const Connection *connection, int *status);

/* "sfrun topics create: <message>" on standard error; returns the exit status for it. */
int command_failed(const CliPage *page, SfStatus status, const SfError *err);

/* "name=value" → NULL-terminated copies in *name and *value (free *name only). False when there is no '='. */
bool split_setting(const char *text, char **name, const char **value);

#endif
