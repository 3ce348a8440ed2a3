/* SQLite's. */
#ifndef GOLD_DIALECT_SQLITE_H
#define GOLD_DIALECT_SQLITE_H

#include "sql.h"

extern const Dialect dialect_sqlite;

#endif
