/* Parquet files made field by field: one that is sound, and the same with one thing wrong with it. */
#include "parquet/parquet.h"
#include "rows.h"

#include <zlib.h>

/* A column 'a' of one page. What is 0 is as in a sound file of two integers, 5 and 6; `drop` leaves fields out. */
typedef enum Drop { KEEP_ALL, DROP_NAME, DROP_TYPE, DROP_SCHEMA, DROP_CHUNK, DROP_META } Drop;

typedef struct Craft {
    Drop drop;
    int type; /* ParquetType + 1, likewise the next four */
    int width;
    int repetition;
    int converted;
    int chunk_type;
    int children; /* of the root, beside one */
    int64_t leaf_children;
    int64_t file_rows; /* beside two; likewise the next five */
    int64_t group_rows;
    int64_t values;
    int64_t page_values;
    int64_t size;
    int64_t offset; /* of the page, beside 4 */
    int codec;
    int page_type;
    int64_t unpacked; /* beside what it is */
    int64_t packed;
    int encoding;
    int levels_encoding; /* 0: RLE */
    int crc;             /* beside what it is */
    gsize statistics;    /* bytes in the page's header that nobody needs */
    const char *body;    /* with `body_size` */
    gsize body_size;
    const char *dictionary; /* a page before, with dictionary_size bytes and so many entries */
    gsize dictionary_size;
    int64_t entries;
    int dictionary_encoding;
    const char *wanted; /* "a int" */
    const char *error;  /* NULL: it is read as `rows` */
    const char *rows;
} Craft;

/* Length of the levels, a run of two ones, the values. */
#define BODY "\x02\0\0\0\x04\x01\x05\0\0\0\x06\0\0\0"

static void add_page_header(Buffer *out, const Craft *craft, int type, const void *body, gsize size, int64_t values,
                            int encoding)
{
    ThriftWriter header;
    thrift_writer_init(&header, out);
    thrift_add_i32(&header, PAGE_TYPE, type);
    thrift_add_i32(&header, PAGE_UNCOMPRESSED_SIZE, (int32_t) ((int64_t) size + craft->unpacked));
    thrift_add_i32(&header, PAGE_COMPRESSED_SIZE, (int32_t) ((int64_t) size + craft->packed));
    thrift_add_i32(&header, PAGE_CRC, (int32_t) crc32(0, body, (uInt) size) + craft->crc);
    thrift_begin_struct(&header, type == PARQUET_DICTIONARY_PAGE ? PAGE_DICTIONARY_HEADER : PAGE_DATA_HEADER);
    thrift_add_i32(&header, DATA_PAGE_NUM_VALUES, (int32_t) values);
    thrift_add_i32(&header, DATA_PAGE_ENCODING, encoding);
    if (type != PARQUET_DICTIONARY_PAGE) {
        thrift_add_i32(&header, DATA_PAGE_DEFINITION_ENCODING,
                       craft->levels_encoding ? craft->levels_encoding : PARQUET_RLE);
        thrift_add_i32(&header, DATA_PAGE_REPETITION_ENCODING, PARQUET_RLE);
    }
    thrift_end_struct(&header);
    if (craft->statistics > 0) {
        g_autofree char *unknown = g_malloc0(craft->statistics);
        thrift_add_binary(&header, 100, unknown, craft->statistics);
    }
    thrift_end_struct(&header);
    buffer_add(out, body, size);
}

