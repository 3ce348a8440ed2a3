/* What differs between the databases behind ODBC, as far as log-in and errors go: one constant a database, which the
 * kit's users hold. The kit itself knows the ODBC and SQL standards, and no database by name. */
#ifndef KIT_ODBC_PROFILE_H
#define KIT_ODBC_PROFILE_H

#include <glib.h>
#include <sf/sf.h>

typedef struct OdbcVerdict {
    const char *state; /* a prefix of the SQLSTATE */
    SfStatus status;
} OdbcVerdict;

typedef struct OdbcProfile {
    const char *product;        /* how SQL_DBMS_NAME begins, ignoring case */
    const char *const *drivers; /* parts of its drivers' names, in lower case; NULL-terminated */
    const char *install;        /* what to do where no driver of it is installed */
    const char *example;        /* a connection string */
    const char *defaults;       /* `name=value` that connection strings get unless they have it; NULL: none */
    const char *read_only;      /* likewise for those who only read; NULL: none */
    /* SQLSTATEs of its own, the longest prefix first, before the standard's; ends with a NULL state. NULL: none. */
    const OdbcVerdict *verdicts;
    /* Before those, by the driver's own number and words. SF_OK: undecided. NULL: always. */
    SfStatus (*judge)(const char *state, int native, const char *text);
    int refusal; /* the driver's number for SQL that is wrong, where its SQLSTATEs do not tell; 0: they do */
    /* What is wrong with a connection string, beyond what odbc_check() knows. Connects to nothing. NULL: nothing. */
    SfStatus (*check)(const char *connection, SfError *err);
    /* Before each log-in that is not for reading only. NULL: nothing to do. */
    SfStatus (*before_login)(const char *connection, SfError *err);
    /* Why a log-in failed with this number, where the driver has no words for it. NULL: never needed, or not known. */
    const char *(*login_hint)(int native);
} OdbcProfile;

/* Of a NULL-terminated list, or NULL where it is none of them: by the name of the driver in the connection string or in
 * the data source that it names, and by what a driver calls its database. */
const OdbcProfile *odbc_profile_by_driver(const OdbcProfile *const *profiles, const char *connection);
const OdbcProfile *odbc_profile_by_product(const OdbcProfile *const *profiles, const char *product);

#endif
