/* The embedded broker's answers to what its Kafka protocol lacks: making a topic with a number of partitions. The
 * command that wants one asks the broker's process through a local socket, whose name is made of the broker's port. */
#ifndef COMMANDS_EMBEDDED_H
#define COMMANDS_EMBEDDED_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Asks the embedded broker at "127.0.0.1:PORT[,…]"; NULL when done, else what is wrong. *there: somebody answered. */
char *embedded_create(const char *brokers, const char *topic, int64_t partitions, bool *there);

/* The broker's side: answers until the descriptor `stop` is readable. create returns NULL or what is wrong (static).
 * False when the socket cannot be made. */
bool embedded_serve(int port, int stop, const char *(*create)(void *data, const char *topic, int partitions),
                    void *data);

#endif
