/* The graph that a file becomes, and what its instances are bound to. Wrong files are in tests/cases. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "config/bind_host.h"
#include "config/files.h"
#include "config/instance.h"

static const char text[] = "pipeline: sales\n"
                           "description: d\n"
                           "checkpoint: {every: 2s, rows: 50, bytes: 1MiB}\n"
                           "memory: 32MiB\n"
                           "tasks: 3\n"
                           "shutdown: 5s\n"
                           "trigger: once\n"
                           "steps:\n"
                           "  rejects: {sink: test-sink, from: [decode.errors, gold.errors], url: a}\n"
                           "  gold: {sink: test-sink, from: decode, url: b, on_reject: ~}\n"
                           "  decode: {transform: test-transform, from: events}\n"
                           "  events: {source: test-source}\n";

static Pipeline *load(const char *yaml)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    Pipeline *pipeline = pipeline_load_text(yaml, "p.yaml", diagnostics);
    g_autofree char *said = diagnostics_text(diagnostics);
    g_assert_cmpstr(said, ==, "");
    g_assert_nonnull(pipeline);
    return pipeline;
}

static void settings_are_read(void)
{
    g_autoptr(Pipeline) pipeline = load(text);
    g_assert_cmpstr(pipeline->name, ==, "sales");
    g_assert_cmpstr(pipeline->file, ==, "p.yaml");
    g_assert_cmpstr(pipeline->description, ==, "d");
    g_assert_cmpint(pipeline->checkpoint_ms, ==, 2000);
    g_assert_cmpint(pipeline->checkpoint_rows, ==, 50);
    g_assert_cmpint(pipeline->checkpoint_bytes, ==, 1 << 20);
    g_assert_cmpint(pipeline->memory, ==, 32 << 20);
    g_assert_cmpint(pipeline->tasks, ==, 3);
    g_assert_cmpint(pipeline->shutdown_ms, ==, 5000);
    g_assert_cmpint(pipeline->trigger.kind, ==, TRIGGER_ONCE);
}

static void settings_have_defaults(void)
{
    g_autoptr(Pipeline) pipeline = load("pipeline: p\ncheckpoint: 3s\nsteps:\n  a: {source: test-source}\n"
                                        "  b: {sink: test-sink, from: a, url: x}\n");
    g_assert_null(pipeline->description);
    g_assert_cmpint(pipeline->checkpoint_ms, ==, 3000);
    g_assert_cmpint(pipeline->checkpoint_rows, ==, 0);
    g_assert_cmpint(pipeline->checkpoint_bytes, ==, 0);
    g_assert_cmpint(pipeline->memory, ==, 40 << 20);
    g_assert_cmpint(pipeline->tasks, ==, 1);
    g_assert_cmpint(pipeline->shutdown_ms, ==, 30000);
    g_assert_cmpint(pipeline->trigger.kind, ==, TRIGGER_CONTINUOUS);
    g_assert_cmpint(pipeline_step(pipeline, "b")->on_reject, ==, ON_REJECT_STOP);
}

static void steps_are_in_topological_order(void)
{
    g_autoptr(Pipeline) pipeline = load(text);
    static const char *const order[] = {"events", "decode", "gold", "rejects"};
    g_assert_cmpuint(pipeline->steps->len, ==, G_N_ELEMENTS(order));
    for (guint i = 0; i < pipeline->steps->len; i++) {
        const Step *step = g_ptr_array_index(pipeline->steps, i);
        g_assert_cmpstr(step->name, ==, order[i]);
        g_assert_cmpuint(step->index, ==, i);
        g_assert_true(pipeline_step(pipeline, order[i]) == step);
    }
    g_assert_null(pipeline_step(pipeline, "nobody"));
}

static void edges_join_both_ends(void)
{
    g_autoptr(Pipeline) pipeline = load(text);
    const Step *events = pipeline_step(pipeline, "events");
    const Step *gold = pipeline_step(pipeline, "gold");
    const Step *rejects = pipeline_step(pipeline, "rejects");
    g_assert_cmpuint(events->outputs->len, ==, 1);
    g_assert_cmpuint(rejects->inputs->len, ==, 2);
    g_assert_cmpuint(gold->error_outputs->len, ==, 1);
    const Edge *edge = g_ptr_array_index(rejects->inputs, 1);
    g_assert_true(edge == g_ptr_array_index(gold->error_outputs, 0));
    g_assert_true(edge->from == gold && edge->to == rejects && edge->errors);
    g_assert_cmpuint(edge->input, ==, 1);
    g_assert_cmpint(sf_value_line(edge->place), ==, 9);
    g_assert_cmpuint(rejects->input_names->len, ==, 3);
    g_assert_cmpstr(g_ptr_array_index(rejects->input_names, 1), ==, "gold.errors");
    g_assert_null(g_ptr_array_index(rejects->input_names, 2));
}

static void chain_of_a_thousand_steps_is_fine(void)
{
    GString *yaml = g_string_new("pipeline: p\nsteps:\n  z: {sink: test-sink, from: s997, url: x}\n");
    for (int i = 997; i > 0; i--)
        g_string_append_printf(yaml, "  s%d: {transform: test-transform, from: s%d}\n", i, i - 1);
    g_string_append(yaml, "  s0: {source: test-source}\n");
    g_autoptr(Pipeline) pipeline = load(yaml->str);
    g_assert_cmpuint(pipeline->steps->len, ==, 999);
    g_assert_cmpstr(((Step *) g_ptr_array_index(pipeline->steps, 998))->name, ==, "z");
    g_string_free(yaml, TRUE);
}

/* ---- instances -------------------------------------------------------------------------------------------------- */

