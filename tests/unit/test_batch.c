/* Shared batches: released once, whoever holds them longest; slices and shared columns copy nothing. */
#include <locale.h>
#include "rows.h"

typedef struct Fixture {
    ArrowSchema schema;
    SharedBatch *shared;
    const SfBatch *batch;
    SfSplit split;
    guint columns;
    guint released; /* columns, by their producer's release */
    guint freed;    /* batches, by the host's callback */
    gint64 freed_bytes;
    SfError err;
} Fixture;

/* A column's own release, while ours stands in its place. */
typedef struct Stash {
    Fixture *fixture;
    void (*release)(struct ArrowArray *);
    gpointer data;
} Stash;

static void count_release(struct ArrowArray *array)
{
    g_autofree Stash *stash = array->private_data;
    g_atomic_int_inc(&stash->fixture->released);
    array->private_data = stash->data;
    array->release = stash->release;
    array->release(array);
}

static void count_columns(Fixture *f, struct ArrowArray *rows)
{
    f->columns = (guint) rows->n_children;
    for (gint64 i = 0; i < rows->n_children; i++) {
        Stash *stash = g_new(Stash, 1);
        *stash = (Stash){f, rows->children[i]->release, rows->children[i]->private_data};
        rows->children[i]->private_data = stash;
        rows->children[i]->release = count_release;
    }
}

static void count_freed(gpointer data, gint64 bytes)
{
    Fixture *f = data;
    f->freed++;
    f->freed_bytes = bytes;
}

enum { ROWS = 1000 };

static void set_up(Fixture *f, gconstpointer data)
{
    (void) data;
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    rows_schema(ROWS_EVERY_TYPE, &f->schema);
    f->split = (SfSplit){.name = "events/0", .topic = "events"};
    SfBatch batch = {.schema = &f->schema, .split = &f->split, .start = 100, .end = 100 + ROWS, .newest_us = 5};
    rows_random(&f->schema, ROWS, random, &batch.rows);
    count_columns(f, &batch.rows);
    f->shared = shared_batch_new(&batch);
    g_assert_null(batch.rows.release);
    f->shared->freed = count_freed;
    f->shared->freed_data = f;
    f->batch = &f->shared->batch;
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void) data;
    sf_batch_unref(f->batch);
    g_assert_cmpuint(f->released, ==, f->columns);
    g_assert_cmpuint(f->freed, ==, 1);
    sf_schema_done(&f->schema);
}

static void let_go(Fixture *f)
{
    sf_batch_unref(f->batch);
    f->batch = NULL;
}

static void test_rows_go_with_the_last_reference(Fixture *f, gconstpointer data)
{
    (void) data;
    const SfBatch *second = sf_batch_ref(f->batch);
    g_assert_true(second == f->batch);
    gint64 bytes = f->batch->bytes;
    let_go(f);
    g_assert_cmpuint(f->released, ==, 0);
    rows_assert_valid(&f->schema, &second->rows);
    sf_batch_unref(second);
    g_assert_cmpuint(f->released, ==, f->columns);
    g_assert_cmpint(f->freed_bytes, ==, bytes);
}

static gpointer unref_many(gpointer data)
{
    for (int i = 0; i < 1000; i++)
        sf_batch_unref(data);
    return NULL;
}

static void test_references_go_on_any_thread(Fixture *f, gconstpointer data)
{
    (void) data;
    GThread *threads[4];
    for (int i = 0; i < 4 * 1000 - 1; i++)
        sf_batch_ref(f->batch);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("unref", unref_many, (gpointer) f->batch);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    f->batch = NULL;
    g_assert_cmpuint(f->released, ==, f->columns);
}

static void test_release_by_a_reader_does_no_harm(Fixture *f, gconstpointer data)
{
    (void) data;
    struct ArrowArray window = f->batch->rows; /* as a careless reader would */
    sf_array_done(&window);
    g_assert_cmpuint(f->released, ==, 0);
    rows_assert_valid(&f->schema, &f->batch->rows);
}

