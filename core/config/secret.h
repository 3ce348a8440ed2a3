/* Secrets by reference. They lie in memory that core dumps leave out. */
#ifndef CORE_SECRET_H
#define CORE_SECRET_H

#include <glib.h>
#include "private.h"
#include <stdbool.h>

/* The secret that `file:PATH` or `exec:COMMAND` refers to, or a copy of the text. NULL and the problem, which shows
 * nothing of it: it cannot be had within a time, is not text, is too long, in a file that others can write, or holds
 * control characters (with `lines`, as in PEM, line breaks are allowed). For secret_free(). */
SF_PRIVATE char *secret_resolve(const char *reference, bool lines, char **problem);

/* A copy, for secret_free(). */
SF_PRIVATE char *secret_copy(const char *text, gsize size);

/* Overwrites, then frees. */
SF_PRIVATE void secret_free(gpointer secret);

#endif
