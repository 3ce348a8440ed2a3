/* json_valid() against RFC 8259: JSONTestSuite, and the rules that bronze rests on. */
#include <glib.h>
#include <string.h>
#include "json/check.h"

/* A copy that ends where its memory ends, so that the address sanitizer sees a byte read behind it. */
static bool valid(const char *data, gsize size, JsonFault *fault)
{
    g_autofree char *copy = g_memdup2(data, size);
    return json_valid(copy, size, NULL, fault);
}

static void assert_fault(const char *text, gsize offset, const char *reason)
{
    JsonFault fault = {.reason = NULL};
    g_assert_false(valid(text, strlen(text), &fault));
    g_assert_cmpuint(fault.offset, ==, offset);
    g_assert_cmpstr(fault.reason, ==, reason);
}

static void test_suite(void)
{
    const char *folder = SF_SOURCE_DIR "/tests/data/JSONTestSuite/test_parsing";
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_assert_nonnull(dir);
    guint cases = 0;
    for (const char *name; (name = g_dir_read_name(dir)); cases++) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *text = NULL;
        gsize size = 0;
        g_assert_true(g_file_get_contents(path, &text, &size, NULL));
        bool ok = valid(text, size, NULL);
        if ((name[0] == 'y' && !ok) || (name[0] == 'n' && ok)) {
            g_test_message("%s: %s", name, ok ? "accepted" : "rejected");
            g_test_fail();
        }
    }
    g_assert_cmpuint(cases, >, 300);
}

static void test_faults(void)
{
    assert_fault("", 0, "value expected");
    assert_fault(" \n", 2, "value expected");
    assert_fault("{\"a\":1", 6, "',' or '}' expected");
    assert_fault("[1 2]", 3, "',' or ']' expected");
    assert_fault("[1}", 2, "',' or ']' expected");
    assert_fault("{\"a\" 1}", 5, "':' expected");
    assert_fault("{a:1}", 1, "field name expected");
    assert_fault("{\"a\":1,}", 7, "field name expected");
    assert_fault("[1,]", 3, "value expected");
    assert_fault("\"abc", 4, "string without an end");
    assert_fault("\"a\tc\"", 2, "control character in a string");
    assert_fault("\"\\x\"", 1, "unknown escape in a string");
    assert_fault("\"\\u12G4\"", 1, "\\u without four hexadecimal digits in a string");
    assert_fault("\"\xC3(\"", 1, "invalid UTF-8 in a string");
    assert_fault("\"a\xF5\x80\x80\x80\"", 2, "invalid UTF-8 in a string");
    assert_fault("\"a\xE4\x80(\"", 2, "invalid UTF-8 in a string");
    assert_fault("\"a\x80\"", 2, "invalid UTF-8 in a string");
    assert_fault("01", 1, "number with a leading zero");
    assert_fault("-", 1, "digit expected");
    assert_fault("1.", 2, "digit expected");
    assert_fault("1e+", 3, "digit expected");
    assert_fault("1e", 2, "digit expected");
    assert_fault("1E-", 3, "digit expected");
    assert_fault("[1.                ]", 3, "digit expected");
    assert_fault("[-1.                ]", 4, "digit expected");
    assert_fault("[01                 ]", 2, "number with a leading zero");
    assert_fault("[1e                 ]", 3, "digit expected");
    assert_fault("[1.5.               ]", 4, "',' or ']' expected");
    assert_fault("[123456789012345.   ]", 17, "digit expected");
    assert_fault("nul", 0, "value expected");
    assert_fault("{} {}", 3, "text after the value");
    assert_fault("\xEF\xBB\xBF{}", 0, "value expected");
    JsonFault fault = {.reason = NULL};
    g_assert_false(valid("[\0]", 3, &fault));
    g_assert_cmpuint(fault.offset, ==, 1);
}

/* Every first byte with many second, third and fourth ones, of every length, against GLib's validator. */
static void test_utf8(void)
{
    for (guint first = 0x80; first < 0x100; first++) {
        for (guint rest = 0; rest < 0x10000; rest += 0x0B) {
            char text[] = {'"',
                           (char) first,
                           (char) (rest & 0xFF),
                           (char) (0x80 | (rest >> 8 & 0x7F)),
                           (char) (0x80 | (rest >> 6 & 0x3F)),
                           '"'};
            for (gsize size = 1; size <= 4; size++) {
                text[1 + size] = '"';
                bool odd = memchr(text + 1, '"', size) || memchr(text + 1, '\\', size);
                for (gsize i = 1; i <= size; i++)
                    odd |= (guchar) text[i] < ' ';
                if (!odd)
                    g_assert_cmpint(valid(text, size + 2, NULL), ==, g_utf8_validate_len(text, size + 2, NULL));
                text[1 + size] = (char) (0x80 | (rest >> (size == 1 ? 0 : 6) & 0x3F));
            }
        }
    }
}

static void test_numbers_of_any_size(void)
{
    static const char *const texts[] = {"-0",
                                        "9007199254740993",
                                        "169299987.35345112",
                                        "1e400",
                                        "-1E-400",
                                        "1e+400",
                                        "12345678901234567890123456789012345678.5",
                                        "0.0"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_assert_true(valid(texts[i], strlen(texts[i]), NULL));
}

static void test_nesting_ends_at_1024(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < 1024; i++)
        g_string_append(text, i % 2 ? "{\"a\":" : "[");
    g_string_append_c(text, '1');
    for (int i = 1023; i >= 0; i--)
        g_string_append_c(text, i % 2 ? '}' : ']');
    g_assert_true(valid(text->str, text->len, NULL));
    g_string_prepend_c(text, '[');
    g_string_append_c(text, ']');
    JsonFault fault = {.reason = NULL};
    g_assert_false(valid(text->str, text->len, &fault));
    g_assert_cmpstr(fault.reason, ==, "nesting deeper than 1024");
}

static void test_breaks_between_tokens_are_told(void)
{
    bool breaks = true;
    g_assert_true(json_valid("{\"a\\n\": [1, 2]}", 15, &breaks, NULL));
    g_assert_false(breaks);
    g_assert_true(json_valid("{\"a\":\r[1]}", 10, &breaks, NULL));
    g_assert_true(breaks);
    g_assert_true(json_valid("1\n", 2, &breaks, NULL));
    g_assert_true(breaks);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-check/suite", test_suite);
    g_test_add_func("/json-check/faults-name-place-and-reason", test_faults);
    g_test_add_func("/json-check/utf8", test_utf8);
    g_test_add_func("/json-check/numbers-of-any-size", test_numbers_of_any_size);
    g_test_add_func("/json-check/nesting-ends-at-1024", test_nesting_ends_at_1024);
    g_test_add_func("/json-check/breaks-between-tokens-are-told", test_breaks_between_tokens_are_told);
    return g_test_run();
}
