/* What the files of the local store share. Internal to the kit. */
#ifndef KIT_STORE_FILE_H
#define KIT_STORE_FILE_H

#include "backend.h"

#define STORE_FILE_TEMPORARY ".sf-tmp" /* below the root; readers of data lakes skip names with a dot in front */

/* Directories that got a new name and are to be synced, each once. */
typedef struct Touched {
    GHashTable *paths;
} Touched;

typedef struct FileStore {
    Store base;
    char *root;
    char *temporary;
    int mode;    /* of files, or -1: as the umask says */
    guint32 run; /* with `next`, makes names of temporary files unique among processes */
    guint64 next;
    GHashTable *known; /* char *: directories whose own names we have made durable */
    int drafts;        /* that are alive */
    bool warned;       /* of others who may write here */
} FileStore;

/* "cannot <action> '<path>': <errno's text>"; SF_CONFIG where only another path helps, else SF_RETRY. */
SfStatus file_fail(SfError *err, const char *action, const char *path, int error);
char *file_path(const FileStore *store, const char *key);
/* A new file in the temporary directory, for writing, with the mode that files have; -1 and errno. */
int file_create_temporary(FileStore *store, const char *suffix, char **path);
/* Gives a name that must be new: 0, or errno; EEXIST when it is taken. `from` may be left behind. */
int file_name_new(const char *from, const char *to);

/* directory.c. Creates the directory and those above it; the parent of every one that was made is touched. */
SfStatus file_make_directories(const FileStore *store, const char *path, const Touched *touched, SfError *err);
/* The temporary directory, as file_make_directories(); what dead processes left in it is removed. */
SfStatus file_open_temporary(FileStore *store, const Touched *touched, SfError *err);
/* Warns, once a store, where everybody could lead its objects to another place. */
void file_warn_of_others(FileStore *store);
Touched touched_new(void);
void touched_done(Touched *touched);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Touched, touched_done)

/* file_put.c */
SfStatus file_put_all(Store *store, StoreObject *objects, size_t n, SfError *err);
SfStatus file_remove_all(Store *store, const char *const *keys, size_t n, SfError *err);

/* file_read.c */
SfStatus file_stat_all(Store *store, const char *const *keys, int64_t *sizes, size_t n, SfError *err);
SfStatus file_sum_all(Store *store, const char *const *keys, StoreSum *sums, size_t n, SfError *err);
SfStatus file_read(Store *store, const char *key, int64_t offset, int64_t size, GBytes **out, SfError *err);
SfStatus file_get(Store *store, const char *key, int64_t limit, GBytes **out, SfError *err);
/* Whether what lies there is just this body. */
bool file_holds(const char *path, GBytes *body);

/* sync.c. Returns when all of them, files or directories, are durable; several at once. */
SfStatus file_sync_all(const char *const *paths, size_t n, bool directories, SfError *err);
SfStatus file_sync_touched(const Touched *touched, SfError *err);

/* draft.c. An end or a name that was made already is fine: puts are repeated. */
size_t file_draft_unit(const Store *store);
StoreDraft *file_draft(Store *store, const char *key);
SfStatus file_draft_end(StoreDraft *draft, GBytes *rest, SfError *err);
const char *file_draft_path(const StoreDraft *draft);                    /* NULL: it has its object's name */
int file_draft_name(StoreDraft *draft, const char *path, bool only_new); /* 0, or errno */
/* Whether it is a draft's, by its name in that directory; a dead process's is removed. */
bool file_draft_tidy(int directory, const char *name);

/* walk.c */
SfStatus file_list(Store *store, const char *prefix, const char *start_after, size_t max, GPtrArray *out, SfError *err);
SfStatus file_list_level(Store *store, const char *prefix, const char *start_after, size_t max, GPtrArray *out,
                         SfError *err);

#endif
