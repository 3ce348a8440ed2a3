/* The keys that one kind of JSON object may have, and which fields each of them feeds. Events of one producer have
 * their keys in one order, so every key remembers which one followed it, and the next event is first compared with
 * that. */
#ifndef JSON_DECODE_LEVEL_H
#define JSON_DECODE_LEVEL_H

#include <string.h>
#include "field.h"
#include "json/scan.h"

typedef struct Level Level;
typedef struct Items Items;

/* A field of several paths, and which of them leads here. */
typedef struct Candidate {
    Field *field;
    guint path;
} Candidate;

/* What becomes of a value. */
typedef struct Node {
    Field *only;        /* the one field, where that is all; mostly so */
    GPtrArray *fields;  /* Field *, borrowed: what the value goes to */
    GArray *candidates; /* of Candidate, or NULL */
    Level *level;       /* of paths that lead through the members of it, or NULL */
    Items *items;       /* of paths that lead through the elements of it, or NULL */
    bool strict;        /* some field below has no other path: the value has to be of that kind */
    char *name;         /* for messages: "items[0]" */
} Node;

/* The elements that one kind of list may have, and what becomes of each. */
struct Items {
    GArray *items;       /* of Item */
    GHashTable *numbers; /* index → number in `items` */
    bool from_end;       /* some are counted from there */
};

typedef struct Item {
    int64_t index; /* as in JsonPathStep */
    Node node;
} Item;

typedef struct Key {
    char quoted[16]; /* the key and its closing quote, where that is all; compared under the mask at once */
    unsigned mask;   /* 0: longer than that, or not written as it is */
    uint32_t next;   /* number of the key that followed last time */
    char *name;
    size_t size;
    Node node;
} Key;

struct Level {
    GArray *keys; /* of Key; what follows points into it */
    Key *first;
    uint32_t n;
    uint32_t start;  /* the key that an object began with last time */
    uint32_t *slots; /* by hash: number of the key + 1, 0: free */
    uint32_t slot_mask;
    uint64_t *seen;      /* in the object under way: a bit a key */
    uint32_t missing;    /* in the object under way: keys that have not been seen */
    GPtrArray *deferred; /* Field *, borrowed: those of several paths, decoded at the end of the object; or NULL */
    Node whole;          /* of the outermost level: what `from $` asks for */
};

/* Of all these fields (Field *, borrowed), and of the structs inside. */
Level *level_new(const GPtrArray *fields);
void level_free(Level *level);

/* Number of the key, or -1. */
int64_t level_find(const Level *level, const char *name, size_t size);

static inline void level_begin(Level *level)
{
    memset(level->seen, 0, ((size_t) level->n + 63) / 64 * sizeof *level->seen);
    level->missing = level->n;
    for (guint i = 0; level->deferred && i < level->deferred->len; i++) {
        Field *field = g_ptr_array_index(level->deferred, i);
        memset(field->found, 0, field->paths->len * sizeof *field->found);
    }
}

/* Whether this is the first time in this object. */
static inline bool level_see(Level *level, uint32_t key)
{
    uint64_t bit = UINT64_C(1) << (key & 63);
    if (level->seen[key >> 6] & bit)
        return false;
    level->seen[key >> 6] |= bit;
    level->missing--;
    return true;
}

/* Whether the text behind an opening quote is this key and its closing quote. */
static inline bool key_is(const Key *key, const char *p, const char *end)
{
    return (size_t) (end - p) > key->size && p[key->size] == '"' && memcmp(p, key->name, key->size) == 0 &&
           json_scan_plain(p, end) == p + key->size;
}

/* From where a key begins to the value, if this key and its colon stand there with at most one blank, as programs write
 * them, and well before the end; else NULL: take the long way. */
static inline const char *key_pass(const Key *key, const char *p, const char *end)
{
#if JSON_VECTORS
    if (end - p < 32 || *p != '"' || !key->mask)
        return NULL;
    __m128i text = _mm_loadu_si128((const __m128i *) (const void *) (p + 1));
    __m128i want = _mm_loadu_si128((const __m128i *) (const void *) key->quoted);
    unsigned equal = (unsigned) _mm_movemask_epi8(_mm_cmpeq_epi8(text, want));
    p += key->size + 2;
    if ((equal & key->mask) != key->mask || *p != ':')
        return NULL;
    p += 1 + (p[1] == ' ');
    return (unsigned char) *p > ' ' ? p : NULL;
#else
    (void) key, (void) p, (void) end;
    return NULL;
#endif
}

#endif
