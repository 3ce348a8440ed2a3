/* The audit's grid: whatever two sides have, in whatever order, only differences remain, and a single one has its
 * position. */
#include "audit/grid.h"

#define ROWS 300000

static Grid even_grid(gint64 first, gint64 step)
{
    Grid grid;
    grid_init(&grid);
    for (gint64 i = 0; i < ROWS; i++)
        grid_add(&grid, first + i * step, 1);
    for (gint64 i = ROWS; i-- > 0;)
        grid_add(&grid, first + i * step, -1);
    return grid;
}

static void expect_gap(const Grid *grid, gint64 rows, gint64 position)
{
    g_autoptr(GArray) gaps = grid_gaps(grid);
    g_assert_cmpuint(gaps->len, ==, 1);
    const GridGap *gap = &g_array_index(gaps, GridGap, 0);
    g_assert_cmpint(gap->rows, ==, rows);
    g_assert_cmpint(gap->position, ==, position);
    g_assert_cmpint(gap->from, <=, MAX(position, gap->from));
    g_assert_cmpint(gap->to, >, MAX(position, gap->from));
}

static void the_same_rows_leave_nothing(void)
{
    for (gint64 step = 1; step < 100000; step *= 37) {
        g_auto(Grid) grid = even_grid(1000, step);
        g_autoptr(GArray) gaps = grid_gaps(&grid);
        g_assert_cmpuint(gaps->len, ==, 0);
        g_assert_cmpuint(grid.cells->len, <=, 32768);
    }
}

static void one_row_is_named_whichever_side_lacks_it(void)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        g_auto(Grid) grid = even_grid(50, 3);
        grid_add(&grid, 123456, sign);
        expect_gap(&grid, sign, 123456);
    }
}

static void another_row_in_its_place_is_noticed(void)
{
    g_auto(Grid) grid = even_grid(0, 1);
    grid_add(&grid, 4096, 1);
    grid_add(&grid, 4097, -1);
    expect_gap(&grid, 0, -1);
}

/* Three rows that look like one by their number alone. */
static void what_looks_like_one_row_is_not_named(void)
{
    g_auto(Grid) grid = even_grid(0, 1);
    grid_add(&grid, 4098, 1);
    grid_add(&grid, 4098, 1);
    grid_add(&grid, 4097, -1);
    expect_gap(&grid, 1, -1);
}

static void grids_of_other_widths_add_up(void)
{
    g_auto(Grid) fine = {0}, coarse = {0};
    grid_init(&fine);
    grid_init(&coarse);
    for (gint64 i = 0; i < ROWS; i++)
        grid_add(i % 97 == 5 ? &fine : &coarse, i, 1);
    for (gint64 i = 0; i < ROWS; i++)
        if (i != 777)
            grid_add(&coarse, i, -1);
    grid_add(&fine, 5, 1);
    grid_add(&fine, 5, -1);
    grid_merge(&fine, &coarse);
    expect_gap(&fine, 1, 777);
}

static void positions_may_come_from_behind(void)
{
    g_auto(Grid) grid = {0};
    grid_init(&grid);
    for (gint64 position = G_MAXINT64 / 2; position > 0; position /= 7)
        grid_add(&grid, position, 1);
    for (gint64 position = G_MAXINT64 / 2; position > 6; position /= 7)
        grid_add(&grid, position, -1);
    g_autoptr(GArray) gaps = grid_gaps(&grid);
    g_assert_cmpuint(gaps->len, ==, 1);
    g_assert_cmpint(g_array_index(gaps, GridGap, 0).rows, ==, 1);
    g_assert_cmpint(g_array_index(gaps, GridGap, 0).from, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/audit grid/the same rows leave nothing", the_same_rows_leave_nothing);
    g_test_add_func("/audit grid/one row is named whichever side lacks it", one_row_is_named_whichever_side_lacks_it);
    g_test_add_func("/audit grid/another row in its place is noticed", another_row_in_its_place_is_noticed);
    g_test_add_func("/audit grid/what looks like one row is not named", what_looks_like_one_row_is_not_named);
    g_test_add_func("/audit grid/grids of other widths add up", grids_of_other_widths_add_up);
    g_test_add_func("/audit grid/positions may come from behind", positions_may_come_from_behind);
    return g_test_run();
}
