/* One row by a layout: whether and as what it is written. */
#ifndef BRONZE_ROW_H
#define BRONZE_ROW_H

#include "bronze/beside.h"
#include "bronze/index.h"
#include "bronze/layout.h"

typedef struct LayoutRow {
    const char *data;
    int64_t size;
    bool breaks;       /* has line breaks that must go */
    int64_t time_us;   /* names its directory */
    int64_t record_us; /* the record's own, or INDEX_NO_TIMESTAMP */
    bool null;
    int64_t lines; /* line breaks that stay */
} LayoutRow;

typedef enum LayoutVerdict { ROW_WRITE, ROW_IGNORE, ROW_REJECT } LayoutVerdict;

/* Columns of a batch that rows are read by. A row's key and headers are read only where they are written. */
typedef struct LayoutColumns {
    SfColumn value;
    SfColumn time;
    bool has_time;
    SfColumn key;
    bool has_key;
    HeaderColumns headers;
    bool has_headers;
    int64_t now_us; /* the wall clock */
} LayoutColumns;

/* Fills out, or says in `cause` why the row is a reject. */
LayoutVerdict layout_row(const Layout *layout, const LayoutColumns *columns, int64_t row, LayoutRow *out,
                         SfError *cause);

#endif
