/* Files of other writers (tests/data/parquet-testing) through the Parquet kit: the values that pyarrow reads, or an
 * error that says what is wrong with them or with what was asked. */
#include "parquet/parquet.h"
#include "rows.h"

typedef struct Values {
    const char *file;
    const char *schema;
    gint64 n;
    const char *first;
    const char *last; /* NULL: the first */
} Values;

static const Values values[] = {
    {"alltypes_plain",
     "id int, bool_col bool, tinyint_col int, bigint_col bigint, float_col double, double_col double, date_strin"
     "g_col binary, timestamp_col timestamp",
     8,
     "{\"id\":4,\"bool_col\":true,\"tinyint_col\":0,\"bigint_col\":0,\"float_col\":0,\"double_col\":0,\"date_str"
     "ing_col\":\"03/01/09\",\"timestamp_col\":\"2009-03-01T00:00:00Z\"}",
     "{\"id\":1,\"bool_col\":false,\"tinyint_col\":1,\"bigint_col\":10,\"float_col\":1.100000023841858,\"double_"
     "col\":10.1,\"date_string_col\":\"01/01/09\",\"timestamp_col\":\"2009-01-01T00:01:00Z\"}"},
    {"alltypes_dictionary",
     "id bigint, bool_col bool, bigint_col bigint, float_col double, double_col double, string_col string,"
     " timestamp_col timestamp",
     2,
     "{\"id\":0,\"bool_col\":true,\"bigint_col\":0,\"float_col\":0,\"double_col\":0,\"string_col\":\"0\","
     "\"timestamp_col\":\"2009-01-01T00:00:00Z\"}",
     "{\"id\":1,\"bool_col\":false,\"bigint_col\":10,\"float_col\":1.100000023841858,\"double_col\":10.1,"
     "\"string_col\":\"1\",\"timestamp_col\":\"2009-01-01T00:01:00Z\"}"},
    {"alltypes_plain.snappy",
     "id int, bool_col bool, double_col double, date_string_col string, timestamp_col timestamp", 2,
     "{\"id\":6,\"bool_col\":true,\"double_col\":0,\"date_string_col\":\"04/01/09\",\"timestamp_col\":\"2009-04-"
     "01T00:00:00Z\"}",
     "{\"id\":7,\"bool_col\":false,\"double_col\":10.1,\"date_string_col\":\"04/01/09\",\"timestamp_col\":\"2009"
     "-04-01T00:01:00Z\"}"},
    {"alltypes_tiny_pages",
     "id int, bool_col bool, tinyint_col int, smallint_col int, bigint_col bigint, double_col double, date_strin"
     "g_col string, timestamp_col timestamp, year int",
     7300,
     "{\"id\":122,\"bool_col\":true,\"tinyint_col\":2,\"smallint_col\":2,\"bigint_col\":20,\"double_col\":20.2,"
     "\"date_string_col\":\"01/13/09\",\"timestamp_col\":\"2009-01-13T01:02:05.410000Z\",\"year\":2009}",
     "{\"id\":6174,\"bool_col\":true,\"tinyint_col\":4,\"smallint_col\":4,\"bigint_col\":40,\"double_col\":40.4,"
     "\"date_string_col\":\"09/10/10\",\"timestamp_col\":\"2010-09-09T23:34:04.110000Z\",\"year\":2010}"},
    {"alltypes_tiny_pages_plain",
     "id int, bool_col bool, tinyint_col int, smallint_col int, bigint_col bigint, double_col double, date_strin"
     "g_col string, timestamp_col timestamp, year int",
     7300,
     "{\"id\":122,\"bool_col\":true,\"tinyint_col\":2,\"smallint_col\":2,\"bigint_col\":20,\"double_col\":20.2,"
     "\"date_string_col\":\"01/13/09\",\"timestamp_col\":\"2009-01-13T01:02:05.410000Z\",\"year\":2009}",
     "{\"id\":6174,\"bool_col\":true,\"tinyint_col\":4,\"smallint_col\":4,\"bigint_col\":40,\"double_col\":40.4,"
     "\"date_string_col\":\"09/10/10\",\"timestamp_col\":\"2010-09-09T23:34:04.110000Z\",\"year\":2010}"},
    {"binary", "foo binary", 12, "{\"foo\":\"\\x00\"}", "{\"foo\":\"\\x0b\"}"},
    {"byte_array_decimal", "value decimal(4,2)", 24, "{\"value\":1.00}", "{\"value\":24.00}"},
    {"int32_decimal", "value decimal(4,2)", 24, "{\"value\":1.00}", "{\"value\":24.00}"},
    {"int64_decimal", "value decimal(10,2)", 24, "{\"value\":1.00}", "{\"value\":24.00}"},
    {"fixed_length_decimal", "value decimal(25,2)", 24, "{\"value\":1.00}", "{\"value\":24.00}"},
    {"fixed_length_decimal_legacy", "value decimal(13,2)", 24, "{\"value\":1.00}", "{\"value\":24.00}"},
    {"fixed_length_byte_array", "flba_field binary", 1000, "{\"flba_field\":\"\\x00\\x00\\x03\\xe8\"}",
     "{\"flba_field\":\"\\x00\\x00\\x00\\x01\"}"},
    {"data_index_bloom_encoding_stats", "String string", 14, "{\"String\":\"Hello\"}", "{\"String\":\"dog\"}"},
    {"data_index_bloom_encoding_with_length", "String string", 14, "{\"String\":\"Hello\"}", "{\"String\":\"dog\"}"},
    {"datapage_v1-snappy-compressed-checksum", "a int, b int", 5120, "{\"a\":50462976,\"b\":1734763876}",
     "{\"a\":16909060,\"b\":-1684366952}"},
    {"datapage_v1-uncompressed-checksum", "a int, b int", 5120, "{\"a\":50462976,\"b\":1734763876}",
     "{\"a\":16909060,\"b\":-1684366952}"},
    {"dict-page-offset-zero", "l_partkey int", 39, "{\"l_partkey\":1552}", "{\"l_partkey\":1552}"},
    {"int32_with_null_pages", "int32_field int", 1000, "{\"int32_field\":-654807448}", "{\"int32_field\":303403251}"},
    {"list_columns", "int64_list list<bigint>, utf8_list list<string>", 3,
     "{\"int64_list\":[1,2,3],\"utf8_list\":[\"abc\",\"efg\",\"hij\"]}",
     "{\"int64_list\":[4],\"utf8_list\":[\"efg\",null,\"hij\",\"xyz\"]}"},
    {"map_no_value", "my_map list<struct<key int, value int>>, my_list list<int>", 3,
     "{\"my_map\":[{\"key\":1,\"value\":null},{\"key\":2,\"value\":null},{\"key\":3,\"value\":null}],\"my_list\""
     ":[1,2,3]}",
     "{\"my_map\":[{\"key\":7,\"value\":null},{\"key\":8,\"value\":null},{\"key\":9,\"value\":null}],\"my_list\""
     ":[7,8,9]}"},
    {"nan_in_stats", "x double", 2, "{\"x\":1}", "{\"x\":nan}"},
    {"nested_lists.snappy", "a list<list<list<string>>>, b int", 3,
     "{\"a\":[[[\"a\",\"b\"],[\"c\"]],[null,[\"d\"]]],\"b\":1}",
     "{\"a\":[[[\"a\",\"b\"],[\"c\",\"d\"],[\"e\"]],[null,[\"f\"]]],\"b\":1}"},
    {"nested_maps.snappy", "a list<struct<key string, value list<struct<key int, value bool>>>>, b int, c double", 6,
     "{\"a\":[{\"key\":\"a\",\"value\":[{\"key\":1,\"value\":true},{\"key\":2,\"value\":false}]}],\"b\":1,"
     "\"c\":1}",
     "{\"a\":[{\"key\":\"f\",\"value\":[{\"key\":3,\"value\":true},{\"key\":4,\"value\":false},{\"key\":5,"
     "\"value\":true}]}],\"b\":1,\"c\":1}"},
    {"nested_structs.rust", "roll_num struct<min bigint, mean bigint, sum bigint>", 1,
     "{\"roll_num\":{\"min\":190406409000602,\"mean\":190406671229999,\"sum\":94251302258849568}}", NULL},
    {"nonnullable.impala",
     "ID bigint, Int_Array list<int>, int_array_array list<list<int>>, Int_Map list<struct<key string, value "
     "int>>, nested_Struct struct<a int, B list<int>, c struct<D list<list<struct<e int, f string>>>>>",
     1,
     "{\"ID\":8,\"Int_Array\":[-1],\"int_array_array\":[[-1,-2],[]],\"Int_Map\":[{\"key\":\"k1\",\"value\":-1}],"
     "\"nested_Struct\":{\"a\":-1,\"B\":[-1],\"c\":{\"D\":[[{\"e\":-1,\"f\":\"nonnullable\"}]]}}}",
     NULL},
    {"nullable.impala",
     "id bigint, int_array list<int>, int_map list<struct<key string, value int>>, nested_struct struct<A "
     "int, b list<int>, C struct<d list<list<struct<E int, F string>>>>>",
     7,
     "{\"id\":1,\"int_array\":[1,2,3],\"int_map\":[{\"key\":\"k1\",\"value\":1},{\"key\":\"k2\",\"value\":100}],"
     "\"nested_struct\":{\"A\":1,\"b\":[1],\"C\":{\"d\":[[{\"E\":10,\"F\":\"aaa\"},{\"E\":-10,\"F\":\"bbb\"}],"
     "[{\"E\":11,\"F\":\"c\"}]]}}}",
     "{\"id\":7,\"int_array\":null,\"int_map\":[{\"key\":\"k1\",\"value\":null},{\"key\":\"k3\",\"value\":null}]"
     ",\"nested_struct\":{\"A\":7,\"b\":[2,3,null],\"C\":{\"d\":[[],[null],null]}}}"},
    {"nulls.snappy", "b_struct struct<b_c_int int>", 8, "{\"b_struct\":{\"b_c_int\":null}}",
     "{\"b_struct\":{\"b_c_int\":null}}"},
    {"old_list_structure", "a list<list<int>>", 1, "{\"a\":[[1,2],[3,4]]}", NULL},
    {"overflow_i16_page_cnt", "inc bool", 40000, "{\"inc\":false}", "{\"inc\":false}"},
};

