/* Protocol, metaData and txns out of a checkpoint: the other columns of its file are not even decompressed. */
#include "delta.h"

#define BATCH_ROWS 4096

static void take(json_object **place, json_object *action)
{
    json_object_put(*place);
    *place = json_object_get(action);
}

static SfStatus take_rows(DeltaLog *log, const struct ArrowSchema *schema, const struct ArrowArray *rows, SfError *err)
{
    SfColumn columns[3];
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        SF_TRY(sf_column_view(schema->children[i], rows->children[i], &columns[i], err));
    for (int64_t row = 0; row < rows->length; row++) {
        for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
            g_autoptr(json_object) action = delta_checkpoint_json(&columns[i], row, err);
            if (!action)
                continue;
            if (i == 0)
                SF_TRY(delta_log_take_txn(log, action, err));
            else
                take(i == 1 ? &log->metadata : &log->protocol, action);
        }
    }
    return SF_OK;
}

SfStatus delta_checkpoint_read(DeltaLog *log, GBytes *file, SfError *err)
{
    struct ArrowSchema schema;
    SF_TRY(delta_checkpoint_schema(true, &schema, err));
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
