/* See rewrite.h. */
#include "rewrite.h"

#define BATCH_ROWS 4096
#define FILE_MAX (INT64_C(1) << 33)
#define INDEXED_COLUMNS 32  /* where the table does not say (delta.dataSkippingNumIndexedCols) */
#define DIRECTORIES_MAX 512 /* bytes; no reader looks at them */

static SfStatus make_copy_writer(Rewrite *rewrite, SfError *err)
{
    OpenTable *table = rewrite->table;
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    g_ptr_array_add(none, NULL);
    SF_TRY(delta_schema_project(table->schema, delta_log_maps(table->log), &rewrite->rows, (char **) none->pdata,
                                &rewrite->projection, err));
    ParquetOptions options = {.codec = PARQUET_SNAPPY, .hints = rewrite->projection.hints};
    rewrite->writer = parquet_writer_new(&rewrite->projection.schema, &options, err);
    return rewrite->writer ? SF_OK : SF_CONFIG;
}

SfStatus rewrite_init(Rewrite *rewrite, OpenTable *table, SfError *err)
{
    const char *indexed = delta_log_property(table->log, "delta.dataSkippingNumIndexedCols");
    *rewrite = (Rewrite){.table = table, .fields = g_ptr_array_new()};
    rewrite->indexed = indexed ? g_ascii_strtoll(indexed, NULL, 10) : INDEXED_COLUMNS;
    if (delta_log_supports(table->log, "rowTracking"))
        return sf_fail(err, SF_CONFIG,
                       "%s: the table has the feature 'rowTracking', and a copy would give rows new ids",
                       store_url(table->log->store));
    for (size_t i = 0; i < json_object_array_length(table->fields); i++) {
        json_object *field = json_object_array_get_idx(table->fields, i);
        if (!table_is_partitioned_by(table, field))
            g_ptr_array_add(rewrite->fields, field);
    }
    if (rewrite->fields->len == 0)
        return sf_fail(err, SF_CONFIG, "%s: the table's files have no columns", store_url(table->log->store));
    json_object *const *fields = (json_object *const *) rewrite->fields->pdata;
    bool mapped = delta_log_maps(table->log);
    SF_TRY(delta_fields_schema(fields, rewrite->fields->len, mapped, false, &rewrite->rows, err));
    SF_TRY(delta_fields_schema(fields, rewrite->fields->len, mapped, true, &rewrite->stored, err));
    return make_copy_writer(rewrite, err);
}

void rewrite_done(Rewrite *rewrite)
{
    parquet_writer_free(rewrite->writer);
    delta_projection_done(&rewrite->projection);
    sf_schema_done(&rewrite->rows);
    sf_schema_done(&rewrite->stored);
    g_clear_pointer(&rewrite->fields, g_ptr_array_unref);
}

/* Rows behind the first `from` of the file that are not deleted. */
static SfStatus copy_batch(Rewrite *rewrite, const struct ArrowArray *batch, const uint8_t *deleted, int64_t from,
                           SfError *err)
{
    const DeltaProjection *projection = &rewrite->projection;
    g_autofree const struct ArrowArray **columns = g_new(const struct ArrowArray *, projection->n);
    g_autofree int32_t *kept = g_new(int32_t, (gsize) batch->length + 1);
    int64_t n = 0;
    for (size_t i = 0; i < projection->n; i++)
        columns[i] = batch->children[projection->map[i]];
    for (int64_t row = 0; row < batch->length; row++) {
        kept[n] = (int32_t) row;
        n += !delta_vector_has(deleted, from + row);
    }
    return parquet_writer_add(rewrite->writer, columns, batch->offset, kept, n, err);
}

static SfStatus copy_rows(Rewrite *rewrite, ParquetReader *reader, const uint8_t *deleted, SfError *err)
{
    int64_t from = 0;
    for (;;) {
        struct ArrowArray batch;
        SfStatus status = parquet_reader_next(reader, BATCH_ROWS, &batch, err);
        if (status != SF_OK)
            return status == SF_END ? SF_OK : status;
        status = copy_batch(rewrite, &batch, deleted, from, err);
        from += batch.length;
        sf_array_done(&batch);
        SF_TRY(status);
    }
}

static SfStatus copy_file(Rewrite *rewrite, json_object *add, const char *key, SfError *err)
{
    DeltaLog *log = rewrite->table->log;
    g_autoptr(GBytes) body = NULL;
    SfStatus status = store_get(log->store, key, FILE_MAX, &body, err);
    if (status == SF_EMPTY)
        return sf_fail(err, SF_FATAL, "it is not there: was it vacuumed, or removed by hand?");
    SF_TRY(status);
    g_autoptr(ParquetReader) reader = parquet_reader_new(body, &rewrite->stored, err);
    if (!reader)
        return SF_FATAL;
    uint8_t *deleted = NULL;
    SF_TRY(delta_vector_read(log, add, parquet_reader_rows(reader), &deleted, err));
    status = copy_rows(rewrite, reader, deleted, err);
    g_free(deleted);
    return status;
}

/* The partition of the files, whose columns have the files' names. */
static void take_partition(json_object *add, DeltaAdd *out, GString *key)
{
    json_object *values = delta_json_member(add, "partitionValues", json_type_object);
    out->columns = g_ptr_array_new_with_free_func(g_free);
    out->values = g_ptr_array_new_with_free_func(g_free);
    if (!values)
        return;
    json_object_object_foreach(values, name, value)
    {
        const char *text = value ? json_object_get_string(value) : NULL;
        g_ptr_array_add(out->columns, g_strdup(name));
        g_ptr_array_add(out->values, g_strdup(text));
        delta_partition_dir(name, text && *text ? text : NULL, key);
    }
    if (key->len > DIRECTORIES_MAX)
        g_string_truncate(key, 0);
}

static SfStatus finish_copy(Rewrite *rewrite, json_object *add, DeltaAdd **out, int64_t *rows, SfError *err)
{
    Store *store = rewrite->table->log->store;
    g_autoptr(GBytes) body = NULL;
    g_autoptr(GString) key = g_string_new(NULL);
    g_autofree char *uuid = delta_uuid();
    *rows = parquet_writer_rows(rewrite->writer);
    SF_TRY(parquet_writer_finish(rewrite->writer, &body, err));
    g_autoptr(DeltaAdd) made = g_new0(DeltaAdd, 1);
    take_partition(add, made, key);
    g_string_append_printf(key, "part-00000-%s-c000.snappy.parquet", uuid);
    made->key = g_strdup(key->str);
    made->size = (int64_t) g_bytes_get_size(body);
    made->modified_ms = g_get_real_time() / 1000;
    made->stats = delta_stats(rewrite->writer, *rows, rewrite->indexed);
    made->first_row_id = -1;
    SF_TRY(store_put(store, made->key, body, err));
    *out = g_steal_pointer(&made);
    return SF_OK;
}

SfStatus rewrite_files(Rewrite *rewrite, const GPtrArray *adds, DeltaAdd **out, int64_t *rows, SfError *err)
{
    parquet_writer_reset(rewrite->writer);
    for (guint i = 0; i < adds->len; i++) {
        g_autofree char *key = delta_file_key(rewrite->table->log, adds->pdata[i], err);
        if (!key)
            return SF_CONFIG;
        SfStatus status = copy_file(rewrite, adds->pdata[i], key, err);
        if (status != SF_OK)
            return sf_fail_prefix(err, status, "%s/%s", store_url(rewrite->table->log->store), key);
    }
    return finish_copy(rewrite, adds->pdata[0], out, rows, err);
}
