/* Checks whole batches, down to the last byte: what a foreign reader's full validation would find, for any plugin's
 * test. */
#include "rows.h"

#include "int128.h"

static G_NORETURN void wrong(const SfColumn *column, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void wrong(const SfColumn *column, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_error("column '%s': %s", column->schema->name, text);
}

static void check_nulls(const SfColumn *column)
{
    gint64 nulls = 0;
    for (gint64 row = 0; row < column->length; row++)
        nulls += sf_is_null(column, row);
    gint64 said = column->array->null_count;
    if (said > 0 && !column->array->buffers[0])
        wrong(column, "%" G_GINT64_FORMAT " nulls are said to be there, without a bitmap", said);
    if (said >= 0 && nulls != said && column->length == column->array->length)
        wrong(column, "%" G_GINT64_FORMAT " nulls, %" G_GINT64_FORMAT " are said to be there", nulls, said);
}

static void check_ends(const SfColumn *column, gint64 most)
{
    const gint32 *ends = (const gint32 *) column->values + column->offset;
    if (column->length == 0)
        return;
    if (ends[0] < 0)
        wrong(column, "the first end is %d", ends[0]);
    for (gint64 row = 0; row < column->length; row++)
        if (ends[row + 1] < ends[row])
            wrong(column, "end %d follows %d in row %" G_GINT64_FORMAT, ends[row + 1], ends[row], row);
    if (most >= 0 && ends[column->length] > most)
        wrong(column, "the last end is %d, of %" G_GINT64_FORMAT, ends[column->length], most);
}

static void check_view(const SfColumn *column, gint64 row)
{
    gint64 n = column->array->n_buffers - 3;
    const gint64 *sizes = column->array->buffers[column->array->n_buffers - 1];
    gint32 words[4];
    memcpy(words, (const char *) column->values + 16 * (row + column->offset), sizeof words);
    if (words[0] < 0)
        wrong(column, "a view of %d bytes in row %" G_GINT64_FORMAT, words[0], row);
    if (words[0] <= 12)
        return;
    if (words[2] < 0 || words[2] >= n || words[3] < 0 || (gint64) words[3] + words[0] > sizes[words[2]])
        wrong(column, "a view of %d bytes at %d is not within buffer %d of %" G_GINT64_FORMAT, words[0], words[3],
              words[2], n);
    if (memcmp(&words[1], (const char *) column->view_data[words[2]] + words[3], 4) != 0)
        wrong(column, "the prefix of the view in row %" G_GINT64_FORMAT " is not that of its bytes", row);
}

static void check_bytes(const SfColumn *column)
{
    if (!column->view)
        check_ends(column, -1);
    for (gint64 row = 0; row < column->length; row++) {
        if (sf_is_null(column, row))
            continue;
        if (column->view)
            check_view(column, row);
        SfBytes bytes = sf_bytes(column, row);
        if (column->type == SF_UTF8 && !sf_is_utf8(bytes.data, bytes.size))
            wrong(column, "no UTF-8 in row %" G_GINT64_FORMAT, row);
    }
}

static void check_decimal(const SfColumn *column)
{
    Uint128 limit = 1;
    for (gint32 i = 0; i < column->precision; i++)
        limit *= 10;
    for (gint64 row = 0; row < column->length; row++) {
        Uint128 size = int128_size(int128_of_decimal(sf_decimal(column, row)));
        if (!sf_is_null(column, row) && size >= limit)
            wrong(column, "more than %d digits in row %" G_GINT64_FORMAT, column->precision, row);
    }
}

/* Nulls where there may be none, unless the struct that they belong to is null itself. */
static void check_required(const SfColumn *column, const SfColumn *parent)
{
    if (column->schema->flags & ARROW_FLAG_NULLABLE)
        return;
    bool members = parent && parent->type == SF_STRUCT;
    for (gint64 row = 0; row < column->length; row++)
        if (sf_is_null(column, row) && !(members && sf_is_null(parent, row)))
            wrong(column, "null in row %" G_GINT64_FORMAT ", which the schema forbids", row);
}

static void check_column(const SfColumn *column, const SfColumn *parent)
{
    check_nulls(column);
    check_required(column, parent);
    if (column->type == SF_UTF8 || column->type == SF_BINARY)
        check_bytes(column);
    if (column->type == SF_DECIMAL128)
        check_decimal(column);
    for (gint64 i = 0; i < column->array->n_children; i++) {
        SfColumn child;
        SfError err;
        if (sf_column_child(column, i, &child, &err) != SF_OK)
            g_error("%s", err.message);
        if (column->type == SF_LIST)
            check_ends(column, child.length);
        check_column(&child, column);
    }
}

void rows_assert_valid(const struct ArrowSchema *schema, const struct ArrowArray *rows)
{
    SfColumn root;
    SfError err;
    if (sf_column_view(schema, rows, &root, &err) != SF_OK)
        g_error("%s", err.message);
    if (rows->offset != 0 || rows->null_count > 0)
        g_error("the struct of columns has an offset or nulls of its own");
    for (gint64 i = 0; i < rows->n_children; i++)
        if (rows->children[i]->length != rows->length)
            g_error("column '%s' has %" G_GINT64_FORMAT " rows, the batch %" G_GINT64_FORMAT, schema->children[i]->name,
                    rows->children[i]->length, rows->length);
    check_column(&root, NULL);
}
