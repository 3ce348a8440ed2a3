/* sf_batch_keep(): the kept rows are those of the bitmap, in order, for every type; bytes behind views are not
 * copied. */
#include <locale.h>
#include "rows.h"

typedef struct Case {
    ArrowSchema schema;
    SharedBatch *shared;
    guint8 *keep;
    gint64 rows;
} Case;

static void case_init(Case *c, const char *schema, gint64 rows, gint64 offset, GRand *random)
{
    rows_schema(schema, &c->schema);
    SfBatch all = {.schema = &c->schema, .start = 100, .end = 100 + rows};
    rows_random(&c->schema, (gsize) (rows + offset), random, &all.rows);
    c->shared = shared_batch_new(&all);
    c->rows = rows;
    c->keep = g_malloc0((gsize) rows / 8 + 1);
    if (offset > 0) {
        SfBatch slice = {0};
        g_assert_cmpint(sf_batch_slice(&c->shared->batch, offset, rows, &slice, NULL), ==, SF_OK);
        sf_batch_unref(&c->shared->batch);
        c->shared = shared_batch_new(&slice);
    }
}

static void case_done(Case *c)
{
    sf_batch_unref(&c->shared->batch);
    sf_schema_done(&c->schema);
    g_free(c->keep);
}

static bool kept(const Case *c, gint64 row)
{
    return c->keep[row >> 3] >> (row & 7) & 1;
}

/* Compares with the definition, row by row, after the input is gone. */
static void check(Case *c)
{
    g_autoptr(GString) want = g_string_new(NULL);
    for (gint64 row = 0; row < c->rows; row++) {
        g_autofree char *text = rows_text(&c->schema, &c->shared->batch.rows, row);
        if (kept(c, row))
            g_string_append_printf(want, "%s%s", want->len > 0 ? "\n" : "", text);
    }
    g_auto(SfBatch) out = {0};
    SfError err;
    g_assert_cmpint(sf_batch_keep(&c->shared->batch, c->keep, &out, &err), ==, SF_OK);
    case_done(c);
    c->shared = NULL;
    c->keep = NULL;
    c->schema = (ArrowSchema){0};
    ArrowSchema schema;
    rows_schema(ROWS_EVERY_TYPE, &schema);
    out.schema = &schema;
    rows_assert_valid(&schema, &out.rows);
    g_autofree char *got = batch_text(&out);
    g_assert_cmpstr(got, ==, want->str);
    g_assert_true(out.start == 100);
    sf_schema_done(&schema);
}

static void test_any_selection_of_any_rows(void)
{
    static const int percents[] = {0, 1, 10, 50, 90, 99, 100};
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32) g_test_rand_int());
    for (gsize p = 0; p < G_N_ELEMENTS(percents); p++)
        for (gint64 rows = 0; rows < 300; rows += rows < 20 ? 1 : 93)
            for (gint64 offset = 0; offset < 24; offset += 11) {
                Case c;
                case_init(&c, ROWS_EVERY_TYPE, rows, offset, random);
                for (gint64 row = 0; row < rows; row++)
                    if (g_rand_int_range(random, 0, 100) < percents[p])
                        c.keep[row >> 3] |= (guint8) (1u << (row & 7));
                check(&c);
            }
}

static void test_single_rows_at_bit_borders(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(3);
    for (gint64 row = 0; row < 70; row++) {
        Case c;
        case_init(&c, ROWS_EVERY_TYPE, 70, row % 9, random);
        c.keep[row >> 3] = (guint8) (1u << (row & 7));
        check(&c);
    }
}

