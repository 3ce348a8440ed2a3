/* Records out of leaves: what a file has for the wanted columns, and their values row by row. Internal. */
#ifndef KIT_PARQUET_RECORD_H
#define KIT_PARQUET_RECORD_H

#include "leaf_reader.h"

/* A wanted column or member and what the file has for it. */
typedef struct Bound {
    const ParquetNode *wanted;
    const FileNode *file;  /* NULL: missing, reads as null */
    LeafReader *guide;     /* a leaf below, whose levels tell of this node */
    bool guide_only;       /* and which no child of ours reads */
    unsigned repeated_def; /* lists: level of an element that is there; likewise its repetition */
    unsigned repeated_rep;
    int64_t scale; /* timestamps: the file's unit in µs, or negative: 1/unit */
    struct Bound *children;
} Bound;

/* A file's leaves; those that are read are made when they are bound. */
typedef struct Leaves {
    const ParquetInput *input;
    Codec *codec;
    const ParquetNode *root;
    LeafReader **by_number; /* NULL: not needed */
    size_t n;
} Leaves;

/* The child of that name, or NULL. */
const FileNode *record_member(const FileNode *group, const char *name);

/* SF_FATAL names a column that the file lacks or has of another type. */
SfStatus record_bind(Leaves *leaves, Bound *bound, const ParquetNode *wanted, const FileNode *file, SfError *err);
void record_done(Bound *bound);
/* A wanted column or member, at any depth, that the file lacks; NULL: it has all. */
const char *record_lacks(const Bound *bound);

/* The value at the current level, and past it. */
SfStatus record_assemble(Bound *bound, SfColumnBuilder *out, SfError *err);

#endif
