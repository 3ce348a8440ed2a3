/* Events → rows of a builder, in one pass over the text: every field goes to its column as it comes, and the whole text
 * is checked on the way. What turns out wrong is rolled back. Nothing is allocated per event but what the columns grow
 * by.
 *
 * Hand-written because that measured better than simdjson's On-Demand API on events of some hundred bytes, on every
 * CPU, reads nothing past a text, and keeps each number's own digits: tests/bench/json_decode compares the two. */
#ifndef JSON_DECODE_DECODE_H
#define JSON_DECODE_DECODE_H

#include "decoder.h"

/* Columns of the builder are the fields, in order; fields and builder are borrowed until done. */
void decoder_init(Decoder *decoder, GPtrArray *fields, SfBuilder *builder, bool reject_unknown);
void decoder_done(Decoder *decoder);

/* One event into one row. SF_REJECT: err has the cause, and the builder is as it was before. */
SfStatus decoder_event(Decoder *decoder, const char *data, size_t size, SfError *err);

/* Whether the text is a value of the field; what it adds is rolled back. err has the cause where not. */
bool decoder_try(Decoder *decoder, Field *field, const char *text, SfError *err);

/* One value, or one object's members by its level; `field` is the struct that it is, or NULL. From a value's first
 * character to behind it, or NULL and the fault. */
const char *decode_field(Decoder *decoder, Field *field, const char *p);
const char *decode_object(Decoder *decoder, Level *level, const Field *field, const char *p);

#endif
