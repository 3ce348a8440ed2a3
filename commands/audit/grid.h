/* The difference between two sets of rows, each known by its position: what one has and the other lacks is found, and
 * mostly named, in memory that depends on neither's size. Positions fall into cells of equal width; a cell keeps how
 * many more rows one side has, and sums that are 0 only where both have the same ones. Cells widen with what there is.
 */
#ifndef COMMANDS_AUDIT_GRID_H
#define COMMANDS_AUDIT_GRID_H

#include <glib.h>
#include <stdbool.h>

typedef struct Grid {
    GArray *cells; /* of GridCell */
    gint64 low;    /* number of the first one: its positions >> shift */
    guint shift;
} Grid;

void grid_init(Grid *grid);
void grid_done(Grid *grid);

/* A row of the one side (sign 1), or of the other (-1). Positions are not negative. */
void grid_add(Grid *grid, gint64 position, gint64 sign);

/* Adds the other's rows. */
void grid_merge(Grid *grid, const Grid *other);

/* Where the sides differ: neighbouring cells as one. */
typedef struct GridGap {
    gint64 from; /* within [from, to) */
    gint64 to;
    gint64 rows;     /* the first side has so many more; 0: as many, but others */
    gint64 position; /* of the one row that it is; -1: it is not one, or cannot be told */
} GridGap;

/* Of GridGap, in order of positions. */
GArray *grid_gaps(const Grid *grid);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Grid, grid_done)

#endif
