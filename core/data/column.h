/* Finding columns, shared by views and by checks before the first row. */
#ifndef CORE_COLUMN_H
#define CORE_COLUMN_H

#include <sf/column.h>

/* Number of the column of that name and type; SF_CONFIG says what is wrong. */
SfStatus column_require(const struct ArrowSchema *schema, const char *name, SfType type, int64_t *number, SfError *err);

#endif
