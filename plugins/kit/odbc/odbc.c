/* Connections and statements of an ODBC driver manager. Knows no database and no SQL text. */
#include "odbc.h"

#include "diag.h"

#include <string.h>

#define TEXT_STEP 512

Odbc *odbc_new(const OdbcLogin *login)
{
    Odbc *odbc = g_new0(Odbc, 1);
    odbc->connection = odbc_login_string(login);
    odbc->label = odbc_login_label(odbc->connection);
    odbc->timeout_ms = login->timeout_ms;
    odbc->read_only = login->read_only;
    odbc->profiles = login->profiles;
    g_mutex_init(&odbc->lock);
    return odbc;
}

void odbc_free(Odbc *odbc)
{
    if (!odbc)
        return;
    odbc_close(odbc);
    g_mutex_clear(&odbc->lock);
    g_free(odbc->label);
    g_free(odbc->connection);
    g_free(odbc);
}

static SfStatus connect_handle(Odbc *odbc, SfError *err)
{
    SQLINTEGER seconds = (SQLINTEGER) CLAMP((odbc->timeout_ms + 999) / 1000, 1, 3600);
    SQLSetConnectAttr(odbc->handle, SQL_ATTR_LOGIN_TIMEOUT, GINT_TO_POINTER(seconds), 0);
    SQLCHAR full[1024];
    SQLSMALLINT size = 0;
    SQLRETURN done = SQLDriverConnect(odbc->handle, NULL, (SQLCHAR *) odbc->connection, SQL_NTS, full, sizeof full,
                                      &size, SQL_DRIVER_NOPROMPT);
    if (!SQL_SUCCEEDED(done)) {
        SfStatus status = odbc_fail(odbc, SQL_HANDLE_DBC, odbc->handle, err);
        g_autoptr(GString) text = g_string_new(err->message); /* drivers quote what they do not understand */
        odbc_hide_values(odbc->connection, text);
        status = sf_fail(err, status, "%s", text->str);
        /* a log-in fails for what a person mends outside of the pipeline, or for a driver that is not there */
        return odbc_explain_login(odbc->profile, odbc->connection, odbc->state, odbc->native,
                                  status == SF_CONFIG ? SF_CONFIG : SF_RETRY, err);
    }
    odbc->is_open = true;
    SQLSMALLINT length = 0;
    done = SQLGetInfo(odbc->handle, SQL_DBMS_NAME, odbc->product, sizeof odbc->product, &length);
    if (!SQL_SUCCEEDED(done))
        return odbc_fail(odbc, SQL_HANDLE_DBC, odbc->handle, err);
    odbc->profile = odbc_profile_by_product(odbc->profiles, odbc->product);
    return SF_OK;
}

SfStatus odbc_open(Odbc *odbc, SfError *err)
{
    odbc_close(odbc);
    odbc->profile = odbc_profile_by_driver(odbc->profiles, odbc->connection);
    if (odbc->profile && odbc->profile->before_login && !odbc->read_only)
        SF_TRY(odbc->profile->before_login(odbc->connection, err));
    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &odbc->environment)))
        return sf_fail(err, SF_RETRY, "ODBC has no memory for an environment");
    SQLSetEnvAttr(odbc->environment, SQL_ATTR_ODBC_VERSION, GINT_TO_POINTER(SQL_OV_ODBC3), 0);
    SfStatus status = SF_OK;
    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_DBC, odbc->environment, &odbc->handle)))
        status = odbc_fail(odbc, SQL_HANDLE_ENV, odbc->environment, err);
    else
        status = connect_handle(odbc, err);
    if (status != SF_OK)
        odbc_close(odbc);
    return status;
}

