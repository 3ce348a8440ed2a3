/* Tables as they are in the database, brought in line with the model: created, widened by columns, or refused. */
#ifndef GOLD_SCHEMA_H
#define GOLD_SCHEMA_H

#include "session.h"

/* SF_CONFIG when the table has a column whose type would change our values in silence. */
SfStatus schema_ensure(Session *session, guint target, SfError *err);

/* CREATE TABLE; where its schema is missing, that before. */
SfStatus schema_create(Session *session, const char *create_table, SfError *err);

/* A column's name for the look-up among those of the database: where case does not matter to it, in lower case. */
char *schema_key(const Session *session, const char *name);

/* Names as schema_key() makes them → types; empty when there is no such table. `table`: as the database stores it. */
SfStatus schema_columns(Session *session, const char *table, GHashTable *out, SfError *err);

#endif
