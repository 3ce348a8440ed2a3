/* Rows of a batch to the open files of their partitions. Rows that the table cannot hold are rejects. */
#include "sink.h"

#define CACHE_SIZE 64

/* The partition columns of one batch. A single column of plain numbers is looked up by value, without making a text. */
typedef struct Router {
    Input *input;
    const SfBatch *batch;
    guint n;
    SfColumn *columns; /* n; type 0: missing, so null */
    bool by_number;
    struct {
        int64_t value;
        OpenFile *file;
    } cache[CACHE_SIZE];
    GString *key;
} Router;

static SfStatus router_init(Router *router, Input *input, const SfBatch *batch, SfError *err)
{
    *router = (Router){.input = input, .batch = batch, .n = input->sink->partitions->len};
    router->columns = g_new0(SfColumn, router->n);
    router->key = g_string_new(NULL);
    for (guint i = 0; i < router->n; i++)
        if (input->partition[i].number >= 0)
            SF_TRY(sf_column_at(batch, input->partition[i].number, &router->columns[i], err));
    SfType type = router->n == 1 ? router->columns[0].type : SF_UTF8;
    router->by_number = type == SF_INT32 || type == SF_DATE || type == SF_INT64 || type == SF_TIMESTAMP;
    return SF_OK;
}

static void router_done(Router *router)
{
    g_free(router->columns);
    if (router->key)
        g_string_free(router->key, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Router, router_done)

/* "2024-01-15T10:30:01.500000Z" → "2024-01-15 10:30:01.500000" (PROTOCOL.md, "Partition Value Serialization"). */
static void drop_zone(GString *text)
{
    char *clock = strchr(text->str, 'T');
    if (!clock)
        return;
    *clock = ' ';
    g_string_truncate(text, text->len - 1);
}

/* Values as texts; NULL and a reject when one cannot be a partition's. */
static GPtrArray *partition_values(const Router *router, int64_t row)
{
    const Sink *sink = router->input->sink;
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < router->n; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        const SfColumn *column = &router->columns[i];
        bool there = column->type != 0 && delta_partition_text(column, row, text);
        if (!there && !router->input->partition[i].nullable) {
            sf_reject(sink->node, router->input->rejects, row,
                      "%s: an empty text means null in a partition column, and this one is not null",
                      (const char *) sink->partitions->pdata[i]);
            return NULL;
        }
        if (there && router->input->partition[i].local)
            drop_zone(text);
        if (!g_utf8_validate(text->str, (gssize) text->len, NULL)) { /* which takes U+0000 for the end */
            sf_reject(sink->node, router->input->rejects, row,
                      "%s: a partition's value must be UTF-8 without NUL characters",
                      (const char *) sink->partitions->pdata[i]);
            return NULL;
        }
        g_ptr_array_add(values, there ? g_string_free(g_steal_pointer(&text), FALSE) : NULL);
    }
    return g_steal_pointer(&values);
}

/* Closes the file that has been unused for longest, with the rows that it has been given so far. */
static SfStatus make_room(Router *router, SfError *err)
{
    Sink *sink = router->input->sink;
    OpenFile *victim = NULL;
    GHashTableIter iter;
    gpointer file;
    if (sink->n_open < (guint) sink->max_open_files)
        return SF_OK;
    for (size_t i = 0; i < sink->n_inputs; i++) {
        g_hash_table_iter_init(&iter, sink->inputs[i].open);
        while (g_hash_table_iter_next(&iter, NULL, &file))
            if (!victim || ((OpenFile *) file)->used < victim->used)
                victim = file;
    }
    memset(router->cache, 0, sizeof router->cache);
    if (victim->rows->len > 0)
        SF_TRY(files_add_rows(victim, router->batch, err));
    return files_finish(victim, err);
}

/* The file of the row's partition, opened when needed; *out NULL: the row is a reject. */
static SfStatus route_by_text(Router *router, int64_t row, OpenFile **out, SfError *err)
{
    g_autoptr(GPtrArray) values = partition_values(router, row);
    *out = NULL;
    if (!values)
        return SF_OK;
    g_string_truncate(router->key, 0);
    for (guint i = 0; i < values->len; i++) {
        const char *value = values->pdata[i];
        if (value)
            g_string_append_printf(router->key, "%zu:%s", strlen(value), value);
        else
            g_string_append(router->key, "-:");
    }
    *out = g_hash_table_lookup(router->input->open, router->key->str);
    if (*out)
        return SF_OK;
    SF_TRY(make_room(router, err));
    *out = files_open(router->input, router->key->str, values, err);
    return *out ? SF_OK : SF_FATAL;
}

