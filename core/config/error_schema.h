/* The schema of a step's errors output. */
#ifndef CORE_ERROR_SCHEMA_H
#define CORE_ERROR_SCHEMA_H

#include <sf/sf.h>

#define ERROR_STEP_COLUMN "_step"
#define ERROR_CAUSE_COLUMN "_error"

/* The input's columns, then _step and _error (utf8, not null); the input's own columns of these names are left out. */
SfStatus error_schema_make(const struct ArrowSchema *input, struct ArrowSchema *out, SfError *err);

#endif
