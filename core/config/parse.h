/* Numbers, sizes and durations as people write them. */
#ifndef CORE_PARSE_H
#define CORE_PARSE_H

#include <glib.h>
#include <stdbool.h>

/* The typed parsers, of options and of the command line. Outputs are untouched when they say false; durations have a
 * unit. */
bool parse_int(const char *text, gint64 *out);
bool parse_float(const char *text, double *out);
bool parse_bool(const char *text, bool *out);
bool parse_size(const char *text, gint64 *out);
bool parse_duration(const char *text, gint64 *out_ms);

#endif