static const struct {
    const char *file;
    const char *schema;
    const char *error;
} errors[] = {
    {"data/concatenated_gzip_members", "long_col bigint",
     "column 'long_col': data pages of version 2 are not supported"},
    {"data/int96_from_spark", "a timestamp", "corrupt Parquet file: column 'a': a timestamp is out of range"},
    {"data/datapage_v1-corrupt-checksum", "a int, b int",
     "corrupt Parquet file: column 'a': a page's CRC does not fit its bytes"},
    {"data/rle-dict-uncompressed-corrupt-checksum", "long_field bigint, binary_field binary",
     "corrupt Parquet file: column 'long_field': a page's CRC does not fit its bytes"},
    {"data/datapage_v2.snappy", "a string", "column 'a': data pages of version 2 are not supported"},
    {"data/datapage_v2_empty_datapage.snappy", "value double",
     "column 'value': data pages of version 2 are not supported"},
    {"data/delta_binary_packed", "bitwidth1 bigint", "column 'bitwidth1': data pages of version 2 are not supported"},
    {"data/delta_byte_array", "c_salutation string",
     "column 'c_salutation': data pages of version 2 are not supported"},
    {"data/delta_length_byte_array", "FRUIT string", "column 'FRUIT': data pages of version 2 are not supported"},
    {"data/byte_stream_split.zstd", "f32 double", "column 'f32': Parquet encoding 9 is not supported"},
    {"data/hadoop_lz4_compressed", "c0 bigint",
     "compression codec 5 is not supported; rewrite the file with snappy or zstd"},
    {"data/lz4_raw_compressed", "c0 bigint",
     "compression codec 7 is not supported; rewrite the file with snappy or zstd"},
    {"data/rle_boolean_encoding", "datatype_boolean bool",
     "column 'datatype_boolean': data pages of version 2 are not supported"},
    {"data/large_string_map.brotli", "arr list<struct<key string, value int>>",
     "column 'key': a page of 1073741828 bytes exceeds the limit of 64 MiB"},
    {"data/nation.dict-malformed", "nation_key int, name binary",
     "corrupt Parquet file: column 'name': a page header cannot be read"},
    {"data/repeated_primitive_no_list", "Int32_list list<int>",
     "column 'Int32_list' is not a list in the Parquet file"},
    {"data/float16_zeros_and_nans", "x double",
     "column 'x': the Parquet file has it as FIXED_LEN_BYTE_ARRAY, which cannot be read as double"},
    {"data/int96_from_spark", "a bigint",
     "column 'a': the Parquet file has it as INT96, which cannot be read as bigint"},
    {"data/int32_decimal", "value int",
     "column 'value': the Parquet file has it as INT32, which cannot be read as int"},
    {"data/int32_decimal", "value decimal(4,3)",
     "column 'value': the Parquet file has it as INT32, which cannot be read as decimal"},
    {"data/alltypes_plain", "id date", "column 'id': the Parquet file has it as INT32, which cannot be read as date"},
    {"data/nested_structs.rust", "roll_num bigint",
     "column 'roll_num': the Parquet file has it as a group, which cannot be read as bigint"},
    {"data/nested_lists.snappy", "b list<int>", "column 'b' is not a list in the Parquet file"},
    {"data/nested_lists.snappy", "b struct<x int>", "column 'b' is not a struct in the Parquet file"},
    {"data/alltypes_plain", "nothing int not null", "the Parquet file has no column 'nothing'"},
    {"bad_data/ARROW-GH-41317", "timestamp_us_no_tz timestamp",
     "corrupt Parquet file: column 'timestamp_us_no_tz': a page header cannot be read"},
    {"bad_data/ARROW-GH-43605", "min_fl int", "column 'min_fl': data pages of version 2 are not supported"},
    {"bad_data/ARROW-GH-45185", "x list<int>", "corrupt Parquet file: column 'element': a row begins within another"},
    {"bad_data/ARROW-GH-47662", "flba_field binary",
     "corrupt Parquet file: column 'flba_field': a page ends within its values"},
    {"bad_data/ARROW-RS-GH-6229-DICTHEADER", "nation_key int, name binary",
     "corrupt Parquet file: column chunk 2 of row group 0 lies outside the file"},
};

