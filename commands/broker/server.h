/* The broker's sockets. */
#ifndef BROKER_SERVER_H
#define BROKER_SERVER_H

#include "broker.h"

typedef struct Server Server;

/* Listens on the loopback interface; port 0: any that is free. broker->host and port are set. NULL: errno says why. */
Server *server_new(Broker *broker, gint32 port);
/* Serves until the descriptor `stop` is readable. */
void server_run(Server *server, int stop);
void server_free(Server *server);

#endif
