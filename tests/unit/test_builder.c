/* Builders: values in, rows ended or rolled back, memory moved out. */
#include <locale.h>
#include "data/auto.h"

static const SfField member_fields[] = {
    {.name = "code", .type = SF_INT32},
    {.name = "label", .type = SF_UTF8, .nullable = true},
};
static const SfField item = {
    .name = "item", .type = SF_STRUCT, .nullable = true, .n_children = 2, .children = member_fields};
static const SfField fields[] = {
    {.name = "flag", .type = SF_BOOL, .nullable = true},
    {.name = "small", .type = SF_INT32, .nullable = true},
    {.name = "big", .type = SF_INT64},
    {.name = "real", .type = SF_FLOAT64, .nullable = true},
    {.name = "money", .type = SF_DECIMAL128, .nullable = true, .precision = 12, .scale = 2},
    {.name = "text", .type = SF_UTF8, .nullable = true},
    {.name = "bytes", .type = SF_BINARY, .nullable = true, .view = true},
    {.name = "items", .type = SF_LIST, .nullable = true, .n_children = 1, .children = &item},
};
enum { FLAG, SMALL, BIG, REAL, MONEY, TEXT, BYTES, ITEMS };

typedef struct Fixture {
    ArrowSchema schema;
    SfBuilder *builder;
    SfColumnBuilder *columns[G_N_ELEMENTS(fields)];
    SfBatch batch;
    SfError err;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(sf_schema_make(fields, G_N_ELEMENTS(fields), &f->schema, &f->err), ==, SF_OK);
    f->builder = sf_builder_new(&f->schema, &f->err);
    g_assert_nonnull(f->builder);
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        f->columns[i] = sf_builder_column(f->builder, i);
    f->batch.schema = &f->schema;
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void) data;
    sf_batch_done(&f->batch);
    sf_builder_free(f->builder);
    sf_schema_done(&f->schema);
}

/* Text of row n: short ones fit a view, long ones do not. */
static gchar *row_text(gint64 n)
{
    return n % 3 == 0 ? g_strdup_printf("%" G_GINT64_FORMAT, n)
                      : g_strdup_printf("a text that is longer than a view, number %" G_GINT64_FORMAT, n);
}

static void add_items(Fixture *f, gint64 n)
{
    SfColumnBuilder *element = f->columns[ITEMS]->children[0];
    for (gint64 i = 0; i < n % 4; i++) {
        if (i == 2) {
            sf_add_null(element);
            continue;
        }
        sf_add_i32(element->children[0], (gint32) (n + i));
        sf_add_str(element->children[1], "x", i);
        sf_add_struct(element);
    }
    sf_add_list(f->columns[ITEMS]);
}

/* Row n, without its end; each tenth is null where it may be. */
static void add_row(Fixture *f, gint64 n)
{
    sf_add_i64(f->columns[BIG], n);
    if (n % 10 == 9) {
        for (int i = 0; i <= ITEMS; i++)
            if (i != BIG)
                sf_add_null(f->columns[i]);
        return;
    }
    g_autofree char *text = row_text(n);
    sf_add_bool(f->columns[FLAG], n % 2);
    sf_add_i32(f->columns[SMALL], (gint32) -n);
    sf_add_f64(f->columns[REAL], (double) n / 4);
    sf_add_decimal(f->columns[MONEY], (SfDecimal){.low = (guint64) n, .high = -1});
    sf_add_str(f->columns[TEXT], text, (gint64) strlen(text));
    sf_add_str(f->columns[BYTES], text, (gint64) strlen(text));
    add_items(f, n);
}

static void add_rows(Fixture *f, gint64 from, gint64 to)
{
    for (gint64 n = from; n < to; n++) {
        add_row(f, n);
        g_assert_cmpint(sf_builder_end_row(f->builder, &f->err), ==, SF_OK);
    }
}

static void finish(Fixture *f)
{
    sf_batch_done(&f->batch);
    g_assert_cmpint(sf_builder_finish(f->builder, &f->batch.rows, &f->err), ==, SF_OK);
}

