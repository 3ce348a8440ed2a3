/* Parquet's RLE / bit-packing hybrid: levels and dictionary indices
 * (parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid"). */
#ifndef KIT_PARQUET_HYBRID_H
#define KIT_PARQUET_HYBRID_H

#include <stdbool.h>
#include "buffer.h"

/* Bits that hold 0 … max. */
static inline unsigned hybrid_width(uint32_t max)
{
    return max ? 32u - (unsigned) __builtin_clz(max) : 0;
}

/* Appends n values of `width` bits; no length, no width byte. */
void hybrid_encode(const uint32_t *values, size_t n, unsigned width, Buffer *out);

/* Appends n times the same value. */
void hybrid_encode_run(uint32_t value, size_t n, unsigned width, Buffer *out);

typedef struct HybridReader {
    const uint8_t *at;
    const uint8_t *end;
    unsigned width;
    uint64_t run; /* repeats of `value` that are left */
    uint32_t value;
    uint64_t literal; /* bit-packed values that are left */
    uint64_t bit;     /* position of the next one from `at` */
} HybridReader;

/* width ≤ 32. */
void hybrid_reader_init(HybridReader *reader, const uint8_t *data, size_t size, unsigned width);

/* Decodes n values; false when the bytes end before. */
bool hybrid_decode(HybridReader *reader, uint32_t *out, size_t n);

#endif
