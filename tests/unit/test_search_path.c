/* Directories of the user's come first; the installation's can be replaced, or taken away. */
#include <glib.h>

#include "config/search_path.h"

static void assert_searched(const char *path, const char *directory, const char *expected)
{
    if (path)
        g_setenv("SF_TEST_PATH", path, TRUE);
    else
        g_unsetenv("SF_TEST_PATH");
    if (directory)
        g_setenv("SF_TEST_DIR", directory, TRUE);
    else
        g_unsetenv("SF_TEST_DIR");
    g_auto(GStrv) found = search_path("SF_TEST_PATH", "SF_TEST_DIR", "/built/in");
    g_autofree char *text = g_strjoinv(" ", found);
    g_assert_cmpstr(text, ==, expected);
}

static void test_users_come_first(void)
{
    assert_searched(NULL, NULL, "/built/in");
    assert_searched("", NULL, "/built/in");
    assert_searched("/a:b", NULL, "/a b /built/in");
}

static void test_empty_parts_are_no_directories(void)
{
    assert_searched(":/a::b:", NULL, "/a b /built/in");
}

static void test_the_installation_can_be_replaced(void)
{
    assert_searched("/a", "/other", "/a /other");
    assert_searched("/a", "", "/a");
    assert_searched("", "", "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/search-path/directories of the user's come first", test_users_come_first);
    g_test_add_func("/search-path/empty parts are no directories", test_empty_parts_are_no_directories);
    g_test_add_func("/search-path/the installation can be replaced, or taken away",
                    test_the_installation_can_be_replaced);
    return g_test_run();
}
