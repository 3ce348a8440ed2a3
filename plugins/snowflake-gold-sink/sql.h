/* SQL text that the dialects share. Appends to a string; no I/O. */
#ifndef GOLD_SQL_H
#define GOLD_SQL_H

#include "dialect.h"

/* Where a table is, and what is known of it there. */
typedef struct Place {
    const Dialect *dialect;
    const char *schema; /* NULL: the connection's own */
    const Model *model;
    const Target *target;
    /* Columns that this step wrote once and writes no longer: null in rows that it rewrites. NULL: none. */
    const GPtrArray *stale;
    /* One a column: the characters that it has room for, or -1. NULL: none has a limit. */
    const int *limits;
    bool ruled; /* tables may have rules of their own about conflicts, see Dialect.ruled_insert */
} Place;

void sql_name(const Dialect *dialect, const char *name, GString *sql);
void sql_table(const Dialect *dialect, const char *schema, const char *table, GString *sql);
void sql_string(const Dialect *dialect, const char *text, GString *sql);
/* The name as the database stores it. */
char *sql_folded(const Dialect *dialect, const char *name);
/* SF_CONFIG for a name that the database would cut off, or mistake for another one. */
SfStatus sql_check_name(const Dialect *dialect, const char *name, SfError *err);

void sql_create_table(const Place *place, GString *sql);
void sql_unique_index(const Place *place, GString *sql);
void sql_add_column(const Place *place, const Column *column, GString *sql);

/* Dialect.add_to_ledger, for most. */
void sql_add_to_ledger(const char *ledger, const char *rows, GString *sql);

/* "a", "b", …; each after `prefix` ("t."). */
void sql_columns(const Place *place, const char *prefix, GString *sql);

/* "a" = s."a" AND … over the key. */
void sql_same_key(const Place *place, const char *one, const char *other, GString *sql);

/* Whether the row `one` beats the row `other`: latest_by in order, where null loses. Of equal ones the one that comes
 * is the better: it is the same event, decoded again, perhaps with more columns. */
void sql_newer(const Place *place, const char *one, const char *other, GString *sql);

/* "a" = s."a", … over all columns that are not of the key, "b" = NULL over the stale ones; false for none. */
bool sql_assignments(const Place *place, const char *from, GString *sql);

/* Where the table of deleted keys is of a table that has one. */
Place sql_deleted(const Place *place);

/* FROM rows LEFT JOIN the deleted keys AS d … WHERE: the rows that no delete is newer than. `rows`: what is r. */
void sql_not_deleted(const Place *place, const char *rows, GString *sql);

/* INSERT INTO t AS t (…) <rows> ON CONFLICT (key) DO UPDATE SET … WHERE newer; without the rows that are deleted. */
void sql_upsert(const Place *place, const char *rows, GString *sql);

/* Looks `rows` up, all of different keys, and tells how many of each topic's partition there are of each verdict, as
 * rows (verdict, topic, partition, number, first offset, last one):
 *   same     the table has it
 *   changed  the table has its event, with other values
 *   missing  the table has no row of its key, and it is not deleted
 *   older    the table has an older row of its key
 *   beaten   the table has a newer row of its key, or the key is deleted by a newer one
 * Where `erase` has a target, `rows` delete from it, and have the columns of its table of deleted keys:
 *   kept     the table has the row that they should have deleted
 *   beaten   it does not, or a newer one */
void sql_check(const Place *place, const Place *erase, const char *rows, GString *sql);

/* DELETE FROM t the keys of `rows`, unless they are newer. Rows have the columns of the table of deleted keys. */
void sql_erase(const Place *place, const char *rows, GString *sql);

#endif
