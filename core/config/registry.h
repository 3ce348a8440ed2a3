/* Plugins by name: <dir>/<name>.so on SF_PLUGIN_PATH (colon-separated), then in SF_PLUGIN_DIR or, where that is not
 * set, the installation's plugin directory. No scan, no cache; a module that was loaded stays (resident). A missing
 * symbol, another ABI, a wrong kind or another name inside is said aloud. */
#ifndef CORE_REGISTRY_H
#define CORE_REGISTRY_H

#include <glib.h>
#include <sf/sf.h>
#include "private.h"

typedef struct Plugin {
    char *path;
    SfKind kind;
    union {
        SfHead head; /* the common head of all three */
        SfSource source;
        SfTransform transform;
        SfSink sink;
    };
    GArray *options; /* of SfOption in the host's size, without the end row */
} Plugin;

/* Loads once; the same pointer afterwards. NULL and err (SF_CONFIG text, with the nearest known name). Main thread. */
SF_PRIVATE const Plugin *registry_load(const char *name, SfError *err);

/* The same, where a plugin of that kind is wanted (0: of any): the nearest name is one of those. It may be of another
 * kind all the same. */
const Plugin *registry_load_as(const char *name, SfKind kind, SfError *err);

/* The plugin of that kind (0: of any) whose name is nearest to one that is not there; NULL when none is near. */
char *registry_nearest(const char *name, SfKind kind);

/* Names of all modules that are there, sorted: for `sfrun plugins` and for suggestions only. */
GPtrArray *registry_list(void);

#endif
