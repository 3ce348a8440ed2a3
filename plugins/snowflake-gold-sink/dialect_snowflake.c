/* Snowflake: bound arrays go into a temporary table outside of the transaction, then one MERGE a table. DDL commits
 * what is open there, so there is none in the transaction; primary keys are not enforced, so MERGE is what keeps
 * them. */
#include "dialect_snowflake.h"

#include <string.h>
#include "grid.h"
#include "loader.h"
#include "type_words.h"

/* From so many cells on, the driver stages an array by DDL of its own (CLIENT_STAGE_ARRAY_BINDING_THRESHOLD). */
#define MOST_CELLS 65279

static const char *const drivers[] = {"snowflake", NULL};

static const OdbcVerdict verdicts[] = {
    {"02000", SF_EMPTY}, {"42710", SF_RETRY}, /* no such object; made by another process in the same moment */
    {"53", SF_RETRY},    {"57", SF_RETRY},    /* resources; cancelled, a statement's time limit */
    {"XX000", SF_RETRY},                      /* "SQL execution internal error" */
    {NULL, SF_FATAL},
};

/* Data errors come with states that say little: a value that cannot be cast or is out of range (1000 35 … 46), null
 * where it is not allowed, a text too long, one row for two (docs.snowflake.com, "Bulk loading" and DML messages). The
 * errors of log-in and session are numbered 39xxxx. */
static SfStatus snowflake_judge(const char *state, int native, const char *text)
{
    static const int data[] = {100035, 100037, 100038, 100039, 100040, 100046, 100069,
                               100071, 100072, 100073, 100078, 100090, 100096, 100097};
    (void) state;
    (void) text;
    if (native >= 390000 && native < 400000)
        return SF_RETRY;
    for (gsize i = 0; i < G_N_ELEMENTS(data); i++)
        if (data[i] == native)
            return SF_REJECT;
    return SF_OK;
}

static void snowflake_type(const Source *source, GString *sql)
{
    static const char *const names[] = {
        [SF_BOOL] = "BOOLEAN",       [SF_INT32] = "NUMBER(10,0)",
        [SF_INT64] = "NUMBER(19,0)", [SF_FLOAT64] = "FLOAT",
        [SF_UTF8] = "VARCHAR",       [SF_BINARY] = "BINARY",
        [SF_DATE] = "DATE",          [SF_TIMESTAMP] = "TIMESTAMP_NTZ",
    };
    if (source->type == SF_DECIMAL128)
        g_string_append_printf(sql, "NUMBER(%d,%d)", source->precision, source->scale);
    else
        g_string_append(sql, names[source->type]);
}

static bool snowflake_takes(const Source *source, const char *declared)
{
    static const char *const times[] = {"timestamp_ntz", "timestamp_ltz", "timestamp_tz", "timestamp", NULL};
    static const char *const texts[] = {"varchar", "text", "string", NULL};
    static const char *const numbers[] = {"number", "decimal", "numeric", NULL};
    TypeText is = type_text(declared);
    switch (source->type) {
    case SF_INT32:
    case SF_INT64:
        return g_strv_contains(numbers, is.words);
    case SF_DECIMAL128:
        return g_strv_contains(numbers, is.words) && MAX(is.second, 0) >= source->scale;
    case SF_UTF8:
        return g_strv_contains(texts, is.words);
    case SF_TIMESTAMP:
        return g_strv_contains(times, is.words) && (is.first < 0 || is.first >= 6);
    case SF_BOOL:
        return strcmp(is.words, "boolean") == 0;
    case SF_FLOAT64:
        return strcmp(is.words, "float") == 0 || strcmp(is.words, "double") == 0;
    case SF_BINARY:
        return strcmp(is.words, "binary") == 0;
    default:
        return strcmp(is.words, "date") == 0;
    }
}

static void snowflake_list_columns(const char *schema, const char *table, GString *sql)
{
    g_string_append(sql, "DESCRIBE TABLE ");
    sql_table(&dialect_snowflake, schema, table, sql);
}

