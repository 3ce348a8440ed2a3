/* Events without a value: in a compacted topic they say that the row of their key is gone. */
#ifndef JSON_DECODE_TOMBSTONE_H
#define JSON_DECODE_TOMBSTONE_H

#include "decoder.h"

/* Rows of such events: the columns that the record's key has, true in a column of their own, null in all others. */
typedef struct Tombstones {
    Decoder *decoder;        /* borrowed */
    GPtrArray *fields;       /* Field *, borrowed: of the key */
    GPtrArray *others;       /* Field *, borrowed: columns that the key does not have */
    Level *root;             /* of the key */
    SfColumnBuilder *column; /* whether a row is one */
    GString *text;           /* a key that is no JSON, as JSON */
} Tombstones;

/* Some of the fields have a key; they are borrowed until free. `column` says of every row of the decoder from now on
 * whether it is a tombstone. */
Tombstones *tombstones_new(Decoder *decoder, const GPtrArray *fields, SfColumnBuilder *column);
void tombstones_free(Tombstones *tombstones);

/* The row of an event without a value, by its key: a JSON object, or one value, or a plain text. As decoder_event(). */
SfStatus tombstones_event(Tombstones *tombstones, const char *key, size_t size, SfError *err);

#endif
