/* kafka-sink in a test: one that writes to topic "out" of the cluster, and what has come there. */
#ifndef TEST_KAFKA_PLACE_H
#define TEST_KAFKA_PLACE_H

#include "harness.h"
#include "mock_kafka.h"

/* more: further options, or "". */
Harness *place_sink(const MockKafka *cluster, const char *more);
/* As the host does: the same call again for as long as it says SF_RETRY. */
SfStatus commit_insisting(Harness *h);
/* The offset that a sink keeps at the split's own topic: "<pipeline>.<step>.<input>". The caller frees it. */
char *group_of(const Harness *h, const char *input);

/* A cluster with this topic and that many partitions. */
MockKafka *mock_with(const char *topic, int partitions);
void assert_topic(MockKafka *cluster, const char *topic, int n, const char *expected);

/* Two brokers: 2 has the transactions of split events/0, 1 all else. */
typedef struct Apart {
    MockKafka *mock;
    Harness *h;
    char *group;
    char *id; /* of the transactions */
} Apart;

Apart apart_new(void);
void apart_done(Apart *apart);
void apart_write(Apart *apart, gint64 offset, const char *value);
/* Broker 2 answers no more, for longer than the test. */
void apart_freeze(Apart *apart);
/* The sink asks for another try, and says so of its transaction and the frozen coordinator; what: "does not end". */
void apart_assert_frozen(const Apart *apart, const char *what);
/* Likewise; rest: an expression. */
void apart_assert_named(const Apart *apart, const char *rest);

/* What it calls broker 2. */
#define ITS_COORDINATOR ": its coordinator, broker 2 \\('127.0.0.1:[0-9]+'\\), "

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Apart, apart_done)

#endif
