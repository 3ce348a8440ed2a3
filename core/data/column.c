/* Typed views of columns: found by name or number, checked once against the schema, then read inline by column.h. */
#include "column.h"
#include <glib.h>
#include <sf/value.h>
#include "type.h"

static SfStatus misfit(const SfField *field, const struct ArrowArray *array, SfError *err)
{
    return sf_fail(err, SF_FATAL,
                   "column '%s': an array of %" G_GINT64_FORMAT " buffers and %" G_GINT64_FORMAT
                   " children is not a valid %s",
                   field->name, array->n_buffers, array->n_children, sf_type_name(field->type));
}

static bool buffers_fit(const SfField *field, const struct ArrowArray *array)
{
    gint64 least = field->type == SF_STRUCT ? 1 : type_has_bytes(field->type) ? 3 : 2;
    if (field->view ? array->n_buffers < least : array->n_buffers != least)
        return false;
    return array->n_children == (gint64) field->n_children && array->offset >= 0 && array->length >= 0;
}

SfStatus sf_column_view(const struct ArrowSchema *schema, const struct ArrowArray *array, SfColumn *out, SfError *err)
{
    SfField field;
    SF_TRY(sf_schema_field(schema, &field, err));
    if (!array->release || !buffers_fit(&field, array))
        return misfit(&field, array, err);
    SfColumn column = {.type = field.type,
                       .precision = field.precision,
                       .scale = field.scale,
                       .view = field.view,
                       .length = array->length,
                       .offset = array->offset,
                       .validity = array->null_count == 0 ? NULL : array->buffers[0],
                       .schema = schema,
                       .array = array};
    if (field.type != SF_STRUCT)
        column.values = array->buffers[1];
    if (field.view)
        column.view_data = array->buffers + 2;
    else if (type_has_bytes(field.type))
        column.data = array->buffers[2];
    if (column.length > 0 && field.type != SF_STRUCT && !column.values)
        return misfit(&field, array, err);
    *out = column;
    return SF_OK;
}

SfStatus sf_column_at(const SfBatch *batch, int64_t column, SfColumn *out, SfError *err)
{
    if (column < 0 || column >= batch->schema->n_children || column >= batch->rows.n_children)
        return sf_fail(err, SF_FATAL, "there is no column %" G_GINT64_FORMAT " in a batch of %" G_GINT64_FORMAT, column,
                       batch->schema->n_children);
    return sf_column_view(batch->schema->children[column], batch->rows.children[column], out, err);
}

static SfStatus not_found(const struct ArrowSchema *schema, const char *name, SfError *err)
{
    g_autofree const char **names = g_new(const char *, schema->n_children + 1);
    for (gint64 i = 0; i < schema->n_children; i++)
        names[i] = schema->children[i]->name;
    char near[128];
    return sf_fail(err, SF_CONFIG, "there is no column '%s'%s", name,
                   sf_suggest(name, names, (size_t) schema->n_children, near, sizeof near));
}

SfStatus column_require(const struct ArrowSchema *schema, const char *name, SfType type, int64_t *number, SfError *err)
{
    int64_t found = sf_schema_find(schema, name);
    if (found < 0)
        return not_found(schema, name, err);
    SfField field;
    SF_TRY(sf_schema_field(schema->children[found], &field, err));
    if (field.type != type) {
        char described[128];
        sf_schema_describe(schema->children[found], described, sizeof described);
        return sf_fail(err, SF_CONFIG, "column '%s' is %s, where %s is expected", name, described, sf_type_name(type));
    }
    *number = found;
    return SF_OK;
}

SfStatus sf_column(const SfBatch *batch, const char *name, SfType type, SfColumn *out, SfError *err)
{
    int64_t number = -1; /* gcc 12 at -O3 cannot see that it is set */
    SF_TRY(column_require(batch->schema, name, type, &number, err));
    return sf_column_at(batch, number, out, err);
}

SfStatus sf_column_child(const SfColumn *column, int64_t child, SfColumn *out, SfError *err)
{
    if (child < 0 || child >= column->array->n_children)
        return sf_fail(err, SF_FATAL, "column '%s' has no child %" G_GINT64_FORMAT, column->schema->name, child);
    SfColumn made;
    SF_TRY(sf_column_view(column->schema->children[child], column->array->children[child], &made, err));
    if (column->type == SF_STRUCT) {
        if (made.length < column->offset + column->length)
            return sf_fail(err, SF_FATAL, "member '%s' is shorter than its struct", made.schema->name);
        made.offset += column->offset;
        made.length = column->length;
    }
    *out = made;
    return SF_OK;
}
