/* What plugins and pipeline files are made of, told from the option tables: for terminals, documents, editors,
 * programs. */
#ifndef CORE_DESCRIBE_H
#define CORE_DESCRIBE_H

#include "config/registry.h"

struct json_object;

/* "source", "transform", "sink". */
const char *describe_kind(SfKind kind);

/* "at least once", "exactly once"; NULL for plugins that are not sinks. */
const char *describe_delivery(const Plugin *plugin);

/* "size, default 64KiB, 1KiB to 1GiB": all that the row says beside its name and doc. */
char *describe_facts(const SfOption *option);

/* One plugin in full, for a terminal. */
char *describe_text(const Plugin *plugin);

/* docs/reference.md: pipeline files, notation, and the plugins (const Plugin *). */
char *describe_markdown(const GPtrArray *plugins);

/* One plugin as an object; the JSON Schema (draft-07) of pipeline files with these plugins. */
struct json_object *describe_json(const Plugin *plugin);
struct json_object *describe_schema(const GPtrArray *plugins);

/* A row's default or example as JSON: numbers and truths as such, trees as trees, sizes and durations as text. */
struct json_object *describe_value(const SfOption *option, const char *text);

#endif
