/* What the files of `sfrun topics` share. */
#ifndef COMMANDS_TOPICS_DESCRIBE_H
#define COMMANDS_TOPICS_DESCRIBE_H

#include "kafka_command.h"

typedef struct TopicsOptions {
    Connection connection;
    bool json;
    int64_t partitions;
    int64_t replication_factor;
    SfList config;
    bool if_not_exists;
    bool if_exists;
} TopicsOptions;

int topics_list(const CliPage *page, const TopicsOptions *options, KafkaClient *client);
int topics_describe(const CliPage *page, const TopicsOptions *options, KafkaClient *client, char **names);

/* Entries that differ from Kafka's own defaults, as "name=value" strings, sorted; NULL and err when they cannot be
 * had. */
GPtrArray *topics_config(KafkaClient *client, const char *topic, SfError *err);

#endif
