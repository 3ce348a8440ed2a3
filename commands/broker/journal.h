/* The journal's side of the store: what is not in partitions' files; see store.c for its form. */
#ifndef BROKER_JOURNAL_H
#define BROKER_JOURNAL_H

#include "broker.h"

/* Reads what is there, finishes what was cut short, and writes it anew. NULL, or the problem: the caller frees it. */
char *journal_open(Broker *broker);
bool journal_topic(Broker *broker, const Topic *topic);
bool journal_topic_gone(Broker *broker, const char *name);

/* store.c's: a file of the store, and a topic as the journal has it. */
int store_file(const Broker *broker, const char *name);
Topic *store_add(Broker *broker, const char *name, const guint8 *id, gint32 partitions, GHashTable *config);

#endif
