/* What the Parquet writer holds and compares, which no reader of its files would see. */
#include "parquet/dictionary.h"
#include "parquet/parquet.h"
#include "rows.h"

/* Their hashes keep unequal texts apart so well that no file would show a wrong comparison. */
static void test_texts_are_compared_in_full(void)
{
    for (size_t size = 0; size <= 40; size++) {
        g_autofree char *a = g_strnfill(size, 'x'), *b = g_strnfill(size, 'x');
        SfBytes left = {a, (int64_t) size}, right = {b, (int64_t) size};
        g_assert_true(dictionary_same(left, right));
        for (size_t i = 0; i < size; i++) {
            b[i] = 'y';
            g_assert_false(dictionary_same(left, right));
            b[i] = 'x';
        }
        if (size > 0)
            g_assert_false(dictionary_same(left, (SfBytes){b, (int64_t) size - 1}));
    }
}

/* A row group's pages are in memory twice only while it ends, and no longer than that. */
static void test_memory(void)
{
    SfError err = {0};
    struct ArrowSchema schema;
    struct ArrowArray rows;
    rows_schema("n bigint", &schema);
    g_autoptr(GPtrArray) json = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < 20000; i++)
        g_ptr_array_add(json, g_strdup_printf("[%d]", i * 7919));
    rows_from_json(&schema, (const char *const *) json->pdata, json->len, &rows);
    const ParquetOptions options = {.codec = PARQUET_UNCOMPRESSED, .dictionary_bytes = 1};
    g_autoptr(ParquetWriter) writer = parquet_writer_new(&schema, &options, &err);
    const struct ArrowArray *const *columns = (const struct ArrowArray *const *) rows.children;
    for (int i = 0; i < 40; i++)
        g_assert_cmpint(parquet_writer_add(writer, columns, 0, NULL, rows.length, &err), ==, SF_OK);
    g_assert_cmpint(parquet_writer_memory(writer), >, 40 * 20000 * 8);
    g_autoptr(GBytes) file = NULL;
    g_assert_cmpint(parquet_writer_finish(writer, &file, &err), ==, SF_OK);
    g_assert_cmpuint(g_bytes_get_size(file), >, 40 * 20000 * 8);
    g_assert_cmpint(parquet_writer_memory(writer), <, 1 << 20);
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

/* A writer goes on to the next file, whose bounds are those of its own rows, in every column. */
static void test_stats_of_the_next_file(void)
{
    static const char *const json[] = {"[9, -9, \"z\"]", "[1, 1, \"b\"]", "[2, 2, \"c\"]"};
    SfError err = {0};
    struct ArrowSchema schema;
    struct ArrowArray rows;
    rows_schema("i int, l bigint, s string", &schema);
    rows_from_json(&schema, json, G_N_ELEMENTS(json), &rows);
    g_autoptr(ParquetWriter) writer = parquet_writer_new(&schema, &(ParquetOptions){.codec = PARQUET_SNAPPY}, &err);
    for (int i = 0; i < 2; i++) {
        g_autoptr(GBytes) file = NULL;
        const int32_t picked[] = {i, 2 * i};
        g_assert_cmpint(
            parquet_writer_add(writer, (const struct ArrowArray *const *) rows.children, 0, picked, 2, &err), ==,
            SF_OK);
        g_assert_cmpint(parquet_writer_finish(writer, &file, &err), ==, SF_OK);
    }
    for (size_t leaf = 0; leaf < 2; leaf++) {
        g_assert_cmpint(parquet_writer_stats(writer, leaf)->min_int, ==, 1);
        g_assert_cmpint(parquet_writer_stats(writer, leaf)->max_int, ==, 2);
    }
    const ParquetStats *texts = parquet_writer_stats(writer, 2);
    g_assert_cmpmem(texts->min_bytes.data, texts->min_bytes.size, "b", 1);
    g_assert_cmpmem(texts->max_bytes.data, texts->max_bytes.size, "c", 1);
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parquet-writer/texts are compared in full", test_texts_are_compared_in_full);
    g_test_add_func("/parquet-writer/a file that is finished holds no memory", test_memory);
    g_test_add_func("/parquet-writer/statistics are those of one file", test_stats_of_the_next_file);
    return g_test_run();
}
