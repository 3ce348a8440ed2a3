/* Blocks by libdeflate, zlib, libzstd and libsnappy, each codec behind the same two calls. */
#include "compress.h"

#include <libdeflate.h>
#include <string.h>
#include <zlib.h>
#ifdef KIT_HAS_ZSTD
#include <zstd.h>
#endif
#ifdef KIT_HAS_SNAPPY
#include <snappy-c.h>
#endif

#define ANY_WINDOW (15 + 32) /* zlib.h, inflateInit2: a gzip or a zlib header */
#define GZIP_LEVEL 6         /* what -1 means to zlib */

struct Compressor {
    struct libdeflate_compressor *gzip_out;
    int gzip_level; /* its */
#ifdef KIT_HAS_ZSTD
    ZSTD_CCtx *zstd_out;
    ZSTD_DCtx *zstd_in;
#endif
};

const char *compression_name(Compression compression)
{
    static const char *const names[] = {"none", "gzip", "zstd", "snappy"};
    return (size_t) compression < G_N_ELEMENTS(names) ? names[compression] : "an unknown codec";
}

Compression compression_of(const void *head, size_t size)
{
    if (size >= 2 && memcmp(head, "\x1F\x8B", 2) == 0)
        return COMPRESSION_GZIP;
    return size >= 4 && memcmp(head, "\x28\xB5\x2F\xFD", 4) == 0 ? COMPRESSION_ZSTD : COMPRESSION_NONE;
}

Compression compression_of_name(const char *name)
{
    if (g_str_has_suffix(name, ".gz"))
        return COMPRESSION_GZIP;
    return g_str_has_suffix(name, ".zst") || g_str_has_suffix(name, ".zstd") ? COMPRESSION_ZSTD : COMPRESSION_NONE;
}

