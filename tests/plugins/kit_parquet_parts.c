/* Parts of the Parquet kit by themselves: dictionaries, statistics, runs, Thrift, slices of rows. */
#include "parquet/dictionary.h"
#include "parquet/hybrid.h"
#include "parquet/parquet.h"
#include "rows.h"

/* ---- dictionaries ---- */

/* Values are numbered in the order of their first coming, however often the table has grown since. */
static void test_numbers(void)
{
    enum { N = 5000 };
    for (int wide = 0; wide < 2; wide++) {
        Dictionary dictionary;
        g_autofree uint64_t *values = g_new(uint64_t, N);
        g_autofree uint32_t *narrow = g_new(uint32_t, N);
        g_autofree uint32_t *numbers = g_new(uint32_t, N);
        dictionary_init(&dictionary, false, 0);
        for (int round = 0; round < 3; round++) {
            if (round == 2)
                dictionary_clear(&dictionary);
            for (uint32_t i = 0; i < N; i++) {
                values[i] = (uint64_t) i * UINT64_C(0x9E3779B97F4A7C1) + 1;
                narrow[i] = i * 0x9E3779B1u;
            }
            if (wide)
                dictionary_put64(&dictionary, values, N, numbers);
            else
                dictionary_put32(&dictionary, narrow, N, numbers);
            for (uint32_t i = 0; i < N; i++)
                g_assert_cmpuint(numbers[i], ==, i);
            g_assert_cmpuint(dictionary.count, ==, N);
            g_assert_cmpmem(dictionary.body.data, dictionary.body.size, wide ? (void *) values : (void *) narrow,
                            N * (wide ? 8 : 4));
        }
        dictionary_done(&dictionary);
    }
}

/* Texts of all lengths around those that are compared by words, alike but for one byte; each in memory of its size. */
static void test_texts(void)
{
    Dictionary dictionary;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(SfBytes));
    for (gsize size = 0; size <= 40; size++)
        for (gsize place = 0; place <= size; place++) {
            char *text = g_malloc(MAX(size, 1));
            memset(text, 'a', size);
            if (place < size)
                text[place] = 'b';
            g_ptr_array_add(texts, text);
            g_array_append_val(values, ((SfBytes){text, (int64_t) size}));
        }
    g_autofree uint32_t *numbers = g_new(uint32_t, values->len);
    dictionary_init(&dictionary, true, 0);
    for (int round = 0; round < 2; round++) {
        dictionary_put_bytes(&dictionary, (const SfBytes *) (void *) values->data, values->len, numbers);
        g_assert_cmpuint(dictionary.count, ==, values->len);
        for (guint i = 0; i < values->len; i++) {
            SfBytes value = g_array_index(values, SfBytes, i);
            SfBytes got = dictionary_bytes(&dictionary, i);
            g_assert_cmpuint(numbers[i], ==, i);
            g_assert_cmpmem(got.data, got.size, value.data, value.size);
        }
    }
    dictionary_done(&dictionary);
}

/* ---- statistics ---- */

static ParquetNode *leaf_node(const char *columns, const ParquetHint *hint)
{
    struct ArrowSchema schema;
    SfError err = {0};
    rows_schema(columns, &schema);
    ParquetNode *root = parquet_schema_new(&schema, NULL, hint, &err);
    g_assert_cmpstr(err.message, ==, "");
    sf_schema_done(&schema);
    return root;
}

