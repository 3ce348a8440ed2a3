/* Schemas: made, checked, copied, compared, described; whatever is not one of our types is refused with its name. */
#include <locale.h>
#include "rows.h"

#define ALL                                                                                                            \
    "a bool, b int not null, c bigint, d double, e decimal(38,10), f string, g binary view, h date, i timestamp, "     \
    "j list<struct<x int not null, y list<string view>>>, k struct<z decimal(1,0)>"

static void assert_refused(const struct ArrowSchema *schema, const char *message)
{
    SfError err;
    g_assert_cmpint(sf_schema_check(schema, &err), ==, SF_CONFIG);
    if (!strstr(err.message, message))
        g_error("'%s' does not say '%s'", err.message, message);
}

static void test_every_type_survives_a_copy(void)
{
    g_auto(ArrowSchema) made = {0}, copy = {0};
    SfError err;
    rows_schema(ALL, &made);
    g_assert_cmpint(sf_schema_copy(&made, &copy, &err), ==, SF_OK);
    g_assert_true(sf_schema_equal(&made, &copy));
    g_assert_cmpint(sf_schema_check(&copy, &err), ==, SF_OK);
    sf_schema_done(&made);
    sf_schema_done(&made);
    g_assert_cmpstr(copy.children[9]->children[0]->children[1]->children[0]->format, ==, "vu");
}

static void test_metadata_is_copied(void)
{
    static const char block[] = {1, 0, 0, 0, 2, 0, 0, 0, 'i', 'd', 3, 0, 0, 0, 'a', 0, 'c'};
    g_auto(ArrowSchema) made = {0}, copy = {0}, bad = {0};
    rows_schema("a int", &made);
    made.children[0]->metadata = g_memdup2(block, sizeof block);
    g_assert_cmpint(sf_schema_copy(&made, &copy, NULL), ==, SF_OK);
    g_assert_cmpmem(copy.children[0]->metadata, sizeof block, block, sizeof block);
    ((char *) made.children[0]->metadata)[7] = (char) 0x80; /* a negative size */
    SfError err;
    g_assert_cmpint(sf_schema_copy(&made, &bad, &err), ==, SF_CONFIG);
    g_assert_cmpstr(err.message, ==, "metadata of column 'a' is damaged");
    g_assert_null(bad.release);
}

static void test_schemas_differ_in_every_detail(void)
{
    static const char *const variants[] = {
        "a int",         "b int",           "a bigint",        "a int not null",  "a string",
        "a string view", "a decimal(12,2)", "a decimal(12,3)", "a decimal(13,2)", "a int, b int",
        "a list<int>",   "a list<bigint>",  "a struct<x int>", "a struct<y int>",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(variants); i++)
        for (gsize j = 0; j < G_N_ELEMENTS(variants); j++) {
            g_auto(ArrowSchema) a = {0}, b = {0};
            rows_schema(variants[i], &a);
            rows_schema(variants[j], &b);
            g_assert_true(sf_schema_equal(&a, &b) == (i == j));
        }
}

static void test_formats_that_are_not_ours_are_refused(void)
{
    static const char *const formats[] = {
        "n",    "c",  "S",  "I",     "f",          "U",    "Z", "tdm",   "tsu:",    "tsn:UTC", "tsu:Europe/Berlin",
        "w:16", "+L", "+m", "+ud:0", "d:12,2,256", "d:12", "",  "d:x,y", "d:12,2x", "vz ",     "tts",
        "tDu"};
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_auto(ArrowSchema) schema = {0};
        rows_schema("odd int", &schema);
        g_free((gpointer) schema.children[0]->format);
        schema.children[0]->format = g_strdup(formats[i]);
        g_autofree char *says =
            g_strdup_printf("column 'odd' has Arrow format '%s', which a pipeline cannot carry", formats[i]);
        assert_refused(&schema, says);
    }
}

static void test_decimal_with_width_128_is_ours(void)
{
    g_auto(ArrowSchema) schema = {0};
    rows_schema("a int", &schema);
    g_free((gpointer) schema.children[0]->format);
    schema.children[0]->format = g_strdup("d:20,4,128");
    SfField field;
    g_assert_cmpint(sf_schema_field(schema.children[0], &field, NULL), ==, SF_OK);
    g_assert_cmpint(field.type, ==, SF_DECIMAL128);
    g_assert_cmpint(field.precision, ==, 20);
    g_assert_cmpint(field.scale, ==, 4);
}

