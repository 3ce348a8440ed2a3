/* Blocks of cells for bound parameters. */
#include "grid.h"

#include <math.h>
#include <string.h>

#define BUDGET ((gsize) 16 << 20)
#define LEAST_WIDTH 16
#define NUMBER_WIDTH 48 /* a decimal of 38 digits, a timestamp */
#define WIDE 4096

Grid *grid_new(const Pending *pending, const Target *target, gsize max_rows, bool terminate, GridType type)
{
    Grid *grid = g_new0(Grid, 1);
    grid->pending = pending;
    grid->n_columns = target->columns->len;
    grid->columns = g_new0(GridColumn, grid->n_columns);
    grid->max_rows = MAX(max_rows, 1);
    grid->terminate = terminate;
    grid->scratch = g_string_sized_new(64);
    for (guint i = 0; i < grid->n_columns; i++) {
        const Column *column = target_column(target, i);
        const Source *source = column_source(pending->model, column);
        OdbcType cell = type(source);
        bool varies = source->type == SF_UTF8 || source->type == SF_BINARY;
        bool fixed = cell == ODBC_INT64 || cell == ODBC_DOUBLE;
        grid->columns[i] = (GridColumn){.source = column->source,
                                        .type = cell,
                                        .varies = varies,
                                        .day = VALUE_NO_DAY,
                                        .width = fixed    ? 8
                                                 : varies ? LEAST_WIDTH
                                                          : NUMBER_WIDTH};
    }
    return grid;
}

static void free_cells(Grid *grid)
{
    for (guint i = 0; i < grid->n_columns; i++) {
        g_clear_pointer(&grid->columns[i].cells, g_free);
        g_clear_pointer(&grid->columns[i].sizes, g_free);
    }
    grid->capacity = 0;
}

void grid_free(Grid *grid)
{
    if (!grid)
        return;
    free_cells(grid);
    g_string_free(grid->scratch, TRUE);
    g_free(grid->columns);
    g_free(grid);
}

void grid_reset(Grid *grid)
{
    bool wide = false;
    for (guint i = 0; i < grid->n_columns; i++)
        wide |= grid->columns[i].varies && grid->columns[i].width > WIDE;
    if (!wide)
        return;
    free_cells(grid);
    for (guint i = 0; i < grid->n_columns; i++)
        if (grid->columns[i].varies)
            grid->columns[i].width = LEAST_WIDTH;
}

static gsize width_of_row(const Grid *grid)
{
    gsize width = 0;
    for (guint i = 0; i < grid->n_columns; i++)
        width += grid->columns[i].width + sizeof(int64_t);
    return width;
}

static SfStatus allocate_cells(Grid *grid, SfError *err)
{
    free_cells(grid);
    gsize capacity = CLAMP(BUDGET / width_of_row(grid), 1, grid->max_rows);
    for (guint i = 0; i < grid->n_columns; i++) {
        GridColumn *column = &grid->columns[i];
        column->cells = g_try_malloc_n(capacity, column->width);
        column->sizes = g_try_new0(int64_t, capacity);
        if (!column->cells || !column->sizes)
            return sf_fail(err, SF_RETRY, "no memory for rows of %" G_GSIZE_FORMAT " bytes", width_of_row(grid));
    }
    grid->capacity = capacity;
    grid->version++;
    return SF_OK;
}

/* Bytes that a text or binary value needs in a cell, a NUL behind it included: hex doubles a binary one. */
static gsize cell_size(const GridColumn *column, const SfColumn *view, RowRef ref)
{
    if (sf_is_null(view, ref.row))
        return 0;
    gsize size = (gsize) sf_bytes(view, ref.row).size;
    return 1 + (view->type == SF_BINARY && column->type == ODBC_TEXT ? 2 * size : size);
}

