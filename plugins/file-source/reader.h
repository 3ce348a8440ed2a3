/* One file's lines as raw batches. Values are views of the blocks that the file is read into, which live as long as a
 * batch does. */
#ifndef FILE_SOURCE_READER_H
#define FILE_SOURCE_READER_H

#include "blocks.h"
#include "files.h"
#include "input.h"
#include "memory.h"
#include "raw_rows.h"

typedef struct ReaderLimits {
    int64_t line_bytes; /* longest line */
    int64_t batch_rows;
} ReaderLimits;

typedef struct Reader {
    Found *file;
    char *topic;
    const SfSplit *split;
    int64_t position; /* line to begin with */
    ReaderLimits limits;
    Blocks *blocks;   /* the source's */
    int64_t capacity; /* of the next batch, in rows; as large as batches have been full */
    RawSource *raw;   /* of that capacity; NULL: not made yet */
    Past *past;       /* what is remembered of the file; the source's */
    Input *input;     /* NULL: not open */
    bool bounded;
    int64_t offset; /* bytes read so far, unpacked */
    int64_t line;   /* number of the next line */
    Block *block;   /* NULL: nothing is kept */
    char *base;     /* from here up to `end` the block has the file's bytes without a gap */
    char *at;       /* what was read and not yet handed out: [at, end) */
    char *end;
    int64_t charged;     /* by the source */
    bool more;           /* there is a whole line in it */
    bool rest;           /* up to the next line break is the rest of a line that was handed out without it */
    bool done;           /* nothing more will come */
    int64_t replaced_ms; /* when another file was first seen at its path; 0: not */
} Reader;

/* Takes the file over. */
Reader *reader_new(Found *file, Past *past, const char *topic, bool bounded, const ReaderLimits *limits,
                   Blocks *blocks);
void reader_free(Reader *reader);

/* The same lines lie in another file by now, which it takes over. */
void reader_move(Reader *reader, Found *file);

/* Bytes of the file on disk that have been read. */
int64_t reader_consumed(const Reader *reader);

/* Opens it and moves to its position, where that has not been done: SF_FATAL when the file has fewer lines. */
SfStatus reader_open(Reader *reader, SfError *err);

/* The next lines: SF_OK; SF_EMPTY when the file has no more for now, or (then done) at all. */
SfStatus reader_next(Reader *reader, SfBatch *out, SfError *err);

/* Others are read now: it keeps little more than the beginning of a line that is not there in full yet. */
void reader_set_aside(Reader *reader);

/* Bytes of memory that it has for itself. */
int64_t reader_held(const Reader *reader);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reader, reader_free)

#endif
