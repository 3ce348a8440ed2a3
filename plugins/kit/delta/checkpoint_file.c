/* A Parquet file of actions; see checkpoint_parts.h. */
#include "checkpoint_parts.h"

#define BATCH_ROWS 4096
#define BATCH_BYTES (32 << 20)

static void columns_are_borrowed(struct ArrowSchema *schema)
{
    (void) schema;
}

SfStatus action_file_init(ActionFile *file, struct ArrowSchema **columns, int64_t n, SfError *err)
{
    ParquetOptions options = {.codec = PARQUET_SNAPPY, .maps = delta_checkpoint_maps};
    file->schema = (struct ArrowSchema){
        .format = "+s", .name = "", .n_children = n, .children = columns, .release = columns_are_borrowed};
    file->builder = sf_builder_new(&file->schema, err);
    file->writer = parquet_writer_new(&file->schema, &options, err);
    return file->builder && file->writer ? SF_OK : SF_FATAL;
}

void action_file_done(ActionFile *file)
{
    parquet_writer_free(file->writer);
    sf_builder_free(file->builder);
    *file = (ActionFile){0};
}

static SfStatus flush_actions(ActionFile *file, SfError *err)
{
    struct ArrowArray rows;
    if (sf_builder_rows(file->builder) == 0)
        return SF_OK;
    SF_TRY(sf_builder_finish(file->builder, &rows, err));
    SfStatus status =
        parquet_writer_add(file->writer, (const struct ArrowArray *const *) rows.children, 0, NULL, rows.length, err);
    sf_array_done(&rows);
    return status;
}

SfStatus action_file_add(ActionFile *file, int64_t column, json_object *action, SfError *err)
{
    for (int64_t i = 0; i < file->schema.n_children; i++)
        delta_checkpoint_add(file->schema.children[i], i == column ? action : NULL,
                             sf_builder_column(file->builder, (size_t) i));
    SF_TRY(sf_builder_end_row(file->builder, err));
    file->actions++;
    bool full = sf_builder_rows(file->builder) >= BATCH_ROWS || sf_builder_full(file->builder) ||
                sf_builder_bytes(file->builder) >= BATCH_BYTES;
    return full ? flush_actions(file, err) : SF_OK;
}

SfStatus action_file_copy(ActionFile *file, struct ArrowArray *const *columns, const int32_t *picked, int64_t n,
                          SfError *err)
{
    SF_TRY(flush_actions(file, err));
    file->actions += n;
    return parquet_writer_add(file->writer, (const struct ArrowArray *const *) columns, 0, picked, n, err);
}

SfStatus action_file_finish(ActionFile *file, GBytes **out, SfError *err)
{
    SF_TRY(flush_actions(file, err));
    return parquet_writer_finish(file->writer, out, err);
}

static SfStatus add_txns(ActionFile *file, const DeltaLog *log, SfError *err)
{
    GHashTableIter iter;
    gpointer app_id;
    gpointer value;
    g_hash_table_iter_init(&iter, log->txns);
    while (g_hash_table_iter_next(&iter, &app_id, &value)) {
        const DeltaTxn *known = value;
        g_autoptr(json_object) txn = json_object_new_object();
        json_object_object_add(txn, "appId", json_object_new_string(app_id));
        json_object_object_add(txn, "version", json_object_new_int64(known->version));
        if (known->updated_ms != DELTA_NEVER)
            json_object_object_add(txn, "lastUpdated", json_object_new_int64(known->updated_ms));
        SF_TRY(action_file_add(file, DELTA_COLUMN_TXN, txn, err));
    }
    return SF_OK;
}

static SfStatus add_domains(ActionFile *file, const DeltaLog *log, SfError *err)
{
    GHashTableIter iter;
    gpointer domain;
    gpointer configuration;
    g_hash_table_iter_init(&iter, log->domains);
    while (g_hash_table_iter_next(&iter, &domain, &configuration)) {
        g_autoptr(json_object) action = json_object_new_object();
        json_object_object_add(action, "domain", json_object_new_string(domain));
        json_object_object_add(action, "configuration", json_object_new_string(configuration));
        json_object_object_add(action, "removed", json_object_new_boolean(false));
        SF_TRY(action_file_add(file, DELTA_COLUMN_DOMAIN, action, err));
    }
    return SF_OK;
}

SfStatus action_file_add_state(ActionFile *file, const DeltaLog *log, SfError *err)
{
    SF_TRY(action_file_add(file, DELTA_COLUMN_PROTOCOL, log->protocol, err));
    SF_TRY(action_file_add(file, DELTA_COLUMN_METADATA, log->metadata, err));
    SF_TRY(add_txns(file, log, err));
    return add_domains(file, log, err);
}
