/* A plugin's process that dies at a fault point (sf_fault): a child, so that what it left behind is looked at here. */
#ifndef TESTS_KILLED_H
#define TESTS_KILLED_H

#include "harness.h"

/* In the child, once the harness is open: ends the process where a fault point has been passed `passages` times before,
 * the point of this name or, with NULL, any. */
void killed_arm(Harness *h, const char *point, int passages);

/* Runs the story in a child. true: it died there; false: it came to its end. Anything else fails the test. */
bool killed_run(void (*story)(gpointer data), gpointer data);

#endif
