/* Option text → typed field by the plugin's table. */
#ifndef CORE_OPTIONS_H
#define CORE_OPTIONS_H

#include "registry.h"
#include "yaml.h"

typedef struct OptionArena OptionArena; /* owns strings, lists and maps of one state */

/* Checks every key of the step's map against the table (plus the runtime's own keys: source, transform, sink, from,
 * on_reject, max_rejects) and every value against its type, range and words. All errors go to diagnostics. */
SF_PRIVATE void options_check(const Plugin *plugin, const SfValue *step, Diagnostics *diagnostics);

/* Fills the state: defaults first, then the step's values; resolves secrets (file:, exec:). */
OptionArena *options_fill(const Plugin *plugin, const SfValue *step, gpointer state, SfError *err);

/* The same for `check`: secrets stay references. */
OptionArena *options_fill_unresolved(const Plugin *plugin, const SfValue *step, gpointer state, SfError *err);

/* The same for a map that is no step, with a table of the host's own: the pipeline's settings. Keys that begin with
 * own_prefix (NULL: none) are the user's and left alone. Complaints go to diagnostics; what is wrong keeps its
 * default. */
OptionArena *options_read_map(const SfOption *options, size_t n, const char *owner, const SfValue *map,
                              const char *own_prefix, gpointer out, Diagnostics *diagnostics);

/* Whether a key of a step is the runtime's own: source, transform, sink, from, on_reject, max_rejects. */
bool option_is_own(const char *key);
void option_arena_free(OptionArena *arena);

/* The typed parsers, shared with the command line. Outputs are untouched when they say false. Durations have a unit. */
bool parse_int(const char *text, gint64 *out);
bool parse_float(const char *text, double *out);
bool parse_bool(const char *text, bool *out);
bool parse_size(const char *text, gint64 *out);
bool parse_duration(const char *text, gint64 *out_ms);

#endif
