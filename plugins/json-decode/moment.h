/* Timestamps, and dates of other forms than the plain one. */
#ifndef JSON_DECODE_MOMENT_H
#define JSON_DECODE_MOMENT_H

#include "token.h"

/* As decode_scalar(). */
const char *decode_moment(Decoder *decoder, Field *field, const char *p);

const char *moment_fail(Decoder *decoder, TimeFit fit, const Field *field, const char *p);

#endif
