/* See rewrite.h. */
#include "rewrite.h"

#include "delta/data_file.h"

#define BATCH_ROWS 4096
#define INDEXED_COLUMNS 32  /* where the table does not say (delta.dataSkippingNumIndexedCols) */
#define DIRECTORIES_MAX 512 /* bytes; no reader looks at them */

static SfStatus make_copy_writer(Rewrite *rewrite, SfError *err)
{
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    g_ptr_array_add(none, NULL);
    SF_TRY(delta_schema_project(rewrite->schema, delta_log_maps(rewrite->log), &rewrite->rows, (char **) none->pdata,
                                &rewrite->projection, err));
    ParquetOptions options = {
        .codec = rewrite->how->codec, .level = rewrite->how->level, .hints = rewrite->projection.hints};
    rewrite->writer = parquet_writer_new(&rewrite->projection.schema, &options, err);
    return rewrite->writer ? SF_OK : SF_CONFIG;
}

static SfStatus make_sorting(Rewrite *rewrite, SfError *err)
{
    if (!rewrite->how->sort_by || !rewrite->how->sort_by[0])
        return SF_OK;
    rewrite->sorting = sorting_new(rewrite->fields, rewrite->how->sort_by, err);
    return rewrite->sorting ? SF_OK : SF_CONFIG;
}

SfStatus rewrite_init(Rewrite *rewrite, DeltaLog *log, const CareOptimize *how, SfError *err)
{
    const char *indexed = delta_log_property(log, "delta.dataSkippingNumIndexedCols");
    *rewrite = (Rewrite){.log = log, .how = how, .fields = g_ptr_array_new()};
    rewrite->indexed = indexed ? g_ascii_strtoll(indexed, NULL, 10) : INDEXED_COLUMNS;
    if (delta_log_supports(log, "rowTracking"))
        return sf_fail(err, SF_CONFIG,
                       "%s: the table has the feature 'rowTracking', and a copy would give rows new ids",
                       store_url(log->store));
    rewrite->schema = delta_schema_parse(log->metadata, err);
    if (!rewrite->schema)
        return sf_fail_prefix(err, SF_FATAL, "%s", store_url(log->store));
    json_object *fields = delta_json_member(rewrite->schema, "fields", json_type_array);
    for (size_t i = 0; i < json_object_array_length(fields); i++) {
        json_object *field = json_object_array_get_idx(fields, i);
        if (!delta_is_partition(log, delta_json_text(field, "name")))
            g_ptr_array_add(rewrite->fields, field);
    }
    if (rewrite->fields->len == 0)
        return sf_fail(err, SF_CONFIG, "%s: the table's files have no columns", store_url(log->store));
    SF_TRY(delta_fields_schema((json_object *const *) rewrite->fields->pdata, rewrite->fields->len, delta_log_maps(log),
                               false, &rewrite->rows, err));
    SF_TRY(make_sorting(rewrite, err));
    return make_copy_writer(rewrite, err);
}

void rewrite_done(Rewrite *rewrite)
{
    parquet_writer_free(rewrite->writer);
    sorting_free(rewrite->sorting);
    delta_projection_done(&rewrite->projection);
    sf_schema_done(&rewrite->rows);
    g_clear_pointer(&rewrite->fields, g_ptr_array_unref);
    json_object_put(rewrite->schema);
}

static void tell_held(const Rewrite *rewrite, const DeltaDataFile *file)
{
    const CareLimits *limits = &rewrite->how->limits;
    int64_t sorted = rewrite->sorting ? sorting_held(rewrite->sorting) : 0;
    if (limits->held)
        limits->held(limits->user, parquet_writer_memory(rewrite->writer) + (int64_t) delta_data_held(file) + sorted);
}

