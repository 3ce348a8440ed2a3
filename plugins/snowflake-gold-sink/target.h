/* One table of the star schema: its columns, its key, and what a row is to it. */
#ifndef GOLD_TARGET_H
#define GOLD_TARGET_H

#include <glib.h>
#include <sf/sf.h>
#include "names.h"
#include "when.h"

/* Names that differ by nothing but A to Z are one in SQLite, and in the others when people write them without quotes:
 * so no two of a pipeline may. All other letters are told apart by all of them. */
#define MODEL_NAMES NAMES_ASCII

/* A column of the input that some table needs. */
typedef struct Source {
    const char *name;
    SfType type;
    int32_t precision; /* decimal128 only, likewise scale */
    int32_t scale;
} Source;

typedef struct Column {
    const char *name;     /* in the table */
    const char *override; /* its type in the database's own words, or NULL */
    guint source;         /* number in the model's sources */
} Column;

typedef struct Target Target;

struct Target {
    const char *table;
    bool is_fact;
    const SfValue *place;
    GArray *columns;       /* Column */
    NameSet *names;        /* of the columns → their numbers */
    GHashTable *of_source; /* source → number + 1 of the first column that is filled from it */
    GArray *key;           /* guint: numbers of columns */
    GArray *order;         /* guint: latest_by, then _topic, _partition, _offset */
    guint n_latest;        /* of them, those that `latest_by` names */
    When *delete_when;
    When *skip_when;
    Target *deleted;   /* the table of deleted keys: key and order; NULL: nothing is ever deleted */
    const char *stamp; /* of such a table: its column with the time of the delete */
};

/* What a row is to a table. */
typedef enum Fate { FATE_KEEP, FATE_DELETE, FATE_TOMBSTONE, FATE_SKIP } Fate;

static inline const Column *target_column(const Target *target, guint number)
{
    return &g_array_index(target->columns, Column, number);
}

/* tombstone: the source that tells a tombstone, or -1; views: one a source. */
Fate target_fate(const Target *target, gint64 tombstone, const SfColumn *views, int64_t row);

/* `text` keeps its name. */
Target *target_new(GStringChunk *text, const char *table, bool is_fact, const SfValue *place);
void target_free(Target *target);

/* The table of the target's deleted keys. NULL: one of them has the name of a column of its own. */
Target *target_deleted(GStringChunk *text, const Target *target, SfError *err);

/* Appends a column of a name that no other has; returns its number. */
guint target_add(Target *target, Column column);

/* The number of the column of that name by MODEL_NAMES, or of the first one that is filled from the source; or -1. */
gint64 target_find(const Target *target, const char *name);
gint64 target_find_source(const Target *target, guint source);

bool target_is_key(const Target *target, guint column);

#endif
