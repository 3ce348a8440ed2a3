/* Row filters: the host finds the columns that they need, asks row by row and keeps what they say. */
#include <locale.h>
#include "data/rowfilter.h"
#include "rows.h"

typedef struct Filter {
    gint64 unused;
    const char *column;
    gint32 modulus;
} Filter;

static const SfOption options[] = {
    SF_OPTION_INT(Filter, unused, .doc = "Not a name of a column."),
    SF_OPTION_STRING(Filter, column, .doc = "Column."),
    SF_OPTION_END,
};

static bool keep_row(SfNode *node, const SfColumn *columns, int64_t row)
{
    const Filter *filter = node->state;
    return !sf_is_null(&columns[0], row) && sf_i32(&columns[0], row) % filter->modulus == 0 &&
           sf_bytes(&columns[1], row).size > 0;
}

static const SfNeed needs[] = {{"$column", SF_INT32}, {"text", SF_UTF8}, {NULL}};

static const SfTransform transform = {SF_TRANSFORM_HEAD(Filter, .name = "filter", .options = options), .needs = needs,
                                      .keep_row = keep_row};

static SfStatus apply_nothing(SfNode *node, const SfBatch *in, SfBatch *out, SfError *err)
{
    (void) node, (void) in, (void) out;
    return sf_fail(err, SF_FATAL, "not called");
}

typedef struct Fixture {
    ArrowSchema schema;
    SharedBatch *shared;
    Filter filter;
    SfNode node;
    SfError err;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void) data;
    f->filter = (Filter){.column = "n", .modulus = 2};
    f->node = (SfNode){.state = &f->filter};
    rows_schema("n int, text string view, other double", &f->schema);
    SfBatch batch = {.schema = &f->schema, .start = 10, .end = 20};
    const char *const rows[] = {"[2, \"a\", 1]", "[3, \"b\", 1]", "[4, \"\", 1]", "[null, \"c\", 1]",
                                "[6, \"d\", 2.5]"};
    rows_from_json(&f->schema, rows, G_N_ELEMENTS(rows), &batch.rows);
    f->shared = shared_batch_new(&batch);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void) data;
    sf_batch_unref(&f->shared->batch);
    sf_schema_done(&f->schema);
}

static void test_keeps_what_keep_row_says(Fixture *f, gconstpointer data)
{
    (void) data;
    g_auto(SfBatch) out = {0};
    g_assert_true(rowfilter_is(&transform));
    g_assert_cmpint(rowfilter_bind(&transform, &f->node, &f->schema, &f->err), ==, SF_OK);
    g_assert_cmpint(rowfilter_apply(&transform, &f->node, &f->shared->batch, &out, &f->err), ==, SF_OK);
    g_autofree char *text = batch_text(&out);
    g_assert_cmpstr(text, ==, "{\"n\":2,\"text\":\"a\",\"other\":1}\n{\"n\":6,\"text\":\"d\",\"other\":2.5}");
    g_assert_true(out.start == 10 && out.end == 20);
}

static void test_missing_column_is_found_at_bind(Fixture *f, gconstpointer data)
{
    (void) data;
    f->filter.column = "m";
    g_assert_cmpint(rowfilter_bind(&transform, &f->node, &f->schema, &f->err), ==, SF_CONFIG);
    g_assert_true(g_str_has_prefix(f->err.message, "column: there is no column 'm'"));
    f->filter.column = "other";
    g_assert_cmpint(rowfilter_bind(&transform, &f->node, &f->schema, &f->err), ==, SF_CONFIG);
    g_assert_cmpstr(f->err.message, ==, "column: column 'other' is double, where int is expected");
    f->filter.column = NULL;
    g_assert_cmpint(rowfilter_bind(&transform, &f->node, &f->schema, &f->err), ==, SF_CONFIG);
    g_assert_cmpstr(f->err.message, ==, "option 'column', which names a column, is missing");
}

static void test_dollar_needs_a_string_option(Fixture *f, gconstpointer data)
{
    (void) data;
    static const SfNeed odd[] = {{"$unused", SF_INT32}, {NULL}};
    SfTransform wrong = transform;
    wrong.needs = odd;
    g_assert_cmpint(rowfilter_bind(&wrong, &f->node, &f->schema, &f->err), ==, SF_CONFIG);
    g_assert_cmpstr(f->err.message, ==, "option 'unused', which names a column, is missing");
}

static void test_filter_without_needs_sees_no_columns(Fixture *f, gconstpointer data)
{
    (void) data;
    SfTransform bare = transform;
    bare.needs = NULL;
    g_assert_cmpint(rowfilter_bind(&bare, &f->node, &f->schema, &f->err), ==, SF_OK);
    bare.apply = apply_nothing;
    g_assert_false(rowfilter_is(&bare));
}

static void test_empty_batch_stays_empty(Fixture *f, gconstpointer data)
{
    (void) data;
    SfBatch empty = {0};
    g_auto(SfBatch) out = {0};
    g_assert_cmpint(sf_batch_slice(&f->shared->batch, 0, 0, &empty, NULL), ==, SF_OK);
    SharedBatch *shared = shared_batch_new(&empty);
    g_assert_cmpint(rowfilter_apply(&transform, &f->node, &shared->batch, &out, &f->err), ==, SF_OK);
    g_assert_cmpint(sf_rows(&out), ==, 0);
    sf_batch_unref(&shared->batch);
}

static void add(const char *name, void (*test)(Fixture *, gconstpointer))
{
    g_autofree char *path = g_strconcat("/rowfilter/", name, NULL);
    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    add("keeps what keep_row says", test_keeps_what_keep_row_says);
    add("missing column is found at bind", test_missing_column_is_found_at_bind);
    add("dollar needs a string option", test_dollar_needs_a_string_option);
    add("filter without needs sees no columns", test_filter_without_needs_sees_no_columns);
    add("empty batch stays empty", test_empty_batch_stays_empty);
    return g_test_run();
}
