/* Lists and structs into definition and repetition levels (Dremel's record shredding). */
#ifndef KIT_PARQUET_NESTED_H
#define KIT_PARQUET_NESTED_H

#include "column_writer.h"

/* Rows of one nested column into its leaves; columns[0] is the writer of its first leaf. */
SfStatus nested_add(const ParquetNode *node, const struct ArrowArray *array, int64_t offset, ColumnWriter *columns,
                    Scratch *scratch, const int32_t *rows, int64_t first, int64_t n, SfError *err);

#endif
