/* What the source remembers of the files it read, over runs: some bytes that stood before its positions. Sinks keep the
 * positions, and nothing here is ever taken for one; it tells a file from another that begins with the same line. */
#ifndef FILE_SOURCE_MEMORY_H
#define FILE_SOURCE_MEMORY_H

#include <glib.h>
#include <sf/sf.h>

/* The bytes before line `line` of a file: `size` of them end at `offset` of its (unpacked) bytes. */
typedef struct Mark {
    int64_t line;
    int64_t offset;
    int64_t size;
    char hash[17];
} Mark;

enum { MARK_BYTES = 1024 };

void mark_set(Mark *mark, int64_t line, int64_t offset, const char *before, size_t size);

/* One file, and those that took its place and began with the same line: each is a generation, from 1. */
typedef struct Past {
    int64_t generation;
    GArray *marks; /* of the last one, a few, in order */
    bool used;     /* in this run */
} Past;

void past_add(Past *past, const Mark *mark);

typedef enum Likeness {
    LIKE_SAME,  /* what we remember is there */
    LIKE_OTHER, /* other bytes are there */
    LIKE_SHORT, /* it is shorter than all that we remember; or nothing is remembered */
} Likeness;

SfStatus past_compare(const Past *past, const char *path, Likeness *out, SfError *err);

/* Another file took the place. */
void past_next(Past *past);

typedef struct Memory Memory;

/* Reads the step's memory for files of that option; without one, or where it cannot be read, it is empty. `directory`:
 * NULL for the user's. */
Memory *memory_new(SfNode *node, const char *directory, const char *path);

/* Writes it, if need be; a failure is logged once. */
void memory_save(Memory *memory, bool last);
void memory_free(Memory *memory);

/* What is known of the file of that name (from the root, with the hash of its first line); made when it is not there.
 * The memory's. */
Past *memory_find(Memory *memory, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Memory, memory_free)

#endif