/* Rows that are not deleted; `from`: number of the batch's first in the file. */
static SfStatus copy_batch(Rewrite *rewrite, struct ArrowArray *batch, const uint8_t *deleted, int64_t from,
                           SfError *err)
{
    const DeltaProjection *projection = &rewrite->projection;
    g_autofree const struct ArrowArray **columns = g_new(const struct ArrowArray *, projection->n);
    g_autofree int32_t *kept = g_new(int32_t, (gsize) batch->length + 1);
    int64_t n = 0;
    for (int64_t row = 0; row < batch->length; row++) {
        kept[n] = (int32_t) row;
        n += !delta_vector_has(deleted, from + row);
    }
    if (rewrite->sorting)
        return sorting_add(rewrite->sorting, &rewrite->rows, batch, kept, n, err);
    for (size_t i = 0; i < projection->n; i++)
        columns[i] = batch->children[projection->map[i]];
    return parquet_writer_add(rewrite->writer, columns, batch->offset, kept, n, err);
}

static SfStatus copy_file(Rewrite *rewrite, json_object *add, SfError *err)
{
    g_autoptr(DeltaDataFile) file = NULL;
    SfStatus status = delta_data_open(rewrite->log, add, (json_object *const *) rewrite->fields->pdata,
                                      rewrite->fields->len, &file, err);
    if (status == SF_EMPTY)
        return sf_fail(err, SF_FATAL, "it is not there: was it vacuumed, or removed by hand?");
    while (status == SF_OK) {
        struct ArrowArray batch;
        int64_t from = delta_data_at(file);
        status = delta_data_next(file, BATCH_ROWS, &batch, err);
        if (status != SF_OK)
            break;
        status = copy_batch(rewrite, &batch, delta_data_deleted(file), from, err);
        if (batch.release)
            sf_array_done(&batch);
        tell_held(rewrite, file);
        if (status == SF_OK && care_stops(&rewrite->how->limits))
            status = sf_fail(err, SF_RETRY, "stopped");
    }
    return status == SF_END ? SF_OK : status;
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
    Store *store = rewrite->log->store;
    g_autoptr(GBytes) body = NULL;
    g_autoptr(GString) key = g_string_new(NULL);
    g_autofree char *uuid = delta_uuid();
    *rows = parquet_writer_rows(rewrite->writer);
    SF_TRY(parquet_writer_finish(rewrite->writer, &body, err));
    g_autoptr(DeltaAdd) made = g_new0(DeltaAdd, 1);
    take_partition(add, made, key);
    g_string_append_printf(key, "part-00000-%s-c000.%sparquet", uuid,
                           rewrite->how->codec == PARQUET_ZSTD     ? "zstd."
                           : rewrite->how->codec == PARQUET_SNAPPY ? "snappy."
                                                                   : "");
    made->key = g_strdup(key->str);
    made->size = (int64_t) g_bytes_get_size(body);
    made->modified_ms = sf_now_ms(rewrite->log->node);
    made->stats = delta_stats(rewrite->writer, *rows, rewrite->indexed);
    made->first_row_id = -1;
    SF_TRY(store_put(store, made->key, body, err));
    *out = g_steal_pointer(&made);
    return SF_OK;
}

SfStatus rewrite_files(Rewrite *rewrite, const GPtrArray *adds, DeltaAdd **out, int64_t *rows, SfError *err)
{
    parquet_writer_reset(rewrite->writer);
    if (rewrite->sorting)
        sorting_reset(rewrite->sorting);
    for (guint i = 0; i < adds->len; i++) {
        SfStatus status = care_stops(&rewrite->how->limits) ? SF_RETRY : copy_file(rewrite, adds->pdata[i], err);
        if (status != SF_OK)
            return sf_fail_prefix(err, status, "%s/%s", store_url(rewrite->log->store),
                                  delta_json_text(adds->pdata[i], "path"));
    }
    if (rewrite->sorting)
        SF_TRY(sorting_write(rewrite->sorting, rewrite->writer, &rewrite->projection, err));
    return finish_copy(rewrite, adds->pdata[0], out, rows, err);
}
