/* `sfrun table URL --rows N --columns … --where … --count`. */
#include "cli/table.h"
#include "scan.h"

#include <stdio.h>

#include "data/printable.h"
#include "json/write.h"

#define CELL_MOST 40    /* columns of the terminal */
#define BLOCK_ROWS 1000 /* of a table; what is more gets another one */
#define USUAL_ROWS 20

typedef struct Rows {
    OpenTable *table;
    Scan scan;
    gint64 left;               /* rows to print */
    guint n_columns;           /* that are printed */
    struct ArrowSchema *shown; /* of them; the scan's children */
    JsonWriter *json;
    GPtrArray *cells; /* char *, row by row */
    bool hint;        /* columns that have no room were told of */
} Rows;

/* ---- what is asked for ------------------------------------------------------------------------------------------ */

static SfStatus choose_columns(OpenTable *table, GPtrArray *fields, SfError *err)
{
    const SfList *columns = &table->options->columns;
    for (size_t i = 0; columns->size == 0 && i < json_object_array_length(table->fields); i++)
        g_ptr_array_add(fields, json_object_array_get_idx(table->fields, i));
    for (size_t i = 0; i < columns->size; i++) {
        g_auto(GStrv) names = g_strsplit(columns->items[i], ",", -1);
        for (char **name = names; *name; name++) {
            json_object *field = delta_schema_field(table->schema, g_strstrip(*name));
            if (!field)
                return sf_fail(err, SF_CONFIG, "--columns: there is no column '%s'; `sfrun table %s` shows them", *name,
                               table->place.shown);
            if (!g_ptr_array_find(fields, field, NULL))
                g_ptr_array_add(fields, field);
        }
    }
    return SF_OK;
}

/* The condition with a caret below the mistake, behind the message. */
static void point_at(const char *text, const char *at)
{
    g_autofree char *before = g_strndup(text, (gsize) (at - text));
    g_autofree char *line = printable(text, ""), *start = printable(before, "");
    fprintf(stderr, "    %s\n    %*s^\n", line, (int) printable_width(start), "");
}

/* ---- printing --------------------------------------------------------------------------------------------------- */

static void nothing_owned(struct ArrowSchema *schema)
{
    (void) schema;
}

static void nothing_held(struct ArrowArray *array)
{
    (void) array;
}

/* A list or struct as JSON: the value out of a row that has this column alone. */
static char *nested_text(const SfColumn *column, int64_t row)
{
    SfError err = {""};
    const void *no_validity[1] = {NULL};
    struct ArrowSchema *children[1] = {(struct ArrowSchema *) (gpointer) column->schema};
    struct ArrowArray *arrays[1] = {(struct ArrowArray *) (gpointer) column->array};
    struct ArrowSchema schema = {
        .format = "+s", .name = "", .n_children = 1, .children = children, .release = nothing_owned};
    SfBatch batch = {.schema = &schema,
                     .rows = {.length = column->length,
                              .n_buffers = 1,
                              .buffers = no_validity,
                              .n_children = 1,
                              .children = arrays,
                              .release = nothing_held}};
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(JsonWriter) json = json_writer_new(&schema, &err);
    if (!json || json_writer_batch(json, &batch, &err) != SF_OK)
        return g_strdup(err.message);
    json_writer_row(json, row, text);
    g_autoptr(GString) name = g_string_new("{");
    json_write_text(name, column->schema->name, strlen(column->schema->name));
    g_string_append_c(name, ':');
    bool found = g_str_has_prefix(text->str, name->str) && text->len > name->len;
    return found ? g_strndup(text->str + name->len, text->len - name->len - 1) : g_strdup(text->str);
}

static char *cell_text(const SfColumn *column, int64_t row)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (sf_is_null(column, row))
        return g_strdup("null");
    if (column->type == SF_LIST || column->type == SF_STRUCT || column->type == SF_BINARY)
        return nested_text(column, row);
    delta_partition_text(column, row, text);
    return printable_bytes(text->str, text->len, "", "\\x");
}

static guint columns_that_fit(const Rows *rows, guint n_rows, guint room)
{
    guint used = 2;
    for (guint i = 0; i < rows->n_columns; i++) {
        guint width = printable_width(rows->shown->children[i]->name);
        for (guint row = 0; row < n_rows; row++)
            width = MAX(width, printable_width(rows->cells->pdata[row * rows->n_columns + i]));
        used += MIN(width, CELL_MOST) + 2;
        if (room > 0 && i > 0 && used > room + 2)
            return i;
    }
    return rows->n_columns;
}

static bool is_number(const struct ArrowSchema *column)
{
    SfField field;
    bool known = sf_schema_field(column, &field, NULL) == SF_OK;
    return known && (field.type == SF_INT32 || field.type == SF_INT64 || field.type == SF_FLOAT64 ||
                     field.type == SF_DECIMAL128);
}

