/* What is in our Parquet files, number by number: judged by a decoder of Thrift's compact protocol that shares nothing
 * with the kit's, against texts that were written by hand from parquet.thrift. */
#include "parquet/parquet.h"
#include "rows.h"

#include <zlib.h>

/* ---- the decoder: "{1:1 2:[{4:'schema'}]}", numbers in decimal, bytes as '...' ---- */

typedef struct Text {
    const guint8 *at;
    GString *out;
} Text;

static guint64 varint(Text *text)
{
    guint64 value = 0;
    for (guint shift = 0;; shift += 7) {
        guint8 byte = *text->at++;
        value |= (guint64) (byte & 127) << shift;
        if (byte < 128)
            return value;
    }
}

static gint64 zigzag(Text *text)
{
    guint64 value = varint(text);
    return value % 2 ? -(gint64) (value / 2) - 1 : (gint64) (value / 2);
}

static void dump_bytes(Text *text)
{
    guint64 size = varint(text);
    g_string_append_c(text->out, '\'');
    for (guint64 i = 0; i < size; i++, text->at++)
        g_string_append_printf(text->out, g_ascii_isprint(*text->at) ? "%c" : "\\%02x", *text->at);
    g_string_append_c(text->out, '\'');
}

static void dump_struct(Text *text);

static void dump_list(Text *text);

static void dump_value(Text *text, guint8 type)
{
    if (type == 1 || type == 2)
        g_string_append(text->out, type == 1 ? "true" : "false");
    else if (type == 3)
        g_string_append_printf(text->out, "%di8", (gint8) *text->at++);
    else if (type >= 4 && type <= 6)
        g_string_append_printf(text->out, "%" G_GINT64_FORMAT "%s", zigzag(text),
                               type == 4   ? "i16"
                               : type == 6 ? "L"
                                           : "");
    else if (type == 8)
        dump_bytes(text);
    else if (type == 9)
        dump_list(text);
    else if (type == 12)
        dump_struct(text);
    else
        g_error("a value of type %d", type);
}

/* Booleans in lists are a byte each. */
static void dump_list(Text *text)
{
    guint8 header = *text->at++;
    guint64 n = header >> 4;
    n = n == 15 ? varint(text) : n;
    g_string_append_c(text->out, '[');
    for (guint64 i = 0; i < n; i++) {
        g_string_append(text->out, i > 0 ? " " : "");
        dump_value(text, (header & 15) <= 2 ? *text->at++ : header & 15);
    }
    g_string_append_c(text->out, ']');
}

static void dump_struct(Text *text)
{
    gint64 id = 0;
    g_string_append_c(text->out, '{');
    while (*text->at) {
        guint8 header = *text->at++;
        g_string_append(text->out, id > 0 ? " " : "");
        id = header >> 4 ? id + (header >> 4) : zigzag(text);
        g_string_append_printf(text->out, "%" G_GINT64_FORMAT ":", id);
        dump_value(text, header & 15);
    }
    text->at++;
    g_string_append_c(text->out, '}');
}

/* The struct that begins there; *at is behind it then. */
static char *dump(const guint8 **at)
{
    Text text = {.at = *at, .out = g_string_new(NULL)};
    dump_struct(&text);
    *at = text.at;
    return g_string_free(text.out, FALSE);
}

/* ---- files ---- */

#define X63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X64 X63 "x"
#define X70 X64 "xxxxxx"

typedef struct File {
    GBytes *bytes;
    const guint8 *data;
    gsize size;
} File;

