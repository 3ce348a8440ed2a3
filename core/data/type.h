/* Arrow format strings ⇄ SfType, and what a type means for memory. */
#ifndef CORE_TYPE_H
#define CORE_TYPE_H

#include <glib.h>
#include <sf/schema.h>

enum { TYPE_FORMAT_SIZE = 16 };

/* The format string of a field's own type; SF_CONFIG where precision, scale or children make no sense. */
SfStatus type_format(const SfField *field, char *out, size_t size, SfError *err);

/* Bytes of one value in the buffer of values; 0: one bit; ends of utf8, binary and list count 4; a struct has none:
 * -1. */
int type_width(SfType type, bool view);

static inline bool type_has_ends(SfType type)
{
    return type == SF_UTF8 || type == SF_BINARY || type == SF_LIST;
}

static inline bool type_has_bytes(SfType type)
{
    return type == SF_UTF8 || type == SF_BINARY;
}

#endif
