/* SQLite: one file, one writer. Upserts by many rows of VALUES a statement, compiled once: as measured, a quarter more
 * than SQLite takes by itself. */
#include "dialect_sqlite.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include "grid.h"
#include "loader.h"
#include "odbc/keyword.h"

/* SQLITE_MAX_VARIABLE_NUMBER (sqlite.org/limits.html), and rows beyond which a statement gets no faster */
#define MOST_VARIABLES 32766
#define MOST_ROWS 32
#define SIZES 6

/* ---- log-in and errors ---- */

static const char *const drivers[] = {"sqlite", NULL};

static SfStatus sqlite_check_connection(const char *connection, SfError *err)
{
    g_autofree char *file = odbc_setting(connection, "Database");
    if (!file || *g_strstrip(file) == '\0')
        return sf_fail(err, SF_CONFIG,
                       "connection: SQLite needs 'Database=' with the path of its file, such as 'Database=gold.db'");
    if (*file == ':')
        return sf_fail(err, SF_CONFIG,
                       "connection: 'Database=%s' is kept in memory and lost with the connection; name a file", file);
    if (strstr(file, "://"))
        return sf_fail(err, SF_CONFIG, "connection: 'Database=' is a URL; SQLite keeps its database in a local file");
    return SF_OK;
}

/* The driver says only "connect failed" when the file's directory is not there, and takes / for a working directory
 * that is not there. */
static SfStatus sqlite_make_directory(const char *connection, SfError *err)
{
    g_autofree char *file = odbc_setting(connection, "Database");
    if (!file)
        return SF_OK;
    char here[PATH_MAX];
    if (!g_path_is_absolute(file) && !getcwd(here, sizeof here))
        return sf_fail(err, SF_RETRY,
                       "database '%s' is relative to the working directory, which cannot be found: %s; use an absolute "
                       "path",
                       file, g_strerror(errno));
    g_autofree char *directory = g_path_get_dirname(file);
    if (g_mkdir_with_parents(directory, 0777) == 0)
        return SF_OK;
    return sf_fail(err, SF_RETRY, "cannot create directory '%s' for database '%s': %s", directory, file,
                   g_strerror(errno));
}

/* SQLite's result codes (sqlite.org/rescode.html); the low byte of an extended one is the primary one. */
enum {
    CODE_ERROR = 1,
    CODE_PERM = 3,
    CODE_BUSY = 5,
    CODE_LOCKED = 6,
    CODE_NOMEM = 7,
    CODE_READONLY = 8,
    CODE_INTERRUPT = 9,
    CODE_IOERR = 10,
    CODE_FULL = 13,
    CODE_CANTOPEN = 14,
    CODE_PROTOCOL = 15,
    CODE_SCHEMA = 17,
    CODE_TOOBIG = 18,
    CODE_CONSTRAINT = 19,
    CODE_MISMATCH = 20,
    PRIMARY_CODE = 0xff
};

static const char *sqlite_login_hint(int native)
{
    return (native & PRIMARY_CODE) == CODE_CANTOPEN
               ? "its file cannot be opened: does its directory exist, and may it be written"
               : NULL;
}

/* The driver's SQLSTATE is HY000 for all; its number is SQLite's result code. */
static SfStatus sqlite_judge(const char *state, int native, const char *text)
{
    static const SfStatus by_code[] = {
        [CODE_PERM] = SF_RETRY,        [CODE_BUSY] = SF_RETRY,      [CODE_LOCKED] = SF_RETRY, [CODE_NOMEM] = SF_RETRY,
        [CODE_READONLY] = SF_RETRY,    [CODE_INTERRUPT] = SF_RETRY, [CODE_IOERR] = SF_RETRY,  [CODE_FULL] = SF_RETRY,
        [CODE_CANTOPEN] = SF_RETRY,    [CODE_PROTOCOL] = SF_RETRY,  [CODE_SCHEMA] = SF_RETRY, [CODE_TOOBIG] = SF_REJECT,
        [CODE_CONSTRAINT] = SF_REJECT, [CODE_MISMATCH] = SF_REJECT,
    };
    static const struct {
        const char *part;
        SfStatus status;
    } by_text[] = {{"ON CONFLICT clause does not match", SF_CONFIG},
                   {"no such table", SF_EMPTY},
                   {"no such column", SF_EMPTY},
                   {"has no column", SF_EMPTY},
                   {"overflow", SF_REJECT}};
    if (!g_str_has_prefix(state, "HY"))
        return SF_OK;
    guint code = (guint) native & PRIMARY_CODE;
    if (code < G_N_ELEMENTS(by_code) && by_code[code] != SF_OK)
        return by_code[code];
    for (gsize i = 0; i < G_N_ELEMENTS(by_text); i++)
        if (strstr(text, by_text[i].part))
            return by_text[i].status;
    return SF_FATAL;
}

