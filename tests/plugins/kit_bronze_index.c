/* kit/bronze/index: what is put in comes out, whatever positions, timestamps and nulls; hostile texts are refused. */
#include <glib.h>
#include <string.h>

#include "bronze/index.h"

static char *index_of(const GArray *rows)
{
    IndexWriter writer;
    g_autoptr(Compressor) compressor = compressor_new();
    index_writer_init(&writer, g_array_index(rows, IndexRow, 0).position);
    for (guint i = 0; i < rows->len; i++)
        g_assert_true(index_add(&writer, &g_array_index(rows, IndexRow, i)));
    g_assert_cmpuint(index_held(&writer), >, 0);
    char *text = index_end(&writer, compressor);
    g_assert_nonnull(text);
    g_assert_cmpuint(index_held(&writer), ==, 0);
    return text;
}

static IndexReader *read_index(const GArray *rows, const char *text, SfError *err)
{
    const IndexRow *first = &g_array_index(rows, IndexRow, 0);
    return index_reader_new(text, first->position, first[rows->len - 1].position, rows->len, err);
}

static size_t check_round_trip(const GArray *rows)
{
    SfError err = {0};
    IndexRow row;
    g_autofree char *text = index_of(rows);
    g_autoptr(IndexReader) reader = read_index(rows, text, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_nonnull(reader);
    for (guint i = 0; i < rows->len; i++) {
        const IndexRow *is = &g_array_index(rows, IndexRow, i);
        g_assert_true(index_reader_next(reader, &row));
        g_assert_cmpint(row.position, ==, is->position);
        g_assert_cmpint(row.time_us, ==, is->time_us);
        g_assert_cmpint(row.null, ==, is->null);
        g_assert_cmpint(row.breaks, ==, is->breaks);
    }
    g_assert_false(index_reader_next(reader, &row));
    return strlen(text);
}

static GArray *rows_new(const IndexRow *rows, guint n)
{
    GArray *array = g_array_new(FALSE, FALSE, sizeof(IndexRow));
    return g_array_append_vals(array, rows, n);
}

/* The bounds are those of years with four digits, and one beyond. */
static void test_kinds(void)
{
    const IndexRow rows[] = {
        {7, 0, false},
        {8, INT64_C(1705320000000000), false},
        {9, INT64_C(1705320000000000), true},
        {12, INT64_C(1705320000001000), false},
        {13, INT64_C(1705319999999001), false},
        {14, INDEX_NO_TIMESTAMP, false},
        {15, INDEX_NO_TIMESTAMP, true},
        {INT64_C(1) << 40, INT64_MAX, false},
        {(INT64_C(1) << 40) + 1, INT64_MIN + 1, false},
        {(INT64_C(1) << 40) + 2, INT64_C(-62135596800000000), false},
        {(INT64_C(1) << 40) + 3, INT64_C(253402300799999999), false},
        {(INT64_C(1) << 40) + 4, INT64_C(253402300800000000), false},
        {(INT64_C(1) << 40) + 5, INT64_C(-62135596800000001), false},
        {(INT64_C(1) << 40) + 6, 5, false, 1},
        {(INT64_C(1) << 40) + 7, 5, false, INT64_C(1) << 50},
        {(INT64_C(1) << 40) + 8, INDEX_NO_TIMESTAMP, false, 3},
        {INT64_MAX - 2, -1, false},
    };
    for (guint from = 0; from < G_N_ELEMENTS(rows); from++)
        for (guint n = 1; from + n <= G_N_ELEMENTS(rows); n++) {
            g_autoptr(GArray) some = rows_new(rows + from, n);
            check_round_trip(some);
        }
}

static GArray *random_rows(GRand *random, guint n)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(IndexRow));
    IndexRow row = {.position = g_rand_int_range(random, 0, 1000), .time_us = INT64_C(1705320000000000)};
    for (guint i = 0; i < n; i++) {
        row.null = g_rand_int_range(random, 0, 20) == 0;
        row.breaks = !row.null && g_rand_int_range(random, 0, 20) == 0 ? g_rand_int_range(random, 1, 40) : 0;
        row.time_us += g_rand_int_range(random, -3, 20) * (g_rand_boolean(random) ? 1000 : 1);
        g_array_append_val(rows, row);
        row.position += g_rand_int_range(random, 0, 4) == 0 ? g_rand_int_range(random, 1, 300) : 1;
    }
    return rows;
}

static void test_random(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(8);
    for (int i = 0; i < 200; i++) {
        g_autoptr(GArray) rows = random_rows(random, (guint) g_rand_int_range(random, 1, 2000));
        check_round_trip(rows);
    }
}

/* A topic without holes that takes 10,000 events a second: about a bit a row. */
static void test_size(void)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(IndexRow));
    for (int i = 0; i < 10000; i++) {
        IndexRow row = {.position = i, .time_us = INT64_C(1705320000000000) + i / 10 * 1000};
        g_array_append_val(rows, row);
    }
    g_assert_cmpuint(check_round_trip(rows), <, 1000);
}

static void test_other_object(void)
{
    SfError err = {0};
    g_autoptr(GRand) random = g_rand_new_with_seed(9);
    g_autoptr(GArray) rows = random_rows(random, 500);
    g_autofree char *text = index_of(rows);
    int64_t first = g_array_index(rows, IndexRow, 0).position, last = g_array_index(rows, IndexRow, 499).position;
    g_assert_null(index_reader_new(text, first + 1, last, 500, &err));
    g_assert_null(index_reader_new(text, first, last - 1, 500, &err));
    g_assert_null(index_reader_new(text, first, last, 499, &err));
    g_assert_null(index_reader_new(text, first, last, 501, &err));
    g_assert_nonnull(strstr(err.message, "501 rows"));
}