static void test_dictionary_is_refused(void)
{
    g_auto(ArrowSchema) schema = {0}, copy = {0};
    struct ArrowSchema words = {.format = "u"};
    rows_schema("word int", &schema);
    schema.children[0]->dictionary = &words;
    assert_refused(&schema, "column 'word' has Arrow format 'i' with a dictionary");
    g_assert_cmpint(sf_schema_copy(&schema, &copy, NULL), ==, SF_CONFIG);
}

static void refuse_fields(const SfField *fields, size_t n, const char *message)
{
    struct ArrowSchema out = {.format = "untouched"};
    SfError err;
    g_assert_cmpint(sf_schema_make(fields, n, &out, &err), ==, SF_CONFIG);
    g_assert_cmpstr(err.message, ==, message);
    g_assert_cmpstr(out.format, ==, "untouched");
}

static void test_fields_are_checked(void)
{
    const SfField int_field = {.name = "x", .type = SF_INT32};
    refuse_fields((SfField[]){{.name = "Id", .type = SF_INT32}, {.name = "iD", .type = SF_UTF8}}, 2,
                  "column 'iD' is there twice (case does not count)");
    refuse_fields((SfField[]){{.name = "ÜNIT", .type = SF_INT32}, {.name = "ünit", .type = SF_UTF8}}, 2,
                  "column 'ünit' is there twice (case does not count)");
    struct ArrowSchema two;
    g_assert_cmpint(
        sf_schema_make((SfField[]){{.name = "straße", .type = SF_INT32}, {.name = "strasse", .type = SF_INT32}}, 2,
                       &two, NULL),
        ==, SF_OK);
    sf_schema_done(&two);
    refuse_fields((SfField[]){{.name = "", .type = SF_INT32}}, 1, "column 0 has no name");
    refuse_fields((SfField[]){{.name = "\xff", .type = SF_INT32}}, 1, "the name of column 0 is not valid UTF-8");
    refuse_fields((SfField[]){{.name = "p", .type = SF_DECIMAL128, .precision = 39}}, 1,
                  "column 'p': precision 39 of the decimal is not within 1 and 38");
    refuse_fields((SfField[]){{.name = "p", .type = SF_DECIMAL128}}, 1,
                  "column 'p': precision 0 of the decimal is not within 1 and 38");
    refuse_fields((SfField[]){{.name = "p", .type = SF_DECIMAL128, .precision = 5, .scale = 6}}, 1,
                  "column 'p': scale 6 of the decimal is not within 0 and its precision 5");
    refuse_fields((SfField[]){{.name = "p", .type = SF_DECIMAL128, .precision = 5, .scale = -1}}, 1,
                  "column 'p': scale -1 of the decimal is not within 0 and its precision 5");
    refuse_fields((SfField[]){{.name = "v", .type = SF_INT64, .view = true}}, 1,
                  "column 'v': type bigint has no view layout");
    refuse_fields((SfField[]){{.name = "l", .type = SF_LIST}}, 1, "column 'l': a list has one child, not 0");
    refuse_fields((SfField[]){{.name = "i", .type = SF_INT32, .n_children = 1, .children = &int_field}}, 1,
                  "column 'i': type int has no children");
    refuse_fields((SfField[]){{.name = "t", .type = 77}}, 1, "column 't': 77 is not a type");
}

static void test_depth_is_bounded(void)
{
    SfField fields[SF_SCHEMA_MAX_DEPTH + 1];
    for (int i = 0; i <= SF_SCHEMA_MAX_DEPTH; i++)
        fields[i] = (SfField){.name = "x", .type = SF_LIST, .n_children = 1, .children = &fields[i + 1]};
    fields[SF_SCHEMA_MAX_DEPTH] = fields[SF_SCHEMA_MAX_DEPTH - 1] = (SfField){.name = "x", .type = SF_INT32};
    struct ArrowSchema deep = {0};
    g_assert_cmpint(sf_schema_make(fields, 1, &deep, NULL), ==, SF_OK);
    sf_schema_done(&deep);
    fields[SF_SCHEMA_MAX_DEPTH - 1] =
        (SfField){.name = "x", .type = SF_LIST, .n_children = 1, .children = &fields[SF_SCHEMA_MAX_DEPTH]};
    refuse_fields(fields, 1, "schema nests deeper than 16 levels");
}

static void test_root_is_a_struct(void)
{
    g_auto(ArrowSchema) schema = {0};
    rows_schema("a int", &schema);
    assert_refused(schema.children[0], "a schema is a struct of columns, Arrow format '+s', not 'i'");
    const struct ArrowSchema none = {0};
    assert_refused(&none, "there is no schema");
}

