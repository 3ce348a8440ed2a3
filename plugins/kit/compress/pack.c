/* gzip (RFC 1952) piece by piece: lines are compressed as they come, so that what waits for its range's end is small.
 * The header has no time and a fixed system, and zlib's blocks do not depend on how its input was cut: the same lines
 * give the same bytes. */
#include "compress.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16)            /* zlib.h, deflateInit2: 16 more for a gzip header */
#define STATE_BYTES ((size_t) 264 << 10) /* zconf.h, "Memory requirements of deflate" */
#define ROOM_MIN ((size_t) 16 << 10)

struct Pack {
    z_stream stream;
    gz_header header;
    unsigned char *data;
    size_t size;
    size_t room;
};

Pack *pack_new(int level)
{
    Pack *pack = g_new0(Pack, 1);
    if (deflateInit2(&pack->stream, level, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        g_free(pack);
        return NULL;
    }
    pack->header.os = 255;
    deflateSetHeader(&pack->stream, &pack->header);
    return pack;
}

void pack_free(Pack *pack)
{
    if (!pack)
        return;
    deflateEnd(&pack->stream);
    g_free(pack->data);
    g_free(pack);
}

static bool reserve(Pack *pack, size_t more)
{
    size_t needed;
    if (!g_size_checked_add(&needed, pack->size, more))
        return false;
    if (needed <= pack->room)
        return true;
    size_t room = MAX(MAX(needed, ROOM_MIN), pack->room + pack->room / 2);
    unsigned char *data = g_try_realloc(pack->data, room);
    if (!data)
        return false;
    pack->data = data;
    pack->room = room;
    return true;
}

/* Until the input is used up and, with Z_FINISH, the end is written. */
static bool run(Pack *pack, int flush)
{
    for (;;) {
        if (!reserve(pack, ROOM_MIN))
            return false;
        size_t room = MIN(pack->room - pack->size, UINT32_MAX);
        pack->stream.next_out = pack->data + pack->size;
        pack->stream.avail_out = (uInt) room;
        int result = deflate(&pack->stream, flush);
        pack->size += room - pack->stream.avail_out;
        if (result == Z_STREAM_END)
            return true;
        if (result != Z_OK && result != Z_BUF_ERROR)
            return false;
        if (flush == Z_NO_FLUSH && pack->stream.avail_in == 0 && pack->stream.avail_out > 0)
            return true;
    }
}

bool pack_add(Pack *pack, const char *data, size_t size)
{
    while (size > 0) {
        size_t piece = MIN(size, UINT32_MAX);
        pack->stream.next_in = (unsigned char *) data;
        pack->stream.avail_in = (uInt) piece;
        if (!run(pack, Z_NO_FLUSH))
            return false;
        data += piece;
        size -= piece;
    }
    return true;
}

const char *pack_data(const Pack *pack, size_t *size)
{
    *size = pack->size;
    return (const char *) pack->data;
}

void pack_drop(Pack *pack, size_t size)
{
    pack->size -= size;
    if (size > 0 && pack->size > 0)
        memmove(pack->data, pack->data + size, pack->size);
}

GBytes *pack_end(Pack *pack)
{
    pack->stream.avail_in = 0;
    if (!run(pack, Z_FINISH))
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&pack->data), pack->size);
}

size_t pack_held(const Pack *pack)
{
    return pack->room + STATE_BYTES;
}
