/* Places in the text of a YAML file, for errors that libyaml gives no mark for. */
#ifndef CORE_YAML_TEXT_H
#define CORE_YAML_TEXT_H

#include <glib.h>
#include <stdbool.h>

/* Line and column (0-based, characters) of a byte offset. */
void text_mark(const char *text, gsize size, gsize offset, size_t *line, size_t *column);

/* False with a 1-based place and the problem when the bytes are no UTF-8. */
bool text_is_utf8(const char *text, gsize size, int *line, int *column, char **problem);

/* "; …" that says what helps against a syntax error at that place (0-based), or "". */
const char *text_hint(const char *text, gsize size, size_t line, size_t column, const char *problem);

#endif
