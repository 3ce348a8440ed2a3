/* Steps whose positions a sink goes on from, under the name that they had. */
#ifndef KIT_ADOPT_H
#define KIT_ADOPT_H

#include <glib.h>
#include <sf/sf.h>

/* The option `start`: whether a step that has no position stops where another one's rows are. */
typedef enum Start { START_KNOWN, START_ANEW } Start;
extern const char *const start_words[];

/* What the option `adopt` may mean, each as "<pipeline>/<step>" and in the order in which they count: that itself, a
 * pipeline whose step was called as this one, a step of this pipeline. None where `adopt` is NULL. g_strfreev(). Any
 * thread. */
char **adopt_names(const SfNode *node, const char *adopt);

#endif
