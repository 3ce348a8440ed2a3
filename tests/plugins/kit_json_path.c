/* JSON paths in a text: which value each leads to. */
#include <glib.h>
#include <string.h>

#include "json/check.h"
#include "json/path.h"

/* What the path leads to in the text, or NULL. The text lies in a block of its own size, so that ASan sees a byte too
 * far. */
static char *find(const char *notation, const char *text)
{
    SfError err;
    size_t size = strlen(text), value_size = 0;
    g_autofree char *tight = g_memdup2(text, size);
    const char *value = NULL;
    g_autoptr(JsonPath) path = json_path_read(&notation, &err);
    if (!path)
        g_error("%s", err.message);
    g_assert_cmpstr(notation, ==, "");
    g_assert_true(json_valid(tight, size, NULL, NULL));
    return json_path_find(path, tight, size, &value, &value_size) ? g_strndup(value, value_size) : NULL;
}

#define assert_found(path, text, expected)                                                                             \
    do {                                                                                                               \
        g_autofree char *found = find(path, text);                                                                     \
        g_assert_cmpstr(found, ==, expected);                                                                          \
    } while (0)

static void test_members(void)
{
    assert_found("a", "{\"a\":1}", "1");
    assert_found("$.a", " { \"b\" : {\"a\":2} , \"a\" : \"x,}\" } ", "\"x,}\"");
    assert_found("b.a", "{\"a\":1,\"b\":{\"c\":[],\"a\":-2.5e3}}", "-2.5e3");
    assert_found("$['b']['c d']", "{\"b\":{\"c\":0,\"c d\":null}}", "null");
    assert_found("`a.b`", "{\"a\":{\"b\":1},\"a.b\":2}", "2");
    assert_found("$", " [1, 2] ", "[1, 2]");
    assert_found("a", "{\"aa\":1,\"A\":2,\"a\":3}", "3");
}

static void test_first_of_a_key_counts(void)
{
    assert_found("a", "{\"a\":1,\"a\":2}", "1");
    assert_found("a.b", "{\"a\":{\"c\":1},\"a\":{\"b\":2}}", NULL);
}

static void test_elements(void)
{
    assert_found("a[0]", "{\"a\":[10,20,30]}", "10");
    assert_found("a[2]", "{\"a\":[10,20,30]}", "30");
    assert_found("a[3]", "{\"a\":[10,20,30]}", NULL);
    assert_found("a[-1]", "{\"a\":[10,20, 30 ]}", "30");
    assert_found("a[-3]", "{\"a\":[ 10,20,30]}", "10");
    assert_found("a[-4]", "{\"a\":[10,20,30]}", NULL);
    assert_found("a[0]", "{\"a\":[ ]}", NULL);
    assert_found("a[-1]", "{\"a\":[]}", NULL);
    assert_found("a[1][0].b", "{\"a\":[[1],[{\"b\":[7]}]]}", "[7]");
}

static void test_what_is_not_there(void)
{
    static const char *const texts[] = {
        "{}", "[]", "1", "\"a\"", "null", "{\"a\":null}", "{\"a\":1}", "{\"a\":{}}", "{\"a\":[{\"b\":1}]}"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        assert_found("a.b", texts[i], NULL);
    assert_found("a[0]", "{\"a\":{\"0\":1}}", NULL);
    assert_found("a.b", "{\"a\":[\"b\",5]}", NULL); /* a list is no object, whatever stands in it */
}

static void test_escapes_in_keys(void)
{
    assert_found("Größe", "{\"Gr\\u00f6\\u00dfe\":1}", "1");
    assert_found("a", "{\"\\u0061\":1,\"a\":2}", "1");
    assert_found("a", "{\"\\ud83d\":1,\"\\u0061\":2}", "2"); /* half of a pair is no key that a path can name */
    assert_found("$['a\"b']", "{\"a\\\"b\":3}", "3");
    assert_found("$['a\\'b\\\\']", "{\"a'b\\\\\":4}", "4"); /* a backslash takes the next character as it is */
    assert_found("a€", "{\"a\\u20ac\":5}", "5");
    assert_found("a😀", "{\"a\\ud83d\\ude00\":6}", "6");
    assert_found("ab", "{\"\\u0061\":1}", NULL);
    assert_found("abcdefgh", "{\"\\u0061\":1}", NULL);
}

static void assert_refused(const char *notation, const char *message)
{
    SfError err;
    g_assert_null(json_path_read(&notation, &err));
    g_assert_cmpstr(err.message, ==, message);
}

static void test_what_is_not_a_path(void)
{
#define EXPECTED "a path expected, as in customer.city, items[0].sku or `first key`.city"
    assert_refused("", EXPECTED "; this one ends where a key is expected");
    assert_refused("a.", EXPECTED "; this one ends where a key is expected");
    assert_refused("a..b", EXPECTED ", not '.b'");
    assert_refused("`a", EXPECTED ", not '`a'");
    assert_refused("``", EXPECTED ", not '``'");
    assert_refused("a['b", EXPECTED ", not ''b'");
    assert_refused("a['']", EXPECTED ", not ''']'");
    assert_refused("a['b\\']", EXPECTED ", not ''b\\']'");
    assert_refused("a['b'", "the path ends before its ']'");
    assert_refused("a['b'x]", "']' expected in a path, not 'x]'");
    assert_refused("a[0", "the path ends before its ']'");
    assert_refused("a[0x]", "'[0x]' in a path; [0] is a list's first element, [-1] its last one, ['key'] a member; for "
                            "several values read the list itself, as list<…>");
    assert_refused("a[1000000000]", "no list has an element [1000000000]");
    assert_refused("a[-0]", "no list has an element [-0]");
    assert_refused("/a", "'/a' is a JSON pointer; a path is written as user.id or user[0].id");
    assert_refused("$[0]", "an event is an object: a path begins with a key, as in $.items[0]");
    assert_refused("a*", "'a*' in a path gives several values; read the list or object itself, as list<…> or "
                         "struct<…>");
    assert_refused("a:b", "':' in the path 'a:b'; write user.id or user[0].id, and backticks around a key with it");
    g_autoptr(GString) deep = g_string_new("a");
    for (int i = 0; i < 31; i++)
        g_string_append(deep, ".a");
    const char *most = deep->str;
    g_autoptr(JsonPath) path = json_path_read(&most, NULL);
    g_assert_cmpuint(path->steps->len, ==, 32);
    g_string_append(deep, ".a");
    assert_refused(deep->str, "a path of more than 32 steps");
    json_path_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-path/members", test_members);
    g_test_add_func("/json-path/the first of a key counts", test_first_of_a_key_counts);
    g_test_add_func("/json-path/elements", test_elements);
    g_test_add_func("/json-path/what is not there", test_what_is_not_there);
    g_test_add_func("/json-path/escapes in keys", test_escapes_in_keys);
    g_test_add_func("/json-path/what is not a path", test_what_is_not_a_path);
    return g_test_run();
}
