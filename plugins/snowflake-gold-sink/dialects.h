/* All databases that are known: a new one is a file like dialect_sqlite.c, its header, and a line here. */
#ifndef GOLD_DIALECTS_H
#define GOLD_DIALECTS_H

#include "dialect_postgresql.h"
#include "dialect_snowflake.h"
#include "dialect_sqlite.h"

/* By how the driver calls its product; NULL when it is none of ours. */
const Dialect *dialect_find(const char *product);

#endif
