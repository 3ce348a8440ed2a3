/* Protocol, metaData and txns out of a checkpoint: the other columns of its file are not even decompressed. */
#include "delta.h"

#define BATCH_ROWS 4096

static void take_checkpoint_row(json_object **place, json_object *action)
{
    json_object_put(*place);
    *place = json_object_get(action);
}

static SfStatus take_rows(gpointer user, const struct ArrowSchema *schema, const struct ArrowArray *rows, SfError *err)
{
    DeltaLog *log = user;
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
    SfStatus status = parquet_reader_each(reader, &schema, BATCH_ROWS, take_rows, log, err);
    sf_schema_done(&schema);
    return status;
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

static SfStatus take_sidecar_key(gpointer user, json_object *line, SfError *err)
{
    json_object *sidecar = delta_json_member(line, "sidecar", json_type_object);
    char *key = sidecar ? delta_sidecar_key(sidecar, err) : NULL;
    if (key)
        g_ptr_array_add(user, key);
    return sidecar && !key ? SF_FATAL : SF_OK;
}

static SfStatus take_sidecar_rows(gpointer out, const struct ArrowSchema *schema, const struct ArrowArray *rows,
                                  SfError *err)
{
    SfColumn sidecars;
    SF_TRY(sf_column_view(schema->children[0], rows->children[0], &sidecars, err));
    for (int64_t row = 0; row < rows->length; row++) {
        g_autoptr(json_object) line = json_object_new_object();
        json_object_object_add(line, "sidecar", delta_checkpoint_json(&sidecars, row, err));
        SF_TRY(take_sidecar_key(out, line, err));
    }
    return SF_OK;
}

static SfStatus sidecars_of_parquet(GBytes *file, GPtrArray *out, SfError *err)
{
    static const SfField path = {.name = "path", .type = SF_UTF8, .nullable = true};
    static const SfField sidecar = {
        .name = "sidecar", .type = SF_STRUCT, .nullable = true, .n_children = 1, .children = &path};
    struct ArrowSchema schema;
    SF_TRY(sf_schema_make(&sidecar, 1, &schema, err));
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, &schema, err);
    SfStatus status = parquet_reader_each(reader, &schema, BATCH_ROWS, take_sidecar_rows, out, err);
    sf_schema_done(&schema);
    return status;
}

SfStatus delta_checkpoint_sidecars(DeltaLog *log, const char *key, GPtrArray *out, SfError *err)
{
    g_autoptr(GBytes) file = NULL;
    gsize size;
    SfStatus status = store_get(log->store, key, DELTA_MAX_CHECKPOINT, &file, err);
    if (status != SF_OK)
        return status == SF_EMPTY ? SF_OK : status; /* cleaned up meanwhile */
    if (!g_str_has_suffix(key, ".json"))
        status = sidecars_of_parquet(file, out, err);
    else {
        const char *text = g_bytes_get_data(file, &size);
        DeltaText lines = {.at = text, .end = text + size, .no_files = true};
        status = delta_text_each(&lines, take_sidecar_key, out, err);
    }
    return status == SF_OK ? SF_OK : sf_fail_prefix(err, status, "%s/%s", store_url(log->store), key);
}
