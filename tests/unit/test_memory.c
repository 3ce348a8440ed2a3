/* Running out of memory where sizes come from data: every allocation of the data layer fails in turn; each operation
 * then says so, leaves its outputs untouched and loses nothing. g_try_*() are wrapped by the linker. */
#include <locale.h>
#include "rows.h"

static gint64 allocations; /* since the count was set back */
static gint64 failing;     /* number of the one that fails; 0: none */

gpointer __wrap_g_try_malloc(gsize size);
gpointer __wrap_g_try_malloc0(gsize size);
gpointer __wrap_g_try_malloc_n(gsize n, gsize size);
gpointer __wrap_g_try_realloc(gpointer memory, gsize size);
gpointer __real_g_try_malloc(gsize size);
gpointer __real_g_try_malloc0(gsize size);
gpointer __real_g_try_malloc_n(gsize n, gsize size);
gpointer __real_g_try_realloc(gpointer memory, gsize size);

static bool fails(void)
{
    return ++allocations == failing;
}

gpointer __wrap_g_try_malloc(gsize size)
{
    return fails() ? NULL : __real_g_try_malloc(size);
}

gpointer __wrap_g_try_malloc0(gsize size)
{
    return fails() ? NULL : __real_g_try_malloc0(size);
}

gpointer __wrap_g_try_malloc_n(gsize n, gsize size)
{
    return fails() ? NULL : __real_g_try_malloc_n(n, size);
}

gpointer __wrap_g_try_realloc(gpointer memory, gsize size)
{
    return fails() ? NULL : __real_g_try_realloc(memory, size);
}

typedef struct Fixture {
    ArrowSchema schema;
    SharedBatch *shared;
    guint8 keep[13];
    SfError err;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void) data;
    g_autoptr(GRand) random = g_rand_new_with_seed(11);
    failing = 0;
    rows_schema(ROWS_EVERY_TYPE, &f->schema);
    SfBatch batch = {.schema = &f->schema, .start = 1, .end = 101};
    rows_random(&f->schema, 100, random, &batch.rows);
    f->shared = shared_batch_new(&batch);
    memset(f->keep, 0x5b, sizeof f->keep);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void) data;
    failing = 0;
    sf_batch_unref(&f->shared->batch);
    sf_schema_done(&f->schema);
}

typedef SfStatus (*Operation)(Fixture *f, SfBatch *out);

/* Until the operation needs no more allocations than succeed. */
static void fail_each(Fixture *f, Operation operation)
{
    gint64 failures = 0;
    for (gint64 n = 1;; n++) {
        g_auto(SfBatch) out = {.start = 42};
        allocations = 0;
        failing = n;
        SfStatus status = operation(f, &out);
        failing = 0;
        if (status == SF_OK)
            break;
        g_assert_cmpint(status, ==, SF_FATAL);
        g_assert_nonnull(strstr(f->err.message, "out of memory"));
        g_assert_true(out.start == 42 && !out.rows.release);
        failures++;
    }
    g_assert_cmpint(failures, >, 5);
}

static SfStatus keep(Fixture *f, SfBatch *out)
{
    return sf_batch_keep(&f->shared->batch, f->keep, out, &f->err);
}

static SfStatus slice(Fixture *f, SfBatch *out)
{
    return sf_batch_slice(&f->shared->batch, 3, 50, out, &f->err);
}

static SfStatus compact(Fixture *f, SfBatch *out)
{
    ArrowSchema plain = {0};
    SfStatus status = sf_batch_compact(&f->shared->batch, &plain, out, &f->err);
    sf_schema_done(&plain);
    out->schema = NULL;
    return status;
}

static void test_keep(Fixture *f, gconstpointer data)
{
    (void) data;
    fail_each(f, keep);
}

static void test_slice(Fixture *f, gconstpointer data)
{
    (void) data;
    fail_each(f, slice);
}

static void test_compact(Fixture *f, gconstpointer data)
{
    (void) data;
    fail_each(f, compact);
}

static bool add_row(SfBuilder *builder, int row, SfError *err)
{
    g_autofree char *text = g_strdup_printf("%d %0*d", row, 40, row);
    sf_add_i32(sf_builder_column(builder, 0), row);
    sf_add_str(sf_builder_column(builder, 1), text, (gint64) strlen(text));
    SfColumnBuilder *list = sf_builder_column(builder, 2);
    for (int i = 0; i < row % 3; i++)
        sf_add_bool(list->children[0], i == 0);
    sf_add_list(list);
    return sf_builder_end_row(builder, err) == SF_OK;
}

/* Rows that failed are added again; what finish refused is finished again. */
static void test_builder_loses_no_row(Fixture *f, gconstpointer data)
{
    (void) data;
    enum { ROWS = 300 };
    g_auto(ArrowSchema) schema = {0};
    rows_schema("n int, text string view, flags list<bool>", &schema);
    gint64 most = 1;
    for (gint64 n = 1; n <= most; n++) {
        g_autoptr(SfBuilder) builder = sf_builder_new(&schema, NULL);
        g_auto(SfBatch) out = {.schema = &schema};
        allocations = 0;
        failing = n;
        for (int row = 0; row < ROWS; row++)
            while (!add_row(builder, row, &f->err))
                g_assert_nonnull(strstr(f->err.message, "out of memory in column '"));
        while (sf_builder_finish(builder, &out.rows, &f->err) != SF_OK)
            g_assert_cmpstr(f->err.message, ==, "out of memory for a column of 300 values");
        failing = 0;
        most = allocations;
        g_assert_cmpint(sf_rows(&out), ==, ROWS);
        rows_assert_valid(&schema, &out.rows);
        g_autofree char *text = rows_text(&schema, &out.rows, ROWS - 1);
        g_assert_true(g_str_has_prefix(text, "{\"n\":299,\"text\":\"299 000") &&
                      g_str_has_suffix(text, "\"flags\":[true,false]}"));
    }
    g_assert_cmpint(most, >, 15);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add("/memory/keep", Fixture, NULL, set_up, test_keep, tear_down);
    g_test_add("/memory/slice", Fixture, NULL, set_up, test_slice, tear_down);
    g_test_add("/memory/compact", Fixture, NULL, set_up, test_compact, tear_down);
    g_test_add("/memory/builder loses no row", Fixture, NULL, set_up, test_builder_loses_no_row, tear_down);
    return g_test_run();
}