static void assert_items(const SfColumn *items, gint64 row, gint64 n)
{
    SfColumn element, code, label;
    g_assert_cmpint(sf_column_child(items, 0, &element, NULL), ==, SF_OK);
    g_assert_cmpint(sf_column_child(&element, 0, &code, NULL), ==, SF_OK);
    g_assert_cmpint(sf_column_child(&element, 1, &label, NULL), ==, SF_OK);
    gint64 first;
    g_assert_cmpint(sf_list(items, row, &first), ==, n % 4);
    for (gint64 i = 0; i < n % 4; i++) {
        g_assert_true(sf_is_null(&element, first + i) == (i == 2));
        if (i == 2)
            continue;
        g_assert_cmpint(sf_i32(&code, first + i), ==, n + i);
        g_assert_cmpint(sf_bytes(&label, first + i).size, ==, i);
    }
}

/* Row `row` of the batch is what add_row(n) put in. */
static void assert_row(const Fixture *f, gint64 row, gint64 n)
{
    SfColumn c[G_N_ELEMENTS(fields)];
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        g_assert_cmpint(sf_column_at(&f->batch, (gint64) i, &c[i], NULL), ==, SF_OK);
    g_assert_cmpint(sf_i64(&c[BIG], row), ==, n);
    for (int i = 0; i <= ITEMS; i++)
        g_assert_true(sf_is_null(&c[i], row) == (i != BIG && n % 10 == 9));
    if (n % 10 == 9)
        return;
    g_autofree char *text = row_text(n);
    g_assert_true(sf_bool(&c[FLAG], row) == (n % 2));
    g_assert_cmpint(sf_i32(&c[SMALL], row), ==, -n);
    g_assert_cmpfloat(sf_f64(&c[REAL], row), ==, (double) n / 4);
    g_assert_cmpuint(sf_decimal(&c[MONEY], row).low, ==, (guint64) n);
    g_assert_cmpint(sf_decimal(&c[MONEY], row).high, ==, -1);
    SfBytes plain = sf_bytes(&c[TEXT], row), view = sf_bytes(&c[BYTES], row);
    g_assert_cmpmem(plain.data, plain.size, text, strlen(text));
    g_assert_cmpmem(view.data, view.size, text, strlen(text));
    assert_items(&c[ITEMS], row, n);
}

static void test_every_type_comes_back(Fixture *f, gconstpointer data)
{
    (void) data;
    enum { ROWS = 3000 }; /* several doublings */
    add_rows(f, 0, ROWS);
    g_assert_cmpint(sf_builder_rows(f->builder), ==, ROWS);
    finish(f);
    g_assert_cmpint(sf_rows(&f->batch), ==, ROWS);
    for (gint64 n = 0; n < ROWS; n++)
        assert_row(f, n, n);
}

static void test_builder_is_empty_after_finish(Fixture *f, gconstpointer data)
{
    (void) data;
    for (gint64 rows = 1; rows < 200; rows += 66) {
        add_rows(f, 0, rows);
        g_assert_cmpint(sf_builder_bytes(f->builder), >, 0);
        finish(f);
        g_assert_cmpint(sf_builder_bytes(f->builder), ==, 0);
        g_assert_cmpint(sf_builder_rows(f->builder), ==, 0);
        g_assert_cmpint(sf_rows(&f->batch), ==, rows);
        assert_row(f, rows - 1, rows - 1);
    }
}

static void test_no_rows_make_an_empty_batch(Fixture *f, gconstpointer data)
{
    (void) data;
    finish(f);
    g_assert_cmpint(sf_rows(&f->batch), ==, 0);
    g_assert_cmpint(f->batch.rows.n_children, ==, G_N_ELEMENTS(fields));
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        SfColumn column;
        g_assert_cmpint(sf_column_at(&f->batch, (gint64) i, &column, &f->err), ==, SF_OK);
        g_assert_cmpint(column.length, ==, 0);
    }
}

