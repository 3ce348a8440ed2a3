/* One file's rows in chunks: without those that are deleted or that the condition leaves out, with the columns of the
 * change feed where they are asked for. */
#include "source.h"

#include <inttypes.h>

struct Reading {
    const DeltaLog *log;
    const Columns *columns;
    const Listing *listing;
    const SourceFile *file;
    DeltaDataFile *data;
    bool with_type;  /* the file has a column _change_type, which is read */
    uint8_t *others; /* the deletion vector of file->but; NULL: there is none, or nobody asks */
    uint8_t *keep;   /* a bit a row of a batch */
    int64_t chunk;   /* number of the chunk's first row */
    int64_t rank;    /* rows of the chunk that came so far */
    int64_t passed;  /* of those, how many were given before a restart */
};

void reading_free(Reading *reading)
{
    if (!reading)
        return;
    delta_data_free(reading->data);
    g_free(reading->others);
    g_free(reading->keep);
    g_free(reading);
}

int64_t reading_rows(const Reading *reading)
{
    return delta_data_rows(reading->data);
}

size_t reading_held(const Reading *reading)
{
    return delta_data_held(reading->data) + (reading->others ? (size_t) reading_rows(reading) / 8 : 0);
}

static SfStatus open_data(Reading *reading, SfError *err)
{
    const Columns *columns = reading->columns;
    g_autoptr(GPtrArray) fields = g_ptr_array_new();
    for (guint i = 0; i < columns->fields->len; i++)
        g_ptr_array_add(fields, columns->fields->pdata[i]);
    reading->with_type = columns->changes && !reading->file->change;
    if (reading->with_type)
        g_ptr_array_add(fields, json_object_array_get_idx(columns->feed_fields, 0));
    return delta_data_open(reading->log, reading->file->action, (json_object *const *) fields->pdata, fields->len,
                           &reading->data, err);
}

/* The log and the file have to agree: positions are counted by the log. */
static SfStatus check_rows(const Reading *reading, SfError *err)
{
    if (reading->file->rows < 0 || reading->file->rows == reading_rows(reading))
        return SF_OK;
    return sf_fail(err, SF_FATAL, "it has %" PRId64 " rows, the log says %" PRId64, reading_rows(reading),
                   reading->file->rows);
}

SfStatus reading_new(const DeltaLog *log, const Columns *columns, const Listing *listing, const SourceFile *file,
                     int64_t row, Reading **out, SfError *err)
{
    g_autoptr(Reading) reading = g_new0(Reading, 1);
    reading->log = log;
    reading->columns = columns;
    reading->listing = listing;
    reading->file = file;
    SF_TRY(open_data(reading, err));
    SF_TRY(check_rows(reading, err));
    if (file->but)
        SF_TRY(delta_vector_read(log, file->but, reading_rows(reading), &reading->others, err));
    reading->keep = g_malloc(CHUNK_ROWS / 8);
    reading->chunk = row - row % CHUNK_ROWS;
    reading->passed = row % CHUNK_ROWS;
    SF_TRY(delta_data_skip(reading->data, reading->chunk, err));
    *out = g_steal_pointer(&reading);
    return SF_OK;
}

SfStatus reading_count(const DeltaLog *log, const SourceFile *file, int64_t *rows, SfError *err)
{
    g_autoptr(DeltaDataFile) data = NULL;
    SF_TRY(delta_data_open(log, file->action, NULL, 0, &data, err));
    *rows = delta_data_rows(data);
    return SF_OK;
}

/* ---- which rows ---- */

static bool row_is_there(const Reading *reading, int64_t row)
{
    if (delta_vector_has(delta_data_deleted(reading->data), row))
        return false;
    return !reading->file->but || delta_vector_has(reading->others, row);
}

/* Marks the rows that are given, and counts them. */
static SfStatus mark_rows(Reading *reading, const SfBatch *batch, int64_t first, int64_t *kept, SfError *err)
{
    const Columns *columns = reading->columns;
    g_autofree SfColumn *views = g_new0(SfColumn, columns->fields->len + 1);
    for (guint i = 0; i < columns->fields->len; i++)
        SF_TRY(sf_column_at(batch, i, &views[i], err));
    memset(reading->keep, 0, CHUNK_ROWS / 8);
    for (int64_t row = 0; row < sf_rows(batch); row++) {
        if (!row_is_there(reading, first + row) || !where_holds(&columns->where, views, row))
            continue;
        reading->rank++;
        if (reading->rank <= reading->passed)
            continue;
        reading->keep[row / 8] |= (uint8_t) (1u << (row % 8));
        ++*kept;
    }
    return SF_OK;
}