static void snowflake_add_to_ledger(const char *ledger, const char *rows, GString *sql)
{
    g_string_append_printf(
        sql,
        "MERGE INTO %s AS t USING (SELECT column1 AS pipeline, column2 AS step, column3 AS input, column4 AS split, "
        "column5 "
        "AS end_position, column6 AS rows_in, column7 AS rows_rejected, column8 AS updated_at FROM VALUES %s) AS s ON "
        "t.pipeline = s.pipeline AND t.step = s.step AND t.input = s.input AND t.split = s.split WHEN NOT MATCHED THEN "
        "INSERT (pipeline, step, input, split, end_position, rows_in, rows_rejected, updated_at) VALUES (s.pipeline, "
        "s.step, s.input, s.split, s.end_position, s.rows_in, s.rows_rejected, s.updated_at)",
        ledger, rows);
}

/* What an account may have set otherwise. Texts become times without a zone, which an existing column with one reads in
 * TIMEZONE; formats and quotes as we write them; a statement that fails undoes itself only. A killed process leaves its
 * locks for minutes: others wait for one of them, and try again, not the 12 hours of the default. */
static const char *const session[] = {
    "ALTER SESSION SET TIMEZONE = 'UTC', DATE_INPUT_FORMAT = 'AUTO', TIMESTAMP_INPUT_FORMAT = 'AUTO', "
    "QUOTED_IDENTIFIERS_IGNORE_CASE = FALSE, ERROR_ON_NONDETERMINISTIC_MERGE = TRUE, TRANSACTION_ABORT_ON_ERROR = "
    "FALSE, ABORT_DETACHED_QUERY = TRUE, LOCK_TIMEOUT = 60",
    NULL};

static const LoaderClass loader_merge;

const Dialect dialect_snowflake = {
    .odbc = {.product = "Snowflake",
             .drivers = drivers,
             .install = "install Snowflake's ODBC driver (snowflake-odbc, from developers.snowflake.com/odbc)",
             .example = "Driver=SnowflakeDSIIDriver;Server=ACCOUNT.snowflakecomputing.com;Database=GOLD;Warehouse=LOAD",
             .verdicts = verdicts,
             .judge = snowflake_judge},
    .name_case = NAME_UPPER,
    .longest_name = 255,
    .has_schemas = true,
    .has_backslash_escapes = true,
    .ledger_last = true,
    .same = "IS NOT DISTINCT FROM",
    .values = "VALUES ",
    .end_values = "",
    .bytewise = "",
    .session = session,
    .reading = session,
    .label = "ALTER SESSION SET QUERY_TAG = ",
    .stage = "sf_stage_",
    .type = snowflake_type,
    .takes = snowflake_takes,
    .list_columns = snowflake_list_columns,
    .add_to_ledger = snowflake_add_to_ledger,
    .loader = &loader_merge,
};

/* ---- loading ---- */

typedef struct MergeLoader {
    Loader base;
    char *stage; /* the temporary table, quoted */
    Grid *grid;
    OdbcStatement *insert;
    guint bound;
    int64_t *numbers; /* of the rows, bound as a column of their own */
    int64_t *number_sizes;
} MergeLoader;

static OdbcType snowflake_cell_type(const Source *source)
{
    (void) source;
    return ODBC_TEXT;
}

/* The temporary table's columns are texts, which MERGE casts: the driver has nothing to convert, and a value that
 * does not fit is found by the statement whose range of rows can be halved. */
static SfStatus create_stage(MergeLoader *loader, SfError *err)
{
    const Loader *base = &loader->base;
    const Target *target = base->place.target;
    g_autofree char *name = g_strconcat(dialect_snowflake.stage, target->table, NULL);
    g_autoptr(GString) stage = g_string_new(NULL);
    sql_table(&dialect_snowflake, base->place.schema, name, stage);
    g_autoptr(GString) sql = g_string_new("CREATE OR REPLACE TEMPORARY TABLE ");
    g_string_append_printf(sql, "%s (\"_SF_ROW\" NUMBER(19,0)", stage->str);
    g_autoptr(GString) insert = g_string_new("INSERT INTO ");
    g_string_append_printf(insert, "%s VALUES (?", stage->str);
    for (guint i = 0; i < target->columns->len; i++) {
        g_string_append(sql, ", ");
        sql_name(&dialect_snowflake, target_column(target, i)->name, sql);
        g_string_append(sql, " VARCHAR");
        g_string_append(insert, ", ?");
    }
    g_string_append_c(sql, ')');
    g_string_append_c(insert, ')');
    SF_TRY(odbc_exec(base->odbc, sql->str, NULL, err));
    SF_TRY(odbc_prepare(base->odbc, insert->str, &loader->insert, err));
    loader->stage = g_strdup(stage->str);
    loader->grid = grid_new(base->pending, target, MOST_CELLS / (target->columns->len + 1), false, snowflake_cell_type);
    loader->numbers = g_new0(int64_t, loader->grid->max_rows);
    loader->number_sizes = g_new0(int64_t, loader->grid->max_rows);
    return SF_OK;
}

