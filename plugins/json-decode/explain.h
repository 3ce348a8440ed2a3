/* The fault of an event in words. */
#ifndef JSON_DECODE_EXPLAIN_H
#define JSON_DECODE_EXPLAIN_H

#include "decoder.h"

/* "sales: '1e400' does not fit decimal(12,2)"; data: the event's text. Always SF_REJECT. */
SfStatus decode_explain(Decoder *decoder, const char *data, SfError *err);

#endif
