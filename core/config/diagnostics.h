/* The list of what is wrong with a file. */
#ifndef CORE_DIAGNOSTICS_H
#define CORE_DIAGNOSTICS_H

#include <glib.h>
#include <sf/value.h>
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

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Diagnostics, diagnostics_free)

#endif
