/* Entries of bronze's ledger (docs/internals/bronze-ledger.md): how one range was cut, for ever. Who writes objects
 * creates one before them; who reads objects finds by it which there are and what is in them. */
#ifndef KIT_BRONZE_ENTRY_H
#define KIT_BRONZE_ENTRY_H

#include "beside.h"
#include "layout.h"

#define ENTRY_MAX (INT64_C(64) << 20) /* bytes of one */

/* An object beside another one. */
typedef struct EntryBeside {
    char *key; /* NULL: there is none */
    int64_t bytes;
    uint32_t crc32;
} EntryBeside;

typedef struct EntryObject {
    char *key; /* below the store's URL */
    int64_t first;
    int64_t last;
    int64_t rows;
    int64_t bytes;
    uint32_t crc32; /* of the bytes as they are stored */
    char *index;    /* of its rows (index.h), not looked at yet; NULL: of an earlier version, which did not keep it */
    EntryBeside beside[BESIDE_KINDS];
} EntryObject;

/* As it was read. Numbers are not negative, start < end, first ≤ last; keys are foreign text, not looked at yet. */
typedef struct Entry {
    char *step;
    char *split;  /* its name; NULL: of an earlier version, which did not keep it */
    char *origin; /* of its split; NULL: not known */
    char *topic;
    int32_t partition;
    int64_t start;
    int64_t end;
    int64_t rejected;
    GArray *objects; /* of EntryObject, in the order of their first rows within a directory */
    Layout layout;
    GBytes *body;
} Entry;

/* What a new one says. All borrowed. */
typedef struct EntryDraft {
    const char *pipeline;
    const char *step;
    const char *split;
    const char *topic;
    int32_t partition;
    const char *origin; /* NULL: not known */
    int64_t start;
    int64_t end;
    const char *reason;
    int64_t rejected;
    const GArray *objects; /* of EntryObject */
    const Layout *layout;
    const char *writer;
} EntryDraft;

GBytes *entry_write(const EntryDraft *draft);

/* NULL and SF_CONFIG: the bytes are not an entry that this version can use. `key` is for the message. */
Entry *entry_read(GBytes *body, const char *key, SfError *err);
void entry_free(Entry *entry);

/* Whether both cut the same range into the same objects. */
bool entry_same_cut(const Entry *a, const Entry *b);

/* The entry with other rows, bytes and checksums: one of `now` for each of its objects; negative rows: as it was. */
GBytes *entry_amended(const Entry *entry, const EntryObject *now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Entry, entry_free)

#endif