static void assert_same_rows(Fixture *f, const SfBatch *slice, gint64 first)
{
    for (gint64 row = 0; row < sf_rows(slice); row++) {
        g_autofree char *whole = rows_text(&f->schema, &f->batch->rows, first + row);
        g_autofree char *part = rows_text(&f->schema, &slice->rows, row);
        g_assert_cmpstr(part, ==, whole);
    }
}

static void test_slice_is_the_rows_without_a_copy(Fixture *f, gconstpointer data)
{
    (void) data;
    static const gint64 cuts[][2] = {{0, ROWS}, {0, 0}, {ROWS, 0}, {1, 7}, {7, 9}, {8, 8}, {63, 65}, {ROWS - 1, 1}};
    for (gsize i = 0; i < G_N_ELEMENTS(cuts); i++) {
        g_auto(SfBatch) slice = {0};
        g_assert_cmpint(sf_batch_slice(f->batch, cuts[i][0], cuts[i][1], &slice, &f->err), ==, SF_OK);
        g_assert_cmpint(sf_rows(&slice), ==, cuts[i][1]);
        rows_assert_valid(&f->schema, &slice.rows);
        assert_same_rows(f, &slice, cuts[i][0]);
        for (gint64 c = 0; c < slice.rows.n_children; c++)
            for (gint64 b = 0; b < slice.rows.children[c]->n_buffers; b++)
                g_assert_true(slice.rows.children[c]->buffers[b] == f->batch->rows.children[c]->buffers[b]);
        g_assert_true(slice.split == &f->split && slice.newest_us == 5);
        g_assert_cmpint(slice.bytes, <, f->batch->bytes / 10);
    }
}

static void test_slice_of_a_slice_outlives_both(Fixture *f, gconstpointer data)
{
    (void) data;
    SfBatch slice = {0};
    g_auto(SfBatch) inner = {0};
    g_assert_cmpint(sf_batch_slice(f->batch, 11, 500, &slice, NULL), ==, SF_OK);
    SharedBatch *shared = shared_batch_new(&slice);
    g_assert_cmpint(sf_batch_slice(&shared->batch, 13, 100, &inner, NULL), ==, SF_OK);
    assert_same_rows(f, &inner, 24);
    g_autofree char *before = batch_text(&inner);
    sf_batch_unref(&shared->batch);
    let_go(f);
    g_assert_cmpuint(f->released, ==, 0);
    g_autofree char *after = batch_text(&inner);
    g_assert_cmpstr(after, ==, before);
    sf_batch_done(&inner);
    g_assert_cmpuint(f->released, ==, f->columns);
    sf_batch_done(&inner); /* idempotent */
}

static void test_slice_refuses_rows_that_are_not_there(Fixture *f, gconstpointer data)
{
    (void) data;
    static const gint64 cuts[][2] = {{-1, 1}, {0, ROWS + 1}, {ROWS, 1}, {1, G_MAXINT64}, {G_MAXINT64, 1}, {0, -1}};
    for (gsize i = 0; i < G_N_ELEMENTS(cuts); i++) {
        SfBatch slice = {.start = 42};
        g_assert_cmpint(sf_batch_slice(f->batch, cuts[i][0], cuts[i][1], &slice, &f->err), ==, SF_FATAL);
        g_assert_nonnull(strstr(f->err.message, "not within a batch of 1000"));
        g_assert_true(slice.start == 42 && !slice.rows.release);
    }
}

static void test_shared_column_outlives_its_batch(Fixture *f, gconstpointer data)
{
    (void) data;
    gint64 number = sf_schema_find(&f->schema, "lines");
    g_auto(ArrowArray) lines = {0}, moved = {0}, none = {0};
    g_assert_cmpint(sf_batch_share(f->batch, number, &lines, &f->err), ==, SF_OK);
    g_autofree char *before = rows_text(f->schema.children[number], &lines, 3);
    let_go(f);
    g_autofree char *after = rows_text(f->schema.children[number], &lines, 3);
    g_assert_cmpstr(after, ==, before);
    moved = *lines.children[0]; /* a child may be moved out and live longer (C data interface, "Moving child arrays") */
    lines.children[0]->release = NULL;
    sf_array_done(&lines);
    g_assert_cmpuint(f->released, ==, f->columns - 1); /* it pins no other */
    g_autofree char *element = rows_text(f->schema.children[number]->children[0], &moved, 0);
    g_assert_cmpint(element[0], !=, '\0');
    sf_array_done(&moved);
    g_assert_cmpuint(f->released, ==, f->columns);
}

