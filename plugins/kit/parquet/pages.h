/* Pages and column chunks of a file being written, from what the column has open. Internal to the writer. */
#ifndef KIT_PARQUET_PAGES_H
#define KIT_PARQUET_PAGES_H

#include "column_chunk.h"

/* After each slice: closes the page when it is full. */
SfStatus pages_slice_done(ColumnWriter *column, Scratch *scratch, SfError *err);

/* The row group that ends. */
typedef struct OpenGroup {
    Buffer *file;
    ThriftWriter *meta;
    FileIndex *index;
    int64_t unpacked;  /* bytes of its chunks before compression */
    size_t most_pages; /* of a chunk */
} OpenGroup;

/* Appends the chunk to the file, ColumnChunk (an element of RowGroup.columns) to the metadata and its pages to the
 * index; ready for the next. */
SfStatus pages_end_chunk(ColumnWriter *column, Scratch *scratch, OpenGroup *group, SfError *err);

/* Forgets the open page and chunk. */
void pages_reset(ColumnWriter *column);

#endif
