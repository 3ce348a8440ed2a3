/* SQLite: one file, one writer. Upserts by many rows of VALUES a statement, compiled once: as measured, a quarter more
 * than SQLite takes by itself. */
#include "dialect_sqlite.h"

#include <string.h>
#include "grid.h"
#include "loader.h"

/* SQLITE_MAX_VARIABLE_NUMBER (sqlite.org/limits.html), and rows beyond which a statement gets no faster */
#define MOST_VARIABLES 32766
#define MOST_ROWS 32
#define SIZES 6

/* SQLite's numbers are 64-bit integers and doubles. A double gives 15 decimal digits back, so a longer decimal is
 * kept as a text, exactly. */
static bool is_text_decimal(const Source *source)
{
    return source->type == SF_DECIMAL128 && source->precision > 15;
}

static void type(const Source *source, GString *sql)
{
    static const char *const names[] = {
        [SF_BOOL] = "BOOLEAN", [SF_INT32] = "INTEGER", [SF_INT64] = "BIGINT", [SF_FLOAT64] = "DOUBLE",
        [SF_UTF8] = "TEXT",    [SF_BINARY] = "BLOB",   [SF_DATE] = "DATE",    [SF_TIMESTAMP] = "TIMESTAMP",
    };
    if (is_text_decimal(source))
        g_string_append(sql, "TEXT");
    else if (source->type == SF_DECIMAL128)
        g_string_append_printf(sql, "DECIMAL(%d,%d)", source->precision, source->scale);
    else
        g_string_append(sql, names[source->type]);
}

typedef enum Affinity { INTEGER = 1, TEXT = 2, NONE = 4, REAL = 8, NUMERIC = 16 } Affinity;

/* sqlite.org/datatype3.html, 3.1 "Determination Of Column Affinity" */
static Affinity affinity(const char *declared)
{
    static const struct {
        const char *part;
        Affinity affinity;
    } rules[] = {{"int", INTEGER}, {"char", TEXT}, {"clob", TEXT}, {"text", TEXT},
                 {"blob", NONE},   {"real", REAL}, {"floa", REAL}, {"doub", REAL}};
    g_autofree char *low = g_ascii_strdown(declared, -1);
    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
        if (strstr(low, rules[i].part))
            return rules[i].affinity;
    return *low ? NUMERIC : NONE;
}

/* "string", "uuid" or "json" are numeric to SQLite, which would make 7 of the text 007. Types that do mean numbers or
 * times stay. */
static const char *text_suffix(const char *type)
{
    static const char *const meant[] = {"num", "dec", "bool", "date", "time"};
    g_autofree char *low = g_ascii_strdown(type, -1);
    for (gsize i = 0; i < G_N_ELEMENTS(meant); i++)
        if (strstr(low, meant[i]))
            return "";
    return affinity(type) == NUMERIC ? " text" : "";
}

static bool takes(const Source *source, const char *declared)
{
    Affinity is = affinity(declared);
    switch (source->type) {
    case SF_BOOL:
    case SF_INT32:
    case SF_INT64:
        return is & (INTEGER | NUMERIC | NONE);
    case SF_FLOAT64:
        return is & (REAL | NUMERIC | NONE);
    case SF_DECIMAL128:
        return is_text_decimal(source) ? is & (TEXT | NONE) : is & (REAL | NUMERIC | INTEGER | NONE);
    case SF_DATE:
    case SF_TIMESTAMP:
        return is & (TEXT | NUMERIC | NONE);
    case SF_BINARY:
        return is & NONE;
    default:
        return is & (TEXT | NONE);
    }
}

static bool orders(const Source *source)
{
    return !is_text_decimal(source);
}

static void list_columns(const char *schema, const char *table, GString *sql)
{
    (void) schema;
    g_string_append(sql, "SELECT name, type FROM pragma_table_info(");
    sql_string(&dialect_sqlite, table, sql);
    g_string_append_c(sql, ')');
}

/* Write-ahead log: readers do not wait for us, nor we for them (sqlite.org/wal.html). The driver's own choice, NORMAL,
 * takes commits back when the power fails. */
