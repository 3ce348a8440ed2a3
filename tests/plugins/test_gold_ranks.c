/* Single values in the gold sink: ranks go with the order of values, and texts are appended to what is there. */
#include <math.h>
#include <string.h>
#include "gold_place.h"
#include "rows.h"
#include "value.h"

#define SCHEMA                                                                                                         \
    "a bool, b int, c bigint, d decimal(38,2), e string, f binary, g date, h timestamp, i double, j decimal(5,3)"

/* Each column's values: at the ends of what a rank holds, and beside them. */
static const char *const rows[] = {
    "[false, -2147483648, -9223372036854775808, -99999999999999999999999999999999.99, \"\", \"\", \"0001-01-01\", "
    "\"0001-01-01T00:00:00Z\", -1.5, -1.500]",
    "[true, -1, -1, -92233720368547758.09, \"ORD-0000\", \"T1JE\", \"1969-12-31\", \"1969-12-31T23:59:59.999999Z\", 0, "
    "0]",
    "[true, 0, 0, -92233720368547758.08, \"ORD-00000001\", \"T1JEMA==\", \"1970-01-01\", \"1970-01-01T00:00:00Z\", "
    "0.5, "
    "0.5]",
    "[true, 1, 1, 0, \"ORD-0000000100\", \"T1JEMAA=\", \"1970-01-02\", \"1970-01-01T00:00:00.000001Z\", 1, 1]",
    "[true, 7, 9223372036854775807, 92233720368547758.07, \"ORD-0000€\", \"T1JE/w==\", \"2024-01-15\", "
    "\"2024-01-15T10:30:00Z\", 2, 2]",
    "[true, 2147483647, 2, 92233720368547758.08, \"z\", \"/w==\", \"9999-12-31\", \"9999-12-31T23:59:59Z\", 3, 3]",
    "[true, 3, 3, 99999999999999999999999999999999.99, \"zz\", \"//8=\", \"2024-02-29\", \"2024-02-29T00:00:00Z\", 4, "
    "4]",
};

typedef struct Fixture {
    Harness *h;
    const SfBatch *batch;
} Fixture;

static void setup(Fixture *f, gconstpointer data)
{
    (void) data;
    f->h = harness_new("snowflake-gold-sink", "connection: Driver=SQLite3;Database=x.db\n"
                                              "provenance: false\nfacts: {f: {key: b, latest_by: c}}");
    harness_input_text(f->h, "rows", SCHEMA);
    f->batch = harness_rows(f->h, 0, "t/0", 0, rows, G_N_ELEMENTS(rows));
}

static void teardown(Fixture *f, gconstpointer data)
{
    (void) data;
    harness_free(f->h);
}

static SfColumn column(const Fixture *f, int64_t number)
{
    SfColumn view;
    g_assert_cmpint(sf_column_at(f->batch, number, &view, NULL), ==, SF_OK);
    return view;
}

/* A smaller rank is a smaller value, whatever all of them begin with; equal ranks leave it open. */
static void test_ranks(Fixture *f, gconstpointer data)
{
    (void) data;
    int decided = 0;
    for (int64_t number = 0; number < 10; number++) {
        SfColumn view = column(f, number);
        for (int64_t a = 0; a < view.length; a++)
            for (int64_t b = 0; b < view.length; b++) {
                gsize skip = value_shared(&view, a, &view, b, G_MAXSIZE);
                guint64 x = value_rank(&view, a, skip), y = value_rank(&view, b, skip);
                if (x == y)
                    continue;
                decided++;
                g_assert_cmpint(x < y, ==, value_compare(&view, a, &view, b) < 0);
            }
    }
    /* all pairs of seven columns, of one the pairs with its only other value, of decimals those that fit; no doubles */
    g_assert_cmpint(decided, >, 6 * 7 * 6);
}

static void test_what_texts_share(Fixture *f, gconstpointer data)
{
    (void) data;
    SfColumn text = column(f, 4), number = column(f, 1);
    g_assert_cmpuint(value_shared(&text, 1, &text, 2, G_MAXSIZE), ==, 8);
    g_assert_cmpuint(value_shared(&text, 2, &text, 3, G_MAXSIZE), ==, 12);
    g_assert_cmpuint(value_shared(&text, 2, &text, 3, 5), ==, 5);
    g_assert_cmpuint(value_shared(&text, 0, &text, 3, G_MAXSIZE), ==, 0);
    g_assert_cmpuint(value_shared(&text, 5, &text, 6, G_MAXSIZE), ==, 1);
    g_assert_cmpuint(value_shared(&text, 5, &text, 1, G_MAXSIZE), ==, 0);
    g_assert_cmpuint(value_shared(&number, 1, &number, 1, G_MAXSIZE), ==, 0);
    g_assert_cmpuint(value_rank(&text, 2, 8), ==, UINT64_C(0x3030303100000000));
    g_assert_cmpuint(value_rank(&text, 2, 12), ==, 0);
    g_assert_cmpuint(value_rank(&text, 2, 13), ==, 0);
}