const char *packing_problem(const void *head, size_t size)
{
    static const struct {
        const char *magic;
        size_t size;
        const char *problem;
    } packings[] = {
        {"\xFD\x37zXZ\x00", 6, "packed by xz; unpack it, or pack it by gzip or zstd"},
        {"BZh", 3, "packed by bzip2; unpack it, or pack it by gzip or zstd"},
        {"\x04\x22\x4D\x18", 4, "packed by lz4; unpack it, or pack it by gzip or zstd"},
        {"\xFF\x06\x00\x00sN", 6, "packed by snappy; unpack it, or pack it by gzip or zstd"},
        {"PK\x03\x04", 4, "a zip archive; unpack it, or pack each file by gzip or zstd"},
        {"PAR1", 4, "a Parquet file, which has no lines"},
        {"Obj\x01", 4, "an Avro file, which has no lines"},
        {"\xFF\xFE", 2, "UTF-16 or UTF-32; convert it to UTF-8 (iconv)"},
        {"\xFE\xFF", 2, "UTF-16; convert it to UTF-8 (iconv)"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(packings); i++)
        if (size >= packings[i].size && memcmp(head, packings[i].magic, packings[i].size) == 0)
            return packings[i].problem;
    return NULL;
}

Compressor *compressor_new(void)
{
    return g_new0(Compressor, 1);
}

void compressor_free(Compressor *compressor)
{
    if (!compressor)
        return;
    if (compressor->gzip_out)
        libdeflate_free_compressor(compressor->gzip_out);
#ifdef KIT_HAS_ZSTD
    ZSTD_freeCCtx(compressor->zstd_out);
    ZSTD_freeDCtx(compressor->zstd_in);
#endif
    g_free(compressor);
}

static SfStatus refuse_codec(Compression compression, SfError *err)
{
    return sf_fail(err, SF_CONFIG, "this Streamforge was built without %s", compression_name(compression));
}

/* ---- gzip ---- */

/* A whole block takes libdeflate less than half of zlib's time. */
static SfStatus gzip_block(Compressor *compressor, int level, const void *data, size_t size, void *out, size_t room,
                           size_t *written, SfError *err)
{
    level = level < 0 ? GZIP_LEVEL : level;
    if (compressor->gzip_out && compressor->gzip_level != level)
        g_clear_pointer(&compressor->gzip_out, libdeflate_free_compressor);
    if (!compressor->gzip_out)
        compressor->gzip_out = libdeflate_alloc_compressor(level);
    if (!compressor->gzip_out)
        return sf_fail(err, SF_FATAL, "no memory for gzip");
    compressor->gzip_level = level;
    *written = libdeflate_gzip_compress(compressor->gzip_out, data, size, out, room);
    return *written > 0 ? SF_OK : sf_fail(err, SF_FATAL, "gzip cannot compress %zu bytes into %zu", size, room);
}

static bool gunzip_block(const void *data, size_t packed, void *out, size_t size)
{
    z_stream stream = {0};
    if (packed > UINT32_MAX || size > UINT32_MAX || inflateInit2(&stream, ANY_WINDOW) != Z_OK)
        return false;
    stream.next_in = (Bytef *) data;
    stream.avail_in = (uInt) packed;
    stream.next_out = out;
    stream.avail_out = (uInt) size;
    int status = inflate(&stream, Z_FINISH);
    while (status == Z_STREAM_END && stream.avail_in > 0 && inflateReset(&stream) == Z_OK)
        status = inflate(&stream, Z_FINISH);
    bool whole = status == Z_STREAM_END && stream.avail_out == 0;
    inflateEnd(&stream);
    return whole;
}

/* ---- zstd ---- */

#ifdef KIT_HAS_ZSTD
static SfStatus zstd_block(Compressor *compressor, int level, const void *data, size_t size, void *out, size_t room,
                           size_t *written, SfError *err)
{
    if (!compressor->zstd_out)
        compressor->zstd_out = ZSTD_createCCtx();
    if (!compressor->zstd_out)
        return sf_fail(err, SF_FATAL, "no memory for zstd");
    *written = ZSTD_compressCCtx(compressor->zstd_out, out, room, data, size, level);
    if (ZSTD_isError(*written))
        return sf_fail(err, SF_FATAL, "zstd cannot compress %zu bytes: %s", size, ZSTD_getErrorName(*written));
    return SF_OK;
}

static bool unzstd_block(Compressor *compressor, const void *data, size_t packed, void *out, size_t size)
{
    if (!compressor->zstd_in)
        compressor->zstd_in = ZSTD_createDCtx();
    return compressor->zstd_in && ZSTD_decompressDCtx(compressor->zstd_in, out, size, data, packed) == size;
}
#endif

/* ---- snappy ---- */

#ifdef KIT_HAS_SNAPPY
static SfStatus snappy_block(const void *data, size_t size, void *out, size_t room, size_t *written, SfError *err)
{
    *written = room;
    if (snappy_compress(data, size, out, written) != SNAPPY_OK)
        return sf_fail(err, SF_FATAL, "snappy cannot compress %zu bytes into %zu", size, room);
    return SF_OK;
}

/* A block says its size first, and libsnappy believes it. */
static bool unsnappy_block(const void *data, size_t packed, void *out, size_t size)
{
    size_t n;
    return snappy_uncompressed_length(data, packed, &n) == SNAPPY_OK && n == size &&
           snappy_uncompress(data, packed, out, &n) == SNAPPY_OK && n == size;
}
#endif

/* ---- all of them ---- */

size_t compress_bound(Compression compression, size_t size)
{
    switch (compression) {
    case COMPRESSION_GZIP:
        return libdeflate_gzip_compress_bound(NULL, size);
#ifdef KIT_HAS_ZSTD
    case COMPRESSION_ZSTD:
        return ZSTD_compressBound(size);
#endif
#ifdef KIT_HAS_SNAPPY
    case COMPRESSION_SNAPPY:
        return snappy_max_compressed_length(size);
#endif
    default:
        return size;
    }
}

static SfStatus copy_block(const void *data, size_t size, void *out, size_t room, size_t *written, SfError *err)
{
    if (size > room)
        return sf_fail(err, SF_FATAL, "%zu bytes do not go into %zu", size, room);
    if (size > 0)
        memcpy(out, data, size);
    *written = size;
    return SF_OK;
}

SfStatus compress_block(Compressor *compressor, Compression compression, int level, const void *data, size_t size,
                        void *out, size_t room, size_t *written, SfError *err)
{
    switch (compression) {
    case COMPRESSION_NONE:
        return copy_block(data, size, out, room, written, err);
    case COMPRESSION_GZIP:
        return gzip_block(compressor, level, data, size, out, room, written, err);
#ifdef KIT_HAS_ZSTD
    case COMPRESSION_ZSTD:
        return zstd_block(compressor, level, data, size, out, room, written, err);
#endif
#ifdef KIT_HAS_SNAPPY
    case COMPRESSION_SNAPPY:
        return snappy_block(data, size, out, room, written, err);
#endif
    default:
        return refuse_codec(compression, err);
    }
}

SfStatus decompress_block(Compressor *compressor, Compression compression, const void *data, size_t packed, void *out,
                          size_t size, SfError *err)
{
    (void) compressor;
    size_t written = 0;
    bool whole;
    switch (compression) {
    case COMPRESSION_NONE:
        whole = copy_block(data, packed, out, size, &written, NULL) == SF_OK && written == size;
        break;
    case COMPRESSION_GZIP:
        whole = gunzip_block(data, packed, out, size);
        break;
#ifdef KIT_HAS_ZSTD
    case COMPRESSION_ZSTD:
        whole = unzstd_block(compressor, data, packed, out, size);
        break;
#endif
#ifdef KIT_HAS_SNAPPY
    case COMPRESSION_SNAPPY:
        whole = unsnappy_block(data, packed, out, size);
        break;
#endif
    default:
        return refuse_codec(compression, err);
    }
    return whole ? SF_OK
                 : sf_fail(err, SF_FATAL, "%zu bytes of %s do not decompress to %zu", packed,
                           compression_name(compression), size);
}
