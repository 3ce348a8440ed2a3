/* What decoding works on, and the fault of an event. */
#ifndef JSON_DECODE_DECODER_H
#define JSON_DECODE_DECODER_H

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

typedef struct Decoder {
    JsonScan scan;
    SfBuilder *builder;
    Level *root;
    bool reject_unknown;
    SfColumnBuilder *tombstone; /* whether a row is one, or NULL: there is no such column */
    char *scratch;              /* an unescaped text */
    size_t scratch_size;
    /* the fault of the event under way */
    DecodeFault fault;
    const Field *field; /* or NULL */
    const Node *node;   /* FAULT_NO_OBJECT, FAULT_NO_LIST: whose value it is, or NULL */
    const char *place;  /* of the value, or of the key */
} Decoder;

/* Remembers the fault; the place is the value's, or the key's. Always NULL. */
const char *decode_fail(Decoder *decoder, DecodeFault fault, const Field *field, const char *place);

/* Room for size bytes in scratch; false: FAULT_NO_MEMORY. */
bool decode_reserve(Decoder *decoder, size_t size);

#endif
