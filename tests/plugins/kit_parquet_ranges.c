/* Parquet files that are not in memory: which bytes of them are read, and what becomes of it when they are not
 * there. */
#include "parquet/parquet.h"
#include "rows.h"

#define MIB ((gint64) 1 << 20)

/* A file that counts what is read of it. */
typedef struct Shelf {
    GBytes *file;
    gint64 bytes;
    gint64 largest;
    gint64 calls;
    gint64 fail_at; /* the call that fails; 0: none */
} Shelf;

static SfStatus read_shelf(gpointer user, int64_t offset, int64_t size, GBytes **out, SfError *err)
{
    Shelf *shelf = user;
    g_assert_cmpint(offset, >=, 0);
    g_assert_cmpint(size, >, 0);
    g_assert_cmpint(offset + size, <=, (gint64) g_bytes_get_size(shelf->file));
    if (++shelf->calls == shelf->fail_at)
        return sf_fail(err, SF_RETRY, "away");
    /* A copy of just these bytes, so that a look beyond them is seen. */
    *out = g_bytes_new((const char *) g_bytes_get_data(shelf->file, NULL) + offset, (gsize) size);
    shelf->bytes += size;
    shelf->largest = MAX(shelf->largest, size);
    return SF_OK;
}

static SfStatus open_shelf(Shelf *shelf, const struct ArrowSchema *schema, ParquetReader **out, SfError *err)
{
    const ParquetInput input = {.size = (int64_t) g_bytes_get_size(shelf->file), .read = read_shelf, .user = shelf};
    return parquet_reader_open(&input, schema, out, err);
}

static gint64 random_long(GRand *dice)
{
    return (gint64) ((guint64) g_rand_int(dice) << 32 | g_rand_int(dice));
}

/* n rows of "a", "b" (random) and "n" (row number), in groups of `group`, uncompressed. */
static GBytes *make_file(gint64 n, gint64 group)
{
    struct ArrowSchema schema;
    SfError err = {0};
    GBytes *file = NULL;
    g_autoptr(GRand) dice = g_rand_new_with_seed(5);
    rows_schema("a bigint not null, b bigint, n bigint", &schema);
    g_autoptr(ParquetWriter) writer = parquet_writer_new(&schema, &(ParquetOptions){.row_group_rows = group}, &err);
    SfBuilder *builder = sf_builder_new(&schema, &err);
    for (gint64 done = 0; done < n;) {
        struct ArrowArray rows;
        gint64 end = MIN(done + 10000, n);
        for (; done < end; done++) {
            sf_add_i64(sf_builder_column(builder, 0), random_long(dice));
            sf_add_i64(sf_builder_column(builder, 1), random_long(dice));
            sf_add_i64(sf_builder_column(builder, 2), done);
            g_assert_cmpint(sf_builder_end_row(builder, &err), ==, SF_OK);
        }
        g_assert_cmpint(sf_builder_finish(builder, &rows, &err), ==, SF_OK);
        parquet_writer_add(writer, (const struct ArrowArray *const *) rows.children, 0, NULL, rows.length, &err);
        sf_array_done(&rows);
    }
    g_assert_cmpint(parquet_writer_finish(writer, &file, &err), ==, SF_OK);
    sf_builder_free(builder);
    sf_schema_done(&schema);
    return file;
}

/* All that is left; column `n` counts up from `from`. Rows. */
static gint64 read_on(ParquetReader *reader, const struct ArrowSchema *schema, gint64 from, SfStatus status)
{
    struct ArrowArray rows;
    SfError err = {0};
    SfStatus got;
    gint64 at = from, number = sf_schema_find(schema, "n");
    while ((got = parquet_reader_next(reader, 4096, &rows, &err)) == SF_OK) {
        SfColumn column;
        g_assert_cmpint(sf_column_view(schema->children[number], rows.children[number], &column, &err), ==, SF_OK);
        for (gint64 i = 0; i < rows.length; i++)
            g_assert_cmpint(sf_i64(&column, i), ==, at + i);
        at += rows.length;
        sf_array_done(&rows);
    }
    g_assert_cmpint(got, ==, status);
    return at - from;
}

