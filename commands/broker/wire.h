/* Kafka's primitive types (kafka.apache.org/protocol, "Protocol Primitive Types") in requests and answers. In flexible
 * versions (KIP-482) lengths are varints plus one and structures end with tagged fields: readers and writers know. */
#ifndef BROKER_WIRE_H
#define BROKER_WIRE_H

#include <glib.h>
#include <stdbool.h>

/* A request being read. What is read after its end is zeros, and `broken` says so. */
typedef struct In {
    const guint8 *at;
    const guint8 *end;
    GStringChunk *texts; /* owns what in_text() returns */
    bool flexible;
    bool broken;
} In;

gint8 in_i8(In *in);
gint16 in_i16(In *in);
gint32 in_i32(In *in);
gint64 in_i64(In *in);
/* NULL for null. Without NUL characters: a text that has one breaks the request. */
const char *in_text(In *in);
/* Points into the request; NULL for null. */
const guint8 *in_bytes(In *in, gsize *size);
/* Elements of an array, not more than bytes are left; -1: null. */
gint32 in_count(In *in);
void in_tags(In *in);

/* An answer, or a record of the journal, being written. */
typedef struct Out {
    GByteArray *bytes;
    bool flexible;
} Out;

void out_i8(Out *out, gint8 value);
void out_i16(Out *out, gint16 value);
void out_i32(Out *out, gint32 value);
void out_i64(Out *out, gint64 value);
void out_text(Out *out, const char *text); /* NULL: null */
void out_bytes(Out *out, const void *data, gsize size);
void out_raw(Out *out, const void *data, gsize size); /* without a length */
void out_count(Out *out, gint32 count);
void out_tags(Out *out);
/* Overwrites what was written at that place. */
void out_patch_i32(Out *out, guint at, gint32 value);

/* Big-endian numbers anywhere. */
guint64 wire_get(const guint8 *at, guint size);
void wire_put(guint8 *at, guint64 value, guint size);
/* A zigzag varint as records have them (KIP-98). */
void wire_varint(GByteArray *bytes, gint64 value);
guint32 wire_crc32c(const guint8 *data, gsize size);

#endif
