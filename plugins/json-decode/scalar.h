/* One value of a column that is no list and no struct. */
#ifndef JSON_DECODE_SCALAR_H
#define JSON_DECODE_SCALAR_H

#include "decoder.h"

/* Adds it to the field's column: from its first character to behind it, or NULL and the fault. */
const char *decode_scalar(Decoder *decoder, Field *field, const char *p);

#endif
