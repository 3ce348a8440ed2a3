/* g_auto() and g_autoptr() for the ABI's own types, which know no GLib. */
#ifndef CORE_AUTO_H
#define CORE_AUTO_H

#include <glib.h>
#include <sf/builder.h>

typedef struct ArrowArray ArrowArray;
typedef struct ArrowSchema ArrowSchema;

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ArrowArray, sf_array_done)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ArrowSchema, sf_schema_done)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SfBatch, sf_batch_done)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SfBuilder, sf_builder_free)

#endif
