/* Positions of a split, [from, to). */
#ifndef CORE_SPAN_H
#define CORE_SPAN_H

#include <glib.h>

typedef struct Span {
    gint64 from, to;
} Span;

#endif
