/* Foreign text for a terminal: control characters are shown, the rest is as it was. */
#include "data/printable.h"

#include <string.h>

static void test_controls(void)
{
    static const char *const texts[][2] = {
        {"plain \xc3\xa9\xe4\xb8\xad \xf0\x9f\x98\x81", "plain \xc3\xa9\xe4\xb8\xad \xf0\x9f\x98\x81"},
        {"\033[2J\a\b\x7f", "\\x1b[2J\\x07\\x08\\x7f"},
        {"\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\x80\\x9b\\x9f\xc2\xa0"}, /* U+00A0 is a blank */
        {"a\nb\tc\rd", "a\nb\\x09c\\x0dd"},
        {"bad \xff\x9b", "bad \xef\xbf\xbd\xef\xbf\xbd"},
        {"", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *shown = printable(texts[i][0], "\n");
        g_assert_cmpstr(shown, ==, texts[i][1]);
    }
}

/* Every byte and every pair of bytes: nothing that is left is a control character, and it is UTF-8. */
static void test_all_bytes(void)
{
    for (guint first = 0; first < 256; first++) {
        for (guint second = 0; second < 256; second++) {
            const char bytes[] = {(char) first, (char) second};
            g_autofree char *shown = printable_bytes(bytes, 2, "", "\\x");
            g_assert_true(g_utf8_validate(shown, -1, NULL));
            for (const char *at = shown; *at; at = g_utf8_next_char(at)) {
                gunichar c = g_utf8_get_char(at);
                g_assert_true(c >= 0x20 && (c < 0x7F || c > 0x9F));
            }
        }
    }
}

static void test_json_stays_json(void)
{
    const char bytes[] = "{\"a\":\"\x7f\xc2\x9b\"}";
    g_autofree char *shown = printable_bytes(bytes, strlen(bytes), "\n", "\\u00");
    g_assert_cmpstr(shown, ==, "{\"a\":\"\\u007f\\u009b\"}");
}

static void test_columns_of_a_terminal(void)
{
    g_assert_cmpuint(printable_width("gold"), ==, 4);
    g_assert_cmpuint(printable_width("\xe5\xa3\xb2\xe4\xb8\x8a"), ==, 4); /* two wide ones */
    g_assert_cmpuint(printable_width("e\xcc\x81"), ==, 1);                /* an accent that combines */
    g_assert_cmpuint(printable_width("\033[33mgold\033[0m"), ==, 4);
}

static void test_cut(void)
{
    static const struct {
        const char *text;
        guint width, tail;
        const char *cut;
    } cases[] = {
        {"gold", 4, 2, "gold"},
        {"silver", 5, 0, "silv\xe2\x80\xa6"},
        {"silver", 5, 2,
         "si\xe2\x80\xa6"
         "er"},
        {"silver", 5, 9, "\xe2\x80\xa6lver"},
        {"silver", 1, 9, "\xe2\x80\xa6"},
        {"silver", 0, 0, ""},
        {"\xe5\xa3\xb2\xe4\xb8\x8a\xe6\x97\xa5", 4, 0, "\xe5\xa3\xb2\xe2\x80\xa6"},
        {"\xe5\xa3\xb2\xe4\xb8\x8a\xe6\x97\xa5", 5, 2, "\xe5\xa3\xb2\xe2\x80\xa6\xe6\x97\xa5"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *cut = printable_cut(cases[i].text, cases[i].width, cases[i].tail);
        g_assert_cmpstr(cut, ==, cases[i].cut);
        g_assert_cmpuint(printable_width(cut), <=, cases[i].width);
    }
}

static void test_counts(void)
{
    static const struct {
        gint64 n;
        const char *full, *brief;
    } cases[] = {
        {0, "0", "0"},
        {999, "999", "999"},
        {1000, "1,000", "1.0k"},
        {9949, "9,949", "9.9k"},
        {9950, "9,950", "10k"},
        {999499, "999,499", "999k"},
        {999500, "999,500", "1.0M"},
        {1234567, "1,234,567", "1.2M"},
        {G_MAXINT64, "9,223,372,036,854,775,807", "9.2E"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *full = printable_count(cases[i].n), *brief = printable_brief_count(cases[i].n);
        g_assert_cmpstr(full, ==, cases[i].full);
        g_assert_cmpstr(brief, ==, cases[i].brief);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/printable/controls", test_controls);
    g_test_add_func("/printable/all-bytes", test_all_bytes);
    g_test_add_func("/printable/json-stays-json", test_json_stays_json);
    g_test_add_func("/printable/columns-of-a-terminal", test_columns_of_a_terminal);
    g_test_add_func("/printable/cut", test_cut);
    g_test_add_func("/printable/counts", test_counts);
    return g_test_run();
}
