/* A Kafka cluster inside the test: librdkafka's mock, one broker unless told otherwise. Without real transactions
 * (aborted messages stay, offsets of transactions are dropped), control records and admin requests: those are for
 * tests/e2e. */
#ifndef TEST_MOCK_KAFKA_H
#define TEST_MOCK_KAFKA_H

#include <glib.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

typedef struct MockKafka {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
    const char *brokers;
} MockKafka;

MockKafka *mock_kafka_new(void);
MockKafka *mock_kafka_of(int brokers);
void mock_kafka_free(MockKafka *mock);
/* Its producer: quiet, and quick to send; for whoever has another cluster. */
rd_kafka_t *mock_kafka_producer(const char *brokers);
void mock_kafka_topic(MockKafka *mock, const char *topic, int partitions);

/* One record; value NULL is a tombstone; headers are name, value, …, NULL or NULL. Returns when it is there. */
void mock_kafka_produce(MockKafka *mock, const char *topic, int partition, const char *key, const char *value,
                        gint64 timestamp_ms, const char *const *headers);
/* The same without waiting, so that several become one request; then wait for all. */
void mock_kafka_send(MockKafka *mock, const char *topic, int partition, const char *key, const char *value,
                     gint64 timestamp_ms, const char *const *headers);
void mock_kafka_flush(MockKafka *mock);
/* n records "prefix<number>" without key. */
void mock_kafka_fill(MockKafka *mock, const char *topic, int partition, const char *prefix, int n);

/* All that a fresh reader finds in the topic, waiting for n records: "partition key=value [header=value …]" lines
 * sorted by partition and offset. */
char *mock_kafka_read(MockKafka *mock, const char *topic, int n);

/* The group's committed offset, or -1. */
gint64 mock_kafka_group(MockKafka *mock, const char *group, const char *topic, int partition);
/* Sets it, as another process would. */
void mock_kafka_group_set(MockKafka *mock, const char *group, const char *topic, int partition, gint64 offset,
                          const char *metadata);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MockKafka, mock_kafka_free)

#endif
