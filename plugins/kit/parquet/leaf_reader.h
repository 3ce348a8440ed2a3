/* One leaf column of a file being read: pages → levels and values, one after the other. Internal to the reader. */
#ifndef KIT_PARQUET_LEAF_READER_H
#define KIT_PARQUET_LEAF_READER_H

#include "codec.h"
#include "footer.h"
#include "hybrid.h"
#include "parquet.h"

typedef struct LeafReader {
    const FileNode *node;
    const ParquetInput *input;
    Codec *codec; /* shared */
    /* The chunk. */
    int kind;       /* codec */
    GBytes *window; /* what is in memory of it */
    const uint8_t *at;
    const uint8_t *end; /* of the window */
    int64_t offset;     /* in the file, of what comes behind the window */
    int64_t behind;     /* bytes of the chunk there */
    int64_t piece;      /* bytes that are read at once */
    int64_t left;       /* levels that have not been decoded yet */
    Buffer dictionary;
    Buffer dictionary_ends; /* BYTE_ARRAY: uint32_t end of each entry, lengths included */
    uint32_t dictionary_size;
    /* The page. */
    Buffer body;     /* decompressed */
    Buffer levels;   /* uint32_t: definition levels, then repetition levels */
    uint32_t n;      /* levels in it */
    uint32_t next;   /* number of the current one */
    uint32_t values; /* in it */
    Buffer indices;  /* uint32_t, dictionary-encoded pages */
    bool by_index;
    uint32_t taken;       /* values so far */
    const uint8_t *value; /* next PLAIN value */
    const uint8_t *value_end;
} LeafReader;

void leaf_reader_init(LeafReader *reader, const FileNode *node, const ParquetInput *input, Codec *codec);
void leaf_reader_done(LeafReader *reader);
size_t leaf_reader_held(const LeafReader *reader); /* bytes, but for the window */

/* Begins a chunk. `whole`: bytes of the file from `from` on that have all of it; NULL: it is read piece by piece. */
SfStatus leaf_reader_chunk(LeafReader *reader, const FileChunk *chunk, GBytes *whole, int64_t from, int64_t piece,
                           SfError *err);

/* Makes a current level; SF_END after the chunk's last. */
SfStatus leaf_reader_fill(LeafReader *reader, SfError *err);

static inline uint32_t leaf_def(const LeafReader *reader)
{
    return ((const uint32_t *) (const void *) reader->levels.data)[reader->next];
}

static inline uint32_t leaf_rep(const LeafReader *reader)
{
    return ((const uint32_t *) (const void *) reader->levels.data)[reader->n + reader->next];
}

/* The value at the current level, whose def is the highest: bytes without a length (a boolean is one byte 0 or 1).
 * Once a level. */
SfStatus leaf_reader_value(LeafReader *reader, SfBytes *out, SfError *err);

#endif
