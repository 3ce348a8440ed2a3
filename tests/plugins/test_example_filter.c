/* example-filter: what the plugin guide promises of it. */
#include <locale.h>
#include "harness.h"

#define SCHEMA "order_id string not null, sales double, quantity int"

static const char *const rows[] = {"[\"A\", 10.5, 1]", "[\"B\", 9.99, 2]", "[\"C\", null, 3]", "[\"D\", 10, 4]"};

static void test_keeps_rows_from_the_minimum_on(void)
{
    g_autoptr(Harness) h = harness_new("example-filter", "{column: sales, min: 10}");
    harness_input_text(h, "sales", SCHEMA);
    const SfBatch *out = harness_apply(h, harness_rows(h, 0, "events/0", 100, rows, 4));
    g_assert_cmpstr(
        harness_text(h, out), ==,
        "{\"order_id\":\"A\",\"sales\":10.5,\"quantity\":1}\n{\"order_id\":\"D\",\"sales\":10,\"quantity\":4}");
    g_assert_cmpint(out->start, ==, 100);
    g_assert_cmpint(out->end, ==, 104);
    g_assert_cmpuint(harness_n_rejects(h), ==, 0);
}

static void test_batch_without_matches_keeps_its_range(void)
{
    g_autoptr(Harness) h = harness_new("example-filter", "{column: sales, min: 1e6}");
    harness_input_text(h, "sales", SCHEMA);
    const SfBatch *out = harness_apply(h, harness_rows(h, 0, "events/0", 7, rows, 4));
    g_assert_cmpint(sf_rows(out), ==, 0);
    g_assert_cmpint(out->end, ==, 11);
}

static void test_minimum_defaults_to_zero(void)
{
    g_autoptr(Harness) h = harness_new("example-filter", "column: sales");
    harness_input_text(h, "sales", SCHEMA);
    g_assert_cmpint(sf_rows(harness_apply(h, harness_rows(h, 0, "events/0", 0, rows, 4))), ==, 3);
    harness_reopen(h);
    g_assert_cmpint(sf_rows(harness_apply(h, harness_rows(h, 0, "events/0", 0, rows, 4))), ==, 3);
}

static void test_column_must_be_there_and_a_double(void)
{
    g_autoptr(Harness) missing = harness_new("example-filter", "column: sale");
    harness_input_text(missing, "sales", SCHEMA);
    g_assert_cmpint(harness_try_bind(missing), ==, SF_CONFIG);
    g_assert_cmpstr(missing->err.message, ==, "column: there is no column 'sale'; did you mean 'sales'?");
    g_autoptr(Harness) wrong = harness_new("example-filter", "column: quantity");
    harness_input_text(wrong, "sales", SCHEMA);
    g_assert_cmpint(harness_try_bind(wrong), ==, SF_CONFIG);
    g_assert_cmpstr(wrong->err.message, ==, "column: column 'quantity' is int, where double is expected");
}

static void test_options_are_checked(void)
{
    g_autofree char *none = harness_check("example-filter", "");
    g_assert_nonnull(strstr(none, "'column'"));
    g_autofree char *typo = harness_check("example-filter", "{column: sales, minn: 3}");
    g_assert_nonnull(strstr(typo, "options.yaml:1:17: "));
    g_assert_nonnull(strstr(typo, "did you mean 'min'?"));
    g_autofree char *fine = harness_check("example-filter", "{column: sales, min: -3.5}");
    g_assert_cmpstr(fine, ==, "");
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/example-filter/keeps rows from the minimum on", test_keeps_rows_from_the_minimum_on);
    g_test_add_func("/example-filter/batch without matches keeps its range",
                    test_batch_without_matches_keeps_its_range);
    g_test_add_func("/example-filter/minimum defaults to zero", test_minimum_defaults_to_zero);
    g_test_add_func("/example-filter/column must be there and a double", test_column_must_be_there_and_a_double);
    g_test_add_func("/example-filter/options are checked", test_options_are_checked);
    return g_test_run();
}