static SfStatus route(Router *router, int64_t row, OpenFile **out, SfError *err)
{
    if (!router->by_number || sf_is_null(&router->columns[0], row))
        return route_by_text(router, row, out, err);
    const SfColumn *column = &router->columns[0];
    bool narrow = column->type == SF_INT32 || column->type == SF_DATE;
    int64_t value = narrow ? sf_i32(column, row) : sf_i64(column, row);
    size_t slot = (uint64_t) value % CACHE_SIZE;
    if (!router->cache[slot].file || router->cache[slot].value != value) {
        SF_TRY(route_by_text(router, row, out, err));
        router->cache[slot].value = value;
        router->cache[slot].file = *out;
    }
    *out = router->cache[slot].file;
    return SF_OK;
}

/* Takes a row out, marked by -1, and rejects it, once. */
static void turn_away(Input *input, int64_t row, const char *why, GArray **rows)
{
    int64_t n = sf_rows(input->rejects);
    if (!*rows) {
        *rows = g_array_sized_new(FALSE, FALSE, sizeof(int32_t), (guint) n);
        for (int32_t i = 0; i < n; i++)
            g_array_append_val(*rows, i);
    }
    int32_t *place = &g_array_index(*rows, int32_t, row);
    if (*place >= 0)
        sf_reject(input->sink->node, input->rejects, row, "%s", why);
    *place = -1;
}

static SfStatus apply_rule(Input *input, const SfBatch *batch, const DeltaRule *rule, GArray **rows, SfError *err)
{
    SfColumn column;
    g_autoptr(GString) why = g_string_new(NULL);
    SF_TRY(sf_column_at(batch, rule->column, &column, err));
    if (rule->kind == DELTA_ANY && !rule->members && !column.validity)
        return SF_OK;
    for (int64_t row = 0; row < sf_rows(batch); row++) {
        if (delta_rule_holds(rule, &column, row, why))
            continue;
        turn_away(input, row, why->str, rows);
        g_string_truncate(why, 0);
    }
    return SF_OK;
}

static SfStatus apply_checks(Input *input, const SfBatch *batch, GArray **rows, SfError *err)
{
    int64_t n = input->schema.n_children;
    g_autofree SfColumn *columns = g_new0(SfColumn, (gsize) n);
    g_autoptr(GString) why = g_string_new(NULL);
    for (int64_t i = 0; i < n; i++)
        SF_TRY(sf_column_at(batch, i, &columns[i], err));
    for (guint i = 0; i < input->checks->len; i++)
        for (int64_t row = 0; row < sf_rows(batch); row++) {
            if (delta_check_holds(input->checks->pdata[i], columns, row, why))
                continue;
            turn_away(input, row, why->str, rows);
            g_string_truncate(why, 0);
        }
    return SF_OK;
}

typedef struct Refusal {
    Input *input;
    GArray **rows;
} Refusal;

static void refuse_row(gpointer user, int64_t row, const char *why)
{
    Refusal *refusal = user;
    turn_away(refusal->input, row, why, refusal->rows);
}

/* filled: the batch with the columns that the table fills; *rows those that it does not take, marked by -1. */
static SfStatus fill_columns(Input *input, const SfBatch *batch, SfBatch *filled, GArray **rows, SfError *err)
{
    int64_t n = input->given.n_children;
    g_autofree SfColumn *columns = g_new0(SfColumn, (gsize) n);
    for (int64_t i = 0; i < n; i++)
        SF_TRY(sf_column_at(batch, i, &columns[i], err));
    Refusal refusal = {input, rows};
    DeltaFillRows given = {.columns = columns,
                           .n = sf_rows(batch),
                           .now_us = sf_now_ms(input->sink->node) * 1000,
                           .refuse = refuse_row,
                           .user = &refusal};
    struct ArrowArray added = {0};
    SF_TRY(delta_fills_apply(input->fills, &given, &added, err));
    if (!added.release)
        return SF_OK;
    SF_TRY(sf_batch_with(batch, &added, &filled->rows, err));
    filled->schema = &input->schema;
    return SF_OK;
}

