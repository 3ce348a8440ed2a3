/* Pages and column chunks of a file being written, from what the column has open. Internal to the writer. */
#ifndef KIT_PARQUET_PAGES_H
#define KIT_PARQUET_PAGES_H

#include "column_chunk.h"

/* After each slice: closes the page when it is full. */
SfStatus pages_slice_done(ColumnWriter *column, Scratch *scratch, SfError *err);

/* Appends the chunk to the file and ColumnChunk (an element of RowGroup.columns) to the metadata; ready for the
 * next. */
SfStatus pages_end_chunk(ColumnWriter *column, Scratch *scratch, Buffer *file, ThriftWriter *meta, int64_t *unpacked,
                         SfError *err);

/* Forgets the open page and chunk. */
void pages_reset(ColumnWriter *column);

#endif
