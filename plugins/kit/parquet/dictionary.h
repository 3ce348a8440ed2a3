/* Hash tables from values to dictionary indices; the dictionary page's body is the storage of the values. */
#ifndef KIT_PARQUET_DICTIONARY_H
#define KIT_PARQUET_DICTIONARY_H

#include <sf/column.h>
#include "buffer.h"

typedef struct DictionarySlot {
    uint32_t hash; /* byte strings only */
    uint32_t next; /* index + 1; 0: free */
} DictionarySlot;

typedef struct Dictionary {
    Buffer body; /* PLAIN values */
    uint32_t count;
    uint32_t bits;         /* slots: 2^bits */
    uint32_t *slots;       /* numbers: index + 1 */
    DictionarySlot *named; /* byte strings */
    Buffer starts;         /* byte strings: uint32_t offset of each value's bytes in the body */
    uint32_t prefix;       /* bytes of length before each value: 4, or 0 when all have `width` */
    uint32_t width;
    uint64_t seed; /* random: no input can be made to collide */
} Dictionary;

/* Kinds differ in what is put in: the caller sticks to one. width: of fixed byte strings, else 0. */
void dictionary_init(Dictionary *dictionary, bool bytes, uint32_t width);
void dictionary_clear(Dictionary *dictionary); /* keeps memory for the next chunk */
void dictionary_done(Dictionary *dictionary);

/* out[i] = index of value i, added if new. Values are little-endian in memory, as in the page. */
void dictionary_put32(Dictionary *dictionary, const uint32_t *values, size_t n, uint32_t *out);
void dictionary_put64(Dictionary *dictionary, const uint64_t *values, size_t n, uint32_t *out);
void dictionary_put_bytes(Dictionary *dictionary, const SfBytes *values, size_t n, uint32_t *out);

/* Value of an index. */
static inline SfBytes dictionary_bytes(const Dictionary *dictionary, uint32_t index)
{
    const uint32_t *starts = (const uint32_t *) (const void *) dictionary->starts.data;
    size_t end = index + 1 < dictionary->count ? starts[index + 1] - dictionary->prefix : dictionary->body.size;
    return (SfBytes){(const char *) dictionary->body.data + starts[index], (int64_t) (end - starts[index])};
}

static inline uint64_t dictionary_load64(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

static inline uint64_t dictionary_load32(const char *at)
{
    uint32_t word;
    memcpy(&word, at, 4);
    return word;
}

/* Whether the texts at both places are equal, as words of `width` bytes: one at their beginning, one at their end. */
#define DICTIONARY_SAME(width, a, b, size)                                                                             \
    (((dictionary_load##width(a) ^ dictionary_load##width(b)) |                                                        \
      (dictionary_load##width((a) + (size) - (width) / 8) ^ dictionary_load##width((b) + (size) - (width) / 8))) == 0)

static inline bool dictionary_same(SfBytes a, SfBytes b)
{
    size_t size = (size_t) a.size;
    if (a.size != b.size)
        return false;
    if (size >= 8 && size <= 16)
        return DICTIONARY_SAME(64, a.data, b.data, size);
    if (size >= 4 && size < 8)
        return DICTIONARY_SAME(32, a.data, b.data, size);
    return size == 0 || memcmp(a.data, b.data, size) == 0;
}

size_t dictionary_memory(const Dictionary *dictionary);

#endif