/* Rows that the table takes; *out NULL: all of them. What it does not take already is marked in it. */
static SfStatus wanted_rows(Input *input, const SfBatch *batch, GArray **out, SfError *err)
{
    for (guint i = 0; i < input->rules->len; i++)
        SF_TRY(apply_rule(input, batch, input->rules->pdata[i], out, err));
    if (input->checks && input->checks->len > 0)
        SF_TRY(apply_checks(input, batch, out, err));
    for (guint i = 0; *out && i < (*out)->len;)
        if (g_array_index(*out, int32_t, i) < 0)
            g_array_remove_index(*out, i);
        else
            i++;
    return SF_OK;
}

static SfStatus write_touched(Input *input, const SfBatch *batch, SfError *err)
{
    GHashTableIter iter;
    gpointer value;
    g_autoptr(GPtrArray) full = g_ptr_array_new();
    g_hash_table_iter_init(&iter, input->open);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        OpenFile *file = value;
        if (file->rows->len == 0)
            continue;
        SF_TRY(files_add_rows(file, batch, err));
        if (parquet_writer_size(file->writer) >= input->sink->target_file_size)
            g_ptr_array_add(full, file);
    }
    for (guint i = 0; i < full->len; i++)
        SF_TRY(files_finish(full->pdata[i], err));
    return SF_OK;
}

/* Room for all `n` rows of a batch is made with its first one. */
static void take_row(OpenFile *file, int32_t row, guint n)
{
    GArray *rows = file->rows;
    if (rows->len == 0) {
        g_array_set_size(rows, n);
        rows->len = 0;
    }
    ((int32_t *) (void *) rows->data)[rows->len++] = row;
}

static SfStatus route_rows(Router *router, const GArray *rows, int64_t n, SfError *err)
{
    OpenFile *file = NULL;
    for (int64_t i = 0; i < n; i++) {
        int32_t row = rows ? g_array_index(rows, int32_t, i) : (int32_t) i;
        SF_TRY(route(router, row, &file, err));
        if (!file)
            continue;
        file->used = router->input->sink->clock;
        take_row(file, row, (guint) n);
    }
    return SF_OK;
}

/* Of a table without partitions: all rows go to one file. */
static SfStatus route_all(Router *router, const GArray *rows, int64_t n, SfError *err)
{
    OpenFile *file = NULL;
    SF_TRY(route_by_text(router, 0, &file, err));
    file->used = router->input->sink->clock;
    g_array_set_size(file->rows, (guint) n);
    int32_t *out = (int32_t *) (void *) file->rows->data;
    if (rows)
        memcpy(out, rows->data, (gsize) n * sizeof *out);
    for (int64_t i = 0; !rows && i < n; i++)
        out[i] = (int32_t) i;
    return SF_OK;
}

/* rows: those that the table does not take already, marked by -1; NULL: none. */
static SfStatus write_rows(Input *input, const SfBatch *batch, GArray **rows, SfError *err)
{
    g_auto(Router) router = {0};
    SF_TRY(wanted_rows(input, batch, rows, err));
    int64_t n = *rows ? (*rows)->len : sf_rows(batch);
    if (n == 0)
        return SF_OK;
    input->sink->clock++;
    SF_TRY(router_init(&router, input, batch, err));
    SF_TRY(router.n > 0 ? route_rows(&router, *rows, n, err) : route_all(&router, *rows, n, err));
    return write_touched(input, batch, err);
}

SfStatus rows_write(Input *input, const SfBatch *batch, SfError *err)
{
    g_autoptr(GArray) rows = NULL;
    SfBatch filled = *batch;
    input->rejects = batch;
    if (input->fills->len == 0)
        return write_rows(input, batch, &rows, err);
    filled.rows = (struct ArrowArray){0};
    SF_TRY(fill_columns(input, batch, &filled, &rows, err));
    SfStatus status = write_rows(input, filled.rows.release ? &filled : batch, &rows, err);
    sf_array_done(&filled.rows);
    return status;
}
