/* Patterns of keys, as shells have them for paths. */
#ifndef KIT_STORE_GLOB_H
#define KIT_STORE_GLOB_H

#include <glib.h>
#include <stdbool.h>

/* Whether it is a pattern: '*' and '?' within a segment of the key, '[a-z]', and '**' over segments. */
bool glob_is_pattern(const char *text);
bool glob_matches(const char *pattern, const char *key);
/* What every key that matches begins with. */
char *glob_prefix(const char *pattern);

#endif
