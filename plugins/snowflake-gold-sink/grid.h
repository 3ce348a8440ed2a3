/* Cells to bind: for each column of a table one block of equally wide cells and their sizes. Columns grow as wide as
 * the widest value among the rows at hand; memory is bounded, so wide rows come in smaller lots. */
#ifndef GOLD_GRID_H
#define GOLD_GRID_H

#include "loader.h"
#include "value.h"

typedef struct GridColumn {
    guint source;
    OdbcType type;
    bool varies; /* text and binary: as wide as their values */
    gsize width;
    char *cells;
    int64_t *sizes;
    ValueDay day; /* of its last date or timestamp */
} GridColumn;

typedef struct Grid {
    const Pending *pending;
    GridColumn *columns;
    guint n_columns;
    gsize max_rows;
    bool terminate; /* texts end with NUL, and have no sizes */
    gsize capacity; /* rows that the blocks have room for */
    guint version;  /* changes when cells move: bind again */
    GString *scratch;
} Grid;

/* How a source's values are bound. */
typedef OdbcType (*GridType)(const Source *source);

Grid *grid_new(const Pending *pending, const Target *target, gsize max_rows, bool terminate, GridType type);
void grid_free(Grid *grid);

/* Before a load: forgets columns that one huge value made wide. */
void grid_reset(Grid *grid);

/* Makes the columns wide enough for as many of the rows as fit into memory; *out: how many, at least one. */
SfStatus grid_fit(Grid *grid, const RowRef *rows, gsize n, gsize *out, SfError *err);

/* Writes the cells of rows[0, n). SF_REJECT for a value that the database does not take. */
SfStatus grid_fill(Grid *grid, const RowRef *rows, gsize n, SfError *err);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Grid, grid_free)

#endif
