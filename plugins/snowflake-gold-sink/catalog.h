/* Tables and columns as the database has them. */
#ifndef GOLD_CATALOG_H
#define GOLD_CATALOG_H

#include "session.h"

/* A column's name for the look-up among those of the database: where case does not matter to it, in lower case. */
char *catalog_name(const Session *session, const char *name);

/* Whether any table of the database has rules of its own about conflicts. */
SfStatus catalog_has_rules(Session *session, bool *out, SfError *err);

/* Names as catalog_name() makes them → types; empty when there is no such table. `table`: as the database stores it. */
SfStatus catalog_columns(Session *session, const char *table, GHashTable *out, SfError *err);

#endif
