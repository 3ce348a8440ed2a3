/* The star schema that a pipeline declares: tables, their columns, keys and what decides between two rows of one
 * key. Read from the YAML and checked against the inputs' schemas; no I/O, no SQL.
 *
 *   dimensions:
 *     dim_customer: {key: customer_id, columns: [customer_name, region]}
 *   facts:
 *     fact_sales:
 *       key: order_id                      # one column or a list
 *       latest_by: [_timestamp]            # compared in order; the greater wins, null loses
 *       columns:
 *         order_date:                      # the input's column of that name
 *         sales_amount: sales              # renamed
 *         note: {from: comment, type: varchar(200)}   # with a type of the database's
 *
 * A list of columns may mix names and one-pair maps; without `columns` a fact has all of its input, a dimension its
 * key. Key and latest_by columns are always there. A fact gets the keys of all dimensions (or of those that its own
 * `dimensions` names), so that it joins. Provenance: _topic, _partition, _offset and _timestamp in every table; they
 * are what makes the winner of two rows the same in whatever order and batches they come.
 *
 * Deletes: a row for which `delete_when` holds takes its key's row out of the table, if that is not newer. It is kept
 * in a table of its own, sf_deleted_<table>, so that an older row that comes later brings nothing back. So is a
 * tombstone, which is what a row with true in a column _tombstone is, for every table that it has a key of. Rows for
 * which `skip_when` holds are not for this table. */
#ifndef GOLD_MODEL_H
#define GOLD_MODEL_H

#include <glib.h>
#include <sf/sf.h>
#include "names.h"
#include "when.h"

/* A column of the input that some table needs. */
typedef struct Source {
    const char *name;
    SfType type;
    int32_t precision; /* decimal128 only, likewise scale */
    int32_t scale;
    bool nullable;
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

typedef struct Model {
    GPtrArray *targets;    /* Target *: dimensions first */
    NameSet *tables;       /* their names → their numbers */
    GArray *sources;       /* Source */
    NameSet *source_names; /* exact → their numbers */
    guint n_dimensions;
    bool provenance;
    gint64 tombstone; /* the source that tells a tombstone, or -1 */
    GStringChunk *text;
} Model;

typedef struct ModelInput {
    const struct ArrowSchema *schema;
    const char *name;       /* "sales": for messages */
    const NameSet *columns; /* of the schema, by model_columns() */
} ModelInput;

/* Names that differ by nothing but A to Z are one in SQLite, and in the others when people write them without quotes:
 * so no two of a pipeline may. All other letters are told apart by all of them. */
#define MODEL_NAMES NAMES_ASCII

/* The schema's columns by their exact names; free by g_hash_table_unref. */
NameSet *model_columns(const struct ArrowSchema *schema);

/* _topic, _partition, _offset, _timestamp; ends with NULL. */
extern const char *const model_provenance[];

/* Either tree may be NULL, not both. */
Model *model_new(const SfValue *dimensions, const SfValue *facts, bool provenance, const ModelInput *input,
                 SfError *err);
void model_free(Model *model);

/* Finds the sources in an input: numbers[i] is the schema's column of source i. SF_CONFIG where one is missing or,
 * in a further input, of another type. */
SfStatus model_match(const Model *model, const ModelInput *input, gint64 *numbers, SfError *err);

static inline const Column *target_column(const Target *target, guint number)
{
    return &g_array_index(target->columns, Column, number);
}

static inline const Source *column_source(const Model *model, const Column *column)
{
    return &g_array_index(model->sources, Source, column->source);
}

/* Whether some table may lose rows. */
bool model_deletes(const Model *model);

/* views: one a source of the model. */
Fate target_fate(const Model *model, const Target *target, const SfColumn *views, int64_t row);

/* For the model, which keeps a copy of `table`. */
Target *target_new(Model *model, const char *table, bool is_fact, const SfValue *place);
void target_free(Target *target);

/* The table of the target's deleted keys. NULL: one of them has the name of a column of its own. */
Target *target_deleted(Model *model, const Target *target, SfError *err);

/* Appends a column of a name that no other has; returns its number. */
guint target_add(Target *target, Column column);

/* The number of the column of that name by MODEL_NAMES, or of the first one that is filled from the source; or -1. */
gint64 target_find(const Target *target, const char *name);
gint64 target_find_source(const Target *target, guint source);

bool target_is_key(const Target *target, guint column);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Model, model_free)

#endif