static const SfHost host = {.size = sizeof(SfHost)};

static void instance_is_filled_and_bound(void)
{
    SfError err;
    g_autoptr(Pipeline) pipeline = load(text);
    g_autoptr(Instance) source = instance_new(pipeline_step(pipeline, "events"), pipeline, 2, true, &host, NULL, &err);
    g_autoptr(Instance) sink = instance_new(pipeline_step(pipeline, "rejects"), pipeline, 0, false, &host, NULL, &err);
    g_assert_cmpint(instance_bind(source, NULL, &err), ==, SF_OK);
    const struct ArrowSchema *inputs[] = {&source->out, &source->out};
    g_assert_cmpint(instance_bind(sink, inputs, &err), ==, SF_OK);
    g_assert_cmpuint(source->node.task, ==, 2);
    g_assert_true(source->node.bounded && !sink->node.bounded);
    g_assert_cmpstr(source->node.pipeline, ==, "sales");
    g_assert_cmpstr(sink->node.step, ==, "rejects");
    g_assert_cmpuint(sink->node.n_inputs, ==, 2);
    g_assert_cmpstr(sink->node.inputs[1], ==, "gold.errors");
    g_assert_null(sink->node.inputs[2]);
    g_assert_cmpint(source->out.n_children, ==, 2);
}

static void errors_have_the_inputs_columns_and_two_more(void)
{
    SfError err;
    char types[128];
    g_autoptr(Pipeline) pipeline = load(text);
    g_autoptr(Instance) source = instance_new(pipeline_step(pipeline, "events"), pipeline, 0, true, &host, NULL, &err);
    g_autoptr(Instance) decode = instance_new(pipeline_step(pipeline, "decode"), pipeline, 0, true, &host, NULL, &err);
    g_autoptr(Instance) sink = instance_new(pipeline_step(pipeline, "rejects"), pipeline, 0, true, &host, NULL, &err);
    g_assert_cmpint(instance_bind(source, NULL, &err), ==, SF_OK);
    const struct ArrowSchema *inputs[] = {&source->out, NULL};
    g_assert_cmpint(instance_bind(decode, inputs, &err), ==, SF_OK);
    const struct ArrowSchema *errors = &decode->errors[0];
    g_assert_cmpint(errors->n_children, ==, 4);
    g_assert_cmpstr(errors->children[0]->name, ==, "id");
    g_assert_cmpstr(errors->children[2]->name, ==, "_step");
    g_assert_cmpstr(errors->children[3]->name, ==, "_error");
    sf_schema_describe(errors->children[3], types, sizeof types);
    g_assert_nonnull(strstr(types, "not null"));
    inputs[0] = inputs[1] = errors;
    g_assert_cmpint(instance_bind(sink, inputs, &err), ==, SF_OK);
    g_assert_true(sf_schema_equal(errors, &sink->errors[0])); /* not _step, _error twice */
}