/* Behind what the text has already: each value by itself, quotes of JSON taken off at their own place. */
static void test_texts_are_appended(Fixture *f, gconstpointer data)
{
    (void) data;
    g_autoptr(GString) out = g_string_new("(\"x\"");
    for (int64_t number = 0; number < 10; number++) {
        SfColumn view = column(f, number);
        g_string_append(out, ", ");
        g_assert_cmpint(value_text(out, &view, 4, NULL), ==, SF_OK);
    }
    g_assert_cmpstr(
        out->str, ==,
        "(\"x\", true, 7, 9223372036854775807, 92233720368547758.07, ORD-0000€, 54314a452f773d3d, 2024-01-15, "
        "2024-01-15 10:30:00.000000, 2.0, 2.000");
}

/* Doubles that no number is: NaN is the greatest, and equal to itself. */
static void test_doubles(Fixture *f, gconstpointer data)
{
    (void) data;
    static const double values[] = {-INFINITY, -1.5, 0, 1e300, INFINITY, NAN, -NAN};
    static const char *const texts[] = {"-inf", "-1.5", "0.0", "1e+300", "inf", "NaN", "NaN"};
    SfColumn view = column(f, 8);
    view.values = values;
    for (int a = 0; a < 7; a++) {
        g_autoptr(GString) out = g_string_new("x");
        g_assert_cmpint(value_text(out, &view, a, NULL), ==, SF_OK);
        g_assert_cmpstr(out->str + 1, ==, texts[a]);
        for (int b = 0; b < 7; b++) {
            int x = MIN(a, 5), y = MIN(b, 5);
            g_assert_cmpint(value_compare(&view, a, &view, b), ==, (x > y) - (x < y));
        }
    }
}

/* A key's hash is of all its bytes, in whole words and what is left of one. */
static void test_hashes(Fixture *f, gconstpointer data)
{
    (void) data;
    static const char *const same_ends[] = {"[\"abcdefgh-1-ijklmnop\"]",
                                            "[\"abcdefgh-2-ijklmnop\"]",
                                            "[\"abcdefgh-1-ijklmno\"]",
                                            "[\"abcdefgh-1-ijklmnopq\"]",
                                            "[\"\"]",
                                            "[\"abcdefgh\"]",
                                            "[\"bacdefgh\"]",
                                            "[\"abcdefgh-1-ijklmnop\"]"};
    g_autoptr(Harness) h = harness_new("snowflake-gold-sink", "connection: Driver=SQLite3;Database=x.db\nprovenance: "
                                                              "false\nfacts: {f: {key: a, latest_by: a}}");
    harness_input_text(h, "rows", "a string");
    SfColumn view;
    const SfBatch *batch = harness_rows(h, 0, "t/0", 0, same_ends, 8);
    g_assert_cmpint(sf_column_at(batch, 0, &view, NULL), ==, SF_OK);
    for (int a = 0; a < 8; a++)
        for (int b = 0; b < 8; b++) {
            bool same = a % 7 == b % 7;
            g_assert_cmpint(value_hash(5, &view, a) == value_hash(5, &view, b), ==, same);
            g_assert_cmpint(value_equal(&view, a, &view, b), ==, same);
            g_assert_cmpint(value_compare(&view, a, &view, b) == 0, ==, same);
        }
    g_assert_cmpuint(value_hash(5, &view, 0), !=, value_hash(6, &view, 0));
    SfColumn number = column(f, 1), decimal = column(f, 3);
    for (int a = 0; a < 7; a++)
        for (int b = 0; b < a; b++) {
            g_assert_cmpuint(value_hash(0, &number, a), !=, value_hash(0, &number, b));
            g_assert_cmpuint(value_hash(0, &decimal, a), !=, value_hash(0, &decimal, b));
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(name, function) g_test_add("/gold/ranks/" name, Fixture, NULL, setup, function, teardown)
    CASE("ranks are in the order of the values", test_ranks);
    CASE("what texts begin with is left out of their ranks", test_what_texts_share);
    CASE("texts are appended to what is there", test_texts_are_appended);
    CASE("doubles beside the numbers", test_doubles);
    CASE("hashes are of all bytes", test_hashes);
    return g_test_run();
}