static void file_done(File *file)
{
    g_bytes_unref(file->bytes);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(File, file_done)

static void write_file(const char *columns, const char *const *json, gsize n, const ParquetOptions *options, File *out)
{
    struct ArrowSchema schema;
    struct ArrowArray rows;
    SfError err = {0};
    rows_schema(columns, &schema);
    rows_from_json(&schema, json, n, &rows);
    g_autoptr(ParquetWriter) writer = parquet_writer_new(&schema, options, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpint(
        parquet_writer_add(writer, (const struct ArrowArray *const *) rows.children, 0, NULL, (gint64) n, &err), ==,
        SF_OK);
    g_assert_cmpint(parquet_writer_finish(writer, &out->bytes, &err), ==, SF_OK);
    out->data = g_bytes_get_data(out->bytes, &out->size);
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

static char *footer_of(const File *file)
{
    guint32 length;
    g_assert_cmpmem(file->data, 4, "PAR1", 4);
    g_assert_cmpmem(file->data + file->size - 4, 4, "PAR1", 4);
    memcpy(&length, file->data + file->size - 8, 4);
    const guint8 *at = file->data + file->size - 8 - GUINT32_FROM_LE(length);
    char *text = dump(&at);
    g_assert_true(at == file->data + file->size - 8);
    return text;
}

/* The end of the value that begins there: at a blank or bracket around it. */
static const char *value_end(const char *at)
{
    for (int depth = 0; *at; at++) {
        if (depth == 0 && (*at == ' ' || *at == '}' || *at == ']'))
            return at;
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
    }
    return at;
}

/* The value of the field with that number in a struct's text; NULL: it has none. */
static char *field_of(const char *text, int id)
{
    for (const char *at = text + 1; *at && *at != '}';) {
        char *colon;
        gint64 number = g_ascii_strtoll(at, &colon, 10);
        const char *end = value_end(colon + 1);
        if (number == id)
            return g_strndup(colon + 1, (gsize) (end - colon - 1));
        at = *end == ' ' ? end + 1 : end;
    }
    return NULL;
}

/* Of a list's text. */
static char *item_of(const char *text, gsize number)
{
    const char *at = text + 1;
    for (; number > 0 && *at; number--)
        at = value_end(at) + 1;
    return g_strndup(at, (gsize) (value_end(at) - at));
}

static gint64 number_of(const char *text, int id)
{
    g_autofree char *value = field_of(text, id);
    return value ? g_ascii_strtoll(value, NULL, 10) : -1;
}

/* A ColumnChunk of a footer. */
static char *chunk_of(const char *footer, gsize group, gsize column)
{
    g_autofree char *groups = field_of(footer, 4);
    g_autofree char *one = item_of(groups, group);
    g_autofree char *columns = field_of(one, 1);
    return item_of(columns, column);
}

/* All pages of a chunk by its ColumnMetaData: "{header}=body" without the CRC, which is checked; bodies in hex. */
static char *pages_of(const File *file, const char *meta)
{
    g_autoptr(GString) out = g_string_new(NULL);
    gint64 start = number_of(meta, 11) >= 0 ? number_of(meta, 11) : number_of(meta, 9);
    const guint8 *at = file->data + start, *end = at + number_of(meta, 7);
    while (at < end) {
        g_autofree char *header = dump(&at);
        gsize size = (gsize) number_of(header, 3);
        g_autofree char *crc = g_strdup_printf(" 4:%d", (gint32) crc32(0, at, (uInt) size));
        char *place = strstr(header, crc);
        g_assert_nonnull(place);
        g_string_append_len(out, header, place - header);
        g_string_append_printf(out, "%s=", place + strlen(crc));
        for (gsize i = 0; i < size; i++)
            g_string_append_printf(out, "%02x", *at++);
        g_string_append_c(out, '\n');
    }
    g_assert_true(at == end);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void assert_field(const char *text, int id, const char *expected)
{
    g_autofree char *value = field_of(text, id);
    g_assert_cmpstr(value, ==, expected);
}

/* parquet.thrift, SchemaElement: 1 type, 2 length, 3 repetition, 4 name, 5 children, 6 converted, 7 scale, 8 precision,
 * 9 field_id, 10 logical. */
static void test_schema(void)
{
    static const struct {
        const char *columns;
        ParquetHint hint;
        const char *elements;
    } cases[] = {
        {"c bool", {0}, "{1:0 3:1 4:'c'}"},
        {"c int not null", {0}, "{1:1 3:0 4:'c'}"},
        {"c int", {.as = PARQUET_AS_INT8}, "{1:1 3:1 4:'c' 6:15 10:{10:{1:8i8 2:true}}}"},
        {"c int", {.as = PARQUET_AS_INT16}, "{1:1 3:1 4:'c' 6:16 10:{10:{1:16i8 2:true}}}"},
        {"c int", {.as = PARQUET_AS_INT64, .field_id = 7}, "{1:2 3:1 4:'c' 9:7}"},
        {"c bigint", {0}, "{1:2 3:1 4:'c'}"},
        {"c double", {0}, "{1:5 3:1 4:'c'}"},
        {"c double", {.as = PARQUET_AS_FLOAT}, "{1:4 3:1 4:'c'}"},
        {"c decimal(9,2)", {0}, "{1:1 3:1 4:'c' 6:5 7:2 8:9 10:{5:{1:2 2:9}}}"},
        {"c decimal(18,0)", {0}, "{1:2 3:1 4:'c' 6:5 7:0 8:18 10:{5:{1:0 2:18}}}"},
        {"c decimal(38,10)", {0}, "{1:7 2:16 3:1 4:'c' 6:5 7:10 8:38 10:{5:{1:10 2:38}}}"},
        {"c decimal(19,1)", {0}, "{1:7 2:9 3:1 4:'c' 6:5 7:1 8:19 10:{5:{1:1 2:19}}}"},
        {"c string", {0}, "{1:6 3:1 4:'c' 6:0 10:{1:{}}}"},
        {"c binary", {0}, "{1:6 3:1 4:'c'}"},
        {"c date", {0}, "{1:1 3:1 4:'c' 6:6 10:{6:{}}}"},
        {"c timestamp", {0}, "{1:2 3:1 4:'c' 6:10 10:{8:{1:true 2:{2:{}}}}}"},
        {"c timestamp", {.as = PARQUET_AS_LOCAL_TIME}, "{1:2 3:1 4:'c' 10:{8:{1:false 2:{2:{}}}}}"},
        {"c list<int>",
         {.field_id = 300},
         "{3:1 4:'c' 5:1 6:3 9:300 10:{3:{}}} {3:2 4:'list' 5:1} {1:1 3:1 4:'element'}"},
        {"c list<struct<k string, v int>> not null",
         {.as = PARQUET_AS_MAP},
         "{3:0 4:'c' 5:1 6:1 10:{2:{}}} {3:2 4:'key_value' 5:2} {1:6 3:0 4:'key' 6:0 10:{1:{}}} {1:1 3:1 4:'value'}"},
        {"c struct<a int, b bool not null>", {0}, "{3:1 4:'c' 5:2} {1:1 3:1 4:'a'} {1:0 3:0 4:'b'}"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(File) file = {0};
        write_file(cases[i].columns, NULL, 0, &(ParquetOptions){.hints = &cases[i].hint}, &file);
        g_autofree char *footer = footer_of(&file);
        g_autofree char *expected = g_strdup_printf("[{4:'schema' 5:1} %s]", cases[i].elements);
        assert_field(footer, 2, expected);
    }
}

/* FileMetaData: 1 version, 3 rows, 4 groups, 5 keys, 6 writer, 7 orders. Spark's key is for dates and times only. */
static void test_file(void)
{
    static const char *const rows[] = {"[1, \"2024-01-15\"]", "[2, null]", "[3, null]"};
    g_auto(File) plain = {0}, dated = {0};
    write_file("a int", rows, 0, &(ParquetOptions){0}, &plain);
    g_autofree char *footer = footer_of(&plain);
    assert_field(footer, 1, "1");
    assert_field(footer, 3, "0L");
    assert_field(footer, 4, "[]");
    assert_field(footer, 5, NULL);
    assert_field(footer, 7, "[{1:{}}]");
    write_file("a int, b date", rows, 3, &(ParquetOptions){0}, &dated);
    g_autofree char *other = footer_of(&dated);
    assert_field(other, 3, "3L");
    assert_field(other, 5, "[{1:'org.apache.spark.version' 2:'3.5.0'}]");
    assert_field(other, 7, "[{1:{}} {1:{}}]");
    g_autofree char *writer = field_of(other, 6);
    g_assert_true(g_str_has_prefix(writer, "'streamforge"));
}

/* RowGroup: 1 columns, 2 bytes, 3 rows, 5 offset, 6 packed bytes, 7 number. ColumnChunk: 2 is 0, 3 ColumnMetaData, of
 * which 5 is levels, 6 and 7 are bytes, 9 and 11 the data and the dictionary page, 12 statistics, 13 pages by encoding.
 * PageHeader: 1 type, 2 and 3 bytes, 5 data page, 7 dictionary. */
static void test_chunks(void)
{
    static const char *const rows[] = {"[7, true, \"abcdefgh\", [1]]",   "[7, null, \"abcdefgh\", []]",
                                       "[7, false, \"abcdefgh\", null]", "[7, true, \"abcdefgh\", [null, 2]]",
                                       "[9, true, \"abcdefgh\", [3]]",   "[7, true, \"abcdefgh\", [4, 5]]"};
    static const struct {
        const char *meta;
        const char *pages;
    } expected[] = {
        {"{1:1 2:[0 8] 3:['a'] 4:0 5:6L 6:53L 7:53L 9:31L 11:4L 12:{3:0L 5:'\\09\\00\\00\\00' 6:'\\07\\00\\00\\00' "
         "7:true 8:true} 13:[{1:2 2:0 3:1} {1:0 2:8 3:1}]}",
         "{1:2 2:8 3:8 7:{1:2 2:0}}=0700000009000000\n"
         "{1:0 2:3 3:3 5:{1:6 2:8 3:3 4:3}}=010310\n"},
        {"{1:0 2:[0 3] 3:['b'] 4:0 5:6L 6:29L 7:29L 9:57L 12:{3:1L 5:'\\01' 6:'\\00' 7:true 8:true} 13:[{1:0 2:0 "
         "3:1}]}",
         "{1:0 2:7 3:7 5:{1:6 2:0 3:3 4:3}}=02000000033d1d\n"},
        {"{1:6 2:[0 3 8] 3:['c'] 4:0 5:6L 6:62L 7:62L 9:117L 11:86L 12:{3:0L 5:'abcdefgh' 6:'abcdefgh' 7:true 8:true} "
         "13:[{1:2 2:0 3:1} {1:0 2:8 3:1}]}",
         "{1:2 2:12 3:12 7:{1:1 2:0}}=080000006162636465666768\n"
         "{1:0 2:8 3:8 5:{1:6 2:8 3:3 4:3}}=020000000c010003\n"},
        {"{1:1 2:[0 3] 3:['d' 'list' 'element'] 4:0 5:8L 6:56L 7:56L 9:148L 12:{3:3L 5:'\\05\\00\\00\\00' "
         "6:'\\01\\00\\00\\00' 7:true 8:true} 13:[{1:0 2:0 3:1}]}",
         "{1:0 2:33 3:33 5:{1:8 2:0 3:3 4:3}}=020000000390030000000387ff0100000002000000030000000400000005000000\n"},
    };
    g_auto(File) file = {0};
    write_file("a int not null, b bool, c string, d list<int>", rows, G_N_ELEMENTS(rows), &(ParquetOptions){0}, &file);
    g_autofree char *footer = footer_of(&file);
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autofree char *chunk = chunk_of(footer, 0, i);
        g_autofree char *meta = field_of(chunk, 3);
        g_autofree char *pages = pages_of(&file, meta);
        assert_field(chunk, 2, "0L");
        assert_field(chunk, 4, NULL); /* one page: no index */
        g_assert_cmpstr(meta, ==, expected[i].meta);
        g_assert_cmpstr(pages, ==, expected[i].pages);
    }
}

/* OffsetIndex: 1 the pages, each 1 where it is, 2 its size, header included, 3 its first row. They are the chunk's data
 * pages, one behind the other. */
static void assert_locations(const File *file, const char *meta, const char *offsets, const char *firsts)
{
    g_auto(GStrv) rows = g_strsplit(firsts, " ", -1);
    g_autofree char *list = field_of(offsets, 1);
    gint64 at = number_of(meta, 9);
    for (gsize i = 0; rows[i]; i++) {
        g_autofree char *place = item_of(list, i);
        const guint8 *page = file->data + at;
        g_autofree char *header = dump(&page);
        g_autofree char *expected = g_strdup_printf("{1:%" G_GINT64_FORMAT "L 2:%d 3:%sL}", at,
                                                    (int) (page - file->data - at + number_of(header, 3)), rows[i]);
        g_assert_cmpstr(place, ==, expected);
        assert_field(header, 1, "0");
        at = page - file->data + number_of(header, 3);
    }
    gint64 start = number_of(meta, 11) >= 0 ? number_of(meta, 11) : number_of(meta, 9);
    g_assert_cmpint(at, ==, start + number_of(meta, 7));
}

static void assert_chunk_index(const File *file, const char *footer, gsize column, const char *columns,
                               const char *firsts)
{
    g_autofree char *chunk = chunk_of(footer, 0, column);
    g_autofree char *meta = field_of(chunk, 3);
    const guint8 *at = file->data + number_of(chunk, 4);
    g_autofree char *offsets = dump(&at);
    g_assert_cmpint(at - file->data, ==, number_of(chunk, 4) + number_of(chunk, 5));
    assert_locations(file, meta, offsets, firsts);
    g_assert_cmpint(number_of(chunk, 6) >= 0, ==, columns != NULL);
    if (!columns)
        return;
    at = file->data + number_of(chunk, 6);
    g_autofree char *index = dump(&at);
    g_assert_cmpint(at - file->data, ==, number_of(chunk, 6) + number_of(chunk, 7));
    g_assert_cmpstr(index, ==, columns);
}

/* ColumnIndex: 1 null pages, 2 minima, 3 maxima, 4 order (none), 5 nulls. Pages of two rows; one with a NaN has no
 * bounds, nor has binary; a long text's are cut. */
static void test_indexes(void)
{
    static const char *const rows[] = {"[5, \"b\", 1.5, [1, 2], \"x\", 7]", "[3, \"a\", -0.0, [], \"x\", 7]",
                                       "[null, null, \"NaN\", null, \"x\", 8]",
                                       "[null, \"" X70 "\", 2, [3, null], \"x\", 7]", "[-7, \"c\", 2, [4], null, 7]"};
    g_auto(File) file = {0};
    write_file("a int, b string, c double, d list<int>, e binary, f bigint", rows, G_N_ELEMENTS(rows),
               &(ParquetOptions){.page_rows = 2}, &file);
    g_autofree char *footer = footer_of(&file);
    assert_chunk_index(&file, footer, 0,
                       "{1:[false true false] 2:['\\03\\00\\00\\00' '' '\\f9\\ff\\ff\\ff'] "
                       "3:['\\05\\00\\00\\00' '' '\\f9\\ff\\ff\\ff'] 4:0 5:[0L 2L 0L]}",
                       "0 2 4");
    assert_chunk_index(&file, footer, 1,
                       "{1:[false false false] 2:['a' '" X64 "' 'c'] 3:['b' '" X63 "y' 'c'] 4:0 5:[0L 1L 0L]}",
                       "0 2 4");
    assert_chunk_index(&file, footer, 2, NULL, "0 2 4");
    assert_chunk_index(&file, footer, 3,
                       "{1:[false false false] 2:['\\01\\00\\00\\00' '\\03\\00\\00\\00' '\\04\\00\\00\\00'] "
                       "3:['\\02\\00\\00\\00' '\\03\\00\\00\\00' '\\04\\00\\00\\00'] 4:0 5:[1L 2L 0L]}",
                       "0 2 4");
    assert_chunk_index(&file, footer, 4, NULL, "0 2 4");
    assert_chunk_index(
        &file, footer, 5,
        "{1:[false false false] 2:['\\07\\00\\00\\00\\00\\00\\00\\00' '\\07\\00\\00\\00\\00\\00\\00\\00' "
        "'\\07\\00\\00\\00\\00\\00\\00\\00'] 3:['\\07\\00\\00\\00\\00\\00\\00\\00' "
        "'\\08\\00\\00\\00\\00\\00\\00\\00' '\\07\\00\\00\\00\\00\\00\\00\\00'] 4:0 5:[0L 0L 0L]}",
        "0 2 4");
}

/* Groups are numbered, and have their bytes one behind the other; those of single pages have no index. */
static void test_groups(void)
{
    static const char *const rows[] = {"[1]", "[2]", "[3]", "[4]"};
    g_auto(File) file = {0};
    write_file("a int not null", rows, G_N_ELEMENTS(rows), &(ParquetOptions){.page_rows = 1, .row_group_rows = 3},
               &file);
    g_autofree char *footer = footer_of(&file);
    g_autofree char *groups = field_of(footer, 4);
    gint64 at = 4;
    for (gsize i = 0; i < 2; i++) {
        g_autofree char *group = item_of(groups, i);
        g_autofree char *chunk = chunk_of(footer, i, 0);
        g_autofree char *number = g_strdup_printf("%" G_GSIZE_FORMAT "i16", i);
        g_assert_cmpint(number_of(group, 3), ==, i == 0 ? 3 : 1);
        g_assert_cmpint(number_of(group, 5), ==, at);
        g_assert_cmpint(number_of(group, 2), ==, number_of(group, 6));
        assert_field(group, 7, number);
        g_assert_cmpint(number_of(chunk, 4) > 0, ==, i == 0);
        at += number_of(group, 6);
    }
    g_autofree char *indexed = chunk_of(footer, 0, 0);
    g_assert_cmpint(number_of(indexed, 6), ==, at);
    g_assert_cmpint(number_of(indexed, 4), ==, at + number_of(indexed, 7));
}

/* A dictionary is there when it and the indices take fewer bytes than the values (parquet-java's rule): here by one. */
static void test_dictionary_pays(void)
{
    static const char *const columns[] = {"a int not null", "a bigint not null", "a double not null",
                                          "a string not null", "a decimal(20,0) not null"};
    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
        for (int distinct = 7; distinct <= 8; distinct++) {
            g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
            for (int row = 0; row < 8; row++)
                g_ptr_array_add(rows, g_strdup_printf(i == 3 ? "[\"%d\"]" : "[%d]", row % distinct));
            g_auto(File) file = {0};
            write_file(columns[i], (const char *const *) rows->pdata, rows->len, &(ParquetOptions){0}, &file);
            g_autofree char *footer = footer_of(&file);
            g_autofree char *chunk = chunk_of(footer, 0, 0);
            g_autofree char *meta = field_of(chunk, 3);
            g_assert_cmpint(number_of(meta, 11) > 0, ==, distinct == 7);
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parquet/format/schema elements have the format's numbers", test_schema);
    g_test_add_func("/parquet/format/a file says what the format wants", test_file);
    g_test_add_func("/parquet/format/chunks and pages have the format's numbers", test_chunks);
    g_test_add_func("/parquet/format/pages of larger chunks have an index", test_indexes);
    g_test_add_func("/parquet/format/row groups are numbered", test_groups);
    g_test_add_func("/parquet/format/dictionaries that pay are there", test_dictionary_pays);
    return g_test_run();
}