static void instance_that_was_not_bound_can_be_freed(void)
{
    SfError err;
    g_autoptr(Pipeline) pipeline = load(text);
    g_autoptr(Instance) instance =
        instance_new(pipeline_step(pipeline, "decode"), pipeline, 0, true, &host, NULL, &err);
    g_assert_nonnull(instance);
    instance_free(NULL);
}

static void secret_that_is_missing_fails_the_instance_not_the_check(void)
{
    SfError err;
    g_autoptr(Pipeline) pipeline = load("pipeline: p\nsteps:\n  a: {source: test-source, password: 'file:/nowhere'}\n"
                                        "  b: {sink: test-sink, from: a, url: x}\n");
    g_assert_null(instance_new(pipeline_step(pipeline, "a"), pipeline, 0, true, &host, NULL, &err));
    g_assert_true(g_str_has_prefix(err.message, "p.yaml:3:38: option 'password': cannot read file '/nowhere'"));
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static char *write_file(const char *dir, const char *name, const char *content)
{
    g_autoptr(GError) error = NULL;
    char *path = g_build_filename(dir, name, NULL);
    g_file_set_contents(path, content, -1, &error);
    g_assert_no_error(error);
    return path;
}

static void directory_stands_for_its_files(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("sf-files-XXXXXX", &error);
    g_assert_no_error(error);
    char *no_files[] = {dir, NULL};
    g_autoptr(GPtrArray) none = files_load(no_files);
    g_assert_true(diagnostics_any(((PipelineFile *) g_ptr_array_index(none, 0))->diagnostics));
    g_autofree char *b = write_file(dir, "b.yaml", text);
    g_autofree char *a = write_file(dir, "a.yml", text);
    g_autofree char *other = write_file(dir, "c.txt", "not: a pipeline");
    g_autofree char *hidden = write_file(dir, ".d.yaml", "not: a pipeline");
    g_autoptr(GPtrArray) files = files_load(no_files);
    g_assert_cmpuint(files->len, ==, 2);
    const PipelineFile *first = g_ptr_array_index(files, 0);
    const PipelineFile *second = g_ptr_array_index(files, 1);
    g_assert_cmpstr(first->path, ==, a);
    g_assert_nonnull(first->pipeline);
    g_assert_null(second->pipeline); /* of the same name */
    g_autofree char *wanted = g_strdup_printf("%s:1:11: pipeline 'sales' is in '%s' already; one process runs a name "
                                              "once",
                                              b, a);
    g_autofree char *said = diagnostics_text(second->diagnostics);
    g_assert_cmpstr(said, ==, wanted);
    const char *const paths[] = {a, b, other, hidden, dir};
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
        g_assert_cmpint(g_remove(paths[i]), ==, 0);
}

static char *said_of(const char *yaml)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    g_autoptr(Pipeline) pipeline = pipeline_load_text(yaml, "p.yaml", diagnostics);
    g_assert_cmpint(pipeline == NULL, ==, diagnostics_any(diagnostics));
    return diagnostics_text(diagnostics);
}

