/* Option text → typed field by the plugin's table. */
#ifndef CORE_OPTIONS_H
#define CORE_OPTIONS_H

#include "registry.h"
#include "yaml.h"

typedef struct OptionArena OptionArena; /* owns strings, lists and maps of one state */

/* Checks every key of the step's map against the table (plus the runtime's own keys: source, transform, sink, from, on_reject) and every
 * value against its type, range and words. All errors go to diagnostics. */
void options_check(const Plugin *plugin, const SfValue *step, Diagnostics *diagnostics);

/* Fills the state: defaults first, then the step's values; resolves secrets (file:, exec:). */
OptionArena *options_fill(const Plugin *plugin, const SfValue *step, gpointer state, SfError *err);
void option_arena_free(OptionArena *arena);

/* The typed parsers, shared with the command line. */
bool parse_int(const char *text, gint64 *out);
bool parse_float(const char *text, double *out);
bool parse_bool(const char *text, bool *out);
bool parse_size(const char *text, gint64 *out);
bool parse_duration(const char *text, gint64 *out_ms);

#endif
