/* See scan.h. */
#include "scan.h"

#define BATCH_ROWS 4096
#define FILE_MAX (INT64_C(1) << 33)

/* One file of the table. */
typedef struct ScanFile {
    Scan *scan;
    json_object *add;
    char *key;
    int64_t row;      /* number of the next batch's first */
    uint8_t *deleted; /* or NULL */
} ScanFile;

/* ---- columns ---------------------------------------------------------------------------------------------------- */

static int add_field(GPtrArray *fields, json_object *field)
{
    for (guint i = 0; i < fields->len; i++) {
        if (fields->pdata[i] == field)
            return (int) i;
    }
    g_ptr_array_add(fields, field);
    return (int) fields->len - 1;
}

static SfStatus stored_schema(Scan *scan, SfError *err)
{
    g_autoptr(GPtrArray) stored = g_ptr_array_new();
    for (guint i = 0; i < scan->fields->len; i++) {
        if (!table_is_partitioned_by(scan->table, scan->fields->pdata[i]))
            g_ptr_array_add(stored, scan->fields->pdata[i]);
    }
    return delta_fields_schema((json_object *const *) stored->pdata, stored->len, delta_log_maps(scan->table->log),
                               true, &scan->stored, err);
}

SfStatus scan_init(Scan *scan, OpenTable *table, Where *where, GPtrArray *fields, SfError *err)
{
    *scan = (Scan){.table = table, .where = where, .fields = fields};
    for (guint i = 0; i < where->terms->len; i++) {
        WhereTerm *term = &g_array_index(where->terms, WhereTerm, i);
        term->column = add_field(fields, term->field);
    }
    SF_TRY(delta_fields_schema((json_object *const *) fields->pdata, fields->len, false, false, &scan->schema, err));
    return stored_schema(scan, err);
}

void scan_done(Scan *scan)
{
    g_clear_pointer(&scan->fields, g_ptr_array_unref);
    sf_schema_done(&scan->schema);
    sf_schema_done(&scan->stored);
}

/* ---- which files ------------------------------------------------------------------------------------------------ */

static bool value_of_partition(const Scan *scan, json_object *add, const WhereTerm *term, SqlValue *out)
{
    const char *text = table_partition_value(scan->table, add, term->field);
    *out = (SqlValue){.kind = text ? SQL_TEXT : SQL_NULL};
    if (!text || term->op >= WHERE_NULL)
        return true;
    if (term->kind != SQL_TEXT)
        return sql_value_of_text(term->field, text, out);
    out->text = (SfBytes){text, (int64_t) strlen(text)};
    return true;
}

