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

/* The field with that number of a struct's text, without it. */
static char *field_of(const char *text, int id)
{
    g_autofree char *key = g_strdup_printf("%d:", id);
    int depth = 0;
    const char *start = NULL;
    for (const char *at = text; *at; at++) {
        if (depth == 1 && !start && (at[-1] == '{' || at[-1] == ' ') && g_str_has_prefix(at, key))
            start = at + strlen(key);
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        if (start && at > start && ((depth == 1 && *at == ' ') || depth == 0))
            return g_strndup(start, (gsize) (at - start));
    }
    return NULL;
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parquet/format/schema elements have the format's numbers", test_schema);
    g_test_add_func("/parquet/format/a file says what the format wants", test_file);
    return g_test_run();
}
