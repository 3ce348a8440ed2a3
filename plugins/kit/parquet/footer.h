/* The footer of a Parquet file that somebody else may have written: schema tree and column chunks, checked. */
#ifndef KIT_PARQUET_FOOTER_H
#define KIT_PARQUET_FOOTER_H

#include "schema.h"

/* One SchemaElement in its tree. */
typedef struct FileNode {
    char *name;
    int type; /* ParquetType, or a number that it lacks; likewise the next four */
    int32_t width;
    int repetition;
    int converted;
    int logical;
    int32_t scale;
    int32_t precision;
    bool utc; /* timestamps */
    int unit; /* timestamps: ParquetTimeUnit */
    unsigned max_def;
    unsigned max_rep;
    size_t leaf; /* number of the first leaf at or below it */
    size_t n_children;
    struct FileNode **children;
} FileNode;

typedef struct FileChunk {
    int type;
    int codec;
    int64_t n_values; /* levels */
    int64_t offset;   /* of the first page */
    int64_t size;
} FileChunk;

typedef struct FileGroup {
    int64_t rows;
    GArray *chunks; /* FileChunk, one a leaf */
} FileGroup;

typedef struct Footer {
    FileNode *root;
    size_t n_leaves;
    int64_t rows;
    GPtrArray *groups; /* FileGroup * */
} Footer;

/* From the end of a file of `size` bytes: `n` of them, all or the last ones. SF_EMPTY: more are needed, *needed in all.
 * SF_FATAL: it is not a Parquet file, or contradicts itself. */
SfStatus footer_read(const uint8_t *tail, size_t n, int64_t size, int64_t *needed, Footer **out, SfError *err);
void footer_free(Footer *footer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Footer, footer_free)

#endif
