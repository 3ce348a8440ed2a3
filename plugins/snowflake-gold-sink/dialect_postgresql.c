/* PostgreSQL: one array literal a column, unnested by the server into INSERT … ON CONFLICT, as measured the fastest
 * way through ODBC. */
#include "dialect_postgresql.h"

#include <string.h>
#include "json/write.h"
#include "loader.h"
#include "type_words.h"
#include "value.h"

/* Before a connection there is but the name of the driver, which people may give in odbcinst.ini. */
static const char *const drivers[] = {"postgres", "psql", NULL};

/* postgresql.org/docs/15/errcodes-appendix.html */
static const OdbcVerdict verdicts[] = {
    {"25006", SF_RETRY},                       /* read only: a standby */
    {"25P0", SF_RETRY},                        /* the transaction was ended from outside */
    {"42P10", SF_CONFIG},                      /* no unique index to conflict on */
    {"42P01", SF_EMPTY},                       /* no such table */
    {"42703", SF_EMPTY},  {"3F000", SF_EMPTY}, /* no such column, no such schema */
    {"42710", SF_RETRY},  {"42P07", SF_RETRY}, /* made by another process in the same moment, IF NOT EXISTS or not */
    {"3D000", SF_RETRY},                       /* no such database */
    {"54000", SF_REJECT},                      /* a row that no index page takes */
    {"55P03", SF_RETRY},                       /* locked */
    {"53", SF_RETRY},                          /* disk, memory, connections */
    {"57", SF_RETRY},                          /* cancelled, shut down, starting up */
    {"58", SF_RETRY},                          /* the server's file system */
    {"P0", SF_REJECT},                         /* raised by a trigger */
    {"XX000", SF_RETRY},                       /* "tuple concurrently updated", "cache lookup failed" */
    {NULL, SF_FATAL},
};

/* Lack of a permission, which somebody grants, has the same state as a row that a policy does not let in, which goes on
 * being refused. Servers whose lc_messages is another language are waited for in both cases. */
static SfStatus postgresql_judge(const char *state, int native, const char *text)
{
    (void) native;
    bool policy = strcmp(state, "42501") == 0 && strstr(text, "violates row-level security policy");
    return policy ? SF_REJECT : SF_OK;
}

static const char *const type_names[] = {
    [SF_BOOL] = "boolean",          [SF_INT32] = "integer", [SF_INT64] = "bigint", [SF_FLOAT64] = "double precision",
    [SF_DECIMAL128] = "numeric",    [SF_UTF8] = "text",     [SF_BINARY] = "bytea", [SF_DATE] = "date",
    [SF_TIMESTAMP] = "timestamptz",
};

static void postgresql_type(const Source *source, GString *sql)
{
    g_string_append(sql, type_names[source->type]);
    if (source->type == SF_DECIMAL128)
        g_string_append_printf(sql, "(%d,%d)", source->precision, source->scale);
}

static bool is_one_of(const char *word, const char *const *words)
{
    return g_strv_contains(words, word);
}

/* What an assignment would round or cut in silence is refused; what it refuses aloud for a single value may stay. */
static bool postgresql_takes(const Source *source, const char *declared)
{
    static const char *const whole[] = {"smallint", "integer", "bigint", NULL};
    static const char *const texts[] = {"text", "character varying", "citext", NULL};
    static const char *const times[] = {"timestamp with time zone", "timestamp without time zone", NULL};
    TypeText is = type_text(declared);
    bool numeric = strcmp(is.words, "numeric") == 0;
    switch (source->type) {
    case SF_INT32:
    case SF_INT64:
        return numeric || is_one_of(is.words, whole);
    case SF_DECIMAL128:
        if (numeric)
            return is.first < 0 || MAX(is.second, 0) >= source->scale;
        return source->scale == 0 && is_one_of(is.words, whole);
    case SF_UTF8:
        return is_one_of(is.words, texts);
    case SF_TIMESTAMP:
        return is_one_of(is.words, times) && (is.first < 0 || is.first >= 6);
    default:
        return strcmp(is.words, type_names[source->type]) == 0;
    }
}

