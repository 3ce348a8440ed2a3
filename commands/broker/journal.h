/* The journal's records: what is not in partitions' files; see store.c for their form. Writing them. */
#ifndef BROKER_JOURNAL_H
#define BROKER_JOURNAL_H

#include "broker.h"

#define JOURNAL_HEAD 8 /* size, checksum */

typedef enum Kind {
    KIND_BROKER = 1,
    KIND_TOPIC = 2,
    KIND_TOPIC_GONE = 3,
    KIND_PRODUCER = 4,
    KIND_OFFSETS = 5,
    KIND_END = 6,
    KIND_DONE = 7,
    KIND_GROUP_GONE = 8,
} Kind;

bool journal_broker(Broker *broker);
bool journal_topic(Broker *broker, const Topic *topic);
bool journal_topic_gone(Broker *broker, const char *name);

#endif
