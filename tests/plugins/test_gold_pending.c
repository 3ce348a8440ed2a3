/* The gold sink's own half of the deduplication, which a database would hide: one row a key reaches it, and which. */
#include "gold_rows.h"

#define SCHEMA "id int, k string, v int, gone bool"

static void setup(GoldRows *f, gconstpointer tables)
{
    gold_rows_init(f, SCHEMA, tables);
    f->time = "\"2024-01-15T10:00:00Z\"";
}

static void teardown(GoldRows *f, gconstpointer tables)
{
    (void) tables;
    gold_rows_done(f);
}

/* "key:offset" of what goes to a table, in its order; those that delete behind a bar. */
static void assert_winners(GoldRows *f, guint target, const char *expected)
{
    g_assert_cmpint(pending_sort(f->pending, NULL), ==, SF_OK);
    const Winners *winners = &f->pending->winners[target];
    guint key = target_column(winners->target, g_array_index(winners->target->key, guint, 0))->source;
    guint offset = target_column(winners->target, (guint) target_find(winners->target, "_offset"))->source;
    g_autoptr(GString) got = g_string_new(NULL);
    for (gsize i = 0; i < winners->n; i++) {
        RowRef ref = winners->rows[i];
        g_string_append_printf(got, "%s%s%d:%d", i == winners->n_kept ? "| " : "", "",
                               sf_i32(pending_view(f->pending, ref, key), ref.row),
                               (int) sf_i64(pending_view(f->pending, ref, offset), ref.row));
        g_string_append_c(got, ' ');
    }
    g_assert_cmpstr(g_strchomp(got->str), ==, expected);
}

static void test_one_row_a_key(GoldRows *f, gconstpointer tables)
{
    (void) tables;
    GOLD_ROWS_ADD(f, "2, \"a\", 5, false", "1, \"a\", 1, false", "2, \"b\", 7, false", "2, \"c\", 6, false",
                  "1, \"a\", 1, true");
    assert_winners(f, 0, "1:4 2:2");
    GOLD_ROWS_ADD(f, "1, \"d\", 0, false", "3, \"d\", 0, false", "2, \"d\", 8, false");
    assert_winners(f, 0, "1:4 2:7 3:6");
    g_assert_cmpuint(f->pending->winners[0].n, ==, 3);
    f->offset = 7;
    GOLD_ROWS_ADD(f, "2, \"d\", 8, false"); /* the same place: the same event once more, by another input */
    assert_winners(f, 0, "1:4 2:7 3:6");
    g_assert_cmpuint(f->pending->winners[0].rows[1].part, ==, 2);
}

/* More keys than the table of them begins with, each five times, in one batch and in several. */
static void test_many_keys(GoldRows *f, gconstpointer tables)
{
    (void) tables;
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < 15000; i++) {
        g_ptr_array_add(rows, g_strdup_printf("%d, \"k\", %d, false", i * 7 % 3000, i));
        if (i % 4000 != 3999 && i != 14999)
            continue;
        gold_rows_add(f, (const char *const *) rows->pdata, rows->len);
        g_ptr_array_set_size(rows, 0);
    }
    const Winners *winners = &f->pending->winners[0];
    g_assert_cmpuint(winners->n, ==, 3000);
    g_assert_cmpint(pending_sort(f->pending, NULL), ==, SF_OK);
    for (gsize i = 0; i < winners->n; i++) {
        const SfColumn *v = pending_view(f->pending, winners->rows[i], target_column(winners->target, 0)->source);
        g_assert_cmpint(sf_i32(v, winners->rows[i].row), >=, 12000);
    }
}

static void test_parts_of_a_key(GoldRows *f, gconstpointer tables)
{
    (void) tables;
    GOLD_ROWS_ADD(f, "1, \"a\", 1, false", "1, \"b\", 1, false", "2, \"a\", 1, false", "1, \"a\", 0, false",
                  "1, \"\", 1, false", "1, \"aa\", 1, false", "1, null, 9, false");
    assert_winners(f, 0, "1:4 1:0 1:5 1:1 2:2");
}

static void test_deletes_are_behind(GoldRows *f, gconstpointer tables)
{
    (void) tables;
    GOLD_ROWS_ADD(f, "5, \"a\", 1, true", "4, \"a\", 1, false", "3, \"a\", 1, true", "2, \"a\", 1, false",
                  "3, \"a\", 0, false", "2, \"a\", 0, true");
    assert_winners(f, 0, "2:3 4:1 | 3:2 5:0");
}

/* Without a place equal rows are two events; a delete among them wins, else the one that came last. */
static void test_without_provenance(GoldRows *f, gconstpointer tables)
{
    (void) tables;
    GOLD_ROWS_ADD(f, "1, \"a\", 5, false", "1, \"b\", 4, false", "1, \"c\", 5, false", "2, \"a\", 3, true",
                  "2, \"b\", 3, false", "2, \"c\", 2, false", "3, \"a\", 7, false", "3, \"b\", 7, true",
                  "4, \"a\", 1, true", "4, \"b\", 2, false", "4, \"c\", 1, true", "5, \"a\", 1, true",
                  "5, \"b\", 0, true");
    g_assert_cmpint(pending_sort(f->pending, NULL), ==, SF_OK);
    const Winners *winners = &f->pending->winners[0];
    g_autoptr(GString) got = g_string_new(NULL);
    guint k = target_column(winners->target, (guint) target_find(winners->target, "k"))->source;
    for (gsize i = 0; i < winners->n; i++) {
        SfBytes text = sf_bytes(pending_view(f->pending, winners->rows[i], k), winners->rows[i].row);
        g_string_append_printf(got, "%s%.*s", i == winners->n_kept ? "|" : "", (int) text.size, text.data);
    }
    g_assert_cmpstr(got->str, ==, "cb|aba"); /* keys 1 and 4 stay; 2, 3 and 5 delete */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(name, tables, function) g_test_add("/gold/pending/" name, GoldRows, tables, setup, function, teardown)
    CASE("one row a key is left, the latest", "facts: {f: {key: id, latest_by: v, columns: []}}", test_one_row_a_key);
    CASE("many keys", "facts: {f: {key: id, latest_by: v, columns: [v]}}", test_many_keys);
    CASE("all parts of a key count", "dimensions: {d: {key: [id, k], latest_by: v}}\nfacts: {f: {key: id}}",
         test_parts_of_a_key);
    CASE("without provenance a delete wins among equals",
         "{provenance: no, facts: {f: {key: id, latest_by: v, delete_when: {gone: true}, columns: [k]}}}",
         test_without_provenance);
    CASE("deletes are behind the others", "facts: {f: {key: id, latest_by: v, delete_when: {gone: true}, columns: []}}",
         test_deletes_are_behind);
    return g_test_run();
}
