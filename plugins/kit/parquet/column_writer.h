/* One leaf column of a file being written: values → pages → a column chunk. Internal to the writer. */
#ifndef KIT_PARQUET_COLUMN_WRITER_H
#define KIT_PARQUET_COLUMN_WRITER_H

#include "codec.h"
#include "dictionary.h"
#include "hybrid.h"
#include "stats.h"

/* Values are taken in slices of this many at most, column by column: they stay in the first cache. */
#define SLICE_VALUES 2048
#define SLICE_BYTES (1 << 20)

/* What all columns of a writer share; nothing of it lives longer than one call. */
typedef struct Scratch {
    Codec *codec;
    ParquetCodec kind;
    int level;
    int64_t page_bytes;
    int64_t page_rows;
    int64_t dictionary_bytes;
    Buffer body;   /* of the page that is closed */
    Buffer packed; /* the same, compressed */
    Buffer padded; /* texts of a slice that were too short */
    Buffer words;  /* levels on their way into the hybrid encoding */
    union {
        uint64_t u64[SLICE_VALUES];
        uint32_t u32[SLICE_VALUES];
    } numbers;
    SfBytes bytes[SLICE_VALUES];
    uint8_t fixed[SLICE_VALUES * 16];
    int32_t index[SLICE_VALUES];
    uint32_t codes[SLICE_VALUES];
} Scratch;

typedef struct ColumnWriter {
    const ParquetNode *leaf;
    char **path;
    /* The page that is open: PLAIN values, or indices. */
    Buffer values;
    Buffer indices; /* uint32_t */
    Buffer defs;    /* a byte a level; flat columns keep none before the first null of a page */
    Buffer reps;
    int64_t page_rows;
    int64_t page_levels;
    int64_t page_values;
    /* The chunk that is open. */
    Dictionary dictionary;
    bool use_dictionary;
    bool sampled;         /* the decision on the dictionary has been made */
    unsigned skip_chunks; /* so many more chunks start without a dictionary: it did not pay */
    int64_t plain_bytes;  /* that the values of the dictionary would take without it */
    Buffer pages;
    int64_t pages_unpacked; /* bytes of `pages` before compression, headers included */
    int64_t chunk_levels;
    int32_t dictionary_pages; /* data pages with indices */
    int32_t plain_pages;
    ParquetStats chunk;
    ParquetStats file;
} ColumnWriter;

void column_writer_init(ColumnWriter *column, const ParquetNode *root, const ParquetNode *leaf);
void column_writer_done(ColumnWriter *column);
size_t column_writer_memory(const ColumnWriter *column);
/* What it will add to the file, roughly. */
int64_t column_writer_size(const ColumnWriter *column);

/* Rows of a flat column: number `rows[i]`, or first + i when rows is NULL. */
SfStatus column_writer_add_flat(ColumnWriter *column, Scratch *scratch, const SfColumn *view, const int32_t *rows,
                                int64_t first, int64_t n, SfError *err);

/* Values at view's positions index[0, n), all there (n ≤ SLICE_VALUES); levels are the caller's to add. */
void column_writer_add_values(ColumnWriter *column, Scratch *scratch, const SfColumn *view, const int32_t *index,
                              int64_t first, size_t n);

/* After each slice: closes the page when it is full. */
SfStatus column_writer_slice_done(ColumnWriter *column, Scratch *scratch, SfError *err);

/* Appends the chunk to the file and ColumnChunk (an element of RowGroup.columns) to the metadata; ready for the
 * next. */
SfStatus column_writer_end_chunk(ColumnWriter *column, Scratch *scratch, Buffer *file, ThriftWriter *meta,
                                 int64_t *unpacked, SfError *err);

/* Forgets the open page and chunk. */
void column_writer_reset(ColumnWriter *column);

/* Gives up the dictionary while all indices are still in the open page, whose values become PLAIN. */
void column_writer_drop_dictionary(ColumnWriter *column, Scratch *scratch);

/* The dictionary's values are all values of the chunk so far: their bounds are the chunk's. */
void column_writer_add_dictionary_stats(ColumnWriter *column, Scratch *scratch);

SfStatus column_writer_close_page(ColumnWriter *column, Scratch *scratch, SfError *err);

#endif
