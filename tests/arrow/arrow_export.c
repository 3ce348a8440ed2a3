/* Our batches through the C data interface, for test_arrow.py: made from JSON, put through one operation, handed
 * over. Counts what is released. */
#include "rows.h"

SF_API int arrow_make(const char *schema, const char *const *json, gsize n, const char *operation, gint64 first,
                      gint64 count, const guint8 *keep, struct ArrowSchema *schema_out, struct ArrowArray *out);
SF_API int arrow_make_views(gsize n, const guint8 *keep, struct ArrowSchema *schema_out, struct ArrowArray *out);
SF_API int arrow_share(const char *schema, const char *const *json, gsize n, gint64 column,
                       struct ArrowSchema *schema_out, struct ArrowArray *out);
SF_API char *arrow_text(struct ArrowSchema *schema, struct ArrowArray *rows);
SF_API void arrow_free(char *text);
SF_API gint64 arrow_alive(void);

static gint alive; /* columns that have not been released */

gint64 arrow_alive(void)
{
    return g_atomic_int_get(&alive);
}

/* A column's own release, while ours stands in its place. */
typedef struct Stash {
    void (*release)(struct ArrowArray *);
    gpointer data;
} Stash;

static void count_release(struct ArrowArray *array)
{
    g_autofree Stash *stash = array->private_data;
    array->private_data = stash->data;
    array->release = stash->release;
    array->release(array);
    g_atomic_int_add(&alive, -1);
}

static SharedBatch *share(SfBatch *moved)
{
    for (gint64 i = 0; i < moved->rows.n_children; i++) {
        struct ArrowArray *column = moved->rows.children[i];
        Stash *stash = g_new(Stash, 1);
        *stash = (Stash){column->release, column->private_data};
        column->private_data = stash;
        column->release = count_release;
        g_atomic_int_inc(&alive);
    }
    return shared_batch_new(moved);
}

static SfStatus operate(const SfBatch *in, const char *operation, gint64 first, gint64 count, const guint8 *keep,
                        struct ArrowSchema *schema_out, SfBatch *out, SfError *err)
{
    if (g_str_equal(operation, "compact"))
        return sf_batch_compact(in, schema_out, out, err);
    SF_TRY(sf_schema_copy(in->schema, schema_out, err));
    if (g_str_equal(operation, "keep"))
        return sf_batch_keep(in, keep, out, err);
    return sf_batch_slice(in, first, count, out, err);
}

/* A slice of [first, first + count), then the operation on it: "slice" (nothing more), "keep" or "compact". */
int arrow_make(const char *schema, const char *const *json, gsize n, const char *operation, gint64 first, gint64 count,
               const guint8 *keep, struct ArrowSchema *schema_out, struct ArrowArray *out)
{
    g_auto(ArrowSchema) made = {0};
    SfBatch all = {.schema = &made}, slice = {0}, result = {0};
    SfError err;
    rows_schema(schema, &made);
    rows_from_json(&made, json, n, &all.rows);
    SharedBatch *whole = share(&all);
    SfStatus status = sf_batch_slice(&whole->batch, first, count, &slice, &err);
    sf_batch_unref(&whole->batch);
    if (status != SF_OK)
        g_error("%s", err.message);
    SharedBatch *part = share(&slice);
    status = operate(&part->batch, operation, 0, count, keep, schema_out, &result, &err);
    sf_batch_unref(&part->batch);
    if (status != SF_OK)
        g_error("%s", err.message);
    *out = result.rows;
    return 0;
}

/* ---- rows as a Kafka source has them: each value in a buffer of its own ---- */

typedef struct Messages {
    gsize n;
    const void **buffers; /* NULL, views, n messages, sizes */
} Messages;

static void release_messages(struct ArrowArray *array)
{
    Messages *messages = array->private_data;
    for (gsize i = 1; i < messages->n + 3; i++)
        g_free((gpointer) messages->buffers[i]);
    g_free(messages->buffers);
    g_free(messages);
    array->release = NULL;
    g_atomic_int_add(&alive, -1);
}

static void make_messages(gsize n, struct ArrowArray *out)
{
    Messages *messages = g_new(Messages, 1);
    *messages = (Messages){.n = n, .buffers = g_new0(const void *, n + 3)};
    gint32 *views = g_new0(gint32, 4 * n);
    gint64 *sizes = g_new0(gint64, n);
    for (gsize i = 0; i < n; i++) {
        char *text = g_strdup_printf("message number %" G_GSIZE_FORMAT " in a buffer of its own", i);
        sizes[i] = (gint64) strlen(text);
        views[4 * i] = (gint32) sizes[i];
        memcpy(&views[4 * i + 1], text, 4);
        views[4 * i + 2] = (gint32) i;
        messages->buffers[2 + i] = text;
    }
    messages->buffers[1] = views;
    messages->buffers[n + 2] = sizes;
    *out = (struct ArrowArray){.length = (gint64) n,
                               .n_buffers = (gint64) n + 3,
                               .buffers = messages->buffers,
                               .release = release_messages,
                               .private_data = messages};
    g_atomic_int_inc(&alive);
}

int arrow_make_views(gsize n, const guint8 *keep, struct ArrowSchema *schema_out, struct ArrowArray *out)
{
    SfError err;
    struct ArrowArray column;
    SfBatch all = {0}, kept = {0};
    rows_schema("value binary view not null", schema_out);
    make_messages(n, &column);
    all.schema = schema_out;
    if (sf_rows_from_columns(&column, 1, (gint64) n, &all.rows, &err) != SF_OK)
        g_error("%s", err.message);
    SharedBatch *whole = share(&all);
    if (sf_batch_keep(&whole->batch, keep, &kept, &err) != SF_OK)
        g_error("%s", err.message);
    sf_batch_unref(&whole->batch);
    *out = kept.rows;
    return 0;
}

/* One column that stands alone. */
int arrow_share(const char *schema, const char *const *json, gsize n, gint64 column, struct ArrowSchema *schema_out,
                struct ArrowArray *out)
{
    g_auto(ArrowSchema) made = {0};
    SfBatch all = {.schema = &made};
    SfError err;
    rows_schema(schema, &made);
    rows_from_json(&made, json, n, &all.rows);
    SharedBatch *whole = share(&all);
    if (sf_batch_share(&whole->batch, column, out, &err) != SF_OK ||
        sf_schema_copy(made.children[column], schema_out, &err) != SF_OK)
        g_error("%s", err.message);
    sf_batch_unref(&whole->batch);
    return 0;
}

/* ---- the other way: rows of a foreign producer, read by column views ---- */

/* Takes both structs. */
char *arrow_text(struct ArrowSchema *schema, struct ArrowArray *rows)
{
    SfError err;
    char *text;
    if (sf_schema_check(schema, &err) != SF_OK) {
        text = g_strdup(err.message);
    } else {
        rows_assert_valid(schema, rows);
        const SfBatch batch = {.schema = schema, .rows = *rows};
        text = batch_text(&batch);
    }
    sf_array_done(rows);
    sf_schema_done(schema);
    return text;
}

void arrow_free(char *text)
{
    g_free(text);
}
