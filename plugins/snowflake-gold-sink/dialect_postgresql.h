/* PostgreSQL's. */
#ifndef GOLD_DIALECT_POSTGRESQL_H
#define GOLD_DIALECT_POSTGRESQL_H

#include "sql.h"

extern const Dialect dialect_postgresql;

#endif
