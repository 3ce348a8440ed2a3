/* Tables as they are in the database, brought in line with the model: created, widened by columns, or refused. */
#ifndef GOLD_SCHEMA_H
#define GOLD_SCHEMA_H

#include "session.h"

/* `columns`: gets those that were there before, as catalog_columns() has them. SF_CONFIG when the table has one whose
 * type would change our values in silence. */
SfStatus schema_ensure(Session *session, const Place *place, GHashTable *columns, SfError *err);

/* What the columns have room for, as they are in the database or have just been made: one a column of the target. */
int *schema_limits(const Session *session, const Target *target, GHashTable *columns);

/* CREATE TABLE; where its schema is missing, that before. */
SfStatus schema_create(Session *session, const char *create_table, SfError *err);

#endif
