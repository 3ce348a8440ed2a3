/* See data_file.h. */
#include "data_file.h"

struct DeltaDataFile {
    const DeltaLog *log;
    json_object *action;
    GPtrArray *fields; /* json_object *, borrowed */
    bool *constant;    /* of each: its value is the partition's */
    char *key;
    int64_t size;
    int64_t bytes;
    ParquetReader *reader;
    size_t n_stored; /* columns of the reader */
    int64_t rows;
    int64_t at;
    uint8_t *deleted;
};

/* An empty text is null, too (PROTOCOL.md, "Partition Value Serialization"). */
const char *delta_partition_value(const DeltaLog *log, json_object *action, json_object *field, bool *found)
{
    json_object *values = delta_json_member(action, "partitionValues", json_type_object);
    const char *name = delta_file_name(field, delta_log_maps(log));
    *found = values && name && json_object_object_get_ex(values, name, NULL);
    const char *text = *found ? delta_json_text(values, name) : NULL;
    return text && *text ? text : NULL;
}

int64_t delta_stats_rows(json_object *stats)
{
    json_object *number = delta_json_member(stats, "numRecords", json_type_int);
    return number ? MAX(json_object_get_int64(number), -1) : -1;
}

typedef struct Judged {
    const DeltaLog *log;
    json_object *action;
    json_object *stats;
} Judged;

static WhereFate judge_term(gpointer user, const WhereTerm *term)
{
    const Judged *judged = user;
    bool partition;
    const char *text = delta_partition_value(judged->log, judged->action, term->field, &partition);
    if (!partition) {
        const char *name = delta_file_name(term->field, delta_log_maps(judged->log));
        return judged->stats && where_term_excludes(term, judged->stats, name) ? WHERE_NEVER : WHERE_OPEN;
    }
    SqlValue value = {.kind = text ? SQL_TEXT : SQL_NULL};
    if (text && term->op < WHERE_NULL) {
        if (term->kind == SQL_TEXT)
            value.text = (SfBytes){text, (int64_t) strlen(text)};
        else if (!sql_value_of_text(term->field, text, &value))
            return WHERE_OPEN;
    }
    return where_term_holds(term, &value) ? WHERE_ALWAYS : WHERE_NEVER;
}

WhereFate delta_file_fate(const DeltaLog *log, const Where *where, json_object *action, json_object *stats)
{
    Judged judged = {log, action, stats};
    return where_fate(where, judge_term, &judged);
}

/* ---- one file --------------------------------------------------------------------------------------------------- */

void delta_data_free(DeltaDataFile *file)
{
    if (!file)
        return;
    g_clear_pointer(&file->reader, parquet_reader_free);
    g_ptr_array_unref(file->fields);
    g_free(file->constant);
    g_free(file->deleted);
    g_free(file->key);
    g_free(file);
}

int64_t delta_data_rows(const DeltaDataFile *file)
{
    return file->rows;
}

int64_t delta_data_at(const DeltaDataFile *file)
{
    return file->at;
}

int64_t delta_data_bytes(const DeltaDataFile *file)
{
    return file->bytes;
}

size_t delta_data_held(const DeltaDataFile *file)
{
    return file->reader ? parquet_reader_held(file->reader) + (file->deleted ? (size_t) file->rows / 8 : 0) : 0;
}

const uint8_t *delta_data_deleted(const DeltaDataFile *file)
{
    return file->deleted;
}

/* Of the file's bytes; there may be fewer of them than the log says. */
static SfStatus read_bytes(gpointer user, int64_t offset, int64_t size, GBytes **out, SfError *err)
{
    DeltaDataFile *file = user;
    SfStatus status = store_read(file->log->store, file->key, offset, size, out, err);
    if (status == SF_EMPTY)
        return sf_fail(err, SF_FATAL, "it went away while it was read");
    SF_TRY(status);
    int64_t got = (int64_t) g_bytes_get_size(*out);
    file->bytes += got;
    if (got == size)
        return SF_OK;
    g_clear_pointer(out, g_bytes_unref);
    return sf_fail(err, SF_FATAL, "it became shorter while it was read");
}

/* Its field ids may tell of a column by another name: nulls in its place would be wrong. */
static SfStatus check_names(const DeltaDataFile *file, SfError *err)
{
    const char *name = delta_log_maps_by_id(file->log) ? parquet_reader_lacks(file->reader) : NULL;
    if (!name)
        return SF_OK;
    return sf_fail(err, SF_FATAL,
                   "it has no column '%s', and the table's delta.columnMapping.mode is 'id': columns are found by "
                   "their names only",
                   name);
}

static SfStatus open_columns(DeltaDataFile *file, json_object *const *fields, size_t n, ParquetReader **out,
                             SfError *err)
{
    struct ArrowSchema schema;
    SF_TRY(delta_fields_schema(fields, n, delta_log_maps(file->log), true, &schema, err));
    const ParquetInput input = {.size = file->size, .read = read_bytes, .user = file};
    SfStatus status = parquet_reader_open(&input, &schema, out, err);
    sf_schema_done(&schema);
    return status;
}

