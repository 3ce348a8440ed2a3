/* Facts about option rows: names, sizes, and whether a table is sound. */
#ifndef CORE_OPTION_TABLE_H
#define CORE_OPTION_TABLE_H

#include "option_name.h"

/* Bytes that the field has in the state. */
size_t option_field_size(SfOptionType type);

/* "int", "duration", …: as the reference page calls the type. */
const char *option_type_name(SfOptionType type);

/* Checks the row itself: a known type, a default within its own bounds, …. NULL when fine. */
char *option_row_problem(const SfOption *option, size_t state_size);

/* The row of that name, or NULL. */
const SfOption *option_find(const SfOption *options, size_t n, const char *name);

/* The nearest of the rows' names and of `more` (NULL-terminated) as "; did you mean '…'?", or "". */
char *option_suggest(const SfOption *options, size_t n, const char *const *more, const char *name);

/* Keys of a step that are the runtime's own (source, transform, sink, from, on_reject, max_rejects), NULL-terminated;
 * and whether one is. */
extern const char *const option_own_keys[];
bool option_is_own(const char *key);

#endif
