/* Column views: found by name and type, right for slices and children; arrays that do not fit are refused. */
#include <locale.h>
#include "data/array.h"
#include "data/column.h"
#include "rows.h"

typedef struct Fixture {
    ArrowSchema schema;
    SharedBatch *shared;
    const SfBatch *batch;
    SfError err;
} Fixture;

static const char *const rows[] = {
    "[\"A\", 1, [\"x\", null], {\"code\": 7, \"deep\": {\"flag\": true}}]",
    "[null, 2, null, null]",
    "[\"C\", 3, [], {\"code\": 9, \"deep\": {\"flag\": null}}]",
};

static void set_up(Fixture *f, gconstpointer data)
{
    (void) data;
    rows_schema("name string view, n bigint not null, tags list<string>, info struct<code int, deep struct<flag bool>>",
                &f->schema);
    SfBatch batch = {.schema = &f->schema};
    rows_from_json(&f->schema, rows, G_N_ELEMENTS(rows), &batch.rows);
    f->shared = shared_batch_new(&batch);
    f->batch = &f->shared->batch;
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void) data;
    sf_batch_unref(f->batch);
    sf_schema_done(&f->schema);
}

static void test_column_is_found_by_name_and_type(Fixture *f, gconstpointer data)
{
    (void) data;
    SfColumn n;
    g_assert_cmpint(sf_column(f->batch, "n", SF_INT64, &n, &f->err), ==, SF_OK);
    g_assert_cmpint(n.length, ==, 3);
    g_assert_cmpint(sf_i64(&n, 2), ==, 3);
    g_assert_false(sf_is_null(&n, 1));
}

static void test_unknown_column_names_the_nearest(Fixture *f, gconstpointer data)
{
    (void) data;
    SfColumn column = {.length = 42};
    g_assert_cmpint(sf_column(f->batch, "nam", SF_UTF8, &column, &f->err), ==, SF_CONFIG);
    g_assert_cmpstr(f->err.message, ==, "there is no column 'nam'; did you mean 'name'?");
    g_assert_cmpint(sf_column(f->batch, "quantity", SF_UTF8, &column, &f->err), ==, SF_CONFIG);
    g_assert_cmpstr(f->err.message, ==, "there is no column 'quantity'");
    g_assert_cmpint(column.length, ==, 42);
}

static void test_wrong_type_names_both(Fixture *f, gconstpointer data)
{
    (void) data;
    SfColumn column;
    g_assert_cmpint(sf_column(f->batch, "n", SF_UTF8, &column, &f->err), ==, SF_CONFIG);
    g_assert_cmpstr(f->err.message, ==, "column 'n' is bigint not null, where string is expected");
}

static void test_number_beyond_the_columns_is_refused(Fixture *f, gconstpointer data)
{
    (void) data;
    SfColumn column;
    g_assert_cmpint(sf_column_at(f->batch, 4, &column, &f->err), ==, SF_FATAL);
    g_assert_cmpstr(f->err.message, ==, "there is no column 4 in a batch of 4");
    g_assert_cmpint(sf_column_at(f->batch, -1, &column, &f->err), ==, SF_FATAL);
    g_assert_cmpint(sf_column_at(f->batch, 0, &column, &f->err), ==, SF_OK);
    g_assert_cmpint(sf_column_child(&column, 0, &column, &f->err), ==, SF_FATAL);
    g_assert_cmpstr(f->err.message, ==, "column 'name' has no child 0");
}

static void test_children_follow_the_slice(Fixture *f, gconstpointer data)
{
    (void) data;
    g_auto(SfBatch) slice = {0};
    g_assert_cmpint(sf_batch_slice(f->batch, 2, 1, &slice, NULL), ==, SF_OK);
    SfColumn name, tags, info, code, deep, flag;
    g_assert_cmpint(sf_column(&slice, "name", SF_UTF8, &name, NULL), ==, SF_OK);
    g_assert_cmpmem(sf_bytes(&name, 0).data, sf_bytes(&name, 0).size, "C", 1);
    g_assert_cmpint(sf_column(&slice, "tags", SF_LIST, &tags, NULL), ==, SF_OK);
    gint64 first;
    g_assert_cmpint(sf_list(&tags, 0, &first), ==, 0);
    g_assert_cmpint(first, ==, 2);
    g_assert_cmpint(sf_column(&slice, "info", SF_STRUCT, &info, NULL), ==, SF_OK);
    g_assert_cmpint(sf_column_child(&info, 0, &code, NULL), ==, SF_OK);
    g_assert_cmpint(sf_i32(&code, 0), ==, 9);
    g_assert_cmpint(code.length, ==, 1);
    g_assert_cmpint(sf_column_child(&info, 1, &deep, NULL), ==, SF_OK);
    g_assert_cmpint(sf_column_child(&deep, 0, &flag, NULL), ==, SF_OK);
    g_assert_true(sf_is_null(&flag, 0));
}

