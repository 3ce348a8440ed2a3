/* Words of other systems (Kafka Connect, Redpanda Connect, Vector, Spark, Debezium), for people who come from there. */
#ifndef CORE_PEERS_H
#define CORE_PEERS_H

#include "diagnostics.h"

/* Whether a file's top level is another system's layout: complains at the key that shows it. */
bool peer_layout(const SfValue *root, Diagnostics *diagnostics);

/* Of a file that is not a map, what it looks like: "; this looks like SQL", or "". Static text. */
const char *peer_text(const SfValue *root);

/* A key of a step that says in another system what 'source', 'transform' and 'sink' say here; or NULL. */
const SfValue *peer_kind_key(const SfValue *step);

/* Of plugins' names the one that shares most words with another system's, "com.acme.LakeSink"; or NULL. */
const char *peer_plugin(const char *name, const char *const *names, size_t n);

/* How many words they share; 0 when those are only what kind of plugin it is. */
guint peer_shared_words(const char *name, const char *plugin);

#endif
