/* The status socket: whoever connects to <state_dir>/<pid>.sock (or <pid>-2.sock, …, where a living process of another
 * container has the first) gets one JSON document and the end. For people of this machine with our user id only: the
 * directory is ours alone, and both ends look who the other is. */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

#include <glib.h>
#include <json-c/json.h>

typedef struct StatusServer StatusServer;

/* status_server.c: `document` makes the answer; called in the main loop. NULL when the socket cannot be made (logged:
 * the pipelines run all the same). While no descriptors are to be had, who asks waits. */
StatusServer *status_server_new(const char *state_dir, struct json_object *(*document)(gpointer data), gpointer data);
void status_server_free(StatusServer *server);

/* status_client.c: documents of all processes that answer within five seconds, and whether what they say is a status:
 * objects, `pipelines`, `steps`, `splits` and `sinks` are arrays of objects, all texts are fit for a terminal. The
 * array owns them. Those that do not are logged. Sockets of dead processes are removed. */
GPtrArray *status_ask_all(const char *state_dir);

/* Whether a process of ours listens there. */
gboolean status_is_alive(int directory, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StatusServer, status_server_free)

#endif
