/* What the store's files share: topics without their journal. */
#ifndef BROKER_TOPICS_H
#define BROKER_TOPICS_H

#include "broker.h"

/* A file of the store; -1: errno says why. */
int store_file(const Broker *broker, const char *name);
/* A partition's, which the caller frees. By the topic's id, so that one that is created anew finds nothing of its
 * predecessor. */
char *store_file_name(const Topic *topic, gint32 number);
/* A topic as the journal has it; NULL: its files cannot be opened. */
Topic *store_add(Broker *broker, const char *name, const guint8 *id, gint32 partitions, GHashTable *config);
/* Up to so many. */
bool store_add_partitions(Broker *broker, Topic *topic, gint32 until);
void topic_free(gpointer topic);

#endif