bool delta_is_partition(const DeltaLog *log, const char *name)
{
    json_object *columns = delta_json_member(log->metadata, "partitionColumns", json_type_array);
    for (size_t i = 0; name && columns && i < json_object_array_length(columns); i++) {
        const char *column = json_object_get_string(json_object_array_get_idx(columns, i));
        if (column && delta_name_equal(column, name))
            return true;
    }
    return false;
}

/* A partition's column that the action leaves out is in the file where the table was not partitioned by it then. If it
 * is not there either, as with removes without extended metadata, its value is not known: null would be wrong. */
static SfStatus check_partition(DeltaDataFile *file, json_object *field, SfError *err)
{
    g_autoptr(ParquetReader) reader = NULL;
    if (!delta_is_partition(file->log, delta_json_text(field, "name")))
        return SF_OK;
    SF_TRY(open_columns(file, &field, 1, &reader, err));
    if (!parquet_reader_lacks(reader))
        return SF_OK;
    return sf_fail(err, SF_FATAL,
                   "the log's action has no value of the partition column '%s', and the file has no such column; leave "
                   "it out of the columns that are read",
                   delta_json_text(field, "name"));
}

static SfStatus open_reader(DeltaDataFile *file, SfError *err)
{
    g_autoptr(GPtrArray) stored = g_ptr_array_new();
    for (guint i = 0; i < file->fields->len; i++) {
        delta_partition_value(file->log, file->action, file->fields->pdata[i], &file->constant[i]);
        if (file->constant[i])
            continue;
        SF_TRY(check_partition(file, file->fields->pdata[i], err));
        g_ptr_array_add(stored, file->fields->pdata[i]);
    }
    file->n_stored = stored->len;
    return open_columns(file, (json_object *const *) stored->pdata, stored->len, &file->reader, err);
}

/* A file that was overwritten is another one. */
static SfStatus check_size(const DeltaDataFile *file, SfError *err)
{
    json_object *size = delta_json_member(file->action, "size", json_type_int);
    if (!size || json_object_get_int64(size) == file->size)
        return SF_OK;
    return sf_fail(err, SF_FATAL, "it has %" G_GINT64_FORMAT " bytes, the log says %" G_GINT64_FORMAT, file->size,
                   json_object_get_int64(size));
}

SfStatus delta_data_open(const DeltaLog *log, json_object *action, json_object *const *fields, size_t n,
                         DeltaDataFile **out, SfError *err)
{
    g_autoptr(DeltaDataFile) file = g_new0(DeltaDataFile, 1);
    file->log = log;
    file->action = action;
    file->constant = g_new0(bool, n + 1);
    file->fields = g_ptr_array_new();
    for (size_t i = 0; i < n; i++)
        g_ptr_array_add(file->fields, fields[i]);
    file->key = delta_file_key(log, action, err);
    if (!file->key)
        return SF_CONFIG;
    SF_TRY(store_stat(log->store, file->key, &file->size, err));
    SF_TRY(check_size(file, err));
    SF_TRY(open_reader(file, err));
    SF_TRY(check_names(file, err));
    file->rows = parquet_reader_rows(file->reader);
    SF_TRY(delta_vector_read(log, action, file->rows, &file->deleted, err));
    *out = g_steal_pointer(&file);
    return SF_OK;
}

SfStatus delta_data_skip(DeltaDataFile *file, int64_t rows, SfError *err)
{
    rows = MIN(rows, file->rows - file->at);
    if (file->n_stored > 0)
        SF_TRY(parquet_reader_skip(file->reader, rows, err));
    file->at += rows;
    return SF_OK;
}

/* The columns in the order of the fields: what the file has, and the partition's values. */
static SfStatus join_columns(const DeltaDataFile *file, struct ArrowArray *stored, int64_t n, struct ArrowArray *out,
                             SfError *err)
{
    g_autofree struct ArrowArray *columns = g_new0(struct ArrowArray, file->fields->len + 1);
    SfStatus status = SF_OK;
    int64_t next = 0;
    for (guint i = 0; i < file->fields->len; i++) {
        json_object *field = file->fields->pdata[i];
        if (!file->constant[i]) {
            columns[i] = *stored->children[next];
            stored->children[next++]->release = NULL;
        } else if (status == SF_OK) {
            bool found;
            const char *text = delta_partition_value(file->log, file->action, field, &found);
            status = delta_constant_column(field, text, n, &columns[i], err);
        }
    }
    if (status == SF_OK)
        return sf_rows_from_columns(columns, file->fields->len, n, out, err);
    for (guint i = 0; i < file->fields->len; i++)
        sf_array_done(&columns[i]);
    return status;
}

SfStatus delta_data_next(DeltaDataFile *file, int64_t max, struct ArrowArray *out, SfError *err)
{
    struct ArrowArray stored = {.length = MIN(max, file->rows - file->at)};
    if (file->at >= file->rows)
        return SF_END;
    if (file->n_stored > 0)
        SF_TRY(parquet_reader_next(file->reader, max, &stored, err));
    int64_t n = stored.length;
    SfStatus status = join_columns(file, &stored, n, out, err);
    sf_array_done(&stored);
    file->at += status == SF_OK ? n : 0;
    return status;
}
