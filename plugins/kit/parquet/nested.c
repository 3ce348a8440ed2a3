/* Record shredding: each leaf of a nested column is walked by itself, row by row, down the path that leads to it. */
#include "nested.h"
#include "pages.h"

typedef struct Path {
    size_t depth;
    const ParquetNode *nodes[SF_SCHEMA_MAX_DEPTH + 2]; /* from the column down to the leaf */
    SfColumn views[SF_SCHEMA_MAX_DEPTH + 2];
    ColumnWriter *column;
    Scratch *scratch;
    size_t held;   /* values in scratch->index */
    int64_t bytes; /* of them */
    bool missing;  /* a null where the schema has none */
} Path;

static void find_path(Path *path, const ParquetNode *node, const struct ArrowArray *array, int64_t offset, size_t leaf)
{
    path->nodes[path->depth] = node;
    parquet_column_view(node, array, offset, &path->views[path->depth]);
    int64_t inner = node->type == SF_STRUCT ? path->views[path->depth].offset : 0;
    path->depth++;
    if (node->n_children == 0)
        return;
    size_t number;
    const ParquetNode *child = parquet_node_toward(node, leaf, &number);
    find_path(path, child, array->children[number], inner, leaf);
}

static void add_level(Path *path, unsigned rep, unsigned def)
{
    buffer_add_byte(&path->column->defs, (uint8_t) def);
    if (path->column->leaf->max_rep > 0)
        buffer_add_byte(&path->column->reps, (uint8_t) rep);
}

static void flush_values(Path *path)
{
    if (path->held > 0)
        column_writer_add_values(path->column, path->scratch, &path->views[path->depth - 1], path->scratch->index, 0,
                                 path->held);
    path->column->page_levels = (int64_t) path->column->defs.size;
    path->held = 0;
    path->bytes = 0;
}

static void nested_add_value(Path *path, int64_t at)
{
    if (path->column->leaf->physical == PARQUET_BYTE_ARRAY)
        path->bytes += sf_bytes(&path->views[path->depth - 1], at).size;
    path->scratch->index[path->held++] = (int32_t) at;
    if (path->held == SLICE_VALUES)
        flush_values(path);
}

static void shred(Path *path, size_t depth, int64_t at, unsigned rep, unsigned def)
{
    const ParquetNode *node = path->nodes[depth];
    const SfColumn *view = &path->views[depth];
    if (sf_is_null(view, at)) {
        path->missing |= !node->nullable;
        add_level(path, rep, def);
        return;
    }
    if (depth + 1 == path->depth) {
        add_level(path, rep, node->max_def);
        nested_add_value(path, at);
    } else if (node->type == SF_STRUCT) {
        shred(path, depth + 1, at, rep, node->max_def);
    } else {
        int64_t first;
        int64_t n = sf_list(view, at, &first);
        if (n == 0)
            add_level(path, rep, node->max_def);
        for (int64_t i = 0; i < n; i++)
            shred(path, depth + 1, first + i, i == 0 ? rep : node->max_rep + 1, node->max_def + 1);
    }
}

static SfStatus add_leaf(Path *path, const int32_t *rows, int64_t first, int64_t n, SfError *err)
{
    ColumnWriter *column = path->column;
    for (int64_t i = 0; i < n; i++) {
        shred(path, 0, rows ? rows[i] : first + i, 0, 0);
        column->page_rows++;
        if (path->held < SLICE_VALUES / 2 && path->bytes < SLICE_BYTES && i + 1 < n &&
            column->page_rows < path->scratch->page_rows)
            continue;
        flush_values(path);
        SF_TRY(pages_slice_done(column, path->scratch, err));
    }
    if (path->missing)
        return sf_fail(err, SF_FATAL, "column '%s': a value that may not be null is missing", path->nodes[0]->name);
    return SF_OK;
}

SfStatus nested_add(const ParquetNode *node, const struct ArrowArray *array, int64_t offset, ColumnWriter *columns,
                    Scratch *scratch, const int32_t *rows, int64_t first, int64_t n, SfError *err)
{
    for (size_t i = 0; i < node->n_leaves; i++) {
        Path path = {.column = &columns[i], .scratch = scratch};
        find_path(&path, node, array, offset, node->leaf + i);
        SF_TRY(add_leaf(&path, rows, first, n, err));
    }
    return SF_OK;
}
