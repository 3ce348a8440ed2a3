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
#include "private.h"

/* What is wrong with a file, in the order of the file: "sales.yaml:14:9: …" lines. */
typedef struct Diagnostics {
    GPtrArray *messages; /* char * */
    GPtrArray *warnings; /* char *, likewise: what works and should be changed */
    guint n_errors;      /* more than there are messages where those would be too many */
    char *context;       /* NULL, or what diagnostics_add() puts before each message: "step 'events'" */
} Diagnostics;

SF_PRIVATE Diagnostics *diagnostics_new(void);
SF_PRIVATE void diagnostics_free(Diagnostics *diagnostics);
/* value may be NULL (no place). */
void diagnostics_add(Diagnostics *diagnostics, const SfValue *value, const char *format, ...) SF_PRINTF(3, 4);
void diagnostics_add_text(Diagnostics *diagnostics, const char *message); /* has its place already */
/* Drops the errors behind the first n. */
void diagnostics_forget(Diagnostics *diagnostics, guint n_errors);
/* Messages in the order of the file; stable. */
SF_PRIVATE void diagnostics_sort(Diagnostics *diagnostics);
bool diagnostics_any(const Diagnostics *diagnostics); /* errors, that is; warnings do not count */
void diagnostics_warn(Diagnostics *diagnostics, const SfValue *value, const char *format, ...) SF_PRINTF(3, 4);
void diagnostics_context(Diagnostics *diagnostics, const char *context);

/* "sales.yaml:14:9: text" → its parts; returns the text. Without a place, file is NULL and the numbers are 0. */
const char *diagnostic_split(const char *message, char **file, int *line, int *column);

typedef struct Document Document; /* owns the tree */

/* NULL when there was any syntax error; the tree may still be there with other errors in diagnostics. `name` is what
 * messages call the file. */
Document *yaml_load_file(const char *path, Diagnostics *diagnostics);
SF_PRIVATE Document *yaml_load_text(const char *text, gsize size, const char *name, Diagnostics *diagnostics);
SF_PRIVATE const SfValue *document_root(const Document *document);
SF_PRIVATE void document_free(Document *document);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Diagnostics, diagnostics_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Document, document_free)

#endif
