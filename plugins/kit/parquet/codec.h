/* Page compression: the format's codecs by kit/compress. */
#ifndef KIT_PARQUET_CODEC_H
#define KIT_PARQUET_CODEC_H

#include "buffer.h"
#include "compress/compress.h"

/* CompressionCodec, by the format's numbers. */
typedef enum ParquetCodec {
    PARQUET_UNCOMPRESSED = 0,
    PARQUET_SNAPPY = 1,
    PARQUET_GZIP = 2,
    PARQUET_ZSTD = 6
} ParquetCodec;

/* Contexts that are kept between pages; used by one thread. */
typedef Compressor Codec;

static inline Codec *codec_new(void)
{
    return compressor_new();
}

static inline void codec_free(Codec *codec)
{
    compressor_free(codec);
}

/* out is emptied first. Writes UNCOMPRESSED, SNAPPY, GZIP and ZSTD (level 1 … 19). */
SfStatus codec_compress(Codec *codec, ParquetCodec kind, int level, const uint8_t *data, size_t size, Buffer *out,
                        SfError *err);

/* Into exactly `size` bytes; SF_FATAL when the data gives any other number, is damaged, or the codec is not one of
 * these. */
SfStatus codec_decompress(Codec *codec, int kind, const uint8_t *data, size_t packed, uint8_t *out, size_t size,
                          SfError *err);

#endif