static int postgresql_limit(const char *declared)
{
    static const char *const names[] = {"character varying", "varchar", NULL};
    TypeText is = type_text(declared);
    return is_one_of(is.words, names) ? is.first : -1;
}

/* Of a domain, the type that it is over. */
static void postgresql_list_columns(const char *schema, const char *table, GString *sql)
{
    g_autoptr(GString) name = g_string_new(NULL);
    sql_table(&dialect_postgresql, schema, table, name);
    g_string_append(sql, "SELECT a.attname, CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) "
                         "ELSE format_type(a.atttypid, a.atttypmod) END FROM pg_attribute a JOIN pg_type t ON t.oid = "
                         "a.atttypid WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid = to_regclass(");
    sql_string(&dialect_postgresql, name->str, sql);
    g_string_append_c(sql, ')');
}

/* A row that is written while another process deletes its key would not see the delete, nor the delete the row: those
 * that delete wait for all others, who do not wait for each other (postgresql.org/docs/15/explicit-locking.html). */
static void postgresql_lock(const char *deleted, bool deletes, GString *sql)
{
    g_string_append_printf(sql, "LOCK TABLE %s IN %s MODE", deleted, deletes ? "SHARE ROW EXCLUSIVE" : "ROW EXCLUSIVE");
}

/* What we write has no zone and means UTC. A rival that hangs does not hang us for ever, nor we, frozen within a
 * transaction, the process that took over: the server ends such a session, and its locks with it. */
static const char *const session[] = {"SET TimeZone = 'UTC'",
                                      "SET DateStyle = 'ISO, YMD'",
                                      "SET client_encoding = 'UTF8'",
                                      "SET standard_conforming_strings = on",
                                      "SET client_min_messages = warning",
                                      "SET lock_timeout = '30s'",
                                      "SET idle_in_transaction_session_timeout = '20s'",
                                      NULL};

