/* Databases through ODBC: connect, statements with bound arrays, transactions, and diagnostics as statuses.
 *
 *   SF_RETRY    away, lost, timed out, locked, serialization failure, no permission: somebody or time may mend it
 *   SF_REJECT   the data: constraint, out of range, too long; which row it is, the caller finds out
 *   SF_CONFIG   driver or data source is not installed
 *   SF_EMPTY    what the statement names is not there (table, column): a person or a redo of the DDL may mend it
 *   SF_FATAL    anything else: SQL that the database does not understand
 *
 * One connection and its statements are used by one thread at a time; odbc_interrupt() from any. Text is UTF-8. */
#ifndef KIT_ODBC_H
#define KIT_ODBC_H

#include "login.h"

/* A connection that is not open yet. */
Odbc *odbc_new(const OdbcLogin *login);
void odbc_free(Odbc *odbc);

SfStatus odbc_open(Odbc *odbc, SfError *err);
/* Drops the connection, and with it an open transaction; statements must be freed before. */
void odbc_close(Odbc *odbc);
bool odbc_is_open(const Odbc *odbc);

/* What the driver calls its database. Only while open. */
const char *odbc_product(const Odbc *odbc);
/* Its profile; NULL when odbc_new() was not given one for it. Only while open. */
const OdbcProfile *odbc_profile(const Odbc *odbc);

/* Driver, data source, server, port, database and user of the connection string, and nothing else: for messages. */
const char *odbc_label(const Odbc *odbc);

/* Makes the call that runs, or else the next one, return SF_RETRY soon. Any thread. */
void odbc_interrupt(Odbc *odbc);

/* Off: the next statement begins a transaction, which odbc_commit or odbc_rollback end. Turning it on commits. */
SfStatus odbc_autocommit(Odbc *odbc, bool on, SfError *err);
SfStatus odbc_commit(Odbc *odbc, SfError *err);
SfStatus odbc_rollback(Odbc *odbc, SfError *err);

/* Runs one statement without parameters. `rows` (may be NULL): how many it changed. */
SfStatus odbc_exec(Odbc *odbc, const char *sql, int64_t *rows, SfError *err);

/* Whether the last call that failed did so for want of a permission. */
bool odbc_was_forbidden(const Odbc *odbc);
/* … because of the statement itself: a name, a type or a clause that the database does not take. False for a database
 * that is broken or busy. */
bool odbc_was_refused(const Odbc *odbc);

/* ---- statements */

SfStatus odbc_prepare(Odbc *odbc, const char *sql, OdbcStatement **out, SfError *err);
void odbc_statement_free(OdbcStatement *statement);

typedef enum OdbcType { ODBC_TEXT, ODBC_LONG_TEXT, ODBC_BYTES, ODBC_INT64, ODBC_DOUBLE } OdbcType;

#define ODBC_NULL INT64_C(-1)       /* a cell's size when it is null */
#define ODBC_TERMINATED INT64_C(-3) /* … when it is a text that ends with NUL */

/* Parameter `number` (from 0) is read at each execution from `cells`, `width` bytes each, with the size of each cell
 * in `sizes`; both stay the caller's. One cell, or as many as odbc_array() says. */
SfStatus odbc_bind(OdbcStatement *statement, guint number, OdbcType type, const void *cells, gsize width,
                   const int64_t *sizes, SfError *err);

/* Binds arrays of so many rows from now on. Drivers disagree about what the rest of an array does after a bad row:
 * roll back. */
SfStatus odbc_array(OdbcStatement *statement, gsize rows, SfError *err);

SfStatus odbc_execute(OdbcStatement *statement, int64_t *rows, SfError *err);

/* Runs a query; its rows are then fetched: SF_OK for each, SF_EMPTY after the last. */
SfStatus odbc_query(Odbc *odbc, const char *sql, OdbcStatement **out, SfError *err);
SfStatus odbc_fetch(OdbcStatement *statement, SfError *err);
/* Before a prepared query is executed again. */
void odbc_forget_rows(OdbcStatement *statement);

/* A column (from 0) of the fetched row, in order of the columns. *out = NULL where it is null; valid until the next
 * call for the same statement. */
SfStatus odbc_text(OdbcStatement *statement, guint column, const char **out, SfError *err);
SfStatus odbc_int64(OdbcStatement *statement, guint column, bool *null, int64_t *out, SfError *err);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Odbc, odbc_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OdbcStatement, odbc_statement_free)

#endif
