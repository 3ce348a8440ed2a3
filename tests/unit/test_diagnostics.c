/* The list of mistakes: its order, its end, and what is taken back. */
#include "config/diagnostics.h"
#include "config/value.h"

static SfValue at(const char *file, int line, int column)
{
    return (SfValue){.file = (char *) file, .line = line, .column = column};
}

static const char *text_of(const Diagnostics *diagnostics, guint i)
{
    g_assert_cmpuint(i, <, diagnostics->errors->len);
    return ((const Diagnostic *) diagnostics->errors->pdata[i])->text;
}

/* A thousand are told, in their order; then one says that there are more, and stays the last. */
static void test_a_thousand_are_told(void)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    for (int i = 0; i < 1003; i++) {
        SfValue place = at("p.yaml", 2000 - i, 1);
        if (i % 2)
            diagnostics_add(diagnostics, &place, "mistake %d", i);
        else
            diagnostics_add_option(diagnostics, &place, "rows", "mistake %d", i);
        if (i == 999)
            g_assert_cmpuint(diagnostics->errors->len, ==, 1000);
    }
    diagnostics_sort(diagnostics);
    g_assert_cmpuint(diagnostics->errors->len, ==, 1001);
    g_assert_cmpuint(diagnostics->n_errors, ==, 1003);
    g_assert_cmpstr(text_of(diagnostics, 0), ==, "mistake 999");
    g_assert_cmpstr(text_of(diagnostics, 999), ==, "mistake 0");
    g_assert_cmpstr(text_of(diagnostics, 1000), ==, "more than 1000 errors; the others are not shown");
    diagnostics_forget(diagnostics, 1);
    g_assert_cmpuint(diagnostics->errors->len, ==, 1);
    diagnostics_forget(diagnostics, 5);
    g_assert_cmpuint(diagnostics->n_errors, ==, 1);
    g_assert_true(diagnostics_any(diagnostics));
    diagnostics_forget(diagnostics, 0);
    g_assert_false(diagnostics_any(diagnostics));
}

static void test_order_of_the_file(void)
{
    static const struct {
        const char *file;
        int line, column;
    } places[] = {{"b", 1, 1}, {"a", 2, 1}, {"a", 1, 9}, {"a", 1, 2}, {"a", 1, 2}, {NULL, 0, 0}};
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        SfValue place = at(places[i].file, places[i].line, places[i].column);
        diagnostics_add(diagnostics, places[i].file ? &place : NULL, "%u", i);
        diagnostics_warn(diagnostics, places[i].file ? &place : NULL, "%u", i);
    }
    diagnostics_sort(diagnostics);
    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        static const char *const order[] = {"5", "3", "4", "2", "1", "0"};
        g_assert_cmpstr(text_of(diagnostics, i), ==, order[i]);
        g_assert_cmpstr(((const Diagnostic *) diagnostics->warnings->pdata[i])->text, ==, order[i]);
    }
}

/* The option's name at its beginning is not the cause. */
static void test_cause(void)
{
    static const struct {
        const char *option, *text, *cause;
    } told[] = {
        {"rows", "rows: 'x' is too much", "'x' is too much"},
        {"rows", "option 'rows': 'x' is too much", "'x' is too much"},
        {"rows", "option 'rowses': 'x' is too much", "option 'rowses': 'x' is too much"},
        {"rows", "rows 'x' is too much", "rows 'x' is too much"},
        {"rows", "columns: 'x' is too much", "columns: 'x' is too much"},
        {NULL, "rows: 'x' is too much", "rows: 'x' is too much"},
    };
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    for (guint i = 0; i < G_N_ELEMENTS(told); i++) {
        diagnostics_add_option(diagnostics, NULL, told[i].option, "%s", told[i].text);
        g_assert_cmpstr(diagnostic_cause(diagnostics->errors->pdata[i]), ==, told[i].cause);
    }
}

static void assert_split(const char *message, const char *file, int line, int column, const char *rest)
{
    g_autofree char *found = NULL;
    int found_line = -1, found_column = -1;
    g_assert_cmpstr(diagnostic_split(message, &found, &found_line, &found_column), ==, rest);
    g_assert_cmpstr(found, ==, file);
    g_assert_cmpint(found_line, ==, line);
    g_assert_cmpint(found_column, ==, column);
}

static void test_place_in_a_message(void)
{
    assert_split("p.yaml:3:14: wrong", "p.yaml", 3, 14, "wrong");
    assert_split("C:x:3:14: wrong", "C:x", 3, 14, "wrong");
    assert_split("p.yaml:99999999999:1: wrong", "p.yaml", G_MAXINT, 1, "wrong");
    assert_split("p.yaml:2147483646:1: wrong", "p.yaml", G_MAXINT - 1, 1, "wrong");
    assert_split("p.yaml:3: wrong", NULL, 0, 0, "p.yaml:3: wrong");
    assert_split("p.yaml:3:x: wrong", NULL, 0, 0, "p.yaml:3:x: wrong");
    assert_split("p.yaml:3:4 wrong", NULL, 0, 0, "p.yaml:3:4 wrong");
    assert_split("column: at 3:4: wrong", NULL, 0, 0, "column: at 3:4: wrong");
    assert_split("", NULL, 0, 0, "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/diagnostics/a-thousand-are-told", test_a_thousand_are_told);
    g_test_add_func("/diagnostics/order-of-the-file", test_order_of_the_file);
    g_test_add_func("/diagnostics/cause", test_cause);
    g_test_add_func("/diagnostics/place-in-a-message", test_place_in_a_message);
    return g_test_run();
}