void odbc_close(Odbc *odbc)
{
    if (odbc->is_open) {
        /* a transaction under way would make SQLDisconnect fail (25000) */
        SQLEndTran(SQL_HANDLE_DBC, odbc->handle, SQL_ROLLBACK);
        SQLDisconnect(odbc->handle);
    }
    if (odbc->handle)
        SQLFreeHandle(SQL_HANDLE_DBC, odbc->handle);
    if (odbc->environment)
        SQLFreeHandle(SQL_HANDLE_ENV, odbc->environment);
    odbc->handle = odbc->environment = NULL;
    odbc->is_open = false;
    odbc->product[0] = '\0';
}

bool odbc_is_open(const Odbc *odbc)
{
    return odbc->is_open;
}

const char *odbc_product(const Odbc *odbc)
{
    return odbc->product;
}

const OdbcProfile *odbc_profile(const Odbc *odbc)
{
    return odbc->profile;
}

const char *odbc_label(const Odbc *odbc)
{
    return odbc->label;
}

bool odbc_was_forbidden(const Odbc *odbc)
{
    return strcmp(odbc->state, "42501") == 0;
}

/* ISO/IEC 9075, "SQLSTATE class values": feature not supported, data (a type's length), syntax or access rule. */
bool odbc_was_refused(const Odbc *odbc)
{
    bool undecided = odbc->status == SF_FATAL || odbc->status == SF_REJECT;
    if (undecided && odbc->profile && odbc->profile->refusal == odbc->native && odbc->native != 0)
        return true;
    return undecided && (g_str_has_prefix(odbc->state, "0A") || g_str_has_prefix(odbc->state, "22") ||
                         g_str_has_prefix(odbc->state, "42"));
}

/* ---- one running call at a time, which odbc_interrupt() may cancel ---- */

void odbc_interrupt(Odbc *odbc)
{
    g_mutex_lock(&odbc->lock);
    odbc->interrupted = true;
    if (odbc->running)
        SQLCancel(odbc->running);
    g_mutex_unlock(&odbc->lock);
}

static SfStatus fail_interrupted(Odbc *odbc, SfError *err)
{
    g_strlcpy(odbc->state, "HY008", sizeof odbc->state);
    odbc->native = 0;
    odbc->status = SF_RETRY;
    return sf_fail(err, SF_RETRY, "interrupted");
}

static SfStatus begin_call(Odbc *odbc, SQLHSTMT handle, SfError *err)
{
    g_mutex_lock(&odbc->lock);
    bool interrupted = odbc->interrupted;
    odbc->interrupted = false;
    odbc->running = interrupted ? NULL : handle;
    g_mutex_unlock(&odbc->lock);
    return interrupted ? fail_interrupted(odbc, err) : SF_OK;
}

/* Tells whether the call failed because it was interrupted; an interrupt that came too late is for the next call. */
static bool end_call(Odbc *odbc, bool failed)
{
    g_mutex_lock(&odbc->lock);
    bool interrupted = failed && odbc->interrupted;
    if (interrupted)
        odbc->interrupted = false;
    odbc->running = NULL;
    g_mutex_unlock(&odbc->lock);
    return interrupted;
}

static SfStatus end_odbc_transaction(Odbc *odbc, SQLSMALLINT how, SfError *err)
{
    if (SQL_SUCCEEDED(SQLEndTran(SQL_HANDLE_DBC, odbc->handle, how)))
        return SF_OK;
    return odbc_fail(odbc, SQL_HANDLE_DBC, odbc->handle, err);
}

SfStatus odbc_commit(Odbc *odbc, SfError *err)
{
    return end_odbc_transaction(odbc, SQL_COMMIT, err);
}

SfStatus odbc_rollback(Odbc *odbc, SfError *err)
{
    return end_odbc_transaction(odbc, SQL_ROLLBACK, err);
}

SfStatus odbc_autocommit(Odbc *odbc, bool on, SfError *err)
{
    gpointer value = GINT_TO_POINTER(on ? SQL_AUTOCOMMIT_ON : SQL_AUTOCOMMIT_OFF);
    if (SQL_SUCCEEDED(SQLSetConnectAttr(odbc->handle, SQL_ATTR_AUTOCOMMIT, value, SQL_IS_UINTEGER)))
        return SF_OK;
    return odbc_fail(odbc, SQL_HANDLE_DBC, odbc->handle, err);
}

