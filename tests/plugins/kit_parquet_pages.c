/* Pages of Parquet files being written: where they end. */
#include "parquet/parquet.h"
#include "rows.h"

static gsize count_pages(ParquetWriter *writer, const struct ArrowSchema *schema, gint64 *largest)
{
    SfError err = {0};
    gsize size, n = 0;
    g_autoptr(GBytes) file = NULL;
    g_assert_cmpint(parquet_writer_finish(writer, &file, &err), ==, SF_OK);
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, schema, &err);
    g_assert_cmpstr(err.message, ==, "");
    const uint8_t *at = (const uint8_t *) g_bytes_get_data(file, &size) + 4, *end = at + size - 4;
    /* Pages follow each other until something else does, which has no header of a data page. */
    for (;; n++) {
        ThriftReader thrift = {.at = at, .end = end};
        ThriftField field = {0};
        int64_t numbers[6] = {0};
        bool header = false;
        while (thrift_next(&thrift, &field) && field.id <= PAGE_DATA_HEADER) {
            if (field.id == PAGE_DATA_HEADER && field.type == THRIFT_STRUCT) {
                header = true;
                thrift_skip(&thrift, &field);
            } else {
                numbers[field.id] = thrift_int(&thrift, &field);
            }
        }
        if (!header || thrift.failed)
            return n;
        *largest = MAX(*largest, numbers[PAGE_UNCOMPRESSED_SIZE]);
        at = thrift.at + numbers[PAGE_COMPRESSED_SIZE];
    }
}

/* A page ends with the slice that makes it as large as was asked for; long texts make short slices. */
static void test_page_sizes(void)
{
    struct ArrowSchema schema;
    struct ArrowArray rows;
    SfError err = {0};
    gint64 largest = 0;
    static const char *const eight[] = {"[true]", "[true]", "[true]", "[true]", "[true]", "[true]", "[true]", "[true]"};
    rows_schema("b bool not null", &schema);
    rows_from_json(&schema, eight, 8, &rows);
    for (int64_t bytes = 1; bytes <= 2; bytes++) {
        g_autoptr(ParquetWriter) writer = parquet_writer_new(&schema, &(ParquetOptions){.page_bytes = bytes}, &err);
        for (int i = 0; i < 4; i++)
            parquet_writer_add(writer, (const struct ArrowArray *const *) rows.children, 0, NULL, 8, &err);
        g_assert_cmpint(parquet_writer_rows(writer), ==, 32);
        g_assert_cmpuint(count_pages(writer, &schema, &largest), ==, 4 / bytes);
        g_assert_cmpint(largest, ==, bytes);
    }
    g_autoptr(ParquetWriter) open = parquet_writer_new(&schema, &(ParquetOptions){0}, &err);
    for (int i = 0; i < 100; i++) /* a byte each, of which half is expected to be left */
        parquet_writer_add(open, (const struct ArrowArray *const *) rows.children, 0, NULL, 8, &err);
    g_assert_cmpint(parquet_writer_size(open), ==, 4 + 100 / 2);
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

static void test_long_texts(void)
{
    enum { N = 600 };
    struct ArrowSchema schema;
    struct ArrowArray rows;
    SfError err = {0};
    gint64 largest = 0;
    g_autoptr(GPtrArray) json = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *filler = g_strnfill(10000, 'x');
    for (int i = 0; i < N; i++)
        g_ptr_array_add(json, g_strdup_printf("[\"%d%s\"]", i, filler));
    rows_schema("s string", &schema);
    rows_from_json(&schema, (const char *const *) json->pdata, N, &rows);
    g_autoptr(ParquetWriter) writer = parquet_writer_new(&schema, &(ParquetOptions){.codec = PARQUET_ZSTD}, &err);
    parquet_writer_add(writer, (const struct ArrowArray *const *) rows.children, 0, NULL, N, &err);
    g_assert_cmpuint(count_pages(writer, &schema, &largest), >=, 3);
    g_assert_cmpint(largest, <=, 3 << 20);
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parquet/pages/they end when they are full", test_page_sizes);
    g_test_add_func("/parquet/pages/long texts make short slices", test_long_texts);
    return g_test_run();
}