static const char *const session[] = {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", NULL};

static const LoaderClass loader_values;

const Dialect dialect_sqlite = {
    .product = "SQLite",
    .name_case = NAME_AS_IT_IS,
    .same = "IS",
    .values = "(VALUES ",
    .end_values = ") AS x",
    .bytewise = "",
    .session = session,
    .has_savepoints = true,
    .type = type,
    .text_suffix = text_suffix,
    .takes = takes,
    .orders = orders,
    .list_columns = list_columns,
    .add_to_ledger = sql_add_to_ledger,
    .loader = &loader_values,
};

/* ---- loading: statements of 32, 16, … 1 rows ---- */

typedef struct ValuesLoader {
    Loader base;
    Grid *grid;
    OdbcStatement *statements[SIZES]; /* of 2^i rows */
    OdbcStatement *erasers[SIZES];    /* likewise; NULL where nothing is deleted */
    guint bound[SIZES];               /* version of the grid that they are bound to */
} ValuesLoader;

static OdbcType cell_type(const Source *source)
{
    switch (source->type) {
    case SF_BOOL:
    case SF_INT32:
    case SF_INT64:
        return ODBC_INT64;
    case SF_FLOAT64:
        return ODBC_DOUBLE;
    case SF_DECIMAL128:
        return is_text_decimal(source) ? ODBC_TEXT : source->scale == 0 ? ODBC_INT64 : ODBC_DOUBLE;
    case SF_BINARY:
        return ODBC_BYTES;
    default:
        return ODBC_TEXT;
    }
}

static SfStatus prepare(ValuesLoader *loader, guint size, SfError *err)
{
    guint n_columns = loader->grid->n_columns;
    g_autoptr(GString) rows = g_string_new("VALUES ");
    for (guint row = 0; row < 1u << size; row++) {
        for (guint i = 0; i < n_columns; i++)
            g_string_append(rows, i > 0 ? ", ?" : row > 0 ? ", (?" : "(?");
        g_string_append_c(rows, ')');
    }
    /* The driver compiles an INSERT again at each execution, which takes longer than to run it; what begins with WITH
     * it takes for a query, and keeps. */
    const Loader *base = &loader->base;
    g_autoptr(GString) sql = g_string_new(base->place.target->deleted ? NULL : "WITH sf_once AS (SELECT 1) ");
    sql_upsert(&base->place, rows->str, sql);
    SF_TRY(odbc_prepare(base->odbc, sql->str, &loader->statements[size], err));
    if (!base->erase.target)
        return SF_OK;
    sql_erase(&base->erase, rows->str, g_string_truncate(sql, 0));
    return odbc_prepare(base->odbc, sql->str, &loader->erasers[size], err);
}

/* A binary parameter keeps the size that it had when the driver first read it, so these are bound each time. */
static SfStatus bind(ValuesLoader *loader, OdbcStatement *statement, guint size, SfError *err)
{
    const Grid *grid = loader->grid;
    bool all = loader->bound[size] != grid->version;
    for (guint i = 0; i < grid->n_columns; i++) {
        const GridColumn *column = &grid->columns[i];
        for (guint row = 0; (all || column->type == ODBC_BYTES) && row < 1u << size; row++)
            SF_TRY(odbc_bind(statement, row * grid->n_columns + i, column->type, column->cells + row * column->width,
                             column->width, &column->sizes[row], err));
    }
    return SF_OK;
}

static SfStatus bind_all(ValuesLoader *loader, guint size, SfError *err)
{
    SF_TRY(bind(loader, loader->statements[size], size, err));
    if (loader->erasers[size])
        SF_TRY(bind(loader, loader->erasers[size], size, err));
    loader->bound[size] = loader->grid->version;
    return SF_OK;
}

static SfStatus load(Loader *base, const RowRef *rows, gsize first, gsize n, SfError *err)
{
    ValuesLoader *loader = (ValuesLoader *) base;
    if (!loader->grid) {
        gsize most = MOST_VARIABLES / base->place.target->columns->len;
        /* a text with a size the driver copies */
        loader->grid = grid_new(base->pending, base->place.target, MIN(most, MOST_ROWS), true, cell_type);
    }
    grid_reset(loader->grid);
    while (n > 0) {
        gsize fit = 0;
        SF_TRY(grid_fit(loader->grid, rows + first, n, &fit, err));
        guint size = g_bit_storage(fit) - 1;
        if (!loader->statements[size])
            SF_TRY(prepare(loader, size, err));
        SF_TRY(bind_all(loader, size, err));
        SF_TRY(grid_fill(loader->grid, rows + first, (gsize) 1 << size, err));
        SF_TRY(odbc_execute(loader->statements[size], NULL, err));
        if (loader->erasers[size])
            SF_TRY(odbc_execute(loader->erasers[size], NULL, err));
        first += (gsize) 1 << size;
        n -= (gsize) 1 << size;
    }
    return SF_OK;
}

static void done(Loader *base)
{
    ValuesLoader *loader = (ValuesLoader *) base;
    for (guint i = 0; i < SIZES; i++) {
        odbc_statement_free(loader->statements[i]);
        odbc_statement_free(loader->erasers[i]);
    }
    grid_free(loader->grid);
}

static const LoaderClass loader_values = {.size = sizeof(ValuesLoader), .load = load, .done = done};