static void add_schema(ThriftWriter *meta, const Craft *craft)
{
    thrift_begin_list(meta, FILE_SCHEMA, THRIFT_STRUCT, 2);
    thrift_begin_element(meta);
    thrift_add_string(meta, ELEMENT_NAME, "schema");
    thrift_add_i32(meta, ELEMENT_NUM_CHILDREN, 1 + craft->children);
    thrift_end_struct(meta);
    thrift_begin_element(meta);
    if (craft->drop != DROP_TYPE)
        thrift_add_i32(meta, ELEMENT_TYPE, craft->type ? craft->type - 1 : PARQUET_INT32);
    if (craft->width)
        thrift_add_i32(meta, ELEMENT_TYPE_LENGTH, craft->width - 1);
    thrift_add_i32(meta, ELEMENT_REPETITION, craft->repetition ? craft->repetition - 1 : PARQUET_OPTIONAL);
    if (craft->drop != DROP_NAME)
        thrift_add_string(meta, ELEMENT_NAME, "a");
    if (craft->leaf_children)
        thrift_add_i32(meta, ELEMENT_NUM_CHILDREN, (int32_t) craft->leaf_children);
    if (craft->converted)
        thrift_add_i32(meta, ELEMENT_CONVERTED_TYPE, craft->converted - 1);
    thrift_end_struct(meta);
}

static void add_chunk(ThriftWriter *meta, const Craft *craft, int64_t size)
{
    thrift_begin_element(meta);
    thrift_add_i64(meta, CHUNK_FILE_OFFSET, 0);
    if (craft->drop != DROP_META) {
        thrift_begin_struct(meta, CHUNK_META_DATA);
        thrift_add_i32(meta, COLUMN_TYPE,
                       craft->chunk_type ? craft->chunk_type - 1
                       : craft->type     ? craft->type - 1
                                         : PARQUET_INT32);
        thrift_add_i32(meta, COLUMN_CODEC, craft->codec);
        thrift_add_i64(meta, COLUMN_NUM_VALUES, 2 + craft->values);
        thrift_add_i64(meta, COLUMN_COMPRESSED_SIZE, size + craft->size);
        thrift_add_i64(meta, COLUMN_DATA_PAGE_OFFSET, 4 + craft->offset);
        thrift_end_struct(meta);
    }
    thrift_end_struct(meta);
}

static GBytes *make(const Craft *craft)
{
    g_auto(Buffer) file = {0};
    ThriftWriter meta;
    buffer_add(&file, "PAR1", 4);
    if (craft->dictionary)
        add_page_header(&file, &(Craft){0}, PARQUET_DICTIONARY_PAGE, craft->dictionary, craft->dictionary_size,
                        craft->entries, craft->dictionary_encoding);
    add_page_header(&file, craft, craft->page_type, craft->body ? craft->body : BODY,
                    craft->body ? craft->body_size : sizeof BODY - 1, 2 + craft->page_values, craft->encoding);
    int64_t size = (int64_t) file.size - 4;
    size_t start = file.size;
    thrift_writer_init(&meta, &file);
    if (craft->drop != DROP_SCHEMA)
        add_schema(&meta, craft);
    thrift_add_i64(&meta, FILE_NUM_ROWS, 2 + craft->file_rows);
    thrift_begin_list(&meta, FILE_ROW_GROUPS, THRIFT_STRUCT, 1);
    thrift_begin_element(&meta);
    thrift_begin_list(&meta, GROUP_COLUMNS, THRIFT_STRUCT, craft->drop != DROP_CHUNK);
    if (craft->drop != DROP_CHUNK)
        add_chunk(&meta, craft, size);
    thrift_add_i64(&meta, GROUP_NUM_ROWS, 2 + craft->group_rows);
    thrift_end_struct(&meta);
    thrift_end_struct(&meta);
    buffer_add_u32(&file, (uint32_t) (file.size - start));
    buffer_add(&file, "PAR1", 4);
    return g_bytes_new(file.data, file.size);
}

