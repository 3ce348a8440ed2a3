/* sf_batch_compact(): no view is left, wherever it was; values stay, other columns are shared. */
#include <locale.h>
#include "rows.h"

static bool any_view(const struct ArrowSchema *schema)
{
    bool found = schema->format[0] == 'v';
    for (gint64 i = 0; i < schema->n_children; i++)
        found = found || any_view(schema->children[i]);
    return found;
}

static void check(gint64 rows, gint64 offset, GRand *random)
{
    g_auto(ArrowSchema) schema = {0}, plain = {0};
    rows_schema(ROWS_EVERY_TYPE, &schema);
    SfBatch all = {.schema = &schema, .start = 5, .end = 5 + rows};
    rows_random(&schema, (gsize) (rows + offset), random, &all.rows);
    SharedBatch *whole = shared_batch_new(&all);
    SfBatch slice = {0};
    g_auto(SfBatch) out = {0};
    g_assert_cmpint(sf_batch_slice(&whole->batch, offset, rows, &slice, NULL), ==, SF_OK);
    sf_batch_unref(&whole->batch);
    SharedBatch *shared = shared_batch_new(&slice);
    SfError err;
    g_assert_cmpint(sf_batch_compact(&shared->batch, &plain, &out, &err), ==, SF_OK);
    g_autofree char *want = batch_text(&shared->batch);
    gint64 flag = sf_schema_find(&schema, "flag"), name = sf_schema_find(&schema, "name");
    g_assert_true(out.rows.children[flag]->buffers[1] == shared->batch.rows.children[flag]->buffers[1]);
    g_assert_cmpint(out.rows.children[name]->n_buffers, ==, 3);
    g_assert_cmpint(out.rows.children[name]->offset, ==, 0);
    sf_batch_unref(&shared->batch);
    g_assert_true(out.schema == &plain && any_view(&schema) && !any_view(&plain));
    rows_assert_valid(&plain, &out.rows);
    g_autofree char *got = batch_text(&out);
    g_assert_cmpstr(got, ==, want);
    g_assert_cmpint(out.start, ==, 5);
}

static void test_values_stay_the_same(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32) g_test_rand_int());
    for (gint64 rows = 0; rows < 200; rows += rows < 20 ? 1 : 61)
        for (gint64 offset = 0; offset < 20; offset += 9)
            check(rows, offset, random);
}

static void test_bytes_of_null_views_are_not_looked_at(void)
{
    g_auto(ArrowSchema) schema = {0}, plain = {0};
    rows_schema("body binary view", &schema);
    SfBatch batch = {.schema = &schema};
    rows_from_json(&schema, (const char *[]){"[\"a text that is not inline at all\"]", "[null]"}, 2, &batch.rows);
    gint32 *view = (gint32 *) batch.rows.children[0]->buffers[1] + 4;
    view[0] = 1 << 30; /* what lies under a null is undefined */
    view[2] = 99;
    SharedBatch *shared = shared_batch_new(&batch);
    g_auto(SfBatch) out = {0};
    g_assert_cmpint(sf_batch_compact(&shared->batch, &plain, &out, NULL), ==, SF_OK);
    g_autofree char *text = batch_text(&out);
    g_assert_cmpstr(text, ==, "{\"body\":\"a text that is not inline at all\"}\n{\"body\":null}");
    sf_batch_unref(&shared->batch);
}

/* Many views of one megabyte: more than 32-bit ends can hold, in little memory. */
static void test_more_than_2_gib_is_a_reject(void)
{
    enum { SIZE = 1 << 20, ROWS = 2048 };
    g_auto(ArrowSchema) schema = {0}, plain = {0};
    rows_schema("id int, body binary view", &schema);
    g_autofree char *megabyte = g_strnfill(SIZE, 'x');
    g_autoptr(SfBuilder) builder = sf_builder_new(&schema, NULL);
    for (int row = 0; row < ROWS; row++) {
        sf_add_i32(sf_builder_column(builder, 0), row);
        sf_add_str(sf_builder_column(builder, 1), megabyte, row == 0 ? SIZE : 20);
        g_assert_cmpint(sf_builder_end_row(builder, NULL), ==, SF_OK);
    }
    SfBatch batch = {.schema = &schema};
    g_assert_cmpint(sf_builder_finish(builder, &batch.rows, NULL), ==, SF_OK);
    guint8 *views = (guint8 *) batch.rows.children[1]->buffers[1];
    for (int row = 1; row < ROWS; row++)
        memcpy(views + 16 * row, views, 16);
    SharedBatch *shared = shared_batch_new(&batch);
    SfBatch out = {.start = 42};
    SfError err;
    g_assert_cmpint(sf_batch_compact(&shared->batch, &plain, &out, &err), ==, SF_REJECT);
    g_assert_cmpstr(err.message, ==, "column 'body' has 2147483648 bytes in one batch, more than 32-bit ends can hold");
    g_assert_true(!plain.release && !out.rows.release && out.start == 42);
    sf_batch_unref(&shared->batch);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/compact/values stay the same", test_values_stay_the_same);
    g_test_add_func("/compact/bytes of null views are not looked at", test_bytes_of_null_views_are_not_looked_at);
    g_test_add_func("/compact/more than 2 GiB is a reject", test_more_than_2_gib_is_a_reject);
    return g_test_run();
}