/* Whether the file's rows are out of question; *open: whether that depends on each of them. */
static bool is_excluded(const Scan *scan, json_object *add, json_object *stats, bool *open)
{
    bool mapped = delta_log_maps(scan->table->log);
    *open = false;
    for (guint i = 0; i < scan->where->terms->len; i++) {
        const WhereTerm *term = &g_array_index(scan->where->terms, WhereTerm, i);
        SqlValue value;
        bool partition = table_is_partitioned_by(scan->table, term->field);
        bool known = partition && value_of_partition(scan, add, term, &value);
        if (known && !where_term_holds(term, &value))
            return true;
        if (!partition && stats && where_term_excludes(term, stats, delta_file_name(term->field, mapped)))
            return true;
        *open |= !known;
    }
    return false;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static SfStatus take_rows(ScanFile *file, const SfBatch *batch, SfError *err)
{
    Scan *scan = file->scan;
    g_autofree SfColumn *columns = g_new0(SfColumn, scan->fields->len + 1);
    for (guint i = 0; i < scan->fields->len; i++)
        SF_TRY(sf_column_at(batch, i, &columns[i], err));
    for (int64_t row = 0; row < sf_rows(batch); row++) {
        if (delta_vector_has(file->deleted, file->row + row) || !where_holds(scan->where, columns, row))
            continue;
        scan->rows++;
        if (scan->take)
            SF_TRY(scan->take(scan->user, batch, columns, row, err));
    }
    return SF_OK;
}

/* The columns in the order of the fields: what the file has, and the partition's values. */
static SfStatus join_columns(const ScanFile *file, struct ArrowArray *stored, int64_t n, struct ArrowArray *out,
                             SfError *err)
{
    const Scan *scan = file->scan;
    g_autofree struct ArrowArray *columns = g_new0(struct ArrowArray, scan->fields->len + 1);
    SfStatus status = SF_OK;
    int64_t next = 0;
    for (guint i = 0; i < scan->fields->len; i++) {
        json_object *field = scan->fields->pdata[i];
        if (!table_is_partitioned_by(scan->table, field)) {
            columns[i] = *stored->children[next];
            stored->children[next++]->release = NULL;
        } else if (status == SF_OK) {
            status =
                delta_constant_column(field, table_partition_value(scan->table, file->add, field), n, &columns[i], err);
        }
    }
    if (status == SF_OK)
        return sf_rows_from_columns(columns, scan->fields->len, n, out, err);
    for (guint i = 0; i < scan->fields->len; i++)
        sf_array_done(&columns[i]);
    return status;
}

static SfStatus take_batch(ScanFile *file, struct ArrowArray *stored, int64_t n, SfError *err)
{
    SfBatch batch = {.schema = &file->scan->schema};
    SF_TRY(join_columns(file, stored, n, &batch.rows, err));
    SfStatus status = take_rows(file, &batch, err);
    file->row += n;
    sf_array_done(&batch.rows);
    return status;
}

/* Of a file of which no column is asked for. */
static SfStatus take_bare_rows(ScanFile *file, int64_t rows, SfError *err)
{
    struct ArrowArray none = {0};
    while (file->row < rows)
        SF_TRY(take_batch(file, &none, MIN(rows - file->row, BATCH_ROWS), err));
    return SF_OK;
}

/* Its field ids may tell of a column by another name: nulls in its place would be wrong. */
static SfStatus check_names(const Scan *scan, const ParquetReader *reader, SfError *err)
{
    const char *name = delta_log_maps_by_id(scan->table->log) ? parquet_reader_lacks(reader) : NULL;
    if (!name)
        return SF_OK;
    return sf_fail(
        err, SF_FATAL,
        "it has no column '%s', and the table's delta.columnMapping.mode is 'id': columns are found by their "
        "names only",
        name);
}

static SfStatus read_file(ScanFile *file, SfError *err)
{
    Scan *scan = file->scan;
    g_autoptr(GBytes) body = NULL;
    SfStatus status = store_get(scan->table->place.store, file->key, FILE_MAX, &body, err);
    if (status == SF_EMPTY)
        return sf_fail(err, SF_FATAL, "it is not there: was it vacuumed, or removed by hand?");
    SF_TRY(status);
    scan->read++;
    scan->read_bytes += (int64_t) g_bytes_get_size(body);
    g_autoptr(ParquetReader) reader = parquet_reader_new(body, &scan->stored, err);
    if (!reader)
        return SF_FATAL;
    SF_TRY(check_names(scan, reader, err));
    int64_t rows = parquet_reader_rows(reader);
    SF_TRY(delta_vector_read(scan->table->log, file->add, rows, &file->deleted, err));
    if (scan->stored.n_children == 0)
        return take_bare_rows(file, rows, err);
    while (status == SF_OK) {
        struct ArrowArray stored;
        status = parquet_reader_next(reader, BATCH_ROWS, &stored, err);
        if (status != SF_OK)
            break;
        status = take_batch(file, &stored, stored.length, err);
        sf_array_done(&stored);
    }
    return status == SF_END ? SF_OK : status;
}

static SfStatus scan_file(gpointer user, json_object *add, SfError *err)
{
    Scan *scan = user;
    const char *text = delta_json_text(add, "stats");
    g_autoptr(json_object) stats = text ? delta_json_parse(text, strlen(text), NULL) : NULL;
    bool open = false;
    scan->files++;
    if (is_excluded(scan, add, stats, &open)) {
        scan->skipped++;
        return SF_OK;
    }
    int64_t rows = table_rows_of(stats);
    if (!scan->take && !open && rows >= 0) {
        scan->rows += MAX(rows - delta_vector_cardinality(add), 0);
        return SF_OK;
    }
    g_autofree char *key = delta_file_key(scan->table->log, add, err);
    if (!key)
        return SF_CONFIG;
    ScanFile file = {.scan = scan, .add = add, .key = key};
    SfStatus status = read_file(&file, err);
    g_free(file.deleted);
    if (status == SF_OK || status == SF_EMPTY)
        return status;
    return sf_fail_prefix(err, status, "%s/%s", store_url(scan->table->place.store), key);
}

SfStatus scan_run(Scan *scan, SfError *err)
{
    SfStatus status = delta_files_each(scan->table->log, scan_file, scan, err);
    return status == SF_EMPTY ? SF_OK : status;
}
