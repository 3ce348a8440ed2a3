/* See sort.h. */
#include "sort.h"

#include "delta/sql.h"

typedef struct SortKey {
    int64_t column;
    SqlKind kind;
} SortKey;

typedef struct HeldBatch {
    struct ArrowArray rows;
    SfColumn *keys; /* one a key */
    int64_t bytes;
} HeldBatch;

typedef struct HeldRow {
    guint32 batch;
    gint32 row;
} HeldRow;

struct Sorting {
    GArray *keys;       /* SortKey */
    GPtrArray *batches; /* HeldBatch * */
    GArray *rows;       /* HeldRow */
    int64_t bytes;
};

static void held_batch_free(gpointer data)
{
    HeldBatch *batch = data;
    sf_array_done(&batch->rows);
    g_free(batch->keys);
    g_free(batch);
}

void sorting_free(Sorting *sorting)
{
    if (!sorting)
        return;
    g_array_unref(sorting->keys);
    g_ptr_array_unref(sorting->batches);
    g_array_unref(sorting->rows);
    g_free(sorting);
}

void sorting_reset(Sorting *sorting)
{
    g_ptr_array_set_size(sorting->batches, 0);
    g_array_set_size(sorting->rows, 0);
    sorting->bytes = 0;
}

static SfStatus add_sort_key(Sorting *sorting, const GPtrArray *fields, const char *name, SfError *err)
{
    for (guint i = 0; i < fields->len; i++) {
        SortKey key = {.column = i};
        const char *other = delta_json_text(fields->pdata[i], "name");
        if (!other || !delta_name_equal(other, name))
            continue;
        if (!sql_kind_of_field(fields->pdata[i], &key.kind))
            return sf_fail(err, SF_CONFIG, "rows cannot be sorted by column '%s', whose values have no order", other);
        g_array_append_val(sorting->keys, key);
        return SF_OK;
    }
    return sf_fail(err, SF_CONFIG, "rows cannot be sorted by '%s': the table's files have no such column", name);
}

Sorting *sorting_new(const GPtrArray *fields, const char *const *columns, SfError *err)
{
    Sorting *sorting = g_new0(Sorting, 1);
    sorting->keys = g_array_new(FALSE, FALSE, sizeof(SortKey));
    sorting->batches = g_ptr_array_new_with_free_func(held_batch_free);
    sorting->rows = g_array_new(FALSE, FALSE, sizeof(HeldRow));
    for (; *columns; columns++) {
        if (add_sort_key(sorting, fields, *columns, err) != SF_OK) {
            sorting_free(sorting);
            return NULL;
        }
    }
    return sorting;
}

/* What the rows' texts and numbers take. */
static int64_t bytes_of_array(const struct ArrowSchema *schema, const struct ArrowArray *array)
{
    SfColumn column;
    int64_t bytes = array->length * 8;
    if (sf_column_view(schema, array, &column, NULL) == SF_OK && (column.type == SF_UTF8 || column.type == SF_BINARY))
        for (int64_t row = 0; row < array->length; row++)
            bytes += sf_is_null(&column, row) ? 0 : sf_bytes(&column, row).size;
    for (int64_t i = 0; i < array->n_children; i++)
        bytes += bytes_of_array(schema->children[i], array->children[i]);
    return bytes;
}

SfStatus sorting_add(Sorting *sorting, const struct ArrowSchema *schema, struct ArrowArray *batch, const int32_t *rows,
                     int64_t n, SfError *err)
{
    HeldBatch *held = g_new0(HeldBatch, 1);
    held->rows = *batch;
    batch->release = NULL;
    held->keys = g_new0(SfColumn, sorting->keys->len);
    held->bytes = bytes_of_array(schema, &held->rows) + n * (int64_t) sizeof(HeldRow);
    sorting->bytes += held->bytes;
    g_ptr_array_add(sorting->batches, held);
    SfBatch view = {.schema = schema, .rows = held->rows};
    for (guint i = 0; i < sorting->keys->len; i++)
        SF_TRY(sf_column_at(&view, (size_t) g_array_index(sorting->keys, SortKey, i).column, &held->keys[i], err));
    for (int64_t i = 0; i < n; i++) {
        HeldRow row = {.batch = sorting->batches->len - 1, .row = rows[i]};
        g_array_append_val(sorting->rows, row);
    }
    return SF_OK;
}

int64_t sorting_held(const Sorting *sorting)
{
    return sorting->bytes;
}

static int compare_rows(gconstpointer a, gconstpointer b, gpointer user)
{
    const Sorting *sorting = user;
    const HeldRow *left = a, *right = b;
    const HeldBatch *left_batch = sorting->batches->pdata[left->batch];
    const HeldBatch *right_batch = sorting->batches->pdata[right->batch];
    for (guint i = 0; i < sorting->keys->len; i++) {
        SqlKind kind = g_array_index(sorting->keys, SortKey, i).kind;
        SqlValue one = sql_value_at(&left_batch->keys[i], kind, left->row);
        SqlValue other = sql_value_at(&right_batch->keys[i], kind, right->row);
        bool known = one.kind != SQL_NULL && other.kind != SQL_NULL;
        int order = known ? sql_compare(&one, &other) : (one.kind != SQL_NULL) - (other.kind != SQL_NULL);
        if (order != 0)
            return order;
    }
    return 0;
}

/* Rows of one batch that follow each other, in the order of the result. */
static SfStatus write_stretch(const HeldBatch *batch, const DeltaProjection *projection, const int32_t *rows, int64_t n,
                              ParquetWriter *writer, SfError *err)
{
    g_autofree const struct ArrowArray **columns = g_new(const struct ArrowArray *, projection->n);
    for (size_t i = 0; i < projection->n; i++)
        columns[i] = batch->rows.children[projection->map[i]];
    return parquet_writer_add(writer, columns, batch->rows.offset, rows, n, err);
}

SfStatus sorting_write(Sorting *sorting, ParquetWriter *writer, const DeltaProjection *projection, SfError *err)
{
    /* Stable: rows of the same keys stay in the order of their files. */
    qsort_r(sorting->rows->data, sorting->rows->len, sizeof(HeldRow), compare_rows, sorting);
    g_autofree int32_t *stretch = g_new(int32_t, sorting->rows->len + 1);
    int64_t n = 0;
    for (guint i = 0; i < sorting->rows->len; i++) {
        const HeldRow *row = &g_array_index(sorting->rows, HeldRow, i);
        stretch[n++] = row->row;
        bool last = i + 1 == sorting->rows->len || row[1].batch != row->batch;
        if (!last)
            continue;
        SF_TRY(write_stretch(sorting->batches->pdata[row->batch], projection, stretch, n, writer, err));
        n = 0;
    }
    sorting_reset(sorting);
    return SF_OK;
}
