/* Hash tables from values to dictionary indices: open addressing, one loop per width, no allocation per value. */
#include "dictionary.h"

#define FIRST_BITS 5
#define FACTOR UINT64_C(0x9E3779B97F4A7C15)

static size_t slot_size(const Dictionary *dictionary)
{
    return dictionary->named ? sizeof *dictionary->named : sizeof *dictionary->slots;
}

static void *table(const Dictionary *dictionary)
{
    return dictionary->named ? (void *) dictionary->named : (void *) dictionary->slots;
}

void dictionary_init(Dictionary *dictionary, bool bytes, uint32_t width)
{
    *dictionary = (Dictionary){.bits = FIRST_BITS, .prefix = bytes && width == 0 ? 4 : 0, .width = width};
    dictionary->seed = (uint64_t) g_random_int() << 32 | g_random_int();
    if (bytes)
        dictionary->named = g_new0(DictionarySlot, 1u << FIRST_BITS);
    else
        dictionary->slots = g_new0(uint32_t, 1u << FIRST_BITS);
}

void dictionary_clear(Dictionary *dictionary)
{
    if (dictionary->count > 0)
        memset(table(dictionary), 0, slot_size(dictionary) << dictionary->bits);
    dictionary->count = 0;
    dictionary->body.size = 0;
    dictionary->starts.size = 0;
}

void dictionary_done(Dictionary *dictionary)
{
    g_free(dictionary->slots);
    g_free(dictionary->named);
    buffer_done(&dictionary->body);
    buffer_done(&dictionary->starts);
    *dictionary = (Dictionary){0};
}

size_t dictionary_memory(const Dictionary *dictionary)
{
    return dictionary->body.capacity + dictionary->starts.capacity +
           (table(dictionary) ? slot_size(dictionary) << dictionary->bits : 0);
}

static inline uint32_t place(uint64_t value, uint32_t bits)
{
    return (uint32_t) (value * FACTOR >> (64 - bits));
}

static void rehash_numbers(Dictionary *dictionary, bool wide)
{
    dictionary->bits++;
    uint32_t mask = (1u << dictionary->bits) - 1;
    g_free(dictionary->slots);
    dictionary->slots = g_new0(uint32_t, (size_t) mask + 1);
    for (uint32_t i = 0; i < dictionary->count; i++) {
        uint64_t value = wide ? ((const uint64_t *) (const void *) dictionary->body.data)[i]
                              : ((const uint32_t *) (const void *) dictionary->body.data)[i];
        uint32_t at = place(value, dictionary->bits);
        while (dictionary->slots[at])
            at = (at + 1) & mask;
        dictionary->slots[at] = i + 1;
    }
}

static __attribute__((noinline)) uint32_t add_number(Dictionary *dictionary, uint32_t at, const void *value,
                                                     size_t width)
{
    buffer_add(&dictionary->body, value, width);
    dictionary->slots[at] = ++dictionary->count;
    uint32_t index = dictionary->count - 1;
    if (dictionary->count > 1u << (dictionary->bits - 1))
        rehash_numbers(dictionary, width == 8);
    return index;
}

/* Columns that say where rows come from are one value for thousands of rows. */
#define DEFINE_PUT(name, repeats, type)                                                                                \
    static bool repeats(const type *values, size_t n)                                                                  \
    {                                                                                                                  \
        size_t i = 1;                                                                                                  \
        while (i < n && values[i] == values[0])                                                                        \
            i++;                                                                                                       \
        return i == n;                                                                                                 \
    }                                                                                                                  \
                                                                                                                       \
    void name(Dictionary *dictionary, const type *values, size_t n, uint32_t *out)                                     \
    {                                                                                                                  \
        size_t distinct = repeats(values, n) ? 1 : n;                                                                  \
        for (size_t i = 0; i < distinct; i++) {                                                                        \
            type value = values[i];                                                                                    \
            uint32_t mask = (1u << dictionary->bits) - 1;                                                              \
            uint32_t at = place(value, dictionary->bits);                                                              \
            const type *known = (const type *) (const void *) dictionary->body.data;                                   \
            uint32_t next = dictionary->slots[at];                                                                     \
            while (next && known[next - 1] != value) {                                                                 \
                at = (at + 1) & mask;                                                                                  \
                next = dictionary->slots[at];                                                                          \
            }                                                                                                          \
            out[i] = next ? next - 1 : add_number(dictionary, at, &value, sizeof value);                               \
        }                                                                                                              \
        for (size_t i = distinct; i < n; i++)                                                                          \
            out[i] = out[0];                                                                                           \
    }

