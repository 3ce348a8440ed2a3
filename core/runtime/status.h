/* The status socket: whoever connects to <state_dir>/<pid>.sock (or <pid>-2.sock, …, where a living process of another
 * container has the first) gets one JSON document and the end. For people of this machine with our user id only (mode
 * 0700 of the directory). */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

#include <gio/gio.h>
#include <json-c/json.h>

typedef struct StatusServer StatusServer;

/* `document` makes the answer; called in the main loop. NULL when the socket cannot be made (logged: the pipelines run
 * all the same). */
StatusServer *status_server_new(const char *state_dir, struct json_object *(*document)(gpointer data), gpointer data);
void status_server_free(StatusServer *server);

/* The default state directory: $SF_STATE_DIR, $XDG_RUNTIME_DIR/streamforge, or /tmp/streamforge-<uid>. */
char *status_directory(void);

/* Documents of all processes that answer; the array owns them. Those that do not are logged. */
GPtrArray *status_ask_all(const char *state_dir);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StatusServer, status_server_free)

#endif
