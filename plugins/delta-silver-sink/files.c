/* Data files: open ones, finished ones, and their way into the store. Names are new each time: a file that no commit
 * names is garbage that VACUUM takes, never a part of the table. */
#include "sink.h"

#define IDLE_WRITERS 8
#define DIRECTORIES_MAX 512 /* bytes: S3's keys have at most 1024, and the URL's prefix is among them */

void open_file_free(OpenFile *file)
{
    parquet_writer_free(file->writer);
    g_free(file->key);
    g_ptr_array_unref(file->values);
    g_array_unref(file->rows);
    g_free(file);
}

void data_file_free(DataFile *file)
{
    delta_add_free(file->add);
    g_clear_pointer(&file->body, g_bytes_unref);
    g_free(file);
}

OpenFile *files_open(Input *input, const char *key, GPtrArray *values, SfError *err)
{
    static const ParquetCodec codecs[] = {PARQUET_SNAPPY, PARQUET_ZSTD, PARQUET_UNCOMPRESSED};
    Sink *sink = input->sink;
    ParquetOptions options = {.codec = codecs[sink->compression],
                              .level = (int) sink->compression_level,
                              .hints = input->projection.hints,
                              .scratch = sink->scratch};
    ParquetWriter *writer = input->idle->len > 0 ? g_ptr_array_steal_index(input->idle, input->idle->len - 1)
                                                 : parquet_writer_new(&input->projection.schema, &options, err);
    if (!writer)
        return NULL;
    OpenFile *file = g_new0(OpenFile, 1);
    file->input = input;
    file->writer = writer;
    file->key = g_strdup(key);
    file->values = g_ptr_array_ref(values);
    file->rows = g_array_new(FALSE, FALSE, sizeof(int32_t));
    g_hash_table_insert(input->open, file->key, file);
    sink->n_open++;
    return file;
}

SfStatus files_add_rows(OpenFile *file, const SfBatch *batch, SfError *err)
{
    const DeltaProjection *projection = &file->input->projection;
    g_autofree const struct ArrowArray **columns = g_new(const struct ArrowArray *, projection->n);
    for (size_t i = 0; i < projection->n; i++)
        columns[i] = batch->rows.children[projection->map[i]];
    /* Without a gap the rows are taken as they lie. */
    bool all = (int64_t) file->rows->len == sf_rows(batch);
    SfStatus status =
        parquet_writer_add(file->writer, columns, batch->rows.offset,
                           all ? NULL : (const int32_t *) (const void *) file->rows->data, file->rows->len, err);
    g_array_set_size(file->rows, 0);
    return status;
}

static char *new_key(const Sink *sink, const OpenFile *file)
{
    static const char *const suffixes[] = {".snappy", ".zstd", ""};
    g_autoptr(GString) key = g_string_new(NULL);
    g_autofree char *uuid = delta_uuid();
    for (guint i = 0; i < sink->partitions->len; i++)
        delta_partition_dir(sink->keys->pdata[i], file->values->pdata[i], key);
    if (key->len > DIRECTORIES_MAX) /* no reader looks at them */
        g_string_truncate(key, 0);
    g_string_append_printf(key, "part-00000-%s%s%s.parquet", uuid, sink->partitions->len > 0 ? ".c000" : "-c000",
                           suffixes[sink->compression]);
    return g_string_free(g_steal_pointer(&key), FALSE);
}

SfStatus files_finish(OpenFile *file, SfError *err)
{
    Input *input = file->input;
    Sink *sink = input->sink;
    GBytes *body = NULL;
    int64_t rows = parquet_writer_rows(file->writer);
    SF_TRY(parquet_writer_finish(file->writer, &body, err));
    DataFile *done = g_new0(DataFile, 1);
    done->body = body;
    done->rows = rows;
    done->add = g_new0(DeltaAdd, 1);
    *done->add = (DeltaAdd){
        .key = new_key(sink, file),
        .columns = g_ptr_array_ref(sink->keys),
        .values = g_ptr_array_ref(file->values),
        .size = (int64_t) g_bytes_get_size(body),
        .modified_ms = sf_now_ms(sink->node),
        .stats = delta_stats(file->writer, rows, table_indexed(sink)),
        .first_row_id = -1,
    };
    g_ptr_array_add(sink->files, done);
    sink->pending += done->add->size;
    if (input->idle->len < IDLE_WRITERS)
        g_ptr_array_add(input->idle, g_steal_pointer(&file->writer));
    g_hash_table_remove(input->open, file->key);
    sink->n_open--;
    return SF_OK;
}

SfStatus files_finish_all(Sink *sink, SfError *err)
{
    for (size_t i = 0; i < sink->n_inputs; i++) {
        g_autoptr(GList) open = g_hash_table_get_values(sink->inputs[i].open);
        for (GList *at = open; at; at = at->next)
            SF_TRY(files_finish(at->data, err));
    }
    return SF_OK;
}

SfStatus files_upload(Sink *sink, SfError *err)
{
    g_autofree StoreObject *objects = g_new0(StoreObject, sink->files->len);
    g_autofree DataFile **files = g_new(DataFile *, sink->files->len);
    size_t n = 0;
    for (guint i = 0; i < sink->files->len; i++) {
        DataFile *file = sink->files->pdata[i];
        if (!file->body)
            continue;
        objects[n] = (StoreObject){.key = file->add->key, .body = file->body};
        files[n++] = file;
    }
    if (n == 0)
        return SF_OK;
    SfStatus status = store_put_all(sink->store, objects, n, err);
    for (size_t i = 0; i < n; i++) {
        if (!objects[i].created) /* the next try has only these to send */
            continue;
        g_clear_pointer(&files[i]->body, g_bytes_unref);
        sink->pending -= files[i]->add->size;
    }
    return status;
}

void files_charge(Sink *sink)
{
    int64_t held = sink->pending;
    for (size_t i = 0; i < sink->n_inputs; i++) {
        GHashTableIter iter;
        gpointer file;
        g_hash_table_iter_init(&iter, sink->inputs[i].open);
        while (g_hash_table_iter_next(&iter, NULL, &file))
            held += parquet_writer_memory(((const OpenFile *) file)->writer);
        for (guint w = 0; w < sink->inputs[i].idle->len; w++)
            held += parquet_writer_memory(sink->inputs[i].idle->pdata[w]);
    }
    if (held != sink->charged)
        sf_charge(sink->node, held - sink->charged);
    sink->charged = held;
}

void files_drop_open(Sink *sink)
{
    for (size_t i = 0; i < sink->n_inputs; i++)
        g_hash_table_remove_all(sink->inputs[i].open);
    sink->n_open = 0;
}

void files_drop_idle(Sink *sink)
{
    for (size_t i = 0; i < sink->n_inputs; i++)
        g_ptr_array_set_size(sink->inputs[i].idle, 0);
}

/* Best effort: what stays is garbage, not damage. */
void files_delete(Sink *sink)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new();
    for (guint i = 0; i < sink->files->len; i++) {
        const DataFile *file = sink->files->pdata[i];
        if (!file->body)
            g_ptr_array_add(keys, file->add->key);
    }
    store_delete_all(sink->store, (const char *const *) keys->pdata, keys->len, NULL);
    g_ptr_array_set_size(sink->files, 0);
    sink->pending = 0;
}
