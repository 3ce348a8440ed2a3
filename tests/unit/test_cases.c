/* tests/cases/<name>/: a pipeline.yaml and what `check` must say of it, line by line. A test is a folder, no C needed.
 * SF_CASES_WRITE=1 writes what it says now into `expected`: look at the difference before you commit it. */
#include <glib.h>
#include <string.h>

#include "config/pipeline.h"

static char *case_path(const char *name, const char *file)
{
    return g_build_filename(SF_SOURCE_DIR, "tests", "cases", name, file, NULL);
}

static void append_lines(GString *out, const char *prefix, GPtrArray *problems)
{
    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *line = diagnostic_line(g_ptr_array_index(problems, i), NULL);
        g_string_append_printf(out, "%s%s\n", prefix, line);
    }
}

/* Errors, warnings, and the steps in their order when the pipeline is fine. */
static char *check(const char *text)
{
    GString *out = g_string_new(NULL);
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    g_autoptr(Pipeline) pipeline = pipeline_load_text(text, "pipeline.yaml", diagnostics);
    g_assert_true((pipeline != NULL) == !diagnostics_any(diagnostics));
    append_lines(out, "", diagnostics->errors);
    append_lines(out, "warning: ", diagnostics->warnings);
    for (guint i = 0; pipeline && i < pipeline->steps->len; i++) {
        const Step *step = g_ptr_array_index(pipeline->steps, i);
        g_assert_cmpuint(step->index, ==, i);
        g_string_append_printf(out, "%s%s", i ? " " : "ok: ", step->name);
    }
    if (pipeline)
        g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

/* A plugin of the tree that this build does not have, and one of the texts speaks of; or NULL. */
static const char *missing_plugin(const char *text, const char *expected)
{
    static const char *const left_out[] = {SF_PLUGINS_LEFT_OUT NULL};
    for (const char *const *name = left_out; *name; name++)
        if (strstr(text, *name) || strstr(expected, *name))
            return *name;
    return NULL;
}

static void run_case(gconstpointer data)
{
    const char *name = data;
    g_autofree char *yaml_path = case_path(name, "pipeline.yaml");
    g_autofree char *expected_path = case_path(name, "expected");
    g_autofree char *text = NULL;
    g_autofree char *expected = NULL;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(yaml_path, &text, NULL, &error);
    g_assert_no_error(error);
    g_file_get_contents(expected_path, &expected, NULL, NULL);
    const char *missing = missing_plugin(text, expected ? expected : "");
    if (missing) {
        g_test_skip(missing);
        return;
    }
    g_autofree char *said = check(text);
    if (g_getenv("SF_CASES_WRITE")) {
        g_file_set_contents(expected_path, said, -1, &error);
        g_assert_no_error(error);
        return;
    }
    g_assert_cmpstr(said, ==, expected);
}

static void add_cases(void)
{
    g_autofree char *root = g_build_filename(SF_SOURCE_DIR, "tests", "cases", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(root, 0, &error);
    g_assert_no_error(error);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *yaml_path = case_path(name, "pipeline.yaml");
        g_autofree char *test = g_strconcat("/cases/", name, NULL);
        if (g_file_test(yaml_path, G_FILE_TEST_EXISTS))
            g_test_add_data_func_full(test, g_strdup(name), run_case, g_free);
    }
}

int main(int argc, char **argv)
{
    g_setenv("SF_CASE_TOPIC", "sales_events", TRUE);
    g_setenv("SF_CASE_EMPTY", "", TRUE);
    g_unsetenv("SF_CASE_UNSET");
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions(); /* one wrong case does not hide the others */
    add_cases();
    return g_test_run();
}