static void test_columns_are_found_by_their_exact_name(void)
{
    g_auto(ArrowSchema) schema = {0};
    rows_schema("order_id string, Sales double", &schema);
    g_assert_cmpint(sf_schema_find(&schema, "Sales"), ==, 1);
    g_assert_cmpint(sf_schema_find(&schema, "sales"), ==, -1);
    g_assert_cmpint(sf_schema_find(&schema, "item"), ==, -1);
}

static void test_description_is_what_pipelines_write(void)
{
    static const char *const words[] = {"bool",
                                        "int not null",
                                        "bigint",
                                        "double",
                                        "decimal(38,10)",
                                        "string",
                                        "binary",
                                        "date",
                                        "timestamp",
                                        "list<struct<x: int not null, y: list<string>>>",
                                        "struct<z: decimal(1,0)>"};
    g_auto(ArrowSchema) schema = {0};
    rows_schema(ALL, &schema);
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        char text[64], shortened[4];
        g_assert_cmpint(sf_schema_describe(schema.children[i], text, sizeof text), ==, (int) strlen(words[i]));
        g_assert_cmpstr(text, ==, words[i]);
        g_assert_cmpint(sf_schema_describe(schema.children[i], shortened, sizeof shortened), ==,
                        (int) strlen(words[i]));
        g_assert_true(strlen(shortened) <= 3 && g_str_has_prefix(text, shortened));
    }
    g_assert_cmpint(sf_schema_describe(schema.children[0], NULL, 0), ==, 4);
}

static void test_raw_rows_are_as_spark_has_them(void)
{
    g_auto(ArrowSchema) schema = {0};
    g_assert_cmpint(sf_schema_raw(&schema, NULL), ==, SF_OK);
    g_assert_cmpint(schema.n_children, ==, SF_RAW_COLUMNS);
    g_assert_cmpint(sf_schema_find(&schema, "value"), ==, SF_RAW_VALUE);
    g_assert_cmpint(sf_schema_find(&schema, "offset"), ==, SF_RAW_OFFSET);
    g_assert_cmpint(sf_schema_find(&schema, "headers"), ==, SF_RAW_HEADERS);
    g_assert_cmpstr(schema.children[SF_RAW_VALUE]->format, ==, "vz");
    g_assert_cmpstr(schema.children[SF_RAW_TIMESTAMP]->format, ==, "tsu:UTC");
}

static void test_columns_are_added_behind(void)
{
    g_auto(ArrowSchema) in = {0}, out = {0}, want = {0};
    const SfField more[] = {{.name = "x", .type = SF_INT64}, {.name = "y", .type = SF_UTF8, .nullable = true}};
    SfError err;
    rows_schema("a int not null, j list<struct<x int not null>>", &in);
    rows_schema("a int not null, j list<struct<x int not null>>, x bigint not null, y string", &want);
    g_assert_cmpint(sf_schema_with(&in, more, 2, &out, &err), ==, SF_OK);
    g_assert_true(sf_schema_equal(&out, &want));
    sf_schema_done(&out);
    const SfField again = {.name = "A", .type = SF_INT64};
    g_assert_cmpint(sf_schema_with(&in, &again, 1, &out, &err), ==, SF_CONFIG);
    g_assert_nonnull(strstr(err.message, "'A'"));
    g_assert_null(out.release);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/schema/every type survives a copy", test_every_type_survives_a_copy);
    g_test_add_func("/schema/metadata is copied", test_metadata_is_copied);
    g_test_add_func("/schema/schemas differ in every detail", test_schemas_differ_in_every_detail);
    g_test_add_func("/schema/formats that are not ours are refused", test_formats_that_are_not_ours_are_refused);
    g_test_add_func("/schema/decimal with width 128 is ours", test_decimal_with_width_128_is_ours);
    g_test_add_func("/schema/dictionary is refused", test_dictionary_is_refused);
    g_test_add_func("/schema/fields are checked", test_fields_are_checked);
    g_test_add_func("/schema/depth is bounded", test_depth_is_bounded);
    g_test_add_func("/schema/root is a struct", test_root_is_a_struct);
    g_test_add_func("/schema/columns are found by their exact name", test_columns_are_found_by_their_exact_name);
    g_test_add_func("/schema/description is what pipelines write", test_description_is_what_pipelines_write);
    g_test_add_func("/schema/columns are added behind", test_columns_are_added_behind);
    g_test_add_func("/schema/raw rows are as Spark has them", test_raw_rows_are_as_spark_has_them);
    return g_test_run();
}
