/* Row filters: asks keep_row for every row, keeps what it says. */
#include "rowfilter.h"
#include <glib.h>
#include "column.h"

bool rowfilter_is(const SfTransform *transform)
{
    return transform->keep_row && !transform->apply;
}

/* "$column" is the value of the option `column`, anything else the column's own name. NULL: no such option, or not
 * given. */
static const char *column_name(const SfTransform *transform, const SfNode *node, const SfNeed *need)
{
    if (need->name[0] != '$')
        return need->name;
    const char *row = (const char *) transform->head.options;
    for (; row && ((const SfOption *) row)->field; row += transform->head.option_size) {
        const SfOption *option = (const SfOption *) row;
        if (option->type == SF_OPTION_TYPE_STRING && g_strcmp0(option->field, need->name + 1) == 0)
            return G_STRUCT_MEMBER(const char *, node->state, option->offset);
    }
    return NULL;
}

static SfStatus find_need(const SfTransform *transform, const SfNode *node, const struct ArrowSchema *in,
                          const SfNeed *need, int64_t *number, SfError *err)
{
    const char *name = column_name(transform, node, need);
    if (!name)
        return sf_fail(err, SF_CONFIG, "option '%s', which names a column, is missing", need->name + 1);
    SfStatus status = column_require(in, name, need->type, number, err);
    return status != SF_OK && need->name[0] == '$' ? sf_fail_prefix(err, status, "%s", need->name + 1) : status;
}

SfStatus rowfilter_bind(const SfTransform *transform, SfNode *node, const struct ArrowSchema *in, SfError *err)
{
    int64_t number;
    for (const SfNeed *need = transform->needs; need && need->name; need++)
        SF_TRY(find_need(transform, node, in, need, &number, err));
    return SF_OK;
}

static SfStatus find_columns(const SfTransform *transform, const SfNode *node, const SfBatch *batch, GArray *columns,
                             SfError *err)
{
    for (const SfNeed *need = transform->needs; need && need->name; need++) {
        int64_t number;
        SfColumn column;
        SF_TRY(find_need(transform, node, batch->schema, need, &number, err));
        SF_TRY(sf_column_at(batch, number, &column, err));
        g_array_append_val(columns, column);
    }
    return SF_OK;
}

SfStatus rowfilter_apply(const SfTransform *transform, SfNode *node, const SfBatch *in, SfBatch *out, SfError *err)
{
    g_autoptr(GArray) columns = g_array_new(FALSE, FALSE, sizeof(SfColumn));
    SF_TRY(find_columns(transform, node, in, columns, err));
    const SfColumn *views = (const SfColumn *) (gpointer) columns->data;
    gint64 length = sf_rows(in);
    g_autofree guint8 *keep = g_try_malloc0((gsize) length / 8 + 1);
    if (!keep)
        return sf_fail(err, SF_FATAL, "out of memory for a batch of %" G_GINT64_FORMAT " rows", length);
    for (gint64 row = 0; row < length; row++)
        if (transform->keep_row(node, views, row))
            keep[row >> 3] |= (guint8) (1u << (row & 7));
    return sf_batch_keep(in, keep, out, err);
}
