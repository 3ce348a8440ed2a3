/* Decimals as bytes; as decode_scalar(). */
#ifndef JSON_DECODE_UNSCALED_H
#define JSON_DECODE_UNSCALED_H

#include "token.h"

const char *decode_unscaled(Decoder *decoder, Field *field, const char *p);

/* With their scale: {"scale":2,"value":"BNI="}. */
const char *decode_variable(Decoder *decoder, Field *field, const char *p);

#endif
