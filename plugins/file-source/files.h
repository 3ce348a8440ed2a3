/* Which files there are, and which is which. */
#ifndef FILE_SOURCE_FILES_H
#define FILE_SOURCE_FILES_H

#include <glib.h>
#include <sys/types.h>
#include <sf/sf.h>

/* A file at one moment. */
typedef struct Found {
    char *path;
    char *name;     /* of the split: the path, then # and a hash of the file's first line */
    char *absolute; /* likewise, by the path from the root */
    dev_t device;
    ino_t inode;
    int64_t size; /* on disk */
} Found;

void found_free(Found *found);

/* The name of the split says the generation (memory.h) from the second on. */
void found_name_generation(Found *found, int64_t generation);

/* The files of a path: itself, those of a directory (not the ones whose names begin with '.' or '_', or end in .tmp),
 * or those that a glob pattern matches; sorted. Nothing there is an empty list. SF_RETRY where a person may mend it. */
SfStatus files_find(const char *path, GPtrArray **out, SfError *err);

/* Why there is no file of that path: SF_CONFIG where that is a mistake, SF_EMPTY where files may come. The message says
 * what is there instead. */
SfStatus files_explain(const char *path, SfError *err);

/* What is at a path now; SF_EMPTY when nothing is, or a file whose first line is not there in full yet. `whole`: the
 * end of the file ends its last line. */
SfStatus files_identify(const char *path, bool whole, Found **out, SfError *err);

/* The topic of its rows: the one that is given, or its name up to its last dot, with that of its packing left out. */
char *files_topic(const char *given, const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Found, found_free)

#endif
