/* The Parquet kit: what is written reads back, with bounds that hold; damaged files are errors. */
#include "parquet/parquet.h"
#include "parquet/hybrid.h"
#include "parquet/thrift.h"
#include "rows.h"

#define ALL_TYPES                                                                                                      \
    "b bool, i int not null, l bigint, f double, d9 decimal(9,2), d18 decimal(18,0), d38 decimal(38,10), s string, "   \
    "v string view, z binary, day date, t timestamp, tags list<string>, deep list<list<bigint>>, "                     \
    "who struct<name string, age int, tags list<int>>, rows list<struct<a int, b string>>"

static const char *const all_rows[] = {
    "[true, 1, 9007199254740993, 1.5, 1234567.89, 999999999999999999, 1234567890123456789012345678.0123456789, "
    "\"abc\", "
    "\"a view longer than twelve bytes\", \"zz\", \"2024-01-15\", \"2024-01-15T10:30:01.5Z\", [\"x\", null, \"\"], "
    "[[1, 2], [], null, [null]], {\"name\": \"Eve\", \"age\": 7, \"tags\": [1, 2]}, [{\"a\": 1, \"b\": \"q\"}, null]]",
    "[null, 2, null, null, null, null, null, null, null, null, null, null, null, null, null, null]",
    "[false, 3, -1, -0.0, -1234567.89, -999999999999999999, -0.0000000001, \"\", \"\", \"\", \"1600-02-29\", "
    "\"9999-12-31T23:59:59.999999Z\", [], [], {\"name\": null, \"age\": null, \"tags\": null}, []]",
    "[true, 2147483647, 9223372036854775807, 1e308, 0.00, 0, 99999999999999999999999999.9999999999, \"ÄÖ€😈\", "
    "\"short\", \"b\", "
    "\"0001-01-01\", \"0001-01-01T00:00:00Z\", [\"only\"], [[3]], {\"name\": \"Bob\", \"age\": 1, \"tags\": []}, "
    "[{\"a\": null, \"b\": null}]]",
};

static GBytes *encode(const struct ArrowSchema *schema, const struct ArrowArray *rows, const ParquetOptions *options,
                      int times)
{
    SfError err = {0};
    g_autoptr(ParquetWriter) writer = parquet_writer_new(schema, options, &err);
    g_assert_cmpstr(err.message, ==, "");
    for (int i = 0; i < times; i++) {
        SfStatus status = parquet_writer_add(writer, (const struct ArrowArray *const *) rows->children, rows->offset,
                                             NULL, rows->length, &err);
        g_assert_cmpstr(err.message, ==, "");
        g_assert_cmpint(status, ==, SF_OK);
    }
    GBytes *file = NULL;
    g_assert_cmpint(parquet_writer_finish(writer, &file, &err), ==, SF_OK);
    return file;
}

/* Reads in steps of `step` rows and compares each with the text of the row that was written at its place. */
static void check_same(GBytes *file, const struct ArrowSchema *schema, const struct ArrowArray *rows, int times,
                       gint64 step)
{
    SfError err = {0};
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, schema, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpint(parquet_reader_rows(reader), ==, rows->length * times);
    gint64 at = 0;
    SfStatus status;
    do {
        struct ArrowArray got = {0};
        status = parquet_reader_next(reader, step, &got, &err);
        g_assert_cmpstr(err.message, ==, "");
        if (status == SF_END)
            break;
        rows_assert_valid(schema, &got);
        g_assert_cmpint(got.length, <=, step);
        for (gint64 i = 0; i < got.length; i++, at++) {
            g_autofree char *expected = rows_text(schema, rows, at % rows->length);
            g_autofree char *text = rows_text(schema, &got, i);
            g_assert_cmpstr(text, ==, expected);
        }
        sf_array_done(&got);
    } while (status == SF_OK);
    g_assert_cmpint(at, ==, rows->length * times);
}

