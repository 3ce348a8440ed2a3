/* Page compression by snappy, zstd and zlib (gzip is only read). */
#include "codec.h"

#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

struct Codec {
    ZSTD_CCtx *compress;
    ZSTD_DCtx *decompress;
};

Codec *codec_new(void)
{
    return g_new0(Codec, 1);
}

void codec_free(Codec *codec)
{
    if (!codec)
        return;
    ZSTD_freeCCtx(codec->compress);
    ZSTD_freeDCtx(codec->decompress);
    g_free(codec);
}

static SfStatus compress_zstd(Codec *codec, int level, const uint8_t *data, size_t size, Buffer *out, SfError *err)
{
    if (!codec->compress)
        codec->compress = ZSTD_createCCtx();
    if (!codec->compress)
        return sf_fail(err, SF_FATAL, "no memory for zstd");
    size_t bound = ZSTD_compressBound(size);
    size_t n = ZSTD_compressCCtx(codec->compress, buffer_room(out, bound), bound, data, size, level);
    if (ZSTD_isError(n))
        return sf_fail(err, SF_FATAL, "zstd cannot compress a page: %s", ZSTD_getErrorName(n));
    out->size = n;
    return SF_OK;
}

SfStatus codec_compress(Codec *codec, ParquetCodec kind, int level, const uint8_t *data, size_t size, Buffer *out,
                        SfError *err)
{
    out->size = 0;
    if (kind == PARQUET_ZSTD)
        return compress_zstd(codec, level, data, size, out, err);
    if (kind == PARQUET_SNAPPY) {
        size_t n = snappy_max_compressed_length(size);
        uint8_t *at = buffer_room(out, n);
        if (snappy_compress((const char *) data, size, (char *) at, &n) != SNAPPY_OK)
            return sf_fail(err, SF_FATAL, "snappy cannot compress a page of %zu bytes", size);
        out->size = n;
        return SF_OK;
    }
    buffer_add(out, data, size);
    return SF_OK;
}

/* Several gzip members may follow each other. */
static bool inflate_all(const uint8_t *data, size_t packed, uint8_t *out, size_t size)
{
    z_stream stream = {0};
    if (packed > UINT32_MAX || size > UINT32_MAX || inflateInit2(&stream, 15 + 32) != Z_OK)
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

static bool unpack(Codec *codec, int kind, const uint8_t *data, size_t packed, uint8_t *out, size_t size)
{
    size_t n = size;
    switch (kind) {
    case PARQUET_UNCOMPRESSED:
        if (packed == size && size > 0)
            memcpy(out, data, size);
        return packed == size;
    case PARQUET_SNAPPY:
        return snappy_uncompressed_length((const char *) data, packed, &n) == SNAPPY_OK && n == size &&
               snappy_uncompress((const char *) data, packed, (char *) out, &n) == SNAPPY_OK && n == size;
    case PARQUET_GZIP:
        return inflate_all(data, packed, out, size);
    default:
        if (!codec->decompress)
            codec->decompress = ZSTD_createDCtx();
        return codec->decompress && ZSTD_decompressDCtx(codec->decompress, out, size, data, packed) == size;
    }
}

SfStatus codec_decompress(Codec *codec, int kind, const uint8_t *data, size_t packed, uint8_t *out, size_t size,
                          SfError *err)
{
    if (kind != PARQUET_UNCOMPRESSED && kind != PARQUET_SNAPPY && kind != PARQUET_GZIP && kind != PARQUET_ZSTD)
        return sf_fail(err, SF_FATAL, "compression codec %d is not supported; rewrite the file with snappy or zstd",
                       kind);
    if (!unpack(codec, kind, data, packed, out, size))
        return sf_fail(err, SF_FATAL, "corrupt page: %zu bytes do not decompress to %zu", packed, size);
    return SF_OK;
}
