/* The status socket: whoever connects to <state_dir>/<pid>.sock (or <pid>-2.sock, …, where a living process of another
 * container has the first) may ask by one line, and gets one JSON document and the end. Who says nothing for a moment,
 * or that there is nothing to come, gets the status. For people of this machine with our user id only: the
 * directory is ours alone, and both ends look who the other is. */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

#include <glib.h>
#include <json-c/json.h>

typedef struct StatusServer StatusServer;

/* Makes the answer to what was asked; size 0: nothing, which asks for the status. In the main loop; must not wait. */
typedef struct json_object *StatusAnswer(gpointer data, const char *asked, gsize size);

/* status_server.c: NULL when the socket cannot be made (logged: the pipelines run all the same). While no descriptors
 * are to be had, who asks waits. */
StatusServer *status_server_new(const char *state_dir, StatusAnswer *answer, gpointer data);
void status_server_free(StatusServer *server);

/* status_client.c: answers of all processes that answer within five seconds, and whether what they say may be one:
 * objects, `pipelines`, `steps`, `splits` and `sinks` are arrays of objects, all texts are fit for a terminal. The
 * array owns them. Those that do not are logged. Sockets of dead processes are removed. asked: a request (control.h),
 * NULL: the status. */
GPtrArray *status_ask(const char *state_dir, struct json_object *asked);
GPtrArray *status_ask_all(const char *state_dir);

/* Whether a process of ours listens there. */
gboolean status_is_alive(int directory, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StatusServer, status_server_free)

#endif