static void round_trip(const ParquetOptions *options, int times)
{
    struct ArrowSchema schema;
    struct ArrowArray rows;
    rows_schema(ALL_TYPES, &schema);
    rows_from_json(&schema, all_rows, G_N_ELEMENTS(all_rows), &rows);
    g_autoptr(GBytes) file = encode(&schema, &rows, options, times);
    check_same(file, &schema, &rows, times, 7);
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

static void test_types(void)
{
    round_trip(&(ParquetOptions){.codec = PARQUET_UNCOMPRESSED}, 1);
    round_trip(&(ParquetOptions){.codec = PARQUET_SNAPPY}, 1);
    round_trip(&(ParquetOptions){.codec = PARQUET_ZSTD, .level = 3}, 1);
}

static void test_pages(void)
{
    round_trip(&(ParquetOptions){.codec = PARQUET_SNAPPY, .page_rows = 1}, 10);
    round_trip(&(ParquetOptions){.codec = PARQUET_SNAPPY, .page_rows = 3, .row_group_rows = 11}, 50);
    round_trip(&(ParquetOptions){.codec = PARQUET_ZSTD, .page_bytes = 10, .dictionary_bytes = 20}, 2000);
}

static void test_empty(void)
{
    struct ArrowSchema schema;
    struct ArrowArray rows;
    rows_schema("a int, b list<string>", &schema);
    rows_from_json(&schema, NULL, 0, &rows);
    g_autoptr(GBytes) file = encode(&schema, &rows, &(ParquetOptions){.codec = PARQUET_SNAPPY}, 1);
    check_same(file, &schema, &rows, 1, 10);
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

/* Distinct values: the dictionary is given up when it is full, or when the sample had too many of them; nothing changes
 * for the reader. */
static void test_fall_back(void)
{
    struct ArrowSchema schema;
    struct ArrowArray rows;
    rows_schema("n bigint, s string, same string", &schema);
    g_autoptr(GPtrArray) json = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < 30000; i++)
        g_ptr_array_add(json, g_strdup_printf("[%d, \"text %d\", \"%s\"]", i * 7919, i, i % 3 ? "a" : "b"));
    rows_from_json(&schema, (const char *const *) json->pdata, json->len, &rows);
    static const int dictionary_bytes[] = {4096, 1 << 20};
    for (gsize i = 0; i < G_N_ELEMENTS(dictionary_bytes); i++) {
        g_autoptr(GBytes) file = encode(
            &schema, &rows, &(ParquetOptions){.codec = PARQUET_SNAPPY, .dictionary_bytes = dictionary_bytes[i]}, 2);
        check_same(file, &schema, &rows, 2, 1000);
    }
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

/* Slices of one value are looked up once: around them, and where they begin in the midst of a slice. */
static void test_repeated_values(void)
{
    struct ArrowSchema schema;
    struct ArrowArray rows;
    rows_schema("topic string, partition int, n bigint", &schema);
    g_autoptr(GPtrArray) json = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < 9000; i++)
        g_ptr_array_add(json, g_strdup_printf("[\"t%d\", %d, %d]", i / 3000, i / 3000, i < 8000 ? 7 : i % 5));
    rows_from_json(&schema, (const char *const *) json->pdata, json->len, &rows);
    g_autoptr(GBytes) file = encode(&schema, &rows, &(ParquetOptions){.codec = PARQUET_SNAPPY}, 2);
    check_same(file, &schema, &rows, 2, 1000);
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

/* parquet.thrift, SchemaElement: the root has neither repetition nor annotation, a name (4) and children (5) only. */
static void test_root(void)
{
    static const char element[] = "\x48\x06schema\x15\x04"; /* compact protocol: 4 is a binary, 5 an i32, then stop */
    struct ArrowSchema schema;
    struct ArrowArray rows;
    gsize size;
    rows_schema("a int, b string", &schema);
    rows_from_json(&schema, (const char *const[]){"[1, \"x\"]"}, 1, &rows);
    g_autoptr(GBytes) file = encode(&schema, &rows, &(ParquetOptions){.codec = PARQUET_SNAPPY}, 1);
    const char *data = g_bytes_get_data(file, &size);
    g_assert_nonnull(memmem(data, size, element, sizeof element)); /* with the byte 0 that ends the struct */
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

static void test_selection(void)
{
    struct ArrowSchema schema;
    struct ArrowArray rows;
    SfError err = {0};
    rows_schema(ALL_TYPES, &schema);
    rows_from_json(&schema, all_rows, G_N_ELEMENTS(all_rows), &rows);
    g_autoptr(ParquetWriter) writer = parquet_writer_new(&schema, &(ParquetOptions){.codec = PARQUET_SNAPPY}, &err);
    const int32_t picked[] = {3, 0, 1};
    g_assert_cmpint(parquet_writer_add(writer, (const struct ArrowArray *const *) rows.children, 0, picked, 3, &err),
                    ==, SF_OK);
    g_autoptr(GBytes) file = NULL;
    g_assert_cmpint(parquet_writer_finish(writer, &file, &err), ==, SF_OK);
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, &schema, &err);
    struct ArrowArray got;
    g_assert_cmpint(parquet_reader_next(reader, 10, &got, &err), ==, SF_OK);
    g_assert_cmpint(got.length, ==, 3);
    for (gint64 i = 0; i < 3; i++) {
        g_autofree char *expected = rows_text(&schema, &rows, picked[i]);
        g_autofree char *text = rows_text(&schema, &got, i);
        g_assert_cmpstr(text, ==, expected);
    }
    sf_array_done(&got);
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

/* Reading other columns than there are: missing ones are null, also inside structs; what is there stays in step. */
static void test_projection(void)
{
    struct ArrowSchema schema;
    struct ArrowSchema wanted;
    struct ArrowArray rows;
    struct ArrowArray got;
    SfError err = {0};
    rows_schema(ALL_TYPES, &schema);
    rows_from_json(&schema, all_rows, G_N_ELEMENTS(all_rows), &rows);
    g_autoptr(GBytes) file = encode(&schema, &rows, &(ParquetOptions){.codec = PARQUET_SNAPPY}, 1);
    rows_schema("s string, none bigint, who struct<none int, age int>, new struct<x int>", &wanted);
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, &wanted, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpint(parquet_reader_next(reader, 10, &got, &err), ==, SF_OK);
    g_autofree char *first = rows_text(&wanted, &got, 0);
    g_autofree char *second = rows_text(&wanted, &got, 1);
    g_assert_cmpstr(first, ==, "{\"s\":\"abc\",\"none\":null,\"who\":{\"none\":null,\"age\":7},\"new\":null}");
    g_assert_cmpstr(second, ==, "{\"s\":null,\"none\":null,\"who\":null,\"new\":null}");
    sf_array_done(&got);
    sf_schema_done(&wanted);
    rows_schema("s bigint", &wanted);
    g_assert_null(parquet_reader_new(file, &wanted, &err));
    g_assert_cmpstr(err.message, ==,
                    "column 's': the Parquet file has it as BYTE_ARRAY, which cannot be read as bigint");
    sf_schema_done(&wanted);
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

static void test_stats(void)
{
    static const char *const json[] = {"[5, 1.5, \"b\", -1.25, true, null]",
                                       "[null, \"NaN\", \"a\", 3.00, false, null]",
                                       "[-7, -2, \"ä\", null, true, null]"};
    struct ArrowSchema schema;
    struct ArrowArray rows;
    SfError err = {0};
    rows_schema("i int, f double, s string, d decimal(30,2), b bool, n string", &schema);
    rows_from_json(&schema, json, G_N_ELEMENTS(json), &rows);
    g_autoptr(ParquetWriter) writer =
        parquet_writer_new(&schema, &(ParquetOptions){.codec = PARQUET_SNAPPY, .row_group_rows = 2}, &err);
    g_assert_cmpint(parquet_writer_add(writer, (const struct ArrowArray *const *) rows.children, 0, NULL, 3, &err), ==,
                    SF_OK);
    g_autoptr(GBytes) file = NULL;
    g_assert_cmpint(parquet_writer_finish(writer, &file, &err), ==, SF_OK);
    const ParquetStats *stats = parquet_writer_stats(writer, 0);
    g_assert_cmpint(stats->min_int, ==, -7);
    g_assert_cmpint(stats->max_int, ==, 5);
    g_assert_cmpint(stats->nulls, ==, 1);
    stats = parquet_writer_stats(writer, 1);
    g_assert_true(stats->nan);
    g_assert_false(parquet_stats_bounded(stats));
    g_assert_true(parquet_stats_bounded(parquet_writer_stats(writer, 0)));
    g_assert_cmpfloat(stats->min_float, ==, -2);
    g_assert_cmpfloat(stats->max_float, ==, 1.5);
    stats = parquet_writer_stats(writer, 2);
    g_assert_cmpmem(stats->min_bytes.data, stats->min_bytes.size, "a", 1);
    g_assert_cmpmem(stats->max_bytes.data, stats->max_bytes.size, "ä", 2);
    stats = parquet_writer_stats(writer, 3);
    g_assert_cmpuint(stats->min_bytes.data[0], ==, 0xFF);
    g_assert_cmpuint(stats->max_bytes.data[0], ==, 0);
    g_assert_false(parquet_writer_stats(writer, 5)->any);
    g_assert_cmpint(parquet_writer_stats(writer, 5)->nulls, ==, 3);
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

static void test_hybrid(void)
{
    for (unsigned width = 0; width <= 32; width++) {
        uint32_t values[1000];
        uint32_t got[1000];
        uint32_t mask = (uint32_t) ((G_GUINT64_CONSTANT(1) << width) - 1);
        for (gsize n = 0; n <= 1000; n = n * 3 + 1) {
            for (gsize i = 0; i < n; i++)
                values[i] = (i / 40 % 2 ? 7u : (uint32_t) g_test_rand_int()) & mask;
            g_auto(Buffer) out = {0};
            HybridReader reader;
            hybrid_encode(values, n, width, &out);
            hybrid_reader_init(&reader, out.data, out.size, width);
            g_assert_true(hybrid_decode(&reader, got, n));
            if (n > 0)
                g_assert_cmpmem(got, n * 4, values, n * 4);
            hybrid_reader_init(&reader, out.data, out.size, width);
            if (width > 0 && n > 0)
                g_assert_false(hybrid_decode(
                    &(HybridReader){.at = out.data, .end = out.data + out.size / 2, .width = width}, got, 1000));
        }
    }
}

static void test_thrift_bombs(void)
{
    /* A list of 2^60 elements, a deep nesting, an endless varint. */
    static const uint8_t list[] = {0x19, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F};
    static const uint8_t varint[] = {0x16, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01};
    uint8_t deep[200];
    memset(deep, 0x1C, sizeof deep);
    const ThriftBytes bombs[] = {{list, sizeof list}, {varint, sizeof varint}, {deep, sizeof deep}};
    for (gsize i = 0; i < G_N_ELEMENTS(bombs); i++) {
        ThriftReader reader = {.at = bombs[i].data, .end = bombs[i].data + bombs[i].size};
        ThriftField field = {0};
        while (thrift_next(&reader, &field))
            thrift_skip(&reader, &field);
        g_assert_true(reader.failed);
    }
}

/* A file of one column 'a' without a page, which claims so many rows. */
static GBytes *claim_rows(gint64 rows)
{
    g_auto(Buffer) file = {0};
    ThriftWriter meta;
    buffer_add(&file, "PAR1", 4);
    thrift_writer_init(&meta, &file);
    thrift_add_i32(&meta, 1, 1);
    thrift_begin_list(&meta, 2, THRIFT_STRUCT, 2);
    thrift_begin_element(&meta);
    thrift_add_string(&meta, 4, "schema");
    thrift_add_i32(&meta, 5, 1);
    thrift_end_struct(&meta);
    thrift_begin_element(&meta);
    thrift_add_i32(&meta, 1, PARQUET_INT64);
    thrift_add_i32(&meta, 3, 1);
    thrift_add_string(&meta, 4, "a");
    thrift_end_struct(&meta);
    thrift_add_i64(&meta, 3, rows);
    thrift_begin_list(&meta, 4, THRIFT_STRUCT, 1);
    thrift_begin_element(&meta);
    thrift_begin_list(&meta, 1, THRIFT_STRUCT, 1);
    thrift_begin_element(&meta);
    thrift_begin_struct(&meta, 3);
    thrift_add_i32(&meta, 1, PARQUET_INT64);
    thrift_add_i32(&meta, 4, PARQUET_UNCOMPRESSED);
    thrift_add_i64(&meta, 5, rows);
    thrift_add_i64(&meta, 7, 0);
    thrift_add_i64(&meta, 9, 4);
    thrift_end_struct(&meta);
    thrift_end_struct(&meta);
    thrift_add_i64(&meta, 3, rows);
    thrift_end_struct(&meta);
    thrift_end_struct(&meta);
    buffer_add_u32(&file, (uint32_t) (file.size - 4));
    buffer_add(&file, "PAR1", 4);
    return g_bytes_new(file.data, file.size);
}

/* Rows of columns that are missing cost nothing to claim, and would be read for ever. */
static void test_row_bombs(void)
{
    struct ArrowSchema schema;
    SfError err = {0};
    rows_schema("b bigint", &schema);
    g_autoptr(GBytes) few = claim_rows(3);
    g_autoptr(ParquetReader) reader = parquet_reader_new(few, &schema, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpint(parquet_reader_rows(reader), ==, 3);
    g_autoptr(GBytes) many = claim_rows(INT64_C(1) << 60);
    g_assert_null(parquet_reader_new(many, &schema, &err));
    g_assert_cmpstr(err.message, ==,
                    "corrupt Parquet file: row group 0 claims more rows than its column chunk 0 holds");
    sf_schema_done(&schema);
}

static void read_any(GBytes *file, const struct ArrowSchema *schema)
{
    SfError err = {0};
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, schema, &err);
    struct ArrowArray got = {0};
    gint64 rows = 0;
    while (reader && rows < 100000 && parquet_reader_next(reader, 500, &got, &err) == SF_OK) {
        rows += got.length;
        rows_assert_valid(schema, &got);
        sf_array_done(&got);
    }
}

/* Bytes are changed at random, lengths cut: an error or other rows, never a crash. */
static void test_damage(void)
{
    struct ArrowSchema schema;
    struct ArrowArray rows;
    rows_schema(ALL_TYPES, &schema);
    rows_from_json(&schema, all_rows, G_N_ELEMENTS(all_rows), &rows);
    for (int round = 0; round < 6000; round++) {
        ParquetOptions options = {.codec = round % 2 ? PARQUET_SNAPPY : PARQUET_UNCOMPRESSED, .page_rows = 5};
        g_autoptr(GBytes) file = encode(&schema, &rows, &options, 3);
        gsize size;
        g_autofree guint8 *data = g_bytes_unref_to_data(g_bytes_ref(file), &size);
        gsize from = round % 3 == 0 ? size * 2 / 3 : 4;
        for (int n = g_test_rand_int_range(1, 4); n > 0; n--)
            data[from + (gsize) g_test_rand_int_range(0, (gint32) (size - from))] = (guint8) g_test_rand_int();
        g_autoptr(GBytes) damaged =
            g_bytes_new(data, round % 10 == 0 ? (gsize) g_test_rand_int_range(0, (gint32) size) : size);
        read_any(damaged, &schema);
    }
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

/* Foreign files that are broken on purpose. */
static void test_bad_data(void)
{
    struct ArrowSchema schema;
    rows_schema("a bigint, int_col int, col string, id int, f double, nums list<int>", &schema);
    int seen = 0;
    static const char *const rooms[] = {"bad_data", "data"};
    for (gsize i = 0; i < G_N_ELEMENTS(rooms); i++) {
        g_autofree char *room = g_build_filename(SF_SOURCE_DIR, "tests/data/parquet-testing", rooms[i], NULL);
        g_autoptr(GDir) dir = g_dir_open(room, 0, NULL);
        const char *name;
        while (dir && (name = g_dir_read_name(dir))) {
            g_autofree char *path = g_build_filename(room, name, NULL);
            char *data;
            gsize size;
            if (!g_str_has_suffix(name, ".parquet") || !g_file_get_contents(path, &data, &size, NULL))
                continue;
            g_autoptr(GBytes) file = g_bytes_new_take(data, size);
            read_any(file, &schema);
            seen++;
        }
    }
    g_assert_cmpint(seen, >, 60);
    sf_schema_done(&schema);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parquet/all types read back as written", test_types);
    g_test_add_func("/parquet/pages and row groups split anywhere", test_pages);
    g_test_add_func("/parquet/a file without rows is a file", test_empty);
    g_test_add_func("/parquet/a dictionary that does not pay is given up", test_fall_back);
    g_test_add_func("/parquet/repeated values", test_repeated_values);
    g_test_add_func("/parquet/the root has a name and children", test_root);
    g_test_add_func("/parquet/rows are picked by number", test_selection);
    g_test_add_func("/parquet/columns that are missing read as null", test_projection);
    g_test_add_func("/parquet/statistics cover all row groups", test_stats);
    g_test_add_func("/parquet/hybrid runs of all widths read back", test_hybrid);
    g_test_add_func("/parquet/thrift bombs are refused", test_thrift_bombs);
    g_test_add_func("/parquet/rows that no file can hold are refused", test_row_bombs);
    g_test_add_func("/parquet/damaged files are errors", test_damage);
    g_test_add_func("/parquet/foreign and broken files do not crash", test_bad_data);
    return g_test_run();
}
