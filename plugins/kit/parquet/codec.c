/* From the format's codec numbers to kit/compress. */
#include "codec.h"

static bool find_codec(int kind, Compression *out)
{
    switch (kind) {
    case PARQUET_UNCOMPRESSED:
        *out = COMPRESSION_NONE;
        return true;
    case PARQUET_SNAPPY:
        *out = COMPRESSION_SNAPPY;
        return true;
    case PARQUET_GZIP:
        *out = COMPRESSION_GZIP;
        return true;
    case PARQUET_ZSTD:
        *out = COMPRESSION_ZSTD;
        return true;
    default:
        return false;
    }
}

static SfStatus refuse_kind(int kind, SfError *err)
{
    return sf_fail(err, SF_FATAL, "compression codec %d is not supported; rewrite the file with snappy or zstd", kind);
}

SfStatus codec_compress(Codec *codec, ParquetCodec kind, int level, const uint8_t *data, size_t size, Buffer *out,
                        SfError *err)
{
    Compression compression;
    if (!find_codec((int) kind, &compression))
        return refuse_kind((int) kind, err);
    out->size = 0;
    size_t room = compress_bound(compression, size);
    return compress_block(codec, compression, level, data, size, buffer_room(out, room), room, &out->size, err);
}

SfStatus codec_decompress(Codec *codec, int kind, const uint8_t *data, size_t packed, uint8_t *out, size_t size,
                          SfError *err)
{
    Compression compression;
    if (!find_codec(kind, &compression))
        return refuse_kind(kind, err);
    SfStatus status = decompress_block(codec, compression, data, packed, out, size, err);
    return status == SF_OK ? SF_OK : sf_fail_prefix(err, status, "damaged page");
}