static void test_number_bounds(void)
{
    static const int32_t narrow[] = {5, -7, 9, 0};
    static const int64_t wide[] = {5, INT64_MIN, 9, INT64_MAX, 0};
    static const double floats[] = {2, -1.5, 7.25, 0};
    ParquetStats stats = {0};
    parquet_stats_ints32(&stats, narrow, 0);
    g_assert_false(stats.any);
    parquet_stats_ints32(&stats, narrow, G_N_ELEMENTS(narrow));
    g_assert_cmpint(stats.min_int, ==, -7);
    g_assert_cmpint(stats.max_int, ==, 9);
    parquet_stats_clear(&stats);
    parquet_stats_ints64(&stats, wide, 0);
    g_assert_false(stats.any);
    parquet_stats_ints64(&stats, wide, G_N_ELEMENTS(wide));
    g_assert_cmpint(stats.min_int, ==, INT64_MIN);
    g_assert_cmpint(stats.max_int, ==, INT64_MAX);
    for (gsize n = 1; n <= 200; n++) { /* each place is the least and the greatest once */
        g_autofree float *singles = g_new0(float, n);
        for (gsize i = 0; i < n; i++) {
            singles[i] = 3;
            parquet_stats_clear(&stats);
            parquet_stats_floats32(&stats, singles, n);
            g_assert_cmpfloat(stats.max_float, ==, 3);
            g_assert_cmpfloat(stats.min_float, ==, n > 1 ? 0 : 3);
            singles[i] = 0;
        }
    }
    parquet_stats_clear(&stats);
    parquet_stats_floats(&stats, floats, G_N_ELEMENTS(floats));
    g_assert_cmpfloat(stats.min_float, ==, -1.5);
    g_assert_cmpfloat(stats.max_float, ==, 7.25);
    parquet_stats_done(&stats);
}

/* Every order of every pair, alone and in company; the same as signed numbers by their first byte. */
static void test_text_bounds(void)
{
    static const char *const texts[] = {
        "",          "\x01",      "a",        "aaaaaaa",  "aaaaaaaa",
        "aaaaaaaab", "aaaaaaaac", "aaaaaaab", "b",        "b\x01",
        "\x7f",      "\x80",      "\xff",     "\xff\xff", "\xff\xff\xff\xff\xff\xff\xff\xff\xff"};
    ParquetStats stats = {0};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        for (gsize j = 0; j < G_N_ELEMENTS(texts); j++) {
            SfBytes pair[] = {{texts[i], (int64_t) strlen(texts[i])}, {texts[j], (int64_t) strlen(texts[j])}};
            for (int way = 0; way < 2; way++) {
                parquet_stats_clear(&stats);
                if (way == 0) {
                    parquet_stats_bytes(&stats, pair, 2, false);
                } else {
                    parquet_stats_bytes(&stats, &pair[0], 1, false);
                    parquet_stats_bytes(&stats, &pair[1], 1, false);
                }
                SfBytes min = pair[i <= j ? 0 : 1], max = pair[i <= j ? 1 : 0];
                g_assert_cmpmem(stats.min_bytes.data, stats.min_bytes.size, min.data, min.size);
                g_assert_cmpmem(stats.max_bytes.data, stats.max_bytes.size, max.data, max.size);
            }
        }
    static const char *const decimals[] = {"\x80\x01", "\x80\x02", "\xff\xff", "\x01\x01", "\x01\x02", "\x7f\xff"};
    for (gsize i = 0; i < G_N_ELEMENTS(decimals); i++)
        for (gsize j = 0; j < G_N_ELEMENTS(decimals); j++) {
            SfBytes pair[] = {{decimals[i], 2}, {decimals[j], 2}};
            parquet_stats_clear(&stats);
            parquet_stats_bytes(&stats, pair, 2, true);
            g_assert_cmpmem(stats.min_bytes.data, 2, decimals[MIN(i, j)], 2);
            g_assert_cmpmem(stats.max_bytes.data, 2, decimals[MAX(i, j)], 2);
        }
    parquet_stats_done(&stats);
}

