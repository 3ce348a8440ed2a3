/* Secrets by reference. */
#ifndef CORE_SECRET_H
#define CORE_SECRET_H

#include <glib.h>

/* The secret that `file:PATH` or `exec:COMMAND` refers to, or a copy of the text. NULL and the problem. */
char *secret_resolve(const char *reference, char **problem);

/* Overwrites, then frees. */
void secret_free(gpointer secret);

#endif
