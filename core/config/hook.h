/* Which plugin's code a thread is in: for a crash, an exit() or a hang there to be named. Written by each thread for
 * itself, read by signal handlers and by whoever ends a process that hangs. */
#ifndef CORE_HOOK_H
#define CORE_HOOK_H

#include <glib.h>
#include <stdbool.h>
#include <sf/sf.h>
#include "private.h"

typedef struct Hook {
    const SfNode *node; /* NULL: in no hook */
    const char *plugin;
    const char *name;     /* of the hook: "apply" */
    const SfBatch *batch; /* that it was handed, or NULL */
    gint64 since_us;      /* monotonic */
    bool waits;           /* in a service of the host's */
} Hook;

/* The thread enters a hook; returns what it was in before, for hook_leave(). */
SF_PRIVATE Hook hook_enter(const SfNode *node, const char *plugin, const char *name, const SfBatch *batch);
SF_PRIVATE void hook_leave(const Hook *before);

/* The host's service that the hook calls may take long by itself. */
void hook_wait(bool waits);

/* "plugin 'x', step 'y' of pipeline 'z', hook apply, events/0 from 100 to 200"; false: the thread is in no hook.
 * Allocates nothing. */
bool hook_describe(char *out, size_t size);

/* Of a pipeline's hooks that are being called, the one that is in its plugin for the longest; false: none. */
bool hook_longest(const char *pipeline, Hook *out);

#endif