static char *read_text(GBytes *file, const char *wanted, SfError *err)
{
    struct ArrowSchema schema;
    struct ArrowArray rows;
    g_autoptr(GString) out = g_string_new(NULL);
    rows_schema(wanted, &schema);
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, &schema, err);
    while (reader && parquet_reader_next(reader, 100, &rows, err) == SF_OK) {
        rows_assert_valid(&schema, &rows);
        for (gint64 i = 0; i < rows.length; i++) {
            g_autofree char *text = rows_text(&schema, &rows, i);
            g_string_append(out, text);
        }
        sf_array_done(&rows);
    }
    sf_schema_done(&schema);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void check(const Craft *crafts, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        const Craft *craft = &crafts[i];
        SfError err = {0};
        g_autoptr(GBytes) file = make(craft);
        g_autofree char *text = read_text(file, craft->wanted ? craft->wanted : "a int", &err);
        g_test_message("case %zu", i);
        g_assert_cmpstr(err.message, ==, craft->error ? craft->error : "");
        if (!craft->error)
            g_assert_cmpstr(text, ==, craft->rows);
    }
}

#define CORRUPT "corrupt Parquet file: "
#define FOOTER CORRUPT "its footer cannot be read"
#define OUTSIDE CORRUPT "column chunk 0 of row group 0 lies outside the file"
#define UNFIT CORRUPT "row group 0 does not fit the schema"
#define A CORRUPT "column 'a': "
#define B(text) .body = text, .body_size = sizeof text - 1
#define D(text, n) .dictionary = text, .dictionary_size = sizeof text - 1, .entries = n

static void test_sound(void)
{
    static const Craft crafts[] = {
        {.rows = "{\"a\":5}{\"a\":6}"},
        {B("\x02\0\0\0\x03\x02\x07\0\0\0"), .rows = "{\"a\":null}{\"a\":7}"},
        {.repetition = 1 + PARQUET_REQUIRED, B("\x05\0\0\0\x06\0\0\0"), .rows = "{\"a\":5}{\"a\":6}"},
        /* a dictionary of 9 and 8, and indices 1, 0 */
        {D("\x09\0\0\0\x08\0\0\0", 2), .encoding = 8, B("\x02\0\0\0\x04\x01\x01\x03\x01"),
         .rows = "{\"a\":8}{\"a\":9}"},
        {D("\x09\0\0\0\x08\0\0\0", 2), .encoding = 2, .dictionary_encoding = 2, B("\x02\0\0\0\x04\x01\x01\x03\x01"),
         .rows = "{\"a\":8}{\"a\":9}"},
        /* nulls only: no indices at all */
        {D("\x09\0\0\0", 1), .encoding = 8, B("\x02\0\0\0\x04\0"), .rows = "{\"a\":null}{\"a\":null}"},
        {.converted = 1 + PARQUET_CONVERTED_DATE,
         .wanted = "a date",
         .rows = "{\"a\":\"1970-01-06\"}{\"a\":\"1970-01-07\"}"},
        {.type = 1 + PARQUET_INT64,
         .converted = 1 + PARQUET_CONVERTED_TIMESTAMP_MILLIS,
         .wanted = "a timestamp",
         B("\x02\0\0\0\x04\x01\x01\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"),
         .rows = "{\"a\":\"1970-01-01T00:00:00.001000Z\"}{\"a\":\"1969-12-31T23:59:59.999000Z\"}"},
        {.type = 1 + PARQUET_INT64,
         .converted = 1 + PARQUET_CONVERTED_TIMESTAMP_MICROS,
         .wanted = "a timestamp",
         B("\x02\0\0\0\x04\x01\x01\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"),
         .rows = "{\"a\":\"1970-01-01T00:00:00.000001Z\"}{\"a\":\"1969-12-31T23:59:59.999999Z\"}"},
        {.type = 1 + PARQUET_BYTE_ARRAY,
         .wanted = "a string",
         B("\x02\0\0\0\x04\x01\x01\0\0\0x\0\0\0\0"),
         .rows = "{\"a\":\"x\"}{\"a\":\"\"}"},
        {.type = 1 + PARQUET_BYTE_ARRAY,
         .wanted = "a string",
         D("\x02\0\0\0xy\0\0\0\0", 2),
         .encoding = 8,
         B("\x02\0\0\0\x04\x01\x01\x03\x02"),
         .rows = "{\"a\":\"xy\"}{\"a\":\"\"}"},
        {.type = 1 + PARQUET_FIXED,
         .width = 4,
         .wanted = "a binary",
         B("\x02\0\0\0\x04\x01xyzabc"),
         .rows = "{\"a\":\"xyz\"}{\"a\":\"abc\"}"},
        /* pages of types that nobody knows are passed over */
        {.page_type = 9, .values = -2, .group_rows = -2, .file_rows = -2, .rows = ""},
    };
    check(crafts, G_N_ELEMENTS(crafts));
}

