/* What is in a connection and a statement: for odbc.c and diag.c. */
#ifndef KIT_ODBC_PRIVATE_H
#define KIT_ODBC_PRIVATE_H

#include "login.h"

#include <sql.h>
#include <sqlext.h>

struct Odbc {
    char *connection; /* with user and password in it: never in a message */
    char *label;
    int64_t timeout_ms;
    bool read_only;
    SQLHENV environment;
    SQLHDBC handle;
    bool is_open;
    const OdbcProfile *const *profiles;
    const OdbcProfile *profile; /* by the driver's name, and once open by the product; NULL: none of them */
    char product[64];
    char state[6]; /* of the last call that failed; likewise native and status */
    int native;
    SfStatus status;
    GMutex lock; /* of the two below: odbc_interrupt() may come at any time */
    SQLHSTMT running;
    bool interrupted;
};

struct OdbcStatement {
    Odbc *odbc;
    SQLHSTMT handle;
    GString *text;
};

#endif
