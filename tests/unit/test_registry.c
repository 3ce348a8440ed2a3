/* Plugins by name: what is found, what is refused and in which words. The modules are in tests/modules. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "config/registry.h"
#include "config/option_name.h"

static void assert_refused(const char *name, const char *part)
{
    SfError err = {0};
    g_assert_null(registry_load(name, &err));
    if (!strstr(err.message, part))
        g_test_message("'%s' is not in: %s", part, err.message);
    g_assert_nonnull(strstr(err.message, part));
}

static const Plugin *load(const char *name)
{
    SfError err = {0};
    const Plugin *plugin = registry_load(name, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_nonnull(plugin);
    return plugin;
}

static void plugin_is_loaded_once(void)
{
    const Plugin *plugin = load("test-source");
    g_assert_true(plugin == load("test-source"));
    g_assert_cmpint(plugin->kind, ==, SF_SOURCE);
    g_assert_cmpstr(plugin->head.name, ==, "test-source");
    g_assert_nonnull(plugin->source.poll);
    g_assert_null(plugin->source.serve);
    g_assert_true(g_str_has_suffix(plugin->path, "/test-source.so"));
}

static void options_are_there_without_the_end_row(void)
{
    const Plugin *plugin = load("test-sink");
    g_assert_cmpuint(plugin->options->len, ==, 3);
    const SfOption *option = &g_array_index(plugin->options, SfOption, 1);
    g_assert_cmpstr(option->field, ==, "flush_size");
    g_assert_cmpstr(option_name(option), ==, "flush.size");
    g_assert_cmpstr(option_name(&g_array_index(plugin->options, SfOption, 0)), ==, "url");
}

static void older_plugin_has_zeros_where_it_lacks_something(void)
{
    const Plugin *plugin = load("older-plugin");
    g_assert_cmpuint(plugin->head.size, <, sizeof(SfTransform));
    g_assert_cmpuint(plugin->head.option_size, <, sizeof(SfOption));
    g_assert_nonnull(plugin->transform.apply);
    g_assert_null(plugin->transform.close);
    g_assert_null(plugin->transform.keep_row);
    g_assert_cmpuint(plugin->options->len, ==, 2);
    const SfOption *second = &g_array_index(plugin->options, SfOption, 1);
    g_assert_cmpstr(second->field, ==, "word");
    g_assert_cmpstr(second->doc, ==, "Text over the number.");
    g_assert_null(second->example);
}

static void unknown_name_has_a_suggestion(void)
{
    assert_refused("test-sorce", "there is no plugin 'test-sorce'; did you mean 'test-source'?");
    assert_refused("kafka-fountain", "there is no plugin 'kafka-fountain'; `sfrun plugins` lists the available ones");
}

static void name_is_no_path(void)
{
    g_autofree char *path = g_build_filename(g_getenv("SF_PLUGIN_PATH"), "test-source", NULL);
    assert_refused(path, "there is no plugin");
    assert_refused("../modules/test-source", "there is no plugin");
    assert_refused("", "there is no plugin ''");
}

static void broken_modules_are_refused_in_words(void)
{
    assert_refused("broken-abi", "speaks version 2 of the plugin ABI");
    assert_refused("broken-no-symbol", "has no symbol sf_plugin_v1");
    assert_refused("broken-unresolved", "undefined symbol: symbol_of_nobody");
    assert_refused("broken-name", "calls itself 'another-name'");
    assert_refused("broken-no-end", "row 2 of its option table is not an option; close the table by SF_OPTION_END");
    assert_refused("broken-hook", "lacks its hook apply");
    assert_refused("broken-kind", "has no valid descriptor");
    assert_refused("broken-default", "option 'number': its default: '0' is too small; the least is 1");
    assert_refused("broken-reserved", "option 'from' has a name that every step uses already");
    assert_refused("broken-large", "wants a state of 67108865 bytes; the most is 64 MiB");
    assert_refused("broken-rows", "; rebuild it");
    assert_refused("broken-state", "option 'far' lies outside of the plugin's state");
}

/* Nothing is there at all: where it was looked for. */
static void no_plugin_anywhere(void)
{
    g_autofree char *dir = g_dir_make_tmp("sf-registry-XXXXXX", NULL);
    g_autofree char *old = g_strdup(g_getenv("SF_PLUGIN_PATH"));
    g_autofree char *wanted = g_strdup_printf("there is no plugin 'any', nor any other, in %s", dir);
    g_setenv("SF_PLUGIN_PATH", dir, TRUE);
    assert_refused("any", wanted);
    g_setenv("SF_PLUGIN_PATH", old, TRUE);
    g_assert_cmpint(g_remove(dir), ==, 0);
}