/* ---- which columns ---- */

static SfStatus feed_columns(const Reading *reading, struct ArrowArray *rows, struct ArrowArray *columns, SfError *err)
{
    json_object *fields = reading->columns->feed_fields;
    g_autofree char *version = g_strdup_printf("%" PRId64, reading->listing->version);
    const char *const texts[] = {reading->file->change, version, reading->listing->time};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (i == 0 && reading->with_type) {
            struct ArrowArray *type = rows->children[reading->columns->fields->len];
            columns[0] = *type;
            type->release = NULL;
        } else {
            SF_TRY(
                delta_constant_column(json_object_array_get_idx(fields, i), texts[i], rows->length, &columns[i], err));
        }
    }
    return SF_OK;
}

/* Those that are given, out of those that were read. */
static SfStatus choose_columns(const Reading *reading, struct ArrowArray *rows, struct ArrowArray *out, SfError *err)
{
    guint given = reading->columns->given, n = given + (reading->columns->changes ? 3 : 0);
    g_autofree struct ArrowArray *columns = g_new0(struct ArrowArray, n + 1);
    for (guint i = 0; i < given; i++) {
        columns[i] = *rows->children[i];
        rows->children[i]->release = NULL;
    }
    SfStatus status = reading->columns->changes ? feed_columns(reading, rows, columns + given, err) : SF_OK;
    if (status == SF_OK)
        return sf_rows_from_columns(columns, n, rows->length, out, err);
    for (guint i = 0; i < n; i++)
        sf_array_done(&columns[i]);
    return status;
}

/* What the pipeline takes for granted: the file's own schema may allow more. */
static SfStatus check_nulls(const Reading *reading, const struct ArrowArray *rows, SfError *err)
{
    const struct ArrowSchema *schema = &reading->columns->out;
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (!(schema->children[i]->flags & ARROW_FLAG_NULLABLE) && rows->children[i]->null_count != 0)
            return sf_fail(err, SF_FATAL,
                           "column '%s' has nulls, and is declared as not null; take 'not null' out of 'columns', or "
                           "leave these rows out by 'where: %s IS NOT NULL'",
                           schema->children[i]->name, schema->children[i]->name);
    }
    return SF_OK;
}

static SfStatus give_rows(Reading *reading, SfBatch *read, int64_t kept, SfBatch *out, SfError *err)
{
    struct ArrowArray some = {0};
    bool all = kept == sf_rows(read);
    if (!all)
        SF_TRY(delta_select_rows(read, reading->keep, &some, err));
    SfStatus status = choose_columns(reading, all ? &read->rows : &some, &out->rows, err);
    sf_array_done(&some);
    if (status == SF_OK)
        status = check_nulls(reading, &out->rows, err);
    if (status != SF_OK)
        sf_array_done(&out->rows);
    return status;
}

/* A reader may stop within a chunk, where its values are long: then the chunk goes on in the next batch. */
static SfStatus give_chunk(Reading *reading, SfBatch *read, SfBatch *out, SfError *err)
{
    int64_t at = delta_data_at(reading->data), kept = 0;
    out->start = reading->chunk + MAX(reading->rank, reading->passed);
    SF_TRY(mark_rows(reading, read, at - sf_rows(read), &kept, err));
    SF_TRY(give_rows(reading, read, kept, out, err));
    bool ended = at - reading->chunk >= CHUNK_ROWS || at >= reading_rows(reading);
    out->end = MAX(ended ? at : reading->chunk + MAX(reading->rank, reading->passed), out->start);
    if (ended) {
        reading->chunk = at;
        reading->rank = reading->passed = 0;
    }
    return SF_OK;
}

SfStatus reading_next(Reading *reading, SfBatch *out, SfError *err)
{
    const Columns *columns = reading->columns;
    SfBatch read = {.schema = reading->with_type ? &columns->with_type : &columns->rows};
    int64_t left = reading->chunk + CHUNK_ROWS - delta_data_at(reading->data);
    SF_TRY(delta_data_next(reading->data, left, &read.rows, err));
    SfStatus status = give_chunk(reading, &read, out, err);
    sf_array_done(&read.rows);
    return status;
}