static SfStatus snowflake_bind(MergeLoader *loader, SfError *err)
{
    const Grid *grid = loader->grid;
    SF_TRY(odbc_bind(loader->insert, 0, ODBC_INT64, loader->numbers, 8, loader->number_sizes, err));
    for (guint i = 0; i < grid->n_columns; i++)
        SF_TRY(odbc_bind(loader->insert, i + 1, ODBC_TEXT, grid->columns[i].cells, grid->columns[i].width,
                         grid->columns[i].sizes, err));
    loader->bound = grid->version;
    return SF_OK;
}

static SfStatus snowflake_stage(Loader *base, const RowRef *rows, gsize n, SfError *err)
{
    MergeLoader *loader = (MergeLoader *) base;
    if (!loader->insert)
        SF_TRY(create_stage(loader, err));
    g_autofree char *empty = g_strconcat("TRUNCATE TABLE ", loader->stage, NULL);
    SF_TRY(odbc_exec(base->odbc, empty, NULL, err));
    grid_reset(loader->grid);
    for (gsize first = 0; first < n;) {
        gsize fit = 0;
        SF_TRY(grid_fit(loader->grid, rows + first, n - first, &fit, err));
        if (loader->bound != loader->grid->version)
            SF_TRY(snowflake_bind(loader, err));
        SF_TRY(grid_fill(loader->grid, rows + first, fit, err));
        for (gsize i = 0; i < fit; i++) {
            loader->numbers[i] = (int64_t) (first + i);
            loader->number_sizes[i] = 8;
        }
        SF_TRY(odbc_array(loader->insert, fit, err));
        SF_TRY(odbc_execute(loader->insert, NULL, err));
        first += fit;
    }
    return SF_OK;
}

static void snowflake_casts(const Place *place, GString *sql)
{
    for (guint i = 0; i < place->target->columns->len; i++) {
        const Column *column = target_column(place->target, i);
        const Source *source = column_source(place->model, column);
        g_string_append(sql, i > 0 ? ", " : "");
        if (source->type != SF_UTF8)
            g_string_append(sql, source->type == SF_BINARY ? "TO_BINARY(" : "CAST(");
        sql_name(place->dialect, column->name, sql);
        if (source->type == SF_BINARY) {
            g_string_append(sql, ", 'HEX')");
        } else if (source->type != SF_UTF8) {
            g_string_append(sql, " AS ");
            snowflake_type(source, sql);
            g_string_append_c(sql, ')');
        }
        g_string_append(sql, " AS ");
        sql_name(place->dialect, column->name, sql);
    }
}

/* One row a key even where the database finds two keys equal that differ in their bytes (a collation of the
 * column's). */
static void snowflake_qualify(const Place *place, GString *sql)
{
    const Target *target = place->target;
    g_string_append(sql, " QUALIFY ROW_NUMBER() OVER (PARTITION BY ");
    for (guint i = 0; i < target->key->len; i++) {
        g_string_append(sql, i > 0 ? ", " : "");
        sql_name(place->dialect, target_column(target, g_array_index(target->key, guint, i))->name, sql);
    }
    g_string_append(sql, " ORDER BY ");
    for (guint i = 0; i < target->order->len; i++) {
        g_string_append(sql, i > 0 ? ", " : "");
        sql_name(place->dialect, target_column(target, g_array_index(target->order, guint, i))->name, sql);
        g_string_append(sql, " DESC NULLS LAST");
    }
    g_string_append(sql, ") = 1");
}