typedef struct Answer {
    gint64 n;
    char *first;
    char *last;
    SfError err;
} Answer;

static void answer_done(Answer *answer)
{
    g_free(answer->first);
    g_free(answer->last);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_done)

static void take_rows(const struct ArrowSchema *schema, struct ArrowArray *rows, Answer *answer)
{
    rows_assert_valid(schema, rows);
    if (answer->n == 0)
        answer->first = rows_text(schema, rows, 0);
    g_free(answer->last);
    answer->last = rows_text(schema, rows, rows->length - 1);
    answer->n += rows->length;
    sf_array_done(rows);
}

static void read_foreign(const char *name, const char *columns, Answer *answer)
{
    g_autofree char *path = g_strdup_printf("%s/tests/data/parquet-testing/%s.parquet", SF_SOURCE_DIR, name);
    char *data;
    gsize size;
    struct ArrowSchema schema;
    struct ArrowArray rows;
    g_test_message("%s: %s", name, columns);
    g_assert_true(g_file_get_contents(path, &data, &size, NULL));
    g_autoptr(GBytes) file = g_bytes_new_take(data, size);
    rows_schema(columns, &schema);
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, &schema, &answer->err);
    while (reader && parquet_reader_next(reader, 1000, &rows, &answer->err) == SF_OK)
        take_rows(&schema, &rows, answer);
    sf_schema_done(&schema);
}

/* The number of the rows, the first and the last of them stand for all. */
static void test_values(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        const Values *expected = &values[i];
        g_autofree char *name = g_strconcat("data/", expected->file, NULL);
        g_auto(Answer) answer = {0};
        read_foreign(name, expected->schema, &answer);
        g_assert_cmpstr(answer.err.message, ==, "");
        g_assert_cmpint(answer.n, ==, expected->n);
        g_assert_cmpstr(answer.first, ==, expected->first);
        g_assert_cmpstr(answer.last, ==, expected->last ? expected->last : expected->first);
    }
}

static void test_errors(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(errors); i++) {
        g_auto(Answer) answer = {0};
        read_foreign(errors[i].file, errors[i].schema, &answer);
        g_assert_cmpstr(answer.err.message, ==, errors[i].error);
        g_assert_cmpint(answer.n, ==, 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parquet/foreign/values are what other readers see", test_values);
    g_test_add_func("/parquet/foreign/what cannot be read is told by name", test_errors);
    return g_test_run();
}
