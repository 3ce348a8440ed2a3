/* A pipeline file as a tree of values; value.h has its inside. */
#ifndef CORE_DOCUMENT_H
#define CORE_DOCUMENT_H

#include <glib.h>
#include <sf/value.h>
#include "private.h"

typedef struct Document Document; /* owns the tree */

SF_PRIVATE const SfValue *document_root(const Document *document);
SF_PRIVATE void document_free(Document *document);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Document, document_free)

#endif
