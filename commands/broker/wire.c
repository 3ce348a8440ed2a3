/* See wire.h. */
#include "wire.h"

#include <string.h>

#define VARINT_MAX 5

guint64 wire_get(const guint8 *at, guint size)
{
    guint64 value = 0;
    for (guint i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

void wire_put(guint8 *at, guint64 value, guint size)
{
    for (guint i = size; i-- > 0; value >>= 8)
        at[i] = (guint8) value;
}

void wire_varint(GByteArray *bytes, gint64 value)
{
    guint64 left = ((guint64) value << 1) ^ (guint64) (value >> 63);
    do {
        guint8 byte = (guint8) ((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
        g_byte_array_append(bytes, &byte, 1);
        left >>= 7;
    } while (left > 0);
}

/* Castagnoli's polynomial, reflected (RFC 3720, appendix B.4). */
static void fill_table(guint32 *table)
{
    for (guint32 i = 0; i < 256; i++) {
        guint32 value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (value & 1 ? 0x82f63b78u : 0);
        table[i] = value;
    }
}

guint32 wire_crc32c(const guint8 *data, gsize size)
{
    static guint32 table[256];
    guint32 crc = 0xffffffffu;
    if (table[1] == 0)
        fill_table(table);
    for (gsize i = 0; i < size; i++)
        crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
    return crc ^ 0xffffffffu;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static const guint8 *wire_bytes(In *in, gsize size)
{
    if (in->broken || (gsize) (in->end - in->at) < size) {
        in->broken = true;
        return NULL;
    }
    const guint8 *at = in->at;
    in->at += size;
    return at;
}

static guint64 number(In *in, guint size)
{
    const guint8 *at = wire_bytes(in, size);
    return at ? wire_get(at, size) : 0;
}

gint8 in_i8(In *in)
{
    return (gint8) number(in, 1);
}

gint16 in_i16(In *in)
{
    return (gint16) number(in, 2);
}

gint32 in_i32(In *in)
{
    return (gint32) number(in, 4);
}

gint64 in_i64(In *in)
{
    return (gint64) number(in, 8);
}

static guint32 unsigned_varint(In *in)
{
    guint64 value = 0;
    for (guint i = 0; i < VARINT_MAX; i++) {
        const guint8 *byte = wire_bytes(in, 1);
        if (!byte)
            return 0;
        value |= (guint64) (*byte & 0x7f) << 7 * i;
        if (!(*byte & 0x80))
            return value <= G_MAXUINT32 ? (guint32) value : 0;
    }
    in->broken = true;
    return 0;
}

const char *in_text(In *in)
{
    gint64 size = in->flexible ? (gint64) unsigned_varint(in) - 1 : in_i16(in);
    const guint8 *at = size >= 0 ? wire_bytes(in, (gsize) size) : NULL;
    if (!at)
        return NULL;
    if (memchr(at, 0, (gsize) size))
        in->broken = true;
    return g_string_chunk_insert_len(in->texts, (const char *) at, (gssize) size);
}

const guint8 *in_bytes(In *in, gsize *size)
{
    gint64 n = in->flexible ? (gint64) unsigned_varint(in) - 1 : in_i32(in);
    const guint8 *at = n >= 0 ? wire_bytes(in, (gsize) n) : NULL;
    *size = at ? (gsize) n : 0;
    return at;
}

gint32 in_count(In *in)
{
    gint64 n = in->flexible ? (gint64) unsigned_varint(in) - 1 : in_i32(in);
    if (n > in->end - in->at)
        in->broken = true;
    return in->broken ? 0 : (gint32) MAX(n, -1);
}

void in_tags(In *in)
{
    guint32 n = in->flexible ? unsigned_varint(in) : 0;
    for (guint32 i = 0; i < n && !in->broken; i++) {
        unsigned_varint(in);
        wire_bytes(in, unsigned_varint(in));
    }
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void wire_number(Out *out, guint64 value, guint size)
{
    guint8 bytes[8];
    wire_put(bytes, value, size);
    g_byte_array_append(out->bytes, bytes, size);
}

void out_i8(Out *out, gint8 value)
{
    wire_number(out, (guint64) value, 1);
}

void out_i16(Out *out, gint16 value)
{
    wire_number(out, (guint64) value, 2);
}

void out_i32(Out *out, gint32 value)
{
    wire_number(out, (guint64) value, 4);
}

void out_i64(Out *out, gint64 value)
{
    wire_number(out, (guint64) value, 8);
}

static void put_unsigned_varint(Out *out, guint64 value)
{
    do {
        wire_number(out, (value & 0x7f) | (value > 0x7f ? 0x80 : 0), 1);
        value >>= 7;
    } while (value > 0);
}

void out_text(Out *out, const char *text)
{
    gsize size = text ? strlen(text) : 0;
    if (out->flexible)
        put_unsigned_varint(out, text ? size + 1 : 0);
    else
        out_i16(out, text ? (gint16) size : -1);
    out_raw(out, text, size);
}

void out_bytes(Out *out, const void *data, gsize size)
{
    if (out->flexible)
        put_unsigned_varint(out, data ? size + 1 : 0);
    else
        out_i32(out, data ? (gint32) size : -1);
    out_raw(out, data, size);
}

void out_raw(Out *out, const void *data, gsize size)
{
    if (size > 0)
        g_byte_array_append(out->bytes, data, (guint) size);
}

void out_count(Out *out, gint32 count)
{
    if (out->flexible)
        put_unsigned_varint(out, (guint64) (count + 1));
    else
        out_i32(out, count);
}

void out_tags(Out *out)
{
    if (out->flexible)
        out_i8(out, 0);
}

void out_patch_i32(Out *out, guint at, gint32 value)
{
    wire_put(out->bytes->data + at, (guint64) (guint32) value, 4);
}
