/* Names by each rule: which are one, and that a set finds what the comparison finds equal. */
#include "names.h"

#include <string.h>

static const NameRule rules[] = {NAMES_EXACT, NAMES_ASCII, NAMES_ANY_CASE};

static void test_equal(void)
{
    static const struct {
        const char *a, *b;
        bool equal[3]; /* a rule each */
    } cases[] = {
        {"", "", {true, true, true}},
        {"id", "id", {true, true, true}},
        {"id", "ID", {false, true, true}},
        {"id", "id2", {false, false, false}},
        {"Ünit", "ünit", {false, false, true}},
        {"Ünit", "ÜNIT", {false, true, true}},
        {"straße", "strasse", {false, false, false}},
        {"straße", "STRAßE", {false, true, true}},
        {"İd", "id", {false, false, true}}, /* as equalsIgnoreCase: U+0130 without its dot */
        {"ſ", "s", {false, false, true}},   /* U+017F, whose capital is S */
        {"a\xc3", "a\xc3", {true, true, true}},
        {"a\xc3", "a", {false, false, false}}, /* no UTF-8: not read beyond its end */
        {"a\xc3", "a\xe3", {false, false, false}},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        for (gsize k = 0; k < G_N_ELEMENTS(rules); k++) {
            if (name_equal(rules[k], cases[i].a, cases[i].b) != cases[i].equal[k] ||
                name_equal(rules[k], cases[i].b, cases[i].a) != cases[i].equal[k])
                g_error("rule %d: '%s', '%s'", rules[k], cases[i].a, cases[i].b);
            g_autoptr(GHashTable) set = name_set_new(rules[k]);
            g_assert_true(name_set_add(set, cases[i].a, 7));
            g_assert_cmpint(name_set_find(set, cases[i].b), ==, cases[i].equal[k] ? 7 : -1);
            g_assert_true(name_set_add(set, cases[i].b, 8) == !cases[i].equal[k]);
        }
}

static void test_many(void)
{
    g_autoptr(GHashTable) set = name_set_new(NAMES_ASCII);
    for (int i = 0; i < 20000; i++) {
        g_autofree char *name = g_strdup_printf("Column_%d", i);
        g_assert_true(name_set_add(set, name, i));
    }
    for (int i = 0; i < 20000; i++) {
        g_autofree char *name = g_strdup_printf("cOLUMN_%d", i);
        g_assert_cmpint(name_set_find(set, name), ==, i);
    }
    g_assert_cmpint(name_set_find(set, "column_20000"), ==, -1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/names/equal", test_equal);
    g_test_add_func("/names/many", test_many);
    return g_test_run();
}