static void test_share_refuses_a_column_that_is_not_there(Fixture *f, gconstpointer data)
{
    (void) data;
    g_auto(ArrowArray) none = {0};
    g_assert_cmpint(sf_batch_share(f->batch, 99, &none, &f->err), ==, SF_FATAL);
    g_assert_cmpstr(f->err.message, ==, "there is no column 99 in a batch of 15");
    g_assert_cmpint(sf_batch_share(f->batch, -1, &none, &f->err), ==, SF_FATAL);
}

/* Takes what is added, whatever comes of it. */
static void test_columns_are_added_without_a_copy(Fixture *f, gconstpointer data)
{
    (void) data;
    g_auto(ArrowSchema) schema = {0};
    g_auto(ArrowArray) added = {0}, out = {0}, few = {0}, none = {0};
    g_autoptr(GRand) random = g_rand_new_with_seed(8);
    gint64 number = sf_schema_find(&f->schema, "lines");
    rows_schema("x bigint, y string", &schema);
    rows_random(&schema, ROWS, random, &added);
    rows_random(&schema, ROWS - 1, random, &few);
    g_autofree char *x = rows_text(schema.children[0], added.children[0], 3);
    g_autofree char *lines = rows_text(f->schema.children[number], f->batch->rows.children[number], 3);
    g_assert_cmpint(sf_batch_with(f->batch, &few, &none, &f->err), ==, SF_FATAL);
    g_assert_true(!few.release && !none.release);
    g_assert_cmpint(sf_batch_with(f->batch, &added, &out, &f->err), ==, SF_OK);
    g_assert_null(added.release);
    g_assert_cmpint(out.n_children, ==, f->batch->rows.n_children + 2);
    let_go(f);
    g_autofree char *x_after = rows_text(schema.children[0], out.children[out.n_children - 2], 3);
    g_autofree char *lines_after = rows_text(f->schema.children[number], out.children[number], 3);
    g_assert_cmpstr(x_after, ==, x);
    g_assert_cmpstr(lines_after, ==, lines);
    g_assert_cmpuint(f->released, ==, 0); /* all of them are in `out` */
}

static void test_authors_own_batch_cannot_be_shared(void)
{
    g_auto(ArrowSchema) schema = {0};
    g_auto(SfBatch) own = {0}, out = {0};
    g_auto(ArrowArray) column = {0};
    struct ArrowSchema plain = {0};
    SfError err;
    const guint8 keep = 0xff;
    rows_schema("a int", &schema);
    own.schema = &schema;
    rows_from_json(&schema, (const char *[]){"[1]"}, 1, &own.rows);
    g_assert_null(shared_batch_of(&own));
    g_assert_cmpint(sf_batch_slice(&own, 0, 1, &out, &err), ==, SF_FATAL);
    g_assert_cmpstr(err.message, ==, "a batch that the host has not delivered cannot be shared");
    g_assert_cmpint(sf_batch_share(&own, 0, &column, &err), ==, SF_FATAL);
    rows_from_json(&schema, (const char *[]){"[1]"}, 1, &column);
    g_assert_cmpint(sf_batch_with(&own, &column, &out.rows, &err), ==, SF_FATAL);
    g_assert_true(!column.release && !out.rows.release);
    g_assert_cmpint(sf_batch_keep(&own, &keep, &out, &err), ==, SF_FATAL);
    g_assert_cmpint(sf_batch_compact(&own, &plain, &out, &err), ==, SF_FATAL);
}

static void test_batch_without_rows_gets_empty_columns(void)
{
    g_auto(ArrowSchema) schema = {0};
    rows_schema(ROWS_EVERY_TYPE, &schema);
    SfBatch nothing = {.schema = &schema, .start = 5, .end = 9};
    SharedBatch *shared = shared_batch_new(&nothing);
    g_assert_cmpint(sf_rows(&shared->batch), ==, 0);
    g_assert_cmpint(shared->batch.end, ==, 9);
    rows_assert_valid(&schema, &shared->batch.rows);
    sf_batch_unref(&shared->batch);
    SfBatch no_schema = {0};
    g_assert_null(shared_batch_new(&no_schema));
}

