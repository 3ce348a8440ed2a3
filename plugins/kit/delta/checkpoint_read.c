/* Protocol, metaData and txns out of a checkpoint: the other columns of its file are not even decompressed. */
#include "delta.h"

#define BATCH_ROWS 4096

static void take_checkpoint_row(json_object **place, json_object *action)
{
    json_object_put(*place);
    *place = json_object_get(action);
}

static SfStatus take_rows(DeltaLog *log, const struct ArrowSchema *schema, const struct ArrowArray *rows, SfError *err)
{
    SfColumn columns[DELTA_COLUMNS_OF_STATE];
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        SF_TRY(sf_column_view(schema->children[i], rows->children[i], &columns[i], err));
    for (int64_t row = 0; row < rows->length; row++) {
        for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
            g_autoptr(json_object) action = delta_checkpoint_json(&columns[i], row, err);
            if (!action)
                continue;
            if (i == DELTA_COLUMN_TXN)
                SF_TRY(delta_log_take_txn(log, action, err));
            else if (i == DELTA_COLUMN_DOMAIN)
                SF_TRY(delta_log_take_domain(log, action, err));
            else
                take_checkpoint_row(i == DELTA_COLUMN_METADATA ? &log->metadata : &log->protocol, action);
        }
    }
    return SF_OK;
}

/* A V2 checkpoint may be a text of actions, as a commit is. */
static SfStatus take_text(DeltaLog *log, GBytes *file, SfError *err)
{
    gsize size;
    const char *text = g_bytes_get_data(file, &size);
    DeltaText lines = {.at = text, .end = text + size, .no_files = true};
    DeltaNews news = {0};
    return delta_log_take_text(log, &lines, &news, err);
}

SfStatus delta_checkpoint_read(DeltaLog *log, const char *key, GBytes *file, SfError *err)
{
    struct ArrowSchema schema;
    if (g_str_has_suffix(key, ".json"))
        return take_text(log, file, err);
    SF_TRY(delta_checkpoint_schema(DELTA_COLUMNS_OF_STATE, &schema, err));
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, &schema, err);
    SfStatus status = reader ? SF_OK : SF_FATAL;
    while (status == SF_OK) {
        struct ArrowArray rows;
        status = parquet_reader_next(reader, BATCH_ROWS, &rows, err);
        if (status != SF_OK)
            break;
        status = take_rows(log, &schema, &rows, err);
        sf_array_done(&rows);
    }
    sf_schema_done(&schema);
    return status == SF_END ? SF_OK : status;
}

char *delta_sidecar_key(json_object *sidecar, SfError *err)
{
    const char *path = delta_json_text(sidecar, "path");
    g_autofree char *name = path ? delta_path_decode(path) : NULL;
    if (name && *name && !strchr(name, '/'))
        return g_strconcat("_delta_log/_sidecars/", name, NULL);
    sf_fail(err, SF_FATAL, "a sidecar of the checkpoint is called '%s'", path ? path : "null");
    return NULL;
}