static void print_block(Rows *rows)
{
    guint n_rows = rows->n_columns > 0 ? rows->cells->len / rows->n_columns : 0, room = table_room();
    guint n = columns_that_fit(rows, n_rows, room);
    g_autofree TableColumn *columns = g_new0(TableColumn, n + 1);
    g_autoptr(GPtrArray) titles = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < n; i++) {
        g_ptr_array_add(titles, printable(rows->shown->children[i]->name, ""));
        columns[i] = (TableColumn){.title = titles->pdata[i], .left = !is_number(rows->shown->children[i])};
    }
    g_autoptr(Table) table = table_new(columns, n);
    for (guint row = 0; row < n_rows; row++) {
        for (guint i = 0; i < n; i++) {
            const char *text = rows->cells->pdata[row * rows->n_columns + i];
            g_autofree char *cut = room > 0 ? printable_cut(text, CELL_MOST, CELL_MOST / 3) : g_strdup(text);
            table_text(table, cut, NULL);
        }
    }
    if (n_rows > 0)
        table_print(table, room);
    if (n < rows->n_columns && !rows->hint)
        fprintf(stderr, "sfrun table: %u of %u columns fit here; --columns takes others, --json all\n", n,
                rows->n_columns);
    rows->hint = true;
    g_ptr_array_set_size(rows->cells, 0);
}

static SfStatus print_row_json(Rows *rows, const SfBatch *batch, int64_t row, SfError *err)
{
    SfBatch shown = {.schema = rows->shown, .rows = batch->rows};
    g_autoptr(GString) text = g_string_new(NULL);
    shown.rows.n_children = rows->n_columns;
    SF_TRY(json_writer_batch(rows->json, &shown, err));
    json_writer_row(rows->json, row, text);
    puts(text->str);
    return SF_OK;
}

static SfStatus take_row(gpointer user, const SfBatch *batch, const SfColumn *columns, int64_t row, SfError *err)
{
    Rows *rows = user;
    if (rows->left <= 0)
        return SF_EMPTY;
    if (rows->json)
        SF_TRY(print_row_json(rows, batch, row, err));
    for (guint i = 0; !rows->json && i < rows->n_columns; i++)
        g_ptr_array_add(rows->cells, cell_text(&columns[i], row));
    if (rows->cells->len >= BLOCK_ROWS * MAX(rows->n_columns, 1))
        print_block(rows);
    return --rows->left > 0 && !ferror(stdout) ? SF_OK : SF_EMPTY;
}

static void explain_scan(const Rows *rows)
{
    const Scan *scan = &rows->scan;
    g_autofree char *size = place_size(scan->read_bytes);
    fprintf(stderr,
            "sfrun table: read %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " files (%s); %" G_GINT64_FORMAT
            " skipped by partition values and statistics\n",
            scan->read, scan->files, size, scan->skipped);
}

static void print_count(const Rows *rows)
{
    const Scan *scan = &rows->scan;
    if (!rows->table->options->json) {
        printf("%" G_GINT64_FORMAT "\n", scan->rows);
        return;
    }
    json_object *out = json_object_new_object();
    json_add_number(out, "count", scan->rows);
    json_add_number(out, "version", rows->table->log->version);
    json_add_number(out, "files", scan->files);
    json_add_number(out, "files_skipped", scan->skipped);
    json_add_number(out, "files_read", scan->read);
    json_add_number(out, "bytes_read", scan->read_bytes);
    json_print(out);
}

static SfStatus run_rows(Rows *rows, SfError *err)
{
    const TableOptions *options = rows->table->options;
    struct ArrowSchema shown = rows->scan.schema;
    shown.n_children = rows->n_columns;
    rows->shown = &shown;
    rows->left = options->rows >= 0 ? options->rows : USUAL_ROWS;
    if (!options->count) {
        rows->scan.take = take_row;
        rows->scan.user = rows;
        rows->json = options->json ? json_writer_new(&shown, err) : NULL;
        if (options->json && !rows->json)
            return SF_FATAL;
    }
    SfStatus status = rows->left > 0 || options->count ? scan_run(&rows->scan, err) : SF_OK;
    if (status == SF_OK && options->count)
        print_count(rows);
    else if (!options->json && !options->count)
        print_block(rows);
    if (status == SF_OK && options->explain)
        explain_scan(rows);
    g_clear_pointer(&rows->json, json_writer_free);
    return status;
}

SfStatus table_print_rows(OpenTable *table, SfError *err)
{
    const char *at = NULL, *text = table->options->where;
    g_auto(Where) where = {0};
    if (where_parse(text, table->schema, &where, &at, err) != SF_OK) {
        g_autofree char *message = message_line(err->message);
        fprintf(stderr, "sfrun table: --where: %s\n", message);
        point_at(text, at);
        err->message[0] = '\0';
        return SF_CONFIG;
    }
    g_autoptr(GPtrArray) fields = g_ptr_array_new();
    if (!table->options->count)
        SF_TRY(choose_columns(table, fields, err));
    Rows rows = {.table = table, .n_columns = fields->len, .cells = g_ptr_array_new_with_free_func(g_free)};
    SfStatus status = scan_init(&rows.scan, table, &where, g_steal_pointer(&fields), err);
    if (status == SF_OK)
        status = run_rows(&rows, err);
    scan_done(&rows.scan);
    g_ptr_array_unref(rows.cells);
    return status;
}