DEFINE_PUT(dictionary_put32, repeats32, uint32_t)
DEFINE_PUT(dictionary_put64, repeats64, uint64_t)

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128) a * b;
    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

/* Multiply and fold; words overlap at the ends, so no byte loop is needed. */
static inline uint32_t hash_bytes(const char *data, size_t size, uint64_t seed)
{
    uint64_t a;
    uint64_t b;
    uint64_t hash = size * FACTOR ^ seed;
    while (size > 16) {
        hash = fold(hash ^ dictionary_load64(data), dictionary_load64(data + 8) ^ UINT64_C(0xA0761D6478BD642F));
        data += 16;
        size -= 16;
    }
    if (size >= 8) {
        a = dictionary_load64(data);
        b = dictionary_load64(data + size - 8);
    } else if (size >= 4) {
        a = dictionary_load32(data);
        b = dictionary_load32(data + size - 4);
    } else if (size > 0) {
        a = (uint64_t) (uint8_t) data[0] << 16 | (uint64_t) (uint8_t) data[size / 2] << 8 | (uint8_t) data[size - 1];
        b = size;
    } else {
        a = b = 0;
    }
    return (uint32_t) (fold(a ^ hash ^ UINT64_C(0xE7037ED1A0B428DB), b ^ FACTOR) >> 16);
}

static void rehash_bytes(Dictionary *dictionary)
{
    DictionarySlot *old = dictionary->named;
    size_t n = (size_t) 1 << dictionary->bits;
    dictionary->bits++;
    uint32_t mask = (1u << dictionary->bits) - 1;
    dictionary->named = g_new0(DictionarySlot, (size_t) mask + 1);
    for (size_t i = 0; i < n; i++) {
        if (!old[i].next)
            continue;
        uint32_t at = old[i].hash & mask;
        while (dictionary->named[at].next)
            at = (at + 1) & mask;
        dictionary->named[at] = old[i];
    }
    g_free(old);
}

static __attribute__((noinline)) uint32_t add_bytes(Dictionary *dictionary, uint32_t at, uint32_t hash, SfBytes value)
{
    if (dictionary->prefix)
        buffer_add_u32(&dictionary->body, (uint32_t) value.size);
    uint32_t start = (uint32_t) dictionary->body.size;
    buffer_add(&dictionary->starts, &start, sizeof start);
    buffer_add(&dictionary->body, value.data, (size_t) value.size);
    dictionary->named[at] = (DictionarySlot){hash, ++dictionary->count};
    uint32_t index = dictionary->count - 1;
    if (dictionary->count > 1u << (dictionary->bits - 1))
        rehash_bytes(dictionary);
    return index;
}

static bool repeats_bytes(const SfBytes *values, size_t n)
{
    size_t i = 1;
    while (i < n && dictionary_same(values[i], values[0]))
        i++;
    return i == n;
}

void dictionary_put_bytes(Dictionary *dictionary, const SfBytes *values, size_t n, uint32_t *out)
{
    size_t distinct = repeats_bytes(values, n) ? 1 : n;
    for (size_t i = 0; i < distinct; i++) {
        uint32_t mask = (1u << dictionary->bits) - 1;
        uint32_t hash = hash_bytes(values[i].data, (size_t) values[i].size, dictionary->seed);
        uint32_t at = hash & mask;
        DictionarySlot slot = dictionary->named[at];
        while (slot.next &&
               !(slot.hash == hash && dictionary_same(dictionary_bytes(dictionary, slot.next - 1), values[i]))) {
            at = (at + 1) & mask;
            slot = dictionary->named[at];
        }
        out[i] = slot.next ? slot.next - 1 : add_bytes(dictionary, at, hash, values[i]);
    }
    for (size_t i = distinct; i < n; i++)
        out[i] = out[0];
}
