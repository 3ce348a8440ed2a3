/* Snowflake's. */
#ifndef GOLD_DIALECT_SNOWFLAKE_H
#define GOLD_DIALECT_SNOWFLAKE_H

#include "sql.h"

extern const Dialect dialect_snowflake;

/* MERGE rows [first, first + n) of the temporary table `from` into the table; or, of deleted keys, out of
 * it. */
void snowflake_merge(const Place *place, const char *from, gsize first, gsize n, GString *sql);
void snowflake_erase(const Place *place, const char *from, gsize first, gsize n, GString *sql);

#endif