/* Long texts are cut between characters; the upper one is raised to stay above, or there is none. */
static void test_cut_bounds(void)
{
    g_autofree char *a63 = g_strnfill(63, 'a'), *a64 = g_strnfill(64, 'a'), *top = g_strnfill(70, '\x7f');
    g_autofree char *exact = g_strconcat(a64, NULL), *longer = g_strconcat(a64, "x", NULL);
    g_autofree char *umlaut = g_strconcat(a63, "ä", NULL), *raised = g_strconcat(a63, "b", NULL);
    g_autofree char *shorter = g_strndup(a63, 62);
    g_autofree char *shorter_raised = g_strconcat(shorter, "b", NULL);
    const struct {
        const char *text;
        const char *min;
        const char *max; /* NULL: none */
    } cases[] = {
        {"", "", ""}, {exact, a64, a64}, {longer, a64, raised}, {umlaut, a63, shorter_raised}, {top, NULL, NULL},
    };
    g_autoptr(ParquetNode) root = leaf_node("s string", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        ParquetStats stats = {0};
        ParquetBounds bounds;
        SfBytes value = {cases[i].text, (int64_t) strlen(cases[i].text)};
        g_assert_false(parquet_stats_bounds(&stats, root->children[0], &bounds));
        parquet_stats_bytes(&stats, &value, 1, false);
        g_assert_true(parquet_stats_bounds(&stats, root->children[0], &bounds));
        if (cases[i].min)
            g_assert_cmpmem(bounds.min.bytes, bounds.min.size, cases[i].min, strlen(cases[i].min));
        g_assert_cmpint(bounds.max.known, ==, cases[i].max != NULL);
        if (cases[i].max)
            g_assert_cmpmem(bounds.max.bytes, bounds.max.size, cases[i].max, strlen(cases[i].max));
        g_assert_cmpint(bounds.min.exact, ==, strlen(cases[i].text) <= 64 && g_utf8_validate(cases[i].text, -1, NULL));
        parquet_stats_done(&stats);
    }
    g_assert_cmpint(parquet_characters("aä€😈", 10), ==, 4);
    g_assert_cmpuint(parquet_cut((const uint8_t *) "a€b", 5, 3, true), ==, 1);
    g_assert_cmpuint(parquet_cut((const uint8_t *) "a€b", 5, 4, true), ==, 4);
    g_assert_cmpuint(parquet_cut((const uint8_t *) "a€b", 5, 5, true), ==, 5);
    g_assert_cmpuint(parquet_cut((const uint8_t *) "a€b", 5, 3, false), ==, 3);
}

/* ---- runs ---- */

static bool decodes(const void *bytes, gsize size, unsigned width, gsize n, uint32_t first)
{
    HybridReader reader;
    uint32_t out[64] = {0};
    hybrid_reader_init(&reader, bytes, size, width);
    return hybrid_decode(&reader, out, n) && out[0] == first;
}

/* Headers of any length up to 63 bits, empty runs, last groups without their padding. */
static void test_runs(void)
{
    g_assert_true(decodes("\x04\x05", 2, 3, 2, 5));
    g_assert_false(decodes("\x04\x05", 2, 3, 3, 5));
    g_assert_true(decodes("\x84\x80\x80\x80\x80\x80\x80\x80\x00\x05", 10, 3, 2, 5));
    g_assert_false(decodes("\x84\x80\x80\x80\x80\x80\x80\x80\x80\x01\x05", 11, 3, 2, 5));
    g_assert_true(decodes("\x00\x07\x01\x04\x05", 5, 3, 2, 5));
    g_assert_true(decodes("\x03\x05", 2, 3, 2, 5));
    g_assert_false(decodes("\x03\x05", 2, 3, 3, 5));
    g_assert_true(decodes("\x04\x05\x01", 3, 9, 2, 0x105));
    g_assert_false(decodes("\x04\x05", 2, 9, 2, 0x105));
    g_assert_false(decodes("\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x05", 10, 3, 17, 5));
    g_assert_true(decodes("\x03", 1, 0, 8, 0));
    g_assert_false(decodes("\x03", 1, 0, 9, 0));
    for (unsigned bits = 0; bits <= 32; bits++)
        g_assert_cmpuint(hybrid_width((uint32_t) ((UINT64_C(1) << bits) - 1)), ==, bits);
}

