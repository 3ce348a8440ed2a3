/* Places in the text of a YAML file, for errors that libyaml gives no mark for. */
#ifndef CORE_YAML_TEXT_H
#define CORE_YAML_TEXT_H

#include <glib.h>
#include <stdbool.h>

/* Line and column (0-based, characters) of a byte offset. */
void text_mark(const char *text, gsize size, gsize offset, size_t *line, size_t *column);

/* False with a 1-based place and the problem when the bytes are no UTF-8. */
bool text_is_utf8(const char *text, gsize size, int *line, int *column, char **problem);

/* A pair of UTF-16 surrogates that was one escape, as JSON writes what is beyond U+FFFF. */
typedef struct JoinedEscape {
    size_t line; /* 0-based, behind it in the text that has it joined */
    size_t column;
} JoinedEscape;

enum { JOINED_CHARACTERS = 2 }; /* so many fewer are there now */

/* Where a quoted scalar was refused at that place for an escape that is half of a pair: the text with the pairs of the
 * rest of that scalar joined, each added to `joined`; else NULL. */
GString *text_join_escapes(const char *text, gsize size, size_t line, size_t column, GArray *joined);

/* "; …" that says what helps against a syntax error at that place (0-based), or "". */
const char *text_hint(const char *text, gsize size, size_t line, size_t column, const char *problem);

#endif
