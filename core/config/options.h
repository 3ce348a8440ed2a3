/* Option text → typed field by the plugin's table. */
#ifndef CORE_OPTIONS_H
#define CORE_OPTIONS_H

#include "option_read.h"
#include "registry.h"
#include "yaml.h"

/* Checks every key of the step's map against the table (plus the runtime's own keys: source, transform, sink, from,
 * on_reject, max_rejects; and kind_key, which says in their place what the step is; NULL: none does) and every value
 * against its type, range and words. All errors go to diagnostics. */
SF_PRIVATE void options_check(const Plugin *plugin, const SfValue *step, const SfValue *kind_key,
                              Diagnostics *diagnostics);

/* Whether the step has options and most are the plugin's: it may be meant where something else is written. */
bool options_resemble(const Plugin *plugin, const SfValue *step);

/* Fills the state: defaults first, then the step's values; resolves secrets (file:, exec:). */
OptionArena *options_fill(const Plugin *plugin, const SfValue *step, gpointer state, SfError *err);

/* The same for `check`: secrets stay references. */
OptionArena *options_fill_unresolved(const Plugin *plugin, const SfValue *step, gpointer state, SfError *err);

/* Options of the step that are wrong or missing: char *, names of the plugin's table, each once. Empty when all are
 * right. */
GPtrArray *options_wrong(const Plugin *plugin, const SfValue *step);

/* Fills the state for a look at what depends on other options than the wrong ones: those get a value that they could
 * have, another one with each `variation`. Never fails. */
OptionArena *options_fill_somehow(const Plugin *plugin, const SfValue *step, const GPtrArray *wrong, guint variation,
                                  gpointer state);

/* The same for a map that is not a step, with a table of the host's own: the pipeline's settings. Keys that begin with
 * own_prefix (NULL: none) are the user's and left alone. Complaints go to diagnostics; what is wrong keeps its
 * default. */
OptionArena *options_read_map(const SfOption *options, size_t n, const char *owner, const SfValue *map,
                              const char *own_prefix, gpointer out, Diagnostics *diagnostics);

#endif
