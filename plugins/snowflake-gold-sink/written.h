/* The record of the columns that a step has written: sf_ledger_columns(pipeline, step, table_name, column_name), beside
 * the ledger and named after it. A column of it that the pipeline declares no longer would keep an older event's value
 * in a newer row; columns that others made in our tables are theirs, and are left alone. */
#ifndef GOLD_WRITTEN_H
#define GOLD_WRITTEN_H

#include "session.h"

/* Reads it into session->written, which is NULL when there is none. */
SfStatus written_read(Session *session, SfError *err);

/* Columns of the table in the database (`there`: their names as catalog_name() makes them) that only older rows have a
 * value in: what the step wrote once, and provenance. Warns of them by name. NULL: none. */
GPtrArray *written_stale(Session *session, const Target *target, GHashTable *there);

/* Who has written columns of our tables: "<pipeline>\n<step>", ours as well. Nobody where there is no record. */
SfStatus written_writers(Session *session, GHashTable *out, SfError *err);

/* Adds the tables' columns that are not in it; creates it if absent, unless that is not allowed: then there is none. */
SfStatus written_add(Session *session, SfError *err);

#endif