static void names_have_a_hundred_characters(void)
{
    for (gsize n = 100; n <= 101; n++) {
        g_autofree char *name = g_strnfill(n, 'n');
        g_autofree char *yaml = g_strdup_printf("pipeline: %s\nsteps:\n  a: {source: test-source}\n"
                                                "  %s: {sink: test-sink, from: a, url: x}\n",
                                                name, name);
        g_autofree char *said = said_of(yaml);
        g_assert_cmpint(*said == 0, ==, n == 100);
        g_assert_cmpint(strstr(said, "p.yaml:1:11: pipeline name 'nnn") != NULL, ==, n == 101);
        g_assert_cmpint(strstr(said, "p.yaml:4:3: step name 'nnn") != NULL, ==, n == 101);
    }
}

static void plugin_that_gives_no_schema(void)
{
    g_autofree char *said = said_of("pipeline: p\nsteps:\n  a: {source: test-source}\n"
                                    "  b: {transform: broken-bind, from: a}\n"
                                    "  c: {sink: test-sink, from: b, url: x}\n");
    g_assert_cmpstr(said, ==, "p.yaml:4:3: step 'b': broken-bind gave no schema");
}

/* What a bind hook calls although it has nothing to ask is answered: clocks go, splits are refused, the rest is
 * nobody's. */
static void bind_hooks_have_a_host(void)
{
    SfNode node = {.size = sizeof(SfNode), .host = &bind_host};
    SfError err = {0};
    gint64 wall = g_get_real_time() / 1000, monotonic = g_get_monotonic_time() / 1000;
    g_assert_cmpint(sf_now_ms(&node), >=, wall);
    g_assert_cmpint(sf_now_ms(&node), <, wall + 600 * 1000);
    g_assert_cmpint(sf_monotonic_ms(&node), >=, monotonic);
    g_assert_cmpint(sf_monotonic_ms(&node), <, monotonic + 600 * 1000);
    g_assert_cmpint(sf_assign(&node, NULL, 0, &err), ==, SF_FATAL);
    g_assert_cmpstr(err.message, ==, "bind must not announce splits");
    g_assert_cmpint(sf_revoke(&node, NULL, 0, false, &err), ==, SF_FATAL);
    g_assert_cmpstr(err.message, ==, "bind must not give splits back");
    sf_log(&node, SF_LOG_WARNING, "nobody hears it");
    sf_reject(&node, NULL, 0, "nor that");
    sf_charge(&node, 100);
    sf_expect(&node, 100);
    sf_lag(&node, NULL, 7);
    sf_committed(&node, 0, NULL, 7);
    bind_host.fault(&node, "a point");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pipeline/settings_are_read", settings_are_read);
    g_test_add_func("/pipeline/settings_have_defaults", settings_have_defaults);
    g_test_add_func("/pipeline/steps_are_in_topological_order", steps_are_in_topological_order);
    g_test_add_func("/pipeline/edges_join_both_ends", edges_join_both_ends);
    g_test_add_func("/pipeline/chain_of_a_thousand_steps_is_fine", chain_of_a_thousand_steps_is_fine);
    g_test_add_func("/instance/instance_is_filled_and_bound", instance_is_filled_and_bound);
    g_test_add_func("/instance/errors_have_the_inputs_columns_and_two_more",
                    errors_have_the_inputs_columns_and_two_more);
    g_test_add_func("/instance/instance_that_was_not_bound_can_be_freed", instance_that_was_not_bound_can_be_freed);
    g_test_add_func("/instance/secret_that_is_missing_fails_the_instance_not_the_check",
                    secret_that_is_missing_fails_the_instance_not_the_check);
    g_test_add_func("/files/directory_stands_for_its_files", directory_stands_for_its_files);
    g_test_add_func("/pipeline/names have a hundred characters", names_have_a_hundred_characters);
    g_test_add_func("/pipeline/plugin that gives no schema", plugin_that_gives_no_schema);
    g_test_add_func("/pipeline/bind hooks have a host", bind_hooks_have_a_host);
    return g_test_run();
}
