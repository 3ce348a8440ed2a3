/* Texts of origins (sf_set_origin): what a source says of its splits, and what sinks have kept beside positions. */
#ifndef CORE_ORIGIN_H
#define CORE_ORIGIN_H

#include <glib.h>

/* The one copy that `origins` has of it, which lives as long; NULL: it is not an origin. */
const char *origin_keep(GStringChunk *origins, const char *text);

#endif
