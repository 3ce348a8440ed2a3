/* One commit that puts new files in the place of others, with the same rows. */
#ifndef KIT_DELTA_CARE_REPLACE_H
#define KIT_DELTA_CARE_REPLACE_H

#include "delta/read.h"

typedef struct Replacement {
    GPtrArray *old; /* json_object *: add actions, owned */
    GPtrArray *new; /* DeltaAdd *, owned */
    int64_t rows;
    int64_t old_bytes;
    int64_t new_bytes;
    const char *operation; /* NULL: OPTIMIZE. Borrowed */
    const char *app_id;    /* of a txn that goes with it, with the time in seconds; NULL: none. Borrowed */
    int64_t before;        /* commits that this run has made before */
} Replacement;

void replacement_init(Replacement *replacement);
void replacement_done(Replacement *replacement);

/* Writes it as the version behind the newest, with dataChange = false; the log is then of that version. Appends of
 * others come before it. `open`: identities of all files that this run has listed and not yet replaced, also of those
 * that only a later commit will replace: each version of others is looked at once. SF_FENCED: another writer has
 * changed one of these files, or the table's shape; this commit is not made, and its new files are deleted. */
SfStatus replacement_commit(Replacement *replacement, DeltaLog *log, GHashTable *open, int64_t target, SfError *err);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Replacement, replacement_done)

#endif