static void test_bytes_are_the_sources_or_an_estimate(void)
{
    g_auto(ArrowSchema) schema = {0};
    rows_schema("a bigint not null, b string not null, c binary view not null", &schema);
    const char *row = "[1, \"four\", \"a value that no view can hold by itself\"]";
    SfBatch batch = {.schema = &schema};
    rows_from_json(&schema, (const char *[]){row, row}, 2, &batch.rows);
    g_assert_cmpint(array_bytes(&schema, &batch.rows), ==, 2 * (8 + 4 + 4 + 16 + 39));
    batch.bytes = 12345;
    SharedBatch *shared = shared_batch_new(&batch);
    g_assert_cmpint(shared->batch.bytes, ==, 12345);
    sf_batch_unref(&shared->batch);
}

static guint column_releases;

static void release_column(struct ArrowArray *array)
{
    column_releases++;
    array->release = NULL;
}

static void test_rows_from_columns_takes_them_even_on_error(void)
{
    struct ArrowArray out = {.length = 77};
    SfError err;
    struct ArrowArray columns[3] = {{.length = 4, .release = release_column},
                                    {.length = 5, .release = release_column},
                                    {.length = 4, .release = release_column}};
    g_assert_cmpint(sf_rows_from_columns(columns, 3, 4, &out, &err), ==, SF_FATAL);
    g_assert_cmpstr(err.message, ==, "column 1 has 5 rows, not 4");
    g_assert_cmpuint(column_releases, ==, 3);
    g_assert_true(out.length == 77 && !out.release);
    for (int i = 0; i < 3; i++) {
        g_assert_null(columns[i].release);
        columns[i] = (struct ArrowArray){.length = 4, .release = release_column};
    }
    g_assert_cmpint(sf_rows_from_columns(columns, 3, 4, &out, &err), ==, SF_OK);
    g_assert_null(columns[0].release);
    g_assert_cmpint(out.n_children, ==, 3);
    sf_array_done(&out);
    g_assert_cmpuint(column_releases, ==, 6);
    g_assert_cmpint(sf_rows_from_columns(columns, 1, 4, &out, &err), ==, SF_FATAL); /* released already */
    g_assert_cmpint(sf_rows_from_columns(NULL, 0, 4, &out, &err), ==, SF_OK);
    sf_array_done(&out);
}

static void test_destructors_accept_nothing(void)
{
    sf_batch_unref(NULL);
    sf_batch_done(NULL);
    sf_array_done(NULL);
    sf_schema_done(NULL);
    sf_builder_free(NULL);
}

static void add(const char *name, void (*test)(Fixture *, gconstpointer))
{
    g_autofree char *path = g_strconcat("/batch/", name, NULL);
    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    add("rows go with the last reference", test_rows_go_with_the_last_reference);
    add("references go on any thread", test_references_go_on_any_thread);
    add("release by a reader does no harm", test_release_by_a_reader_does_no_harm);
    add("slice is the rows without a copy", test_slice_is_the_rows_without_a_copy);
    add("slice of a slice outlives both", test_slice_of_a_slice_outlives_both);
    add("slice refuses rows that are not there", test_slice_refuses_rows_that_are_not_there);
    add("shared column outlives its batch", test_shared_column_outlives_its_batch);
    add("share refuses a column that is not there", test_share_refuses_a_column_that_is_not_there);
    add("columns are added without a copy", test_columns_are_added_without_a_copy);
    g_test_add_func("/batch/author's own batch cannot be shared", test_authors_own_batch_cannot_be_shared);
    g_test_add_func("/batch/batch without rows gets empty columns", test_batch_without_rows_gets_empty_columns);
    g_test_add_func("/batch/bytes are the source's or an estimate", test_bytes_are_the_sources_or_an_estimate);
    g_test_add_func("/batch/rows from columns takes them even on error",
                    test_rows_from_columns_takes_them_even_on_error);
    g_test_add_func("/batch/destructors accept nothing", test_destructors_accept_nothing);
    return g_test_run();
}
