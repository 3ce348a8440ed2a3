/* What the files of the local store share. Internal to the kit. */
#ifndef KIT_STORE_FILE_H
#define KIT_STORE_FILE_H

#include "backend.h"

#define STORE_FILE_TEMPORARY ".sf-tmp" /* below the root; readers of data lakes skip names with a dot in front */

typedef struct FileStore {
    Store base;
    char *root;
    char *temporary;
    guint32 run; /* with `next`, makes names of temporary files unique among processes */
    guint64 next;
    GHashTable *known; /* char *: directories whose own names we have made durable */
    int drafts;        /* that are alive */
} FileStore;

/* "cannot <action> '<path>': <errno's text>"; SF_CONFIG where only another path helps, else SF_RETRY. */
SfStatus file_fail(SfError *err, const char *action, const char *path, int error);

/* Returns when all of them, files or directories, are durable; several at once. */
SfStatus file_sync_all(const char *const *paths, size_t n, bool directories, SfError *err);
/* draft.c. An end or a name that was made already is fine: puts are repeated. */
StoreDraft *file_draft(Store *store);
SfStatus file_draft_end(StoreDraft *draft, GBytes *rest, SfError *err);
const char *file_draft_path(const StoreDraft *draft);     /* NULL: it has its object's name */
int file_draft_name(StoreDraft *draft, const char *path); /* 0, or errno */
/* Whether it is a draft's; a dead process's is removed. */
bool file_draft_tidy(const char *path);

SfStatus file_list(Store *store, const char *prefix, const char *start_after, size_t max, GPtrArray *out, SfError *err);

#endif
