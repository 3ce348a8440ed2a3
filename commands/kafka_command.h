/* What the commands that talk to Kafka share: flags for the connection, a client, errors on standard error. */
#ifndef COMMANDS_KAFKA_COMMAND_H
#define COMMANDS_KAFKA_COMMAND_H

#include "cli/cli.h"
#include "kafka/kafka.h"
#include "runtime/runtime.h"

typedef struct Connection {
    const char *brokers; /* NULL: the file's, else $KAFKA_BROKERS, else localhost:9092 */
    SfList properties;
    const char *file;
    const char *file_brokers; /* what the file says; set by connection_properties() */
} Connection;

#define CONNECTION_FLAGS(state, member)                                                                                \
    CLI_FLAG('b', "HOST:PORT,…",                                                                                       \
             SF_OPTION_STRING(state, member.brokers, .name = "brokers",                                                \
                              .doc = "Bootstrap servers; default: $KAFKA_BROKERS, else localhost:9092.")),             \
        CLI_FLAG('X', "NAME=VALUE",                                                                                    \
                 SF_OPTION_LIST(state, member.properties, .name = "property",                                          \
                                .doc = "Any librdkafka property, as security.protocol=SASL_SSL; passwords also as "    \
                                       "sasl.password=file:PATH or =exec:COMMAND. May be repeated."))

#define CONNECTION_FILE_FLAG(state, member)                                                                            \
    CLI_FLAG('F', "FILE",                                                                                              \
             SF_OPTION_STRING(state, member.file, .name = "config",                                                    \
                              .doc = "File of such properties, a name=value line each, which the command line "        \
                                     "overrules."))

/* How long a command waits for the broker. */
#define COMMAND_MS 15000

const char *connection_brokers(const Connection *connection);

/* -1 and `out`, for connection_properties_free(), or the exit status after a complaint: those of the file, then those
 * of the command line, each once. resolve: references to passwords are read, otherwise they stay what they are. */
int connection_properties(const CliPage *page, Connection *connection, bool resolve, SfMap *out);
void connection_properties_free(SfMap *properties);

/* A configuration from the flags; NULL after a complaint. */
rd_kafka_conf_t *connection_conf(const CliPage *page, Connection *connection, const KafkaSetting *defaults);

/* A connected client; NULL after a complaint, and then *status is the exit status for it. */
KafkaClient *connection_open(const CliPage *page, Connection *connection, int *status);

/* "sfrun topics create: <message>" on standard error; returns the exit status for it. */
int command_failed(const CliPage *page, SfStatus status, const SfError *err);

/* "name=value" → NULL-terminated copies in *name and *value (free *name only). False when there is no '='. */
bool split_setting(const char *text, char **name, const char **value);

#endif
