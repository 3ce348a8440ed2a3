/* Connection strings: what is in them, what of it may be shown, and what is wrong with them. Connects to nothing. */
#ifndef KIT_ODBC_LOGIN_H
#define KIT_ODBC_LOGIN_H

#include <glib.h>
#include <sf/sf.h>

typedef struct Odbc Odbc;
typedef struct OdbcStatement OdbcStatement;

typedef struct OdbcLogin {
    const char *connection; /* "Driver=…;Database=…" or "DSN=…" */
    const char *user;       /* NULL: as in connection; likewise password */
    const char *password;
    int64_t timeout_ms; /* for the log-in */
} OdbcLogin;

/* SF_CONFIG for a connection string that no driver can mean: parts that are not name=value, no driver, a port that is
 * none, SQLite without a file. Connects to nothing; the message holds no value that may be secret. */
SfStatus odbc_check(const char *connection, SfError *err);

/* Whether the driver, by its name, is SQLite's; and what 'Database' is, if need be by the data source. */
bool odbc_is_sqlite(const char *connection);
char *odbc_database(const char *connection);

/* A keyword's value in the connection string, ignoring case, without braces; NULL when it is not there. */
char *odbc_keyword(const char *connection, const char *keyword);

/* After a failed connect: names what is installed and what to install where the driver is missing. */
SfStatus odbc_explain_driver(const char *connection, const char *state, SfStatus status, SfError *err);

/* connection + user and password. */
char *odbc_login_string(const OdbcLogin *login);
/* What of it may be shown. */
char *odbc_login_label(const char *connection);
/* Replaces the values that may not be shown by ***, in what a driver says. */
void odbc_hide_values(const char *connection, GString *text);

#endif
