/* All databases that are known: a new one is a file like dialect_sqlite.c, its header, and a line here. */
#ifndef GOLD_DIALECTS_H
#define GOLD_DIALECTS_H

#include "dialect_postgresql.h"
#include "dialect_snowflake.h"
#include "dialect_sqlite.h"

/* Of each, NULL-terminated. */
extern const OdbcProfile *const dialect_profiles[];

/* By how the driver calls its product; NULL when we have no dialect for it. */
const Dialect *dialect_find(const char *product);

/* By the driver that a connection string or its data source names; NULL when that does not tell. */
const Dialect *dialect_guess(const char *connection);

/* "A, B and C". */
char *dialect_products(void);

#endif
