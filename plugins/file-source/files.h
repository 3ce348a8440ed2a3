/* Which files there are, and which is which. */
#ifndef FILE_SOURCE_FILES_H
#define FILE_SOURCE_FILES_H

#include <glib.h>
#include <sys/types.h>
#include <sf/sf.h>

/* A file at one moment. */
typedef struct Found {
    char *path;
    char *name; /* of the split: the path, then # and a hash of the file's first line */
    dev_t device;
    ino_t inode;
    int64_t size;
} Found;

void found_free(Found *found);

/* The files of a path: itself, those of a directory (not the ones whose names begin with '.' or '_', or end in .tmp),
 * or those that a glob pattern matches; sorted. Nothing there is an empty list. SF_RETRY where a person may mend it. */
SfStatus files_find(const char *path, GPtrArray **out, SfError *err);

/* Whether a path is a pattern or a directory, so that no file at all is nothing to complain about. */
bool files_may_be_none(const char *path);

/* What is at a path now; SF_EMPTY when nothing is, or a file whose first line is not there in full yet. `whole`: the
 * end of the file ends its last line. */
SfStatus files_identify(const char *path, bool whole, Found **out, SfError *err);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Found, found_free)

#endif
