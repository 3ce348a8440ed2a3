/* See grid.h. */
#include "grid.h"

#define MOST_CELLS 32768

typedef struct GridCell {
    gint64 rows;
    guint64 positions; /* their sum, which is the position where there is one row */
    guint64 check;     /* sum of their hashes: says whether that is so */
} GridCell;

void grid_init(Grid *grid)
{
    *grid = (Grid){.cells = g_array_new(FALSE, TRUE, sizeof(GridCell))};
}

void grid_done(Grid *grid)
{
    g_clear_pointer(&grid->cells, g_array_unref);
}

/* splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014) */
static guint64 hash_position(guint64 position)
{
    position += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    position = (position ^ (position >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    position = (position ^ (position >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return position ^ (position >> 31);
}

static void add_cell(GridCell *cell, const GridCell *other)
{
    cell->rows += other->rows;
    cell->positions += other->positions;
    cell->check += other->check;
}

static void widen(Grid *grid)
{
    gint64 low = grid->low >> 1;
    guint n = grid->cells->len;
    g_autoptr(GArray) cells = g_array_sized_new(FALSE, TRUE, sizeof(GridCell), n / 2 + 2);
    for (guint i = 0; i < n; i++) {
        gint64 at = ((grid->low + i) >> 1) - low;
        if (at >= cells->len)
            g_array_set_size(cells, (guint) at + 1);
        add_cell(&g_array_index(cells, GridCell, at), &g_array_index(grid->cells, GridCell, i));
    }
    g_array_unref(grid->cells);
    grid->cells = g_steal_pointer(&cells);
    grid->low = low;
    grid->shift++;
}

/* The cell that has the position, made if need be. */
static GridCell *cell_of(Grid *grid, gint64 position)
{
    for (;;) {
        gint64 number = position >> grid->shift;
        if (grid->cells->len == 0)
            grid->low = number;
        gint64 first = MIN(grid->low, number), last = MAX(grid->low + (gint64) grid->cells->len - 1, number);
        if (last - first >= MOST_CELLS) {
            widen(grid);
            continue;
        }
        if (number < grid->low) {
            g_autofree GridCell *before = g_new0(GridCell, (gsize) (grid->low - number));
            g_array_prepend_vals(grid->cells, before, (guint) (grid->low - number));
            grid->low = number;
        }
        if (number - grid->low >= grid->cells->len)
            g_array_set_size(grid->cells, (guint) (number - grid->low) + 1);
        return &g_array_index(grid->cells, GridCell, number - grid->low);
    }
}

void grid_add(Grid *grid, gint64 position, gint64 sign)
{
    guint64 factor = (guint64) sign;
    GridCell one = {sign, factor * (guint64) position, factor * hash_position((guint64) position)};
    add_cell(cell_of(grid, position), &one);
}

void grid_merge(Grid *grid, const Grid *other)
{
    while (grid->shift < other->shift)
        widen(grid);
    for (guint i = 0; i < other->cells->len; i++) {
        gint64 position = (other->low + i) << other->shift;
        GridCell *cell = cell_of(grid, position); /* may widen the grid */
        add_cell(cell, &g_array_index(other->cells, GridCell, i));
    }
}

static bool is_even(const GridCell *cell)
{
    return cell->rows == 0 && cell->positions == 0 && cell->check == 0;
}

/* The row's position where the cells' difference is one row; -1: it is not, or they hide others. */
static gint64 single_position(const GridCell *sum, const GridGap *gap)
{
    if (sum->rows != 1 && sum->rows != -1)
        return -1;
    guint64 sign = (guint64) sum->rows, position = sum->positions * sign;
    bool inside = (gint64) position >= gap->from && (gint64) position < gap->to;
    return inside && hash_position(position) * sign == sum->check ? (gint64) position : -1;
}

GArray *grid_gaps(const Grid *grid)
{
    GArray *gaps = g_array_new(FALSE, FALSE, sizeof(GridGap));
    for (guint i = 0; i < grid->cells->len;) {
        GridCell sum = {0};
        guint first = i;
        while (i < grid->cells->len && !is_even(&g_array_index(grid->cells, GridCell, i)))
            add_cell(&sum, &g_array_index(grid->cells, GridCell, i++));
        if (i == first) {
            i++;
            continue;
        }
        GridGap gap = {(grid->low + first) << grid->shift, (grid->low + i) << grid->shift, sum.rows, -1};
        gap.position = single_position(&sum, &gap);
        g_array_append_val(gaps, gap);
    }
    return gaps;
}
