/* Rows of some files of a table into one new file. */
#ifndef KIT_DELTA_CARE_REWRITE_H
#define KIT_DELTA_CARE_REWRITE_H

#include "care.h"
#include "sort.h"

typedef struct Rewrite {
    DeltaLog *log;
    const CareOptimize *how;
    json_object *schema;
    GPtrArray *fields;       /* json_object *, borrowed: columns that files have */
    struct ArrowSchema rows; /* of them, as they are read */
    DeltaProjection projection;
    ParquetWriter *writer;
    Sorting *sorting; /* NULL: rows stay in their order */
    int64_t indexed;  /* columns that have statistics */
} Rewrite;

/* SF_CONFIG where the table has what a copy would lose. */
SfStatus rewrite_init(Rewrite *rewrite, DeltaLog *log, const CareOptimize *how, SfError *err);
void rewrite_done(Rewrite *rewrite);

/* The live rows of those files (add actions of one partition), in their order or sorted, in a new file that is durable
 * when it returns; nobody knows of it before a commit names it. */
SfStatus rewrite_files(Rewrite *rewrite, const GPtrArray *adds, DeltaAdd **out, int64_t *rows, SfError *err);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Rewrite, rewrite_done)

#endif
