/* The RLE / bit-packing hybrid, both ways. */
#include "hybrid.h"

/* A repeat is worth a run of its own when it saves more than the headers around it cost. */
#define RUN_MIN_BITS 48

static inline __attribute__((always_inline)) void pack8(const uint32_t *values, unsigned width, uint8_t *out)
{
    uint64_t bits = 0;
    unsigned held = 0;
    for (unsigned i = 0; i < 8; i++) {
        bits |= (uint64_t) values[i] << held;
        held += width;
        if (held >= 32) {
            uint32_t word = GUINT32_TO_LE((uint32_t) bits);
            memcpy(out, &word, 4);
            out += 4;
            bits >>= 32;
            held -= 32;
        }
    }
    for (; held > 0; held -= 8) {
        *out++ = (uint8_t) bits;
        bits >>= 8;
    }
}

#define PACK_CASE(w)                                                                                                   \
    case w:                                                                                                            \
        for (size_t group = 0; group < groups; group++)                                                                \
            pack8(values + 8 * group, w, out + (size_t) (w) *group);                                                   \
        break;
#define PACK_CASES(w) PACK_CASE(w) PACK_CASE(w + 1) PACK_CASE(w + 2) PACK_CASE(w + 3)

/* One loop a width: the compiler unrolls each. */
static void pack_groups(const uint32_t *values, size_t groups, unsigned width, uint8_t *out)
{
    switch (width) {
        PACK_CASES(1)
        PACK_CASES(5)
        PACK_CASES(9)
        PACK_CASES(13)
        PACK_CASES(17)
        PACK_CASES(21)
        PACK_CASES(25)
        PACK_CASES(29)
    default:
        break;
    }
}

static void add_literal(const uint32_t *values, size_t n, unsigned width, Buffer *out)
{
    if (n == 0)
        return;
    size_t groups = n / 8;
    size_t rest = n % 8;
    size_t bytes = (groups + (rest > 0)) * width;
    buffer_add_varint(out, (uint64_t) (groups + (rest > 0)) << 1 | 1);
    uint8_t *at = buffer_room(out, bytes);
    pack_groups(values, groups, width, at);
    if (rest > 0) {
        uint32_t last[8] = {0};
        memcpy(last, values + 8 * groups, rest * sizeof *last);
        pack_groups(last, 1, width, at + groups * width);
    }
    out->size += bytes;
}

void hybrid_encode_run(uint32_t value, size_t n, unsigned width, Buffer *out)
{
    buffer_add_varint(out, (uint64_t) n << 1);
    value = GUINT32_TO_LE(value);
    buffer_add(out, &value, (width + 7) / 8);
}

static inline bool eight_equal(const uint32_t *values)
{
    uint32_t first = values[0];
    uint32_t differs = 0;
    for (unsigned i = 1; i < 8; i++)
        differs |= values[i] ^ first;
    return differs == 0;
}

void hybrid_encode(const uint32_t *values, size_t n, unsigned width, Buffer *out)
{
    size_t literal = 0; /* where the values that no run has taken begin */
    size_t at = 0;
    while (at + 8 <= n) {
        if (!eight_equal(values + at)) {
            at += 8;
            continue;
        }
        size_t end = at + 8;
        while (end < n && values[end] == values[at])
            end++;
        if (end < n && (end - at) * MAX(width, 1) < RUN_MIN_BITS) {
            at += 8;
            continue;
        }
        add_literal(values + literal, at - literal, width, out);
        hybrid_encode_run(values[at], end - at, width, out);
        literal = at = end;
    }
    add_literal(values + literal, n - literal, width, out);
}

void hybrid_reader_init(HybridReader *reader, const uint8_t *data, size_t size, unsigned width)
{
    *reader = (HybridReader){.at = data, .end = data + size, .width = width};
}

static bool next_run(HybridReader *reader)
{
    uint64_t header = 0;
    unsigned shift = 0;
    uint8_t byte = 0x80;
    for (; (byte & 0x80) && shift < 63; shift += 7) {
        if (reader->at >= reader->end)
            return false;
        byte = *reader->at++;
        header |= (uint64_t) (byte & 0x7F) << shift;
    }
    if (byte & 0x80)
        return false;
    if (header & 1) {
        reader->literal = (header >> 1) > UINT64_MAX / 8 / 32 ? 0 : (header >> 1) * 8;
        reader->bit = 0;
        return reader->literal > 0 || (header >> 1) == 0;
    }
    size_t bytes = (reader->width + 7) / 8;
    if ((size_t) (reader->end - reader->at) < bytes)
        return false;
    reader->value = 0;
    memcpy(&reader->value, reader->at, bytes);
    reader->value = GUINT32_FROM_LE(reader->value);
    reader->at += bytes;
    reader->run = header >> 1;
    return true;
}

/* Value number i of a bit-packed run; reads at most the 8 bytes it lies in, and none past the end. */
static inline uint32_t unpack(const HybridReader *reader, uint64_t bit)
{
    const uint8_t *at = reader->at + bit / 8;
    uint64_t word = 0;
    size_t left = (size_t) (reader->end - at);
    memcpy(&word, at, MIN(left, 8));
    return (uint32_t) ((GUINT64_FROM_LE(word) >> (bit % 8)) & ((UINT64_C(1) << reader->width) - 1));
}

static size_t decode_literal(HybridReader *reader, uint32_t *out, size_t n)
{
    size_t count = (size_t) MIN((uint64_t) n, reader->literal);
    if (reader->width > 0) {
        /* Writers may leave out the padding of the last group: what is there counts. */
        uint64_t bits = (uint64_t) (reader->end - reader->at) * 8;
        uint64_t there = bits > reader->bit ? (bits - reader->bit) / reader->width : 0;
        count = (size_t) MIN((uint64_t) count, there);
    }
    for (size_t i = 0; i < count; i++)
        out[i] = unpack(reader, reader->bit + i * reader->width);
    reader->bit += (uint64_t) count * reader->width;
    reader->literal -= count;
    if (reader->literal == 0)
        reader->at += reader->bit / 8;
    return count;
}

bool hybrid_decode(HybridReader *reader, uint32_t *out, size_t n)
{
    while (n > 0) {
        size_t count;
        if (reader->run > 0) {
            count = (size_t) MIN((uint64_t) n, reader->run);
            for (size_t i = 0; i < count; i++)
                out[i] = reader->value;
            reader->run -= count;
        } else if (reader->literal > 0) {
            count = decode_literal(reader, out, n);
            if (count == 0)
                return false;
        } else {
            if (!next_run(reader))
                return false;
            continue;
        }
        out += count;
        n -= count;
    }
    return true;
}
