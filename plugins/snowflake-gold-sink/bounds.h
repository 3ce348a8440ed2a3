/* What a database does not take of a pipeline's tables, by its profile alone: before anything connects, and again when
 * it is known which database it is. */
#ifndef GOLD_BOUNDS_H
#define GOLD_BOUNDS_H

#include "sql.h"

/* SF_CONFIG for a schema where there are none, and for names that are too long. `schema` may be NULL. */
SfStatus bounds_check_names(const Dialect *dialect, const char *schema, const char *ledger, SfError *err);

/* Likewise for the temporary tables that rows go through, which must not hide a table of the pipeline's or the
 * ledger. */
SfStatus bounds_check_stages(const Dialect *dialect, const Model *model, const char *ledger, SfError *err);

/* Likewise for a table and that of its deleted keys: their names, how many columns they have, and whether the columns
 * that decide between two rows can be compared. Names the table's place in the pipeline file. */
SfStatus bounds_check_table(const Place *place, SfError *err);

#endif
