/* Reading the rows of a table, file by file, past those that cannot have what is asked for. */
#ifndef COMMANDS_TABLE_SCAN_H
#define COMMANDS_TABLE_SCAN_H

#include "table.h"
#include "delta/data_file.h"

/* A row that the condition holds for. Other statuses than SF_OK end the scan; SF_EMPTY: enough. */
typedef SfStatus (*ScanRow)(gpointer user, const SfBatch *batch, const SfColumn *columns, int64_t row, SfError *err);

typedef struct Scan {
    OpenTable *table;
    const Where *where;
    GPtrArray *fields; /* json_object *, borrowed: those asked for, then those that only the condition needs */
    ScanRow take;      /* NULL: rows are only counted */
    gpointer user;
    struct ArrowSchema schema; /* of the rows */
    int64_t files;             /* of the table */
    int64_t skipped;           /* by partition values and statistics */
    int64_t read;              /* files, and their bytes; the others' rows were counted from the log */
    int64_t read_bytes;
    int64_t rows; /* that the condition holds for */
} Scan;

/* Sets the terms' columns. `fields` is the scan's from now on. */
SfStatus scan_init(Scan *scan, OpenTable *table, Where *where, GPtrArray *fields, SfError *err);
SfStatus scan_run(Scan *scan, SfError *err);
void scan_done(Scan *scan);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scan, scan_done)

#endif