/* ---- types and texts ---- */

/* SQLite's numbers are 64-bit integers and doubles. A double gives 15 decimal digits back, so a longer decimal is
 * kept as a text, exactly. */
static bool is_text_decimal(const Source *source)
{
    return source->type == SF_DECIMAL128 && source->precision > 15;
}

static void sqlite_type(const Source *source, GString *sql)
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
static const char *sqlite_text_suffix(const char *type)
{
    static const char *const meant[] = {"num", "dec", "bool", "date", "time"};
    g_autofree char *low = g_ascii_strdown(type, -1);
    for (gsize i = 0; i < G_N_ELEMENTS(meant); i++)
        if (strstr(low, meant[i]))
            return "";
    return affinity(type) == NUMERIC ? " text" : "";
}

static bool sqlite_takes(const Source *source, const char *declared)
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

static bool sqlite_orders(const Source *source)
{
    return !is_text_decimal(source);
}

static void sqlite_list_columns(const char *schema, const char *table, GString *sql)
{
    (void) schema;
    g_string_append(sql, "SELECT name, type FROM pragma_table_info(");
    sql_string(&dialect_sqlite, table, sql);
    g_string_append_c(sql, ')');
}

/* Large pages, which a new file gets, are a quarter of the writes; an existing file keeps its own. With such a cache a
 * batch in the order of its keys rarely writes a page to the log twice. Write-ahead log: readers do not wait for us,
 * nor we for them (sqlite.org/wal.html). FULL: a commit outlives a power failure, which the driver's own choice,
 * NORMAL, takes back. */
static const char *const session[] = {"PRAGMA page_size=16384", "PRAGMA cache_size=-4096", "PRAGMA journal_mode=WAL",
                                      "PRAGMA synchronous=FULL", NULL};

/* Within a transaction all reads are of one snapshot (sqlite.org/isolation.html). */
static const char *const reading[] = {"PRAGMA cache_size=-4096", "PRAGMA query_only=ON", "BEGIN", NULL};

static const LoaderClass loader_values;

const Dialect dialect_sqlite = {
    .odbc = {.product = "SQLite",
             .drivers = drivers,
             .install = "apt install libsqliteodbc",
             .example = "Driver=SQLite3;Database=gold.db",
             .defaults = "Timeout=5000", /* for a lock; the driver's own is 100 s, in which it cannot be woken */
             .read_only = "NoCreat=1",
             .judge = sqlite_judge,
             .refusal = CODE_ERROR,
             .check = sqlite_check_connection,
             .before_login = sqlite_make_directory,
             .login_hint = sqlite_login_hint},
    .name_case = NAME_AS_IT_IS,
    .most_columns = 2000, /* SQLITE_MAX_COLUMN (sqlite.org/limits.html) */
    .same = "IS",
    .values = "(VALUES ",
    .end_values = ") AS x",
    .insert = "INSERT OR FAIL INTO ",
    .ruled_insert = "INSERT INTO ",
    .find_rules = "SELECT name, type FROM sqlite_master WHERE type = 'trigger' OR sql LIKE '%ON CONFLICT%' LIMIT 1",
    .bytewise = "",
    .session = session,
    .reading = reading,
    .has_savepoints = true,
    .type = sqlite_type,
    .text_suffix = sqlite_text_suffix,
    .takes = sqlite_takes,
    .orders = sqlite_orders,
    .list_columns = sqlite_list_columns,
    .add_to_ledger = sql_add_to_ledger,
    .loader = &loader_values,
};

