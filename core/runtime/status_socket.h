/* What both ends of the status socket do. */
#ifndef CORE_STATUS_SOCKET_H
#define CORE_STATUS_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A socket's path has room for 107 bytes only; this one is short whatever the directory is called. Returns false where
 * even that is too long. */
bool status_address(int directory, const char *name, struct sockaddr_un *out);

/* A socket that does not wait; -1 and errno. */
int status_socket_new(void);

/* Whether the process at the other end is our user's, or root's. */
bool status_peer_is_ours(int socket);

#endif
