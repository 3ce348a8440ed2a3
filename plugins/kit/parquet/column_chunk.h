/* The open page and chunk of one leaf column of a file being written, and their dictionary. Internal to the writer. */
#ifndef KIT_PARQUET_COLUMN_CHUNK_H
#define KIT_PARQUET_COLUMN_CHUNK_H

#include "codec.h"
#include "dictionary.h"
#include "hybrid.h"
#include "page_index.h"

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
    Buffer words;  /* levels on their way into the hybrid encoding; entries of a dictionary */
    Buffer marks;  /* a byte an entry of a dictionary: whether the page has it */
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
    ParquetStats page; /* its bounds */
    /* The chunk that is open. */
    Dictionary dictionary;
    bool use_dictionary;
    bool sampled;         /* the decision on the dictionary has been made */
    unsigned skip_chunks; /* so many more chunks start without a dictionary: it did not pay */
    int64_t plain_bytes;  /* that the values of the dictionary would take without it */
    Buffer pages;
    int64_t pages_unpacked; /* bytes of `pages` before compression, headers included */
    int64_t chunk_levels;
    int64_t chunk_rows; /* of the pages that are closed */
    PageIndex index;
    int32_t dictionary_pages; /* data pages with indices */
    int32_t plain_pages;
    ParquetStats chunk;
    ParquetStats file;
} ColumnWriter;

/* In PLAIN, of a physical type that is a number. */
size_t column_chunk_number_width(const ParquetNode *leaf);

/* n values into the open page as PLAIN. */
void column_chunk_add_plain_bytes(ColumnWriter *column, const SfBytes *bytes, size_t n);

/* n values into the page's bounds: numbers in `values`, byte strings in `bytes`. */
void column_chunk_add_stats(ColumnWriter *column, const void *values, const SfBytes *bytes, size_t n);

/* The values that the open page's indices mean into its bounds. */
void column_chunk_add_index_stats(ColumnWriter *column, Scratch *scratch);

/* Gives up the dictionary while all indices are still in the open page, whose values become PLAIN. */
void column_chunk_drop_dictionary(ColumnWriter *column, Scratch *scratch);

#endif