static void test_column_without_nulls_has_no_bitmap(Fixture *f, gconstpointer data)
{
    (void) data;
    add_rows(f, 0, 9);
    finish(f);
    g_assert_null(f->batch.rows.children[TEXT]->buffers[0]);
    add_rows(f, 0, 10);
    finish(f);
    g_assert_nonnull(f->batch.rows.children[TEXT]->buffers[0]);
    g_assert_cmpint(f->batch.rows.children[TEXT]->null_count, ==, 1);
}

static void test_rollback_forgets_the_open_row(Fixture *f, gconstpointer data)
{
    (void) data;
    for (gint64 n = 0; n < 100; n++) {
        add_row(f, 99 - n); /* nulls, texts and list elements other than those of the row that stays */
        sf_builder_rollback(f->builder);
        add_rows(f, n, n + 1);
    }
    finish(f);
    g_assert_cmpint(sf_rows(&f->batch), ==, 100);
    for (gint64 n = 0; n < 100; n++)
        assert_row(f, n, n);
}

static void test_rollback_takes_half_a_list_back(Fixture *f, gconstpointer data)
{
    (void) data;
    SfColumnBuilder *element = f->columns[ITEMS]->children[0];
    sf_add_i32(element->children[0], 7); /* a member, no struct, no list */
    sf_builder_rollback(f->builder);
    sf_builder_rollback(f->builder);
    add_rows(f, 0, 8);
    finish(f);
    assert_row(f, 7, 7);
}

static void test_row_with_a_missing_value_is_refused(Fixture *f, gconstpointer data)
{
    (void) data;
    add_rows(f, 0, 2);
    sf_add_bool(f->columns[FLAG], true);
    g_assert_cmpint(sf_builder_end_row(f->builder, &f->err), ==, SF_FATAL);
    g_assert_nonnull(strstr(f->err.message, "has not got exactly one value a row"));
    add_rows(f, 2, 4); /* the bad row is gone */
    finish(f);
    for (gint64 n = 0; n < 4; n++)
        assert_row(f, n, n);
}

static void test_uneven_members_are_refused(Fixture *f, gconstpointer data)
{
    (void) data;
    SfColumnBuilder *element = f->columns[ITEMS]->children[0];
    add_row(f, 4); /* no element */
    sf_add_i32(element->children[0], 7);
    g_assert_cmpint(sf_builder_end_row(f->builder, &f->err), ==, SF_FATAL);
    g_assert_cmpstr(f->err.message, ==, "column 'code' has not got exactly one value a row");
    add_row(f, 4);
    sf_add_null(element); /* after the list was ended */
    g_assert_cmpint(sf_builder_end_row(f->builder, &f->err), ==, SF_FATAL);
    g_assert_cmpstr(f->err.message, ==, "column 'item' has not got exactly one value a row");
}

static void test_null_in_a_column_that_is_not_null_is_refused(Fixture *f, gconstpointer data)
{
    (void) data;
    add_row(f, 0);
    sf_builder_rollback(f->builder);
    for (int i = 0; i <= ITEMS; i++)
        sf_add_null(f->columns[i]);
    g_assert_cmpint(sf_builder_end_row(f->builder, &f->err), ==, SF_FATAL);
    g_assert_cmpstr(f->err.message, ==, "null in column 'big', which is not null");
    add_rows(f, 9, 10);
}

static void test_finish_refuses_an_open_row(Fixture *f, gconstpointer data)
{
    (void) data;
    add_rows(f, 0, 1);
    sf_add_i64(f->columns[BIG], 1);
    g_assert_cmpint(sf_builder_finish(f->builder, &f->batch.rows, &f->err), ==, SF_FATAL);
    g_assert_null(f->batch.rows.release);
    sf_builder_rollback(f->builder);
    finish(f);
    assert_row(f, 0, 0);
}

