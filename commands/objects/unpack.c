/* See unpack.h. */
#include "unpack.h"

#include <string.h>
#include <zlib.h>
#ifdef HAS_ZSTD
#include <zstd.h>
#endif

enum { ROOM = 256 << 10, MAGIC_BYTES = 4, ZSTD_WINDOW_LOG_MAX = 27 };

typedef enum Packing { PACKING_UNKNOWN, PACKING_NONE, PACKING_GZIP, PACKING_ZSTD } Packing;

struct Unpack {
    UnpackOut out;
    gpointer user;
    Packing packing;
    GByteArray *begun; /* what came before the packing was known */
    z_stream gzip;
    bool inside; /* a gzip member or zstd frame has begun and not ended */
#ifdef HAS_ZSTD
    ZSTD_DStream *zstd;
#endif
    char *room;
};

Unpack *unpack_new(bool raw, UnpackOut out, gpointer user)
{
    Unpack *unpack = g_new0(Unpack, 1);
    unpack->packing = raw ? PACKING_NONE : PACKING_UNKNOWN;
    unpack->out = out;
    unpack->user = user;
    unpack->begun = g_byte_array_new();
    return unpack;
}

void unpack_free(Unpack *unpack)
{
    if (!unpack)
        return;
    if (unpack->packing == PACKING_GZIP)
        inflateEnd(&unpack->gzip);
#ifdef HAS_ZSTD
    ZSTD_freeDStream(unpack->zstd);
#endif
    g_byte_array_unref(unpack->begun);
    g_free(unpack->room);
    g_free(unpack);
}

static SfStatus give(const Unpack *unpack, const char *data, size_t size)
{
    return size == 0 || unpack->out(unpack->user, data, size) ? SF_OK : SF_END;
}

/* Members follow each other (RFC 1952, section 2.2); zeros behind the last are padding, as gzip(1) has it. */
static SfStatus add_gzip(Unpack *unpack, const char *data, size_t size, SfError *err)
{
    z_stream *stream = &unpack->gzip;
    stream->next_in = (Bytef *) (gpointer) data;
    stream->avail_in = (uInt) size;
    while (stream->avail_in > 0) {
        if (!unpack->inside && *stream->next_in == 0) {
            stream->next_in++;
            stream->avail_in--;
            continue;
        }
        unpack->inside = true;
        stream->next_out = (Bytef *) unpack->room;
        stream->avail_out = ROOM;
        int done = inflate(stream, Z_NO_FLUSH);
        if (done != Z_OK && done != Z_STREAM_END && done != Z_BUF_ERROR)
            return sf_fail(err, SF_FATAL, "the gzip data is damaged (%s)", stream->msg ? stream->msg : "no stream");
        SF_TRY(give(unpack, unpack->room, ROOM - stream->avail_out));
        if (done == Z_STREAM_END) {
            unpack->inside = false;
            inflateReset(stream);
        }
    }
    return SF_OK;
}

#ifdef HAS_ZSTD
static SfStatus add_zstd(Unpack *unpack, const char *data, size_t size, SfError *err)
{
    ZSTD_inBuffer in = {data, size, 0};
    ZSTD_outBuffer out = {unpack->room, ROOM, ROOM};
    while (in.pos < in.size || out.pos == out.size) {
        out.pos = 0;
        size_t left = ZSTD_decompressStream(unpack->zstd, &out, &in);
        if (ZSTD_isError(left))
            return sf_fail(err, SF_FATAL, "the zstd data is damaged (%s)", ZSTD_getErrorName(left));
        unpack->inside = left > 0;
        SF_TRY(give(unpack, unpack->room, out.pos));
        if (left == 0 && in.pos == in.size)
            break;
    }
    return SF_OK;
}

static SfStatus begin_zstd(Unpack *unpack, SfError *err)
{
    unpack->zstd = ZSTD_createDStream();
    if (!unpack->zstd)
        return sf_fail(err, SF_FATAL, "no memory to unpack zstd data");
    ZSTD_DCtx_setParameter(unpack->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
    return SF_OK;
}
#else
static SfStatus add_zstd(Unpack *unpack, const char *data, size_t size, SfError *err)
{
    (void) unpack;
    (void) data;
    (void) size;
    return sf_fail(err, SF_CONFIG,
                   "the data is packed by zstd, without which sfrun was built; --raw gives it as it is");
}

static SfStatus begin_zstd(Unpack *unpack, SfError *err)
{
    (void) unpack;
    (void) err;
    return SF_OK;
}
#endif

static SfStatus begin(Unpack *unpack, SfError *err)
{
    const guint8 *data = unpack->begun->data;
    guint size = unpack->begun->len;
    unpack->packing = PACKING_NONE;
    if (size >= 2 && memcmp(data, "\x1F\x8B", 2) == 0)
        unpack->packing = PACKING_GZIP;
    if (size >= 4 && memcmp(data, "\x28\xB5\x2F\xFD", 4) == 0)
        unpack->packing = PACKING_ZSTD;
    if (unpack->packing != PACKING_NONE)
        unpack->room = g_malloc(ROOM);
    if (unpack->packing == PACKING_ZSTD)
        return begin_zstd(unpack, err);
    if (unpack->packing == PACKING_GZIP && inflateInit2(&unpack->gzip, 16 + MAX_WBITS) != Z_OK)
        return sf_fail(err, SF_FATAL, "no memory to unpack gzip data");
    return SF_OK;
}

static SfStatus add(Unpack *unpack, const char *data, size_t size, SfError *err)
{
    if (unpack->packing == PACKING_NONE)
        return give(unpack, data, size);
    return unpack->packing == PACKING_GZIP ? add_gzip(unpack, data, size, err) : add_zstd(unpack, data, size, err);
}

static SfStatus add_begun(Unpack *unpack, SfError *err)
{
    SF_TRY(begin(unpack, err));
    return add(unpack, (const char *) unpack->begun->data, unpack->begun->len, err);
}

SfStatus unpack_add(Unpack *unpack, const char *data, size_t size, SfError *err)
{
    if (unpack->packing != PACKING_UNKNOWN)
        return add(unpack, data, size, err);
    g_byte_array_append(unpack->begun, (const guint8 *) data, (guint) size);
    return unpack->begun->len < MAGIC_BYTES ? SF_OK : add_begun(unpack, err);
}

SfStatus unpack_end(Unpack *unpack, SfError *err)
{
    if (unpack->packing == PACKING_UNKNOWN)
        SF_TRY(add_begun(unpack, err));
    if (!unpack->inside)
        return SF_OK;
    return sf_fail(err, SF_FATAL, "the %s data ends too early; get the object anew from where it came",
                   unpack->packing == PACKING_GZIP ? "gzip" : "zstd");
}
