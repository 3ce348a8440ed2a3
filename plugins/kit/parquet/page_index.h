/* Page indexes of a file being written: where each page of a chunk lies, and the bounds of its values, so that readers
 * skip pages (parquet-format, PageIndex.md). Internal to the writer. */
#ifndef KIT_PARQUET_PAGE_INDEX_H
#define KIT_PARQUET_PAGE_INDEX_H

#include "stats.h"

typedef struct PageEntry {
    int64_t offset;    /* from the chunk's first data page */
    int64_t first_row; /* within the row group */
    int64_t nulls;
    int64_t values; /* 0: the page has nulls only */
    int32_t size;   /* header included, compressed */
    uint32_t min;   /* sizes of the bounds, which lie one after the other */
    uint32_t max;
} PageEntry;

/* The data pages of the open chunk. */
typedef struct PageIndex {
    Buffer entries; /* PageEntry */
    Buffer bounds;  /* min and max of each page */
    bool unbounded; /* a page has values that no bounds hold: there is no ColumnIndex then */
} PageIndex;

/* page: but for min and max. */
void page_index_add(PageIndex *index, const PageEntry *page, const ParquetStats *stats, const ParquetNode *leaf);
size_t page_index_pages(const PageIndex *index);
void page_index_clear(PageIndex *index); /* keeps memory */
void page_index_done(PageIndex *index);

/* What is written behind all row groups, and what their ColumnChunks say of it. */
typedef struct FileIndex {
    Buffer columns; /* ColumnIndex structs */
    Buffer offsets; /* OffsetIndex structs, which come behind those */
    Buffer chunks;  /* one element a chunk that has an index */
} FileIndex;

/* The index of a chunk whose ColumnChunk struct ends at `at` of the row groups' bytes, the stop byte excluded. */
void file_index_add(FileIndex *file, const PageIndex *index, int64_t data_offset, size_t at);

/* How much there is; and what was added since is forgotten. */
typedef struct FileIndexMark {
    size_t columns;
    size_t offsets;
    size_t chunks;
} FileIndexMark;

FileIndexMark file_index_mark(const FileIndex *file);
void file_index_rewind(FileIndex *file, FileIndexMark mark);

/* Appends the indexes to `out`, which is the file so far. */
void file_index_write(const FileIndex *file, Buffer *out);
/* Appends `groups` to `out`, with the places of the indexes, whose first byte is number `start` of the file. */
void file_index_write_groups(const FileIndex *file, const Buffer *groups, int64_t start, Buffer *out);

size_t file_index_memory(const FileIndex *file);
void file_index_done(FileIndex *file);

#endif
