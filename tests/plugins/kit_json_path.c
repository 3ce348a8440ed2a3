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
    assert_found("ab", "{\"\\u0061\":1}", NULL);
    assert_found("abcdefgh", "{\"\\u0061\":1}", NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-path/members", test_members);
    g_test_add_func("/json-path/the first of a key counts", test_first_of_a_key_counts);
    g_test_add_func("/json-path/elements", test_elements);
    g_test_add_func("/json-path/what is not there", test_what_is_not_there);
    g_test_add_func("/json-path/escapes in keys", test_escapes_in_keys);
    return g_test_run();
}
