/* One commit that puts new files in the place of others, with the same rows. */
#ifndef COMMANDS_TABLE_REPLACE_H
#define COMMANDS_TABLE_REPLACE_H

#include "table.h"

typedef struct Replacement {
    GPtrArray *old; /* json_object *: add actions, owned */
    GPtrArray *new; /* DeltaAdd *, owned */
    int64_t rows;
    int64_t old_bytes;
    int64_t new_bytes;
} Replacement;

void replacement_init(Replacement *replacement);
void replacement_done(Replacement *replacement);

/* Writes it as the version behind the newest, with dataChange = false; the log is then of that version. Appends of
 * others come before it. SF_FENCED: another writer has changed the files that were read, or the table's shape; nothing
 * was changed, and the new files are deleted. */
SfStatus replacement_commit(Replacement *replacement, OpenTable *table, int64_t target, SfError *err);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Replacement, replacement_done)

#endif
