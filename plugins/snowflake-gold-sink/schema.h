/* Tables as they are in the database, brought in line with the model: created, widened by columns, or refused. */
#ifndef GOLD_SCHEMA_H
#define GOLD_SCHEMA_H

#include "session.h"

/* SF_CONFIG when the table has a column whose type would change our values in silence. */
SfStatus schema_ensure(Session *session, guint target, SfError *err);

/* CREATE TABLE; where its schema is missing, that before. */
SfStatus schema_create(Session *session, const char *create_table, SfError *err);

#endif
