/* The parts of a connection string, "Driver=…;Database=…" or "DSN=…". */
#ifndef KIT_ODBC_KEYWORD_H
#define KIT_ODBC_KEYWORD_H

#include <glib.h>
#include <stdbool.h>

typedef struct OdbcKeyword {
    const char *name;
    gsize name_size;
    const char *value; /* as written, braces included */
    gsize value_size;
} OdbcKeyword;

/* The next `name=value` at *cursor, which moves behind it; false at the end. */
bool odbc_next_keyword(const char **cursor, OdbcKeyword *out);
/* Ignoring case. */
bool odbc_keyword_is(const OdbcKeyword *keyword, const char *name);
/* A value without the braces around it, and }} as }. */
char *odbc_unbraced(const char *value);

/* A keyword's value, ignoring case, without braces; NULL when it is not there. */
char *odbc_keyword(const char *connection, const char *keyword);
/* Likewise, or else the data source's that the connection string names. */
char *odbc_setting(const char *connection, const char *keyword);

#endif
