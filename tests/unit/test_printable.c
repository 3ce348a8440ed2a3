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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/printable/controls", test_controls);
    g_test_add_func("/printable/all-bytes", test_all_bytes);
    g_test_add_func("/printable/json-stays-json", test_json_stays_json);
    return g_test_run();
}