/* Eight and more equal values are a run, where that is shorter; what is left over goes with the next literal. */
static void test_choice(void)
{
    static const struct {
        uint32_t value[20];
        gsize n;
        unsigned width;
        const char *bytes;
        gsize size;
    } cases[] = {
        {{1, 1, 1, 1, 1, 1, 1, 1}, 8, 1, "\x10\x01", 2},
        {{1, 1, 1, 1, 1, 1, 1, 1, 1}, 9, 1, "\x12\x01", 2},
        {{1, 1, 1, 1, 1, 1, 1}, 7, 1, "\x03\x7f", 2},
        {{1, 1, 1, 1, 1, 1, 1, 1, 0}, 9, 1, "\x05\xff\x00", 3},             /* 8 bits are no gain before others */
        {{9, 9, 9, 9, 9, 9, 9, 9, 0}, 9, 6, "\x10\x09\x03\0\0\0\0\0\0", 9}, /* 48 are */
        {{9, 9, 9, 9, 9, 9, 9, 9, 0}, 9, 5, "\x05\x29\xa5\x94\x52\x4a\0\0\0\0\0", 11},
        {{0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 16, 1, "\x03\xaa\x10\x01", 4},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Buffer) out = {0};
        hybrid_encode(cases[i].value, cases[i].n, cases[i].width, &out);
        g_assert_cmpmem(out.data, out.size, cases[i].bytes, cases[i].size);
    }
}

/* ---- Thrift ---- */