/* postgresql.org/docs/15/transaction-iso.html: all reads are of the snapshot of the first one. */
static const char *const reading[] = {"SET TimeZone = 'UTC'",
                                      "SET DateStyle = 'ISO, YMD'",
                                      "SET client_encoding = 'UTF8'",
                                      "SET standard_conforming_strings = on",
                                      "SET client_min_messages = warning",
                                      "SET lock_timeout = '30s'",
                                      "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                                      NULL};

static const LoaderClass loader_arrays;

const Dialect dialect_postgresql = {
    .odbc = {.product = "PostgreSQL",
             .drivers = drivers,
             .install = "apt install odbc-postgresql",
             .example = "Driver=PostgreSQL Unicode;Server=localhost;Database=gold",
             .verdicts = verdicts,
             .judge = postgresql_judge},
    .name_case = NAME_LOWER,
    .longest_name = 63,   /* NAMEDATALEN - 1: the rest it cuts off, with a notice */
    .most_columns = 1600, /* postgresql.org/docs/15/limits.html */
    .has_schemas = true,
    .same = "IS NOT DISTINCT FROM",
    .values = "(VALUES ",
    .end_values = ") AS x",
    .insert = "INSERT INTO ",
    .bytewise = " COLLATE \"C\"",
    .session = session,
    .reading = reading,
    .label = "SET application_name = ",
    .strict = "SET CONSTRAINTS ALL IMMEDIATE",
    .has_savepoints = true,
    .type = postgresql_type,
    .takes = postgresql_takes,
    .limit = postgresql_limit,
    .list_columns = postgresql_list_columns,
    .add_to_ledger = sql_add_to_ledger,
    .lock = postgresql_lock,
    .loader = &loader_arrays,
};

/* ---- loading ---- */

#define FIRST_ROWS 2000
#define LEAST_ROWS 500
#define MOST_ROWS 20000
#define MOST_BYTES ((gsize) 8 << 20) /* of text and binary values in a statement */
#define AIM_US 100000                /* a statement this long: an interrupt is prompt, a round trip does not matter */

typedef struct ArraysLoader {
    Loader base;
    OdbcStatement *statement;
    OdbcStatement *eraser; /* NULL where nothing is deleted */
    GString **literals;    /* one a column */
    int64_t *sizes;
    gsize rows; /* in a statement, tuned */
} ArraysLoader;

static void append_quoted_element(GString *out, const char *data, gsize size)
{
    gsize start = out->len;
    g_string_set_size(out, start + 2 * size + 2);
    char *p = out->str + start;
    *p++ = '"';
    for (gsize i = 0; i < size; i++) {
        if (G_UNLIKELY(data[i] == '"' || data[i] == '\\'))
            *p++ = '\\';
        *p++ = data[i];
    }
    *p++ = '"';
    g_string_truncate(out, (gsize) (p - out->str));
}

/* A text that is too long is refused aloud, unless all that is too much are blanks: those are cut off in silence
 * (postgresql.org/docs/15/datatype-character.html). */
static SfStatus check_blanks(const SfColumn *view, SfBytes bytes, int limit, SfError *err)
{
    if (limit < 0 || bytes.size <= limit || bytes.data[bytes.size - 1] != ' ')
        return SF_OK;
    int64_t characters = 0;
    for (int64_t i = 0; i < bytes.size; i++)
        characters += ((guchar) bytes.data[i] & 0xC0) != 0x80;
    if (characters <= limit)
        return SF_OK;
    return sf_fail(err, SF_REJECT, "%s: value too long for type character varying(%d), with its blanks",
                   view->schema->name, limit);
}

/* postgresql.org/docs/15/arrays.html, "Array Input and Output Syntax". */
static SfStatus append_element(GString *out, const SfColumn *view, int64_t row, int limit, SfError *err)
{
    switch (view->type) {
    case SF_UTF8: {
        SfBytes bytes = sf_bytes(view, row);
        SF_TRY(value_check_text(view, bytes, err));
        SF_TRY(check_blanks(view, bytes, limit, err));
        append_quoted_element(out, bytes.data, (gsize) bytes.size);
        return SF_OK;
    }
    case SF_BINARY:
        g_string_append(out, "\"\\\\x");
        value_hex(out, sf_bytes(view, row));
        g_string_append_c(out, '"');
        return SF_OK;
    case SF_DATE:
        SF_TRY(value_check_time(view, row, err));
        json_write_date(out, sf_i32(view, row));
        return SF_OK;
    case SF_TIMESTAMP:
        SF_TRY(value_check_time(view, row, err));
        json_write_timestamp(out, sf_i64(view, row));
        return SF_OK;
    default:
        return value_text(out, view, row, err);
    }
}

static SfStatus fill_literal(ArraysLoader *loader, guint number, const RowRef *rows, gsize n, SfError *err)
{
    const Loader *base = &loader->base;
    guint source = target_column(base->place.target, number)->source;
    GString *out = g_string_assign(loader->literals[number], "{");
    int limit = base->place.limits ? base->place.limits[number] : -1;
    for (gsize i = 0; i < n; i++) {
        const SfColumn *view = pending_view(base->pending, rows[i], source);
        if (i > 0)
            g_string_append_c(out, ',');
        if (sf_is_null(view, rows[i].row))
            g_string_append_len(out, "NULL", 4);
        else
            SF_TRY(append_element(out, view, rows[i].row, limit, err));
    }
    g_string_append_c(out, '}');
    loader->sizes[number] = (int64_t) out->len;
    SF_TRY(odbc_bind(loader->statement, number, ODBC_LONG_TEXT, out->str, out->len, &loader->sizes[number], err));
    if (!loader->eraser)
        return SF_OK;
    return odbc_bind(loader->eraser, number, ODBC_LONG_TEXT, out->str, out->len, &loader->sizes[number], err);
}

/* A text goes into a column of another kind (uuid, jsonb) by an explicit cast only, which would cut it for these. */
static bool needs_cast(const Place *place, const Column *column)
{
    static const char *const texts[] = {"text", "varchar", "character varying", "char", "character", "bpchar", NULL};
    return column->override && column_source(place->model, column)->type == SF_UTF8 &&
           !is_one_of(type_text(column->override).words, texts);
}

static SfStatus postgresql_prepare(ArraysLoader *loader, SfError *err)
{
    const Place *place = &loader->base.place;
    guint n = place->target->columns->len;
    g_autoptr(GString) rows = g_string_new("SELECT "), from = g_string_new(NULL), names = g_string_new(NULL);
    for (guint i = 0; i < n; i++) {
        const Column *column = target_column(place->target, i);
        const char *comma = i > 0 ? ", " : "";
        g_string_append_printf(rows, "%sc%u", comma, i);
        if (needs_cast(place, column))
            g_string_append_printf(rows, "::%s", column->override);
        g_string_append_printf(from, "%s?::%s[]", comma, type_names[column_source(place->model, column)->type]);
        g_string_append_printf(names, "%sc%u", comma, i);
    }
    g_string_append_printf(rows, " FROM unnest(%s) AS u(%s)", from->str, names->str);
    g_autoptr(GString) sql = g_string_new(NULL);
    loader_statement(&loader->base, rows->str, sql);
    SF_TRY(odbc_prepare(loader->base.odbc, sql->str, &loader->statement, err));
    if (loader->base.erase.target && !loader->base.listener) {
        sql_erase(&loader->base.erase, rows->str, g_string_truncate(sql, 0));
        SF_TRY(odbc_prepare(loader->base.odbc, sql->str, &loader->eraser, err));
    }
    loader->literals = g_new0(GString *, n);
    for (guint i = 0; i < n; i++)
        loader->literals[i] = g_string_sized_new(1 << 16);
    loader->sizes = g_new0(int64_t, n);
    loader->rows = FIRST_ROWS;
    return SF_OK;
}

/* So many rows have no more than MOST_BYTES in their texts. */
static gsize rows_that_fit(const ArraysLoader *loader, const RowRef *rows, gsize n)
{
    const Target *target = loader->base.place.target;
    gsize bytes = 0, fit = 0;
    for (; fit < n && bytes <= MOST_BYTES; fit++)
        for (guint i = 0; i < target->columns->len; i++) {
            const SfColumn *view = pending_view(loader->base.pending, rows[fit], target_column(target, i)->source);
            if (view->type == SF_UTF8 || view->type == SF_BINARY)
                bytes += sf_is_null(view, rows[fit].row) ? 0 : (gsize) sf_bytes(view, rows[fit].row).size;
        }
    return bytes > MOST_BYTES && fit > 1 ? fit - 1 : fit;
}

static void tune_rows(ArraysLoader *loader, gsize rows, gint64 took_us)
{
    if (rows < loader->rows)
        return; /* the rest of a commit tells nothing */
    if (took_us < AIM_US / 2)
        loader->rows = MIN(loader->rows * 2, MOST_ROWS);
    else if (took_us > AIM_US * 2)
        loader->rows = MAX(loader->rows / 2, LEAST_ROWS);
}

static SfStatus postgresql_load(Loader *base, const RowRef *rows, gsize first, gsize n, SfError *err)
{
    ArraysLoader *loader = (ArraysLoader *) base;
    if (!loader->statement)
        SF_TRY(postgresql_prepare(loader, err));
    while (n > 0) {
        gsize lot = rows_that_fit(loader, rows + first, MIN(n, loader->rows));
        for (guint i = 0; i < base->place.target->columns->len; i++)
            SF_TRY(fill_literal(loader, i, rows + first, lot, err));
        gint64 begun = g_get_monotonic_time();
        SF_TRY(loader_execute(base, loader->statement, err));
        if (loader->eraser)
            SF_TRY(odbc_execute(loader->eraser, NULL, err));
        tune_rows(loader, lot, g_get_monotonic_time() - begun);
        first += lot;
        n -= lot;
    }
    return SF_OK;
}

static void postgresql_done(Loader *base)
{
    ArraysLoader *loader = (ArraysLoader *) base;
    odbc_statement_free(loader->statement);
    odbc_statement_free(loader->eraser);
    for (guint i = 0; loader->literals && i < base->place.target->columns->len; i++)
        g_string_free(loader->literals[i], TRUE);
    g_free(loader->literals);
    g_free(loader->sizes);
}

static const LoaderClass loader_arrays = {
    .size = sizeof(ArraysLoader), .load = postgresql_load, .done = postgresql_done};