/* ---- statements ---- */

static OdbcStatement *statement_new(Odbc *odbc, SfError *err)
{
    SQLHSTMT handle = NULL;
    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, odbc->handle, &handle))) {
        odbc_fail(odbc, SQL_HANDLE_DBC, odbc->handle, err);
        return NULL;
    }
    OdbcStatement *statement = g_new0(OdbcStatement, 1);
    statement->odbc = odbc;
    statement->handle = handle;
    return statement;
}

void odbc_statement_free(OdbcStatement *statement)
{
    if (!statement)
        return;
    SQLFreeHandle(SQL_HANDLE_STMT, statement->handle);
    if (statement->text)
        g_string_free(statement->text, TRUE);
    g_free(statement);
}

static SfStatus statement_fail(OdbcStatement *statement, SfError *err)
{
    return odbc_fail(statement->odbc, SQL_HANDLE_STMT, statement->handle, err);
}

/* An interrupt that comes between a call's end and this one takes its result away. */
static SfStatus count_changed(OdbcStatement *statement, int64_t *rows, SfError *err)
{
    SQLLEN count = 0;
    if (SQL_SUCCEEDED(SQLRowCount(statement->handle, &count))) {
        *rows = count;
        return SF_OK;
    }
    SfStatus status = statement_fail(statement, err);
    return end_call(statement->odbc, true) ? fail_interrupted(statement->odbc, err) : status;
}

/* Diagnostics first: SQLRowCount replaces them. SQL_NO_DATA is how ODBC 3 says "no row changed". */
static SfStatus finish_call(OdbcStatement *statement, SQLRETURN done, int64_t *rows, SfError *err)
{
    SfStatus status = SQL_SUCCEEDED(done) || done == SQL_NO_DATA ? SF_OK : statement_fail(statement, err);
    bool interrupted = end_call(statement->odbc, status != SF_OK);
    if (status != SF_OK)
        return interrupted ? fail_interrupted(statement->odbc, err) : status;
    if (rows)
        *rows = 0;
    return rows && done != SQL_NO_DATA ? count_changed(statement, rows, err) : SF_OK;
}

static SfStatus run_statement(OdbcStatement *statement, const char *sql, int64_t *rows, SfError *err)
{
    SF_TRY(begin_call(statement->odbc, statement->handle, err));
    return finish_call(statement, SQLExecDirect(statement->handle, (SQLCHAR *) sql, SQL_NTS), rows, err);
}

SfStatus odbc_exec(Odbc *odbc, const char *sql, int64_t *rows, SfError *err)
{
    g_autoptr(OdbcStatement) statement = statement_new(odbc, err);
    return statement ? run_statement(statement, sql, rows, err) : SF_RETRY;
}

SfStatus odbc_query(Odbc *odbc, const char *sql, OdbcStatement **out, SfError *err)
{
    g_autoptr(OdbcStatement) statement = statement_new(odbc, err);
    if (!statement)
        return SF_RETRY;
    SF_TRY(run_statement(statement, sql, NULL, err));
    *out = g_steal_pointer(&statement);
    return SF_OK;
}

SfStatus odbc_prepare(Odbc *odbc, const char *sql, OdbcStatement **out, SfError *err)
{
    g_autoptr(OdbcStatement) statement = statement_new(odbc, err);
    if (!statement)
        return SF_RETRY;
    SF_TRY(begin_call(odbc, statement->handle, err));
    SF_TRY(finish_call(statement, SQLPrepare(statement->handle, (SQLCHAR *) sql, SQL_NTS), NULL, err));
    *out = g_steal_pointer(&statement);
    return SF_OK;
}

