/* The state directory, where sockets of running processes are: one opener for those who make sockets and those who
 * look for them, so that nobody else's directory is either written or believed. */
#ifndef CORE_STATE_DIR_H
#define CORE_STATE_DIR_H

#include <glib.h>
#include <stdbool.h>

/* The default: $SF_STATE_DIR, $XDG_RUNTIME_DIR/streamforge, or /tmp/streamforge-<uid>. Owned by the caller. */
char *state_dir_default(void);

/* A descriptor (O_PATH) of the directory, which is ours, no symbolic link, and writable by nobody else. With `make` it
 * is made where it is not there. -1 and *problem (owned by the caller) otherwise; *problem stays NULL where there is
 * none to look into. */
int state_dir_open(const char *path, bool make, char **problem);

/* <pid>.sock or <pid>-<n>.sock: a name that only we give. */
bool state_dir_is_socket_name(const char *name);

#endif
