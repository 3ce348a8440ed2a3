/* Page compression. */
#ifndef KIT_PARQUET_CODEC_H
#define KIT_PARQUET_CODEC_H

#include <stdbool.h>
#include <sf/error.h>
#include "buffer.h"

/* CompressionCodec, by the format's numbers. */
typedef enum ParquetCodec {
    PARQUET_UNCOMPRESSED = 0,
    PARQUET_SNAPPY = 1,
    PARQUET_GZIP = 2,
    PARQUET_ZSTD = 6
} ParquetCodec;

/* Contexts that are kept between pages; used by one thread. */
typedef struct Codec Codec;

Codec *codec_new(void);
void codec_free(Codec *codec);

/* out is emptied first. Writes UNCOMPRESSED, SNAPPY and ZSTD (level 1 … 19). */
SfStatus codec_compress(Codec *codec, ParquetCodec kind, int level, const uint8_t *data, size_t size, Buffer *out,
                        SfError *err);

/* Into exactly `size` bytes; SF_FATAL when the data gives any other number, is corrupt, or the codec is none of
 * ours. */
SfStatus codec_decompress(Codec *codec, int kind, const uint8_t *data, size_t packed, uint8_t *out, size_t size,
                          SfError *err);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Codec, codec_free)

#endif
