/* What the files of the local store share. Internal to the kit. */
#ifndef KIT_STORE_FILE_H
#define KIT_STORE_FILE_H

#include "store_backend.h"

#define STORE_FILE_TEMPORARY ".sf-tmp" /* below the root; readers of data lakes skip names with a dot in front */

typedef struct FileStore {
    Store base;
    char *root;
    char *temporary;
    guint32 run; /* with `next`, makes names of temporary files unique among processes */
    guint64 next;
    GHashTable *known; /* char *: directories whose own names we have made durable */
} FileStore;

/* "cannot <action> '<path>': <errno's text>"; SF_CONFIG where only another path helps, else SF_RETRY. */
SfStatus file_fail(SfError *err, const char *action, const char *path, int error);

/* Returns when all of them, files or directories, are durable; several at once. */
SfStatus file_sync_all(const char *const *paths, size_t n, bool directories, SfError *err);

SfStatus file_list(Store *store, const char *prefix, const char *start_after, size_t max, GPtrArray *out, SfError *err);

#endif
