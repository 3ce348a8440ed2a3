/* Any bytes as a Parquet file: an error or whole rows of the wanted schema, never a crash and never more memory than a
 * batch may have. SEED_DIR=DIR writes the files that the corpus began with. */
#include <string.h>

#include "fuzz.h"
#include "parquet/parquet.h"
#include "rows.h"

#define ALL_TYPES                                                                                                      \
    "b bool, i int not null, l bigint, f double, d9 decimal(9,2), d18 decimal(18,0), d38 decimal(38,10), s string, "   \
    "z binary, day date, t timestamp, tags list<string>, deep list<list<bigint>>, "                                    \
    "who struct<name string, age int, tags list<int>>, rows list<struct<a int, b string>>"

static const char *const all_rows[] = {
    "[true, 1, 9007199254740993, 1.5, 1234567.89, 999999999999999999, 1234567890123456789012345678.0123456789, "
    "\"abc\", \"zz\", \"2024-01-15\", \"2024-01-15T10:30:01.5Z\", [\"x\", null, \"\"], [[1, 2], [], null, [null]], "
    "{\"name\": \"Eve\", \"age\": 7, \"tags\": [1, 2]}, [{\"a\": 1, \"b\": \"q\"}, null]]",
    "[null, 2, null, null, null, null, null, null, null, null, null, null, null, null, null]",
};

static struct ArrowSchema schema;

static void write_seed(const char *dir, const char *name, const ParquetOptions *options, int times)
{
    struct ArrowArray rows;
    SfError err = {0};
    rows_from_json(&schema, all_rows, G_N_ELEMENTS(all_rows), &rows);
    g_autoptr(ParquetWriter) writer = parquet_writer_new(&schema, options, &err);
    for (int i = 0; i < times; i++)
        parquet_writer_add(writer, (const struct ArrowArray *const *) rows.children, rows.offset, NULL, rows.length,
                           &err);
    g_autoptr(GBytes) file = NULL;
    g_assert_cmpint(parquet_writer_finish(writer, &file, &err), ==, SF_OK);
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_assert_true(g_file_set_contents(path, g_bytes_get_data(file, NULL), (gssize) g_bytes_get_size(file), NULL));
    sf_array_done(&rows);
}

static void write_seeds(const char *dir)
{
    static const ParquetCodec codecs[] = {PARQUET_UNCOMPRESSED, PARQUET_SNAPPY, PARQUET_ZSTD};
    static const char *const names[] = {"plain", "snappy", "zstd"};
    for (gsize i = 0; i < G_N_ELEMENTS(codecs); i++)
        write_seed(dir, names[i], &(ParquetOptions){.codec = codecs[i], .level = 1}, 1);
    write_seed(
        dir, "pages",
        &(ParquetOptions){.codec = PARQUET_UNCOMPRESSED, .page_rows = 3, .row_group_rows = 5, .dictionary_bytes = 1},
        5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SfError err = {0};
    if (!schema.release) {
        rows_schema(ALL_TYPES, &schema);
        if (g_getenv("SEED_DIR"))
            write_seeds(g_getenv("SEED_DIR"));
    }
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);
    g_autoptr(ParquetReader) reader = parquet_reader_new(bytes, &schema, &err);
    for (int i = 0; reader && i < 200; i++) {
        struct ArrowArray got = {0};
        if (parquet_reader_next(reader, 1000, &got, &err) != SF_OK)
            break;
        g_assert_cmpint(got.length, >, 0);
        rows_assert_valid(&schema, &got);
        sf_array_done(&got);
    }
    return 0;
}
