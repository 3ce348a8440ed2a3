/* One leaf column of a file being written: values into its open page. Internal to the writer. */
#ifndef KIT_PARQUET_COLUMN_WRITER_H
#define KIT_PARQUET_COLUMN_WRITER_H

#include "column_chunk.h"

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

#endif
