/* Plugins that were compiled against another minor version of the header, or by another compiler, run in this host. */
#include <glib/gstdio.h>
#include <locale.h>
#include "harness.h"

static void test_hooks_that_an_older_plugin_lacks_are_null(void)
{
    SfError err;
    const Plugin *plugin = registry_load("older-sink", &err);
    if (!plugin)
        g_error("%s", err.message);
    g_assert_nonnull(plugin->sink.commit);
    g_assert_null(plugin->sink.tick);
    g_assert_null(plugin->sink.interrupt);
    g_assert_null(plugin->sink.close);
    g_assert_cmpuint(plugin->options->len, ==, 2);
    const SfOption *limit = &g_array_index(plugin->options, SfOption, 1);
    g_assert_cmpstr(limit->doc, ==, "Limit.");
    g_assert_null(limit->since);
    g_assert_null(limit->example);
}

static void test_older_sink_writes_commits_and_recovers(void)
{
    g_autofree char *folder = g_dir_make_tmp("sf-abi-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "end", NULL);
    g_autofree char *options = g_strdup_printf("{path: %s, limit: 3}", path);
    g_autoptr(Harness) h = harness_new("older-sink", options);
    const char *const values[] = {"{}", "{}", "{}"};
    harness_write(h, 0, harness_raw(h, "events/0", 40, values, 3));
    harness_tick(h);
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 43);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, 43);
    g_autofree char *wrong = harness_check("older-sink", "{path: x, limit: 0}");
    g_assert_nonnull(strstr(wrong, "limit"));
    g_unlink(path);
    g_rmdir(folder);
}

static void test_members_that_a_newer_plugin_has_are_ignored(void)
{
    g_autoptr(Harness) h = harness_new("newer-filter", "least: 5");
    harness_input_text(h, "numbers", "n bigint not null");
    const SfBatch *out = harness_apply(h, harness_rows(h, 0, "numbers/0", 0, (const char *[]){"[4]", "[5]", "[6]"}, 3));
    g_assert_cmpstr(harness_text(h, out), ==, "{\"n\":5}\n{\"n\":6}");
    g_autofree char *wrong = harness_check("newer-filter", "lest: 5");
    g_assert_nonnull(strstr(wrong, "did you mean 'least'?"));
}

static void test_hooks_may_be_cpp(void)
{
    g_autoptr(Harness) h = harness_new("cpp-filter", "words: [a, b]");
    harness_input_text(h, "words", "s string");
    const char *const rows[] = {"[\"a\"]", "[\"c\"]", "[null]", "[\"b\"]"};
    const SfBatch *out = harness_apply(h, harness_rows(h, 0, "words/0", 0, rows, 4));
    g_assert_cmpstr(harness_text(h, out), ==, "{\"s\":\"a\"}\n{\"s\":\"b\"}");
    g_assert_cmpstr(harness_rejects(h), ==, "words/0@2: s: a null where a word was expected");
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/abi/hooks that an older plugin lacks are null", test_hooks_that_an_older_plugin_lacks_are_null);
    g_test_add_func("/abi/older sink writes, commits and recovers", test_older_sink_writes_commits_and_recovers);
    g_test_add_func("/abi/members that a newer plugin has are ignored",
                    test_members_that_a_newer_plugin_has_are_ignored);
    g_test_add_func("/abi/hooks may be C++", test_hooks_may_be_cpp);
    return g_test_run();
}