static void test_payload_of_raw_rows_is_not_copied(void)
{
    g_auto(ArrowSchema) schema = {0};
    g_assert_cmpint(sf_schema_raw(&schema, NULL), ==, SF_OK);
    g_autofree char *payload = g_strnfill(1 << 20, 'x');
    const RawRow rows[] = {
        {.value = payload, .offset = 1}, {.value = payload, .offset = 2}, {.value = payload, .offset = 3}};
    SfBatch raw = {.schema = &schema};
    rows_from_raw("events", 0, rows, 3, &raw.rows);
    SharedBatch *shared = shared_batch_new(&raw);
    g_auto(SfBatch) out = {0};
    const guint8 keep = 5;
    g_assert_cmpint(sf_batch_keep(&shared->batch, &keep, &out, NULL), ==, SF_OK);
    g_assert_cmpint(out.bytes, >, 0);
    g_assert_cmpint(out.bytes, <, 4096);
    SfColumn before, after;
    g_assert_cmpint(sf_column(&shared->batch, "value", SF_BINARY, &before, NULL), ==, SF_OK);
    g_assert_cmpint(sf_column(&out, "value", SF_BINARY, &after, NULL), ==, SF_OK);
    g_assert_true(sf_bytes(&after, 1).data == sf_bytes(&before, 2).data);
    sf_batch_unref(&shared->batch);
    g_assert_cmpmem(sf_bytes(&after, 1).data, sf_bytes(&after, 1).size, payload, 1 << 20);
}

static void test_everything_kept_shares_all_columns(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    Case c;
    case_init(&c, ROWS_EVERY_TYPE, 64, 0, random);
    memset(c.keep, 0xff, 8);
    g_auto(SfBatch) out = {0};
    g_assert_cmpint(sf_batch_keep(&c.shared->batch, c.keep, &out, NULL), ==, SF_OK);
    for (gint64 i = 0; i < out.rows.n_children; i++)
        for (gint64 b = 0; b < out.rows.children[i]->n_buffers; b++)
            g_assert_true(out.rows.children[i]->buffers[b] == c.shared->batch.rows.children[i]->buffers[b]);
    case_done(&c);
}

/* The kept rows with columns behind them; what is added is moved, and given back when it does not fit. */
static void test_columns_behind_the_kept(void)
{
    ArrowSchema schema;
    rows_schema("a bigint, b string", &schema);
    g_auto(SfBatch) out = {0};
    SfBatch all = {.schema = &schema, .start = 5, .end = 9};
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    rows_random(&schema, 4, random, &all.rows);
    SharedBatch *shared = shared_batch_new(&all);
    const guint8 keep = 0x0A; /* rows 1 and 3 */
    SfError err = {0};
    for (gsize n = 1; n <= 2; n++) {
        ArrowSchema added_schema;
        struct ArrowArray added = {0};
        rows_schema("c bigint", &added_schema);
        rows_random(&added_schema, n, random, &added);
        SfStatus status = sf_batch_keep_with(&shared->batch, &keep, &added, &out.rows, &err);
        g_assert_null(added.release);
        g_assert_cmpint(status == SF_OK, ==, n == 2);
        sf_schema_done(&added_schema);
    }
    g_assert_cmpint(out.rows.n_children, ==, 3);
    g_assert_cmpint(out.rows.length, ==, 2);
    ArrowSchema both;
    rows_schema("a bigint, b string, c bigint", &both);
    rows_assert_valid(&both, &out.rows);
    for (gint64 row = 0; row < 2; row++) {
        g_autofree char *before = rows_text(&schema, &shared->batch.rows, 2 * row + 1);
        g_autofree char *after = rows_text(&both, &out.rows, row);
        before[strlen(before) - 1] = '\0'; /* the bracket */
        g_test_message("%s, then %s", before, after);
        g_assert_true(g_str_has_prefix(after, before));
    }
    sf_schema_done(&both);
    sf_batch_unref(&shared->batch);
    sf_schema_done(&schema);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/keep/any selection of any rows", test_any_selection_of_any_rows);
    g_test_add_func("/keep/single rows at bit borders", test_single_rows_at_bit_borders);
    g_test_add_func("/keep/payload of raw rows is not copied", test_payload_of_raw_rows_is_not_copied);
    g_test_add_func("/keep/everything kept shares all columns", test_everything_kept_shares_all_columns);
    g_test_add_func("/keep/columns behind the kept", test_columns_behind_the_kept);
    return g_test_run();
}