static void file_that_is_no_module_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("sf-registry-XXXXXX", &error);
    g_assert_no_error(error);
    g_autofree char *path = g_build_filename(dir, "text.so", NULL);
    g_file_set_contents(path, "no ELF", -1, &error);
    g_assert_no_error(error);
    g_autofree char *old = g_strdup(g_getenv("SF_PLUGIN_PATH"));
    g_autofree char *both = g_strconcat(dir, "::", old, NULL);
    g_setenv("SF_PLUGIN_PATH", both, TRUE);
    assert_refused("text", "cannot load plugin");
    assert_refused("text", "file too short");
    g_setenv("SF_PLUGIN_PATH", old, TRUE);
    g_assert_cmpint(g_remove(path), ==, 0);
    g_assert_cmpint(g_remove(dir), ==, 0);
}

static void list_is_sorted_and_has_every_name_once(void)
{
    g_autofree char *old = g_strdup(g_getenv("SF_PLUGIN_PATH"));
    g_autofree char *twice = g_strconcat(old, ":/nowhere:", old, NULL);
    g_setenv("SF_PLUGIN_PATH", twice, TRUE);
    g_autoptr(GPtrArray) names = registry_list();
    g_setenv("SF_PLUGIN_PATH", old, TRUE);
    bool found = false;
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        g_assert_true(i == 0 || strcmp(g_ptr_array_index(names, i - 1), name) < 0);
        found = found || g_str_equal(name, "test-filter");
    }
    g_assert_true(found);
}

/* Its code may be anybody's. */
static void plugin_that_everybody_can_write_is_not_loaded(void)
{
    g_autofree char *dir = g_dir_make_tmp("sf-plugins-XXXXXX", NULL), *old = g_strdup(g_getenv("SF_PLUGIN_PATH"));
    g_autofree char *path = g_build_filename(dir, "planted.so", NULL);
    g_assert_true(g_file_set_contents(path, "code", -1, NULL));
    g_setenv("SF_PLUGIN_PATH", dir, TRUE);
    assert_refused("planted", "file too short");
    g_assert_cmpint(g_chmod(path, 0666), ==, 0);
    assert_refused("planted", "planted.so' is not loaded: everybody can write to it; `chmod o-w` it");
    g_assert_cmpint(g_chmod(path, 0644), ==, 0);
    g_assert_cmpint(g_chmod(dir, 01777), ==, 0);
    assert_refused("planted", "is not loaded: everybody can write to its directory");
    g_setenv("SF_PLUGIN_PATH", old, TRUE);
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/registry/plugin_is_loaded_once", plugin_is_loaded_once);
    g_test_add_func("/registry/options_are_there_without_the_end_row", options_are_there_without_the_end_row);
    g_test_add_func("/registry/older_plugin_has_zeros_where_it_lacks_something",
                    older_plugin_has_zeros_where_it_lacks_something);
    g_test_add_func("/registry/unknown_name_has_a_suggestion", unknown_name_has_a_suggestion);
    g_test_add_func("/registry/name_is_no_path", name_is_no_path);
    g_test_add_func("/registry/broken_modules_are_refused_in_words", broken_modules_are_refused_in_words);
    g_test_add_func("/registry/no plugin anywhere", no_plugin_anywhere);
    g_test_add_func("/registry/file_that_is_no_module_is_refused", file_that_is_no_module_is_refused);
    g_test_add_func("/registry/list_is_sorted_and_has_every_name_once", list_is_sorted_and_has_every_name_once);
    g_test_add_func("/registry/plugin_that_everybody_can_write_is_not_loaded",
                    plugin_that_everybody_can_write_is_not_loaded);
    return g_test_run();
}
