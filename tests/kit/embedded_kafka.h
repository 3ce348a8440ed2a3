/* The broker of `sfrun broker` in a thread of the test: real transactions, topics with their configuration, offsets by
 * time; one node. Its clients are those of mock_kafka.h, by `clients` (which has no cluster). */
#ifndef TEST_EMBEDDED_KAFKA_H
#define TEST_EMBEDDED_KAFKA_H

#include "mock_kafka.h"

typedef struct EmbeddedKafka {
    MockKafka clients;
    struct Broker *broker; /* of the thread, while it runs; likewise server */
    struct Server *server;
    GThread *thread;
    int stop;
    char *address;
} EmbeddedKafka;

EmbeddedKafka *embedded_kafka_new(void);
void embedded_kafka_free(EmbeddedKafka *kafka);
/* config is name, value, …, NULL; or NULL. */
void embedded_kafka_topic(EmbeddedKafka *kafka, const char *topic, int partitions, const char *const *config);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EmbeddedKafka, embedded_kafka_free)

#endif