SfStatus grid_fit(Grid *grid, const RowRef *rows, gsize n, gsize *out, SfError *err)
{
    gsize fit = 0, total = width_of_row(grid);
    bool wider = grid->capacity == 0;
    for (; fit < MIN(n, grid->max_rows); fit++) {
        gsize more = 0;
        for (guint i = 0; i < grid->n_columns; i++) {
            GridColumn *column = &grid->columns[i];
            gsize size = column->varies
                             ? cell_size(column, pending_view(grid->pending, rows[fit], column->source), rows[fit])
                             : 0;
            more += size > column->width ? size - column->width : 0;
        }
        if (fit > 0 && (total + 2 * more) * (fit + 1) > BUDGET)
            break;
        for (guint i = 0; more > 0 && i < grid->n_columns; i++) {
            GridColumn *column = &grid->columns[i];
            gsize size = column->varies
                             ? cell_size(column, pending_view(grid->pending, rows[fit], column->source), rows[fit])
                             : 0;
            while (column->width < size)
                column->width *= 2;
        }
        wider |= more > 0;
        total = more > 0 ? width_of_row(grid) : total;
    }
    if (wider)
        SF_TRY(allocate_cells(grid, err));
    *out = MIN(fit, grid->capacity);
    return SF_OK;
}

/* Exact: up to 15 digits are whole numbers in a double, and so is the power of ten; the division rounds correctly. */
static double decimal_as_double(SfDecimal value, int scale)
{
    static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    return (double) (int64_t) value.low / tens[CLAMP(scale, 0, 15)];
}

static SfStatus fill_number(GridColumn *column, gsize at, const SfColumn *view, int64_t row, SfError *err)
{
    int64_t integer = 0;
    double real = 0;
    switch (view->type) {
    case SF_BOOL:
        integer = sf_bool(view, row);
        break;
    case SF_INT32:
        integer = sf_i32(view, row);
        break;
    case SF_INT64:
        integer = sf_i64(view, row);
        break;
    case SF_DECIMAL128:
        integer = (int64_t) sf_decimal(view, row).low;
        real = decimal_as_double(sf_decimal(view, row), view->scale);
        break;
    default:
        real = sf_f64(view, row);
        if (isnan(real))
            return sf_fail(err, SF_REJECT, "%s: NaN is not a number, and the database would store it as null",
                           view->schema->name);
    }
    memcpy(column->cells + 8 * at, column->type == ODBC_INT64 ? (void *) &integer : (void *) &real, 8);
    column->sizes[at] = 8;
    return SF_OK;
}

static SfStatus put_cell(Grid *grid, char *cell, GridColumn *column, const SfColumn *view, int64_t row, int64_t *size,
                         SfError *err)
{
    SfBytes bytes;
    switch (view->type) {
    case SF_UTF8:
        bytes = sf_bytes(view, row);
        *size = bytes.size;
        return value_copy_text(cell, view, bytes, err);
    case SF_DATE:
    case SF_TIMESTAMP:
        return value_time(cell, &column->day, view, row, size, err);
    default:
        break;
    }
    if (view->type == SF_BINARY && column->type == ODBC_BYTES) {
        bytes = sf_bytes(view, row);
    } else {
        SF_TRY(value_text(g_string_truncate(grid->scratch, 0), view, row, err));
        bytes = (SfBytes){.data = grid->scratch->str, .size = (int64_t) grid->scratch->len};
    }
    if (bytes.size > 0)
        memcpy(cell, bytes.data, (gsize) bytes.size);
    *size = bytes.size;
    return SF_OK;
}

static SfStatus fill_text(Grid *grid, GridColumn *column, gsize at, const SfColumn *view, int64_t row, SfError *err)
{
    char *cell = column->cells + column->width * at;
    int64_t size = 0;
    SF_TRY(put_cell(grid, cell, column, view, row, &size, err));
    bool terminate = grid->terminate && column->type == ODBC_TEXT;
    if (terminate)
        cell[size] = '\0';
    column->sizes[at] = terminate ? ODBC_TERMINATED : size;
    return SF_OK;
}

SfStatus grid_fill(Grid *grid, const RowRef *rows, gsize n, SfError *err)
{
    for (guint i = 0; i < grid->n_columns; i++) {
        GridColumn *column = &grid->columns[i];
        bool number = column->type == ODBC_INT64 || column->type == ODBC_DOUBLE;
        for (gsize at = 0; at < n; at++) {
            const SfColumn *view = pending_view(grid->pending, rows[at], column->source);
            if (sf_is_null(view, rows[at].row))
                column->sizes[at] = ODBC_NULL;
            else if (number)
                SF_TRY(fill_number(column, at, view, rows[at].row, err));
            else
                SF_TRY(fill_text(grid, column, at, view, rows[at].row, err));
        }
    }
    return SF_OK;
}
