/* Rows of one data file of a table, with its partition's values, and which of them are deleted. */
#ifndef KIT_DELTA_DATA_FILE_H
#define KIT_DELTA_DATA_FILE_H

#include "read.h"
#include "where.h"

/* Whether the table is partitioned by that column; name may be NULL. */
bool delta_is_partition(const DeltaLog *log, const char *name);

/* The value of a partition column in an action's `partitionValues`; NULL: null. *found: whether the action has the
 * column there, so that it is not looked for in the file. Borrowed. */
const char *delta_partition_value(const DeltaLog *log, json_object *action, json_object *field, bool *found);

/* Counts out of a file's statistics (a parsed add.stats, or NULL); -1: they do not say. */
int64_t delta_stats_rows(json_object *stats);

/* What an action's partition values and statistics (parsed, or NULL) say of a condition over its rows. */
WhereFate delta_file_fate(const DeltaLog *log, const Where *where, json_object *action, json_object *stats);

typedef struct DeltaDataFile DeltaDataFile;

/* Opens the file of an add, remove or cdc action for these columns (fields of the table's schema), in this order. All
 * are borrowed. SF_EMPTY: there is no such file. SF_FATAL and SF_CONFIG do not name it: delta_data_name() does. */
SfStatus delta_data_open(const DeltaLog *log, json_object *action, json_object *const *fields, size_t n,
                         DeltaDataFile **out, SfError *err);
void delta_data_free(DeltaDataFile *file);
int64_t delta_data_rows(const DeltaDataFile *file);  /* deleted ones included */
int64_t delta_data_at(const DeltaDataFile *file);    /* number of the next row */
int64_t delta_data_bytes(const DeltaDataFile *file); /* that were read so far */
size_t delta_data_held(const DeltaDataFile *file);   /* in memory */

/* A bit a row, least significant first; NULL: none is deleted. */
const uint8_t *delta_data_deleted(const DeltaDataFile *file);

/* Past so many rows, or those that are left. */
SfStatus delta_data_skip(DeltaDataFile *file, int64_t rows, SfError *err);
/* The next rows, at most max, deleted ones included; SF_END after the last. */
SfStatus delta_data_next(DeltaDataFile *file, int64_t max, struct ArrowArray *out, SfError *err);

/* The rows of a batch, not of the host's, whose bit in `keep` is set (select.c). */
SfStatus delta_select_rows(const SfBatch *batch, const uint8_t *keep, struct ArrowArray *out, SfError *err);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeltaDataFile, delta_data_free)

#endif
