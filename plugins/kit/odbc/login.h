/* Connection strings: what is in them, what of it may be shown, and what is wrong with them. Connects to nothing. */
#ifndef KIT_ODBC_LOGIN_H
#define KIT_ODBC_LOGIN_H

#include "profile.h"

typedef struct Odbc Odbc;
typedef struct OdbcStatement OdbcStatement;

typedef struct OdbcLogin {
    const char *connection; /* "Driver=…;Database=…" or "DSN=…" */
    const char *user;       /* NULL: as in connection; likewise password */
    const char *password;
    int64_t timeout_ms;                 /* for the log-in */
    bool read_only;                     /* makes no database where there is none */
    const OdbcProfile *const *profiles; /* the databases that the caller knows, NULL-terminated; NULL: none */
} OdbcLogin;

/* SF_CONFIG for a connection string that no driver can mean: parts that are not name=value, no driver, a port out of
 * range, and what the database's profile finds. Connects to nothing; the message holds no value that may be secret. */
SfStatus odbc_check(const char *connection, const OdbcProfile *const *profiles, SfError *err);

/* After a failed connect, in whose words err is: names what is installed and what to install where the driver is
 * missing. `profile`: of the connection, or NULL. */
SfStatus odbc_explain_login(const OdbcProfile *profile, const char *connection, const char *state, int native,
                            SfStatus status, SfError *err);

/* connection + user and password, and its profile's defaults. */
char *odbc_login_string(const OdbcLogin *login);
/* What of it may be shown. */
char *odbc_login_label(const char *connection);
/* Replaces the values that may not be shown by ***, in what a driver says. */
void odbc_hide_values(const char *connection, GString *text);

#endif