/* One byte changed at a time, and the text cut short: refused, or read as rows of the object. */
static void test_hostile(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(10);
    g_autoptr(GArray) rows = random_rows(random, 60);
    g_autofree char *text = index_of(rows);
    size_t size = strlen(text);
    for (size_t i = 0; i < 20 * size; i++) {
        SfError err = {0};
        IndexRow row;
        g_autofree char *other = g_strdup(text);
        if (i < size)
            other[i] = '\0';
        else
            other[i % size] = "AZaz09+/="[g_rand_int_range(random, 0, 9)];
        g_autoptr(IndexReader) reader = read_index(rows, other, &err);
        guint n = 0;
        while (reader && index_reader_next(reader, &row))
            n++;
        g_assert_cmpuint(n, ==, reader ? rows->len : 0);
    }
}

/* The text of an index with these bytes in it, whatever they mean. */
static char *text_of(const guint8 *bytes, gsize size)
{
    SfError err;
    g_autoptr(Compressor) compressor = compressor_new();
    guint64 head = GUINT64_TO_LE(size);
    gsize used, room = compress_bound(COMPRESSION_GZIP, size);
    g_autofree guint8 *packed = g_malloc(sizeof head + room);
    memcpy(packed, &head, sizeof head);
    g_assert_cmpint(
        compress_block(compressor, COMPRESSION_GZIP, 6, bytes, size, packed + sizeof head, room, &used, &err), ==,
        SF_OK);
    return g_base64_encode(packed, sizeof head + used);
}

/* Well-formed as a text, and wrong in one place each: [version, bytes of runs, runs, rows]. */
static void test_crafted(void)
{
    enum { MOST = 32 };
    static const struct {
        const char *what;
        guint8 bytes[MOST];
        gsize size;
        gint64 rows;
    } cases[] = {
        {"good", {1, 2, 0, 1, 0, 0}, 6, 2},
        {"another version", {2, 2, 0, 1, 0, 0}, 6, 2},
        {"no version", {0x80}, 1, 1},
        {"runs that it does not have", {1, 9, 0, 1, 0, 0}, 6, 2},
        {"no runs", {1}, 1, 1},
        {"a run without its rows", {1, 1, 0, 0}, 4, 1},
        {"a run that passes over too much", {1, 11, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0}, 14, 1},
        {"a run behind all positions", {1, 10, 254, 255, 255, 255, 255, 255, 255, 255, 127, 0, 0}, 13, 1},
        {"a run of too many rows", {1, 10, 0, 255, 255, 255, 255, 255, 255, 255, 255, 127, 0}, 13, 1},
        {"a number of eleven bytes", {1, 2, 0, 0, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 1}, 15, 1},
        {"a number of 65 bits", {1, 2, 0, 0, 128, 128, 128, 128, 128, 128, 128, 128, 128, 2}, 14, 1},
        {"a row that ends early", {1, 2, 0, 0, 0x80}, 5, 1},
        {"a prefix without its row", {1, 2, 0, 0, 3}, 5, 1},
        {"a prefix before a prefix", {1, 2, 0, 0, 3, 3}, 6, 1},
        {"an unknown kind of timestamp", {1, 2, 0, 0, 2 | 2 << 2}, 5, 1},
        {"a timestamp that ends early", {1, 2, 0, 0, 2 | 1 << 2}, 5, 1},
        {"a difference beyond 64 bits", {1, 2, 0, 0, 252, 255, 255, 255, 255, 255, 255, 255, 255, 1}, 14, 1},
        {"a time outside of all years", {1, 2, 0, 0, 1 | 124, 255, 255, 255, 255, 255, 255, 255, 127}, 13, 1},
        {"a row more", {1, 2, 0, 1, 0, 0, 0}, 7, 2},
        {"a run more", {1, 4, 0, 1, 0, 0, 0, 0}, 8, 2},
        {"a row less", {1, 2, 0, 1, 0}, 5, 2},
        {"rows of its run left", {1, 2, 0, 5, 0, 0}, 6, 2},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        SfError err = {.message = ""};
        g_autofree char *text = text_of(cases[i].bytes, cases[i].size);
        g_autoptr(IndexReader) reader = index_reader_new(text, 5, 1000, cases[i].rows, &err);
        if ((reader != NULL) != (i == 0))
            g_error("'%s' is %s", cases[i].what, reader ? "taken" : "refused");
    }
    g_autofree char *far = text_of(cases[0].bytes, cases[0].size);
    g_autoptr(IndexReader) reader = NULL;
    SfError err;
    reader = index_reader_new(far, 5, 5, 2, &err); /* its last row is at 6 */
    g_assert_null(reader);
    g_assert_null(index_reader_new("AAAA", 0, 0, 1, &err));
    g_assert_null(index_reader_new("", 0, 0, 1, &err));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bronze-index/kinds", test_kinds);
    g_test_add_func("/bronze-index/random", test_random);
    g_test_add_func("/bronze-index/size", test_size);
    g_test_add_func("/bronze-index/other-object", test_other_object);
    g_test_add_func("/bronze-index/hostile", test_hostile);
    g_test_add_func("/bronze-index/crafted", test_crafted);
    return g_test_run();
}