static void test_footers(void)
{
    static const Craft crafts[] = {
        {.drop = DROP_NAME, .error = FOOTER},
        {.drop = DROP_TYPE, .error = FOOTER}, /* a group without children */
        {.drop = DROP_SCHEMA, .error = FOOTER},
        {.drop = DROP_CHUNK, .error = UNFIT},
        {.drop = DROP_META, .error = OUTSIDE},
        {.type = 9, .error = FOOTER},
        {.type = 1 + PARQUET_FIXED, .error = FOOTER},
        {.type = 1 + PARQUET_FIXED, .width = 1, .error = FOOTER},
        {.repetition = 4, .error = FOOTER},
        {.repetition = -1, .error = FOOTER},
        {.children = 1, .error = FOOTER},
        {.children = -1, .error = FOOTER},
        {.children = -2, .error = FOOTER},
        {.leaf_children = 1, .error = FOOTER},
        {.file_rows = -3, .error = FOOTER},
        {.file_rows = 1, .error = CORRUPT "row groups have 2 rows, the footer says 3"},
        {.group_rows = -3, .error = UNFIT},
        {.group_rows = 1,
         .file_rows = 1,
         .error = CORRUPT "row group 0 claims more rows than its column chunk 0 holds"},
        {.chunk_type = 1 + PARQUET_INT64, .error = OUTSIDE},
        {.values = -3, .error = OUTSIDE},
        {.size = 1 << 20, .error = OUTSIDE},
        {.size = -(1 << 20), .error = OUTSIDE},
        {.offset = -1, .error = OUTSIDE},
        {.offset = 1 << 20, .error = OUTSIDE},
        {.offset = INT64_MAX - 4, .error = OUTSIDE},
    };
    check(crafts, G_N_ELEMENTS(crafts));
}

static void test_pages(void)
{
    static const Craft crafts[] = {
        {.crc = 1, .error = A "a page's CRC does not fit its bytes"},
        {.packed = 1, .error = A "a page header cannot be read"},
        {.packed = -100, .error = A "a page header cannot be read"},
        {.unpacked = -100, .error = A "a page header cannot be read"},
        {.unpacked = 1, .error = "damaged page: 14 bytes of none do not decompress to 15"},
        {.unpacked = 64 << 20, .error = "column 'a': a page of 67108878 bytes exceeds the limit of 64 MiB"},
        {.unpacked = (64 << 20) - 14, .error = A "a page claims an impossible size"},
        {.page_values = 1, .error = A "a page has more values than its column chunk"},
        {.page_values = -3, .error = A "a page has more values than its column chunk"},
        {.page_values = -1, .error = A "a page header cannot be read"},
        {.levels_encoding = PARQUET_BIT_PACKED, .error = A "an encoding of levels that is not supported"},
        {.encoding = 5, .error = "column 'a': Parquet encoding 5 is not supported"},
        {.page_type = PARQUET_DATA_PAGE_V2, .error = "column 'a': data pages of version 2 are not supported"},
        {B("\x02\0\0"), .error = A "a page ends within its levels"},
        {B("\x03\0\0\0\x04\x01"), .error = A "a page ends within its levels"},
        {B("\x02\0\0\0\x02\x01\x05\0\0\0\x06\0\0\0"), .error = A "too few levels"},
        {B("\x02\0\0\0\x04\x02\x05\0\0\0\x06\0\0\0"), .error = A "a level above its maximum"},
        {B("\x02\0\0\0\x04\x01\x05\0\0\0\x06\0\0"), .error = A "a page ends within its values"},
        {.wanted = "a int not null", B("\x02\0\0\0\x03\x02\x07\0\0\0"), .error = A "a null in a required column"},
        {.type = 1 + PARQUET_BYTE_ARRAY,
         .wanted = "a string",
         B("\x02\0\0\0\x04\x01\x01\0\0\0\xff\0\0\0\0"),
         .error = A "a text is not valid UTF-8"},
        {.type = 1 + PARQUET_BYTE_ARRAY,
         .wanted = "a string",
         B("\x02\0\0\0\x04\x01\x01\0\0\0x\0\0\0"),
         .error = A "a page ends within its values"},
        {.type = 1 + PARQUET_BYTE_ARRAY,
         .wanted = "a string",
         B("\x02\0\0\0\x04\x01\x01\0\0\0x\x01\0\0\0"),
         .error = A "a page ends within its values"},
        {.type = 1 + PARQUET_BOOLEAN,
         .error = "column 'a': the Parquet file has it as BOOLEAN, which cannot be read as int"},
        {.repetition = 1 + PARQUET_REPEATED, .error = A "a page ends within its levels"},
    };
    check(crafts, G_N_ELEMENTS(crafts));
}

