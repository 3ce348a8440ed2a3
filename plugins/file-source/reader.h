/* One file's lines as raw batches. The file is read in chunks; values are views of them, which live as long as a batch
 * does. */
#ifndef FILE_SOURCE_READER_H
#define FILE_SOURCE_READER_H

#include "files.h"
#include "input.h"
#include "memory.h"
#include "raw_rows.h"

typedef struct Chunk Chunk;

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
    RawSource *raw;
    Past *past;   /* what is remembered of the file; the source's */
    Input *input; /* NULL: not open */
    bool bounded;
    int64_t offset; /* bytes read so far, unpacked */
    int64_t line;   /* number of the next line */
    Chunk *chunk;   /* what was read and not yet handed out: [at, end) of it */
    char *at;
    char *end;
    bool rest;           /* up to the next line break is the rest of a line that was handed out without it */
    bool done;           /* nothing more will come */
    int64_t replaced_ms; /* when another file was first seen at its path; 0: not */
} Reader;

/* Takes the file over. */
Reader *reader_new(Found *file, Past *past, const char *topic, bool bounded, const ReaderLimits *limits);
void reader_free(Reader *reader);

/* The same lines lie in another file by now, which it takes over. */
void reader_move(Reader *reader, Found *file);

/* Bytes of the file on disk that have been read. */
int64_t reader_consumed(const Reader *reader);

/* Opens it and moves to its position, where that has not been done: SF_FATAL when the file has fewer lines. */
SfStatus reader_open(Reader *reader, SfError *err);

/* The next lines: SF_OK; SF_EMPTY when the file has no more for now, or (then done) at all. */
SfStatus reader_next(Reader *reader, SfBatch *out, SfError *err);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reader, reader_free)

#endif
