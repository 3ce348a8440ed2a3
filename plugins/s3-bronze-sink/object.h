/* One object in the making: the lines of one directory of one open range. They collect in a small buffer and go on to
 * the store from there while they are still in the processor's caches, where the store takes a body piece by piece;
 * otherwise they stay in memory until the range is cut. */
#ifndef BRONZE_OBJECT_H
#define BRONZE_OBJECT_H

#include <string.h>

#include "bronze/entry.h"
#include "bronze/index.h"
#include "compress/compress.h"
#include "row.h"
#include "store/store.h"

/* Memory of objects that are done, for the next ones: fresh pages cost more than the rows that go into them. */
typedef struct Spares {
    GArray *buffers; /* of Spare */
    size_t bytes;
} Spares;

void spares_init(Spares *spares);
void spares_done(Spares *spares);

/* What objects are made of. */
typedef struct Workshop {
    Store *store;
    Spares spares;
    Compressor *compressor; /* of indexes */
    GString *line;          /* of what lies beside, while it is made */
} Workshop;

typedef struct Object {
    int64_t bucket; /* of its directory, see layout_bucket() */
    int64_t first;  /* positions of its first and last row */
    int64_t last;
    int64_t rows;
    char *data; /* lines, each with its '\n', that the draft does not have */
    size_t size;
    size_t room;
    size_t expected; /* bytes that it will have, by a guess */
    Workshop *workshop;
    size_t unit;       /* bytes that go to the store at once, before it is sealed; 0: none */
    bool packs;        /* they are compressed */
    int level;         /* by this level */
    StoreDraft *draft; /* NULL: all is in memory */
    Pack *pack;        /* NULL: nothing is compressed yet */
    size_t passed_on;  /* bytes of lines that went to either */
    size_t drafted;    /* bytes that went to the draft */
    uint32_t crc32;    /* of the draft; sealed: of all that is stored */
    char *key;
    IndexWriter index;
    char *index_text;                    /* sealed: what it became */
    GBytes *body;                        /* set when it is sealed: what is to be stored behind the draft */
    struct Object *beside[BESIDE_KINDS]; /* with the keys and headers of its rows, or NULL */
} Object;

/* Takes the key over. */
Object *object_new(char *key, int64_t bucket, int64_t first, Workshop *workshop, const Layout *layout, size_t expected);
/* Another one beside it, with as many lines. Takes the key over. */
void object_put_beside(Object *object, Beside kind, char *key, const Layout *layout);
void object_free(Object *object);

/* Makes room for so many more bytes. false: no memory. */
bool object_reserve(Object *object, size_t more);

/* Copies a value with line breaks turned into blanks. */
void object_copy_flat(char *to, const char *from, size_t size);

static inline bool object_append(Object *object, const LayoutRow *row, int64_t position)
{
    size_t size = (size_t) row->size;
    if (G_UNLIKELY(object->room - object->size <= size) && !object_reserve(object, size + 1))
        return false;
    char *end = object->data + object->size;
    if (G_UNLIKELY(row->breaks))
        object_copy_flat(end, row->data, size);
    else if (size > 0)
        memcpy(end, row->data, size);
    end[size] = '\n';
    object->size += size + 1;
    object->last = position;
    object->rows++;
    IndexRow of = {.position = position, .time_us = row->record_us, .null = row->null, .breaks = row->lines};
    return index_add(&object->index, &of);
}

/* After object_append(), where something lies beside it: the line there. false: no memory. */
bool object_append_beside(Object *object, Beside kind, const GString *line);

/* Ends it and what lies beside it: compresses what is left, where it is to be compressed, and counts the checksum.
 * What is in memory becomes the body. */
SfStatus object_seal(Object *object, SfError *err);

/* Bytes of memory that it holds. */
size_t object_held(const Object *object);

/* Bytes of its lines; sealed: of what is stored. */
static inline size_t object_bytes(const Object *object)
{
    return object->body ? object->drafted + g_bytes_get_size(object->body) : object->passed_on + object->size;
}

/* What a ledger entry says of a sealed one. Its texts are borrowed. */
static inline EntryObject object_entry(const Object *object)
{
    EntryObject entry = {.key = object->key,
                         .first = object->first,
                         .last = object->last,
                         .rows = object->rows,
                         .bytes = (int64_t) object_bytes(object),
                         .crc32 = object->crc32,
                         .index = object->index_text};
    for (int i = 0; i < BESIDE_KINDS; i++) {
        const Object *beside = object->beside[i];
        if (beside)
            entry.beside[i] = (EntryBeside){beside->key, (int64_t) object_bytes(beside), beside->crc32};
    }
    return entry;
}

#endif
