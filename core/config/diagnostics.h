/* The list of what is wrong with a file. */
#ifndef CORE_DIAGNOSTICS_H
#define CORE_DIAGNOSTICS_H

#include <glib.h>
#include <sf/value.h>
#include "private.h"

/* One mistake: where it is and what it is about, each by itself. */
typedef struct Diagnostic {
    char *file; /* NULL: of no place; line and column are 0 then */
    int line;
    int column;
    char *step;   /* NULL: of none */
    char *option; /* as the user wrote it or may write it; NULL: of none */
    char *text;   /* the sentence behind the place and the step: "option 'rate': 'x' is not a number" */
    gsize lead;   /* bytes of `text` that only name the option: "option 'rate': ", "rate: "; may be 0 */
} Diagnostic;

/* What is wrong with a file, in the order of the file. */
typedef struct Diagnostics {
    GPtrArray *errors;   /* Diagnostic * */
    GPtrArray *warnings; /* Diagnostic *: what works and should be changed */
    guint n_errors;      /* more than there are in the list where those would be too many */
    char *step;          /* NULL, or the step that the next ones are about */
} Diagnostics;

SF_PRIVATE Diagnostics *diagnostics_new(void);
SF_PRIVATE void diagnostics_free(Diagnostics *diagnostics);

/* The next ones are about that step (NULL: about none). */
void diagnostics_step(Diagnostics *diagnostics, const char *step);

/* value may be NULL (no place); likewise option. A text that starts with the option's name says it by that. */
void diagnostics_add(Diagnostics *diagnostics, const SfValue *value, const char *format, ...) SF_PRINTF(3, 4);
void diagnostics_add_option(Diagnostics *diagnostics, const SfValue *value, const char *option, const char *format, ...)
    SF_PRINTF(4, 5);
void diagnostics_warn(Diagnostics *diagnostics, const SfValue *value, const char *format, ...) SF_PRINTF(3, 4);
void diagnostics_warn_option(Diagnostics *diagnostics, const SfValue *value, const char *option, const char *format,
                             ...) SF_PRINTF(4, 5);

/* Drops the errors behind the first n. */
void diagnostics_forget(Diagnostics *diagnostics, guint n_errors);
/* Into the order of the file; stable. */
SF_PRIVATE void diagnostics_sort(Diagnostics *diagnostics);
SF_PRIVATE bool diagnostics_any(const Diagnostics *diagnostics); /* errors, that is; warnings do not count */

/* "sales.yaml:14:9: step 'events': option 'rate': …", with `before` (NULL: nothing) in front of the step. */
SF_PRIVATE char *diagnostic_line(const Diagnostic *diagnostic, const char *before);
/* The same without its place. */
char *diagnostic_message(const Diagnostic *diagnostic);
/* The text without the option's name. */
SF_PRIVATE const char *diagnostic_cause(const Diagnostic *diagnostic);
/* The lines of all errors, with a line break between two. */
SF_PRIVATE char *diagnostics_text(const Diagnostics *diagnostics);

/* A place in front of a plugin's error, which is one text (sf_value_fail()): "sales.yaml:14:9: text" → its parts;
 * returns the text. Without a place, file is NULL and the numbers are 0. */
const char *diagnostic_split(const char *message, char **file, int *line, int *column);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Diagnostics, diagnostics_free)

#endif