SfStatus odbc_bind(OdbcStatement *statement, guint number, OdbcType type, const void *cells, gsize width,
                   const int64_t *sizes, SfError *err)
{
    static const struct {
        SQLSMALLINT c, sql;
    } types[] = {
        [ODBC_TEXT] = {SQL_C_CHAR, SQL_VARCHAR},      [ODBC_LONG_TEXT] = {SQL_C_CHAR, SQL_LONGVARCHAR},
        [ODBC_BYTES] = {SQL_C_BINARY, SQL_VARBINARY}, [ODBC_INT64] = {SQL_C_SBIGINT, SQL_BIGINT},
        [ODBC_DOUBLE] = {SQL_C_DOUBLE, SQL_DOUBLE},
    };
    G_STATIC_ASSERT(sizeof(SQLLEN) == sizeof(int64_t) && SQL_NULL_DATA == ODBC_NULL && SQL_NTS == ODBC_TERMINATED);
    SQLRETURN done =
        SQLBindParameter(statement->handle, (SQLUSMALLINT) (number + 1), SQL_PARAM_INPUT, types[type].c,
                         types[type].sql, MAX(width, 1), 0, (SQLPOINTER) cells, (SQLLEN) width, (SQLLEN *) sizes);
    return SQL_SUCCEEDED(done) ? SF_OK : statement_fail(statement, err);
}

SfStatus odbc_array(OdbcStatement *statement, gsize rows, SfError *err)
{
    if (SQL_SUCCEEDED(SQLSetStmtAttr(statement->handle, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER) rows, SQL_IS_UINTEGER)))
        return SF_OK;
    return statement_fail(statement, err);
}

SfStatus odbc_execute(OdbcStatement *statement, int64_t *rows, SfError *err)
{
    SF_TRY(begin_call(statement->odbc, statement->handle, err));
    return finish_call(statement, SQLExecute(statement->handle), rows, err);
}

void odbc_forget_rows(OdbcStatement *statement)
{
    SQLFreeStmt(statement->handle, SQL_CLOSE);
}

/* SQLCancel may take the result away: its end is then not that of the rows, and the row that came cannot be read. So an
 * interrupted fetch has failed, whatever the driver says of it. */
SfStatus odbc_fetch(OdbcStatement *statement, SfError *err)
{
    SF_TRY(begin_call(statement->odbc, statement->handle, err));
    SQLRETURN done = SQLFetch(statement->handle);
    SfStatus status = SF_OK;
    if (!SQL_SUCCEEDED(done))
        status = done == SQL_NO_DATA ? SF_EMPTY : statement_fail(statement, err);
    return end_call(statement->odbc, true) ? fail_interrupted(statement->odbc, err) : status;
}

SfStatus odbc_text(OdbcStatement *statement, guint column, const char **out, SfError *err)
{
    if (!statement->text)
        statement->text = g_string_sized_new(TEXT_STEP);
    GString *text = g_string_truncate(statement->text, 0);
    for (;;) {
        char piece[TEXT_STEP];
        SQLLEN size = 0;
        SQLRETURN done =
            SQLGetData(statement->handle, (SQLUSMALLINT) (column + 1), SQL_C_CHAR, piece, sizeof piece, &size);
        if (done == SQL_NO_DATA)
            break;
        if (!SQL_SUCCEEDED(done))
            return statement_fail(statement, err);
        if (size == SQL_NULL_DATA) {
            *out = NULL;
            return SF_OK;
        }
        g_string_append(text, piece);
        if (done == SQL_SUCCESS)
            break;
    }
    *out = text->str;
    return SF_OK;
}

SfStatus odbc_int64(OdbcStatement *statement, guint column, bool *null, int64_t *out, SfError *err)
{
    const char *text = NULL;
    SF_TRY(odbc_text(statement, column, &text, err));
    *null = text == NULL;
    if (!text)
        return SF_OK;
    gint64 value = 0;
    if (!g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &value, NULL))
        return sf_fail(err, SF_FATAL, "the database gives '%s' where a whole number is expected", text);
    *out = value;
    return SF_OK;
}