static void refuse(Fixture *f, const char *column, struct ArrowArray array, const char *message)
{
    gint64 number = sf_schema_find(&f->schema, column);
    SfColumn out;
    g_assert_cmpint(sf_column_view(f->schema.children[number], &array, &out, &f->err), ==, SF_FATAL);
    g_assert_cmpstr(f->err.message, ==, message);
}

static void test_arrays_that_do_not_fit_are_refused(Fixture *f, gconstpointer data)
{
    (void) data;
    struct ArrowArray n = *f->batch->rows.children[1], name = *f->batch->rows.children[0],
                      info = *f->batch->rows.children[3];
    struct ArrowArray bad = n;
    bad.n_buffers = 1;
    refuse(f, "n", bad, "column 'n': an array of 1 buffers and 0 children is not a valid bigint");
    bad = n;
    bad.release = NULL;
    refuse(f, "n", bad, "column 'n': an array of 2 buffers and 0 children is not a valid bigint");
    bad = n;
    bad.offset = -1;
    refuse(f, "n", bad, "column 'n': an array of 2 buffers and 0 children is not a valid bigint");
    bad = name;
    bad.n_buffers = 2;
    refuse(f, "name", bad, "column 'name': an array of 2 buffers and 0 children is not a valid string");
    bad = info;
    bad.n_children = 1;
    refuse(f, "info", bad, "column 'info': an array of 1 buffers and 1 children is not a valid struct");
    const void *nothing[2] = {NULL, NULL};
    bad = n;
    bad.buffers = nothing;
    refuse(f, "n", bad, "column 'n': an array of 2 buffers and 0 children is not a valid bigint");
    bad.length = 0; /* without rows a buffer may be missing */
    SfColumn out;
    g_assert_cmpint(sf_column_view(f->schema.children[1], &bad, &out, NULL), ==, SF_OK);
}

static void test_member_shorter_than_its_struct_is_refused(Fixture *f, gconstpointer data)
{
    (void) data;
    SfColumn info, code;
    g_assert_cmpint(sf_column(f->batch, "info", SF_STRUCT, &info, NULL), ==, SF_OK);
    info.length++;
    g_assert_cmpint(sf_column_child(&info, 0, &code, &f->err), ==, SF_FATAL);
    g_assert_cmpstr(f->err.message, ==, "member 'code' is shorter than its struct");
}

static void test_null_count_of_zero_ignores_the_bitmap(Fixture *f, gconstpointer data)
{
    (void) data;
    struct ArrowArray name = *f->batch->rows.children[0];
    SfColumn column;
    name.null_count = -1; /* not counted */
    g_assert_cmpint(sf_column_view(f->schema.children[0], &name, &column, NULL), ==, SF_OK);
    g_assert_true(sf_is_null(&column, 1));
    name.null_count = 0;
    g_assert_cmpint(sf_column_view(f->schema.children[0], &name, &column, NULL), ==, SF_OK);
    g_assert_false(sf_is_null(&column, 1));
}

static void add(const char *name, void (*test)(Fixture *, gconstpointer))
{
    g_autofree char *path = g_strconcat("/column/", name, NULL);
    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

/* What cannot be held is not shared in part: the copy stays as it was, and nothing of it is left. */
static void test_tree_that_cannot_be_held_is_not_shared(void)
{
    struct ArrowArray child = {.length = 1, .n_buffers = INT64_MAX};
    struct ArrowArray *children[] = {&child};
    struct ArrowArray parent = {.length = 1, .n_children = 1, .children = children};
    struct ArrowArray out = {.length = 7};
    SharedColumn column = {.refs = 1};
    g_assert_false(array_share(&parent, &column, &out));
    g_assert_cmpint(out.length, ==, 7);
    g_assert_cmpint(column.refs, ==, 1);
    child.n_buffers = 0;
    g_assert_true(array_share(&parent, &column, &out));
    g_assert_cmpint(out.children[0]->length, ==, 1);
    sf_array_done(&out);
    g_assert_cmpint(column.refs, ==, 1);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    add("column is found by name and type", test_column_is_found_by_name_and_type);
    add("unknown column names the nearest", test_unknown_column_names_the_nearest);
    add("wrong type names both", test_wrong_type_names_both);
    add("number beyond the columns is refused", test_number_beyond_the_columns_is_refused);
    add("children follow the slice", test_children_follow_the_slice);
    add("arrays that do not fit are refused", test_arrays_that_do_not_fit_are_refused);
    add("member shorter than its struct is refused", test_member_shorter_than_its_struct_is_refused);
    add("null count of zero ignores the bitmap", test_null_count_of_zero_ignores_the_bitmap);
    g_test_add_func("/column/a tree that cannot be held is not shared", test_tree_that_cannot_be_held_is_not_shared);
    return g_test_run();
}