/* A small file is read in one go, a column of a large one alone. */
static void test_only_what_is_wanted(void)
{
    struct ArrowSchema all, one;
    SfError err = {0};
    rows_schema("a bigint, b bigint, n bigint", &all);
    rows_schema("n bigint", &one);
    Shelf small = {.file = make_file(1000, 0)};
    g_autoptr(ParquetReader) first = NULL;
    g_assert_cmpint(open_shelf(&small, &one, &first, &err), ==, SF_OK);
    g_assert_cmpint(read_on(first, &one, 0, SF_END), ==, 1000);
    g_assert_cmpint(small.calls, ==, 1);
    g_assert_cmpint(small.bytes, ==, (gint64) g_bytes_get_size(small.file));

    Shelf large = {.file = make_file(200000, 50000)};
    gint64 size = (gint64) g_bytes_get_size(large.file);
    g_assert_cmpint(size, >, 4 * MIB);
    g_autoptr(ParquetReader) narrow = NULL;
    g_assert_cmpint(open_shelf(&large, &one, &narrow, &err), ==, SF_OK);
    g_assert_cmpint(read_on(narrow, &one, 0, SF_END), ==, 200000);
    g_assert_cmpint(large.calls, ==, 1 + 4); /* the footer, and a chunk in each group */
    g_assert_cmpint(large.bytes, <, size / 2);
    large.calls = large.bytes = 0;
    g_autoptr(ParquetReader) wide = NULL;
    g_assert_cmpint(open_shelf(&large, &all, &wide, &err), ==, SF_OK);
    g_assert_cmpint(read_on(wide, &all, 0, SF_END), ==, 200000);
    g_assert_cmpint(large.calls, ==, 1 + 4); /* chunks that are neighbours come together */
    g_assert_cmpint(large.bytes, <=, size + 64 * 1024);
    g_bytes_unref(small.file);
    g_bytes_unref(large.file);
    sf_schema_done(&all);
    sf_schema_done(&one);
}

/* Of a large group there are pieces in memory, never all of it. */
static void test_pieces(void)
{
    struct ArrowSchema all;
    SfError err = {0};
    rows_schema("a bigint, b bigint, n bigint", &all);
    Shelf shelf = {.file = make_file(1200000, 0)};
    gint64 size = (gint64) g_bytes_get_size(shelf.file), held = 0;
    g_assert_cmpint(size, >, 18 * MIB);
    g_autoptr(ParquetReader) reader = NULL;
    g_assert_cmpint(open_shelf(&shelf, &all, &reader, &err), ==, SF_OK);
    struct ArrowArray rows;
    g_assert_cmpint(parquet_reader_next(reader, 4096, &rows, &err), ==, SF_OK);
    sf_array_done(&rows);
    held = (gint64) parquet_reader_held(reader);
    g_assert_cmpint(held, >, MIB);
    g_assert_cmpint(held, <, 24 * MIB);
    g_assert_cmpint(read_on(reader, &all, 4096, SF_END), ==, 1200000 - 4096);
    g_assert_cmpint(shelf.largest, <, 7 * MIB);
    g_assert_cmpint(shelf.bytes, <, size + size / 2); /* ends of pieces are read twice */
    g_bytes_unref(shelf.file);
    sf_schema_done(&all);
}