static void test_row_above_the_cap_is_a_reject(Fixture *f, gconstpointer data)
{
    (void) data;
    add_rows(f, 0, 1);
    g_autofree char *big = g_malloc0(SF_BUILDER_MAX_BYTES / 4 + 1);
    g_assert_false(sf_builder_full(f->builder));
    for (int i = 0; i < 4; i++) {
        sf_add_i32(f->columns[ITEMS]->children[0]->children[0], i);
        sf_add_str(f->columns[ITEMS]->children[0]->children[1], big, SF_BUILDER_MAX_BYTES / 4 + 1);
        sf_add_struct(f->columns[ITEMS]->children[0]);
    }
    sf_add_list(f->columns[ITEMS]);
    g_assert_true(sf_builder_full(f->builder));
    g_assert_cmpint(sf_builder_end_row(f->builder, &f->err), ==, SF_REJECT);
    g_assert_cmpstr(f->err.message, ==, "column 'label' does not fit a batch: it would hold more than 256 MiB");
    add_rows(f, 1, 2);
    finish(f);
    assert_row(f, 1, 1);
}

static void test_negative_size_is_no_write(Fixture *f, gconstpointer data)
{
    (void) data;
    sf_add_str(f->columns[TEXT], "abc", -1);
    g_assert_cmpint(sf_builder_end_row(f->builder, &f->err), ==, SF_REJECT);
    add_rows(f, 0, 1);
}

static void test_columns_may_be_filled_one_after_another(Fixture *f, gconstpointer data)
{
    (void) data;
    for (int i = 0; i <= ITEMS; i++)
        for (gint64 n = 0; n < 500; n++)
            if (i == BIG)
                sf_add_i64(f->columns[i], n * 10 + 9);
            else
                sf_add_null(f->columns[i]);
    g_assert_cmpint(sf_builder_end_rows(f->builder, 499, &f->err), ==, SF_FATAL);
    for (int i = 0; i <= ITEMS; i++)
        for (gint64 n = 0; n < 500; n++)
            if (i == BIG)
                sf_add_i64(f->columns[i], n * 10 + 9);
            else
                sf_add_null(f->columns[i]);
    g_assert_cmpint(sf_builder_end_rows(f->builder, 500, &f->err), ==, SF_OK);
    finish(f);
    for (gint64 n = 0; n < 500; n++)
        assert_row(f, n, n * 10 + 9);
}

static void test_unknown_type_is_refused(void)
{
    SfError err;
    struct ArrowSchema bad = {.format = "U", .name = "long", .release = sf_schema_done}, *children[] = {&bad};
    struct ArrowSchema root = {
        .format = "+s", .name = "", .n_children = 1, .children = children, .release = sf_schema_done};
    g_assert_null(sf_builder_new(&root, &err));
    g_assert_true(g_str_has_prefix(err.message, "column 'long' has Arrow format 'U', which a pipeline cannot carry"));
}

static void add(const char *name, void (*test)(Fixture *, gconstpointer))
{
    g_autofree char *path = g_strconcat("/builder/", name, NULL);
    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    add("every type comes back", test_every_type_comes_back);
    add("builder is empty after finish", test_builder_is_empty_after_finish);
    add("no rows make an empty batch", test_no_rows_make_an_empty_batch);
    add("column without nulls has no bitmap", test_column_without_nulls_has_no_bitmap);
    add("rollback forgets the open row", test_rollback_forgets_the_open_row);
    add("rollback takes half a list back", test_rollback_takes_half_a_list_back);
    add("row with a missing value is refused", test_row_with_a_missing_value_is_refused);
    add("uneven members are refused", test_uneven_members_are_refused);
    add("null in a column that is not null is refused", test_null_in_a_column_that_is_not_null_is_refused);
    add("finish refuses an open row", test_finish_refuses_an_open_row);
    add("row above the cap is a reject", test_row_above_the_cap_is_a_reject);
    add("negative size is no write", test_negative_size_is_no_write);
    add("columns may be filled one after another", test_columns_may_be_filled_one_after_another);
    g_test_add_func("/builder/unknown type is refused", test_unknown_type_is_refused);
    return g_test_run();
}
