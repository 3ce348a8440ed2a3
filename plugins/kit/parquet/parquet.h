/* Parquet files: a streaming writer, and a reader into Arrow arrays.
 *
 * The writer takes batches as they come, column by column. What it holds is bounded: one open page and one
 * dictionary a column, and the compressed pages of the file so far. Written: data page v1, dictionary (with a fall
 * back to PLAIN) and PLAIN, page CRCs, statistics, and page indexes of row groups in which a column has several pages.
 * Types: all of sf/schema.h, and maps as lists of key and value. */
#ifndef KIT_PARQUET_H
#define KIT_PARQUET_H

#include "codec.h"
#include "schema.h"
#include "stats.h"

/* Work space that writers share when they take turns: with many files open at once it would be most of their memory. */
typedef struct Scratch ParquetScratch;

ParquetScratch *parquet_scratch_new(void);
void parquet_scratch_free(ParquetScratch *scratch);

typedef struct ParquetOptions {
    ParquetCodec codec;
    int level;                /* zstd: 1 … 19 */
    int64_t row_group_rows;   /* 0: 1 Mi; likewise below: the defaults of the Java writer */
    int64_t row_group_bytes;  /* 128 MiB, compressed */
    int64_t page_bytes;       /* 1 MiB */
    int64_t page_rows;        /* 20,000 */
    int64_t dictionary_bytes; /* 1 MiB */
    const char *const *maps;  /* lists of these names are maps (of key and value); NULL-terminated, may be NULL */
    const ParquetHint *hints; /* one a column, borrowed for the call; may be NULL */
    ParquetScratch *scratch;  /* borrowed; NULL: one of its own */
} ParquetOptions;

typedef struct ParquetWriter ParquetWriter;

/* For a struct schema, borrowed only for the call. NULL and err (SF_CONFIG) on a type that Parquet or we lack. */
ParquetWriter *parquet_writer_new(const struct ArrowSchema *schema, const ParquetOptions *options, SfError *err);
void parquet_writer_free(ParquetWriter *writer);

/* Rows of n_columns arrays, in the order of the schema's columns: number rows[i], or all `n` from 0 when rows is
 * NULL. `offset` is that of the struct around the columns. After an error the file is lost: finish fails, reset
 * forgets it. */
SfStatus parquet_writer_add(ParquetWriter *writer, const struct ArrowArray *const *columns, int64_t offset,
                            const int32_t *rows, int64_t n, SfError *err);

int64_t parquet_writer_rows(const ParquetWriter *writer); /* of the open file */
int64_t parquet_writer_size(const ParquetWriter *writer); /* of the file if it were finished now, roughly */
int64_t parquet_writer_memory(const ParquetWriter *writer);

/* The whole file. The writer is ready for the next one (with the same schema, and with what it learned of the
 * columns). */
SfStatus parquet_writer_finish(ParquetWriter *writer, GBytes **out, SfError *err);

/* Forgets the open file. */
void parquet_writer_reset(ParquetWriter *writer);

/* Of the file that was finished last, until rows are added again. */
const ParquetNode *parquet_writer_schema(const ParquetWriter *writer);
const ParquetStats *parquet_writer_stats(const ParquetWriter *writer, size_t leaf);

typedef struct ParquetReader ParquetReader;

/* Reads the columns of `wanted` (a struct schema, borrowed for the call) by name; a nullable column or member that
 * the file lacks reads as null, a map as a list of struct key, value. The file's bytes are not trusted: SF_FATAL
 * says what is wrong with them. */
ParquetReader *parquet_reader_new(GBytes *file, const struct ArrowSchema *wanted, SfError *err);

/* A file that is not in memory: `read` gives exactly these bytes of it, or an error. */
typedef struct ParquetInput {
    int64_t size;
    SfStatus (*read)(gpointer user, int64_t offset, int64_t size, GBytes **out, SfError *err);
    gpointer user;
} ParquetInput;

/* The same of such a file: of a large one, what is read are the footer and the chunks of the wanted columns, in pieces
 * where a row group's chunks are large. Without any wanted column rows are only counted. After a status
 * other than SF_OK and SF_END a reader is of no use any more. */
SfStatus parquet_reader_open(const ParquetInput *input, const struct ArrowSchema *wanted, ParquetReader **out,
                             SfError *err);
/* Bytes in memory of the file and its pages. */
size_t parquet_reader_held(const ParquetReader *reader);
/* Past so many rows; there must be as many. */
SfStatus parquet_reader_skip(ParquetReader *reader, int64_t rows, SfError *err);
void parquet_reader_free(ParquetReader *reader);
int64_t parquet_reader_rows(const ParquetReader *reader);
/* Whether the file has that member of a struct column, wanted or not. */
bool parquet_reader_has(const ParquetReader *reader, const char *column, const char *name);
/* A wanted column or member, at any depth, that the file lacks; NULL: it has all. */
const char *parquet_reader_lacks(const ParquetReader *reader);

/* The next rows, at most max, as a struct array; SF_END after the last. */
SfStatus parquet_reader_next(ParquetReader *reader, int64_t max, struct ArrowArray *out, SfError *err);

/* What is done with some rows of the schema; another status than SF_OK ends the walk. The rows go behind it. */
typedef SfStatus ParquetRows(gpointer user, const struct ArrowSchema *schema, const struct ArrowArray *rows,
                             SfError *err);
/* All rows that are left, at most max at a time. `schema`: what the reader was made with. reader NULL: it could not be
 * made, which `err` says already: SF_FATAL. */
SfStatus parquet_reader_each(ParquetReader *reader, const struct ArrowSchema *schema, int64_t max, ParquetRows *take,
                             gpointer user, SfError *err);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ParquetScratch, parquet_scratch_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ParquetWriter, parquet_writer_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ParquetReader, parquet_reader_free)

#endif