/* Fields of all types are passed over: what comes behind is found. Bytes by hand from thrift-compact-protocol.md. */
static void test_skip(void)
{
#define F(bytes)                                                                                                       \
    {                                                                                                                  \
        bytes "\x15\x0e\0", sizeof bytes + 2                                                                           \
    }
    static const struct {
        const char *bytes;
        gsize size;
    } cases[] = {
        F("\x11"),                                         /* true */
        F("\x12"),                                         /* false */
        F("\x13\x7f"),                                     /* i8 */
        F("\x14\x80\x01"),                                 /* i16 */
        F("\x15\x80\x80\x01"),                             /* i32 */
        F("\x16\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* i64 */
        F("\x17\x15\x15\x15\x15\x15\x15\x15\x15"),         /* double */
        F("\x18\x03\x15\x15\x15"),                         /* binary */
        F("\x19\x22\x01\x02"),                             /* list of two booleans, a byte each */
        F("\x19\xf3\x0f\x15\x15\x15\x15\x15\x15\x15\x15\x15\x15\x15\x15\x15\x15\x15"), /* of 15 i8 */
        F("\x1a\x28\x01x\0"),                                                          /* set of two texts */
        F("\x1b\0"),                                                                   /* empty map */
        F("\x1b\x02\x85\x01x\x02\x01y\x04"),                                           /* map of texts to i32 */
        F("\x1c\x15\x04\x0c\x64\x12\0\0"), /* struct in a struct, its id spelt out */
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const uint8_t *bytes = (const uint8_t *) cases[i].bytes;
        ThriftReader reader = {.at = bytes, .end = bytes + cases[i].size};
        ThriftField field = {0};
        g_test_message("case %zu", i);
        g_assert_true(thrift_next(&reader, &field));
        g_assert_cmpint(field.id, ==, 1);
        thrift_skip(&reader, &field);
        g_assert_true(thrift_next(&reader, &field));
        g_assert_cmpint(field.id, ==, 2);
        g_assert_cmpint(thrift_int(&reader, &field), ==, 7);
        g_assert_false(thrift_next(&reader, &field));
        g_assert_false(reader.failed);
        g_assert_true(reader.at == reader.end);
        for (gsize size = 1; size + 3 < cases[i].size; size++) { /* cut anywhere within the value */
            reader = (ThriftReader){.at = bytes, .end = bytes + size};
            field = (ThriftField){0};
            g_assert_true(thrift_next(&reader, &field));
            thrift_skip(&reader, &field);
            g_assert_true(reader.failed);
            g_assert_false(thrift_next(&reader, &field));
        }
    }
}

/* A value of another type than was asked for is 0 or nothing, and passed over. */
static void test_other_types(void)
{
    static const uint8_t bytes[] = {0x18, 1, 'x', 0x15, 2, 0x15, 2, 0x19, 0x15, 4, 0x13, 0xff, 0x11, 0x15, 2, 0};
    ThriftReader reader = {.at = bytes, .end = bytes + sizeof bytes};
    ThriftField field = {0};
    g_assert_true(thrift_next(&reader, &field));
    g_assert_cmpint(thrift_int(&reader, &field), ==, 0);
    g_assert_true(thrift_next(&reader, &field));
    g_assert_null(thrift_bytes(&reader, &field).data);
    g_assert_true(thrift_next(&reader, &field));
    g_assert_cmpuint(thrift_list(&reader, &field, THRIFT_I32), ==, 0);
    g_assert_true(thrift_next(&reader, &field));
    g_assert_cmpuint(thrift_list(&reader, &field, THRIFT_STRUCT), ==, 0);
    g_assert_true(thrift_next(&reader, &field));
    g_assert_cmpint(thrift_int(&reader, &field), ==, -1);
    g_assert_true(thrift_next(&reader, &field));
    g_assert_true(thrift_bool(&field));
    g_assert_true(thrift_next(&reader, &field));
    g_assert_cmpint(field.id, ==, 7);
    g_assert_false(thrift_bool(&field));
    g_assert_cmpint(thrift_int(&reader, &field), ==, 1);
    g_assert_false(thrift_next(&reader, &field));
    g_assert_false(reader.failed);
}

/* ---- slices of rows ---- */

static char *written(const struct ArrowSchema *schema, const struct ArrowArray *rows, int64_t offset,
                     const int32_t *picked, int64_t n)
{
    SfError err = {0};
    struct ArrowArray got;
    g_autoptr(GBytes) file = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(ParquetWriter) writer = parquet_writer_new(schema, &(ParquetOptions){.page_rows = 50}, &err);
    parquet_writer_add(writer, (const struct ArrowArray *const *) rows->children, offset, picked, n, &err);
    parquet_writer_finish(writer, &file, &err);
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, schema, &err);
    while (parquet_reader_next(reader, 1000, &got, &err) == SF_OK) {
        for (int64_t i = 0; i < got.length; i++) {
            g_autofree char *text = rows_text(schema, &got, i);
            g_string_append(out, text);
        }
        sf_array_done(&got);
    }
    g_assert_cmpstr(err.message, ==, "");
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* One null at each place of a bitmap, rows from each bit on. */
static void test_slices(void)
{
    enum { N = 60 };
    struct ArrowSchema schema;
    rows_schema("a int, s string, b bool, f double", &schema);
    for (int null = 0; null < N; null += 3) {
        struct ArrowArray rows;
        g_autoptr(GPtrArray) json = g_ptr_array_new_with_free_func(g_free);
        for (int i = 0; i < N; i++)
            g_ptr_array_add(json, i == null
                                      ? g_strdup("[null, null, null, null]")
                                      : g_strdup_printf("[%d, \"t%d\", %s, %d.5]", i, i, i % 3 ? "true" : "false", i));
        rows_from_json(&schema, (const char *const *) json->pdata, N, &rows);
        for (int64_t offset = 0; offset < 18; offset++)
            for (int64_t n = N - offset; n > 30; n -= 9) {
                int32_t picked[N];
                g_autoptr(GString) expected = g_string_new(NULL);
                for (int64_t i = 0; i < n; i++) {
                    g_autofree char *text = rows_text(&schema, &rows, offset + i);
                    g_string_append(expected, text);
                    picked[i] = (int32_t) i;
                }
                g_autofree char *got = written(&schema, &rows, offset, NULL, n);
                g_assert_cmpstr(got, ==, expected->str);
                g_autofree char *by_number = written(&schema, &rows, offset, picked, n);
                g_assert_cmpstr(by_number, ==, expected->str);
            }
        sf_array_done(&rows);
    }
    sf_schema_done(&schema);
}

/* Decimals of each width that FIXED has, at their limits; and texts that are filled up. */
static void test_widths(void)
{
    for (int digits = 1; digits <= 38; digits++) {
        struct ArrowSchema schema;
        struct ArrowArray rows;
        g_autofree char *columns = g_strdup_printf("d decimal(%d,1)", digits);
        g_autofree char *whole = g_strnfill((gsize) digits - 1, '9');
        g_autofree char *nines = g_strdup_printf("%s.9", digits > 1 ? whole : "0");
        g_autofree char *high = g_strdup_printf("[%s]", nines), *low = g_strdup_printf("[-%s]", nines);
        g_autofree char *expected = g_strdup_printf("{\"d\":%s}{\"d\":-%s}{\"d\":0.0}", nines, nines);
        rows_schema(columns, &schema);
        rows_from_json(&schema, (const char *const[]){high, low, "[0.0]"}, 3, &rows);
        g_autofree char *got = written(&schema, &rows, 0, NULL, 3);
        g_assert_cmpstr(got, ==, expected);
        sf_array_done(&rows);
        sf_schema_done(&schema);
    }
}

/* The least number of bytes whose two's complement holds 10^precision - 1. */
static void test_decimal_widths(void)
{
    for (int digits = 19; digits <= 38; digits++) {
        g_autofree char *columns = g_strdup_printf("d decimal(%d,0)", digits);
        g_autoptr(ParquetNode) root = leaf_node(columns, NULL);
        __extension__ unsigned __int128 most = 1;
        for (int i = 0; i < digits; i++)
            most *= 10;
        int width = 0;
        for (most--; most > 0; most >>= 1)
            width++;
        g_assert_cmpint(root->children[0]->width, ==, width / 8 + 1);
    }
}

static void test_padding(void)
{
    struct ArrowSchema schema;
    struct ArrowArray rows;
    SfError err = {0};
    const ParquetHint hints[] = {{.pad = 1}, {.pad = 3}};
    static const char *const json[] = {"[\"\", \"\"]", "[\"x\", \"ä\"]", "[null, \"abc\"]", "[\"yz\", \"äöüx\"]"};
    rows_schema("one string, three string", &schema);
    rows_from_json(&schema, json, G_N_ELEMENTS(json), &rows);
    g_autoptr(GBytes) file = NULL;
    g_autoptr(ParquetWriter) writer = parquet_writer_new(&schema, &(ParquetOptions){.hints = hints}, &err);
    parquet_writer_add(writer, (const struct ArrowArray *const *) rows.children, 0, NULL, 4, &err);
    sf_array_done(&rows);
    parquet_writer_finish(writer, &file, &err);
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, &schema, &err);
    g_assert_cmpint(parquet_reader_next(reader, 10, &rows, &err), ==, SF_OK);
    static const char *const expected[] = {"{\"one\":\" \",\"three\":\"   \"}", "{\"one\":\"x\",\"three\":\"ä  \"}",
                                           "{\"one\":null,\"three\":\"abc\"}", "{\"one\":\"yz\",\"three\":\"äöüx\"}"};
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autofree char *text = rows_text(&schema, &rows, (gint64) i);
        g_assert_cmpstr(text, ==, expected[i]);
    }
    sf_array_done(&rows);
    sf_schema_done(&schema);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parquet/parts/numbers are numbered as they come", test_numbers);
    g_test_add_func("/parquet/parts/texts differ by a byte", test_texts);
    g_test_add_func("/parquet/parts/bounds of numbers", test_number_bounds);
    g_test_add_func("/parquet/parts/bounds of texts", test_text_bounds);
    g_test_add_func("/parquet/parts/bounds are cut", test_cut_bounds);
    g_test_add_func("/parquet/parts/runs of any header", test_runs);
    g_test_add_func("/parquet/parts/runs where they are shorter", test_choice);
    g_test_add_func("/parquet/parts/fields of all types are passed over", test_skip);
    g_test_add_func("/parquet/parts/fields of other types read as nothing", test_other_types);
    g_test_add_func("/parquet/parts/rows from any bit on", test_slices);
    g_test_add_func("/parquet/parts/decimals of all widths", test_widths);
    g_test_add_func("/parquet/parts/decimals take as few bytes as hold them", test_decimal_widths);
    g_test_add_func("/parquet/parts/texts are filled up", test_padding);
    return g_test_run();
}