/* Groups that are skipped are not read. */
static void test_skip(void)
{
    struct ArrowSchema one;
    SfError err = {0};
    static const gint64 skips[] = {0, 1, 49999, 50000, 50001, 150000, 199999, 200000};
    rows_schema("n bigint", &one);
    Shelf shelf = {.file = make_file(200000, 50000)};
    for (gsize i = 0; i < G_N_ELEMENTS(skips); i++) {
        g_autoptr(ParquetReader) reader = NULL;
        shelf.calls = 0;
        g_assert_cmpint(open_shelf(&shelf, &one, &reader, &err), ==, SF_OK);
        g_assert_cmpint(parquet_reader_skip(reader, skips[i], &err), ==, SF_OK);
        g_assert_cmpint(read_on(reader, &one, skips[i], SF_END), ==, 200000 - skips[i]);
        g_assert_cmpint(shelf.calls, ==, 1 + 4 - skips[i] / 50000);
    }
    g_autoptr(ParquetReader) reader = NULL;
    g_assert_cmpint(open_shelf(&shelf, &one, &reader, &err), ==, SF_OK);
    g_assert_cmpint(parquet_reader_skip(reader, 100, &err), ==, SF_OK);
    g_assert_cmpint(parquet_reader_skip(reader, 60000, &err), ==, SF_OK);
    g_assert_cmpint(read_on(reader, &one, 60100, SF_END), ==, 139900);
    g_assert_cmpint(parquet_reader_skip(reader, 1, &err), ==, SF_FATAL);
    g_assert_cmpstr(err.message, ==, "the Parquet file has fewer rows than expected");
    g_bytes_unref(shelf.file);
    sf_schema_done(&one);
}

static gint64 count_on(ParquetReader *reader, SfError *err)
{
    gint64 n = 0;
    struct ArrowArray rows;
    SfStatus status;
    while ((status = parquet_reader_next(reader, 4096, &rows, err)) == SF_OK) {
        g_assert_cmpint(rows.n_children, ==, 0);
        n += rows.length;
        sf_array_done(&rows);
    }
    g_assert_cmpint(status, ==, SF_END);
    return n;
}

/* Whichever read fails, it is told; and no columns at all are rows to count. */
static void test_failures(void)
{
    struct ArrowSchema one, none;
    SfError err = {0};
    rows_schema("n bigint", &one);
    g_assert_cmpint(sf_schema_make(NULL, 0, &none, &err), ==, SF_OK);
    Shelf shelf = {.file = make_file(200000, 50000)};
    for (gint64 call = 1; call <= 5; call++) {
        g_autoptr(ParquetReader) reader = NULL;
        shelf.calls = 0;
        shelf.fail_at = call;
        SfStatus status = open_shelf(&shelf, &one, &reader, &err);
        g_assert_cmpint(status, ==, call == 1 ? SF_RETRY : SF_OK);
        if (status == SF_OK)
            g_assert_cmpint(read_on(reader, &one, 0, SF_RETRY), <, 200000);
    }
    g_autoptr(ParquetReader) bare = NULL;
    shelf.fail_at = 0;
    g_assert_cmpint(open_shelf(&shelf, &none, &bare, &err), ==, SF_OK);
    g_assert_cmpint(parquet_reader_rows(bare), ==, 200000);
    g_assert_null(parquet_reader_lacks(bare));
    g_assert_cmpint(parquet_reader_skip(bare, 60000, &err), ==, SF_OK); /* into the second group */
    g_assert_cmpint(count_on(bare, &err), ==, 140000);
    Shelf short_one = {.file = g_bytes_new("PAR1PAR1", 8)};
    g_autoptr(ParquetReader) no_reader = NULL;
    g_assert_cmpint(open_shelf(&short_one, &one, &no_reader, &err), ==, SF_FATAL);
    g_assert_cmpstr(err.message, ==, "not a Parquet file");
    g_bytes_unref(short_one.file);
    short_one.file = g_bytes_new(NULL, 0);
    g_assert_cmpint(open_shelf(&short_one, &one, &no_reader, &err), ==, SF_FATAL);
    g_bytes_unref(short_one.file);
    g_bytes_unref(shelf.file);
    sf_schema_done(&one);
    sf_schema_done(&none);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parquet/ranges/only what is wanted", test_only_what_is_wanted);
    g_test_add_func("/parquet/ranges/pieces", test_pieces);
    g_test_add_func("/parquet/ranges/skip", test_skip);
    g_test_add_func("/parquet/ranges/failures", test_failures);
    return g_test_run();
}