static void test_dictionaries(void)
{
#define INDICES "\x02\0\0\0\x04\x01"
    static const Craft crafts[] = {
        {.encoding = 8, B(INDICES "\x01\x03\x01"), .error = A "an index beyond the dictionary"},
        {D("\x09\0\0\0", 1), .encoding = 8, B(INDICES "\x01\x03\x01"), .error = A "an index beyond the dictionary"},
        {D("\x09\0\0", 1), .encoding = 8, B(INDICES "\x01\x03\0"), .error = A "the dictionary ends early"},
        {D("\x09\0\0\0\x08\0\0", 2), .encoding = 8, B(INDICES "\x01\x03\0"), .error = A "the dictionary ends early"},
        {D("\x09\0\0\0", -1), .encoding = 8, B(INDICES "\x01\x03\0"), .error = A "an invalid dictionary page"},
        {D("\x09\0\0\0", 5), .encoding = 8, B(INDICES "\x01\x03\0"), .error = A "an invalid dictionary page"},
        {D("\x09\0\0\0", 1), .dictionary_encoding = 3, .encoding = 8, B(INDICES "\x01\x03\0"),
         .error = A "an invalid dictionary page"},
        {D("\x09\0\0\0", 1), .encoding = 8, B(INDICES), .error = A "a page lacks its dictionary indices"},
        {D("\x09\0\0\0", 1), .encoding = 8, B(INDICES "\x21\x03\0"), .error = A "a page lacks its dictionary indices"},
        {D("\x09\0\0\0", 1), .encoding = 8, B(INDICES "\x01"), .error = A "too few dictionary indices"},
        {D("\x09\0\0\0", 1), .encoding = 8, B(INDICES "\x01\x02\0"), .error = A "too few dictionary indices"},
        {.type = 1 + PARQUET_BOOLEAN,
         .wanted = "a bool",
         D("\x01", 1),
         .encoding = 8,
         B(INDICES "\x01\x03\0"),
         .error = A "an invalid dictionary page"},
        {.type = 1 + PARQUET_BYTE_ARRAY,
         .wanted = "a string",
         D("\x02\0\0\0x", 1),
         .encoding = 8,
         B(INDICES "\x01\x03\0"),
         .error = A "the dictionary ends early"},
        {.type = 1 + PARQUET_BYTE_ARRAY,
         .wanted = "a string",
         D("\x01\0\0\0x\0\0\0", 2),
         .encoding = 8,
         B(INDICES "\x01\x03\0"),
         .error = A "the dictionary ends early"},
    };
    check(crafts, G_N_ELEMENTS(crafts));
}