/* ---- loading: statements of 32, 16, … 1 rows ----
 *
 * OR FAIL: a statement that fails leaves the rows before the bad one, which commit.c undoes with the savepoint or the
 * transaction. To undo them itself, SQLite copies each page that the statement touches (sqlite.org/tempfiles.html,
 * "Statement Journal Files"): of keys in any order that is a page a row. But OR FAIL would also take the place of what
 * triggers and constraints of others' say about conflicts (sqlite.org/lang_createtrigger.html, lang_conflict.html). */

typedef struct ValuesLoader {
    Loader base;
    Grid *grid;
    OdbcStatement *statements[SIZES]; /* of 2^i rows */
    OdbcStatement *erasers[SIZES];    /* likewise; NULL where nothing is deleted */
    guint bound[SIZES];               /* version of the grid that they are bound to */
} ValuesLoader;

static OdbcType sqlite_cell_type(const Source *source)
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

static SfStatus sqlite_prepare(ValuesLoader *loader, guint size, SfError *err)
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
    bool begins_with = base->listener || base->place.target->deleted;
    g_autoptr(GString) sql = g_string_new(begins_with ? NULL : "WITH sf_once AS (SELECT 1) ");
    loader_statement(base, rows->str, sql);
    SF_TRY(odbc_prepare(base->odbc, sql->str, &loader->statements[size], err));
    if (!base->erase.target || base->listener)
        return SF_OK;
    sql_erase(&base->erase, rows->str, g_string_truncate(sql, 0));
    return odbc_prepare(base->odbc, sql->str, &loader->erasers[size], err);
}

/* A binary parameter keeps the size that it had when the driver first read it, so these are bound each time. */
static SfStatus sqlite_bind(ValuesLoader *loader, OdbcStatement *statement, guint size, SfError *err)
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

static SfStatus sqlite_bind_all(ValuesLoader *loader, guint size, SfError *err)
{
    SF_TRY(sqlite_bind(loader, loader->statements[size], size, err));
    if (loader->erasers[size])
        SF_TRY(sqlite_bind(loader, loader->erasers[size], size, err));
    loader->bound[size] = loader->grid->version;
    return SF_OK;
}

static SfStatus sqlite_load(Loader *base, const RowRef *rows, gsize first, gsize n, SfError *err)
{
    ValuesLoader *loader = (ValuesLoader *) base;
    if (!loader->grid) {
        gsize most = MOST_VARIABLES / base->place.target->columns->len;
        /* a text with a size the driver copies */
        loader->grid = grid_new(base->pending, base->place.target, MIN(most, MOST_ROWS), true, sqlite_cell_type);
    }
    grid_reset(loader->grid);
    while (n > 0) {
        gsize fit = 0;
        SF_TRY(grid_fit(loader->grid, rows + first, n, &fit, err));
        guint size = g_bit_storage(fit) - 1;
        if (!loader->statements[size])
            SF_TRY(sqlite_prepare(loader, size, err));
        SF_TRY(sqlite_bind_all(loader, size, err));
        SF_TRY(grid_fill(loader->grid, rows + first, (gsize) 1 << size, err));
        SF_TRY(loader_execute(base, loader->statements[size], err));
        if (loader->erasers[size])
            SF_TRY(odbc_execute(loader->erasers[size], NULL, err));
        first += (gsize) 1 << size;
        n -= (gsize) 1 << size;
    }
    return SF_OK;
}

static void sqlite_done(Loader *base)
{
    ValuesLoader *loader = (ValuesLoader *) base;
    for (guint i = 0; i < SIZES; i++) {
        odbc_statement_free(loader->statements[i]);
        odbc_statement_free(loader->erasers[i]);
    }
    grid_free(loader->grid);
}

static const LoaderClass loader_values = {.size = sizeof(ValuesLoader), .load = sqlite_load, .done = sqlite_done};
