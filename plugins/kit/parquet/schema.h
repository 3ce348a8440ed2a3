/* A Parquet schema as our types see it: the tree that both the writer and the reader walk. */
#ifndef KIT_PARQUET_SCHEMA_H
#define KIT_PARQUET_SCHEMA_H

#include <glib.h>
#include <sf/sf.h>
#include "format.h"
#include "thrift.h"

/* What a column is stored as, where that is not what its rows are. Values that do not fit are the caller's to sort
 * out. */
typedef enum ParquetAs {
    PARQUET_AS_IT_IS,
    PARQUET_AS_INT8, /* of int32; likewise the next two */
    PARQUET_AS_INT16,
    PARQUET_AS_INT64,
    PARQUET_AS_FLOAT,      /* of float64, rounded to the nearest */
    PARQUET_AS_LOCAL_TIME, /* of timestamp: the clock's time in UTC, without a zone */
    PARQUET_AS_MAP         /* of a list of structs of key and value, none of them null but the value */
} ParquetAs;

/* More about a column than its Arrow schema says; children as there. */
typedef struct ParquetHint {
    ParquetAs as;
    int32_t field_id; /* 0: none */
    int32_t pad;      /* texts that have fewer characters are filled up with blanks */
    struct ParquetHint *children;
} ParquetHint;

/* One column or member. max_def and max_rep are the levels of a value that is there; a list's own are those of the list
 * when it is not null (its elements have one more of each). */
typedef struct ParquetNode {
    char *name;
    SfType type;
    bool map;  /* a list of key and value, which Parquet annotates as MAP */
    bool view; /* the Arrow side is a view layout */
    bool nullable;
    ParquetAs as; /* PARQUET_AS_MAP is `map` here */
    int32_t field_id;
    int32_t pad;
    int32_t precision;
    int32_t scale;
    ParquetType physical; /* leaves only */
    int32_t width;        /* bytes of PARQUET_FIXED */
    unsigned max_def;
    unsigned max_rep;
    size_t leaf;     /* number of the first leaf at or below it */
    size_t n_leaves; /* at or below it */
    size_t n_children;
    struct ParquetNode **children; /* list: its element; a map's element is a struct of key and value */
} ParquetNode;

/* From a struct schema. Lists whose name is among `maps` (NULL-terminated, or NULL) are maps; hints: one a column, or
 * NULL. */
ParquetNode *parquet_schema_new(const struct ArrowSchema *schema, const char *const *maps, const ParquetHint *hints,
                                SfError *err);
void parquet_node_free(ParquetNode *node);

/* Leaves in order: nodes without children. */
void parquet_schema_leaves(ParquetNode *root, GPtrArray *out);

/* A ParquetType as the format calls it; of another number, which only groups have: "a group". */
const char *parquet_type_name(int type);

/* FileMetaData.schema: a list of SchemaElements, root first. */
void parquet_schema_encode(const ParquetNode *root, ThriftWriter *writer);

/* The child at or below which that leaf is, and its number (may be NULL), of a node that has it. */
const ParquetNode *parquet_node_toward(const ParquetNode *node, size_t leaf, size_t *number);

/* path_in_schema of each leaf, NULL-terminated: "tags", "list", "element". */
char **parquet_leaf_path(const ParquetNode *root, size_t leaf);

/* A column view over an array that the tree describes; parent_offset is the offset of a struct around it. */
void parquet_column_view(const ParquetNode *node, const struct ArrowArray *array, int64_t parent_offset, SfColumn *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ParquetNode, parquet_node_free)

#endif