/* What is no Parquet file at all, or ends somewhere. */
static void test_frames(void)
{
    static const struct {
        const char *bytes;
        gsize size;
        const char *error;
    } cases[] = {
        {"", 0, "not a Parquet file"},
        {"PAR1PAR1", 8, "not a Parquet file"},
        {"PAR2\0\0\0\0PAR1", 12, "not a Parquet file"},
        {"PAR1\0\0\0\0PAR2", 12, "not a Parquet file"},
        {"PAR1\0\0\0\0PARE", 12, "an encrypted Parquet file cannot be read"},
        {"PARE", 4, "an encrypted Parquet file cannot be read"},
        {"PAR1\x01\0\0\0PAR1", 12, CORRUPT "a footer of 1 bytes in a file of 12"},
        {"PAR1\0\x01\0\0\0PAR1", 13, FOOTER},
        {"PAR1\0\0\0\0PAR1", 12, FOOTER},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        SfError err = {0};
        g_autoptr(GBytes) file = g_bytes_new(cases[i].bytes, cases[i].size);
        g_autofree char *text = read_text(file, "a int", &err);
        g_assert_cmpstr(err.message, ==, cases[i].error);
        g_assert_cmpstr(text, ==, "");
    }
}

/* ---- what is read of large ones ---------------------------------------------------------------------------------- */

typedef struct Crate {
    GBytes *file;
    int64_t largest; /* read at once */
} Crate;

static SfStatus read_crate(gpointer user, int64_t offset, int64_t size, GBytes **out, SfError *err)
{
    (void) err;
    Crate *crate = user;
    *out = g_bytes_new_from_bytes(crate->file, (gsize) offset, (gsize) size);
    crate->largest = MAX(crate->largest, size);
    return SF_OK;
}

static void check_crate(const Craft *craft)
{
    SfError err = {0};
    Crate crate = {.file = make(craft)};
    struct ArrowSchema schema;
    struct ArrowArray rows = {0};
    g_autoptr(ParquetReader) reader = NULL;
    const ParquetInput input = {.size = (int64_t) g_bytes_get_size(crate.file), .read = read_crate, .user = &crate};
    rows_schema("a int", &schema);
    g_assert_cmpint(parquet_reader_open(&input, &schema, &reader, &err), ==, SF_OK);
    g_assert_cmpint(parquet_reader_next(reader, 100, &rows, &err), ==, craft->error ? SF_FATAL : SF_OK);
    g_assert_cmpstr(err.message, ==, craft->error ? craft->error : "");
    g_assert_cmpint(crate.largest, <=, 17 << 20);
    sf_array_done(&rows);
    sf_schema_done(&schema);
    g_bytes_unref(crate.file);
}

/* Neither a page that claims to be much larger than what it has nor a header without an end is read into memory. */
static void test_bombs(void)
{
    const gsize size = 40 << 20;
    g_autofree char *zeros = g_malloc0(size);
    const Craft crafts[] = {
        {.body = zeros,
         .body_size = size,
         .unpacked = 14 - (int64_t) size,
         .error = A "a page claims an impossible size"},
        {.statistics = size, .error = A "a page header exceeds the limit of 16 MiB"},
        {.statistics = 8 << 20},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(crafts); i++)
        check_crate(&crafts[i]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parquet/crafted/sound files", test_sound);
    g_test_add_func("/parquet/crafted/frames", test_frames);
    g_test_add_func("/parquet/crafted/footers that contradict themselves", test_footers);
    g_test_add_func("/parquet/crafted/pages that contradict themselves", test_pages);
    g_test_add_func("/parquet/crafted/dictionaries that contradict themselves", test_dictionaries);
    g_test_add_func("/parquet/crafted/pages and headers that are too large", test_bombs);
    return g_test_run();
}