/* Rows [first, first + n) of the temporary table, as the columns want them, one a key. */
static void snowflake_staged(const Place *place, const char *from, gsize first, gsize n, GString *sql)
{
    g_string_append(sql, "SELECT * FROM (SELECT ");
    snowflake_casts(place, sql);
    g_string_append_printf(sql,
                           " FROM %s WHERE \"_SF_ROW\" >= %" G_GSIZE_FORMAT " AND \"_SF_ROW\" < %" G_GSIZE_FORMAT ")",
                           from, first, first + n);
    snowflake_qualify(place, sql);
}

void snowflake_merge(const Place *place, const char *from, gsize first, gsize n, GString *sql)
{
    g_string_append(sql, "MERGE INTO ");
    sql_table(place->dialect, place->schema, place->target->table, sql);
    g_string_append(sql, " AS t USING (");
    if (place->target->deleted) {
        g_autoptr(GString) rows = g_string_new("(");
        snowflake_staged(place, from, first, n, rows);
        g_string_append(rows, ") AS r");
        g_string_append(sql, "SELECT ");
        sql_columns(place, "r.", sql);
        sql_not_deleted(place, rows->str, sql);
    } else {
        snowflake_staged(place, from, first, n, sql);
    }
    g_string_append(sql, ") AS s ON ");
    sql_same_key(place, "t.", "s.", sql);
    g_autoptr(GString) set = g_string_new(NULL);
    if (sql_assignments(place, "s.", set)) {
        g_string_append(sql, " WHEN MATCHED AND (");
        sql_newer(place, "s.", "t.", sql);
        g_string_append_printf(sql, ") THEN UPDATE SET %s", set->str);
    }
    g_string_append(sql, " WHEN NOT MATCHED THEN INSERT (");
    sql_columns(place, "", sql);
    g_string_append(sql, ") VALUES (");
    sql_columns(place, "s.", sql);
    g_string_append_c(sql, ')');
}

void snowflake_erase(const Place *place, const char *from, gsize first, gsize n, GString *sql)
{
    Place deleted = sql_deleted(place);
    g_string_append(sql, "MERGE INTO ");
    sql_table(place->dialect, place->schema, place->target->table, sql);
    g_string_append(sql, " AS t USING (");
    snowflake_staged(&deleted, from, first, n, sql);
    g_string_append(sql, ") AS s ON ");
    sql_same_key(place, "t.", "s.", sql);
    g_string_append(sql, " WHEN MATCHED AND (");
    sql_newer(&deleted, "s.", "t.", sql);
    g_string_append(sql, ") THEN DELETE");
}

static SfStatus snowflake_check(const MergeLoader *loader, gsize first, gsize n, SfError *err)
{
    const Loader *base = &loader->base;
    g_autoptr(GString) rows = g_string_new(NULL), sql = g_string_new(NULL);
    g_autoptr(OdbcStatement) statement = NULL;
    snowflake_staged(&base->place, loader->stage, first, n, rows);
    loader_statement(base, rows->str, sql);
    SF_TRY(odbc_query(base->odbc, sql->str, &statement, err));
    return loader_take_findings(base, statement, err);
}

static SfStatus snowflake_load(Loader *base, const RowRef *rows, gsize first, gsize n, SfError *err)
{
    (void) rows;
    MergeLoader *loader = (MergeLoader *) base;
    if (base->listener)
        return snowflake_check(loader, first, n, err);
    g_autoptr(GString) sql = g_string_new(NULL);
    snowflake_merge(&base->place, loader->stage, first, n, sql);
    SF_TRY(odbc_exec(base->odbc, sql->str, NULL, err));
    if (!base->erase.target)
        return SF_OK;
    snowflake_erase(&base->erase, loader->stage, first, n, g_string_truncate(sql, 0));
    return odbc_exec(base->odbc, sql->str, NULL, err);
}

static void snowflake_done(Loader *base)
{
    MergeLoader *loader = (MergeLoader *) base;
    odbc_statement_free(loader->insert);
    grid_free(loader->grid);
    g_free(loader->numbers);
    g_free(loader->number_sizes);
    g_free(loader->stage);
}

static const LoaderClass loader_merge = {
    .size = sizeof(MergeLoader), .stage = snowflake_stage, .load = snowflake_load, .done = snowflake_done};
