/* What an object's lines do not say of their rows: positions, timestamps, and which values were null. It is kept in the
 * object's ledger entry, so that rows can be read from bronze as they were read from the topic.
 *
 * A text: base64 of the size of the bytes (u64, little endian) and the bytes as gzip (RFC 1952). Numbers in
 * them are LEB128 varints:
 *   version (1) · bytes of the runs · runs · rows
 *   a run: positions passed over since the last one (since `first`), rows at consecutive positions less 1
 *   a row: number << 2 | kind; kind 0 and 1: the number is the zigzag difference to the last timestamp, in ms or µs;
 *          2: number 0: no timestamp, 1: zigzag timestamp in µs follows, one that is outside of the years 1 to 9999;
 *          3: in front of a row: number 0: its value was null, else: it has so many line breaks (format raw) */
#ifndef KIT_BRONZE_INDEX_H
#define KIT_BRONZE_INDEX_H

#include <glib.h>
#include <sf/sf.h>

#include "compress/compress.h"

#define INDEX_NO_TIMESTAMP INT64_MIN

typedef struct IndexRow {
    int64_t position;
    int64_t time_us; /* or INDEX_NO_TIMESTAMP */
    bool null;
    int64_t breaks; /* lines that it takes, less 1 */
} IndexRow;

/* ---- writing; fields are for the inline functions ---- */

typedef struct IndexWriter {
    uint8_t *rows; /* tokens */
    size_t size;
    size_t room;
    GByteArray *runs;
    int64_t next;   /* the position that goes on with the run */
    int64_t run;    /* rows in it */
    int64_t passed; /* positions in front of it */
    int64_t time_us;
} IndexWriter;

void index_writer_init(IndexWriter *writer, int64_t first);
void index_writer_done(IndexWriter *writer);

/* Positions ascend. false: no memory. */
bool index_add_slowly(IndexWriter *writer, const IndexRow *row);

static inline bool index_add(IndexWriter *writer, const IndexRow *row)
{
    bool same = row->time_us == writer->time_us && row->position == writer->next && !row->null && row->breaks == 0;
    if (G_LIKELY(same && writer->size < writer->room)) {
        writer->rows[writer->size++] = 0;
        writer->next++;
        writer->run++;
        return true;
    }
    return index_add_slowly(writer, row);
}

/* The text; NULL: no memory. Nothing can be added after it. */
char *index_end(IndexWriter *writer, Compressor *compressor);

static inline size_t index_held(const IndexWriter *writer)
{
    return writer->room + (writer->runs ? writer->runs->len : 0);
}

/* ---- reading ---- */

typedef struct IndexReader IndexReader;

/* NULL and SF_CONFIG: it is not the index of an object with so many rows from `first` on, the last at `last` at most.
 * The text may be hostile. */
IndexReader *index_reader_new(const char *text, int64_t first, int64_t last, int64_t rows, SfError *err);
/* false: there was the last one. */
bool index_reader_next(IndexReader *reader, IndexRow *row);
size_t index_reader_held(const IndexReader *reader);
void index_reader_free(IndexReader *reader);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(IndexReader, index_reader_free)

#endif
