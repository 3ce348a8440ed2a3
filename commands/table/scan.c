/* See scan.h. */
#include "scan.h"

#define BATCH_ROWS 4096

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

SfStatus scan_init(Scan *scan, OpenTable *table, Where *where, GPtrArray *fields, SfError *err)
{
    *scan = (Scan){.table = table, .where = where, .fields = fields};
    for (guint i = 0; i < where->terms->len; i++) {
        WhereTerm *term = where_term(where, i);
        term->column = add_field(fields, term->field);
    }
    return delta_fields_schema((json_object *const *) fields->pdata, fields->len, false, false, &scan->schema, err);
}

void scan_done(Scan *scan)
{
    g_clear_pointer(&scan->fields, g_ptr_array_unref);
    sf_schema_done(&scan->schema);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static SfStatus take_rows(Scan *scan, const DeltaDataFile *file, const SfBatch *batch, SfError *err)
{
    const uint8_t *deleted = delta_data_deleted(file);
    int64_t first = delta_data_at(file) - sf_rows(batch);
    g_autofree SfColumn *columns = g_new0(SfColumn, scan->fields->len + 1);
    for (guint i = 0; i < scan->fields->len; i++)
        SF_TRY(sf_column_at(batch, i, &columns[i], err));
    for (int64_t row = 0; row < sf_rows(batch); row++) {
        if (delta_vector_has(deleted, first + row) || !where_holds(scan->where, columns, row))
            continue;
        scan->rows++;
        if (scan->take)
            SF_TRY(scan->take(scan->user, batch, columns, row, err));
    }
    return SF_OK;
}

static SfStatus read_file(Scan *scan, json_object *add, SfError *err)
{
    g_autoptr(DeltaDataFile) file = NULL;
    SfStatus status = delta_data_open(scan->table->log, add, (json_object *const *) scan->fields->pdata,
                                      scan->fields->len, &file, err);
    if (status == SF_EMPTY)
        return sf_fail(err, SF_FATAL, "it is not there: was it vacuumed, or removed by hand?");
    while (status == SF_OK) {
        SfBatch batch = {.schema = &scan->schema};
        status = delta_data_next(file, BATCH_ROWS, &batch.rows, err);
        if (status != SF_OK)
            break;
        status = take_rows(scan, file, &batch, err);
        sf_array_done(&batch.rows);
    }
    scan->read++;
    scan->read_bytes += file ? delta_data_bytes(file) : 0;
    return status == SF_END ? SF_OK : status;
}

static SfStatus scan_file(gpointer user, json_object *add, SfError *err)
{
    Scan *scan = user;
    const char *text = delta_json_text(add, "stats");
    g_autoptr(json_object) stats = text ? delta_json_parse(text, strlen(text), NULL) : NULL;
    scan->files++;
    WhereFate fate = delta_file_fate(scan->table->log, scan->where, add, stats);
    int64_t rows = delta_stats_rows(stats);
    if (fate == WHERE_NEVER) {
        scan->skipped++;
        return SF_OK;
    }
    if (!scan->take && fate == WHERE_ALWAYS && rows >= 0) {
        scan->rows += MAX(rows - delta_vector_cardinality(add), 0);
        return SF_OK;
    }
    SfStatus status = read_file(scan, add, err);
    if (status == SF_OK || status == SF_EMPTY)
        return status;
    const char *path = delta_json_text(add, "path");
    return sf_fail_prefix(err, status, "%s/%s", store_url(scan->table->place.store), path ? path : "");
}

SfStatus scan_run(Scan *scan, SfError *err)
{
    SfStatus status = delta_files_each(scan->table->log, scan_file, scan, err);
    return status == SF_EMPTY ? SF_OK : status;
}
