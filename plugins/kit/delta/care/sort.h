/* Rows of several files in the order of some of their columns. */
#ifndef KIT_DELTA_CARE_SORT_H
#define KIT_DELTA_CARE_SORT_H

#include "delta/read.h"

typedef struct Sorting Sorting;

/* By these columns of `fields` (json_object *, of the table's schema, borrowed), nulls first. NULL, and SF_CONFIG with
 * its name, where a column is not there or has no order. */
Sorting *sorting_new(const GPtrArray *fields, const char *const *columns, SfError *err);
void sorting_free(Sorting *sorting);

/* Takes the batch over, of which those n rows are meant. `schema` is borrowed as long as rows are held. */
SfStatus sorting_add(Sorting *sorting, const struct ArrowSchema *schema, struct ArrowArray *batch, const int32_t *rows,
                     int64_t n, SfError *err);
int64_t sorting_held(const Sorting *sorting); /* bytes, roughly */
/* All rows, in their order; then none are held. */
SfStatus sorting_write(Sorting *sorting, ParquetWriter *writer, const DeltaProjection *projection, SfError *err);
void sorting_reset(Sorting *sorting);

#endif
