/* Events → rows of a builder, in one pass over the text: every field goes to its column as it comes, and the whole text
 * is checked on the way. What turns out wrong is rolled back. Nothing is allocated per event but what the columns grow
 * by.
 *
 * Hand-written because that measured better than simdjson's On-Demand API on events of some hundred bytes, on every
 * CPU, reads nothing past a text, and keeps each number's own digits: tests/bench/json_decode compares the two. */
#ifndef JSON_DECODE_DECODE_H
#define JSON_DECODE_DECODE_H

#include "level.h"

typedef enum DecodeFault {
    FAULT_SYNTAX,    /* scan has place and reason */
    FAULT_NO_OBJECT, /* the event, or a value on a path */
    FAULT_NO_LIST,   /* a value on a path */
    FAULT_WRONG,     /* a value of another kind */
    FAULT_TOO_BIG,
    FAULT_TOO_FINE,
    FAULT_OUTSIDE, /* of years 1 … 9999 */
    FAULT_NULL,
    FAULT_MISSING,
    FAULT_UNKNOWN, /* a field that the schema does not have */
    FAULT_SURROGATE,
    FAULT_NO_MEMORY,
} DecodeFault;

/* Rows of events without a value: the columns that the record's key has, true in a column of their own, null in all
 * others. */
typedef struct Tombstones {
    GPtrArray *fields;       /* Field *, borrowed: of the key */
    GPtrArray *others;       /* Field *, borrowed: columns that the key does not have */
    Level *root;             /* of the key */
    SfColumnBuilder *column; /* whether a row is one */
    GString *text;           /* a key that is no JSON, as JSON */
} Tombstones;

typedef struct Decoder {
    JsonScan scan;
    SfBuilder *builder;
    Level *root;
    bool reject_unknown;
    Tombstones *tombstones; /* or NULL: there are no such rows */
    char *scratch;          /* an unescaped text */
    size_t scratch_size;
    /* the fault of the event under way */
    DecodeFault fault;
    const Field *field; /* or NULL */
    const Node *node;   /* FAULT_NO_OBJECT, FAULT_NO_LIST: whose value it is, or NULL */
    const char *place;  /* of the value, or of the key */
} Decoder;

/* Columns of the builder are the fields, in order; fields and builder are borrowed until done. */
void decoder_init(Decoder *decoder, GPtrArray *fields, SfBuilder *builder, bool reject_unknown);
void decoder_done(Decoder *decoder);

/* One event into one row. SF_REJECT: err has the cause, and the builder is as it was before. */
SfStatus decoder_event(Decoder *decoder, const char *data, size_t size, SfError *err);

/* From now on every row says in `column` whether it is a tombstone. Some of the decoder's fields have a key. */
void decoder_add_tombstones(Decoder *decoder, const GPtrArray *fields, SfColumnBuilder *column);

/* The row of an event without a value, by its key: a JSON object, or one value, or a plain text. As decoder_event(). */
SfStatus decoder_tombstone(Decoder *decoder, const char *key, size_t size, SfError *err);

void tombstones_free(Tombstones *tombstones);

/* Whether the text is a value of the field; what it adds is rolled back. err has the cause where not. */
bool decoder_try(Decoder *decoder, Field *field, const char *text, SfError *err);

/* The pieces of it: from a value's first character to behind it, or NULL and the fault. */
const char *decode_field(Decoder *decoder, Field *field, const char *p);
const char *decode_scalar(Decoder *decoder, Field *field, const char *p);
const char *decode_object(Decoder *decoder, Level *level, const Field *field, const char *p);
const char *decode_fail(Decoder *decoder, DecodeFault fault, const Field *field, const char *place);

/* Room for size bytes in scratch. */
bool decode_reserve(Decoder *decoder, size_t size);

/* The fault in words: "sales: '1e400' does not fit decimal(12,2)". Always SF_REJECT. */
SfStatus decode_explain(Decoder *decoder, const char *data, SfError *err);

#endif
