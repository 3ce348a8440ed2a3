/* What drivers say when something fails. */
#ifndef KIT_ODBC_DIAG_H
#define KIT_ODBC_DIAG_H

#include "private.h"

/* Reads the diagnostics of a call that failed, closes nothing, fills err and tells the status. */
SfStatus odbc_fail(Odbc *odbc, SQLSMALLINT kind, SQLHANDLE handle, SfError *err);

/* SQLSTATE, the driver's own number and words → status, by the profile (NULL: none), then by the standards. */
SfStatus odbc_judge(const OdbcProfile *profile, const char *state, int native, const char *text);

#endif
