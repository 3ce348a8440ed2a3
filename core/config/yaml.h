/* Pipeline files: libyaml's events → a tree of SfValue with file:line:column on every node; and the list of what is
 * wrong.
 *
 * Environment references ${NAME} and ${NAME:-default} are replaced in scalars (not in keys); $${ stands for ${.
 * Duplicate keys, undefined aliases, several documents, a nesting over 64 and alias bombs are errors. All errors of a
 * file are collected. A key `<<` merges maps in; an empty value, ~ and null are SF_VALUE_NULL, all other text stays
 * text until a typed option reads it. */
#ifndef CORE_YAML_H
#define CORE_YAML_H

#include <glib.h>
#include <sf/sf.h>
#include "diagnostics.h"
#include "document.h"
#include "private.h"

/* NULL when there was any syntax error; the tree may still be there with other errors in diagnostics. `name` is what
 * messages call the file. */
Document *yaml_load_file(const char *path, Diagnostics *diagnostics);
SF_PRIVATE Document *yaml_load_text(const char *text, gsize size, const char *name, Diagnostics *diagnostics);

#endif
