/* Environment references in the text of pipeline files. */
#ifndef CORE_YAML_ENV_H
#define CORE_YAML_ENV_H

#include "diagnostics.h"

/* Replaces ${NAME}, ${NAME:-default} and $${ in `text`. *total adds up what a document has become by it, which has a
 * bound as the file itself has. Problems go to diagnostics at the place of `value`; then NULL. */
char *env_replace(const SfValue *value, const char *text, gsize *total, Diagnostics *diagnostics);

#endif
