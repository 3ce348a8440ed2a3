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

#include "target.h"

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

static inline const Source *column_source(const Model *model, const Column *column)
{
    return &g_array_index(model->sources, Source, column->source);
}

/* The table's column that has model_provenance[number]; where `provenance` is true, every table has them. */
gint64 target_provenance(const Model *model, const Target *target, gsize number);

/* Whether some table may lose rows. */
bool model_deletes(const Model *model);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Model, model_free)

#endif
