/* What odbc.c, diag.c and login.c share. */
#ifndef KIT_ODBC_PRIVATE_H
#define KIT_ODBC_PRIVATE_H

#include "odbc.h"

#include <sql.h>
#include <sqlext.h>

struct Odbc {
    char *connection; /* with user and password in it: never in a message */
    char *label;
    int64_t timeout_ms;
    SQLHENV environment;
    SQLHDBC handle;
    bool is_open;
    char product[64];
    char state[6];
    GMutex lock; /* of the two below: odbc_interrupt() may come at any time */
    SQLHSTMT running;
    bool interrupted;
};

struct OdbcStatement {
    Odbc *odbc;
    SQLHSTMT handle;
    GString *text;
};

/* Reads the diagnostics of a call that failed, closes nothing, fills err and tells the status. */
SfStatus odbc_fail(Odbc *odbc, SQLSMALLINT kind, SQLHANDLE handle, SfError *err);

/* SQLSTATE, the driver's own number and the product → status. */
SfStatus odbc_judge(const char *product, const char *state, int native, const char *text);

/* After a failed connect: names what is installed and what to install where the driver is missing. */
SfStatus odbc_explain_driver(const Odbc *odbc, SfStatus status, SfError *err);

/* connection + user and password. */
char *odbc_login_string(const OdbcLogin *login);
/* What of it may be shown. */
char *odbc_login_label(const char *connection);
/* Replaces the values that may not be shown by ***, in what a driver says. */
void odbc_hide_values(const char *connection, GString *text);

#endif
